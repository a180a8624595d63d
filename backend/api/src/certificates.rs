//! Certificates for calls that go past the gate, straight to a cluster's own API: an hour at most, where operator and project switched that on.
//! They cannot be taken back, and what comes with them is decided on and written down by the cluster alone.

use crate::caller::Caller;
use crate::errors::{Answer, FieldError, Problem};
use crate::extract::Body;
use crate::kubeconfigs::wrong_name;
use crate::lists::List;
use crate::sight::certified;
use crate::state::State;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use auth::{KubeconfigIssue, KubeconfigRevokeAll, Via};
use domain::codes::Code;
use domain::ids::{CertificateId, ClusterId};
use kube_access::{API_SERVER, ClusterTarget, Impersonation};
use sealed::ClientCertificate;
use sealed::kubeconfig::{Kubeconfig, Proof};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use store::{CertificateRecord, ClusterRecord, NewCertificate};
use time::{Duration, OffsetDateTime};

#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateRequest {
    /// Seconds it is good for: 300 to 3600.
    #[schema(minimum = 300, maximum = 3600)]
    pub expires_in: i64,
    /// What it is for; at most 60 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 60)]
    pub name: Option<String>,
    /// To look only: no changes, no commands, no values of secrets.
    #[serde(default)]
    pub read_only: bool,
}

/// A certificate just issued: shown once, never again.
#[derive(Clone, Serialize, utoipa::ToSchema)]
pub struct CertificateIssued {
    pub id: CertificateId,
    /// YAML for kubectl, with the certificate and its key.
    pub kubeconfig: String,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// A certificate that was issued.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Certificate {
    pub id: CertificateId,
    pub name: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// Name of the person.
    pub created_by: String,
    /// Whether it is one's own.
    pub mine: bool,
    /// What the cluster takes its holder for: `kcs:member`, `kcs:reader`, `kcs:guest`.
    pub group: String,
    /// SHA-256 of it, in hex; the cluster's own audit log names it so (`X509SHA256=…`).
    pub fingerprint: String,
}

const LIFETIMES: std::ops::RangeInclusive<i64> = 300..=3600;

impl CertificateRequest {
    fn check(&self) -> Answer<()> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, message: String| errors.push(FieldError { field: field.to_owned(), message, code: None });
        if let Some(said) = wrong_name(self.name.as_deref()) {
            wrong("name", said);
        }
        if !LIFETIMES.contains(&self.expires_in) {
            wrong("expires_in", format!("must be {} to {} seconds", LIFETIMES.start(), LIFETIMES.end()));
        }
        if errors.is_empty() { Ok(()) } else { Err(Problem::fields(errors)) }
    }
}

impl Certificate {
    fn new(record: CertificateRecord, caller: &Caller) -> Self {
        Self {
            mine: record.user_id == caller.actor.user.id,
            id: record.id,
            name: record.name,
            created_at: record.created_at,
            expires_at: record.expires_at,
            created_by: record.user_name,
            group: record.group,
            fingerprint: record.fingerprint,
        }
    }
}

/// Certificates issued in the last thirty days for calls past the gate: who does not see all see their own.
#[utoipa::path(tag = "kubeconfigs", params(("id" = ClusterId, Path)), responses((status = 200, body = List<Certificate>)))]
#[get("/clusters/{id}/certificates")]
pub async fn certificate_list(caller: Caller, state: Data<State>, id: Path<ClusterId>) -> Answer<Json<List<Certificate>>> {
    let scope = caller.actor.scope();
    let cluster = state.store.cluster(&scope, *id).await?;
    let all = caller.actor.may::<KubeconfigRevokeAll>(&cluster).is_ok();
    let records = state.store.certificates(&scope, *id, (!all).then(|| caller.actor.user.id.clone())).await?;
    Ok(Json(List::whole(records.into_iter().map(|record| Certificate::new(record, &caller)).collect())))
}

/// Issue a certificate for oneself, for calls past the gate. Where that is switched on only.
#[utoipa::path(tag = "kubeconfigs", params(("id" = ClusterId, Path)), request_body = CertificateRequest, responses((status = 201, body = CertificateIssued)))]
#[post("/clusters/{id}/certificates")]
pub async fn certificate_issue(caller: Caller, state: Data<State>, id: Path<ClusterId>, body: Body<CertificateRequest>) -> Answer<HttpResponse> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<KubeconfigIssue>(&record)?;
    open(&state, &caller, &record)?;
    let (request, _) = body.read()?;
    request.check()?;
    let who = certified(&caller.actor, *id, request.read_only, bound(&state, &caller, *id).await?)?;
    let target = state.targets.of(&state, &record.cluster.endpoint()).await?;
    let lifetime = Duration::seconds(request.expires_in);
    let client = target.pki.client_certificate(who.user(), Some(who.group()), lifetime, OffsetDateTime::now_utc())?;
    let kubeconfig = file(&record, &who, &target, &client)?;
    let (name, expires_at) = (request.name.unwrap_or_default(), client.not_after);
    let new = NewCertificate { name, fingerprint: client.fingerprint()?, group: who.group(), expires_at };
    let id = state.store.certificate_issue(permit, new, caller.context()).await?;
    let answer = CertificateIssued { id, kubeconfig, expires_at };
    Ok(HttpResponse::Created().insert_header(("cache-control", "no-store")).json(answer))
}

/// Whether there are certificates for this cluster, and for who comes in this way.
fn open(state: &State, caller: &Caller, record: &ClusterRecord) -> Answer<()> {
    if matches!(caller.actor.via, Via::ApiToken(_)) {
        return Err(Problem::new(Code::Narrowed).detail("a token gets no certificate: it would outlive the token's revocation"));
    }
    if state.settings.direct_access && record.cluster.spec.direct_access { Ok(()) } else { Err(Problem::new(Code::DirectAccessOff)) }
}

/// Whether the cluster's own rules let the person change things in single namespaces.
async fn bound(state: &State, caller: &Caller, cluster: ClusterId) -> Answer<bool> {
    let people = state.store.namespace_people(cluster).await?;
    Ok(people.iter().any(|person| person.user == caller.actor.user.id && person.changes))
}

/// Leads to the cluster itself; named so that it stands beside the one that leads through the gate.
fn file(record: &ClusterRecord, who: &Impersonation, target: &ClusterTarget, client: &ClientCertificate) -> Answer<String> {
    let name = format!("{}-direct", record.cluster.name);
    let kubeconfig = Kubeconfig {
        cluster: &name,
        server: &target.endpoint,
        ca_pem: &target.pki.cluster.certificate_pem,
        tls_server_name: Some(API_SERVER),
        user: &format!("{}@{name}", who.user()),
        proof: Proof::Certificate(client),
        namespace: None,
    };
    Ok(kubeconfig.render()?.expose_secret().to_owned())
}
