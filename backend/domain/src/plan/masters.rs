//! Masters: each holds a member of etcd, so they change one at a time, and never so that those left cannot decide.

use super::parts::node_key;
use super::{Draft, Kubernetes};
use crate::changes::Work;
use crate::ids::NodeId;
use crate::ledger::{ResourceKind, ResourceState};
use crate::nodes::{CONTROL_PLANE_POOL, Node, NodeIntent, NodeRole};
use crate::operations::OperationKind;
use time::Duration;
use uuid::Uuid;

/// Masters that are kept and more than the spec says: one of them is to leave, and who takes its requests over is looked at (`Observed::serving`).
#[must_use]
pub fn masters_too_many(work: &Work) -> usize {
    let kept = work.nodes.iter().filter(|n| n.role == NodeRole::Master && n.intent == NodeIntent::Keep).count();
    kept.saturating_sub(work.cluster.spec.control_plane.count as usize)
}

impl Draft<'_> {
    pub(super) fn masters(&self) -> impl Iterator<Item = &Node> {
        self.next.nodes.iter().filter(|n| n.role == NodeRole::Master)
    }

    fn kept_masters(&self) -> impl Iterator<Item = &Node> {
        self.masters().filter(|n| n.intent == NodeIntent::Keep)
    }

    /// Masters that hold a member of etcd, and how many of them work.
    fn members(&self) -> (usize, usize) {
        let detached = self.observed.kubernetes.view().map_or(&[][..], |v| &v.detached);
        let members = || self.masters().filter(|n| n.joined_at.is_some() && !detached.contains(&n.id));
        (members().count(), members().filter(|n| n.ready == Some(true)).count())
    }

    /// So many masters are surely down that those left cannot decide: nothing we do by ourselves would help.
    pub(super) fn quorum_lost(&self) -> bool {
        let (members, _) = self.members();
        let down = self.masters().filter(|n| n.joined_at.is_some() && n.ready == Some(false)).count();
        members > 0 && (members.saturating_sub(down)) * 2 <= members
    }

    /// Whether one master may go: those there now must be able to decide it, and those left to go on.
    fn quorum_without(&self, node: &Node) -> bool {
        let (members, healthy) = self.members();
        let (left, healthy_left) = (members.saturating_sub(1), healthy - usize::from(node.ready == Some(true)));
        healthy * 2 > members && left > 0 && healthy_left * 2 > left
    }

    /// Whether a leaving master's member of etcd may still be there, and others are left that can remove it.
    pub(super) fn to_detach(&self, node: &Node) -> bool {
        let others = self.masters().any(|n| n.id != node.id && n.joined_at.is_some());
        let detached = self.observed.kubernetes.view().is_some_and(|v| v.detached.contains(&node.id));
        // One that never came as far as to be started has no member.
        node.role == NodeRole::Master && node.intent == NodeIntent::Remove && others && node.started_at.is_some() && !detached
    }

    /// As many masters as the spec says, one change at a time.
    pub(super) fn size_masters(&mut self, fresh: &mut dyn FnMut() -> Uuid) {
        let wanted = self.next.cluster.spec.control_plane.count;
        self.retire_masters_that_never_worked();
        if !self.kept_masters().any(|n| n.joined_at.is_some()) {
            return self.size_pool(NodeRole::Master, CONTROL_PLANE_POOL, wanted, fresh);
        }
        if self.masters().any(|n| n.intent == NodeIntent::Remove) {
            return;
        }
        if let Some(id) = self.master_to_go(wanted as usize, self.surge()) {
            match self.next.nodes.iter().position(|n| n.id == id) {
                Some(index) if self.others_serve(id) => self.retire(index),
                _ => self.look_again_in(Duration::seconds(1)),
            }
            return;
        }
        for _ in self.kept_masters().count()..wanted as usize + self.surge() {
            let node = self.new_node(NodeRole::Master, CONTROL_PLANE_POOL, NodeId(fresh()));
            self.next.nodes.push(node);
        }
    }

    fn retire_masters_that_never_worked(&mut self) {
        // A cluster that was never handed over has nothing to lose with its only master.
        let unused = self.next.cluster.observed_generation == 0 && self.members().0 == 1;
        for index in 0..self.next.nodes.len() {
            let node = &self.next.nodes[index];
            let failed = node.role == NodeRole::Master && node.intent == NodeIntent::Keep && node.fault.is_some();
            if failed && (node.joined_at.is_none() || unused) && self.may_replace(&node.name) {
                self.retire(index);
            }
        }
    }

    pub(super) fn master_to_replace(&self) -> Option<&Node> {
        let targets = self.about(&[OperationKind::NodeReplace]);
        self.kept_masters().find(|n| targets.contains(&n.id)).or_else(|| self.master_to_rekey()).or_else(|| self.master_to_level())
    }

    /// Of masters that are to be replaced the next one: one that failed first, then one that answers nobody, and none that is only unwell for a moment.
    pub(super) fn next_of_round<'n>(&self, behind: impl Iterator<Item = &'n Node>) -> Option<&'n Node> {
        let ripe = |n: &&Node| n.intent == NodeIntent::Keep && n.joined_at.is_some() && (n.ready == Some(true) || n.fault.is_some());
        behind.filter(ripe).min_by_key(|n| (n.fault.is_none(), !self.mute(n), n.ordinal))
    }

    /// How many masters more there are than the spec says until a successor has taken over.
    fn surge(&self) -> usize {
        usize::from(self.master_to_replace().is_some_and(|n| n.ready == Some(true)))
    }

    /// Masters that are kept and more than the spec says.
    pub(super) fn masters_too_many(&self) -> usize {
        masters_too_many(&self.next)
    }

    /// Whether the load balancer is known to find this master's API server answering. A ready kubelet says no more than that it runs itself.
    fn serves(&self, node: &Node) -> bool {
        self.observed.serving.as_ref().is_some_and(|serving| serving.contains(&node.id))
    }

    /// Whether it is known that the load balancer does not find it answering, though it does others.
    pub(super) fn mute(&self, node: &Node) -> bool {
        node.ready == Some(true) && self.observed.serving.as_ref().is_some_and(|serving| !serving.is_empty() && !serving.contains(&node.id))
    }

    /// A master that worked, and that the load balancer beside it does not find answering: that counts while the cluster's API gives us no answer.
    pub(super) fn unheard(&self, node: &Node) -> bool {
        let unanswered = matches!(self.observed.kubernetes, Kubernetes::Unreachable(_));
        let silent = self.observed.serving.as_ref().is_some_and(|serving| !serving.contains(&node.id));
        node.role == NodeRole::Master && node.joined_at.is_some() && unanswered && silent
    }

    /// Whether requests are answered without this master: another one serves, and so do all that joined in this operation, which are to serve in its
    /// place. One that was mute before holds nobody up. One that does not work itself serves nobody, and may go at once.
    fn others_serve(&self, leaving: NodeId) -> bool {
        let working = || self.kept_masters().filter(|n| n.ready == Some(true));
        let others = || working().filter(|n| n.id != leaving);
        let since = self.next.operation.as_ref().and_then(|o| o.started_at);
        let joined_now = |n: &&Node| since.is_some() && n.joined_at >= since;
        !working().any(|n| n.id == leaving) || (others().any(|n| self.serves(n)) && others().filter(joined_now).all(|n| self.serves(n)))
    }

    /// A master is to leave and stays for now: what would serve in its place is not found answering yet.
    pub(super) fn successor_awaited(&self) -> bool {
        let wanted = self.next.cluster.spec.control_plane.count as usize;
        self.active() && self.master_to_go(wanted, self.surge()).is_some_and(|id| !self.others_serve(id))
    }

    /// The one master that is to leave now, if any.
    pub(super) fn master_to_go(&self, wanted: usize, surge: usize) -> Option<NodeId> {
        self.observed.kubernetes.view()?;
        let kept: Vec<&Node> = self.kept_masters().collect();
        let begun = |n: &Node| self.newest(&node_key(ResourceKind::Server, &n.name)).is_some_and(|r| r.state != ResourceState::Gone);
        let joining = kept.iter().any(|n| n.joined_at.is_none() && begun(n));
        let most = u32::try_from(wanted + surge).unwrap_or(u32::MAX);
        let surplus = super::surplus(&self.next.nodes, &self.next.cluster.spec, NodeRole::Master, CONTROL_PLANE_POOL, most, &[]);
        if let Some(young) = surplus.iter().find(|n| n.joined_at.is_none()) {
            return Some(young.id);
        }
        let unwell: Vec<&&Node> = kept.iter().filter(|n| n.joined_at.is_some() && n.ready != Some(true)).collect();
        let target = self.master_to_replace();
        let candidate = match (unwell.as_slice(), target, surplus.first()) {
            // The sick one first, whatever else is to happen; two at once are no accident.
            ([sick], ..) if target.is_some_and(|t| t.id == sick.id) || surplus.iter().any(|n| n.id == sick.id) => Some(**sick),
            ([sick], ..) => (self.heals() && sick.fault.is_some() && self.may_replace(&sick.name) && !self.to_reboot(sick)).then_some(**sick),
            ([], _, Some(surplus)) => kept.iter().copied().find(|n| self.mute(n)).or(Some(*surplus)),
            ([], Some(target), None) => (kept.len() > wanted && kept.iter().all(|n| n.joined_at.is_some())).then_some(target),
            _ => None,
        };
        candidate.filter(|n| !joining && self.quorum_without(n)).map(|n| n.id)
    }

    /// Further masters join one at a time, once the API answers and all others work: etcd takes one new member at a time.
    pub(super) fn master_may_start(&self, name: &str) -> bool {
        let Some(me) = self.kept_masters().find(|n| n.name == name) else { return false };
        if !self.kept_masters().any(|n| n.joined_at.is_some()) {
            return self.kept_masters().all(|n| n.ordinal >= me.ordinal);
        }
        let ready = |n: &Node| n.joined_at.is_some() && n.ready == Some(true);
        self.observed.kubernetes.view().is_some()
            && !self.masters().any(|n| n.intent == NodeIntent::Remove && n.joined_at.is_some())
            && self.kept_masters().filter(|n| n.ordinal < me.ordinal || n.joined_at.is_some()).all(ready)
    }
}
