//! What a node's bundle is made from, read for a node that has just proven itself with its token (`node_fetch_bundle`).

use crate::error::StoreError;
use crate::pool::{Store, read};
use crate::{clusters, ledger, nodes};
use domain::changes::Work;
use domain::ids::ClusterId;

impl Store {
    /// The cluster around a node, its operation left out.
    pub async fn bundle_work(&self, cluster: ClusterId) -> Result<Work, StoreError> {
        read(&self.api, cluster, |db, cluster| {
            Box::pin(async move {
                let found = clusters::find(db, None, *cluster).await?;
                let nodes = nodes::rows(db, None, *cluster).await?.into_iter().map(|r| r.node).collect();
                let ledger = ledger::rows(db, None, *cluster).await?;
                Ok(Work { cluster: found, nodes, ledger, operation: None })
            })
        })
        .await
    }
}
