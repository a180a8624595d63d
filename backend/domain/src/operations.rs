//! Operations: one long change asked for, with its steps, progress and result.

use crate::ids::{ClusterId, NodeId, OperationId};
use crate::ledger::{LedgerRow, ResourceState};
use crate::newer::{Word, kept, words};
use crate::nodes::Fault;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

/// Who began a repair that nobody asked for.
pub const ENGINE: &str = "engine";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationKind {
    ClusterCreate,
    /// Make whole what is missing, broken or changed behind our back.
    ClusterRepair,
    ControlPlaneResize,
    NodePoolCreate,
    NodePoolResize,
    NodePoolDelete,
    /// Put a new node in the place of one.
    NodeReplace,
    /// Empty a node; it stays, closed to new pods.
    NodeDrain,
    NodeReboot,
    /// Put a new cloud credential in the place of the cluster's.
    CredentialRotate,
    /// Put a new key in the place of the one that encrypts the cluster's Secrets in etcd.
    EncryptionKeyRotate,
    /// Have the cluster's own API write down more of its calls, or less.
    ApiAuditChange,
    /// Let others connect to the cluster's API: everybody, or these ranges.
    ApiAccessChange,
    ClusterDelete,
    /// One that a newer program has written beside this one: shown and kept as it is, and left to that. Made by reading rows only.
    Newer(&'static str),
}

impl OperationKind {
    /// All that this program knows.
    pub const ALL: [Self; 14] = [
        Self::ClusterCreate,
        Self::ClusterRepair,
        Self::ControlPlaneResize,
        Self::NodePoolCreate,
        Self::NodePoolResize,
        Self::NodePoolDelete,
        Self::NodeReplace,
        Self::NodeDrain,
        Self::NodeReboot,
        Self::CredentialRotate,
        Self::EncryptionKeyRotate,
        Self::ApiAuditChange,
        Self::ApiAccessChange,
        Self::ClusterDelete,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClusterCreate => "cluster_create",
            Self::ClusterRepair => "cluster_repair",
            Self::ControlPlaneResize => "control_plane_resize",
            Self::NodePoolCreate => "node_pool_create",
            Self::NodePoolResize => "node_pool_resize",
            Self::NodePoolDelete => "node_pool_delete",
            Self::NodeReplace => "node_replace",
            Self::NodeDrain => "node_drain",
            Self::NodeReboot => "node_reboot",
            Self::CredentialRotate => "credential_rotate",
            Self::EncryptionKeyRotate => "encryption_key_rotate",
            Self::ApiAuditChange => "api_audit_change",
            Self::ApiAccessChange => "api_access_change",
            Self::ClusterDelete => "cluster_delete",
            Self::Newer(text) => text,
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }

    /// As it stands in a row.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self::parse(&text).unwrap_or_else(|| Self::Newer(kept(text)))
    }

    /// How long one attempt may take before it is given up; a repair that replaces masters has more.
    #[must_use]
    pub fn limit(self) -> Duration {
        match self {
            Self::ClusterCreate | Self::ClusterRepair => Duration::hours(1),
            Self::ControlPlaneResize | Self::NodePoolCreate | Self::NodePoolResize | Self::NodePoolDelete | Self::NodeReplace => {
                Duration::minutes(45)
            }
            Self::NodeDrain | Self::NodeReboot | Self::CredentialRotate | Self::ApiAccessChange => Duration::minutes(20),
            // Three rounds of up to five masters, one after the other. Of what is not known here nothing is begun.
            Self::EncryptionKeyRotate | Self::Newer(_) => Duration::hours(6),
            // One such round.
            Self::ApiAuditChange | Self::ClusterDelete => Duration::hours(2),
        }
    }
}

words!(OperationKind, None::<&str>);

/// `Blocked`: it cannot go on without somebody's act (quota, rights), which its error names; it looks again by itself, rarely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationState {
    Pending,
    Running,
    Blocked,
    Succeeded,
    Failed,
    Cancelled,
    /// One that a newer program has written beside this one: shown and kept as it is, and not taken for an end. Made by reading rows only.
    Newer(&'static str),
}

impl OperationState {
    /// All that this program knows.
    pub const ALL: [Self; 6] = [Self::Pending, Self::Running, Self::Blocked, Self::Succeeded, Self::Failed, Self::Cancelled];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Blocked => "blocked",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Newer(text) => text,
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }

    /// As it stands in a row.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self::parse(&text).unwrap_or_else(|| Self::Newer(kept(text)))
    }

    /// Whether nothing more will happen by itself.
    #[must_use]
    pub fn ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

const STATES: &str = "`Blocked`: it cannot go on without somebody's act (quota, rights), which its error names; it looks again by itself, rarely.";
words!(OperationState, Some(STATES));

/// The named steps, in the order they are shown. One enum for all kinds of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKey {
    // create
    Credential,
    Network,
    ApiLoadBalancer,
    FirstMaster,
    ApiReady,
    OtherMasters,
    // repair and resize of masters, change of the audit of their API
    Masters,
    // create and resize
    NodePools,
    // create
    Addons,
    // node verbs
    Replacement,
    Drain,
    Reboot,
    // change of the key of Secrets
    KeyReadable,
    KeyInUse,
    SecretsRewritten,
    OldKeyRemoved,
    // create, resize, repair
    Health,
    // resize and delete
    RemoveNodes,
    // delete
    DeleteLoadBalancer,
    DeleteNetwork,
    Scan,
    DeleteCredential,
    /// One that a newer program has written beside this one: shown and kept as it is, and never taken for done. Made by reading only.
    #[serde(untagged)]
    Newer(Word),
}

impl StepKey {
    /// All that this program knows.
    pub const ALL: [Self; 22] = [
        Self::Credential,
        Self::Network,
        Self::ApiLoadBalancer,
        Self::FirstMaster,
        Self::ApiReady,
        Self::OtherMasters,
        Self::Masters,
        Self::NodePools,
        Self::Addons,
        Self::Replacement,
        Self::Drain,
        Self::Reboot,
        Self::KeyReadable,
        Self::KeyInUse,
        Self::SecretsRewritten,
        Self::OldKeyRemoved,
        Self::Health,
        Self::RemoveNodes,
        Self::DeleteLoadBalancer,
        Self::DeleteNetwork,
        Self::Scan,
        Self::DeleteCredential,
    ];
}

impl utoipa::ToSchema for StepKey {}

impl utoipa::PartialSchema for StepKey {
    fn schema() -> RefOr<Schema> {
        let keys = Self::ALL.iter().filter_map(|key| serde_json::to_value(key).ok());
        let text = "The named steps, in the order they are shown. One enum for all kinds of operation.";
        ObjectBuilder::new().schema_type(Type::String).description(Some(text)).enum_values(Some(keys)).into()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    #[default]
    Pending,
    Running,
    Succeeded,
    Failed,
    Skipped,
}

/// One step as shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Step {
    pub key: StepKey,
    #[serde(deserialize_with = "crate::newer::known_word")]
    pub state: StepState,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none", default)]
    pub started_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none", default)]
    pub finished_at: Option<OffsetDateTime>,
    /// Seconds this step usually takes (median of past operations, or an estimate where there are none).
    pub usual_seconds: u32,
    /// Parts done and parts in all (nodes ready, objects made).
    pub done: u32,
    pub total: u32,
    /// What is being waited for now: a short CamelCase word the console has a sentence for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub waiting_for: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fault: Option<Fault>,
    /// The cloud objects of this step.
    #[serde(default, deserialize_with = "crate::newer::known")]
    pub resources: Vec<StepResource>,
}

/// A cloud object behind a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StepResource {
    pub kind: crate::ledger::ResourceKind,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cloud_id: Option<String>,
    /// The ledger's or the cloud's word for its state.
    pub state: String,
}

/// What is to become of a volume when its cluster is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VolumeFate {
    Keep,
    Erase,
}

/// One word for all volumes, or one for each id; a volume that is not named is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum VolumeChoice {
    All(VolumeFate),
    Each(BTreeMap<String, VolumeFate>),
}

impl VolumeChoice {
    #[must_use]
    pub fn erases(&self, id: &str) -> bool {
        match self {
            Self::All(fate) => *fate == VolumeFate::Erase,
            Self::Each(fates) => fates.get(id) == Some(&VolumeFate::Erase),
        }
    }
}

/// What a delete did, object by object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Receipt {
    #[serde(deserialize_with = "crate::newer::known")]
    pub removed: Vec<ReceiptLine>,
    #[serde(deserialize_with = "crate::newer::known")]
    pub kept: Vec<ReceiptLine>,
    /// What the final scan found still there. A delete only succeeds when this is empty.
    #[serde(deserialize_with = "crate::newer::known")]
    pub left: Vec<ReceiptLine>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none", default)]
    pub scanned_at: Option<OffsetDateTime>,
    /// What was recorded in the cloud when the cluster was written off: nobody has looked whether it is still there. Absent: it was not written off.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unseen: Option<Vec<ReceiptLine>>,
}

impl Receipt {
    /// Of a cluster that is written off with this ledger; `begun`: that of its deletion so far.
    #[must_use]
    pub fn written_off(begun: Option<Self>, ledger: &[LedgerRow]) -> Self {
        let line = |row: &LedgerRow| ReceiptLine { kind: row.kind, name: row.name.clone(), cloud_id: row.cloud_id.clone() };
        let removed = ledger.iter().filter(|row| row.state == ResourceState::Gone && row.cloud_id.is_some());
        let unseen = ledger.iter().filter(|row| !matches!(row.state, ResourceState::Gone | ResourceState::Intended));
        Self { removed: removed.map(line).collect(), left: Vec::new(), unseen: Some(unseen.map(line).collect()), ..begun.unwrap_or_default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReceiptLine {
    pub kind: crate::ledger::ResourceKind,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cloud_id: Option<String>,
}

/// An operation as the store keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    pub id: OperationId,
    pub cluster: ClusterId,
    pub kind: OperationKind,
    pub state: OperationState,
    /// 0 to 100, never falling.
    pub progress: u32,
    pub steps: Vec<Step>,
    /// The nodes it is about: those to leave a pool, to be replaced, drained or rebooted.
    pub nodes: Vec<NodeId>,
    /// A deletion: what is to become of the volumes that workloads made.
    pub volumes: Option<VolumeChoice>,
    pub fault: Option<Fault>,
    pub receipt: Option<Receipt>,
    pub created_at: OffsetDateTime,
    pub created_by: String,
    pub started_at: Option<OffsetDateTime>,
    /// When the present attempt began, after a retry; what it may replace by itself is counted from here.
    pub resumed_at: Option<OffsetDateTime>,
    pub finished_at: Option<OffsetDateTime>,
    /// When the engine tries again, while it waits or is blocked.
    pub next_attempt_at: Option<OffsetDateTime>,
    /// After this the operation fails.
    pub deadline_at: OffsetDateTime,
    /// How often it was retried.
    pub retries: u32,
}

impl Operation {
    /// A new one, to be begun by the engine's next pass.
    #[must_use]
    pub fn new(id: OperationId, cluster: ClusterId, kind: OperationKind, created_by: &str, now: OffsetDateTime) -> Self {
        Self {
            id,
            cluster,
            kind,
            state: OperationState::Pending,
            progress: 0,
            steps: Vec::new(),
            nodes: Vec::new(),
            volumes: None,
            fault: None,
            receipt: None,
            created_at: now,
            created_by: created_by.to_owned(),
            started_at: None,
            resumed_at: None,
            finished_at: None,
            next_attempt_at: None,
            deadline_at: now + kind.limit(),
            retries: 0,
        }
    }

    /// Whether the engine began it by itself: a person's operation takes its place.
    #[must_use]
    pub fn automatic(&self) -> bool {
        self.kind == OperationKind::ClusterRepair && self.created_by == ENGINE
    }

    /// Whether only a newer program, which has written it beside this one, knows what is to become of it.
    #[must_use]
    pub fn newer(&self) -> bool {
        matches!(self.kind, OperationKind::Newer(_)) || matches!(self.state, OperationState::Newer(_))
    }

    /// Whether somebody's word lets it go on at once: it has failed, or stands still until its next try.
    #[must_use]
    pub fn retryable(&self) -> bool {
        let waits = self.state == OperationState::Running && self.next_attempt_at.is_some();
        !self.newer() && (waits || matches!(self.state, OperationState::Failed | OperationState::Blocked))
    }

    /// Whether it can be stopped where it is. A deletion cannot: what is gone is gone. A change of the key of Secrets cannot once it was begun:
    /// there are two keys then, and only its end makes them one. Of what only a newer program knows this one cannot tell.
    #[must_use]
    pub fn cancellable(&self) -> bool {
        let stoppable = match self.kind {
            OperationKind::ClusterDelete => false,
            OperationKind::EncryptionKeyRotate => self.started_at.is_none(),
            _ => true,
        };
        stoppable && !self.state.ended() && !self.newer()
    }

    /// Since when the present attempt runs.
    #[must_use]
    pub fn attempt_at(&self) -> Option<OffsetDateTime> {
        self.resumed_at.or(self.started_at)
    }
}
