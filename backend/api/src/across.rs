//! Lists over all namespaces through the gate by somebody who sees some namespaces of the cluster only: of which of them such a list is.

use crate::errors::{Answer, Problem};
use crate::passage::Passage;
use crate::sight::into_namespace;
use crate::streams::OpenStream;
use auth::{Actor, KubernetesWrite, Sight};
use domain::clusters::ClusterEndpoint;
use domain::ids::ClusterId;
use kube_access::gateway::{Answer as Forwarded, Collection};
use kube_access::{Access, GatewayRequest, Reach};

/// Such a list, and the namespaces that are in it.
pub struct Across {
    list: Collection,
    names: Vec<String>,
}

/// None: it is no such list, they see all of the cluster, or nothing of the kind anywhere.
///
/// # Errors
/// When nobody may send the request.
pub fn of(actor: &Actor, cluster: &ClusterEndpoint, outgoing: &GatewayRequest) -> Answer<Option<Across>> {
    let Some(Sight::Namespaces(names)) = actor.sight(cluster.id) else { return Ok(None) };
    if outgoing.reach()? != Reach::Cluster {
        return Ok(None);
    }
    let Some(list) = outgoing.collection() else { return Ok(None) };
    let secrets = outgoing.access()? == Access::Secrets;
    let open = |name: &String| !secrets || actor.may_inside::<KubernetesWrite>(cluster, Some(name)).is_ok();
    let names: Vec<String> = names.into_iter().filter(open).collect();
    Ok((!names.is_empty()).then_some(Across { list, names }))
}

impl Across {
    /// The list as the cluster has it.
    ///
    /// # Errors
    /// When it is of what is in no namespace, or the cluster does not answer.
    pub async fn gather(self, passage: Passage, actor: &Actor, cluster: ClusterId) -> Answer<(OpenStream, Forwarded)> {
        if let Some(arrived) = passage.across(self.names, self.list).await? {
            return Ok(arrived);
        }
        into_namespace(actor, cluster, None)?;
        Err(Problem::not_found())
    }
}
