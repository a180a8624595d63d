//! Kubeconfigs: one for each person and purpose, expiring, revocable at once.

use crate::caller::Caller;
use crate::errors::{Answer, FieldError, Problem};
use crate::extract::{Body, QueryParams};
use crate::lists::List;
use crate::narrowing::{MOST, namespace_errors};
use crate::state::State;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, post};
use auth::{KubeconfigIssue, KubeconfigRevoke, KubeconfigRevokeAll, MembersManage, Narrowing, Via};
use domain::codes::Code;
use domain::ids::{ClusterId, KubeconfigId, RoleId};
use domain::permissions::Permission;
use sealed::kubeconfig::Proof;
use sealed::{Token, TokenKind};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::{KubeconfigRecord, NewKubeconfig};
use time::{Duration, OffsetDateTime};

#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KubeconfigRequest {
    /// Seconds it is good for: 3600 (an hour) to what the operator allows, 30 days by default.
    #[schema(minimum = 3600)]
    pub expires_in: i64,
    /// What it is for; at most 60 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 60)]
    pub name: Option<String>,
    /// Namespaces it may go into; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<Vec<String>>,
    /// To look only: no changes, no commands, no values of secrets.
    #[serde(default)]
    pub read_only: bool,
    /// What it may do besides looking, of what is done inside of clusters; absent: all that its owner may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<Permission>>,
    /// In place of `permissions`, a role of the project's own: what it names now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleId>,
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
    /// Keystone's id of that person.
    pub created_by_id: String,
    /// Whether it is one's own.
    pub mine: bool,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<OffsetDateTime>,
    /// Namespaces it may go into; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<Vec<String>>,
    /// Whether it neither changes things inside of the cluster nor runs commands there.
    pub read_only: bool,
    /// What it may do besides looking; absent: all that its owner may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<Permission>>,
}

/// Whose kubeconfigs are to be revoked.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RevokeQuery {
    /// Id of the person; absent: everybody's.
    pub user: Option<String>,
}

#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
pub struct Revoked {
    pub count: u64,
}

const SHORTEST: i64 = 3600;

/// What is wrong with a note of what something is for.
pub(crate) fn wrong_name(name: Option<&str>) -> Option<String> {
    let good = |name: &str| name.chars().count() <= 60 && !name.chars().any(char::is_control);
    name.filter(|name| !good(name)).map(|_| "must be at most 60 printable characters".to_owned())
}

impl KubeconfigRequest {
    fn check(&self, longest: i64) -> Answer<()> {
        let mut errors = namespace_errors(self.namespaces.as_deref());
        let mut wrong = |field: &str, message: String| errors.insert(0, FieldError { field: field.to_owned(), message, code: None });
        if let Some(said) = wrong_name(self.name.as_deref()) {
            wrong("name", said);
        }
        if !(SHORTEST..=longest).contains(&self.expires_in) {
            wrong("expires_in", format!("must be {SHORTEST} to {longest} seconds"));
        }
        if self.permissions.as_ref().is_some_and(|all| all.len() > MOST) {
            wrong("permissions", format!("must be at most {MOST}"));
        }
        if self.permissions.is_some() && self.read_only {
            wrong("permissions", "must be absent with read_only".to_owned());
        }
        if self.role.is_some() && (self.read_only || self.permissions.is_some()) {
            wrong("role", "must be absent with read_only or permissions".to_owned());
        }
        if errors.is_empty() { Ok(()) } else { Err(Problem::fields(errors)) }
    }

    /// Which permissions it is narrowed to. A role counts as it is now: who composes it anew makes no kubeconfig wider that somebody has.
    async fn permissions(&self, state: &State, caller: &Caller) -> Answer<Option<BTreeSet<Permission>>> {
        let Some(role) = self.role else {
            return Ok(self.read_only.then(BTreeSet::new).or_else(|| self.permissions.as_ref().map(|all| all.iter().copied().collect())));
        };
        let roles = state.store.roles(&caller.actor.scope()).await?;
        let found = roles.into_iter().find(|record| record.id == role).ok_or_else(|| Problem::field("role", "there is no such role"))?;
        Ok(Some(found.text.permissions))
    }

    async fn narrowing(&self, state: &State, caller: &Caller) -> Answer<Narrowing> {
        let namespaces = self.namespaces.as_ref().map(|names| names.iter().cloned().collect());
        Ok(Narrowing { permissions: self.permissions(state, caller).await?, clusters: None, namespaces })
    }
}

/// Whether neither changes nor commands are left.
fn looks_only(permissions: Option<&BTreeSet<Permission>>) -> bool {
    permissions.is_some_and(|all| !all.contains(&Permission::KubernetesWrite) && !all.contains(&Permission::KubernetesExec))
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
            created_by_id: record.user.id,
            revoked_at: record.revoked_at,
            read_only: looks_only(record.narrowing.permissions.as_ref()),
            permissions: record.narrowing.permissions.map(|all| all.into_iter().collect()),
            namespaces: record.narrowing.namespaces.map(|names| names.into_iter().collect()),
        }
    }
}

/// Kubeconfigs of a cluster: a reader sees their own, a member everybody's.
#[utoipa::path(tag = "kubeconfigs", params(("id" = ClusterId, Path)), responses((status = 200, body = List<Kubeconfig>)))]
#[get("/clusters/{id}/kubeconfigs")]
pub async fn kubeconfig_list(caller: Caller, state: Data<State>, id: Path<ClusterId>) -> Answer<Json<List<Kubeconfig>>> {
    let scope = caller.actor.scope();
    let cluster = state.store.cluster(&scope, *id).await?;
    let records = state.store.kubeconfigs(&scope, *id).await?;
    let all = caller.actor.may::<KubeconfigRevokeAll>(&cluster).is_ok();
    let narrowed = caller.actor.narrowing.namespaces.is_some();
    let seen = records.into_iter().map(|r| Kubeconfig::new(r, &caller)).filter(|k| (all || k.mine) && !narrowed);
    Ok(Json(List::whole(seen.collect())))
}

/// Issue a kubeconfig for oneself.
#[utoipa::path(tag = "kubeconfigs", params(("id" = ClusterId, Path)), request_body = KubeconfigRequest, responses((status = 201, body = KubeconfigIssued)))]
#[post("/clusters/{id}/kubeconfigs")]
pub async fn kubeconfig_issue(caller: Caller, state: Data<State>, id: Path<ClusterId>, body: Body<KubeconfigRequest>) -> Answer<HttpResponse> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<KubeconfigIssue>(&record)?;
    // It would not be narrowed as the token is.
    if matches!(caller.actor.via, Via::ApiToken(_)) {
        return Err(Problem::new(Code::Narrowed).detail("a token needs no kubeconfig: it is good at the same address itself"));
    }
    let (request, _) = body.read()?;
    request.check(state.in_force.now().installation.kubeconfig_longest())?;
    let token = Token::generate(TokenKind::Kubeconfig)?;
    let expires_at = OffsetDateTime::now_utc() + Duration::seconds(request.expires_in);
    // With several to choose from, kubectl's own default is as good as any.
    let namespace = request.namespaces.as_deref().and_then(|names| if let [only] = names { Some(only.clone()) } else { None });
    let narrowing = request.narrowing(&state, &caller).await?;
    let new = NewKubeconfig { name: request.name.unwrap_or_default(), token_hash: token.hash, narrowing, expires_at };
    let issued = state.store.kubeconfig_issue(permit, new, caller.context()).await?;
    let kubeconfig = sealed::kubeconfig::Kubeconfig {
        cluster: &record.cluster.name,
        server: &format!("{}/k8s/clusters/{}", state.settings.gate_url, record.cluster.id),
        ca_pem: &state.settings.gate_ca_pem,
        tls_server_name: None,
        user: &caller.actor.user.name,
        proof: Proof::Token(&token.text),
        namespace: namespace.as_deref(),
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
    let cluster = state.store.cluster(&caller.actor.scope(), id).await?;
    if record.cluster != id || !(own || caller.actor.may::<KubeconfigRevokeAll>(&cluster).is_ok()) {
        return Err(Problem::not_found());
    }
    let permit = caller.actor.may::<KubeconfigRevoke>(&record)?;
    state.store.kubeconfig_revoke(permit, caller.context()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Revoke all kubeconfigs of a cluster, or all of one person's in it.
#[utoipa::path(tag = "kubeconfigs", params(("id" = ClusterId, Path), RevokeQuery), responses((status = 200, body = Revoked)))]
#[delete("/clusters/{id}/kubeconfigs")]
pub async fn kubeconfig_revoke_all(
    caller: Caller,
    state: Data<State>,
    id: Path<ClusterId>,
    query: QueryParams<RevokeQuery>,
) -> Answer<Json<Revoked>> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<KubeconfigRevokeAll>(&record)?;
    let count = state.store.kubeconfig_revoke_all(permit, query.read()?.user, caller.context()).await?;
    Ok(Json(Revoked { count }))
}

/// Revoke all kubeconfigs of a person in all clusters of the project: calls with them are refused at once, open streams are cut.
#[utoipa::path(tag = "kubeconfigs", params(("id" = String, Path)), responses((status = 200, body = Revoked)))]
#[delete("/members/{id}/kubeconfigs")]
pub async fn member_kubeconfig_revoke_all(caller: Caller, state: Data<State>, id: Path<String>) -> Answer<Json<Revoked>> {
    let permit = caller.actor.may::<MembersManage>(&caller.actor.project)?;
    let count = state.store.kubeconfig_revoke_of(permit, id.into_inner(), caller.context()).await?;
    if count == 0 { Err(Problem::not_found()) } else { Ok(Json(Revoked { count })) }
}
