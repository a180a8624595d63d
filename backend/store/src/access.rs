//! What one person holds of KCS's own, each by itself, for operators: sessions, programs that may fetch a token, API tokens and kubeconfigs.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::changes::announce_person;
use crate::error::{StoreError, unknown};
use crate::pool::{Store, read, write};
use auth::{Actor, OperatorScope, Project};
use domain::access::HeldKind;
use domain::ids::{ClusterId, HeldId, TenantId};
use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// One of the things that a person holds and that are good now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRecord {
    /// A session or a program has no id of its own: theirs is made of their hash, and opens nothing.
    pub id: HeldId,
    pub kind: HeldKind,
    /// What it is for, or the program's host; None: a session.
    pub name: Option<String>,
    /// The person's name.
    pub owner: String,
    pub project: Project,
    /// A kubeconfig's.
    pub cluster: Option<(ClusterId, String)>,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub last_used_at: Option<OffsetDateTime>,
    /// The address a token was last used from.
    pub last_used_from: Option<String>,
}

struct Row {
    id: Uuid,
    kind: String,
    name: Option<String>,
    owner: String,
    project_id: String,
    project_name: String,
    cluster_id: Option<Uuid>,
    cluster_name: Option<String>,
    created_at: OffsetDateTime,
    expires_at: OffsetDateTime,
    used_at: Option<OffsetDateTime>,
    used_from: Option<String>,
}

impl TryFrom<Row> for HeldRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: HeldId(row.id),
            kind: HeldKind::parse(&row.kind).ok_or_else(|| unknown("kind", &row.kind))?,
            name: row.name,
            owner: row.owner,
            project: Project { id: TenantId(row.project_id), name: row.project_name },
            cluster: row.cluster_id.map(ClusterId).zip(row.cluster_name),
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.used_at,
            last_used_from: row.used_from,
        })
    }
}

impl Store {
    /// All that a person holds, the newest first.
    pub async fn access(&self, _: OperatorScope, person: String) -> Result<Vec<HeldRecord>, StoreError> {
        read(&self.api, person, |db, person| Box::pin(find(db, person, None))).await
    }

    /// Ends one of them; whoever holds a stream open with it is told.
    pub async fn access_end(
        &self,
        _: OperatorScope,
        operator: &Actor,
        person: String,
        id: HeldId,
        context: RequestContext,
    ) -> Result<(), StoreError> {
        let data = (operator.clone(), person, id, context);
        write(&self.api, data, |db, (operator, person, id, context)| Box::pin(end(db, operator, person, *id, context))).await
    }
}

async fn find(db: &mut PgConnection, person: &str, id: Option<HeldId>) -> Result<Vec<HeldRecord>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        r#"WITH held AS (
               SELECT left(encode(sha256(id_hash), 'hex'), 32)::uuid AS id, 'session' AS kind, NULL::text AS name, user_name AS owner, project_id, project_name,
                      NULL::uuid AS cluster_id, NULL::text AS cluster_name, created_at, expires_at, last_seen_at AS used_at, NULL::text AS used_from
               FROM sessions WHERE user_id = $1 AND expires_at > now()
               UNION ALL
               SELECT left(encode(sha256(device_hash), 'hex'), 32)::uuid, 'device', host_name, approval -> 'user' ->> 'name', approval -> 'project' ->> 'id',
                      approval -> 'project' ->> 'name', NULL, NULL, created_at, expires_at, NULL, NULL
               FROM device_sign_ins WHERE approval -> 'user' ->> 'id' = $1 AND allowed AND expires_at > now()
               UNION ALL
               SELECT k.id, 'token', k.name, k.user_name, k.tenant_id, t.name, NULL, NULL, k.created_at, k.expires_at, k.last_used_at, k.last_used_from
               FROM api_tokens k JOIN tenants t ON t.id = k.tenant_id WHERE k.user_id = $1 AND k.revoked_at IS NULL AND k.expires_at > now()
               UNION ALL
               SELECT k.id, 'kubeconfig', k.name, k.user_name, c.tenant_id, t.name, c.id, c.name, k.created_at, k.expires_at, k.last_used_at, NULL
               FROM kubeconfigs k JOIN clusters c ON c.id = k.cluster_id JOIN tenants t ON t.id = c.tenant_id
               WHERE k.user_id = $1 AND k.revoked_at IS NULL AND k.expires_at > now() AND c.deleted_at IS NULL)
           SELECT id AS "id!", kind AS "kind!", name AS "name?", owner AS "owner!", project_id AS "project_id!", project_name AS "project_name!",
                  cluster_id AS "cluster_id?", cluster_name AS "cluster_name?", created_at AS "created_at!", expires_at AS "expires_at!",
                  used_at AS "used_at?", used_from AS "used_from?"
           FROM held WHERE $2::uuid IS NULL OR id = $2 ORDER BY created_at DESC, id LIMIT 1000"#,
        person,
        id.map(|id| id.0),
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(HeldRecord::try_from).collect()
}

async fn end(db: &mut PgConnection, operator: &Actor, person: &str, id: HeldId, context: &RequestContext) -> Result<(), StoreError> {
    let held = find(db, person, Some(id)).await?.into_iter().next().ok_or(StoreError::NotFound)?;
    let (action, object, ended) = match held.kind {
        HeldKind::Session => {
            let ended =
                sqlx::query!("DELETE FROM sessions WHERE user_id = $1 AND left(encode(sha256(id_hash), 'hex'), 32)::uuid = $2", person, id.0,);
            // As in what a person's own signing in and out leaves behind.
            ("session_revoke", person.to_owned(), ended.execute(&mut *db).await?)
        }
        HeldKind::Device => {
            let ended = sqlx::query!(
                "DELETE FROM device_sign_ins WHERE approval -> 'user' ->> 'id' = $1 AND left(encode(sha256(device_hash), 'hex'), 32)::uuid = $2",
                person,
                id.0,
            );
            ("device_deny", held.name.clone().unwrap_or_default(), ended.execute(&mut *db).await?)
        }
        HeldKind::Token => {
            let ended = sqlx::query!("UPDATE api_tokens SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL", id.0);
            ("token_revoke", id.to_string(), ended.execute(&mut *db).await?)
        }
        HeldKind::Kubeconfig => {
            let ended = sqlx::query!("UPDATE kubeconfigs SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL", id.0);
            ("kubeconfig_revoke", id.to_string(), ended.execute(&mut *db).await?)
        }
    };
    // Somebody else has ended it meanwhile.
    if ended.rows_affected() == 0 {
        return Err(StoreError::NotFound);
    }
    let entry = AuditEntry::new(operator, action, held.kind.as_str(), object).tenant(&held.project.id).outcome("done");
    let entry = AuditEntry { cluster: held.cluster.map(|(cluster, _)| cluster), ..entry };
    append(db, &entry.detail(json!({ "name": held.name, "owner": held.owner })), context).await?;
    announce_person(db, person).await
}
