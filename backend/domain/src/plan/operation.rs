//! The operation under way: how it begins, what stands in its way, how it ends.

use super::parts::done_without;
use super::rows::retired;
use super::steps::{mark_failed_step, operation_steps};
use super::{BLOCKED_REST, DRAIN_LIMIT, Draft, Look};
use crate::codes::Code;
use crate::ids::TenantId;
use crate::ledger::{LedgerRow, ResourceKind, ResourceState};
use crate::nodes::{Fault, Node, NodeIntent};
use crate::operations::{Operation, OperationKind, OperationState, Receipt, ReceiptLine, StepState};
use std::cell::LazyCell;
use time::{Duration, OffsetDateTime};

/// What somebody must act on before it can go on; it looks again by itself, rarely.
fn blocks(code: Code) -> bool {
    matches!(code, Code::Quota | Code::NoFloatingIp | Code::CredentialInvalid | Code::CloudDenied | Code::Ambiguous | Code::ImageMissing)
        || of_project(code)
}

/// What stands against it is the state of the tenant's project.
fn of_project(code: Code) -> bool {
    matches!(code, Code::TenantGone | Code::TenantDisabled)
}

/// A refusal that may come of the cloud's own slowness (what was just made is not found yet) is believed after so many.
const PATIENCE: u32 = 4;
/// What the cloud does not let go of is worth a person's look after so many tries.
const TRIES: u32 = 6;

/// A cluster's masters at most.
const MOST_MASTERS: u32 = 5;

/// What no waiting mends.
fn fatal(code: Code) -> bool {
    matches!(
        code,
        Code::CloudRejected
            | Code::FlavorMissing
            | Code::ZoneMissing
            | Code::VolumeTypeMissing
            | Code::NoLoadBalancer
            | Code::NoBlockStorage
            | Code::ExternalNetworkMissing
    )
}

impl Draft<'_> {
    /// A blocked operation whose rest is over tries again with a clean slate; one that waits for its project, as soon as the cloud lets it look.
    pub(super) fn resume_blocked(&mut self) {
        let now = self.now;
        let closed = self.project_fault();
        let Some(operation) = &mut self.next.operation else { return };
        if operation.state != OperationState::Blocked {
            return;
        }
        let project_back =
            operation.fault.as_ref().is_some_and(|f| of_project(f.code)) && self.observed.looks.values().all(|l| matches!(l, Look::Seen(_)));
        let rest = operation.next_attempt_at.filter(|_| !project_back).map_or(Duration::ZERO, |t| t - now);
        if rest.is_positive() {
            // What it was blocked by may have been no more than a sign of that.
            operation.fault = closed.or(operation.fault.take());
            self.look_again_in(rest.min(Duration::seconds(30)));
            return;
        }
        operation.state = OperationState::Running;
        operation.fault = None;
        operation.next_attempt_at = None;
        // What it waited for somebody does not count.
        self.give_time();
        self.forget_failures();
    }

    /// What is under way has its whole time from now on: a repair longer for each master that it replaces for its level, as a change of that has for each of
    /// five.
    fn give_time(&mut self) {
        let masters = self.masters_to_level().count();
        let Some(operation) = &mut self.next.operation else { return };
        let mut limit = operation.kind.limit();
        if operation.kind == OperationKind::ClusterRepair {
            limit += OperationKind::ApiAuditChange.limit() * u32::try_from(masters).unwrap_or(0) / MOST_MASTERS;
        }
        operation.deadline_at = operation.deadline_at.max(self.now + limit);
    }

    /// Calls that failed are made anew, at once and as if for the first time; why an object was given up stays.
    fn forget_failures(&mut self) {
        for row in self.next.ledger.iter_mut().filter(|r| r.failures > 0 && r.state != ResourceState::Gone) {
            row.failures = 0;
            if row.state == ResourceState::Known {
                // What was refused was not made: a call without a failure counts as made.
                row.called_at = None;
            }
            if !retired(row) {
                row.fault = None;
            }
        }
    }

    /// Ends the pass: steps, outcome, conditions.
    pub(super) fn conclude(&mut self) {
        self.fill_receipt();
        self.describe();
        self.refresh_steps();
        self.settle_operation();
        self.describe();
        let retry_at = self.retry_at;
        if let Some(operation) = self.next.operation.as_mut().filter(|o| o.state == OperationState::Running) {
            operation.next_attempt_at = retry_at;
        }
        let watch = to_next_watch(&self.next.cluster.tenant, self.now);
        if self.project_fault().is_some() {
            // However much there is to do: nothing of it can be done.
            self.again = watch;
            return;
        }
        let busy = self.active() || self.deleting();
        self.look_again_in(if busy { Duration::seconds(5) } else { watch });
    }

    /// An operation that was asked for, or asked for again, begins: calls that failed are made anew, and the attempt has its own budget.
    pub(super) fn begin_attempt(&mut self) {
        let now = self.now;
        let Some(operation) = self.next.operation.as_mut().filter(|o| o.state == OperationState::Pending) else { return };
        operation.state = OperationState::Running;
        operation.started_at = operation.started_at.or(Some(now));
        operation.resumed_at = (operation.retries > 0).then_some(now);
        if operation.steps.is_empty() {
            operation.steps = operation_steps(operation.kind, &self.next.cluster.spec);
        }
        self.give_time();
        self.forget_failures();
    }

    /// Every object but the credential is gone, and a whole look at the cloud has just found none that is ours.
    pub(super) fn scanned_clean(&self) -> bool {
        let rest = self.next.ledger.iter().any(|r| r.kind != ResourceKind::ApplicationCredential && r.state != ResourceState::Gone);
        !rest && self.looked_everywhere() && self.inside_is_clean() && self.leftovers().is_empty()
    }

    /// Whether a delete has had its scan.
    pub(super) fn scanned(&self) -> bool {
        self.next.operation.as_ref().and_then(|o| o.receipt.as_ref()).is_some_and(|r| r.scanned_at.is_some())
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
        let kept = self.kept_inside();
        let made = |r: &&LedgerRow| r.cloud_id.is_some() && r.state == ResourceState::Gone;
        let removed: Vec<ReceiptLine> =
            self.next.ledger.iter().filter(made).map(|r| ReceiptLine { kind: r.kind, name: r.name.clone(), cloud_id: r.cloud_id.clone() }).collect();
        let now = self.now;
        let Some(operation) = self.next.operation.as_mut().filter(|o| o.kind == OperationKind::ClusterDelete) else { return };
        let receipt = operation.receipt.get_or_insert_with(Receipt::default);
        receipt.removed = removed;
        if let Some(kept) = kept {
            receipt.kept = kept;
        }
        if clean && receipt.scanned_at.is_none() {
            receipt.scanned_at = Some(now);
        }
        receipt.left = if receipt.scanned_at.is_none() { left } else { Vec::new() };
        if all_gone && receipt.scanned_at.is_some() && operation.state == OperationState::Running {
            operation.state = OperationState::Succeeded;
            operation.finished_at = Some(now);
            operation.progress = 100;
            self.cluster_gone = true;
        }
    }

    /// Ends, blocks or fails the operation.
    fn settle_operation(&mut self) {
        let Some(operation) = self.next.operation.clone() else { return };
        if operation.state != OperationState::Running {
            return;
        }
        let deleting = operation.kind == OperationKind::ClusterDelete;
        let complete = !deleting && operation.steps.iter().all(|s| matches!(s.state, StepState::Succeeded | StepState::Skipped));
        if complete {
            self.end(OperationState::Succeeded, None);
            // What masters write down is left alone by a repair that began by itself, and has not come about.
            if !operation.automatic() || self.masters_at_another_level().next().is_none() {
                self.next.cluster.observed_generation = self.next.cluster.generation;
            }
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
            let fault = self.too_late(&operation);
            if deleting { self.block(fault) } else { self.end(OperationState::Failed, Some(fault)) }
        }
    }

    fn too_late(&self, operation: &Operation) -> Fault {
        let step = operation.steps.iter().find(|s| s.state == StepState::Running);
        if let Some(fault) = step.and_then(|s| s.fault.clone()) {
            return fault;
        }
        let word = step.and_then(|s| s.waiting_for.clone()).unwrap_or_default();
        let code = match word.as_str() {
            "Cloud" => Code::CloudUnavailable,
            "Drain" | "ControlPlane" | "Secrets" => Code::ClusterApiDown,
            "ObjectsGoing" | "LoadBalancer" | "ApiServing" | "Network" => Code::ObjectStuck,
            "Reboot" => Code::NodeUnready,
            _ => Code::BootstrapTimeout,
        };
        let message = format!("the operation did not end in time; it was waiting for {word}");
        Fault { code, message, cloud_request_id: None, retryable: true, object: None }
    }

    /// A fault that waiting does not mend.
    fn obstacle(&self, deleting: bool) -> Option<Fault> {
        if let Some(fault) = self.project_fault() {
            return Some(fault);
        }
        let live = || self.next.ledger.iter().filter(|r| r.state != ResourceState::Gone);
        let stuck = live().filter(|r| (r.failures > 0 && !done_without(r)) || r.state == ResourceState::Ambiguous);
        let stuck = stuck.filter_map(|r| Some((r, r.fault.as_ref()?)));
        for (row, fault) in stuck {
            let waits = (fault.code == Code::Quota && self.makes_room(row)) || (fatal(fault.code) && fault.retryable && row.failures < PATIENCE);
            if (blocks(fault.code) || fatal(fault.code)) && !waits {
                return Some(fault.clone());
            }
        }
        if deleting {
            // A foreign object in the way is worth a person's look after a few tries.
            let in_use = live().find(|r| r.state == ResourceState::Deleting && r.failures >= TRIES);
            return in_use.and_then(|r| r.fault.clone());
        }
        // Failed objects that the budget no longer lets us replace.
        if let Some(row) = live().find(|r| r.state == ResourceState::Known && r.kind != ResourceKind::Server && retired(r) && !self.replaceable(r)) {
            return row.fault.clone();
        }
        let given_up = |n: &&Node| n.intent == NodeIntent::Keep && n.fault.is_some() && !self.may_replace(&n.name);
        self.next.nodes.iter().find(given_up).and_then(|n| n.fault.clone()).or_else(|| self.obstacle_of_kind())
    }

    /// A quota is not short while something of ours leaves it or is about to, nor where what was refused was asked for before that had left it, or is
    /// being asked for again.
    fn makes_room(&self, refused: &LedgerRow) -> bool {
        let wanted: LazyCell<Vec<String>, _> = LazyCell::new(|| self.wanted().into_iter().map(|part| part.key).collect());
        let again = refused.called_at == Some(self.now);
        again
            || self.next.ledger.iter().any(|row| match row.state {
                ResourceState::Deleting => row.failures == 0,
                ResourceState::Gone => row.called_at.is_some() && row.called_at >= refused.called_at,
                _ => row.kind == refused.kind && !wanted.contains(&row.key),
            })
    }

    /// What stands against operations of one kind.
    fn obstacle_of_kind(&self) -> Option<Fault> {
        let operation = self.next.operation.as_ref()?;
        let since = operation.attempt_at()?;
        match operation.kind {
            OperationKind::NodeDrain if self.now - since > DRAIN_LIMIT => self.held_up(),
            // The damage that may be repaired is; what a person asked for stands against the brake.
            OperationKind::ClusterRepair if !operation.automatic() && self.damage().is_empty() => {
                self.brake().map(|why| Fault { code: Code::HealingPaused, message: why, cloud_request_id: None, retryable: true, object: None })
            }
            OperationKind::ClusterRepair => self.not_let_go(),
            _ => None,
        }
    }

    /// Something drifted that the cloud does not let us put right, however often it is asked: whoever uses it has to free it. What else is damaged is
    /// repaired before that ends the repair.
    fn not_let_go(&self) -> Option<Fault> {
        let refused =
            |r: &&LedgerRow| r.state == ResourceState::Known && r.failures >= TRIES && r.fault.as_ref().is_some_and(|f| f.code == Code::InUse);
        let held: Vec<&LedgerRow> = self.next.ledger.iter().filter(refused).filter(|r| self.object(r).is_some_and(|o| o.drift)).collect();
        let fault = held.first()?.fault.clone();
        fault.filter(|_| self.damage().len() <= held.len())
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

/// Clusters of a tenant are looked at in the same moments, so that what is read of their project is read once for all of them; tenants are
/// spread over the time between.
fn to_next_watch(tenant: &TenantId, now: OffsetDateTime) -> Duration {
    let period = super::WATCH.whole_milliseconds();
    let phase = tenant.0.bytes().fold(0_i128, |sum, byte| (sum * 31 + i128::from(byte)) % period);
    let since = (now.unix_timestamp_nanos() / 1_000_000 - phase).rem_euclid(period);
    super::WATCH - Duration::milliseconds(i64::try_from(since).unwrap_or(0))
}
