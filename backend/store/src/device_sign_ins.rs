//! Sign-ins that a program asked for and a person allows in the browser: both codes are known by hash only, and each is good once.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::error::StoreError;
use crate::pool::{Store, read, write};
use crate::tokens::{NewToken, TokenRecord};
use auth::{Permit, Project, TokenCreate, User};
use domain::codes::Code;
use domain::permissions::Role;
use sealed::TokenHash;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::{Duration, OffsetDateTime};

/// Most that wait at once, of everybody and of one network, behind which a whole office may be.
const MOST: i64 = 1000;
const MOST_OF_NETWORK: i64 = 50;

/// A program that waits to be signed in.
#[derive(Clone, Debug)]
pub struct NewDeviceSignIn {
    pub device_hash: TokenHash,
    pub user_hash: TokenHash,
    pub client_name: String,
    pub host_name: String,
    /// The address it came from, and what that is counted as.
    pub source: String,
    pub network: String,
    pub lifetime: Duration,
}

/// What a person is told before they answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceSignInRecord {
    pub client_name: String,
    pub host_name: String,
    pub source: String,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

/// Who allowed it, and for how long. The token itself is made when the program comes for it: until then there is no secret to keep.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeviceApproval {
    pub user: User,
    pub project: Project,
    pub roles: Vec<Role>,
    /// Seconds that the token will be good for.
    pub expires_in: i64,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// What the program that waits is answered.
#[derive(Clone, Debug)]
pub enum DevicePoll {
    /// Its time is over, or there never was such a code.
    Over,
    Pending,
    TooSoon,
    Denied,
    Allowed(DeviceSignInRecord, Box<DeviceApproval>),
}

impl Store {
    /// False: too many from this network wait already. Where too many of everybody's do, one of the network that has most of them gives way.
    pub async fn device_begin(&self, new: NewDeviceSignIn) -> Result<bool, StoreError> {
        write(&self.api, new, |db, new| Box::pin(begin(db, new))).await
    }

    /// The one with this code that nobody has answered yet.
    pub async fn device_asked(&self, user: TokenHash) -> Result<DeviceSignInRecord, StoreError> {
        read(&self.api, user, |db, user| Box::pin(asked(db, user))).await
    }

    /// A person's answer, which is final. `allow`: seconds that the token will be good for.
    pub async fn device_answer(
        &self,
        permit: Permit<TokenCreate>,
        user: TokenHash,
        allow: Option<i64>,
        context: RequestContext,
    ) -> Result<(), StoreError> {
        write(&self.api, (permit, user, allow, context), |db, (permit, user, allow, context)| Box::pin(answer(db, permit, user, *allow, context)))
            .await
    }

    /// How it stands, for the program. While nobody has answered, `interval` must lie between two questions.
    pub async fn device_poll(&self, device: TokenHash, interval: Duration) -> Result<DevicePoll, StoreError> {
        write(&self.api, (device, interval), |db, (device, interval)| Box::pin(poll(db, device, *interval))).await
    }

    /// Makes the token that was allowed, once: the code is used up in the same transaction.
    pub async fn device_collect(
        &self,
        permit: Permit<TokenCreate>,
        device: TokenHash,
        new: NewToken,
        context: RequestContext,
    ) -> Result<TokenRecord, StoreError> {
        write(&self.api, (permit, device, new, context), |db, (permit, device, new, context)| Box::pin(collect(db, permit, device, new, context)))
            .await
    }
}

async fn begin(db: &mut PgConnection, new: &NewDeviceSignIn) -> Result<bool, StoreError> {
    sqlx::query!("DELETE FROM device_sign_ins WHERE expires_at < now()").execute(&mut *db).await?;
    let waiting = sqlx::query!(
        r#"SELECT count(*) AS "all!", count(*) FILTER (WHERE COALESCE(network, source) = $1) AS "of_network!" FROM device_sign_ins"#,
        new.network
    );
    let waiting = waiting.fetch_one(&mut *db).await?;
    if waiting.of_network >= MOST_OF_NETWORK {
        return Ok(false);
    }
    if waiting.all >= MOST {
        make_room(db).await?;
    }
    sqlx::query!(
        "INSERT INTO device_sign_ins (device_hash, user_hash, client_name, host_name, source, network, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, now() + $7::float8 * interval '1 second')",
        new.device_hash.as_bytes() as &[u8],
        new.user_hash.as_bytes() as &[u8],
        new.client_name,
        new.host_name,
        new.source,
        new.network,
        new.lifetime.as_seconds_f64(),
    )
    .execute(db)
    .await?;
    Ok(true)
}

/// Lets go of the oldest that nobody has answered, of the network that has most of those: whoever asks without end makes room at their own cost. What was
/// answered stays; people answer so many in a minute and no more.
async fn make_room(db: &mut PgConnection) -> Result<(), StoreError> {
    let oldest = sqlx::query!(
        "DELETE FROM device_sign_ins WHERE device_hash = (
             SELECT device_hash FROM (
                 SELECT device_hash, created_at, count(*) OVER (PARTITION BY COALESCE(network, source)) AS of_network FROM device_sign_ins WHERE allowed IS NULL
             ) AS asked ORDER BY of_network DESC, created_at LIMIT 1) AND allowed IS NULL"
    );
    oldest.execute(db).await?;
    Ok(())
}

async fn asked(db: &mut PgConnection, user: &TokenHash) -> Result<DeviceSignInRecord, StoreError> {
    let row = sqlx::query_as!(
        DeviceSignInRecord,
        "SELECT client_name, host_name, source, created_at, expires_at FROM device_sign_ins
         WHERE user_hash = $1 AND allowed IS NULL AND expires_at > now()",
        user.as_bytes() as &[u8],
    );
    row.fetch_optional(db).await?.ok_or(StoreError::NotFound)
}

async fn answer(
    db: &mut PgConnection,
    permit: &Permit<TokenCreate>,
    user: &TokenHash,
    allow: Option<i64>,
    context: &RequestContext,
) -> Result<(), StoreError> {
    let actor = permit.actor();
    let approval = allow.map(|expires_in| {
        let (user, project, roles) = (actor.user.clone(), actor.project.clone(), actor.roles.clone());
        Json(DeviceApproval { user, project, roles, expires_in, at: OffsetDateTime::now_utc() })
    });
    let row = sqlx::query!(
        "UPDATE device_sign_ins SET allowed = $2, approval = $3 WHERE user_hash = $1 AND allowed IS NULL AND expires_at > now()
         RETURNING client_name, host_name, source",
        user.as_bytes() as &[u8],
        allow.is_some(),
        approval as _,
    );
    let row = row.fetch_optional(&mut *db).await?.ok_or(StoreError::NotFound)?;
    let detail = json!({ "client": row.client_name, "source": row.source, "expires_in": allow });
    let action = if allow.is_some() { "device_allow" } else { "device_deny" };
    append(db, &AuditEntry::new(actor, action, "device", row.host_name).outcome("done").detail(detail), context).await
}

async fn poll(db: &mut PgConnection, device: &TokenHash, interval: Duration) -> Result<DevicePoll, StoreError> {
    let row = sqlx::query!(
        r#"SELECT client_name, host_name, source, created_at, expires_at, allowed, approval AS "approval: Json<DeviceApproval>",
                  COALESCE(polled_at > now() - $2::float8 * interval '1 second', false) AS "too_soon!"
           FROM device_sign_ins WHERE device_hash = $1 AND expires_at > now() FOR UPDATE"#,
        device.as_bytes() as &[u8],
        interval.as_seconds_f64(),
    );
    let Some(row) = row.fetch_optional(&mut *db).await? else { return Ok(DevicePoll::Over) };
    let (client_name, host_name, source, created_at, expires_at) = (row.client_name, row.host_name, row.source, row.created_at, row.expires_at);
    let record = DeviceSignInRecord { client_name, host_name, source, created_at, expires_at };
    match (row.allowed, row.approval) {
        (Some(true), Some(approval)) => Ok(DevicePoll::Allowed(record, Box::new(approval.0))),
        (Some(_), _) => Ok(DevicePoll::Denied),
        (None, _) if row.too_soon => Ok(DevicePoll::TooSoon),
        (None, _) => {
            sqlx::query!("UPDATE device_sign_ins SET polled_at = now() WHERE device_hash = $1", device.as_bytes() as &[u8]).execute(db).await?;
            Ok(DevicePoll::Pending)
        }
    }
}

async fn collect(
    db: &mut PgConnection,
    permit: &Permit<TokenCreate>,
    device: &TokenHash,
    new: &NewToken,
    context: &RequestContext,
) -> Result<TokenRecord, StoreError> {
    // Whoever comes second waits here for the first, and finds nothing.
    let used = sqlx::query!("DELETE FROM device_sign_ins WHERE device_hash = $1 AND allowed AND expires_at > now()", device.as_bytes() as &[u8]);
    if used.execute(&mut *db).await?.rows_affected() == 0 {
        return Err(StoreError::Refused(Code::ExpiredToken));
    }
    crate::tokens::create(db, permit, new, context).await
}
