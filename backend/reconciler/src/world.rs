//! One cluster's world in a pass: the cloud as its credential sees it, its secrets, and the way to its API.

use crate::addons::AddonSettings;
use crate::journal::{Journal, JournalError, Owner, secret};
use crate::kept::{kept_credential, stored_credential};
use crate::kubernetes::{KubernetesApi, Target};
use crate::memory::Memory;
use cloud::Cloud;
use cloud::identity::{ApplicationCredential, Identity};
use domain::changes::Work;
use domain::ids::{ClusterId, NodeId};
use domain::settings::ApiExposure;
use domain::versions::CatalogueVersion;
use ipnet::Ipv4Net;
use sealed::ClusterPki;
use secrecy::SecretString;
use std::sync::Arc;
use time::OffsetDateTime;

/// Tells which Kubernetes versions are offered at this moment: operators change it while the engine runs.
pub type Versions = Arc<dyn Fn() -> Vec<CatalogueVersion> + Send + Sync>;

/// What all passes share.
pub struct Services {
    pub identity: Arc<dyn Identity>,
    pub kubernetes: Arc<dyn KubernetesApi>,
    pub versions: Versions,
    /// Where nodes fetch their bundle: `https://host:port`, and the authority they trust for it.
    pub node_endpoint: String,
    pub gate_ca_pem: String,
    /// Where KCS itself comes from, as clouds see it: let in where an API is restricted.
    pub egress: Vec<Ipv4Net>,
    /// How many cloud calls of one pass may run at the same time.
    pub parallel: usize,
    pub addons: AddonSettings,
    pub memory: Memory,
}

/// A pass's access to one cluster.
pub struct World<'a> {
    pub services: &'a Services,
    pub journal: &'a dyn Journal,
    /// When the pass began.
    pub now: OffsetDateTime,
}

impl World<'_> {
    /// The cloud through the cluster's own credential; None before there is one.
    pub(crate) async fn cloud(&self, cluster: ClusterId) -> Result<Option<Cloud>, JournalError> {
        let (identity, memory) = (&*self.services.identity, &self.services.memory);
        Ok(self.stored_credential().await?.map(|credential| memory.cloud(cluster, &credential, identity)))
    }

    /// The cluster's own credential, secret and all.
    pub(crate) async fn stored_credential(&self) -> Result<Option<ApplicationCredential>, JournalError> {
        self.credential(secret::APPLICATION_CREDENTIAL).await
    }

    /// The one that is to take its place.
    pub(crate) async fn next_credential(&self) -> Result<Option<ApplicationCredential>, JournalError> {
        self.credential(secret::NEXT_CREDENTIAL).await
    }

    async fn credential(&self, name: &str) -> Result<Option<ApplicationCredential>, JournalError> {
        self.journal.secret(Owner::Cluster, name).await?.map(|text| stored_credential(&text)).transpose()
    }

    pub(crate) async fn put_next_credential(&self, credential: &ApplicationCredential) -> Result<(), JournalError> {
        self.journal.put_secret(Owner::Cluster, secret::NEXT_CREDENTIAL, &kept_credential(credential)?).await
    }

    pub(crate) async fn put_credential(&self, credential: &ApplicationCredential) -> Result<(), JournalError> {
        self.journal.put_secret(Owner::Cluster, secret::APPLICATION_CREDENTIAL, &kept_credential(credential)?).await
    }

    /// The cluster's authorities, made at first use: everything a node needs is known before the first server exists. Remembered: the keys for Secrets
    /// among them may have been changed by another process since (`encryption.rs`).
    pub async fn pki(&self, cluster: ClusterId) -> Result<Arc<ClusterPki>, JournalError> {
        let memory = &self.services.memory;
        if let Some(known) = memory.authorities(cluster) {
            return Ok(known);
        }
        let unreadable = |e: sealed::SealError| JournalError::Unavailable(e.to_string());
        let text = match self.journal.secret(Owner::Cluster, secret::PKI).await? {
            Some(text) => text,
            // The servers of a new cluster are made side by side, and each asks for them.
            None => {
                let fresh = ClusterPki::generate(OffsetDateTime::now_utc()).map_err(unreadable)?;
                self.journal.keep_secret(Owner::Cluster, secret::PKI, &fresh.to_json().map_err(unreadable)?).await?
            }
        };
        let pki = Arc::new(ClusterPki::from_json(&text).map_err(unreadable)?);
        memory.note_authorities(cluster, &pki);
        Ok(pki)
    }

    pub(crate) async fn join_token(&self, node: NodeId) -> Result<SecretString, JournalError> {
        if let Some(token) = self.journal.secret(Owner::Node(node), secret::JOIN_TOKEN).await? {
            return Ok(token);
        }
        let token = sealed::JoinToken::generate().map_err(|e| JournalError::Unavailable(e.to_string()))?;
        self.journal.keep_secret(Owner::Node(node), secret::JOIN_TOKEN, token.text()).await
    }

    /// The cluster's API, once its address is known.
    pub(crate) async fn target(&self, work: &Work) -> Result<Option<Target>, JournalError> {
        let private = work.cluster.spec.api.exposure == ApiExposure::Private;
        let row = work.live(if private { "load_balancer" } else { "floating_ip" });
        let Some(address) = row.and_then(|r| r.address.clone()) else { return Ok(None) };
        Ok(Some(Target { cluster: work.cluster.id, endpoint: format!("https://{address}:6443"), private, pki: self.pki(work.cluster.id).await? }))
    }
}
