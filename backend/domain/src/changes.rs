//! What a pass of the engine may write, all of it in one fenced transaction. The Postgres store and the in-memory journal of tests apply the same list.

use crate::clusters::{Cluster, ClusterStatus};
use crate::ids::NodeId;
use crate::ledger::{LedgerRow, ResourceState};
use crate::nodes::{Node, NodeIntent, NodeRole};
use crate::operations::Operation;

/// Everything the engine knows about one cluster from the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    pub cluster: Cluster,
    pub nodes: Vec<Node>,
    /// All rows, those that are gone included.
    pub ledger: Vec<LedgerRow>,
    /// The operation under way, or the last one if it failed or is blocked.
    pub operation: Option<Operation>,
}

impl Work {
    /// The live row of a key.
    #[must_use]
    pub fn live(&self, key: &str) -> Option<&LedgerRow> {
        self.ledger.iter().find(|r| r.key == key && r.state != ResourceState::Gone)
    }

    /// Whether it is the one master that begins the cluster; all others, and those that replace one later, join it.
    #[must_use]
    pub fn begins_with(&self, node: &Node) -> bool {
        let masters = || self.nodes.iter().filter(|n| n.role == NodeRole::Master && n.intent == NodeIntent::Keep);
        node.role == NodeRole::Master && masters().all(|n| n.joined_at.is_none()) && masters().map(|n| n.ordinal).min() == Some(node.ordinal)
    }
}

/// One write. Rows are written whole: the fence makes the engine their only writer (a node's `bootstrap`, `key_generation` and `api_audit` excepted,
/// which the node's own calls write: `Node` leaves them as they are).
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Status(ClusterStatus),
    ObservedGeneration(i64),
    /// Inserts or replaces a row.
    Ledger(LedgerRow),
    /// Inserts or replaces a row, its `bootstrap`, `key_generation` and `api_audit` excepted.
    Node(Node),
    NodeGone(NodeId),
    Operation(Operation),
    /// Inserts an operation that the engine begins by itself; it is the cluster's operation from now on.
    OperationBegun(Operation),
    /// The cluster is gone: its secrets are erased, the row becomes a tombstone.
    ClusterGone,
}
