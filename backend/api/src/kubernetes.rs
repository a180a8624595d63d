//! Typed reads of what runs in a cluster, as the person (impersonated), paged and filtered on the server.

use crate::caller::Caller;
use crate::clusters::ReclaimPolicy;
use crate::errors::{Answer, Problem};
use crate::extract::QueryParams;
use crate::lists::List;
use crate::sight::{self, impersonation, into_namespace};
use crate::state::State;
use actix_web::get;
use actix_web::web::{Data, Json, Path};
use auth::Sight;
use domain::ids::ClusterId;
use kube_access::reads::{Deployment, KubernetesNode, Namespace, Page, PersistentVolume, Pod, ReadQuery};
use kube_access::{Impersonation, KubeError, Reads};
use serde::Deserialize;
use std::collections::HashMap;
use std::time::Duration;
use store::ClusterRecord;

/// What a list of Kubernetes objects may be narrowed by.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct KubernetesQuery {
    /// Default: all namespaces that are seen.
    pub namespace: Option<String>,
    /// Part of the name.
    pub search: Option<String>,
    /// A Kubernetes label selector.
    pub label: Option<String>,
    /// Of pods: those on this node.
    pub node: Option<String>,
    /// 1 to 500; default 100.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

impl KubernetesQuery {
    fn as_read(&self) -> Answer<ReadQuery<'_>> {
        if self.limit.is_some_and(|l| l == 0 || l > 500) {
            return Err(Problem::field("limit", "must be 1 to 500"));
        }
        if self.node.is_some() {
            return Err(Problem::field("node", "is for pods only"));
        }
        Ok(ReadQuery {
            namespace: self.namespace.as_deref(),
            search: self.search.as_deref(),
            label: self.label.as_deref(),
            field: None,
            limit: self.limit.unwrap_or(100),
            cursor: self.cursor.as_deref(),
        })
    }
}

impl<T> From<Page<T>> for List<T> {
    fn from(page: Page<T>) -> Self {
        Self { items: page.items, next_cursor: page.next_cursor, total: page.total }
    }
}

/// Reads of one cluster, as this person, and what of its inside they see.
async fn reads(state: &State, caller: &Caller, id: ClusterId, namespace: Option<&str>) -> Answer<(Reads, Impersonation, Sight)> {
    let record = state.store.cluster(&caller.actor.scope(), id).await?;
    let seen = sight::of(&caller.actor, id)?;
    if namespace.is_some() {
        into_namespace(&caller.actor, id, namespace)?;
    }
    let (reads, who) = of(state, caller, &record).await?;
    Ok((reads, who, seen))
}

/// One page of what the query asks for, or of all that is seen.
async fn page<T>(seen: &Sight, query: &ReadQuery<'_>, read: impl AsyncFn(&ReadQuery<'_>) -> Result<Page<T>, KubeError>) -> Answer<Json<List<T>>> {
    let page = match seen {
        Sight::Namespaces(names) if query.namespace.is_none() => sight::list(names, query, read).await?,
        _ => read(query).await?,
    };
    Ok(Json(page.into()))
}

/// Reads of a cluster that the person was found to see, as this person.
///
/// # Errors
/// While the cluster has no address yet.
pub async fn of(state: &State, caller: &Caller, record: &ClusterRecord) -> Answer<(Reads, Impersonation)> {
    let who = impersonation(&caller.actor, record.cluster.id)?;
    let target = state.targets.of(state, &record.cluster.endpoint()).await?;
    Ok((state.kube.reads(&target).await?, who))
}

/// How long a page waits for what only decorates it.
pub const DECORATION: Duration = Duration::from_secs(2);

/// The cluster's nodes by name, as it sees them itself; empty while it does not answer.
pub async fn nodes_inside(state: &State, caller: &Caller, record: &ClusterRecord) -> HashMap<String, KubernetesNode> {
    let read = async {
        let (reads, who) = of(state, caller, record).await?;
        let page = reads.nodes(&who, &ReadQuery { limit: 500, ..ReadQuery::default() }).await?;
        Answer::Ok(page.items.into_iter().map(|n| (n.name.clone(), n)).collect())
    };
    tokio::time::timeout(DECORATION, read).await.ok().and_then(Result::ok).unwrap_or_default()
}

/// All persistent volumes; None while the cluster does not answer.
pub async fn persistent_volumes(state: &State, caller: &Caller, record: &ClusterRecord) -> Option<Vec<PersistentVolume>> {
    let read = async {
        let (reads, who) = of(state, caller, record).await?;
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = reads.persistent_volumes(&who, &ReadQuery { limit: 500, cursor: cursor.as_deref(), ..ReadQuery::default() }).await?;
            found.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Answer::Ok(found);
            }
        }
    };
    tokio::time::timeout(DECORATION, read).await.ok().and_then(Result::ok)
}

/// What the cluster does with volumes once their claims are gone, by the volume's id in the cloud; empty while it does not answer.
pub async fn reclaim_policies(state: &State, caller: &Caller, record: &ClusterRecord) -> HashMap<String, ReclaimPolicy> {
    let found = persistent_volumes(state, caller, record).await.unwrap_or_default();
    found.into_iter().filter_map(|v| Some((v.handle?, ReclaimPolicy::of(&v.reclaim_policy?)?))).collect()
}

/// Whether the cluster's API answers this person.
pub async fn answers(state: &State, caller: &Caller, record: &ClusterRecord) -> bool {
    let read = async {
        let (reads, who) = of(state, caller, record).await?;
        reads.namespaces(&who, &ReadQuery { limit: 1, ..ReadQuery::default() }).await.map_err(Problem::from)
    };
    tokio::time::timeout(DECORATION, read).await.is_ok_and(|answer| answer.is_ok())
}

impl From<KubeError> for Problem {
    fn from(error: KubeError) -> Self {
        let mut problem = Self::new(error.code());
        match &error {
            KubeError::Access(_) => tracing::error!(%error, "no access to a cluster"),
            KubeError::Status { .. } => problem.cloud_message = Some(error.to_string()),
            _ => problem.detail = error.to_string(),
        }
        problem
    }
}

/// Kubernetes nodes.
#[utoipa::path(tag = "kubernetes", params(("id" = ClusterId, Path), KubernetesQuery), responses((status = 200, body = List<KubernetesNode>)))]
#[get("/clusters/{id}/kubernetes/nodes")]
pub async fn kubernetes_node_list(
    caller: Caller,
    state: Data<State>,
    id: Path<ClusterId>,
    query: QueryParams<KubernetesQuery>,
) -> Answer<Json<List<KubernetesNode>>> {
    let query = query.read()?;
    let record = sight::whole(&state, &caller.actor, *id).await?;
    let (reads, who) = of(&state, &caller, &record).await?;
    Ok(Json(reads.nodes(&who, &query.as_read()?).await?.into()))
}

/// Namespaces.
#[utoipa::path(tag = "kubernetes", params(("id" = ClusterId, Path), KubernetesQuery), responses((status = 200, body = List<Namespace>)))]
#[get("/clusters/{id}/kubernetes/namespaces")]
pub async fn namespace_list(
    caller: Caller,
    state: Data<State>,
    id: Path<ClusterId>,
    query: QueryParams<KubernetesQuery>,
) -> Answer<Json<List<Namespace>>> {
    let query = query.read()?;
    let (reads, who, seen) = reads(&state, &caller, *id, None).await?;
    match seen {
        Sight::All => Ok(Json(reads.namespaces(&who, &query.as_read()?).await?.into())),
        Sight::Namespaces(names) => {
            let wanted = names.iter().filter(|name| query.search.as_ref().is_none_or(|search| name.contains(&search.to_lowercase())));
            Ok(Json(List::whole(reads.namespaces_of(&who, wanted).await?)))
        }
    }
}

/// Deployments.
#[utoipa::path(tag = "kubernetes", params(("id" = ClusterId, Path), KubernetesQuery), responses((status = 200, body = List<Deployment>)))]
#[get("/clusters/{id}/kubernetes/deployments")]
pub async fn deployment_list(
    caller: Caller,
    state: Data<State>,
    id: Path<ClusterId>,
    query: QueryParams<KubernetesQuery>,
) -> Answer<Json<List<Deployment>>> {
    let query = query.read()?;
    let (reads, who, seen) = reads(&state, &caller, *id, query.namespace.as_deref()).await?;
    page(&seen, &query.as_read()?, async |query: &ReadQuery<'_>| reads.deployments(&who, query).await).await
}

/// Pods.
#[utoipa::path(tag = "kubernetes", params(("id" = ClusterId, Path), KubernetesQuery), responses((status = 200, body = List<Pod>)))]
#[get("/clusters/{id}/kubernetes/pods")]
pub async fn pod_list(caller: Caller, state: Data<State>, id: Path<ClusterId>, query: QueryParams<KubernetesQuery>) -> Answer<Json<List<Pod>>> {
    let mut query = query.read()?;
    let node = query.node.take().map(|name| on_node(&name)).transpose()?;
    let (reads, who, seen) = reads(&state, &caller, *id, query.namespace.as_deref()).await?;
    let query = ReadQuery { field: node.as_deref(), ..query.as_read()? };
    page(&seen, &query, async |query: &ReadQuery<'_>| reads.pods(&who, query).await).await
}

/// The field selector of a node's pods.
fn on_node(name: &str) -> Answer<String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    if name.len() > 253 || !name.bytes().all(plain) {
        return Err(Problem::field("node", "must be the name of a node"));
    }
    Ok(format!("spec.nodeName={name}"))
}
