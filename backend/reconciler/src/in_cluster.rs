//! The engine's side of `kube-access`: what the plan asks of a cluster's API, with the engine's own identity.

use crate::kubernetes::{AccessLeft, Drain, KubernetesApi, KubernetesError, Marks, Member, Rewriting, Target, WorkloadSeen};
use async_trait::async_trait;
use domain::members::NamespaceAccess;
use futures::{FutureExt, StreamExt};
use ipnet::Ipv4Net;
use kube_access::{ClusterTarget, Engine, KubeAccess, KubeError};
use sealed::JoinToken;
use secrecy::SecretString;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use time::{Duration, OffsetDateTime};

/// A join token is good for this long after it was put into the cluster; it is put in again well before (`memory/nodes.rs`).
const JOIN_TOKEN_TTL: Duration = Duration::hours(1);

/// Characters of what stands in the way of a drain that are kept.
const WORDS: usize = 2_000;
/// Objects sent at the same time.
const APPLY_PARALLEL: usize = 6;

/// Real clusters.
pub struct InCluster(KubeAccess);

impl From<KubeError> for KubernetesError {
    fn from(error: KubeError) -> Self {
        let words = error.to_string();
        if matches!(error, KubeError::Destination(_)) { Self::NeverDialled(words) } else { Self::Failed(words) }
    }
}

impl InCluster {
    #[must_use]
    pub fn new(access: KubeAccess) -> Self {
        Self(access)
    }

    async fn engine(&self, target: &Target) -> Result<Engine, KubernetesError> {
        let target = ClusterTarget { cluster: target.cluster, endpoint: target.endpoint.clone(), private: target.private, pki: target.pki.clone() };
        Ok(self.0.engine(&target).await?)
    }
}

#[async_trait]
impl KubernetesApi for InCluster {
    async fn nodes(&self, target: &Target) -> Result<BTreeMap<String, Option<bool>>, KubernetesError> {
        let nodes = self.engine(target).await?.nodes().await?;
        Ok(nodes.into_iter().map(|n| (n.name, n.ready)).collect())
    }

    async fn ensure_access(&self, target: &Target, namespaces: &NamespaceAccess) -> Result<AccessLeft, KubernetesError> {
        Ok(self.engine(target).await?.ensure_access_rules(namespaces).await?)
    }

    async fn ensure_join_token(&self, target: &Target, token: &SecretString) -> Result<(), KubernetesError> {
        let token = JoinToken::parse(token).ok_or_else(|| KubernetesError::Failed("the stored join token cannot be read".to_owned()))?;
        Ok(self.engine(target).await?.ensure_join_token(&token, OffsetDateTime::now_utc() + JOIN_TOKEN_TTL).await?)
    }

    async fn drain(&self, target: &Target, node: &str) -> Result<Drain, KubernetesError> {
        let engine = self.engine(target).await?;
        Ok(match engine.drain(node, false).await? {
            kube_access::engine::Drain::Done => Drain::Done,
            kube_access::engine::Drain::Evicting(left) => Drain::Evicting(left),
            kube_access::engine::Drain::Blocked(words) => Drain::Blocked(words.join(", ").chars().take(WORDS).collect()),
        })
    }

    async fn remove_member(&self, target: &Target, through: &str, member: &Member) -> Result<(), KubernetesError> {
        Ok(self.engine(target).await?.remove_etcd_member(through, &member.name, member.address.as_deref()).await?)
    }

    async fn attachments(&self, target: &Target, node: &str, off: bool) -> Result<usize, KubernetesError> {
        let engine = self.engine(target).await?;
        if off {
            engine.let_go(node).await?;
        }
        Ok(engine.attachments(node).await?)
    }

    async fn delete_node(&self, target: &Target, node: &str) -> Result<(), KubernetesError> {
        match self.engine(target).await?.delete_node(node).await {
            Err(error) if error.is_not_found() => Ok(()),
            other => Ok(other?),
        }
    }

    async fn apply(&self, target: &Target, objects: &[&Value]) -> Result<(), KubernetesError> {
        let engine = self.engine(target).await?;
        // Boxed: the compiler cannot prove a stream of borrowed futures sendable for every lifetime.
        let calls: Vec<_> = objects.iter().map(|object| engine.apply_object(object).boxed()).collect();
        let mut done = futures::stream::iter(calls).buffered(APPLY_PARALLEL).zip(futures::stream::iter(objects));
        while let Some((outcome, object)) = done.next().await {
            outcome.map_err(|e| KubernetesError::Failed(format!("{} {}: {e}", object["kind"], object["metadata"]["name"])))?;
        }
        Ok(())
    }

    async fn marks(&self, target: &Target, kinds: &BTreeSet<String>, label: &str) -> Result<Marks, KubernetesError> {
        Ok(self.engine(target).await?.marks(kinds, label).await?)
    }

    async fn choose_default_class(&self, target: &Target, name: &str) -> Result<(), KubernetesError> {
        Ok(self.engine(target).await?.choose_default_class(name).await?)
    }

    async fn workloads(&self, target: &Target, label: &str, dns: &str) -> Result<Vec<WorkloadSeen>, KubernetesError> {
        Ok(self.engine(target).await?.workloads(label, dns).await?)
    }

    async fn namespaces(&self, target: &Target) -> Result<Vec<String>, KubernetesError> {
        Ok(self.engine(target).await?.namespace_names().await?)
    }

    async fn pod_ranges(&self, target: &Target) -> Result<BTreeSet<Ipv4Net>, KubernetesError> {
        Ok(self.engine(target).await?.pod_ranges().await?)
    }

    async fn rewrite_secrets(&self, target: &Target, so_far: &Rewriting) -> Result<Rewriting, KubernetesError> {
        Ok(self.engine(target).await?.rewrite_secrets(so_far).await?)
    }
}
