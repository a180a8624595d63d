//! A node: one virtual machine of a cluster, from its plan to its end. A failed one is never mended, only replaced under a new name.

use crate::codes::Code;
use crate::ids::{ClusterId, NodeId};
use crate::names;
use crate::settings::{ApiAuditLevel, ApiAuditSpec};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// What a node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeRole {
    Master,
    Worker,
}

/// The name of the pool that masters belong to.
pub const CONTROL_PLANE_POOL: &str = "control-plane";

/// How far a node's bootstrap has come, as the node itself told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Bootstrap {
    /// The server has not called yet.
    Waiting,
    /// The one-time bundle was handed out.
    Fetched {
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
    /// `stage`: `preparing`, `kubeadm`.
    Running {
        stage: String,
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
    Done {
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
    /// `lines`: the last lines of the log, secrets removed.
    Failed {
        lines: String,
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
}

/// Whether a node is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeIntent {
    Keep,
    /// To be taken away, with all its cloud objects.
    Remove,
}

/// A node as the store keeps it. Rows of nodes that are gone are deleted; the ledger keeps what was.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub id: NodeId,
    pub cluster: ClusterId,
    /// Name of the server, of the Kubernetes node, and part of the names of its port and volume.
    pub name: String,
    pub role: NodeRole,
    /// `control-plane` for masters.
    pub pool: String,
    /// Number in the pool; never used again after the node is gone.
    pub ordinal: u32,
    pub intent: NodeIntent,
    pub bootstrap: Bootstrap,
    /// Whether Kubernetes calls the node Ready; None: not seen yet or not known.
    pub ready: Option<bool>,
    /// When the server was first asked for; start of the time limits.
    pub started_at: Option<OffsetDateTime>,
    /// When it first was Ready.
    pub joined_at: Option<OffsetDateTime>,
    /// Since when it has not been Ready, after it had joined; starts anew after we could not look.
    pub unready_since: Option<OffsetDateTime>,
    /// Since when it is to be taken away.
    pub leaving_since: Option<OffsetDateTime>,
    /// Why it failed, if it did.
    pub fault: Option<Fault>,
    /// When its bundle was asked for once more after it was handed out: whoever else did so has its token.
    pub alarm_at: Option<OffsetDateTime>,
    /// A master: which list of keys for Secrets it booted with, noted when its bundle is given out. 0: the one its cluster was made with, or none yet.
    pub key_generation: u32,
    /// A master: at which level its API server was told to write down calls, noted in the same moment. None: it has booted with nothing yet, or was given
    /// its bundle by a program of before (`audited`).
    pub api_audit: Option<ApiAuditLevel>,
    /// The last is the zone it was planned for; those before it had no room for the nodes in whose place it is. Empty: the cloud chooses, or a program of
    /// before has planned it.
    pub zones: Vec<String>,
}

impl Node {
    /// One that is to be made.
    #[must_use]
    pub fn new(id: NodeId, cluster: ClusterId, role: NodeRole, pool: &str, ordinal: u32) -> Self {
        Self {
            id,
            cluster,
            name: format!("{}{ordinal}", names::role_prefix(cluster, role)),
            role,
            pool: pool.to_owned(),
            ordinal,
            intent: NodeIntent::Keep,
            bootstrap: Bootstrap::Waiting,
            ready: None,
            started_at: None,
            joined_at: None,
            unready_since: None,
            leaving_since: None,
            fault: None,
            alarm_at: None,
            key_generation: 0,
            api_audit: None,
            zones: Vec::new(),
        }
    }

    /// A master that has booted: at which level its API server writes down calls. Programs of before could not change it: what they gave is what the cluster
    /// was made with.
    #[must_use]
    pub fn audited(&self, audit: &ApiAuditSpec) -> ApiAuditLevel {
        self.api_audit.unwrap_or_else(|| audit.first())
    }

    /// Where its server belongs, of the zones wished for its pool; None: the cloud chooses.
    #[must_use]
    pub fn zone<'a>(&'a self, wished: &'a [String]) -> Option<&'a str> {
        // Programs of before went by the number.
        let by_number = || wished.get(self.ordinal as usize % wished.len().max(1));
        self.zones.last().or_else(by_number).map(String::as_str)
    }
}

/// What went wrong, in our words (code) and the cloud's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Fault {
    pub code: Code,
    /// The cloud's or the node's own words, at most 2,000 characters.
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cloud_request_id: Option<String>,
    /// Whether waiting or retrying can help.
    pub retryable: bool,
    /// Which object it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub object: Option<String>,
}
