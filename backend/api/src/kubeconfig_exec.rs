//! The kubeconfig without a secret: kubectl asks `kcs credential`, which knows the person once they have signed in with `kcs login`.

use crate::caller::Caller;
use crate::device_sign_ins::console_url;
use crate::errors::{Answer, Problem};
use crate::extract::QueryParams;
use crate::state::State;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, get};
use domain::ids::ClusterId;
use sealed::kubeconfig::{Kubeconfig, Proof};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use url::Url;

/// How the program that kubectl asks reaches KCS.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ExecQuery {
    /// What `kcs login` was given: `https://kcs.example.org`; absent: the console's address.
    pub server: Option<String>,
}

/// A kubeconfig that may lie about: there is no secret in it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct KubeconfigExec {
    /// YAML for kubectl.
    pub kubeconfig: String,
}

/// The address as `kcs` keeps it: scheme, host and port.
fn origin(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    (matches!(url.scheme(), "https" | "http") && bare).then_some(url)
}

/// A kubeconfig for everybody who may see the cluster: it asks `kcs` who one is, and holds no secret.
#[utoipa::path(tag = "kubeconfigs", params(("id" = ClusterId, Path), ExecQuery), responses((status = 200, body = KubeconfigExec)))]
#[get("/clusters/{id}/kubeconfig")]
pub async fn kubeconfig_exec(
    caller: Caller,
    state: Data<State>,
    request: HttpRequest,
    id: Path<ClusterId>,
    query: QueryParams<ExecQuery>,
) -> Answer<Json<KubeconfigExec>> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    let given = query.read()?.server.unwrap_or_else(|| console_url(&state, &request));
    let server = origin(&given).ok_or_else(|| Problem::field("server", "must be an address such as https://kcs.example.org"))?;
    let authority = &server[url::Position::BeforeHost..url::Position::AfterPort];
    let config = Kubeconfig {
        cluster: &record.cluster.name,
        server: &format!("{}/k8s/clusters/{}", state.settings.gate_url, record.cluster.id),
        ca_pem: &state.settings.gate_ca_pem,
        tls_server_name: None,
        // Not the person's name: beside a kubeconfig with a token, kubectl would take the one for the other.
        user: &format!("kcs@{authority}"),
        proof: Proof::Exec { server: &server.origin().ascii_serialization() },
        namespace: None,
    };
    Ok(Json(KubeconfigExec { kubeconfig: config.render()?.expose_secret().to_owned() }))
}
