//! Kubeconfigs: one for each person and purpose, expiring, revocable at once.

use crate::caller::Caller;
use crate::errors::{Answer, Problem};
use crate::extract::Body;
use crate::lists::List;
use crate::state::State;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, post};
use auth::{KubeconfigIssue, KubeconfigRevoke};
use domain::ids::{ClusterId, KubeconfigId};
use domain::permissions::Role;
use sealed::{Token, TokenKind};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use store::{KubeconfigRecord, NewKubeconfig};
use time::{Duration, OffsetDateTime};

#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KubeconfigRequest {
    /// Seconds it is good for: 3600 (an hour) to 2592000 (30 days).
    #[schema(minimum = 3600, maximum = 2592000)]
    pub expires_in: i64,
    /// What it is for; at most 60 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 60)]
    pub name: Option<String>,
}

/// A kubeconfig just issued: shown once, never again.
#[derive(Clone, Serialize, utoipa::ToSchema)]
pub struct KubeconfigIssued {
    pub id: KubeconfigId,
    /// YAML for kubectl.
    pub kubeconfig: String,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// A kubeconfig that was issued.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Kubeconfig {
    pub id: KubeconfigId,
    pub name: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<OffsetDateTime>,
    /// Name of the person.
    pub created_by: String,
    /// Whether it is one's own.
    pub mine: bool,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<OffsetDateTime>,
}

const SHORTEST: i64 = 3600;
const LONGEST: i64 = 30 * 24 * 3600;

impl KubeconfigRequest {
    fn check(&self) -> Answer<()> {
        if !(SHORTEST..=LONGEST).contains(&self.expires_in) {
            return Err(Problem::field("expires_in", format!("must be {SHORTEST} to {LONGEST} seconds")));
        }
        let good = |name: &str| name.chars().count() <= 60 && !name.chars().any(char::is_control);
        if self.name.as_deref().is_some_and(|name| !good(name)) {
            return Err(Problem::field("name", "must be at most 60 printable characters"));
        }
        Ok(())
    }
}

impl Kubeconfig {
    fn new(record: KubeconfigRecord, caller: &Caller) -> Self {
        Self {
            mine: record.user.id == caller.actor.user.id,
            id: record.id,
            name: record.name,
            created_at: record.created_at,
            expires_at: record.expires_at,
            last_used_at: record.last_used_at,
            created_by: record.user.name,
            revoked_at: record.revoked_at,
        }
    }
}

/// Kubeconfigs of a cluster: a reader sees their own, a member everybody's.
#[utoipa::path(tag = "kubeconfigs", params(("id" = ClusterId, Path)), responses((status = 200, body = List<Kubeconfig>)))]
#[get("/clusters/{id}/kubeconfigs")]
pub async fn kubeconfig_list(caller: Caller, state: Data<State>, id: Path<ClusterId>) -> Answer<Json<List<Kubeconfig>>> {
    let scope = caller.actor.scope();
    state.store.cluster(&scope, *id).await?;
    let records = state.store.kubeconfigs(&scope, *id).await?;
    let all = caller.actor.role() == Some(Role::Member);
    let seen = records.into_iter().map(|r| Kubeconfig::new(r, &caller)).filter(|k| all || k.mine);
    Ok(Json(List::whole(seen.collect())))
}

/// Issue a kubeconfig for oneself.
#[utoipa::path(tag = "kubeconfigs", params(("id" = ClusterId, Path)), request_body = KubeconfigRequest, responses((status = 201, body = KubeconfigIssued)))]
#[post("/clusters/{id}/kubeconfigs")]
pub async fn kubeconfig_issue(caller: Caller, state: Data<State>, id: Path<ClusterId>, body: Body<KubeconfigRequest>) -> Answer<HttpResponse> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<KubeconfigIssue>(&record)?;
    let (request, _) = body.read()?;
    request.check()?;
    let token = Token::generate(TokenKind::Kubeconfig)?;
    let expires_at = OffsetDateTime::now_utc() + Duration::seconds(request.expires_in);
    let new = NewKubeconfig { name: request.name.unwrap_or_default(), token_hash: token.hash, expires_at };
    let issued = state.store.kubeconfig_issue(permit, new, caller.context()).await?;
    let kubeconfig = sealed::kubeconfig::Kubeconfig {
        cluster: &record.cluster.name,
        server: &format!("{}/k8s/clusters/{}", state.settings.gate_url, record.cluster.id),
        ca_pem: &state.settings.gate_ca_pem,
        user: &caller.actor.user.name,
        token: &token.text,
    };
    let answer = KubeconfigIssued { id: issued.id, kubeconfig: kubeconfig.render()?.expose_secret().to_owned(), expires_at };
    Ok(HttpResponse::Created().insert_header(("cache-control", "no-store")).json(answer))
}

/// Revoke a kubeconfig: every call with it is refused at once, open streams are cut.
#[utoipa::path(tag = "kubeconfigs", params(("id" = ClusterId, Path), ("kid" = KubeconfigId, Path)), responses((status = 204, description = "Revoked")))]
#[delete("/clusters/{id}/kubeconfigs/{kid}")]
pub async fn kubeconfig_revoke(caller: Caller, state: Data<State>, path: Path<(ClusterId, KubeconfigId)>) -> Answer<HttpResponse> {
    let (id, kubeconfig) = path.into_inner();
    let record = state.store.kubeconfig(&caller.actor.scope(), kubeconfig).await?;
    let own = record.user.id == caller.actor.user.id;
    // A reader may not even know of those of others.
    if record.cluster != id || (!own && caller.actor.role() != Some(Role::Member)) {
        return Err(Problem::not_found());
    }
    let permit = caller.actor.may::<KubeconfigRevoke>(&record)?;
    state.store.kubeconfig_revoke(permit, caller.context()).await?;
    Ok(HttpResponse::NoContent().finish())
}
