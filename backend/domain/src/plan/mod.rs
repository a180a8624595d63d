//! The engine's decisions: `plan(work, observed, now)` says what to record and what to do next. Pure, level-triggered, safe to repeat.
//!
//! A pass reads top to bottom here: nodes wanted → parts wanted → what the looks say of each ledger row → what to make, mend and
//! take away → how far the operation and the cluster are. Nothing is remembered between passes but what the store holds.

mod addons;
mod api_audit;
mod encryption;
mod healing;
mod inside;
mod masters;
mod nodes;
mod objects;
mod operation;
mod parts;
mod rotation;
mod rows;
mod status;
mod steps;

pub use addons::{AddonsView, WorkloadView};
pub use encryption::{KeyStage, KeysView, SecretsView, changes_key};
pub use healing::{broke_since, repair_rest};
pub use masters::masters_too_many;
pub use nodes::surplus;
pub use parts::{MASTERS_GROUP, Part, allowed_cidrs, data_volume_key, group_rows, node_key, parts, security_group_key};
pub use rotation::{CREDENTIAL, NEXT_CREDENTIAL, OLD_CREDENTIAL};
pub use steps::operation_steps;

use crate::changes::{Change, Work};
use crate::clusters::AddedRule;
use crate::codes::Code;
use crate::ids::{NodeId, ResourceId};
use crate::ledger::{LedgerRow, ResourceKind};
use crate::nodes::{Fault, Node, NodeIntent};
use crate::tenants::ProjectState;
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// What was seen of the world in one pass.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// A kind that is not here was not looked at.
    pub looks: BTreeMap<ResourceKind, Look>,
    pub kubernetes: Kubernetes,
    /// What the cluster's own controllers made in the cloud; only looked for while the cluster is deleted. None: blind, or not looked for.
    pub inside: Option<Vec<Inside>>,
    /// The list of keys for the cluster's Secrets; only looked at while it is being changed.
    pub encryption: Option<KeysView>,
    /// The masters whose API servers the load balancer checked and found well: it sends them requests. Only looked at while there are more masters
    /// than the spec says, or the cluster's API does not answer us. None: nothing is known.
    pub serving: Option<Vec<NodeId>>,
    /// Rules in the cluster's security groups that are not ours. None: nothing is known.
    pub added_rules: Option<Vec<AddedRule>>,
    /// How the tenant's project stands; only asked where the cloud refuses who looks. None: not asked, or nobody answered.
    pub project: Option<ProjectState>,
}

/// A cloud object that a program in the cluster made: a Service's load balancer, its address, a claim's volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    pub kind: ResourceKind,
    pub id: String,
    pub name: String,
}

/// One look at all objects of a kind that carry the cluster's names.
#[derive(Clone, Debug)]
pub enum Look {
    /// The cloud did not answer: nothing is known, nothing may be concluded.
    Blind(Fault),
    Seen(Vec<Object>),
}

/// A cloud object as far as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub id: String,
    pub name: String,
    /// The ledger row that its mark names; None: no mark of this cluster.
    pub owner: Option<ResourceId>,
    pub state: ObjectState,
    pub address: Option<String>,
    /// It is not as its specification says (name, rules, members, association, gateway, attachment); an update mends it.
    pub drift: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectState {
    Ready,
    Pending,
    /// Powered off.
    Off,
    /// Broken for good, with the cloud's words: it can only be replaced.
    Failed(String),
}

/// The cluster's own API.
#[derive(Clone, Debug, Default)]
#[expect(clippy::large_enum_variant, reason = "there is one a pass")]
pub enum Kubernetes {
    #[default]
    NotTried,
    Unreachable(String),
    Reachable(KubernetesView),
}

#[derive(Clone, Debug, Default)]
pub struct KubernetesView {
    /// Ready by node name; None: the control plane does not know.
    pub nodes: BTreeMap<String, Option<bool>>,
    /// Whether the access rules were applied.
    pub access: bool,
    /// Nodes whose join token was put into the cluster.
    pub join_tokens: Vec<NodeId>,
    /// Nodes that were emptied.
    pub drained: Vec<NodeId>,
    /// What keeps pods on a node that is to be emptied, in the cluster's words.
    pub held_up: BTreeMap<NodeId, String>,
    /// Leaving masters whose member of etcd is surely gone.
    pub detached: Vec<NodeId>,
    /// Leaving nodes that hold nothing in the cluster any more: their volumes left, or were given up on, and then their Kubernetes nodes were deleted.
    pub released: Vec<NodeId>,
    /// None: not looked at this time.
    pub addons: Option<AddonsView>,
    /// How far its Secrets are written anew; None: that was not begun.
    pub secrets: Option<SecretsView>,
}

impl Kubernetes {
    /// The view, if the API answers.
    #[must_use]
    pub fn view(&self) -> Option<&KubernetesView> {
        match self {
            Self::Reachable(view) => Some(view),
            _ => None,
        }
    }
}

/// One thing to do. Rows in it are in the state to be committed before the call.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Make the object of this row (`Unknown` until the answer is recorded).
    Create(LedgerRow),
    /// Mend what the look found lacking.
    Update(LedgerRow),
    /// Take the object of this row away.
    Delete(LedgerRow),
    EnsureAccess,
    /// Apply the add-ons' objects.
    ApplyAddons,
    EnsureJoinToken(NodeId),
    /// Prove the next credential by test calls, and let it take the place of the one in use. The rows are as they will be, but for their keys.
    SwitchCredential {
        next: LedgerRow,
        old: Box<LedgerRow>,
    },
    /// Take the list of keys one step on from this one.
    AdvanceKeys {
        from: KeysView,
        at: OffsetDateTime,
    },
    /// Write Secrets anew, some pages further, while all API servers have the list of this generation.
    RewriteSecrets(u32),
    /// Power the server of this row on.
    Start(LedgerRow),
    Reboot(LedgerRow),
    /// Cordon, and evict what runs there one step further.
    Drain(NodeId),
    Release(Release),
    /// Delete the Kubernetes node of this name: its server is gone.
    ForgetNode(String),
}

/// Letting a leaving node go: empty it, take its member out of etcd, wait for its volumes, delete the Kubernetes node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    pub node: NodeId,
    /// Whether its pods are asked to leave; not where nothing would answer, or the time for it is over.
    pub evict: bool,
    /// Its server surely does not run: pods and volumes need not be asked.
    pub off: bool,
    /// Whether volumes that are still attached hold it.
    pub patient: bool,
}

impl Action {
    /// The row to be committed before the call, for calls that must not be made twice unawares.
    #[must_use]
    pub fn row(&self) -> Option<&LedgerRow> {
        match self {
            Self::Create(row) | Self::Delete(row) | Self::Start(row) | Self::Reboot(row) => Some(row),
            _ => None,
        }
    }
}

/// The outcome of planning.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub changes: Vec<Change>,
    pub actions: Vec<Action>,
    /// When to look again unless something wakes us.
    pub again: Duration,
}

/// An outcome we do not know is looked for twice with this between the looks before the call may be made again: clouds show new objects late.
pub const SETTLE: Duration = Duration::seconds(15);
/// How often a cluster is looked at while nothing is asked for.
pub const WATCH: Duration = Duration::seconds(30);
/// Limits for a server to be ACTIVE and for a node to have bootstrapped.
pub const SERVER_LIMIT: Duration = Duration::minutes(10);
pub const BOOTSTRAP_LIMIT: Duration = Duration::minutes(12);
/// A node that worked and was not ready for so long is replaced.
pub const UNREADY_LIMIT: Duration = Duration::minutes(5);
/// A server that somebody powered off is started again after this, and counts as lost after that.
pub const OFF_START: Duration = Duration::minutes(5);
pub const OFF_LIMIT: Duration = Duration::minutes(15);
/// A cloud object that is changing for so long is stuck.
pub const STUCK: Duration = Duration::minutes(30);
/// Between two repairs that nobody asked for; the rest after one that failed, doubling; and how often that is tried.
pub const REPAIR_PAUSE: Duration = Duration::minutes(1);
pub const REPAIR_REST: Duration = Duration::minutes(10);
pub const REPAIR_RETRIES: u32 = 3;
/// After this a drain is given up and the node is taken away as it is.
pub const DRAIN_LIMIT: Duration = Duration::minutes(10);
/// How long a blocked operation rests before it looks again by itself.
pub const BLOCKED_REST: Duration = Duration::minutes(30);
/// Failed objects of one kind, or in the place of one volume, among those that an attempt made itself, which it replaces without asking.
pub const REPLACEMENTS: u32 = 2;

/// Decides. `fresh` gives new random ids.
pub fn plan(work: &Work, observed: &Observed, now: OffsetDateTime, fresh: &mut dyn FnMut() -> Uuid) -> Plan {
    let mut draft = Draft::new(work, observed, now);
    draft.resume_blocked();
    draft.begin_attempt();
    draft.observe_rows();
    draft.observe_nodes();
    draft.start_repair(fresh);
    draft.choose_nodes(fresh);
    draft.decide_parts(fresh);
    draft.decide_rotation();
    draft.decide_encryption();
    draft.adopt_inside(fresh);
    draft.decide_removals();
    draft.start_servers();
    draft.reboot_servers();
    draft.decide_kubernetes();
    draft.decide_addons();
    draft.conclude();
    draft.into_plan(work)
}

/// The working copy of one pass: the store's rows as they will be, compared with `work` at the end.
struct Draft<'a> {
    observed: &'a Observed,
    now: OffsetDateTime,
    next: Work,
    /// Nodes that were leaving already when the world was looked at.
    was_leaving: Vec<NodeId>,
    gone_nodes: Vec<Node>,
    cluster_gone: bool,
    /// The operation is one that this pass began.
    begun: bool,
    /// When the next call that failed is made again.
    retry_at: Option<OffsetDateTime>,
    actions: Vec<Action>,
    again: Duration,
}

impl<'a> Draft<'a> {
    fn new(work: &Work, observed: &'a Observed, now: OffsetDateTime) -> Self {
        let was_leaving = work.nodes.iter().filter(|n| n.intent == NodeIntent::Remove).map(|n| n.id).collect();
        Self {
            observed,
            now,
            next: work.clone(),
            was_leaving,
            gone_nodes: Vec::new(),
            cluster_gone: false,
            begun: false,
            retry_at: None,
            actions: Vec::new(),
            again: Duration::minutes(10),
        }
    }

    fn deleting(&self) -> bool {
        self.next.cluster.delete_requested_at.is_some()
    }

    /// Whether an operation may make and take away things now.
    fn active(&self) -> bool {
        use crate::operations::OperationState::{Pending, Running};
        self.project_fault().is_none() && self.next.operation.as_ref().is_some_and(|o| matches!(o.state, Pending | Running))
    }

    /// What stands against all that there is to do: the tenant's project was deleted or disabled.
    fn project_fault(&self) -> Option<Fault> {
        let project = &self.next.cluster.tenant;
        let (code, message) = match self.observed.project? {
            ProjectState::Enabled => return None,
            ProjectState::Disabled => (Code::TenantDisabled, format!("project {project} is disabled")),
            ProjectState::Gone => (Code::TenantGone, format!("there is no project {project} any more")),
        };
        Some(Fault { code, message, cloud_request_id: None, retryable: code.retryable(), object: None })
    }

    fn look(&self, kind: ResourceKind) -> Option<&'a [Object]> {
        match self.observed.looks.get(&kind) {
            Some(Look::Seen(objects)) => Some(objects),
            _ => None,
        }
    }

    fn live(&self, key: &str) -> Option<&LedgerRow> {
        self.next.live(key)
    }

    /// The object of a row whose id is known.
    fn object(&self, row: &LedgerRow) -> Option<&'a Object> {
        let id = row.cloud_id.as_deref()?;
        self.look(row.kind)?.iter().find(|o| o.id == id)
    }

    fn look_again_in(&mut self, wait: Duration) {
        self.again = self.again.min(wait.max(Duration::ZERO));
    }

    fn into_plan(mut self, work: &Work) -> Plan {
        // What goes makes room in quotas for what comes.
        self.actions.sort_by_key(|a| !matches!(a, Action::Delete(_)));
        let mut changes = Vec::new();
        let acted: Vec<ResourceId> = self.actions.iter().filter_map(|a| a.row().map(|r| r.id)).collect();
        for node in &self.next.nodes {
            if !work.nodes.contains(node) {
                changes.push(Change::Node(node.clone()));
            }
        }
        for row in &self.next.ledger {
            // Rows that an action carries are committed with it.
            if !acted.contains(&row.id) && !work.ledger.contains(row) {
                changes.push(Change::Ledger(row.clone()));
            }
        }
        changes.extend(self.gone_nodes.iter().map(|node| Change::NodeGone(node.id)));
        if self.next.cluster.status != work.cluster.status {
            changes.push(Change::Status(self.next.cluster.status.clone()));
        }
        if self.next.cluster.observed_generation != work.cluster.observed_generation {
            changes.push(Change::ObservedGeneration(self.next.cluster.observed_generation));
        }
        if let Some(operation) = &self.next.operation
            && work.operation.as_ref() != Some(operation)
        {
            changes.push(if self.begun { Change::OperationBegun(operation.clone()) } else { Change::Operation(operation.clone()) });
        }
        if self.cluster_gone {
            changes.push(Change::ClusterGone);
        }
        Plan { changes, actions: self.actions, again: self.again }
    }
}

/// Waits before the nth repetition of a failed call: 1 s doubling to 5 min.
#[must_use]
pub fn back_off(failures: u32) -> Duration {
    Duration::seconds(1_i64 << failures.saturating_sub(1).min(8)).min(Duration::minutes(5))
}
