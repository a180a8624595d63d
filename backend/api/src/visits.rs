//! Whom the last request with a kubeconfig was let in as, and into what: the next look sets out as that while the database is asked whether it still holds.
//! Nobody is let in by what is remembered here; it only says where an answer would come from that may then be shown.

use crate::caller::same_rights;
use auth::Actor;
use domain::clusters::ClusterEndpoint;
use moka::future::Cache;
use sealed::TokenHash;
use std::sync::Arc;
use std::time::Duration;

/// Somebody who was let into a cluster.
pub struct Visit {
    pub actor: Actor,
    pub cluster: ClusterEndpoint,
}

impl Visit {
    /// Whether somebody let in as this goes the same way with the same rights.
    fn is(&self, actor: &Actor, cluster: &ClusterEndpoint) -> bool {
        self.actor.user.id == actor.user.id && same_rights(&self.actor, actor).is_ok() && self.cluster == *cluster
    }
}

/// The last of each kubeconfig.
pub struct Visits(Cache<TokenHash, Arc<Visit>>);

impl Default for Visits {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(1_000).time_to_idle(Duration::from_secs(300)).build())
    }
}

impl Visits {
    pub async fn last(&self, token: &TokenHash) -> Option<Arc<Visit>> {
        self.0.get(token).await
    }

    /// Takes down who is let in now; answers whether that is as it was in `last`.
    pub async fn note(&self, token: TokenHash, last: Option<&Visit>, actor: &Actor, cluster: &ClusterEndpoint) -> bool {
        let same = last.is_some_and(|last| last.is(actor, cluster));
        if !same {
            self.0.insert(token, Arc::new(Visit { actor: actor.clone(), cluster: cluster.clone() })).await;
        }
        same
    }

    pub async fn forget(&self, token: &TokenHash) {
        self.0.invalidate(token).await;
    }
}
