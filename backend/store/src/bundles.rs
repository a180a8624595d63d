//! What a node's bundle is made from, read for a node that proves itself with its token (`node_fetch_bundle`).

use crate::error::StoreError;
use crate::secrets::{SecretOwner, opened};
use crate::{clusters, ledger, nodes};
use domain::changes::Work;
use domain::ids::{ClusterId, NodeId};
use domain::nodes::NodeIntent;
use sealed::{ClusterPki, KeyRing};
use secrecy::SecretString;
use sqlx::PgConnection;

/// All that is to be read before a node's bundle counts as fetched.
#[derive(Clone, Debug)]
pub struct BundleParts {
    pub node: NodeId,
    /// The cluster around it, its operation left out.
    pub work: Work,
    /// The cluster's authorities; None: there are none.
    pub pki: Option<ClusterPki>,
    /// The node's own; None: there is none.
    pub join_token: Option<SecretString>,
    /// Where it begins the cluster, those of the nodes that will join it.
    pub later_join_tokens: Vec<SecretString>,
}

/// An error where anything of it cannot be read: a newer program has written it, or it is sealed with a key that this process lacks.
pub(crate) async fn parts(db: &mut PgConnection, keys: &KeyRing, cluster: ClusterId, node: NodeId) -> Result<BundleParts, StoreError> {
    let found = clusters::find(db, None, cluster).await?;
    let nodes = nodes::rows(db, None, cluster).await?.into_iter().map(|r| r.node).collect();
    let ledger = ledger::rows(db, None, cluster).await?;
    let pki = opened(db, keys, &SecretOwner::Cluster(cluster), "pki").await?;
    let unreadable = |e: sealed::SealError| StoreError::Unexpected(format!("the authorities of cluster {cluster}: {e}"));
    let pki = pki.as_ref().map(ClusterPki::from_json).transpose().map_err(unreadable)?;
    let join_token = opened(db, keys, &SecretOwner::Node(cluster, node), "join_token").await?;
    let work = Work { cluster: found, nodes, ledger, operation: None };
    let mut later_join_tokens = Vec::new();
    if work.nodes.iter().any(|n| n.id == node && work.begins_with(n)) {
        for other in work.nodes.iter().filter(|n| n.id != node && n.intent == NodeIntent::Keep) {
            later_join_tokens.extend(opened(db, keys, &SecretOwner::Node(cluster, other.id), "join_token").await?);
        }
    }
    Ok(BundleParts { node, work, pki, join_token, later_join_tokens })
}
