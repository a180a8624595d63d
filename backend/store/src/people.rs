//! What people hold of KCS's own, for operators: sessions, API tokens and kubeconfigs, and the end of all of them.

use crate::admissions;
use crate::audit::{AuditEntry, RequestContext, append};
use crate::changes::announce_person;
use crate::error::{StoreError, count};
use crate::pool::{Store, read, statement, write};
use crate::sessions::identity;
use auth::{Actor, OperatorScope};
use domain::ids::TenantId;
use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;

/// A person and how much of what is good now they hold, in all projects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRecord {
    pub id: String,
    pub name: String,
    /// Id of the domain.
    pub domain: String,
    pub sessions: u32,
    pub tokens: u32,
    pub kubeconfigs: u32,
    pub last_seen_at: Option<OffsetDateTime>,
}

/// What is left of a session that was ended: what it held of Keystone's is still to be revoked there. `Debug` shows nothing of it that opens.
#[derive(Clone, Debug)]
pub struct EndedSession {
    /// What its secrets are bound to.
    pub identity: Vec<u8>,
    pub sealed: Vec<u8>,
}

impl PersonRecord {
    /// Somebody of whom nothing is known here but the id.
    fn with_nothing(id: &str) -> Self {
        let (name, domain) = (String::new(), String::new());
        Self { id: id.to_owned(), name, domain, sessions: 0, tokens: 0, kubeconfigs: 0, last_seen_at: None }
    }
}

impl Store {
    /// The first five hundred people by name who hold something, those with this text in their name or of this id only.
    pub async fn people(&self, _: OperatorScope, search: Option<String>) -> Result<Vec<PersonRecord>, StoreError> {
        read(&self.api, search, |db, search| Box::pin(list(db, search.as_deref()))).await
    }

    /// Ends all that a person holds, and tokens of Keystone's that were issued to them until now; whoever holds a stream open with any of it is told.
    /// Answers how much that was, and the sessions. Who holds nothing may have come with tokens of Keystone's only.
    pub async fn person_cut_off(
        &self,
        _: OperatorScope,
        operator: &Actor,
        person: String,
        context: RequestContext,
    ) -> Result<(PersonRecord, Vec<EndedSession>), StoreError> {
        write(&self.api, (operator.clone(), person, context), |db, (operator, person, context)| Box::pin(cut_off(db, operator, person, context)))
            .await
    }

    /// Whether operators have ended all that a person held since then.
    pub async fn person_cut_since(&self, person: &str, then: OffsetDateTime) -> Result<bool, StoreError> {
        statement(&self.near.questions(), (person.to_owned(), then), |db, (person, then)| Box::pin(cut_since(db, person, *then))).await
    }
}

async fn list(db: &mut PgConnection, search: Option<&str>) -> Result<Vec<PersonRecord>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        r#"WITH held AS (
               SELECT user_id, user_name, user_domain, 1 AS sessions, 0 AS tokens, 0 AS kubeconfigs, last_seen_at AS seen_at FROM sessions WHERE expires_at > now()
               UNION ALL
               SELECT user_id, user_name, user_domain, 0, 1, 0, last_used_at FROM api_tokens WHERE revoked_at IS NULL AND expires_at > now()
               UNION ALL
               -- A token that was allowed and is not fetched yet.
               SELECT approval -> 'user' ->> 'id', approval -> 'user' ->> 'name', approval -> 'user' ->> 'domain', 0, 1, 0, NULL FROM device_sign_ins
               WHERE allowed AND expires_at > now()
               UNION ALL
               SELECT k.user_id, k.user_name, k.user_domain, 0, 0, 1, k.last_used_at FROM kubeconfigs k JOIN clusters c ON c.id = k.cluster_id
               WHERE k.revoked_at IS NULL AND k.expires_at > now() AND c.deleted_at IS NULL)
           SELECT user_id AS "id!", max(user_name) AS "name!", max(user_domain) AS "domain!", sum(sessions) AS "sessions!", sum(tokens) AS "tokens!",
                  sum(kubeconfigs) AS "kubeconfigs!", max(seen_at) AS seen_at
           FROM held GROUP BY user_id
           HAVING $1::text IS NULL OR user_id = $1 OR strpos(lower(max(user_name)), lower($1)) > 0
           ORDER BY 2, 1 LIMIT 500"#,
        search,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(PersonRecord::try_from).collect()
}

struct Row {
    id: String,
    name: String,
    domain: String,
    sessions: i64,
    tokens: i64,
    kubeconfigs: i64,
    seen_at: Option<OffsetDateTime>,
}

impl TryFrom<Row> for PersonRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            name: row.name,
            domain: row.domain,
            sessions: count("sessions", row.sessions)?,
            tokens: count("tokens", row.tokens)?,
            kubeconfigs: count("kubeconfigs", row.kubeconfigs)?,
            last_seen_at: row.seen_at,
        })
    }
}

/// Where a person holds how many sessions, tokens and kubeconfigs that are good now.
async fn projects(db: &mut PgConnection, person: &str) -> Result<Vec<(TenantId, i64, i64, i64)>, StoreError> {
    let rows = sqlx::query!(
        r#"WITH held AS (
               SELECT project_id, 1 AS sessions, 0 AS tokens, 0 AS kubeconfigs FROM sessions WHERE user_id = $1 AND expires_at > now()
               UNION ALL
               SELECT tenant_id, 0, 1, 0 FROM api_tokens WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now()
               UNION ALL
               SELECT approval -> 'project' ->> 'id', 0, 1, 0 FROM device_sign_ins WHERE approval -> 'user' ->> 'id' = $1 AND allowed AND expires_at > now()
               UNION ALL
               SELECT c.tenant_id, 0, 0, 1 FROM kubeconfigs k JOIN clusters c ON c.id = k.cluster_id
               WHERE k.user_id = $1 AND k.revoked_at IS NULL AND k.expires_at > now() AND c.deleted_at IS NULL)
           SELECT project_id AS "project!", sum(sessions) AS "sessions!", sum(tokens) AS "tokens!", sum(kubeconfigs) AS "kubeconfigs!"
           FROM held GROUP BY project_id ORDER BY project_id"#,
        person,
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (TenantId(row.project), row.sessions, row.tokens, row.kubeconfigs)).collect())
}

async fn cut_since(db: &mut PgConnection, person: &str, then: OffsetDateTime) -> Result<bool, StoreError> {
    let cut = sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM person_cuts WHERE user_id = $1 AND at > $2) AS "cut!""#, person, then);
    Ok(cut.fetch_one(db).await?)
}

async fn cut_off(
    db: &mut PgConnection,
    operator: &Actor,
    person: &str,
    context: &RequestContext,
) -> Result<(PersonRecord, Vec<EndedSession>), StoreError> {
    let held = list(db, Some(person)).await?.into_iter().find(|p| p.id == person);
    let held = held.unwrap_or_else(|| PersonRecord::with_nothing(person));
    let mut projects = projects(db, person).await?;
    if projects.is_empty() {
        // It is told nevertheless, to operators.
        projects.push((operator.project.id.clone(), 0, 0, 0));
    }
    // By the clock, not by when the transaction began: it may have waited since.
    let cut = sqlx::query!(
        "INSERT INTO person_cuts (user_id, at) VALUES ($1, clock_timestamp()) ON CONFLICT (user_id) DO UPDATE SET at = clock_timestamp()",
        person
    );
    cut.execute(&mut *db).await?;
    let ended = sqlx::query!("DELETE FROM sessions WHERE user_id = $1 RETURNING id_hash, sealed", person).fetch_all(&mut *db).await?;
    let ended = ended.into_iter().map(|row| EndedSession { identity: identity(&row.id_hash), sealed: row.sealed }).collect();
    sqlx::query!("UPDATE api_tokens SET revoked_at = now() WHERE user_id = $1 AND revoked_at IS NULL", person).execute(&mut *db).await?;
    sqlx::query!("UPDATE kubeconfigs SET revoked_at = now() WHERE user_id = $1 AND revoked_at IS NULL", person).execute(&mut *db).await?;
    sqlx::query!("DELETE FROM device_sign_ins WHERE approval -> 'user' ->> 'id' = $1", person).execute(&mut *db).await?;
    // Also where the kubeconfigs were revoked already.
    admissions::shut_out(db).await?;
    // Each project is told of what ended there.
    for (project, sessions, tokens, kubeconfigs) in projects {
        let detail = json!({ "name": held.name, "sessions": sessions, "tokens": tokens, "kubeconfigs": kubeconfigs });
        append(db, &AuditEntry::new(operator, "person_cut_off", "person", person).tenant(&project).outcome("done").detail(detail), context).await?;
    }
    announce_person(db, person).await?;
    Ok((held, ended))
}
