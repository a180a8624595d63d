//! What of a cluster's inside somebody sees: whether they may go into a namespace, who the cluster takes them for, and lists over just
//! the namespaces that are theirs.

use crate::errors::{Answer, Problem};
use crate::state::State;
use auth::{Actor, Narrowing, Sight};
use domain::codes::Code;
use domain::ids::ClusterId;
use kube_access::reads::{Page, ReadQuery};
use kube_access::{Group, Impersonation, KubeError};
use std::collections::BTreeSet;
use store::ClusterRecord;

/// What of a cluster's inside they see.
///
/// # Errors
/// When it is nothing at all: the cluster looks as if it were not there.
pub fn of(actor: &Actor, cluster: ClusterId) -> Answer<Sight> {
    actor.sight(cluster).ok_or_else(Problem::not_found)
}

/// Whether somebody may go into a namespace of a cluster, or (None) beyond.
///
/// # Errors
/// When they may not.
pub fn into_namespace(actor: &Actor, cluster: ClusterId, namespace: Option<&str>) -> Answer<()> {
    let Sight::Namespaces(names) = of(actor, cluster)? else { return Ok(()) };
    if namespace.is_some_and(|namespace| names.contains(namespace)) {
        return Ok(());
    }
    let code = if actor.narrowing.namespaces.is_some() { Code::Narrowed } else { Code::Outside };
    let names: Vec<String> = names.into_iter().collect();
    Err(Problem::new(code).detail(format!("only these namespaces are open: {}", names.join(", "))).param("namespaces", names))
}

/// A cluster of which somebody sees all: nodes, what is in the cloud and what would become of it are in no namespace.
///
/// # Errors
/// When it is none of theirs, or they see some namespaces of it only.
pub async fn whole(state: &State, actor: &Actor, cluster: ClusterId) -> Answer<ClusterRecord> {
    let record = state.store.cluster(&actor.scope(), cluster).await?;
    into_namespace(actor, cluster, None)?;
    Ok(record)
}

/// Whether somebody sees all of a cluster: how large it is and what it costs is in no namespace.
#[must_use]
pub fn is_whole(actor: &Actor, cluster: ClusterId) -> bool {
    actor.sight(cluster) == Some(Sight::All)
}

/// The namespaces of a cluster that are all somebody sees of its inside; None: they see all of it.
#[must_use]
pub fn only(actor: &Actor, cluster: ClusterId) -> Option<Vec<String>> {
    match actor.sight(cluster) {
        Some(Sight::Namespaces(names)) => Some(names.into_iter().collect()),
        Some(Sight::All) | None => None,
    }
}

/// Who a cluster takes somebody for.
///
/// # Errors
/// When the cluster is none of theirs.
pub fn impersonation(actor: &Actor, cluster: ClusterId) -> Answer<Impersonation> {
    let group = group(actor, cluster)?;
    Ok(match actor.narrowed_namespaces(cluster) {
        None => Impersonation::new(&actor.user.id, &actor.user.name, group),
        Some(namespaces) => Impersonation::narrowed(&actor.user.id, &actor.user.name, namespaces),
    })
}

fn group(actor: &Actor, cluster: ClusterId) -> Answer<Group> {
    Ok(match actor.rights.sight(cluster).ok_or_else(Problem::not_found)? {
        Sight::All if actor.rights.changes_inside(cluster) => Group::Member,
        Sight::All => Group::Reader,
        // The cluster's own rules know the person by the namespaces they were given.
        Sight::Namespaces(_) => Group::Guest,
    })
}

/// Who a certificate makes somebody, for the cluster's own rules alone to decide. `bound`: whether these let the person change things in single
/// namespaces, by their name, whatever group they come in.
///
/// # Errors
/// When those rules would let more through than we do.
pub fn certified(actor: &Actor, cluster: ClusterId, read_only: bool, bound: bool) -> Answer<Impersonation> {
    let too_wide = |detail: &str| Err(Problem::new(Code::DirectTooWide).detail(detail));
    if actor.narrowing != Narrowing::default() || !actor.rights.plain_inside(cluster) {
        return too_wide("the cluster's own rules know changing everything and looking, and nothing between");
    }
    if read_only && bound {
        return too_wide("the cluster's own rules let you change things in namespaces that you were given, whatever the certificate says");
    }
    let group = match group(actor, cluster)? {
        Group::Member if read_only => Group::Reader,
        group => group,
    };
    Ok(Impersonation::new(&actor.user.id, &actor.user.name, group))
}

/// One page over namespaces, one after the other. A cursor names the namespace and the place in it.
///
/// # Errors
/// When the cluster does not answer, or the cursor is not ours.
pub async fn list<T>(
    names: &BTreeSet<String>,
    query: &ReadQuery<'_>,
    read: impl AsyncFn(&ReadQuery<'_>) -> Result<Page<T>, KubeError>,
) -> Answer<Page<T>> {
    let cursor = query.cursor.map(|text| text.split_once('~').ok_or_else(|| Problem::field("cursor", "is not one of ours"))).transpose()?;
    let mut left = names.iter().map(String::as_str).skip_while(|name| cursor.is_some_and(|(begin, _)| *name < begin)).peekable();
    while let Some(namespace) = left.next() {
        let within = cursor.filter(|(begin, rest)| *begin == namespace && !rest.is_empty()).map(|(_, rest)| rest);
        let page = match read(&ReadQuery { namespace: Some(namespace), cursor: within, ..*query }).await {
            // Not there yet, or not any more.
            Err(KubeError::Status { status: 403 | 404, .. }) => Page { items: Vec::new(), next_cursor: None, total: None },
            other => other?,
        };
        // A search that gave up in a large namespace goes on there, and not in the next one.
        let found = !page.items.is_empty() || page.next_cursor.is_some();
        let next = page.next_cursor.map(|rest| format!("{namespace}~{rest}")).or_else(|| left.peek().map(|name| format!("{name}~")));
        if found {
            return Ok(Page { items: page.items, next_cursor: next, total: None });
        }
    }
    Ok(Page { items: Vec::new(), next_cursor: None, total: None })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Namespaces of three objects each, in pages of two; `gone` is not there, and the first page of `large` has nothing of what is looked for.
    async fn read(query: &ReadQuery<'_>) -> Result<Page<String>, KubeError> {
        let namespace = query.namespace.unwrap();
        match (namespace, query.cursor) {
            ("gone", _) => Err(KubeError::Status { status: 403, reason: "Forbidden".into(), message: "no".into() }),
            ("large", None) => Ok(Page { items: vec![], next_cursor: Some("2".into()), total: None }),
            ("empty", _) => Ok(Page { items: vec![], next_cursor: None, total: Some(0) }),
            (_, None) => Ok(Page { items: vec![format!("{namespace}/1"), format!("{namespace}/2")], next_cursor: Some("2".into()), total: None }),
            (_, Some("2")) => Ok(Page { items: vec![format!("{namespace}/3")], next_cursor: None, total: Some(3) }),
            (_, Some(other)) => Err(KubeError::Access(other.to_owned())),
        }
    }

    #[tokio::test]
    async fn a_list_over_namespaces_has_everything_once_and_no_empty_pages() {
        let names: BTreeSet<String> = ["a", "empty", "gone", "z"].map(str::to_owned).into();
        let (mut cursor, mut found, mut pages) = (None::<String>, Vec::new(), 0);
        loop {
            let page = list(&names, &ReadQuery { cursor: cursor.as_deref(), ..ReadQuery::default() }, read).await.unwrap();
            assert!(!page.items.is_empty());
            found.extend(page.items);
            pages += 1;
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!((found.join(" ").as_str(), pages), ("a/1 a/2 a/3 z/1 z/2 z/3", 4));
        let large: BTreeSet<String> = ["large", "z"].map(str::to_owned).into();
        let first = list(&large, &ReadQuery::default(), read).await.unwrap();
        assert_eq!((first.items.len(), first.next_cursor.as_deref()), (0, Some("large~2")));
        let second = list(&large, &ReadQuery { cursor: first.next_cursor.as_deref(), ..ReadQuery::default() }, read).await.unwrap();
        assert_eq!(second.items, ["large/3"]);
        let only = list(&["gone".to_owned()].into(), &ReadQuery::default(), read).await.unwrap();
        assert_eq!((only.items.len(), only.next_cursor), (0, None));
        assert!(list(&names, &ReadQuery { cursor: Some("nonsense"), ..ReadQuery::default() }, read).await.is_err());
    }
}
