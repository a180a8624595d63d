//! Ledger rows: what a look says of each, what is to be made, mended and taken away.

use super::parts::{Part, blockers, parts};
use super::rotation::CREDENTIAL;
use super::{Action, Draft, Look, Object, ObjectState, SETTLE, back_off};
use crate::codes::Code;
use crate::ids::ResourceId;
use crate::ledger::{LedgerRow, ResourceKind, ResourceState};
use crate::nodes::{Fault, Node, NodeIntent, NodeRole};
use time::Duration;
use uuid::Uuid;

/// Codes that say an object itself failed and had to be replaced (not that a call failed).
pub(super) fn retired(row: &LedgerRow) -> bool {
    row.fault.as_ref().is_some_and(|f| {
        matches!(
            f.code,
            Code::ServerFailed
                | Code::ServerTimeout
                | Code::NodeUnready
                | Code::NoCapacity
                | Code::BootstrapFailed
                | Code::BootstrapTimeout
                | Code::BundleTwice
                | Code::VolumeFailed
                | Code::LoadBalancerFailed
        )
    })
}

/// The code for an object of this kind that the cloud calls broken.
pub(super) fn failed_code(kind: ResourceKind, words: &str) -> Code {
    match kind {
        ResourceKind::Server if words.contains("No valid host") => Code::NoCapacity,
        ResourceKind::Server => Code::ServerFailed,
        ResourceKind::Volume => Code::VolumeFailed,
        ResourceKind::LoadBalancer => Code::LoadBalancerFailed,
        _ => Code::NetworkFailed,
    }
}

impl Draft<'_> {
    /// Takes over what the looks say, row by row. A kind we were blind for is left as it is.
    pub(super) fn observe_rows(&mut self) {
        for index in 0..self.next.ledger.len() {
            let row = &self.next.ledger[index];
            let Some(objects) = self.look(row.kind) else { continue };
            let matches: Vec<&Object> = match &row.cloud_id {
                Some(id) => objects.iter().filter(|o| o.id == *id).collect(),
                None => objects.iter().filter(|o| o.owner == Some(row.id) && o.name == row.name).collect(),
            };
            let mut row = row.clone();
            match (row.state, matches.as_slice()) {
                (ResourceState::Gone, []) => {}
                (ResourceState::Gone, [found, ..]) => self.revive(&mut row, found),
                (_, []) => self.nothing_seen(&mut row),
                (ResourceState::Deleting, [found]) => seen(&mut row, found),
                // Its secret was lost with the answer: it is worth nothing and goes.
                (ResourceState::Unknown, [found]) if row.kind == ResourceKind::ApplicationCredential => {
                    seen(&mut row, found);
                    row.state = ResourceState::Deleting;
                    row.called_at = None;
                }
                (state, [found]) => {
                    seen(&mut row, found);
                    // It is there: why a call failed, or which of two is meant, is no question any more.
                    if state != ResourceState::Known {
                        row.failures = 0;
                        row.fault = None;
                    }
                    row.state = ResourceState::Known;
                }
                (_, several) => {
                    row.empty_looks = 0;
                    row.looked_at = None;
                    let ids: Vec<&str> = several.iter().map(|o| o.id.as_str()).collect();
                    row.state = ResourceState::Ambiguous;
                    row.fault = Some(Fault {
                        code: Code::Ambiguous,
                        message: format!("{} objects named {} carry this mark: {}", several.len(), row.name, ids.join(", ")),
                        cloud_request_id: None,
                        retryable: false,
                        object: Some(row.name.clone()),
                    });
                }
            }
            self.next.ledger[index] = row;
        }
    }

    /// An object of a row thought gone is there after all, or only now. Where something else has taken its place the row lives again under a key that
    /// nothing wants, so that the object is taken away.
    fn revive(&self, row: &mut LedgerRow, found: &Object) {
        seen(row, found);
        row.state = ResourceState::Known;
        // A credential has lost its secret meanwhile.
        let worthless = self.live(&row.key).is_some() || row.kind == ResourceKind::ApplicationCredential;
        if worthless && !row.key.contains('~') {
            row.key = format!("{}~{}", row.key, row.id.0.simple());
        }
    }

    /// A look found nothing for this row. Absence counts only when it was seen twice with time between.
    fn nothing_seen(&mut self, row: &mut LedgerRow) {
        if row.state == ResourceState::Deleting {
            row.state = ResourceState::Gone;
            return;
        }
        // Of two that were one too many a person may have removed both.
        if !matches!(row.state, ResourceState::Unknown | ResourceState::Known | ResourceState::Ambiguous) {
            return;
        }
        let since = row.looked_at.or(if row.state == ResourceState::Unknown { row.called_at } else { None });
        if since.is_some_and(|t| self.now - t < SETTLE) {
            let wait = since.map_or(SETTLE, |t| SETTLE - (self.now - t));
            self.look_again_in(wait);
            return;
        }
        row.empty_looks += 1;
        row.looked_at = Some(self.now);
        if row.empty_looks < 2 {
            self.look_again_in(SETTLE);
        } else {
            // What is made next gets a row and a mark of its own: should this one's object show up late, it is still known for ours.
            row.state = ResourceState::Gone;
        }
    }

    /// Makes what is missing, mends what drifted, retires what broke. Only while an operation runs.
    pub(super) fn decide_parts(&mut self, fresh: &mut dyn FnMut() -> Uuid) {
        if !self.active() {
            return;
        }
        for part in self.wanted() {
            // Nothing is made for a node that is lost: it is replaced under a new name.
            if self.lost(&part) {
                continue;
            }
            let Some(row) = self.live(&part.key).cloned() else {
                if self.may_make(&part) {
                    let row = new_row(self, &part, ResourceId(fresh()));
                    self.next.ledger.push(row.clone());
                    self.actions.push(Action::Create(row));
                }
                continue;
            };
            match row.state {
                ResourceState::Intended if self.may_make(&part) => self.try_again(row),
                ResourceState::Known => self.tend(row),
                _ => self.look_again_in(Duration::seconds(1)),
            }
        }
    }

    /// Parts wanted now: those of leaving nodes until the cluster has let them go, or is not to be asked. Of a cluster that
    /// is being deleted only what it takes to look and to delete: a credential that was lost is made anew.
    pub(super) fn wanted(&self) -> Vec<Part> {
        if self.deleting() {
            let used = |p: &Part| p.key == CREDENTIAL && !self.scanned() && self.next.ledger.iter().any(|r| r.key == CREDENTIAL);
            return parts(&self.next, &|_| false).into_iter().filter(used).collect();
        }
        let keep = |node: &Node| node.intent == NodeIntent::Keep || (self.to_release(node) && !self.server_goes_first(node));
        parts(&self.next, &keep)
    }

    fn may_make(&self, part: &Part) -> bool {
        // Blind for its kind: an earlier one may be there.
        if matches!(self.observed.looks.get(&part.kind), None | Some(Look::Blind(_))) {
            return false;
        }
        let known = |key: &String| self.live(key).is_some_and(|r| r.state == ResourceState::Known);
        let ready = |key: &String| {
            self.live(key).is_some_and(|r| r.state == ResourceState::Known && self.object(r).is_some_and(|o| o.state == ObjectState::Ready))
        };
        part.after.iter().all(known) && part.needs.iter().all(ready) && self.gate_open(part) && !self.leaves(part)
    }

    /// What a leaving node has lost it needs no more.
    fn leaves(&self, part: &Part) -> bool {
        self.next.nodes.iter().any(|n| n.intent == NodeIntent::Remove && part.node() == Some(n.name.as_str()))
    }

    pub(super) fn lost(&self, part: &Part) -> bool {
        self.next.nodes.iter().any(|n| n.fault.is_some() && part.node() == Some(n.name.as_str()))
    }

    fn gate_open(&self, part: &Part) -> bool {
        let master = |n: &&Node| n.name == part.name && n.role == NodeRole::Master;
        part.kind != ResourceKind::Server || !self.next.nodes.iter().any(|n| master(&n)) || self.master_may_start(&part.name)
    }

    /// Whether the time to repeat a failed call has not come yet.
    pub(super) fn resting(&mut self, row: &LedgerRow) -> bool {
        let Some(called) = row.called_at.filter(|_| row.failures > 0) else { return false };
        let wait = back_off(row.failures) - (self.now - called);
        if wait.is_positive() {
            self.look_again_in(wait);
            let at = self.now + wait;
            self.retry_at = Some(self.retry_at.map_or(at, |t| t.min(at)));
        }
        wait.is_positive()
    }

    fn try_again(&mut self, mut row: LedgerRow) {
        if self.resting(&row) {
            return;
        }
        row.state = ResourceState::Unknown;
        row.called_at = Some(self.now);
        self.replace(row.clone());
        self.actions.push(Action::Create(row));
    }

    /// A known row of a wanted part.
    fn tend(&mut self, mut row: LedgerRow) {
        let Some(object) = self.object(&row) else {
            self.look_again_in(Duration::seconds(1));
            return;
        };
        match &object.state {
            ObjectState::Failed(words) => {
                // A server's failure is its node's: the node is replaced under a new name.
                if row.kind == ResourceKind::Server {
                    return;
                }
                row.fault = Some(Fault {
                    code: failed_code(row.kind, words),
                    message: words.clone(),
                    cloud_request_id: None,
                    retryable: true,
                    object: Some(row.name.clone()),
                });
                self.replace(row.clone());
                if self.replaceable(&row) {
                    self.remove(row);
                }
            }
            ObjectState::Ready if object.drift => {
                if !self.resting(&row) {
                    row.called_at = Some(self.now);
                    self.actions.push(Action::Update(row));
                }
            }
            // Somebody has mended it.
            ObjectState::Ready if row.kind != ResourceKind::Server && retired(&row) => {
                row.fault = None;
                self.replace(row);
            }
            ObjectState::Ready | ObjectState::Off => {}
            ObjectState::Pending => self.look_again_in(Duration::milliseconds(500)),
        }
    }

    /// Whether a failed object may be replaced without asking: what was there before this attempt always, what it made itself a few times. Of volumes each
    /// by itself: those of many nodes may break together, as where a type has no storage in the nodes' zone, and what replaces each goes elsewhere.
    pub(super) fn replaceable(&self, row: &LedgerRow) -> bool {
        let Some(since) = self.next.operation.as_ref().filter(|o| !o.state.ended()).and_then(crate::operations::Operation::attempt_at) else {
            return true;
        };
        let alike = |r: &LedgerRow| if row.kind == ResourceKind::Volume { r.key == row.key } else { r.kind == row.kind };
        let own = |r: &LedgerRow| alike(r) && r.created_at >= since;
        let used = self.next.ledger.iter().filter(|r| r.id != row.id && own(r) && retired(r)).count();
        !own(row) || used < super::REPLACEMENTS as usize
    }

    /// The load balancer may still lead to this leaving master: it is told first.
    pub(super) fn behind_balancer(&self, node: &Node) -> bool {
        if node.role != NodeRole::Master || node.intent != NodeIntent::Remove || self.deleting() {
            return false;
        }
        let Some(balancer) = self.live("load_balancer").filter(|r| r.state == ResourceState::Known) else { return false };
        match self.object(balancer).map(|o| (&o.state, o.drift)) {
            Some((ObjectState::Ready, drift)) => drift || !self.was_leaving.contains(&node.id),
            Some((ObjectState::Pending, _)) => true,
            // Nothing is concluded from blindness; one that is gone or broken leads nowhere.
            None => self.look(ResourceKind::LoadBalancer).is_none(),
            Some(_) => false,
        }
    }

    /// Takes away rows that no part wants any more, those first that nothing else stands on.
    pub(super) fn decide_removals(&mut self) {
        if self.project_fault().is_some() || (!self.deleting() && !self.active()) {
            return;
        }
        let wanted: Vec<String> = self.wanted().into_iter().map(|p| p.key).collect();
        let refused = self.credential_lost();
        let doomed: Vec<LedgerRow> = self
            .next
            .ledger
            .iter()
            .filter(|r| r.state == ResourceState::Deleting || (r.state != ResourceState::Gone && !wanted.contains(&r.key)))
            .cloned()
            .collect();
        for row in doomed {
            if self.actions.iter().any(|a| matches!(a, Action::Delete(r) if r.id == row.id)) {
                continue;
            }
            let (kinds, same_node) = blockers(row.kind);
            // A late twin never had anything built on it, and a broken object is replaced under what stands on it.
            let blocked = !row.key.contains('~')
                && !wanted.contains(&row.key)
                && self.next.ledger.iter().any(|other| {
                    other.state != ResourceState::Gone
                        && other.id != row.id
                        && kinds.contains(&other.kind)
                        && (!same_node || other.node() == row.node())
                });
            // While a server lives, the controller on it would make the object again.
            let controlled =
                row.made_inside() && self.next.ledger.iter().any(|other| other.kind == ResourceKind::Server && other.state != ResourceState::Gone);
            let node = self.next.nodes.iter().find(|n| row.kind == ResourceKind::Server && row.node() == Some(n.name.as_str()));
            if node.is_some_and(|node| self.behind_balancer(node)) {
                self.look_again_in(Duration::seconds(1));
                continue;
            }
            if self.still_held(&row) {
                continue;
            }
            if blocked || controlled || (row.kind == ResourceKind::ApplicationCredential && self.deleting() && !self.scanned_clean()) {
                continue;
            }
            if refused && row.kind != ResourceKind::ApplicationCredential {
                self.look_again_in(Duration::seconds(1));
                continue;
            }
            self.remove(row);
        }
    }

    /// The cloud refuses the credential that we have, and it is not there any more: calls wait for the next one.
    fn credential_lost(&self) -> bool {
        let refused = |look: &Look| matches!(look, Look::Blind(fault) if fault.code == Code::CredentialInvalid);
        let there = self.live(CREDENTIAL).is_some_and(|r| r.state == ResourceState::Known && self.object(r).is_some());
        !there && self.observed.looks.values().any(refused)
    }

    /// Deletes a row's object, or closes the row if there surely is none.
    pub(super) fn remove(&mut self, mut row: LedgerRow) {
        match row.state {
            ResourceState::Intended => {
                row.state = ResourceState::Gone;
                self.replace(row);
            }
            ResourceState::Known => {
                row.state = ResourceState::Deleting;
                row.called_at = Some(self.now);
                row.failures = 0;
                self.replace(row.clone());
                self.actions.push(Action::Delete(row));
            }
            ResourceState::Deleting => {
                // Asked already: ask again when it is still there after a while.
                let rest = back_off(if row.failures > 0 { row.failures } else { 5 });
                if self.look(row.kind).is_some() && row.called_at.is_none_or(|t| self.now - t >= rest) {
                    row.called_at = Some(self.now);
                    self.replace(row.clone());
                    self.actions.push(Action::Delete(row));
                } else {
                    self.look_again_in(Duration::milliseconds(500));
                }
            }
            // Unknown: the looks decide first. Ambiguous: a person does.
            _ => self.look_again_in(SETTLE),
        }
    }

    pub(super) fn replace(&mut self, row: LedgerRow) {
        if let Some(old) = self.next.ledger.iter_mut().find(|r| r.id == row.id) {
            *old = row;
        }
    }
}

fn seen(row: &mut LedgerRow, found: &Object) {
    row.cloud_id = Some(found.id.clone());
    if found.address.is_some() {
        row.address.clone_from(&found.address);
    }
    row.empty_looks = 0;
    row.looked_at = None;
}

fn new_row(draft: &Draft<'_>, part: &Part, id: ResourceId) -> LedgerRow {
    let row = LedgerRow::new(id, draft.next.cluster.id, part.key.clone(), part.kind, part.name.clone(), draft.now);
    LedgerRow { state: ResourceState::Unknown, called_at: Some(draft.now), ..row }
}
