//! Nodes: the virtual machines of a cluster.

use crate::errors::{Answer, Problem};
use crate::lists::List;
use crate::operations::OperationFault;
use actix_web::{HttpResponse, get};
use domain::codes::Code;
use domain::ids::ClusterId;
use domain::ids::NodeId;
use domain::ledger::ResourceState;
use domain::nodes::Bootstrap;
use domain::nodes::NodeRole;
use serde::Serialize;
use time::OffsetDateTime;

/// The server behind a node.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct NodeServer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The ledger's word: `intended`, `unknown`, `known`, `deleting`, ...
    pub state: ResourceState,
    /// Nova's status, while the cloud answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_id: Option<String>,
}

/// A node.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Node {
    pub id: NodeId,
    /// Of the server and of the Kubernetes node.
    pub name: String,
    pub pool: String,
    pub role: NodeRole,
    /// Whether Kubernetes calls it Ready; null: not seen yet.
    #[schema(required)]
    pub ready: Option<bool>,
    /// Whether it is being taken away.
    pub removing: bool,
    pub bootstrap: Bootstrap,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<OperationFault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<NodeServer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubelet_version: Option<String>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<OffsetDateTime>,
}

/// Nodes of a cluster, masters first.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path)), responses((status = 200, body = List<Node>)))]
#[get("/clusters/{id}/nodes")]
pub async fn node_list() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// The last lines of a node's console log: untrusted text.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path), ("node" = NodeId, Path)), responses((status = 200, body = ConsoleLog)))]
#[get("/clusters/{id}/nodes/{node}/console")]
pub async fn node_console() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// A server's console log.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ConsoleLog {
    pub text: String,
}
