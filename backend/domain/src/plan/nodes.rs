//! Nodes: how each is, which failed, how many are wanted, and which leave. Masters have rules of their own (`masters.rs`).

use super::parts::{data_volume_key, node_key};
use super::rows::failed_code;
use super::{Action, BOOTSTRAP_LIMIT, DRAIN_LIMIT, Draft, Kubernetes, KubernetesView, OFF_LIMIT, ObjectState, Release, SERVER_LIMIT, UNREADY_LIMIT};
use crate::clusters::ClusterSpec;
use crate::codes::Code;
use crate::ids::NodeId;
use crate::ledger::{LedgerRow, ResourceKind, ResourceState};
use crate::names;
use crate::needs::Machine;
use crate::nodes::{Bootstrap, Fault, Node, NodeIntent, NodeRole};
use crate::operations::OperationKind;
use std::collections::{BTreeMap, BTreeSet};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// The nodes that leave a pool of `count`: first those named, then those that never worked, then those that do not work now, then those of the fullest zone,
/// then the youngest.
#[must_use]
pub fn surplus<'n>(nodes: &'n [Node], spec: &ClusterSpec, role: NodeRole, pool: &str, count: u32, named: &[NodeId]) -> Vec<&'n Node> {
    let wished = Machine::of(spec, pool).zones;
    let mut kept: Vec<&Node> = nodes.iter().filter(|n| n.role == role && n.pool == pool && n.intent == NodeIntent::Keep).collect();
    let mut filled: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for node in &kept {
        *filled.entry(node.zone(wished)).or_default() += 1;
    }
    let mut leaving = Vec::new();
    while kept.len() > count as usize {
        let rank = |n: &Node| {
            let mates = filled.get(&n.zone(wished)).copied();
            (named.contains(&n.id), n.joined_at.is_none(), n.ready != Some(true), mates, n.ordinal, n.id)
        };
        let Some(index) = (0..kept.len()).max_by_key(|index| rank(kept[*index])) else { break };
        let node = kept.swap_remove(index);
        if let Some(mates) = filled.get_mut(&node.zone(wished)) {
            *mates -= 1;
        }
        leaving.push(node);
    }
    leaving
}

impl Draft<'_> {
    /// Takes over readiness and finds failures.
    pub(super) fn observe_nodes(&mut self) {
        let api_since = self.next.nodes.iter().filter(|n| n.role == NodeRole::Master).filter_map(|n| n.joined_at).min();
        for index in 0..self.next.nodes.len() {
            let mut node = self.next.nodes[index].clone();
            self.observe_readiness(&mut node);
            if let Some(row) = self.newest(&node_key(ResourceKind::Server, &node.name)) {
                node.started_at = node.started_at.or(row.called_at.filter(|_| row.cloud_id.is_some()));
                // Whatever it was, it is over.
                let well = node.ready == Some(true) && self.object(row).is_some_and(|o| o.state == ObjectState::Ready);
                if well {
                    node.fault = None;
                }
                // What a deletion takes away itself is nobody's fault.
                if node.fault.is_none() && node.intent == NodeIntent::Keep && !self.deleting() {
                    node.fault = self.failure(&node, row, api_since);
                }
            }
            self.next.nodes[index] = node;
        }
    }

    fn observe_readiness(&self, node: &mut Node) {
        match &self.observed.kubernetes {
            Kubernetes::Reachable(view) => node.ready = view.nodes.get(&node.name).copied().unwrap_or(Some(false)),
            Kubernetes::Unreachable(_) => node.ready = None,
            Kubernetes::NotTried => {}
        }
        if node.ready == Some(true) && node.joined_at.is_none() {
            node.joined_at = Some(self.now);
        }
        // Kubernetes notices a dead node after most of a minute; the cloud knows at once.
        let down = node.joined_at.is_some() && self.surely_down(&node.name);
        if down {
            node.ready = Some(false);
        }
        node.unready_since = match (node.joined_at, node.ready) {
            (None, _) | (_, Some(true)) => None,
            _ if down || self.observed.kubernetes.view().is_some() => node.unready_since.or(Some(self.now)),
            // Blind: what we do not see is not held against anybody.
            _ => None,
        };
    }

    pub(super) fn newest(&self, key: &str) -> Option<&LedgerRow> {
        self.next.ledger.iter().filter(|r| r.key == key).max_by_key(|r| (r.state != ResourceState::Gone, r.created_at))
    }

    /// What the cloud says of a node's server.
    pub(super) fn server_state(&self, node: &str) -> Option<&ObjectState> {
        self.object(self.newest(&node_key(ResourceKind::Server, node))?).map(|o| &o.state)
    }

    pub(super) fn surely_down(&self, node: &str) -> bool {
        self.surely_off(node) || matches!(self.server_state(node), Some(ObjectState::Failed(_)))
    }

    /// Nothing runs there any more. (A server in error may run on.)
    fn surely_off(&self, node: &str) -> bool {
        let gone = |r: &LedgerRow| r.state == ResourceState::Gone && r.cloud_id.is_some();
        self.newest(&node_key(ResourceKind::Server, node)).is_some_and(gone) || self.server_state(node) == Some(&ObjectState::Off)
    }

    /// Why this node can only be replaced, if so.
    fn failure(&self, node: &Node, row: &LedgerRow, api_since: Option<OffsetDateTime>) -> Option<Fault> {
        let fault =
            |code: Code, message: String| Some(Fault { code, message, cloud_request_id: None, retryable: true, object: Some(node.name.clone()) });
        let gone = |row: &LedgerRow| row.state == ResourceState::Gone && row.cloud_id.is_some();
        if gone(row) {
            return fault(Code::ServerFailed, "the server is gone; it was not deleted by KCS".to_owned());
        }
        if row.cloud_id.is_some() && self.newest(&node_key(ResourceKind::Port, &node.name)).is_some_and(gone) {
            return fault(Code::ServerFailed, "the server's port is gone; it was not deleted by KCS".to_owned());
        }
        if let Some(volume) = self.lost_volume(node).filter(|_| row.cloud_id.is_some()) {
            return fault(Code::ServerFailed, format!("the server's volume {} is gone", volume.name));
        }
        let state = self.object(row).map(|o| &o.state);
        if let Some(ObjectState::Failed(words)) = state {
            return fault(failed_code(ResourceKind::Server, words), words.clone());
        }
        if node.joined_at.is_some() {
            return self.unready_too_long(node, state).and_then(|message| fault(Code::NodeUnready, message));
        }
        if node.alarm_at.is_some() {
            return fault(Code::BundleTwice, "the bundle that was handed out for it was asked for once more".to_owned());
        }
        if state == Some(&ObjectState::Pending) && node.started_at.is_some_and(|t| self.now - t > SERVER_LIMIT) {
            return fault(Code::ServerTimeout, format!("the server is still being built after {} minutes", SERVER_LIMIT.whole_minutes()));
        }
        if let Bootstrap::Failed { lines, .. } = &node.bootstrap {
            return fault(Code::BootstrapFailed, lines.clone());
        }
        // Nodes that join wait for the API; their time runs from then on.
        let since = if node.role == NodeRole::Master && api_since.is_none() {
            node.started_at
        } else {
            // One without a server, which a quota may keep from it for long, has not begun.
            node.started_at.zip(api_since).map(|(started, api)| started.max(api))
        };
        if since.is_some_and(|t| self.now - t > BOOTSTRAP_LIMIT) {
            return fault(Code::BootstrapTimeout, format!("the node did not become ready within {} minutes", BOOTSTRAP_LIMIT.whole_minutes()));
        }
        None
    }

    /// The row of a volume that the node had and that is gone. Another would be empty, and nothing on the node formats or mounts it any more.
    fn lost_volume(&self, node: &Node) -> Option<&LedgerRow> {
        let spec = &self.next.cluster.spec;
        let machine = match node.role {
            NodeRole::Master => Machine::of_control_plane(&spec.control_plane),
            NodeRole::Worker => Machine::of(spec, &node.pool),
        };
        let root = (machine.root_volume_gib > 0).then(|| node_key(ResourceKind::Volume, &node.name));
        let keys = root.into_iter().chain(machine.data_volumes.iter().map(|volume| data_volume_key(&node.name, &volume.name)));
        let gone = |row: &&LedgerRow| row.state == ResourceState::Gone && row.cloud_id.is_some();
        keys.filter_map(|key| self.newest(&key)).find(gone)
    }

    /// A node that worked and has not been ready for long. One that somebody powered off is started first, and has longer.
    fn unready_too_long(&self, node: &Node, state: Option<&ObjectState>) -> Option<String> {
        let limit = if state == Some(&ObjectState::Off) { OFF_LIMIT } else { UNREADY_LIMIT };
        let named = self.about(&[OperationKind::NodeReboot]).contains(&node.id);
        let since = node.unready_since.filter(|t| self.now - *t >= limit)?;
        // A server that is being moved, paused or rebooted is in somebody's hands.
        let in_hands = state == Some(&ObjectState::Pending) && self.now - since < OFF_LIMIT;
        (self.observed.kubernetes.view().is_some() && !named && !in_hands)
            .then(|| format!("the node has not been ready for {} minutes", (self.now - since).whole_minutes()))
    }

    /// The nodes that an active operation of one of these kinds is about.
    pub(super) fn about(&self, kinds: &[OperationKind]) -> &[NodeId] {
        let operation = self.next.operation.as_ref().filter(|o| kinds.contains(&o.kind) && !o.state.ended());
        operation.map_or(&[], |o| &o.nodes)
    }

    /// Brings the number of nodes to what the spec says; failed ones are replaced while brakes and budget allow.
    pub(super) fn choose_nodes(&mut self, fresh: &mut dyn FnMut() -> Uuid) {
        self.forget_gone_nodes();
        if self.deleting() || !self.active() {
            return;
        }
        self.retire_failed_workers();
        self.size_masters(fresh);
        for pool in self.next.cluster.spec.node_pools.clone() {
            let surge = self.replace_workers(&pool.name, pool.count as usize);
            self.size_pool(NodeRole::Worker, &pool.name, pool.count + surge, fresh);
        }
        for index in 0..self.next.nodes.len() {
            let node = &self.next.nodes[index];
            if node.role == NodeRole::Worker && !self.next.cluster.spec.node_pools.iter().any(|p| p.name == node.pool) {
                self.leave(index);
            }
        }
    }

    pub(super) fn leave(&mut self, index: usize) {
        let now = self.now;
        if let Some(node) = self.next.nodes.get_mut(index) {
            node.intent = NodeIntent::Remove;
            node.leaving_since = node.leaving_since.or(Some(now));
        }
    }

    fn has_live_rows(&self, node: &str) -> bool {
        self.next.ledger.iter().any(|r| r.state != ResourceState::Gone && r.node() == Some(node))
    }

    fn forget_gone_nodes(&mut self) {
        let deleting = self.deleting();
        let gone: Vec<Node> = self
            .next
            .nodes
            .iter()
            .filter(|n| (deleting || (n.intent == NodeIntent::Remove && !self.to_release(n))) && !self.has_live_rows(&n.name))
            .cloned()
            .collect();
        self.next.nodes.retain(|n| !gone.contains(n));
        self.gone_nodes.extend(gone);
    }

    /// Workers that failed leave: those that never worked at once, the others with the brakes.
    fn retire_failed_workers(&mut self) {
        for index in 0..self.next.nodes.len() {
            let node = &self.next.nodes[index];
            if node.role == NodeRole::Worker && self.to_retire(node) {
                self.retire(index);
            }
        }
    }

    /// Whether a failed worker is to be replaced now.
    pub(super) fn to_retire(&self, node: &Node) -> bool {
        let (Some(fault), NodeIntent::Keep) = (&node.fault, node.intent) else { return false };
        if !self.may_replace(&node.name) || self.to_reboot(node) {
            return false;
        }
        if node.joined_at.is_none() {
            return true;
        }
        // Of nodes that nobody knows anything about, one at a time: it may be us who do not see.
        let unknown = |n: &Node| n.role == NodeRole::Worker && n.intent == NodeIntent::Remove && n.ready.is_none();
        let alone = fault.code != Code::NodeUnready || node.ready.is_some() || !self.next.nodes.iter().any(unknown);
        // One that works, as without a volume of its own, leaves once the others of its pool are there: what runs on it needs room.
        let mates = |n: &&Node| n.role == NodeRole::Worker && n.pool == node.pool && n.id != node.id;
        let coming_or_going = |n: &Node| n.intent == NodeIntent::Remove || n.joined_at.is_none();
        let alone = alone && (node.ready != Some(true) || !self.next.nodes.iter().filter(mates).any(coming_or_going));
        self.heals() && self.observed.kubernetes.view().is_some() && self.brake().is_none() && self.lost_long_enough(node) && alone
    }

    /// Somebody asks for a reboot of a server that is there: that may mend it, and comes before its replacement.
    pub(super) fn to_reboot(&self, node: &Node) -> bool {
        self.about(&[OperationKind::NodeReboot]).contains(&node.id) && self.server_state(&node.name).is_some()
    }

    /// Outside of operations somebody else's repair gets its time; inside one a lost node is replaced at once.
    fn lost_long_enough(&self, node: &Node) -> bool {
        let idle = self.next.operation.as_ref().is_none_or(|o| o.state.ended());
        let since = node.unready_since.or_else(|| self.lost_volume(node).and_then(|row| row.looked_at.or(row.called_at)));
        !idle || since.is_some_and(|t| self.now - t >= UNREADY_LIMIT)
    }

    /// A node leaves because it failed; its server's row remembers why.
    pub(super) fn retire(&mut self, index: usize) {
        let Some(node) = self.next.nodes.get(index).cloned() else { return };
        let key = node_key(ResourceKind::Server, &node.name);
        if let Some(row) = self.next.ledger.iter_mut().filter(|r| r.key == key).max_by_key(|r| r.created_at) {
            row.fault.clone_from(&node.fault);
        }
        self.leave(index);
    }

    /// Whether the server of this node may be replaced without asking: what this attempt made itself only a few times.
    pub(super) fn may_replace(&self, node: &str) -> bool {
        self.newest(&node_key(ResourceKind::Server, node)).is_none_or(|row| self.replaceable(row))
    }

    /// Workers to be replaced leave once enough others have joined; one that does not work leaves at once. Answers how many more the pool needs meanwhile.
    fn replace_workers(&mut self, pool: &str, count: usize) -> u32 {
        let targets = self.about(&[OperationKind::NodeReplace]).to_vec();
        let in_pool = |n: &Node| n.role == NodeRole::Worker && n.pool == pool && n.intent == NodeIntent::Keep;
        let joined = self.next.nodes.iter().filter(|n| in_pool(n) && !targets.contains(&n.id) && n.joined_at.is_some()).count();
        let mut surge = 0;
        for index in 0..self.next.nodes.len() {
            let node = &self.next.nodes[index];
            if !in_pool(node) || !targets.contains(&node.id) {
                continue;
            }
            if node.ready != Some(true) || joined >= count {
                self.leave(index);
            } else {
                surge += 1;
            }
        }
        surge
    }

    pub(super) fn size_pool(&mut self, role: NodeRole, pool: &str, count: u32, fresh: &mut dyn FnMut() -> Uuid) {
        let kept = self.next.nodes.iter().filter(|n| n.role == role && n.pool == pool && n.intent == NodeIntent::Keep).count();
        for _ in kept..count as usize {
            let node = self.new_node(role, pool, NodeId(fresh()));
            self.next.nodes.push(node);
        }
        let named = self.about(&[OperationKind::NodePoolResize]);
        let leaving: Vec<NodeId> = surplus(&self.next.nodes, &self.next.cluster.spec, role, pool, count, named).into_iter().map(|n| n.id).collect();
        for index in 0..self.next.nodes.len() {
            if leaving.contains(&self.next.nodes[index].id) {
                self.leave(index);
            }
        }
    }

    pub(super) fn new_node(&self, role: NodeRole, pool: &str, id: NodeId) -> Node {
        let cluster = self.next.cluster.id;
        let prefix = names::role_prefix(cluster, role);
        let past = self.next.ledger.iter().filter_map(|r| r.name.strip_prefix(&prefix).and_then(|n| n.parse::<u32>().ok()));
        let present = self.next.nodes.iter().filter(|n| n.role == role).map(|n| n.ordinal);
        let ordinal = past.chain(present).max().map_or(0, |n| n + 1);
        Node { zones: self.zones_of_new(role, pool), ..Node::new(id, cluster, role, pool, ordinal) }
    }

    /// The zone of a node that is to be made, after those that had no room just now: of the zones wished the one with the fewest nodes that stay. Where
    /// none had room, all are tried anew.
    fn zones_of_new(&self, role: NodeRole, pool: &str) -> Vec<String> {
        let wished = Machine::of(&self.next.cluster.spec, pool).zones;
        let mate = |n: &&Node| n.role == role && n.pool == pool;
        let no_room = |n: &&Node| n.intent == NodeIntent::Remove && n.fault.as_ref().is_some_and(|f| f.code == Code::NoCapacity);
        let refused = self.next.nodes.iter().chain(&self.gone_nodes).filter(mate).filter(no_room);
        let full: BTreeSet<&str> = refused.flat_map(|n| n.zones.iter().map(String::as_str).chain(n.zone(wished))).collect();
        // A node that is replaced is there until its successor works, and leaves its place to it.
        let (replaced, rekeyed) = (self.about(&[OperationKind::NodeReplace]), self.master_to_replace().map(|n| n.id));
        let stays = |n: &&Node| n.intent == NodeIntent::Keep && !replaced.contains(&n.id) && rekeyed != Some(n.id);
        let nodes_in = |zone: &&String| self.next.nodes.iter().filter(mate).filter(stays).filter(|n| n.zone(wished) == Some(zone.as_str())).count();
        let fewest = |zones: &[&String]| zones.iter().copied().min_by_key(nodes_in).cloned();
        let (closed, open): (Vec<&String>, Vec<&String>) = wished.iter().partition(|zone| full.contains(zone.as_str()));
        match fewest(&open) {
            Some(zone) => full.into_iter().map(str::to_owned).chain([zone]).collect(),
            None => fewest(&closed).into_iter().collect(),
        }
    }

    /// Whether a leaving node is still to be let go by the cluster: emptied, its member of etcd removed, its Kubernetes node deleted.
    pub(super) fn to_release(&self, node: &Node) -> bool {
        if node.intent != NodeIntent::Remove || self.deleting() {
            return false;
        }
        if self.to_detach(node) {
            return true;
        }
        match &self.observed.kubernetes {
            Kubernetes::Reachable(view) => node.joined_at.is_some() && (view.nodes.contains_key(&node.name) || self.left_behind(view, node)),
            Kubernetes::Unreachable(_) | Kubernetes::NotTried => node.joined_at.is_some() && !self.drained_long_enough(node),
        }
    }

    /// Whether volumes may have been left with a worker that is gone altogether. The cluster's own cloud controller deletes a Kubernetes node within
    /// seconds of its server's end, mostly before we could see that its volumes left; to Kubernetes they are the lost node's for minutes then.
    fn left_behind(&self, view: &KubernetesView, node: &Node) -> bool {
        let kept = node.role == NodeRole::Worker && self.surely_off(&node.name) && !view.released.contains(&node.id);
        // A cluster that answers this with errors for ever keeps no node.
        kept && !self.left_longer_than(node, DRAIN_LIMIT * 2)
    }

    fn drained_long_enough(&self, node: &Node) -> bool {
        self.left_longer_than(node, DRAIN_LIMIT)
    }

    fn left_longer_than(&self, node: &Node, limit: Duration) -> bool {
        let since = node.leaving_since.or(self.next.operation.as_ref().and_then(|o| o.started_at));
        since.is_some_and(|t| self.now - t > limit)
    }

    /// Evictions from a node that does not answer would never end.
    fn to_evict(&self, node: &Node) -> bool {
        node.ready == Some(true) && !self.drained_long_enough(node)
    }

    /// A worker that is not asked to let go any more: only when its server surely does not run may others have its volumes.
    pub(super) fn server_goes_first(&self, node: &Node) -> bool {
        let asked = self.observed.kubernetes.view().is_none() || self.to_evict(node);
        node.role == NodeRole::Worker && (!asked || self.surely_down(&node.name))
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
        let to_drain = self.about(&[OperationKind::NodeDrain]);
        let (mut actions, mut held) = (Vec::new(), false);
        for node in &self.next.nodes {
            if api_up && node.intent == NodeIntent::Keep && node.joined_at.is_none() && !view.join_tokens.contains(&node.id) {
                actions.push(Action::EnsureJoinToken(node.id));
            }
            if node.ready == Some(true) && self.behind_balancer(node) {
                // Without its member of etcd its API server would refuse what it is still sent.
                held = true;
            } else if self.to_release(node) {
                let (off, patient) = (self.surely_off(&node.name), !self.left_longer_than(node, DRAIN_LIMIT * 2));
                // What may still run may still write to its volumes.
                if off || !self.server_goes_first(node) {
                    actions.push(Action::Release(Release { node: node.id, evict: self.to_evict(node), off, patient }));
                }
            } else if to_drain.contains(&node.id) && !view.drained.contains(&node.id) {
                actions.push(Action::Drain(node.id));
            }
        }
        let prefix = names::node_prefix(self.next.cluster.id);
        for name in view.nodes.keys() {
            if name.starts_with(&prefix) && !self.next.nodes.iter().any(|n| n.name == *name) && !self.has_live_rows(name) {
                actions.push(Action::ForgetNode(name.clone()));
            }
        }
        self.actions.extend(actions);
        if held || self.next.nodes.iter().any(|n| n.intent == NodeIntent::Keep && n.ready != Some(true)) {
            self.look_again_in(Duration::seconds(1));
        }
    }
}
