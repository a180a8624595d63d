//! Nodes: what they are, and the calls they make while they start.

use crate::audit::{OwnEntry, RequestContext, append_own};
use crate::bundles::{self, BundleParts};
use crate::changes::{announce, wake};
use crate::error::{StoreError, count, unknown};
use crate::newer::{Readable, readable};
use crate::pool::{Store, read, write};
use auth::Scope;
use domain::ids::{ClusterId, NodeId, TenantId};
use domain::nodes::{Bootstrap, Fault, Node, NodeIntent, NodeRole};
use domain::settings::ApiAuditLevel;
use sealed::{KeyRing, TokenHash};
use serde_json::json;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// A node, and when it was planned.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeRecord {
    pub node: Node,
    pub created_at: OffsetDateTime,
}

/// A node asking for its bundle.
#[derive(Clone, Debug)]
pub enum BundleFetch {
    /// For the first time, in time: it may have it, made from this.
    First(Box<BundleParts>),
    /// It was handed out before, which is told, or it is too late.
    Refused,
    /// No node has this token.
    Unknown,
}

struct Row {
    id: Uuid,
    cluster_id: Uuid,
    name: String,
    role: String,
    pool: String,
    ordinal: i64,
    intent: String,
    bootstrap: Json<Readable<Bootstrap>>,
    ready: Option<bool>,
    created_at: OffsetDateTime,
    started_at: Option<OffsetDateTime>,
    joined_at: Option<OffsetDateTime>,
    unready_since: Option<OffsetDateTime>,
    leaving_since: Option<OffsetDateTime>,
    fault: Option<Json<Fault>>,
    key_generation: i64,
    api_audit: Option<String>,
    zones: Vec<String>,
    alarm_at: Option<OffsetDateTime>,
}

impl TryFrom<Row> for NodeRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let node = Node {
            id: NodeId(row.id),
            cluster: ClusterId(row.cluster_id),
            name: row.name,
            role: match row.role.as_str() {
                "master" => NodeRole::Master,
                "worker" => NodeRole::Worker,
                other => return Err(unknown("role", other)),
            },
            pool: row.pool,
            ordinal: count("ordinal", row.ordinal)?,
            intent: match row.intent.as_str() {
                "keep" => NodeIntent::Keep,
                "remove" => NodeIntent::Remove,
                other => return Err(unknown("intent", other)),
            },
            bootstrap: row.bootstrap.0.read("how far a node's bootstrap is")?,
            ready: row.ready,
            started_at: row.started_at,
            joined_at: row.joined_at,
            unready_since: row.unready_since,
            leaving_since: row.leaving_since,
            fault: row.fault.map(|f| f.0),
            alarm_at: row.alarm_at,
            key_generation: count("key generation", row.key_generation)?,
            // One that only a newer program knows is none that this one could want.
            api_audit: row.api_audit.as_deref().and_then(ApiAuditLevel::parse),
            zones: row.zones,
        };
        Ok(Self { node, created_at: row.created_at })
    }
}

impl Store {
    /// The nodes of a cluster in reach.
    pub async fn nodes(&self, scope: &Scope, cluster: ClusterId) -> Result<Vec<NodeRecord>, StoreError> {
        crate::clusters::reach(scope, cluster)?;
        let found = read(&self.api, (scope.clone(), cluster), |db, (scope, cluster)| Box::pin(find(db, scope.predicate(), *cluster))).await?;
        Ok(readable(found))
    }

    /// A node asks for its bundle: once, and within the time its token is good for.
    pub async fn node_fetch_bundle(&self, token: TokenHash, context: RequestContext) -> Result<BundleFetch, StoreError> {
        write(&self.api, (self.keys.clone(), token, context), |db, (keys, token, context)| Box::pin(fetch_bundle(db, keys, token, context))).await
    }

    /// What a master is given: which list of keys for Secrets, and the level of the audit. Noted before it leaves, so that what a master may have booted
    /// with is known of each. `NotFound`: the node is gone, and is to get none.
    pub async fn master_given(&self, cluster: ClusterId, node: NodeId, generation: u32, audit: ApiAuditLevel) -> Result<(), StoreError> {
        write(&self.api, (cluster, node, generation, audit), |db, (cluster, node, generation, audit)| {
            Box::pin(async move {
                let noted = sqlx::query!(
                    "UPDATE nodes SET key_generation = $3, api_audit = $4 WHERE id = $1 AND cluster_id = $2",
                    node.0,
                    cluster.0,
                    i64::from(*generation),
                    audit.as_str(),
                )
                .execute(db)
                .await?;
                if noted.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
            })
        })
        .await
    }

    /// A node tells how far it is; its token is good for that until it expires, and for ever once the bundle was fetched. False: no node has this token.
    pub async fn node_report(&self, token: TokenHash, bootstrap: Bootstrap) -> Result<bool, StoreError> {
        write(&self.api, (token, bootstrap), |db, (token, bootstrap)| Box::pin(report(db, token, bootstrap))).await
    }
}

/// Every one of them: whoever cannot read one does nothing about the cluster.
pub(crate) async fn rows(db: &mut PgConnection, tenant: Option<&str>, cluster: ClusterId) -> Result<Vec<NodeRecord>, StoreError> {
    find(db, tenant, cluster).await?.into_iter().map(NodeRecord::try_from).collect()
}

async fn find(db: &mut PgConnection, tenant: Option<&str>, cluster: ClusterId) -> Result<Vec<Row>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT n.id, n.cluster_id, n.name, n.role, n.pool, n.ordinal, n.intent, n.bootstrap AS "bootstrap: Json<Readable<Bootstrap>>", n.ready,
                  n.created_at, n.started_at, n.joined_at, n.unready_since, n.leaving_since, n.fault AS "fault: Json<Fault>",
                  n.key_generation, n.api_audit, n.zones, k.alarm_at
           FROM nodes n JOIN clusters c ON c.id = n.cluster_id
                LEFT JOIN node_credentials k ON k.node_id = n.id AND k.fetched_at IS NOT NULL
           WHERE n.cluster_id = $1 AND ($2::text IS NULL OR c.tenant_id = $2) ORDER BY n.role, n.pool, n.ordinal"#,
        cluster.0,
        tenant,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// Writes a node, but not how far its bootstrap is and what it was given: that is noted when the node calls.
pub(crate) async fn put(db: &mut PgConnection, node: &Node) -> Result<(), StoreError> {
    let role = if node.role == NodeRole::Master { "master" } else { "worker" };
    let intent = if node.intent == NodeIntent::Keep { "keep" } else { "remove" };
    sqlx::query!(
        "INSERT INTO nodes (id, cluster_id, name, role, pool, ordinal, intent, bootstrap, ready, started_at, joined_at, fault, unready_since, leaving_since,
                            zones)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         ON CONFLICT (id) DO UPDATE SET intent = $7, ready = $9, started_at = $10, joined_at = $11, fault = $12, unready_since = $13, leaving_since = $14",
        node.id.0,
        node.cluster.0,
        node.name,
        role,
        node.pool,
        i64::from(node.ordinal),
        intent,
        Json(&node.bootstrap) as _,
        node.ready,
        node.started_at,
        node.joined_at,
        node.fault.as_ref().map(Json) as _,
        node.unready_since,
        node.leaving_since,
        &node.zones,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn remove(db: &mut PgConnection, cluster: ClusterId, node: NodeId) -> Result<(), StoreError> {
    sqlx::query!("DELETE FROM secrets WHERE owner = $1", format!("node/{node}")).execute(&mut *db).await?;
    sqlx::query!("DELETE FROM nodes WHERE id = $1 AND cluster_id = $2", node.0, cluster.0).execute(db).await?;
    Ok(())
}

async fn fetch_bundle(db: &mut PgConnection, keys: &KeyRing, token: &TokenHash, context: &RequestContext) -> Result<BundleFetch, StoreError> {
    let hash = token.as_bytes() as &[u8];
    let Some(bearer) = bearer(db, token).await? else { return Ok(BundleFetch::Unknown) };
    let first = sqlx::query!(
        "UPDATE node_credentials SET fetched_at = now(), fetched_from = $2
         WHERE token_hash = $1 AND fetched_at IS NULL AND expires_at > now() RETURNING node_id",
        hash,
        context.source,
    )
    .fetch_optional(&mut *db)
    .await?;
    if first.is_none() {
        alarm(db, &bearer, hash, context).await?;
        return Ok(BundleFetch::Refused);
    }
    tell(db, &bearer, &Bootstrap::Fetched { at: OffsetDateTime::now_utc() }).await?;
    // Where it cannot be read here, nothing of this has been: the node asks again, and may come to a process that can.
    Ok(BundleFetch::First(Box::new(bundles::parts(db, keys, bearer.cluster, bearer.node).await?)))
}

/// A bundle that was handed out is asked for once more: its first answer was lost, or somebody else has the node's token. Told once, with both sources.
async fn alarm(db: &mut PgConnection, bearer: &Bearer, hash: &[u8], context: &RequestContext) -> Result<(), StoreError> {
    let given = sqlx::query!(
        "UPDATE node_credentials k SET alarm_at = now() FROM nodes n
         WHERE k.token_hash = $1 AND k.fetched_at IS NOT NULL AND k.alarm_at IS NULL AND n.id = k.node_id
         RETURNING n.name, k.fetched_at, k.fetched_from",
        hash,
    )
    .fetch_optional(&mut *db)
    .await?;
    let Some(given) = given else { return Ok(()) };
    let first_at = given.fetched_at.and_then(|at| at.format(&Rfc3339).ok());
    let detail = json!({"name": given.name, "first_at": first_at, "first_from": given.fetched_from});
    let (id, tenant, cluster) = (bearer.node.to_string(), Some(&bearer.tenant), Some(bearer.cluster));
    let entry = OwnEntry { tenant, action: "node_bundle_twice", object: ("node", &id), cluster, operation: None, outcome: "denied", detail };
    append_own(db, &entry, context).await?;
    wake(db, bearer.cluster).await?;
    announce(db, &bearer.tenant, bearer.cluster, None).await
}

async fn report(db: &mut PgConnection, token: &TokenHash, bootstrap: &Bootstrap) -> Result<bool, StoreError> {
    let Some(bearer) = bearer(db, token).await? else { return Ok(false) };
    let good = sqlx::query!(
        "SELECT node_id FROM node_credentials WHERE token_hash = $1 AND (fetched_at IS NOT NULL OR expires_at > now())",
        token.as_bytes() as &[u8]
    )
    .fetch_optional(&mut *db)
    .await?;
    if good.is_none() {
        return Ok(false);
    }
    tell(db, &bearer, bootstrap).await?;
    Ok(true)
}

/// Who bears a token.
struct Bearer {
    node: NodeId,
    cluster: ClusterId,
    tenant: TenantId,
}

/// Finds the node of a token and locks its cluster, as every writer about a cluster does first: a node that tells something while the engine
/// commits waits for it, instead of each holding what the other wants.
async fn bearer(db: &mut PgConnection, token: &TokenHash) -> Result<Option<Bearer>, StoreError> {
    let row = sqlx::query!(
        "SELECT n.id, n.cluster_id, c.tenant_id FROM node_credentials k JOIN nodes n ON n.id = k.node_id JOIN clusters c ON c.id = n.cluster_id
         WHERE k.token_hash = $1 FOR NO KEY UPDATE OF c",
        token.as_bytes() as &[u8]
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| Bearer { node: NodeId(r.id), cluster: ClusterId(r.cluster_id), tenant: TenantId(r.tenant_id) }))
}

/// Records what a node said, and wakes the engine.
async fn tell(db: &mut PgConnection, bearer: &Bearer, bootstrap: &Bootstrap) -> Result<(), StoreError> {
    sqlx::query!("UPDATE nodes SET bootstrap = $2 WHERE id = $1", bearer.node.0, Json(bootstrap) as _).execute(&mut *db).await?;
    wake(db, bearer.cluster).await?;
    announce(db, &bearer.tenant, bearer.cluster, None).await
}
