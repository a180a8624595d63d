//! Carries out what is to be done in the cluster itself. All of it is safe to repeat: a failure is tried again in the next pass.

use crate::journal::JournalError;
use crate::kubernetes::{Drain, KubernetesError, Member, Target};
use crate::world::World;
use domain::changes::Work;
use domain::ids::NodeId;
use domain::ledger::ResourceKind;
use domain::members::NamespaceAccess;
use domain::nodes::{Node, NodeIntent, NodeRole};
use domain::plan::{Action, Release, node_key};

/// Characters of what was said against bindings that are logged.
const WORDS: usize = 2_000;

impl World<'_> {
    pub(crate) async fn act_in_cluster(&self, work: &Work, action: Action) -> Result<(), JournalError> {
        let Some(target) = self.target(work).await? else { return Ok(()) };
        let (api, memory) = (&self.services.kubernetes, &self.services.memory);
        let node = |id: NodeId| work.nodes.iter().find(|n| n.id == id);
        let done = match action {
            Action::EnsureAccess => {
                let namespaces = self.journal.namespace_access().await?;
                self.ensure_access(work, &target, &namespaces).await
            }
            Action::ApplyAddons => return self.apply_addons(work, &target).await,
            Action::EnsureJoinToken(id) => match node(id) {
                Some(node) => {
                    let token = self.join_token(id).await?;
                    api.ensure_join_token(&target, &token).await.map(|()| memory.note_join_token(node, self.now))
                }
                None => Ok(()),
            },
            Action::Drain(id) => match node(id) {
                Some(node) => self.empty(&target, work, node).await.map(drop),
                None => Ok(()),
            },
            Action::Release(release) => match node(release.node) {
                Some(node) => self.release(&target, work, node, release).await,
                None => Ok(()),
            },
            Action::ForgetNode(node) => self.forget(&target, &node, true, true).await.map(drop),
            Action::RewriteSecrets(generation) => self.rewrite_secrets(&target, generation).await,
            Action::SwitchCredential { .. }
            | Action::AdvanceKeys { .. }
            | Action::Create(_)
            | Action::Update(_)
            | Action::Delete(_)
            | Action::Start(_)
            | Action::Reboot(_) => Ok(()),
        };
        if let Err(error) = done {
            tracing::warn!(cluster = %work.cluster.id, %error, "the cluster's API refused");
        }
        Ok(())
    }

    /// Where a namespace was missing when the rules were written, and it is still, they are not written again for it. Somebody's binding that cannot be as it should
    /// keeps nobody else out, and holds up no operation.
    async fn ensure_access(&self, work: &Work, target: &Target, namespaces: &NamespaceAccess) -> Result<(), KubernetesError> {
        let (api, memory) = (&self.services.kubernetes, &self.services.memory);
        if memory.awaits_namespaces(&work.cluster) {
            let there = api.namespaces(target).await?.into_iter().collect();
            if memory.missing_as_before(&work.cluster, &namespaces.missing(&there)) {
                return Ok(());
            }
        }
        let left = api.ensure_access(target, namespaces).await?;
        if !left.refused.is_empty() {
            let refused: String = left.refused.join("; ").chars().take(WORDS).collect();
            tracing::warn!(cluster = %work.cluster.id, refused, "some of who comes into namespaces could not be bound as they should");
        }
        memory.note_access(&work.cluster, &left);
        Ok(())
    }

    /// One step of emptying a node; true: nothing is left on it.
    async fn empty(&self, target: &Target, work: &Work, node: &Node) -> Result<bool, KubernetesError> {
        let (memory, operation) = (&self.services.memory, work.operation.as_ref().map(|o| o.id));
        match self.services.kubernetes.drain(target, &node.name).await? {
            Drain::Done => {
                memory.note_drained(node, operation);
                return Ok(true);
            }
            Drain::Evicting(left) => {
                memory.note_held_up(node, operation, None);
                tracing::info!(node = node.name, left, "pods are leaving the node");
            }
            Drain::Blocked(words) => {
                tracing::warn!(node = node.name, words, "pods may not leave the node");
                memory.note_held_up(node, operation, Some(words));
            }
        }
        Ok(false)
    }

    /// The Kubernetes node goes last: while that is there, the rest is not sure.
    async fn release(&self, target: &Target, work: &Work, node: &Node, release: Release) -> Result<(), KubernetesError> {
        if release.evict && !self.empty(target, work, node).await? {
            return Ok(());
        }
        if node.role == NodeRole::Master {
            let able = |n: &&Node| n.role == NodeRole::Master && n.intent == NodeIntent::Keep && n.id != node.id && n.ready == Some(true);
            if let Some(through) = work.nodes.iter().find(able) {
                let port = work.live(&node_key(ResourceKind::Port, &node.name));
                let member = Member { name: node.name.clone(), address: port.and_then(|r| r.address.clone()) };
                self.services.kubernetes.remove_member(target, &through.name, &member).await?;
                self.services.memory.note_detached(node);
            } else if work.nodes.iter().any(|n| n.role == NodeRole::Master && n.id != node.id && n.joined_at.is_some()) {
                // Others hold members but none of them works now: wait.
                return Ok(());
            }
        }
        if self.forget(target, &node.name, release.off, release.patient).await? {
            self.services.memory.note_released(node);
        }
        Ok(())
    }

    /// Deletes a Kubernetes node, if it is still there; true: that is done. Its volumes are detached first: of a node that is not there they stay where
    /// they are for minutes.
    async fn forget(&self, target: &Target, node: &str, off: bool, patient: bool) -> Result<bool, KubernetesError> {
        let attached = self.services.kubernetes.attachments(target, node, off).await?;
        if attached > 0 && patient {
            tracing::info!(node, attached, "volumes are leaving the node");
            return Ok(false);
        }
        self.services.kubernetes.delete_node(target, node).await.map(|()| true)
    }
}
