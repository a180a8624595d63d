//! Nodes: the virtual machines of a cluster.

use crate::caller::Caller;
use crate::errors::{Answer, Problem};
use crate::lists::List;
use crate::operations::OperationFault;
use crate::sight;
use crate::state::State;
use crate::veil::veiled;
use actix_web::get;
use actix_web::web::{Data, Json, Path};
use auth::NodeOperate;
use cloud::compute::{Server, ServerStatus};
use domain::codes::Code;
use domain::ids::{ClusterId, NodeId};
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};
use domain::names::node_prefix;
use domain::nodes::{Bootstrap, NodeIntent, NodeRole};
use domain::plan::node_key;
use kube_access::reads::{KubernetesNode, NodeCondition};
use serde::Serialize;
use store::NodeRecord;
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
    /// Whether Kubernetes calls it Ready; null: not seen yet, or not known.
    #[schema(required)]
    pub ready: Option<bool>,
    /// When it first was Ready.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub joined_at: Option<OffsetDateTime>,
    /// Since when it has not been Ready after it had joined. Absent while nobody can tell, because the cluster's API does not answer.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub unready_since: Option<OffsetDateTime>,
    /// The cluster's own word and sentence for why it is not Ready, while its API answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unready_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unready_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unready_code: Option<Code>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unready_remedy: Option<String>,
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

/// A server's console log.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ConsoleLog {
    pub text: String,
}

/// The row of a node's part, the youngest if there were several.
fn row<'a>(ledger: &'a [LedgerRow], kind: ResourceKind, node: &str) -> Option<&'a LedgerRow> {
    let key = node_key(kind, node);
    ledger.iter().filter(|r| r.key == key && r.state != ResourceState::Gone).max_by_key(|r| r.created_at)
}

fn status_word(status: &ServerStatus) -> String {
    match status {
        ServerStatus::Build => "BUILD".to_owned(),
        ServerStatus::Active => "ACTIVE".to_owned(),
        ServerStatus::Shutoff => "SHUTOFF".to_owned(),
        ServerStatus::Error => "ERROR".to_owned(),
        ServerStatus::Deleted => "DELETED".to_owned(),
        ServerStatus::Other(word) => word.clone(),
    }
}

/// What the cluster says of a node that it does not find Ready.
fn unready(inside: &KubernetesNode) -> Option<&NodeCondition> {
    inside.conditions.iter().find(|c| c.kind == "Ready" && c.status != "True")
}

impl Node {
    fn new(record: NodeRecord, ledger: &[LedgerRow], servers: &[Server], inside: Option<&KubernetesNode>) -> Self {
        let node = record.node;
        let unready = inside.and_then(unready).filter(|_| node.ready != Some(true));
        // One that has not joined yet is no better off for being replaced.
        let code = node.unready_since.map(|_| Code::NodeUnready);
        let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let server = row(ledger, ResourceKind::Server, &node.name).map(|server_row| {
            let seen = servers.iter().find(|s| Some(&s.id) == server_row.cloud_id.as_ref());
            NodeServer {
                id: server_row.cloud_id.clone(),
                state: server_row.state,
                status: seen.map(|s| status_word(&s.status)),
                zone: seen.and_then(|s| s.zone.clone()),
                volume_id: row(ledger, ResourceKind::Volume, &node.name).and_then(|r| r.cloud_id.clone()),
            }
        });
        Self {
            address: row(ledger, ResourceKind::Port, &node.name).and_then(|r| r.address.clone()),
            id: node.id,
            name: node.name,
            pool: node.pool,
            role: node.role,
            ready: node.ready,
            joined_at: node.joined_at,
            unready_since: node.unready_since,
            unready_reason: unready.and_then(|c| said(&c.reason)),
            unready_message: unready.and_then(|c| said(&c.message)),
            unready_code: code,
            unready_remedy: code.map(|code| code.remedy().to_owned()),
            removing: node.intent == NodeIntent::Remove,
            bootstrap: node.bootstrap,
            fault: node.fault.map(OperationFault::from),
            server,
            kubelet_version: inside.map(|n| n.version.clone()),
            created_at: Some(record.created_at),
        }
    }
}

/// Nodes of a cluster, masters first.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path)), responses((status = 200, body = List<Node>)))]
#[get("/clusters/{id}/nodes")]
pub async fn node_list(caller: Caller, state: Data<State>, id: Path<ClusterId>) -> Answer<Json<List<Node>>> {
    let record = sight::whole(&state, &caller.actor, *id).await?;
    let scope = caller.actor.scope();
    let (mut nodes, ledger) = tokio::try_join!(state.store.nodes(&scope, *id), state.store.ledger(&scope, *id))?;
    nodes.sort_by(|a, b| {
        (a.node.role != NodeRole::Master, &a.node.pool, a.node.ordinal).cmp(&(b.node.role != NodeRole::Master, &b.node.pool, b.node.ordinal))
    });
    // What the cloud and the cluster add is shown while they answer.
    let servers = async { Answer::Ok(caller.cloud(&state).await?.compute.servers(&node_prefix(*id)).await?) };
    let servers = tokio::time::timeout(crate::kubernetes::DECORATION, servers);
    let (servers, inside) = tokio::join!(servers, crate::kubernetes::nodes_inside(&state, &caller, &record));
    let servers = servers.ok().and_then(Result::ok).unwrap_or_default();
    let items = nodes.into_iter().map(|n| {
        let inside = inside.get(&n.node.name);
        Node::new(n, &ledger, &servers, inside)
    });
    Ok(Json(List::whole(items.collect())))
}

/// How many lines of a console log are sent.
const CONSOLE_LINES: u32 = 300;

/// The last lines of a node's console log, without what looks like a token or a private key: untrusted text, for whoever may operate nodes.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path), ("node" = NodeId, Path)), responses((status = 200, body = ConsoleLog)))]
#[get("/clusters/{id}/nodes/{node}/console")]
pub async fn node_console(caller: Caller, state: Data<State>, path: Path<(ClusterId, NodeId)>) -> Answer<Json<ConsoleLog>> {
    let (id, node) = path.into_inner();
    let record = sight::whole(&state, &caller.actor, id).await?;
    // Whatever a node says as it boots is in there, and with a token of ours the project's service user asks for it: Nova does not decide.
    caller.actor.may::<NodeOperate>(&record)?;
    let scope = caller.actor.scope();
    let (nodes, ledger) = tokio::try_join!(state.store.nodes(&scope, id), state.store.ledger(&scope, id))?;
    let node = nodes.into_iter().find(|n| n.node.id == node).ok_or_else(Problem::not_found)?;
    let server = row(&ledger, ResourceKind::Server, &node.node.name).and_then(|r| r.cloud_id.clone()).ok_or_else(Problem::not_found)?;
    let text = caller.cloud(&state).await?.compute.console_output(&server, CONSOLE_LINES).await?;
    Ok(Json(ConsoleLog { text: veiled(&text) }))
}
