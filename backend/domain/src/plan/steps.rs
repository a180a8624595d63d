//! The steps of an operation: which there are, how far each is, what it waits for, and what it is about.

use super::parts::{Part, done_without};
use super::{Action, Draft, Kubernetes, Look, ObjectState};
use crate::addons::AddonState;
use crate::clusters::ClusterSpec;
use crate::codes::Code;
use crate::ledger::{LedgerRow, ResourceKind, ResourceState};
use crate::nodes::{Fault, Node, NodeIntent, NodeRole};
use crate::operations::{Operation, OperationKind, OperationState, Step, StepKey, StepResource, StepState};
use time::Duration;

/// The word for an object that is as it should be.
pub(super) const READY: &str = "ready";

/// The steps an operation of this kind shows, none begun. Seconds are first estimates, replaced by the median of past operations.
#[must_use]
pub fn operation_steps(kind: OperationKind, spec: &ClusterSpec) -> Vec<Step> {
    use StepKey::{
        Addons, ApiLoadBalancer, ApiReady, Credential, DeleteCredential, DeleteLoadBalancer, DeleteNetwork, Drain, FirstMaster, Health, KeyInUse,
        KeyReadable, Masters, Network, NodePools, OldKeyRemoved, OtherMasters, Reboot, RemoveNodes, Replacement, Scan, SecretsRewritten,
    };
    let keys: Vec<(StepKey, u32)> = match kind {
        OperationKind::ClusterCreate => {
            let mut keys = vec![(Credential, 2), (Network, 3), (ApiLoadBalancer, 5), (FirstMaster, 5), (ApiReady, 15)];
            if spec.control_plane.count > 1 {
                keys.push((OtherMasters, 30));
            }
            if spec.node_pools.iter().any(|p| p.count > 0) {
                keys.push((NodePools, 15));
            }
            if !spec.addons.wanted().is_empty() {
                keys.push((Addons, 15));
            }
            keys.push((Health, 2));
            keys
        }
        OperationKind::ClusterRepair => {
            vec![(Network, 3), (ApiLoadBalancer, 5), (RemoveNodes, 10), (Masters, 30), (NodePools, 20), (Health, 2)]
        }
        OperationKind::ControlPlaneResize => vec![(RemoveNodes, 15), (Masters, 40), (Health, 2)],
        OperationKind::NodePoolCreate => vec![(NodePools, 20), (Health, 2)],
        OperationKind::NodePoolResize => vec![(RemoveNodes, 10), (NodePools, 20), (Health, 2)],
        OperationKind::NodePoolDelete => vec![(RemoveNodes, 15), (Health, 2)],
        OperationKind::NodeReplace => vec![(Replacement, 25), (RemoveNodes, 10), (Health, 2)],
        OperationKind::NodeDrain => vec![(Drain, 30)],
        OperationKind::NodeReboot => vec![(Reboot, 30)],
        OperationKind::CredentialRotate => {
            let mut keys = vec![(Credential, 3)];
            if spec.addons.use_the_cloud() {
                keys.push((Addons, 20));
            }
            keys.extend([(DeleteCredential, 3), (Health, 2)]);
            keys
        }
        OperationKind::EncryptionKeyRotate => {
            let round = 60 * spec.control_plane.count;
            vec![(KeyReadable, round), (KeyInUse, round), (SecretsRewritten, 5), (OldKeyRemoved, round), (Health, 2)]
        }
        OperationKind::ApiAuditChange => vec![(Masters, 60 * spec.control_plane.count), (Health, 2)],
        OperationKind::ApiAccessChange => vec![(ApiLoadBalancer, 5), (Health, 2)],
        OperationKind::ClusterDelete => {
            vec![(RemoveNodes, 10), (DeleteLoadBalancer, 5), (DeleteNetwork, 5), (Scan, 1), (DeleteCredential, 1)]
        }
        OperationKind::Newer(_) => Vec::new(),
    };
    let step = |(key, usual_seconds)| Step {
        key,
        state: StepState::Pending,
        started_at: None,
        finished_at: None,
        usual_seconds,
        done: 0,
        total: 0,
        waiting_for: None,
        fault: None,
        resources: Vec::new(),
    };
    keys.into_iter().map(step).collect()
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Draft<'_> {
    pub(super) fn refresh_steps(&mut self) {
        let Some(mut operation) = self.next.operation.clone() else { return };
        if operation.newer() || (operation.state.ended() && operation.state != OperationState::Succeeded) {
            return;
        }
        let keys: Vec<StepKey> = operation.steps.iter().map(|s| s.key).collect();
        let mut open = true;
        for step in &mut operation.steps {
            (step.done, step.total) = self.measure(step, operation.kind);
            // Health is only judged once everything else is there.
            if step.key == StepKey::Health && !open {
                step.done = 0;
            }
            let complete = step.done >= step.total;
            step.resources = self.resources(step.key, &keys);
            step.fault = self.step_fault(step.key, &keys);
            step.waiting_for = None;
            if complete && open {
                step.state = if step.total == 0 { StepState::Skipped } else { StepState::Succeeded };
                step.started_at = step.started_at.or(Some(self.now));
                step.finished_at = step.finished_at.or(Some(self.now));
            } else {
                let begun = step.resources.iter().any(|r| r.state != "gone") || open;
                step.state = if begun { StepState::Running } else { StepState::Pending };
                step.finished_at = None;
                if begun {
                    step.started_at = step.started_at.or(Some(self.now));
                    step.waiting_for = Some(self.waiting_for(step.key));
                }
                open = false;
            }
        }
        if operation.state == OperationState::Succeeded {
            for step in operation.steps.iter_mut().filter(|s| s.state != StepState::Skipped) {
                step.state = StepState::Succeeded;
                step.done = step.total;
                step.waiting_for = None;
                step.started_at = step.started_at.or(Some(self.now));
                step.finished_at = step.finished_at.or(Some(self.now));
            }
        } else {
            operation.progress = operation.progress.max(progress(&operation)).min(99);
        }
        self.next.operation = Some(operation);
    }

    /// (done, total) of a step now. Where something was there before, only what the operation adds is counted.
    fn measure(&self, step: &Step, kind: OperationKind) -> (u32, u32) {
        use ResourceKind::{
            ApplicationCredential, FloatingIp, LoadBalancer, Network, Port, Router, RouterInterface, SecurityGroup, Server, ServerGroup, Subnet,
            Volume,
        };
        let of_total = |left: u32| {
            let total = step.total.max(left);
            (total - left, total)
        };
        let taken_away = |kinds: &[ResourceKind]| {
            let of_kind = self.next.ledger.iter().filter(|r| kinds.contains(&r.kind) && (r.cloud_id.is_some() || r.state != ResourceState::Gone));
            let (gone, left): (Vec<&LedgerRow>, Vec<&LedgerRow>) = of_kind.partition(|r| r.state == ResourceState::Gone);
            (count(gone.len()), count(gone.len() + left.len()))
        };
        let named = || self.next.operation.iter().flat_map(|o| &o.nodes);
        let kept = |role: NodeRole| self.next.nodes.iter().filter(move |n| n.role == role && n.intent == NodeIntent::Keep);
        let missing = |role: NodeRole, wanted: u32| wanted.saturating_sub(count(kept(role).filter(|n| n.joined_at.is_some()).count()));
        let workers = || self.next.cluster.spec.node_pools.iter().map(|p| p.count).sum();
        // A node that was lost meanwhile and replaced is neither drained nor rebooted any more.
        let there = |id: &crate::ids::NodeId| self.next.nodes.iter().any(|n| n.id == *id);
        match (step.key, kind) {
            (StepKey::ApiReady, _) => (u32::from(self.observed.kubernetes.view().is_some()), 1),
            (StepKey::OtherMasters, _) => {
                let ready = count(kept(NodeRole::Master).filter(|n| n.ready == Some(true)).count());
                (ready.saturating_sub(1), self.next.cluster.spec.control_plane.count.saturating_sub(1))
            }
            (StepKey::Masters, _) => {
                let to_level = count(self.masters_to_level().count());
                of_total(missing(NodeRole::Master, self.next.cluster.spec.control_plane.count) + to_level)
            }
            (StepKey::NodePools, _) => of_total(missing(NodeRole::Worker, workers())),
            (StepKey::Replacement, _) => {
                let named = named().filter(|id| self.next.nodes.iter().any(|n| n.id == **id && n.intent == NodeIntent::Keep));
                let short = missing(NodeRole::Worker, workers()) + missing(NodeRole::Master, self.next.cluster.spec.control_plane.count);
                of_total(count(named.count()).max(short))
            }
            (StepKey::Drain, _) => {
                let drained = |id: &crate::ids::NodeId| self.observed.kubernetes.view().is_some_and(|v| v.drained.contains(id));
                of_total(count(named().filter(|id| there(id) && !drained(id)).count()))
            }
            (StepKey::Reboot, _) => of_total(count(named().filter(|id| there(id) && !self.rebooted(**id)).count())),
            (StepKey::Credential, OperationKind::CredentialRotate) => self.next_in_place(),
            (StepKey::Addons, OperationKind::CredentialRotate) => (u32::from(self.next_in_place().0 == 1 && self.handed_over()), 1),
            (StepKey::DeleteCredential, OperationKind::CredentialRotate) => self.old_credential_gone(),
            (StepKey::Addons, _) => {
                let essential: Vec<_> = self.addon_states().into_iter().filter(|a| a.name.essential()).collect();
                (count(essential.iter().filter(|a| a.state == AddonState::Ready).count()), count(essential.len()))
            }
            (StepKey::KeyReadable | StepKey::KeyInUse | StepKey::OldKeyRemoved, _) => self.round_of_masters(step.key),
            (StepKey::SecretsRewritten, _) => self.secrets_written_anew(),
            (StepKey::Health, _) => (u32::from(self.sound(kind)), 1),
            (StepKey::RemoveNodes, OperationKind::ClusterDelete) => taken_away(&[Server, Port, Volume]),
            (StepKey::RemoveNodes, _) => {
                let leaving = self.next.nodes.iter().filter(|n| n.intent == NodeIntent::Remove).count();
                let of_masters = matches!(kind, OperationKind::ControlPlaneResize | OperationKind::NodeReplace | OperationKind::ClusterRepair);
                of_total(count(leaving + if of_masters { self.masters_too_many() } else { 0 }))
            }
            (StepKey::DeleteLoadBalancer, _) => taken_away(&[LoadBalancer, FloatingIp]),
            (StepKey::DeleteNetwork, _) => taken_away(&[Network, Subnet, Router, RouterInterface, SecurityGroup, ServerGroup]),
            (StepKey::Scan, _) => (u32::from(self.scanned()), 1),
            (StepKey::DeleteCredential, _) => taken_away(&[ApplicationCredential]),
            (StepKey::Newer(_), _) if matches!(step.state, StepState::Succeeded | StepState::Skipped) => (step.total, step.total),
            // The program that knows what it is says when it is done.
            (StepKey::Newer(_), _) => (step.done, step.total.max(step.done.saturating_add(1))),
            (StepKey::Network | StepKey::ApiLoadBalancer, OperationKind::ClusterRepair | OperationKind::ApiAccessChange) => {
                let parts = self.wanted();
                of_total(count(parts.iter().filter(|p| p.step == step.key && !self.part_ready(p)).count()))
            }
            (StepKey::Credential | StepKey::Network | StepKey::ApiLoadBalancer | StepKey::FirstMaster, _) => {
                let parts: Vec<Part> = self.wanted().into_iter().filter(|p| p.step == step.key).collect();
                (count(parts.iter().filter(|p| self.part_ready(p)).count()), count(parts.len()))
            }
        }
    }

    fn part_ready(&self, part: &Part) -> bool {
        self.live(&part.key).is_some_and(|r| {
            let ready = r.state == ResourceState::Known && self.object(r).is_some_and(|o| o.state == ObjectState::Ready && !o.drift);
            ready || done_without(r)
        })
    }

    /// Whether what this operation was to bring about works. Nodes that were unwell before, and what hangs on them, are not its business.
    fn sound(&self, kind: OperationKind) -> bool {
        use crate::conditions::ConditionStatus::True;
        use crate::conditions::ConditionType::{AddonsHealthy, ControlPlaneHealthy, InfrastructureReady, NodesReady, SelfHealing};
        if kind == OperationKind::ClusterRepair {
            let asked = self.next.operation.as_ref().is_some_and(|o| !o.automatic());
            return self.damage().is_empty() && !(asked && self.brake().is_some());
        }
        let access = self.observed.kubernetes.view().is_some_and(|v| v.access);
        let conditions = &self.next.cluster.status.conditions;
        let looked_at_below = |t| matches!(t, ControlPlaneHealthy | NodesReady | SelfHealing | InfrastructureReady);
        let old_addons = |t| t == AddonsHealthy && kind != OperationKind::ClusterCreate;
        let since = self.next.operation.as_ref().and_then(|o| o.started_at);
        let old = |n: &Node| kind != OperationKind::ClusterCreate && n.joined_at.is_some() && n.joined_at < since;
        let of_old = |p: &Part| self.next.nodes.iter().any(|n| old(n) && p.node() == Some(n.name.as_str()));
        access
            && self.next.nodes.iter().all(|n| n.intent == NodeIntent::Keep)
            && !conditions.is_empty()
            && conditions.iter().filter(|c| !looked_at_below(c.r#type) && !old_addons(c.r#type)).all(|c| c.status == True)
            && self.next.nodes.iter().filter(|n| n.intent == NodeIntent::Keep && !old(n)).all(|n| n.ready == Some(true))
            && self.wanted().iter().filter(|p| p.kind != ResourceKind::Server && !of_old(p)).all(|p| self.part_ready(p))
    }

    /// The step among `keys` that shows a row.
    fn step_of(&self, row: &LedgerRow, keys: &[StepKey]) -> StepKey {
        let deleting = self.deleting();
        let shown = |wanted: &[StepKey]| wanted.iter().copied().find(|k| keys.contains(k)).unwrap_or(StepKey::Health);
        match row.kind {
            ResourceKind::ApplicationCredential if deleting => StepKey::DeleteCredential,
            ResourceKind::ApplicationCredential => StepKey::Credential,
            ResourceKind::LoadBalancer | ResourceKind::FloatingIp if deleting => StepKey::DeleteLoadBalancer,
            ResourceKind::LoadBalancer | ResourceKind::FloatingIp => StepKey::ApiLoadBalancer,
            ResourceKind::Port | ResourceKind::Volume | ResourceKind::Server => {
                let node = self.next.nodes.iter().find(|n| row.node() == Some(n.name.as_str()));
                let Some(node) = node.filter(|n| !deleting && n.intent == NodeIntent::Keep) else {
                    return self.round_step().unwrap_or(StepKey::RemoveNodes);
                };
                let named = self.next.operation.as_ref().is_some_and(|o| o.nodes.contains(&node.id));
                if named && row.kind == ResourceKind::Server && keys.contains(&StepKey::Reboot) {
                    return StepKey::Reboot;
                }
                if let (NodeRole::Master, Some(step)) = (node.role, self.round_step()) {
                    return step;
                }
                let first = self.masters().filter(|n| n.intent == NodeIntent::Keep).map(|n| n.ordinal).min();
                match node.role {
                    NodeRole::Master if Some(node.ordinal) == first => shown(&[StepKey::FirstMaster, StepKey::Masters, StepKey::Replacement]),
                    NodeRole::Master => shown(&[StepKey::OtherMasters, StepKey::Masters, StepKey::Replacement]),
                    NodeRole::Worker => shown(&[StepKey::NodePools, StepKey::Replacement]),
                }
            }
            _ if deleting => StepKey::DeleteNetwork,
            _ => StepKey::Network,
        }
    }

    fn resources(&self, key: StepKey, keys: &[StepKey]) -> Vec<StepResource> {
        if key == StepKey::Health {
            return Vec::new();
        }
        let repairs = self.next.operation.as_ref().is_some_and(|o| o.kind == OperationKind::ClusterRepair);
        let drifted = |row: &LedgerRow| repairs && self.object(row).is_some_and(|o| o.drift);
        let state = |row: &LedgerRow| match self.object(row).map(|o| &o.state) {
            Some(ObjectState::Ready) if drifted(row) => "drifted".to_owned(),
            Some(ObjectState::Pending) => "pending".to_owned(),
            Some(ObjectState::Failed(_)) => "failed".to_owned(),
            Some(ObjectState::Off) => "off".to_owned(),
            Some(ObjectState::Ready) if row.state == ResourceState::Known => READY.to_owned(),
            _ => row.state.as_str().to_owned(),
        };
        self.next
            .ledger
            .iter()
            .filter(|r| r.state != ResourceState::Gone || (self.deleting() && r.cloud_id.is_some()))
            .filter(|r| self.step_of(r, keys) == key)
            .map(|r| StepResource { kind: r.kind, name: r.name.clone(), cloud_id: r.cloud_id.clone(), state: state(r) })
            .collect()
    }

    fn step_fault(&self, key: StepKey, keys: &[StepKey]) -> Option<Fault> {
        if (matches!(key, StepKey::RemoveNodes | StepKey::Drain) || self.round_step() == Some(key))
            && let Some(fault) = self.held_up()
        {
            return Some(fault);
        }
        if key == StepKey::SecretsRewritten {
            return self.secrets_refused();
        }
        let live = || self.next.ledger.iter().filter(|r| r.state != ResourceState::Gone);
        let row = live().find(|r| r.fault.is_some() && !done_without(r) && self.step_of(r, keys) == key);
        row.and_then(|r| r.fault.clone()).or_else(|| {
            let of_node = |n: &&Node| n.fault.is_some() && live().any(|r| r.node() == Some(n.name.as_str()) && self.step_of(r, keys) == key);
            self.next.nodes.iter().find(of_node).and_then(|n| n.fault.clone())
        })
    }

    /// What keeps pods on a node that is being emptied.
    pub(super) fn held_up(&self) -> Option<Fault> {
        let view = self.observed.kubernetes.view()?;
        let (id, words) = view.held_up.iter().find(|(id, _)| !view.drained.contains(id))?;
        let node = self.next.nodes.iter().find(|n| n.id == *id)?;
        // So the API server names one that refuses, and one that it cannot call.
        let code = if words.contains("webhook \"") { Code::WebhookRefuses } else { Code::DrainBlocked };
        Some(Fault { code, message: words.clone(), cloud_request_id: None, retryable: true, object: Some(node.name.clone()) })
    }

    fn waiting_for(&self, key: StepKey) -> String {
        let blind = self.observed.looks.values().any(|l| matches!(l, Look::Blind(_)));
        let emptying = self.actions.iter().any(|a| matches!(a, Action::Release(_) | Action::Drain(_)));
        let word = match key {
            _ if blind => "Cloud",
            StepKey::Masters | StepKey::Replacement | StepKey::RemoveNodes | StepKey::KeyReadable | StepKey::KeyInUse | StepKey::OldKeyRemoved
                if self.successor_awaited() =>
            {
                "ApiServing"
            }
            StepKey::Credential | StepKey::DeleteCredential => "Credential",
            StepKey::Network => "Network",
            StepKey::ApiLoadBalancer => "LoadBalancer",
            StepKey::FirstMaster => "Server",
            StepKey::ApiReady => match &self.observed.kubernetes {
                Kubernetes::Unreachable(_) | Kubernetes::NotTried => "ControlPlane",
                Kubernetes::Reachable(_) => "Node",
            },
            _ if emptying && self.round_step() == Some(key) => "Drain",
            StepKey::OtherMasters | StepKey::Masters | StepKey::NodePools | StepKey::Replacement => "NodesJoining",
            StepKey::KeyReadable | StepKey::KeyInUse | StepKey::OldKeyRemoved => "NodesJoining",
            StepKey::SecretsRewritten => "Secrets",
            StepKey::Addons => "Addons",
            StepKey::Health => "Health",
            StepKey::Drain => "Drain",
            StepKey::Reboot => "Reboot",
            StepKey::RemoveNodes if emptying => "Drain",
            StepKey::RemoveNodes | StepKey::DeleteLoadBalancer | StepKey::DeleteNetwork => "ObjectsGoing",
            StepKey::Scan => "Scan",
            StepKey::Newer(_) => "NewerVersion",
        };
        word.to_owned()
    }

    /// The server's row of a node to be rebooted, once the call was made in this attempt.
    fn reboot_called(&self, id: crate::ids::NodeId) -> Option<&LedgerRow> {
        let node = self.next.nodes.iter().find(|n| n.id == id)?;
        let row = self.live(&super::node_key(ResourceKind::Server, &node.name))?;
        let since = self.next.operation.as_ref().and_then(Operation::attempt_at)?;
        (row.called_at.is_some_and(|t| t >= since) && row.failures == 0).then_some(row)
    }

    /// The server was told to reboot, had time to go down, and is back.
    fn rebooted(&self, id: crate::ids::NodeId) -> bool {
        let ready = self.next.nodes.iter().any(|n| n.id == id && n.ready == Some(true));
        self.reboot_called(id).is_some_and(|row| {
            let rested = row.called_at.is_some_and(|t| self.now - t >= Duration::seconds(5));
            rested && ready && self.object(row).is_some_and(|o| o.state == ObjectState::Ready)
        })
    }

    /// Tells the servers of a reboot's nodes, once each.
    pub(super) fn reboot_servers(&mut self) {
        if self.deleting() || !self.active() {
            return;
        }
        for id in self.about(&[OperationKind::NodeReboot]).to_vec() {
            let Some(node) = self.next.nodes.iter().find(|n| n.id == id) else { continue };
            let row = self.live(&super::node_key(ResourceKind::Server, &node.name)).filter(|r| r.state == ResourceState::Known).cloned();
            if let Some(mut row) = row.filter(|_| self.reboot_called(id).is_none())
                && !self.resting(&row)
            {
                row.called_at = Some(self.now);
                self.replace(row.clone());
                self.actions.push(Action::Reboot(row));
            }
        }
    }
}

/// The step that stands still carries the fault.
pub(super) fn mark_failed_step(operation: &mut Operation, fault: Option<&Fault>) {
    let Some(fault) = fault else { return };
    let with_fault = operation.steps.iter().position(|s| s.fault.as_ref() == Some(fault));
    let running = operation.steps.iter().position(|s| s.state == StepState::Running);
    if let Some(step) = with_fault.or(running).and_then(|i| operation.steps.get_mut(i)) {
        step.state = StepState::Failed;
        step.fault = Some(fault.clone());
        step.waiting_for = None;
    }
}

/// Per cent done, steps weighted by how long they usually take; those with nothing to do do not count.
fn progress(operation: &Operation) -> u32 {
    let counted = || operation.steps.iter().filter(|s| s.state != StepState::Skipped);
    let weight = |s: &Step| f64::from(s.usual_seconds.max(1));
    let whole: f64 = counted().map(weight).sum();
    let share = |s: &Step| match s.state {
        StepState::Succeeded => 1.0,
        _ if s.total > 0 => f64::from(s.done) / f64::from(s.total),
        _ => 0.0,
    };
    let done: f64 = counted().map(|s| share(s) * weight(s)).sum();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
    let percent = (100.0 * done / whole.max(1.0)) as u32;
    percent
}
