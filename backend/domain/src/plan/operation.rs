//! The operation under way: its steps, progress, and how it ends.

use super::parts::Part;
use super::rows::retired;
use super::{Action, BLOCKED_REST, Draft, Kubernetes, Look, ObjectState};
use crate::clusters::ClusterSpec;
use crate::codes::Code;
use crate::ledger::{LedgerRow, ResourceKind, ResourceState};
use crate::nodes::{Fault, NodeIntent, NodeRole};
use crate::operations::{Operation, OperationKind, OperationState, Receipt, ReceiptLine, Step, StepKey, StepResource, StepState};
use time::Duration;

/// The steps an operation of this kind shows, none begun. Seconds are first estimates, replaced by the median of past operations.
#[must_use]
pub fn operation_steps(kind: OperationKind, spec: &ClusterSpec) -> Vec<Step> {
    let step = |key, usual_seconds| Step {
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
    match kind {
        OperationKind::ClusterCreate => {
            let mut steps = vec![
                step(StepKey::Credential, 2),
                step(StepKey::Network, 3),
                step(StepKey::ApiLoadBalancer, 5),
                step(StepKey::FirstMaster, 5),
                step(StepKey::ApiReady, 15),
            ];
            if spec.control_plane.count > 1 {
                steps.push(step(StepKey::OtherMasters, 30));
            }
            if spec.node_pools.iter().any(|p| p.count > 0) {
                steps.push(step(StepKey::NodePools, 15));
            }
            steps.push(step(StepKey::Health, 2));
            steps
        }
        OperationKind::NodePoolResize => vec![step(StepKey::RemoveNodes, 10), step(StepKey::NodePools, 20), step(StepKey::Health, 2)],
        OperationKind::ClusterDelete => vec![
            step(StepKey::RemoveNodes, 10),
            step(StepKey::DeleteLoadBalancer, 5),
            step(StepKey::DeleteNetwork, 5),
            step(StepKey::Scan, 1),
            step(StepKey::DeleteCredential, 1),
        ],
    }
}

/// What somebody must act on before it can go on; it looks again by itself, rarely.
fn blocks(code: Code) -> bool {
    matches!(code, Code::Quota | Code::NoFloatingIp | Code::CredentialInvalid | Code::CloudDenied | Code::Ambiguous | Code::ImageMissing)
}

/// What no waiting mends.
fn fatal(code: Code) -> bool {
    matches!(
        code,
        Code::CloudRejected | Code::FlavorMissing | Code::ZoneMissing | Code::VolumeTypeMissing | Code::NoLoadBalancer | Code::ExternalNetworkMissing
    )
}

impl Draft<'_> {
    /// A blocked operation whose rest is over tries again with a clean slate.
    pub(super) fn resume_blocked(&mut self) {
        let now = self.now;
        let Some(operation) = &mut self.next.operation else { return };
        if operation.state != OperationState::Blocked {
            return;
        }
        let rest = operation.next_attempt_at.map_or(Duration::ZERO, |t| t - now);
        if rest.is_positive() {
            self.look_again_in(rest.min(Duration::seconds(30)));
            return;
        }
        operation.state = OperationState::Running;
        operation.fault = None;
        operation.next_attempt_at = None;
        for row in self.next.ledger.iter_mut().filter(|r| r.state == ResourceState::Intended || r.state == ResourceState::Deleting) {
            row.fault = None;
            row.failures = 0;
        }
    }

    /// Ends the pass: steps, outcome, conditions.
    pub(super) fn conclude(&mut self) {
        self.start_operation();
        self.fill_receipt();
        self.describe();
        self.refresh_steps();
        self.settle_operation();
        self.describe();
        let busy = self.active() || self.deleting();
        self.look_again_in(if busy { Duration::seconds(5) } else { super::WATCH });
    }

    fn start_operation(&mut self) {
        let now = self.now;
        let spec = self.next.cluster.spec.clone();
        if let Some(operation) = &mut self.next.operation
            && operation.state == OperationState::Pending
        {
            operation.state = OperationState::Running;
            operation.started_at = operation.started_at.or(Some(now));
            if operation.steps.is_empty() {
                operation.steps = operation_steps(operation.kind, &spec);
            }
        }
    }

    /// Every object but the credential is gone, and a whole look at the cloud has just found none that is ours.
    pub(super) fn scanned_clean(&self) -> bool {
        let rest = self.next.ledger.iter().any(|r| r.kind != ResourceKind::ApplicationCredential && r.state != ResourceState::Gone);
        !rest && self.looked_everywhere() && self.leftovers().is_empty()
    }

    fn looked_everywhere(&self) -> bool {
        let never_made = self.next.ledger.iter().all(|r| r.kind == ResourceKind::ApplicationCredential);
        never_made || ResourceKind::ALL.into_iter().filter(|k| *k != ResourceKind::RouterInterface).all(|k| self.look(k).is_some())
    }

    /// Objects that carry this cluster's mark and are still there, the credential excepted.
    fn leftovers(&self) -> Vec<ReceiptLine> {
        let mut lines = Vec::new();
        for (kind, look) in &self.observed.looks {
            if let (Look::Seen(objects), false) = (look, *kind == ResourceKind::ApplicationCredential) {
                lines.extend(objects.iter().filter(|o| o.owner.is_some()).map(|o| ReceiptLine {
                    kind: *kind,
                    name: o.name.clone(),
                    cloud_id: Some(o.id.clone()),
                }));
            }
        }
        lines
    }

    fn fill_receipt(&mut self) {
        if !self.deleting() {
            return;
        }
        let clean = self.scanned_clean();
        let left = self.leftovers();
        let all_gone = self.next.ledger.iter().all(|r| r.state == ResourceState::Gone);
        let made = |r: &&LedgerRow| r.cloud_id.is_some() && r.state == ResourceState::Gone;
        let removed: Vec<ReceiptLine> =
            self.next.ledger.iter().filter(made).map(|r| ReceiptLine { kind: r.kind, name: r.name.clone(), cloud_id: r.cloud_id.clone() }).collect();
        let now = self.now;
        let Some(operation) = self.next.operation.as_mut().filter(|o| o.kind == OperationKind::ClusterDelete) else { return };
        let receipt = operation.receipt.get_or_insert_with(Receipt::default);
        receipt.removed = removed;
        if clean && receipt.scanned_at.is_none() {
            receipt.scanned_at = Some(now);
        }
        if receipt.scanned_at.is_none() {
            receipt.left = left;
        } else {
            receipt.left = Vec::new();
        }
        if all_gone && receipt.scanned_at.is_some() && operation.state == OperationState::Running {
            operation.state = OperationState::Succeeded;
            operation.finished_at = Some(now);
            operation.progress = 100;
            self.cluster_gone = true;
        }
    }

    fn refresh_steps(&mut self) {
        let Some(mut operation) = self.next.operation.clone() else { return };
        if operation.state.ended() && operation.state != OperationState::Succeeded {
            return;
        }
        let mut open = true;
        for step in &mut operation.steps {
            (step.done, step.total) = self.measure(step, operation.kind);
            let complete = step.done >= step.total;
            step.resources = self.resources(step.key);
            step.fault = self.step_fault(step.key);
            step.waiting_for = None;
            if complete && open {
                step.state = StepState::Succeeded;
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
            for step in &mut operation.steps {
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

    /// (done, total) of a step now.
    fn measure(&self, step: &Step, kind: OperationKind) -> (u32, u32) {
        let key = step.key;
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let taken_away = |kinds: &[ResourceKind]| {
            let of_kind = self.next.ledger.iter().filter(|r| kinds.contains(&r.kind) && (r.cloud_id.is_some() || r.state != ResourceState::Gone));
            let (gone, left): (Vec<&LedgerRow>, Vec<&LedgerRow>) = of_kind.partition(|r| r.state == ResourceState::Gone);
            (count(gone.len()), count(gone.len() + left.len()))
        };
        use ResourceKind::{
            ApplicationCredential, FloatingIp, LoadBalancer, Network, Port, Router, RouterInterface, SecurityGroup, Server, ServerGroup, Subnet,
            Volume,
        };
        match (key, kind) {
            (StepKey::ApiReady, _) => (u32::from(self.observed.kubernetes.view().is_some()), 1),
            (StepKey::OtherMasters, _) => {
                let masters = self.next.nodes.iter().filter(|n| n.role == NodeRole::Master && n.intent == NodeIntent::Keep);
                (
                    count(masters.filter(|n| n.ready == Some(true)).count()).saturating_sub(1),
                    self.next.cluster.spec.control_plane.count.saturating_sub(1),
                )
            }
            (StepKey::NodePools, _) => {
                let workers = self.next.nodes.iter().filter(|n| n.role == NodeRole::Worker && n.intent == NodeIntent::Keep);
                let wanted = self.next.cluster.spec.node_pools.iter().map(|p| p.count).sum();
                (count(workers.filter(|n| n.ready == Some(true)).count()).min(wanted), wanted)
            }
            (StepKey::Health, _) => (u32::from(self.healthy()), 1),
            (StepKey::RemoveNodes, OperationKind::ClusterDelete) => taken_away(&[Server, Port, Volume]),
            (StepKey::RemoveNodes, _) => {
                let left = count(self.next.nodes.iter().filter(|n| n.intent == NodeIntent::Remove).count());
                let total = step.total.max(left);
                (total - left, total)
            }
            (StepKey::DeleteLoadBalancer, _) => taken_away(&[LoadBalancer, FloatingIp]),
            (StepKey::DeleteNetwork, _) => taken_away(&[Network, Subnet, Router, RouterInterface, SecurityGroup, ServerGroup]),
            (StepKey::Scan, _) => {
                let scanned = self.next.operation.as_ref().and_then(|o| o.receipt.as_ref()).is_some_and(|r| r.scanned_at.is_some());
                (u32::from(scanned), 1)
            }
            (StepKey::DeleteCredential, _) => taken_away(&[ApplicationCredential]),
            (StepKey::Credential | StepKey::Network | StepKey::ApiLoadBalancer | StepKey::FirstMaster, _) => {
                let parts: Vec<Part> = self.wanted().into_iter().filter(|p| p.step == key).collect();
                (count(parts.iter().filter(|p| self.part_ready(p)).count()), count(parts.len()))
            }
        }
    }

    fn part_ready(&self, part: &Part) -> bool {
        self.live(&part.key)
            .is_some_and(|r| r.state == ResourceState::Known && self.object(r).is_some_and(|o| o.state == ObjectState::Ready && !o.drift))
    }

    fn healthy(&self) -> bool {
        use crate::conditions::ConditionStatus::True;
        let access = self.observed.kubernetes.view().is_some_and(|v| v.access);
        access && !self.next.cluster.status.conditions.is_empty() && self.next.cluster.status.conditions.iter().all(|c| c.status == True)
    }

    fn step_of(&self, row: &LedgerRow) -> StepKey {
        let deleting = self.deleting();
        match row.kind {
            ResourceKind::ApplicationCredential if deleting => StepKey::DeleteCredential,
            ResourceKind::ApplicationCredential => StepKey::Credential,
            ResourceKind::LoadBalancer | ResourceKind::FloatingIp if deleting => StepKey::DeleteLoadBalancer,
            ResourceKind::LoadBalancer | ResourceKind::FloatingIp => StepKey::ApiLoadBalancer,
            ResourceKind::Port | ResourceKind::Volume | ResourceKind::Server => {
                let node = self.next.nodes.iter().find(|n| n.name == row.name);
                let first = self.next.nodes.iter().filter(|n| n.role == NodeRole::Master && n.intent == NodeIntent::Keep).map(|n| n.ordinal).min();
                match node {
                    Some(n) if !deleting && n.intent == NodeIntent::Keep && n.role == NodeRole::Master && Some(n.ordinal) == first => {
                        StepKey::FirstMaster
                    }
                    Some(n) if !deleting && n.intent == NodeIntent::Keep && n.role == NodeRole::Master => StepKey::OtherMasters,
                    Some(n) if !deleting && n.intent == NodeIntent::Keep => StepKey::NodePools,
                    _ => StepKey::RemoveNodes,
                }
            }
            _ if deleting => StepKey::DeleteNetwork,
            _ => StepKey::Network,
        }
    }

    fn resources(&self, key: StepKey) -> Vec<StepResource> {
        let state = |row: &LedgerRow| match self.object(row).map(|o| &o.state) {
            Some(ObjectState::Pending) => "pending".to_owned(),
            Some(ObjectState::Failed(_)) => "failed".to_owned(),
            Some(ObjectState::Off) => "off".to_owned(),
            Some(ObjectState::Ready) if row.state == ResourceState::Known => "ready".to_owned(),
            _ => row.state.as_str().to_owned(),
        };
        self.next
            .ledger
            .iter()
            .filter(|r| self.step_of(r) == key && (r.state != ResourceState::Gone || (self.deleting() && r.cloud_id.is_some())))
            .map(|r| StepResource { kind: r.kind, name: r.name.clone(), cloud_id: r.cloud_id.clone(), state: state(r) })
            .collect()
    }

    fn step_fault(&self, key: StepKey) -> Option<Fault> {
        let row = self.next.ledger.iter().find(|r| r.fault.is_some() && r.state != ResourceState::Gone && self.step_of(r) == key);
        row.and_then(|r| r.fault.clone()).or_else(|| {
            let of_node = |n: &&crate::nodes::Node| n.fault.is_some() && self.next.ledger.iter().any(|r| r.name == n.name && self.step_of(r) == key);
            self.next.nodes.iter().find(of_node).and_then(|n| n.fault.clone())
        })
    }

    fn waiting_for(&self, key: StepKey) -> String {
        let blind = self.observed.looks.values().any(|l| matches!(l, Look::Blind(_)));
        let word = match key {
            _ if blind => "Cloud",
            StepKey::Credential | StepKey::DeleteCredential => "Credential",
            StepKey::Network => "Network",
            StepKey::ApiLoadBalancer => "LoadBalancer",
            StepKey::FirstMaster => "Server",
            StepKey::ApiReady => match &self.observed.kubernetes {
                Kubernetes::Unreachable(_) | Kubernetes::NotTried => "ControlPlane",
                Kubernetes::Reachable(_) => "Node",
            },
            StepKey::OtherMasters | StepKey::NodePools => "NodesJoining",
            StepKey::Health => "Health",
            StepKey::RemoveNodes if self.actions.iter().any(|a| matches!(a, Action::Drain(_))) => "Drain",
            StepKey::RemoveNodes | StepKey::DeleteLoadBalancer | StepKey::DeleteNetwork => "ObjectsGoing",
            StepKey::Scan => "Scan",
        };
        word.to_owned()
    }

    /// Ends, blocks or fails the operation.
    fn settle_operation(&mut self) {
        let Some(operation) = self.next.operation.clone() else { return };
        if operation.state != OperationState::Running {
            return;
        }
        let deleting = operation.kind == OperationKind::ClusterDelete;
        let complete = !deleting && operation.steps.iter().all(|s| s.state == StepState::Succeeded);
        if complete {
            self.end(OperationState::Succeeded, None);
            self.next.cluster.observed_generation = self.next.cluster.generation;
            return;
        }
        if let Some(fault) = self.obstacle(deleting) {
            if blocks(fault.code) || deleting {
                self.block(fault);
            } else {
                self.end(OperationState::Failed, Some(fault));
            }
            return;
        }
        if self.now > operation.deadline_at {
            let step = operation.steps.iter().find(|s| s.state == StepState::Running);
            let fault = step.and_then(|s| s.fault.clone()).unwrap_or_else(|| Fault {
                code: if step.is_some_and(|s| s.waiting_for.as_deref() == Some("Cloud")) { Code::CloudUnavailable } else { Code::BootstrapTimeout },
                message: format!(
                    "the operation did not end in time; it was waiting for {}",
                    step.and_then(|s| s.waiting_for.clone()).unwrap_or_default()
                ),
                cloud_request_id: None,
                retryable: true,
                object: None,
            });
            if deleting { self.block(fault) } else { self.end(OperationState::Failed, Some(fault)) }
        }
    }

    /// A fault that waiting does not mend.
    fn obstacle(&self, deleting: bool) -> Option<Fault> {
        let live = self.next.ledger.iter().filter(|r| r.state != ResourceState::Gone);
        let stuck = live.filter(|r| r.failures > 0 || r.state == ResourceState::Ambiguous).filter_map(|r| r.fault.clone());
        if let Some(fault) = stuck.into_iter().find(|f| blocks(f.code) || fatal(f.code)) {
            return Some(fault);
        }
        if deleting {
            // A foreign object in the way is worth a person's look after a few tries.
            let in_use = self.next.ledger.iter().find(|r| r.state == ResourceState::Deleting && r.failures >= 6);
            return in_use.and_then(|r| r.fault.clone());
        }
        // Failed objects that the budget no longer lets us replace.
        let exhausted = |r: &&LedgerRow| r.state != ResourceState::Gone && retired(r) && !self.budget_left(r.kind);
        if let Some(row) = self.next.ledger.iter().find(exhausted)
            && row.state == ResourceState::Known
        {
            return row.fault.clone();
        }
        let failed_node =
            self.next.nodes.iter().find(|n| n.intent == NodeIntent::Keep && n.fault.is_some() && !self.budget_left(ResourceKind::Server));
        failed_node.and_then(|n| n.fault.clone())
    }

    fn end(&mut self, state: OperationState, fault: Option<Fault>) {
        let now = self.now;
        if let Some(operation) = &mut self.next.operation {
            operation.state = state;
            operation.finished_at = Some(now);
            operation.next_attempt_at = None;
            if state == OperationState::Succeeded {
                operation.progress = 100;
            }
            mark_failed_step(operation, fault.as_ref());
            operation.fault = fault;
        }
    }

    fn block(&mut self, fault: Fault) {
        let rest = if fault.code == Code::InUse { Duration::minutes(1) } else { BLOCKED_REST };
        let at = self.now + rest;
        if let Some(operation) = &mut self.next.operation {
            operation.state = OperationState::Blocked;
            operation.next_attempt_at = Some(at);
            mark_failed_step(operation, Some(&fault));
            operation.fault = Some(fault);
        }
    }
}

/// The step that stands still carries the fault.
fn mark_failed_step(operation: &mut Operation, fault: Option<&Fault>) {
    let Some(fault) = fault else { return };
    let with_fault = operation.steps.iter().position(|s| s.fault.as_ref() == Some(fault));
    let running = operation.steps.iter().position(|s| s.state == StepState::Running);
    if let Some(step) = with_fault.or(running).and_then(|i| operation.steps.get_mut(i)) {
        step.state = StepState::Failed;
        step.fault = Some(fault.clone());
        step.waiting_for = None;
    }
}

/// Per cent done, steps weighted by how long they usually take.
fn progress(operation: &Operation) -> u32 {
    let whole: f64 = operation.steps.iter().map(|s| f64::from(s.usual_seconds.max(1))).sum();
    let done: f64 = operation
        .steps
        .iter()
        .map(|s| {
            let share = match s.state {
                StepState::Succeeded | StepState::Skipped => 1.0,
                _ if s.total > 0 => f64::from(s.done) / f64::from(s.total),
                _ => 0.0,
            };
            share * f64::from(s.usual_seconds.max(1))
        })
        .sum();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
    let percent = (100.0 * done / whole.max(1.0)) as u32;
    percent
}
