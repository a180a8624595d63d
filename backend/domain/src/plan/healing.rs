//! Repairing what broke while nobody asks for anything: what is damaged, when a repair begins, and what holds it.

use super::{Action, Draft, Kubernetes, OFF_START, Object, ObjectState, Part, REPAIR_PAUSE, REPAIR_REST, REPAIR_RETRIES};
use crate::clusters::RepairPolicy;
use crate::codes::Code;
use crate::conditions::{Condition, ConditionStatus, ConditionType};
use crate::ids::OperationId;
use crate::ledger::{LedgerRow, ResourceKind, ResourceState};
use crate::nodes::{CONTROL_PLANE_POOL, Node, NodeIntent, NodeRole};
use crate::operations::{ENGINE, Operation, OperationKind, OperationState, Step};
use crate::plan::parts::{done_without, node_key};
use crate::plan::steps::READY;
use time::Duration;
use uuid::Uuid;

/// The share of workers that may be unwell before nothing is replaced by itself any more: 2/5.
const BRAKE: (usize, usize) = (2, 5);

/// How long a repair rests that has failed and was tried again so often: longer each time, and after a few for a day, unless something else broke.
#[must_use]
pub fn repair_rest(retries: u32, something_else: bool) -> Duration {
    match retries {
        _ if something_else => REPAIR_REST,
        0..REPAIR_RETRIES => REPAIR_REST * (1_i32 << retries),
        _ => Duration::DAY,
    }
}

/// Whether one of the damaged objects, told by kind and name, was well when the repair with these steps ended. What is as that left it had its try, whether the
/// cloud refused it or nothing came of it.
#[must_use]
pub fn broke_since<'p>(steps: &[Step], mut damaged: impl Iterator<Item = (ResourceKind, &'p str)>) -> bool {
    let objects = || steps.iter().flat_map(|step| &step.resources);
    let left = |kind: ResourceKind, name: &str| objects().find(|object| object.kind == kind && object.name == name);
    damaged.any(|(kind, name)| match left(kind, name) {
        // That nobody could look at it is no word against it.
        Some(object) => object.state == READY || object.state == ResourceState::Known.as_str(),
        // It was not there; only credentials no step of a repair shows.
        None => kind == ResourceKind::ApplicationCredential,
    })
}

impl Draft<'_> {
    /// Whether nodes that worked may be replaced without being named.
    pub(super) fn heals(&self) -> bool {
        let asked = |o: &Operation| !o.state.ended() && matches!(o.kind, OperationKind::ClusterRepair | OperationKind::ClusterCreate);
        self.next.cluster.spec.repair == RepairPolicy::Automatic || self.next.operation.as_ref().is_some_and(asked)
    }

    /// Why no worker is replaced by itself now: too many are unwell at once. One alone is no meltdown.
    pub(super) fn brake(&self) -> Option<String> {
        let workers = || self.next.nodes.iter().filter(|n| n.role == NodeRole::Worker && n.intent == NodeIntent::Keep && n.joined_at.is_some());
        let (all, unwell) = (workers().count(), workers().filter(|n| n.ready != Some(true)).count());
        (self.observed.kubernetes.view().is_some() && unwell > 1 && unwell * BRAKE.1 > all * BRAKE.0)
            .then(|| format!("{unwell} of {all} workers are not ready"))
    }

    /// Begins a repair where something is damaged, nothing is under way, and the cluster's policy lets us.
    pub(super) fn start_repair(&mut self, fresh: &mut dyn FnMut() -> Uuid) {
        let idle = self.next.operation.as_ref().is_none_or(|o| o.state.ended());
        let watched = self.next.cluster.observed_generation > 0 && !self.deleting();
        let closed = self.project_fault().is_some();
        if !idle || !watched || closed || self.next.cluster.spec.repair == RepairPolicy::Manual || !self.repair_due() || self.damage().is_empty() {
            return;
        }
        if self.cancelled() {
            // What is wanted again was brought about before: from here on what was left of the other is damage like any, until it is mended.
            self.next.cluster.observed_generation = self.next.cluster.generation;
        }
        let now = self.now;
        match &mut self.next.operation {
            Some(last) if last.automatic() && last.state == OperationState::Failed && last.retries < REPAIR_RETRIES => {
                last.state = OperationState::Pending;
                last.retries += 1;
                last.fault = None;
                last.finished_at = None;
                last.deadline_at = now + last.kind.limit();
            }
            _ => {
                let mut repair = Operation::new(OperationId(fresh()), self.next.cluster.id, OperationKind::ClusterRepair, ENGINE, now);
                repair.nodes = self.broken_nodes().map(|n| n.id).collect();
                self.next.operation = Some(repair);
                self.begun = true;
            }
        }
        self.begin_attempt();
    }

    /// Whether what is wanted and not there is damage. Where an operation failed it is that operation's to finish.
    fn left_to_us(&self) -> bool {
        self.next.cluster.observed_generation == self.next.cluster.generation || self.cancelled()
    }

    /// The last that somebody asked for was cancelled.
    fn cancelled(&self) -> bool {
        self.next.operation.as_ref().is_some_and(|o| o.state == OperationState::Cancelled && !o.automatic())
    }

    /// Repairs that failed rest longer each time, unless something else broke: an object that was well when they ended, or a node that was well when they began.
    /// What is begun early for a node is one of their tries, and once these are used up the next repair has its name, so that it rests as the others do. Others
    /// have a short pause.
    fn repair_due(&mut self) -> bool {
        let Some(last) = self.next.operation.as_ref().filter(|o| o.automatic()) else { return true };
        let Some(finished) = last.finished_at else { return true };
        let another_node = || self.broken_nodes().any(|n| !last.nodes.contains(&n.id));
        let rest = match last.state {
            OperationState::Failed => repair_rest(last.retries, self.damaged_since(last) || another_node()),
            _ => REPAIR_PAUSE,
        };
        let left = finished + rest - self.now;
        if left.is_positive() {
            self.look_again_in(left.min(super::WATCH));
        }
        !left.is_positive()
    }

    /// What an automatic repair would act on, by name; and of the one under way, whoever asked for it, what is left.
    pub(super) fn damage(&self) -> Vec<String> {
        let mut found = self.damaged_parts();
        let repairing = self.next.operation.as_ref().is_some_and(|o| o.kind == OperationKind::ClusterRepair && !o.state.ended());
        if repairing || self.left_to_us() {
            found.extend(self.pools_out_of_size());
        }
        found.extend(self.masters_to_level().map(|n| n.name.clone()));
        found.extend(self.next.nodes.iter().filter(|n| n.intent == NodeIntent::Remove).map(|n| n.name.clone()));
        found.extend(self.broken_nodes().map(|n| n.name.clone()));
        found
    }

    /// The nodes that are to stay, and that a repair would replace or start again.
    fn broken_nodes(&self) -> impl Iterator<Item = &Node> {
        let masters = self.next.cluster.spec.control_plane.count as usize;
        let lost = self.next.nodes.iter().find(|n| n.role == NodeRole::Master && n.fault.is_some());
        let lost = lost.filter(|_| self.master_to_go(masters, 0).is_some()).map(|n| n.id);
        let retired = |n: &Node| n.role == NodeRole::Worker && n.joined_at.is_some() && self.to_retire(n);
        let staying = self.next.nodes.iter().filter(|n| n.intent != NodeIntent::Remove);
        staying.filter(move |n| retired(n) || self.to_start(n).is_some() || lost == Some(n.id))
    }

    /// Whether an object is damaged that was well when the last repair ended.
    fn damaged_since(&self, last: &Operation) -> bool {
        let wanted = self.wanted();
        broke_since(&last.steps, wanted.iter().filter(|p| self.damaged(p)).map(|p| (p.kind, p.name.as_str())))
    }

    /// Whether an object is not as it should be. Of a node's, where one is missing, its node is what is damaged.
    fn damaged(&self, part: &Part) -> bool {
        let drifted = |o: &Object| o.state == ObjectState::Ready && o.drift;
        let row = self.live(&part.key);
        let object = row.filter(|r| r.state == ResourceState::Known).and_then(|r| self.object(r));
        match part.kind {
            ResourceKind::Server => false,
            ResourceKind::Port | ResourceKind::Volume => !self.lost(part) && object.is_some_and(drifted),
            kind if self.look(kind).is_none() => false,
            _ => match row {
                Some(row) if row.state == ResourceState::Known => object.is_some_and(|o| matches!(o.state, ObjectState::Failed(_)) || drifted(o)),
                // Two of a kind are a person's to look at, and so is a quota.
                Some(row) => row.state != ResourceState::Ambiguous && !done_without(row),
                None => true,
            },
        }
    }

    fn damaged_parts(&self) -> Vec<String> {
        let wanted = self.wanted();
        let mut found: Vec<String> = wanted.iter().filter(|p| self.damaged(p)).map(|p| p.name.clone()).collect();
        let unwanted =
            |r: &&LedgerRow| r.state != ResourceState::Gone && r.state != ResourceState::Ambiguous && !wanted.iter().any(|p| p.key == r.key);
        found.extend(self.next.ledger.iter().filter(unwanted).map(|r| r.name.clone()));
        found
    }

    fn pools_out_of_size(&self) -> Vec<String> {
        let spec = &self.next.cluster.spec;
        let pools = spec.node_pools.iter().map(|p| (p.name.as_str(), p.count)).chain([(CONTROL_PLANE_POOL, spec.control_plane.count)]);
        let mut wrong = Vec::new();
        for (name, count) in pools {
            let joined = self.next.nodes.iter().filter(|n| n.pool == name && n.intent == NodeIntent::Keep && n.joined_at.is_some()).count();
            let kept = self.next.nodes.iter().filter(|n| n.pool == name && n.intent == NodeIntent::Keep).count();
            if joined != count as usize || kept != count as usize {
                wrong.push(name.to_owned());
            }
        }
        wrong
    }

    /// A server that somebody powered off some time ago, and that is to be started again.
    fn to_start(&self, node: &Node) -> Option<&LedgerRow> {
        let since = node.unready_since?;
        let row = self.live(&node_key(ResourceKind::Server, &node.name)).filter(|r| r.state == ResourceState::Known)?;
        let off = self.object(row).is_some_and(|o| o.state == ObjectState::Off);
        (off && node.intent == NodeIntent::Keep && self.heals() && self.now - since >= OFF_START).then_some(row)
    }

    /// Starts what is powered off, once a minute.
    pub(super) fn start_servers(&mut self) {
        if self.deleting() || !self.active() {
            return;
        }
        let rows: Vec<LedgerRow> = self.next.nodes.iter().filter_map(|n| self.to_start(n)).cloned().collect();
        for mut row in rows {
            if row.called_at.is_none_or(|t| self.now - t >= Duration::MINUTE) {
                row.called_at = Some(self.now);
                self.replace(row.clone());
                self.actions.push(Action::Start(row));
            }
        }
    }

    /// Whether what breaks is mended by itself, and if not, why.
    pub(super) fn self_healing(&self) -> Condition {
        let condition = |status, reason: &str, message: String, code| self.condition(ConditionType::SelfHealing, status, reason, message, code);
        let given_up = self.next.operation.as_ref().filter(|o| o.automatic() && o.state == OperationState::Failed && o.retries >= REPAIR_RETRIES);
        if self.quorum_lost() {
            let down: Vec<&str> = self.masters().filter(|n| n.joined_at.is_some() && n.ready == Some(false)).map(|n| n.name.as_str()).collect();
            return condition(ConditionStatus::False, "QuorumLost", down.join(", "), Some(Code::ControlPlaneLost));
        }
        if let Some(why) = self.brake() {
            return condition(ConditionStatus::False, "HealingPaused", why, Some(Code::HealingPaused));
        }
        // Which of two has joined nobody can tell: that is a person's to look at.
        let doubtful = self.next.nodes.iter().filter(|n| n.alarm_at.is_some() && n.intent == NodeIntent::Keep);
        let doubtful: Vec<&str> = doubtful.map(|n| n.name.as_str()).collect();
        if !doubtful.is_empty() {
            return condition(ConditionStatus::False, "BundleTwice", doubtful.join(", "), Some(Code::BundleTwice));
        }
        if let Some(fault) = given_up.and_then(|o| o.fault.as_ref()) {
            return condition(ConditionStatus::False, "RetryLimit", fault.message.clone(), Some(fault.code));
        }
        if matches!(self.observed.kubernetes, Kubernetes::Unreachable(_)) {
            return condition(ConditionStatus::Unknown, "ApiUnreachable", String::new(), Some(Code::ClusterApiDown));
        }
        let differing: Vec<&str> = self.masters_at_another_level().map(|n| n.name.as_str()).collect();
        if !differing.is_empty() && !self.changes_audit() {
            return condition(ConditionStatus::True, "AuditDiffers", differing.join(", "), None);
        }
        let reason = if self.next.cluster.spec.repair == RepairPolicy::Manual { "Manual" } else { "Active" };
        condition(ConditionStatus::True, reason, String::new(), None)
    }
}
