//! Nodes: how each is, which fail, how many are wanted, and which leave.

use super::parts::node_key;
use super::rows::failed_code;
use super::{Action, BOOTSTRAP_LIMIT, DRAIN_LIMIT, Draft, Kubernetes, ObjectState, SERVER_LIMIT};
use crate::codes::Code;
use crate::ids::NodeId;
use crate::ledger::{LedgerRow, ResourceKind, ResourceState};
use crate::names;
use crate::nodes::{Bootstrap, CONTROL_PLANE_POOL, Fault, Node, NodeIntent, NodeRole};
use std::cmp::Reverse;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

const NODE_KINDS: [ResourceKind; 3] = [ResourceKind::Server, ResourceKind::Port, ResourceKind::Volume];

/// The nodes that leave a pool of `count`: first those that never worked, then those that do not work now, then the youngest.
#[must_use]
pub fn surplus<'n>(nodes: &'n [Node], role: NodeRole, pool: &str, count: u32) -> Vec<&'n Node> {
    let mut kept: Vec<&Node> = nodes.iter().filter(|n| n.role == role && n.pool == pool && n.intent == NodeIntent::Keep).collect();
    kept.sort_by_key(|n| Reverse((n.joined_at.is_none(), n.ready != Some(true), n.ordinal, n.id)));
    let surplus = kept.len().saturating_sub(count as usize);
    kept.truncate(surplus);
    kept
}

impl Draft<'_> {
    /// Takes over readiness and finds failures.
    pub(super) fn observe_nodes(&mut self) {
        let api_since = self.next.nodes.iter().filter(|n| n.role == NodeRole::Master).filter_map(|n| n.joined_at).min();
        for index in 0..self.next.nodes.len() {
            let mut node = self.next.nodes[index].clone();
            match &self.observed.kubernetes {
                Kubernetes::Reachable(view) => node.ready = view.nodes.get(&node.name).copied().unwrap_or(Some(false)),
                Kubernetes::Unreachable(_) => node.ready = None,
                Kubernetes::NotTried => {}
            }
            if node.ready == Some(true) && node.joined_at.is_none() {
                node.joined_at = Some(self.now);
            }
            if let Some(row) = self.newest(&node_key(ResourceKind::Server, &node.name)) {
                // Kubernetes notices a dead node after most of a minute; the cloud knows at once.
                if node.joined_at.is_some() && self.object(row).is_some_and(|o| o.state == ObjectState::Off) {
                    node.ready = Some(false);
                }
                node.started_at = node.started_at.or(row.called_at);
                if node.fault.is_none() && node.intent == NodeIntent::Keep {
                    node.fault = self.failure(&node, row, api_since);
                }
            }
            self.next.nodes[index] = node;
        }
    }

    fn newest(&self, key: &str) -> Option<&LedgerRow> {
        self.next.ledger.iter().filter(|r| r.key == key).max_by_key(|r| (r.state != ResourceState::Gone, r.created_at))
    }

    /// Why this node can only be replaced, if so.
    fn failure(&self, node: &Node, row: &LedgerRow, api_since: Option<OffsetDateTime>) -> Option<Fault> {
        let fault =
            |code: Code, message: String| Some(Fault { code, message, cloud_request_id: None, retryable: true, object: Some(node.name.clone()) });
        match (row.state, self.object(row).map(|o| &o.state)) {
            (ResourceState::Gone, _) if row.cloud_id.is_some() => {
                return fault(Code::ServerFailed, "the server is gone; it was not deleted by KCS".to_owned());
            }
            (_, Some(ObjectState::Failed(words))) => return fault(failed_code(ResourceKind::Server, words), words.clone()),
            (_, Some(ObjectState::Pending)) if node.started_at.is_some_and(|t| self.now - t > SERVER_LIMIT) => {
                return fault(Code::ServerTimeout, format!("the server is still being built after {} minutes", SERVER_LIMIT.whole_minutes()));
            }
            _ => {}
        }
        if node.joined_at.is_some() {
            return None;
        }
        if let Bootstrap::Failed { lines, .. } = &node.bootstrap {
            return fault(Code::BootstrapFailed, lines.clone());
        }
        // Nodes that join wait for the API; their time runs from then on.
        let since = if node.role == NodeRole::Master && api_since.is_none() {
            node.started_at
        } else {
            node.started_at.max(api_since).filter(|_| api_since.is_some())
        };
        if since.is_some_and(|t| self.now - t > BOOTSTRAP_LIMIT) {
            return fault(Code::BootstrapTimeout, format!("the node did not become ready within {} minutes", BOOTSTRAP_LIMIT.whole_minutes()));
        }
        None
    }

    /// Brings the number of nodes to what the spec says; failed ones are replaced while the budget lasts.
    pub(super) fn choose_nodes(&mut self, fresh: &mut dyn FnMut() -> Uuid) {
        self.forget_gone_nodes();
        if self.deleting() || !self.active() {
            return;
        }
        self.retire_failed_nodes();
        let spec = self.next.cluster.spec.clone();
        self.size_pool(NodeRole::Master, CONTROL_PLANE_POOL, spec.control_plane.count, fresh);
        for pool in &spec.node_pools {
            self.size_pool(NodeRole::Worker, &pool.name, pool.count, fresh);
        }
        for node in &mut self.next.nodes {
            if node.role == NodeRole::Worker && !spec.node_pools.iter().any(|p| p.name == node.pool) {
                node.intent = NodeIntent::Remove;
            }
        }
    }

    fn has_live_rows(&self, node: &str) -> bool {
        self.next.ledger.iter().any(|r| r.state != ResourceState::Gone && r.name == node && NODE_KINDS.contains(&r.kind))
    }

    fn forget_gone_nodes(&mut self) {
        let deleting = self.deleting();
        let gone: Vec<NodeId> = self
            .next
            .nodes
            .iter()
            .filter(|n| (deleting || (n.intent == NodeIntent::Remove && !self.must_drain(n))) && !self.has_live_rows(&n.name))
            .map(|n| n.id)
            .collect();
        self.next.nodes.retain(|n| !gone.contains(&n.id));
        self.gone_nodes.extend(gone);
    }

    fn retire_failed_nodes(&mut self) {
        for index in 0..self.next.nodes.len() {
            let node = self.next.nodes[index].clone();
            let (Some(fault), NodeIntent::Keep) = (&node.fault, node.intent) else { continue };
            // A master that once worked holds a member of etcd: it is not thrown away without taking that out.
            if node.role == NodeRole::Master && node.joined_at.is_some() && self.next.cluster.spec.control_plane.count > 1 {
                continue;
            }
            let key = node_key(ResourceKind::Server, &node.name);
            if let Some(row) = self.next.ledger.iter_mut().filter(|r| r.key == key).max_by_key(|r| r.created_at) {
                row.fault = Some(fault.clone());
            }
            if self.budget_left(ResourceKind::Server) || self.asked_anew() {
                self.next.nodes[index].intent = NodeIntent::Remove;
            }
        }
    }

    fn size_pool(&mut self, role: NodeRole, pool: &str, count: u32, fresh: &mut dyn FnMut() -> Uuid) {
        let kept = self.next.nodes.iter().filter(|n| n.role == role && n.pool == pool && n.intent == NodeIntent::Keep).count();
        for _ in kept..count as usize {
            let node = self.new_node(role, pool, NodeId(fresh()));
            self.next.nodes.push(node);
        }
        let leaving: Vec<NodeId> = surplus(&self.next.nodes, role, pool, count).into_iter().map(|n| n.id).collect();
        for node in self.next.nodes.iter_mut().filter(|n| leaving.contains(&n.id)) {
            node.intent = NodeIntent::Remove;
        }
    }

    fn new_node(&self, role: NodeRole, pool: &str, id: NodeId) -> Node {
        let prefix = format!("{}{}-", names::node_prefix(self.next.cluster.id), if role == NodeRole::Master { "cp" } else { "w" });
        let past = self.next.ledger.iter().filter_map(|r| r.name.strip_prefix(&prefix).and_then(|n| n.parse::<u32>().ok()));
        let present = self.next.nodes.iter().filter(|n| n.role == role).map(|n| n.ordinal);
        let ordinal = past.chain(present).max().map_or(0, |n| n + 1);
        Node {
            id,
            cluster: self.next.cluster.id,
            name: format!("{prefix}{ordinal}"),
            role,
            pool: pool.to_owned(),
            ordinal,
            intent: NodeIntent::Keep,
            bootstrap: Bootstrap::Waiting,
            ready: None,
            started_at: None,
            joined_at: None,
            fault: None,
        }
    }

    /// Whether a leaving node is still to be drained first.
    pub(super) fn must_drain(&self, node: &Node) -> bool {
        if node.intent != NodeIntent::Remove || self.deleting() || node.joined_at.is_none() {
            return false;
        }
        let started = self.next.operation.as_ref().and_then(|o| o.started_at);
        if started.is_some_and(|t| self.now - t > DRAIN_LIMIT) {
            return false;
        }
        match &self.observed.kubernetes {
            Kubernetes::Reachable(view) => view.nodes.contains_key(&node.name),
            Kubernetes::Unreachable(_) | Kubernetes::NotTried => true,
        }
    }

    /// What is to be done in the cluster itself.
    pub(super) fn decide_kubernetes(&mut self) {
        let (Some(view), false) = (self.observed.kubernetes.view(), self.deleting()) else { return };
        if !view.access {
            self.actions.push(Action::EnsureAccess);
        }
        if !self.active() {
            return;
        }
        let api_up = self.next.nodes.iter().any(|n| n.role == NodeRole::Master && n.joined_at.is_some());
        for node in &self.next.nodes {
            if api_up && node.intent == NodeIntent::Keep && node.joined_at.is_none() && !view.join_tokens.contains(&node.id) {
                self.actions.push(Action::EnsureJoinToken(node.id));
            }
            if view.nodes.contains_key(&node.name) && self.must_drain(node) {
                self.actions.push(Action::Drain(node.id));
            }
        }
        let prefix = names::node_prefix(self.next.cluster.id);
        for name in view.nodes.keys() {
            if name.starts_with(&prefix) && !self.next.nodes.iter().any(|n| n.name == *name) && !self.has_live_rows(name) {
                self.actions.push(Action::ForgetNode(name.clone()));
            }
        }
        if self.next.nodes.iter().any(|n| n.intent == NodeIntent::Keep && n.ready != Some(true)) {
            self.look_again_in(Duration::seconds(1));
        }
    }
}
