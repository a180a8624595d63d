//! The cluster's phase and conditions, from what was seen.

use super::parts::done_without;
use super::{Draft, Kubernetes, Look, ObjectState};
use crate::clusters::Phase;
use crate::codes::Code;
use crate::conditions::{Condition, ConditionStatus, ConditionType, merge};
use crate::ledger::{ResourceKind, ResourceState};
use crate::nodes::{Node, NodeIntent, NodeRole};
use crate::operations::{OperationKind, OperationState};
use crate::settings::ApiExposure;

impl Draft<'_> {
    pub(super) fn describe(&mut self) {
        let mut status = self.next.cluster.status.clone();
        let ready = |role: NodeRole| self.next.nodes.iter().filter(|n| n.role == role && n.ready == Some(true)).count();
        status.masters_ready = u32::try_from(ready(NodeRole::Master)).unwrap_or(u32::MAX);
        status.nodes_ready = u32::try_from(ready(NodeRole::Worker)).unwrap_or(u32::MAX);
        if let Some(address) = self.live("floating_ip").and_then(|r| r.address.clone()) {
            status.api_endpoint = Some(format!("https://{address}:6443"));
        }
        if let Some(address) = self.live("load_balancer").and_then(|r| r.address.clone()) {
            if self.next.cluster.spec.api.exposure == ApiExposure::Private {
                status.api_endpoint = Some(format!("https://{address}:6443"));
            }
            status.api_vip = Some(address);
        }
        status.addons = self.addon_states();
        if let Some(rules) = &self.observed.added_rules {
            status.added_rules.clone_from(rules);
        }
        status.objects = self.object_healths();
        status.conditions = merge(&status.conditions, self.conditions());
        status.phase = self.phase(&status.conditions);
        self.next.cluster.status = status;
    }

    fn phase(&self, conditions: &[Condition]) -> Phase {
        use OperationState::{Blocked, Cancelled, Failed, Newer, Pending, Running, Succeeded};
        if self.deleting() {
            return Phase::Deleting;
        }
        // Whether we are answered says nothing of the cluster: what is unwell in it, the other conditions say.
        let ours = |t| matches!(t, ConditionType::CloudReachable | ConditionType::ApiReachable);
        let unwell = conditions.iter().any(|c| c.status == ConditionStatus::False && !ours(c.r#type));
        let settled = if unwell { Phase::Degraded } else { Phase::Running };
        match self.next.operation.as_ref().map(|o| (o.kind, o.state)) {
            Some((OperationKind::ClusterCreate, Failed | Cancelled)) => Phase::Failed,
            Some((OperationKind::ClusterCreate, Pending | Running | Blocked | Newer(_))) => Phase::Provisioning,
            Some((OperationKind::ClusterRepair | OperationKind::NodeDrain | OperationKind::NodeReboot | OperationKind::CredentialRotate, _)) => {
                settled
            }
            Some((OperationKind::ClusterDelete, _)) => Phase::Deleting,
            // A cluster that was never up is not running because an old operation is out of sight.
            None if self.next.cluster.observed_generation == 0 => self.next.cluster.status.phase,
            Some((_, Succeeded | Failed | Cancelled)) | None => settled,
            Some((_, Pending | Running | Blocked | Newer(_))) => Phase::Updating,
        }
    }

    fn conditions(&self) -> Vec<Condition> {
        let mut all =
            vec![self.cloud_reachable(), self.infrastructure(), self.api_reachable(), self.control_plane(), self.workers(), self.self_healing()];
        all.extend(self.addons_healthy());
        all
    }

    pub(super) fn condition(
        &self,
        r#type: ConditionType,
        status: ConditionStatus,
        reason: &str,
        message: impl Into<String>,
        code: Option<Code>,
    ) -> Condition {
        Condition { r#type, status, reason: reason.to_owned(), message: message.into(), since: self.now, code }
    }

    fn cloud_reachable(&self) -> Condition {
        if let Some(fault) = self.project_fault() {
            let reason = if fault.code == Code::TenantGone { "TenantGone" } else { "TenantDisabled" };
            return self.condition(ConditionType::CloudReachable, ConditionStatus::False, reason, fault.message, Some(fault.code));
        }
        let blind = self.observed.looks.values().find_map(|l| if let Look::Blind(fault) = l { Some(fault) } else { None });
        match blind {
            // It answers, only not as often as we ask: no reason to worry anybody.
            Some(fault) if fault.code == Code::CloudBusy => {
                self.condition(ConditionType::CloudReachable, ConditionStatus::Unknown, "CloudBusy", "", Some(fault.code))
            }
            Some(fault) => {
                self.condition(ConditionType::CloudReachable, ConditionStatus::False, "CloudUnavailable", fault.message.clone(), Some(fault.code))
            }
            None => self.condition(ConditionType::CloudReachable, ConditionStatus::True, "Answers", "", None),
        }
    }

    /// The worst there is to say of the cloud objects, by name. What hangs on single nodes is said of the nodes.
    fn infrastructure(&self) -> Condition {
        let r#type = ConditionType::InfrastructureReady;
        let (mut missing, mut drifted, mut changing, mut sharing) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for part in self.wanted().into_iter().filter(|p| p.kind != ResourceKind::Server) {
            if self.live(&part.key).is_some_and(done_without) {
                sharing.extend(part.key.split('/').nth(1).map(str::to_owned));
                continue;
            }
            let Some(row) = self.live(&part.key).filter(|r| r.state == ResourceState::Known) else {
                missing.push(part.name);
                continue;
            };
            if self.look(part.kind).is_none() {
                return self.condition(r#type, ConditionStatus::Unknown, "CloudUnavailable", "", None);
            }
            match self.object(row) {
                Some(object) => match &object.state {
                    ObjectState::Failed(words) => {
                        let code = super::rows::failed_code(part.kind, words);
                        return self.condition(r#type, ConditionStatus::False, "ObjectFailed", format!("{}: {words}", row.name), Some(code));
                    }
                    ObjectState::Pending => changing.push(part.name),
                    _ if object.drift => drifted.push(part.name),
                    _ => {}
                },
                // Not seen once: it may be the list that is not whole.
                None => changing.push(part.name),
            }
        }
        let handed_over = (self.next.cluster.observed_generation > 0).then_some(Code::Drifted);
        if !missing.is_empty() {
            return self.condition(r#type, ConditionStatus::False, "ObjectsMissing", listed(missing), handed_over);
        }
        if !drifted.is_empty() {
            return self.condition(r#type, ConditionStatus::False, "ObjectsDrifted", listed(drifted), handed_over);
        }
        if !changing.is_empty() {
            return self.changing(listed(changing));
        }
        if !sharing.is_empty() {
            return self.condition(r#type, ConditionStatus::True, "HostsShared", listed(sharing), None);
        }
        self.condition(r#type, ConditionStatus::True, "AllThere", "", None)
    }

    /// Objects that are changing are not known to be well; those that change for half an hour are stuck.
    fn changing(&self, names: String) -> Condition {
        let r#type = ConditionType::InfrastructureReady;
        let before = self.next.cluster.status.conditions.iter().find(|c| c.r#type == r#type);
        let stuck = before.is_some_and(|c| match c.reason.as_str() {
            "ObjectsStuck" => true,
            "ObjectsChanging" => self.now - c.since >= super::STUCK,
            _ => false,
        });
        if stuck {
            return self.condition(r#type, ConditionStatus::False, "ObjectsStuck", names, Some(Code::ObjectStuck));
        }
        self.condition(r#type, ConditionStatus::Unknown, "ObjectsChanging", names, None)
    }

    fn api_reachable(&self) -> Condition {
        let r#type = ConditionType::ApiReachable;
        match &self.observed.kubernetes {
            Kubernetes::Reachable(_) => self.condition(r#type, ConditionStatus::True, "Answers", "", None),
            Kubernetes::Unreachable(why) => self.condition(r#type, ConditionStatus::False, "NoAnswer", why.clone(), Some(Code::ClusterApiDown)),
            Kubernetes::NotTried => self.condition(r#type, ConditionStatus::Unknown, "NotThereYet", "", None),
        }
    }

    fn control_plane(&self) -> Condition {
        let code = if self.quorum_lost() { Code::ControlPlaneLost } else { Code::NodeUnready };
        self.all_ready(ConditionType::ControlPlaneHealthy, NodeRole::Master, "MastersNotReady", code)
    }

    fn workers(&self) -> Condition {
        self.all_ready(ConditionType::NodesReady, NodeRole::Worker, "NodesNotReady", Code::NodeUnready)
    }

    fn all_ready(&self, r#type: ConditionType, role: NodeRole, reason: &str, code: Code) -> Condition {
        let nodes: Vec<&Node> = self.next.nodes.iter().filter(|n| n.role == role && n.intent == NodeIntent::Keep).collect();
        // While the cluster's API answers, a node it has lost sight of is not well; without an answer only what the cloud says is concluded.
        let answers = self.observed.kubernetes.view().is_some();
        let silent = |n: &Node| answers && n.ready.is_none() && n.joined_at.is_some();
        let down: Vec<&str> = nodes.iter().filter(|n| n.ready == Some(false) || silent(n) || self.unheard(n)).map(|n| n.name.as_str()).collect();
        if !down.is_empty() {
            return self.condition(r#type, ConditionStatus::False, reason, down.join(", "), Some(code));
        }
        if nodes.iter().any(|n| n.ready.is_none()) {
            return self.condition(r#type, ConditionStatus::Unknown, "NotKnown", "", None);
        }
        self.condition(r#type, ConditionStatus::True, "AllReady", "", None)
    }
}

/// Names, each once, and no more than a person reads.
fn listed(mut names: Vec<String>) -> String {
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(5);
    names.truncate(5);
    let list = names.join(", ");
    if more > 0 { format!("{list}, +{more}") } else { list }
}
