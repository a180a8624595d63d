//! What was done for nodes in their clusters.

use super::{Memory, lock};
use domain::changes::Work;
use domain::ids::{NodeId, OperationId};
use domain::nodes::Node;
use domain::plan::KubernetesView;
use std::collections::HashSet;
use time::{Duration, OffsetDateTime};

/// A join token is put in again after this, while its node has not joined: it is good for an hour, and a server may boot long after it was planned.
const JOIN_TOKEN: Duration = Duration::minutes(30);

#[derive(Clone, Debug, Default)]
pub(super) struct Note {
    /// When it was put in last, by the clock of passes.
    join_token: Option<OffsetDateTime>,
    /// In which operation it was emptied: it may be in use again after that.
    drained: Option<OperationId>,
    /// What keeps pods on it, and which operation was told so.
    held_up: Option<(OperationId, String)>,
    detached: bool,
    released: bool,
}

impl Memory {
    fn note(&self, node: &Node, write: impl FnOnce(&mut Note)) {
        write(lock(&self.nodes).entry(node.cluster).or_default().entry(node.id).or_default());
    }

    pub(crate) fn note_join_token(&self, node: &Node, now: OffsetDateTime) {
        self.note(node, |n| n.join_token = Some(now));
    }

    pub(crate) fn note_drained(&self, node: &Node, operation: Option<OperationId>) {
        self.note(node, |n| (n.drained, n.held_up) = (operation, None));
    }

    /// What keeps pods on a node that is to be emptied; None: they are moving.
    pub(crate) fn note_held_up(&self, node: &Node, operation: Option<OperationId>, words: Option<String>) {
        self.note(node, |n| (n.drained, n.held_up) = (None, operation.zip(words)));
    }

    pub(crate) fn note_detached(&self, node: &Node) {
        self.note(node, |n| n.detached = true);
    }

    pub(crate) fn note_released(&self, node: &Node) {
        self.note(node, |n| n.released = true);
    }

    /// What is known of a cluster's nodes; of those that it does not have any more nothing is kept.
    pub(super) fn of_nodes(&self, work: &Work, now: OffsetDateTime) -> KubernetesView {
        let mut all = lock(&self.nodes);
        let Some(notes) = all.get_mut(&work.cluster.id) else { return KubernetesView::default() };
        let there: HashSet<NodeId> = work.nodes.iter().map(|n| n.id).collect();
        notes.retain(|id, _| there.contains(id));
        let which = |is: &dyn Fn(&Note) -> bool| work.nodes.iter().map(|n| n.id).filter(|id| notes.get(id).is_some_and(is)).collect();
        let operation = work.operation.as_ref().map(|o| o.id);
        let held_up = |id: NodeId| {
            let (by, words) = notes.get(&id)?.held_up.as_ref()?;
            (Some(*by) == operation).then(|| (id, words.clone()))
        };
        KubernetesView {
            // Those that may have run out by the time a server boots are to be put in again.
            join_tokens: which(&|n| n.join_token.is_some_and(|at| (now - at).abs() < JOIN_TOKEN)),
            drained: which(&|n| n.drained.is_some() && n.drained == operation),
            detached: which(&|n| n.detached),
            released: which(&|n| n.released),
            held_up: work.nodes.iter().filter_map(|n| held_up(n.id)).collect(),
            ..KubernetesView::default()
        }
    }
}
