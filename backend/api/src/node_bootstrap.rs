//! What a node asks of us while it starts: its one-time bundle, and calls to tell how far it is.

use crate::caller::context;
use crate::errors::{Answer, Problem};
use crate::extract::Text;
use crate::state::State;
use crate::veil::veiled;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};
use bootstrap::{Action, BundleInput, Certificates, Disk, Encryption, EncryptionKey, bundle};
use domain::changes::Work;
use domain::codes::Code;
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};
use domain::nodes::{Bootstrap, Node, NodeRole};
use domain::plan::{data_volume_key, node_key};
use domain::settings::DataVolume;
use sealed::{ClusterPki, EncryptionKeys, Token, TokenHash, TokenKind};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use store::{BundleFetch, BundleParts};
use time::OffsetDateTime;

fn unauthorized() -> Problem {
    Problem::new(Code::SessionExpired).detail("this is no node's token")
}

fn token(request: &HttpRequest) -> Answer<TokenHash> {
    let header = request.headers().get(AUTHORIZATION).and_then(|h| h.to_str().ok()).ok_or_else(unauthorized)?;
    let token = header.strip_prefix("Bearer ").map(str::trim).filter(|t| Token::kind_of(t) == Some(TokenKind::Node));
    token.map(TokenHash::of).ok_or_else(unauthorized)
}

/// The node's bundle, once, within 15 minutes.
#[utoipa::path(tag = "node", security(("node_token" = [])), responses(
    (status = 200, description = "Files to be unpacked at /", content_type = "application/x-tar", body = Vec<u8>),
    (status = 401, description = "Not a node's token", body = Problem), (status = 410, description = "Fetched before, or too late", body = Problem)))]
#[post("/bundle")]
pub async fn node_bundle(request: HttpRequest, state: Data<State>) -> Answer<HttpResponse> {
    let parts = match state.store.node_fetch_bundle(token(&request)?, context(&request)).await? {
        BundleFetch::First(parts) => parts,
        BundleFetch::Unknown => return Err(unauthorized()),
        BundleFetch::Refused => {
            tracing::warn!(source = %crate::peers::source(&request), "a node's bundle was asked for a second time, or too late");
            let mut gone = Problem::new(Code::NotFound).detail("the bundle was handed out before, or the time for it is over");
            gone.status = 410;
            return Err(gone);
        }
    };
    let tar = make(&state, &parts).await?;
    Ok(HttpResponse::Ok().content_type("application/x-tar").insert_header(("cache-control", "no-store")).body(tar.expose_secret().to_vec()))
}

/// An address that the engine recorded before it made the server.
fn address(work: &Work, kind: ResourceKind, key: &str) -> Option<Ipv4Addr> {
    let live = |row: &&LedgerRow| row.kind == kind && row.key == key && row.state != ResourceState::Gone;
    work.ledger.iter().find(live)?.address.as_deref()?.parse().ok()
}

async fn make(state: &State, parts: &BundleParts) -> Answer<SecretSlice<u8>> {
    let (work, id) = (&parts.work, parts.node);
    let missing = |what: &str| Problem::internal(format!("{what} of node {id} is missing"));
    let node = work.nodes.iter().find(|n| n.id == id).ok_or_else(Problem::not_found)?;
    let pki = parts.pki.as_ref().ok_or_else(|| missing("PKI"))?;
    let token = parts.join_token.as_ref().ok_or_else(|| missing("join token"))?;
    let tokens: Vec<&SecretString> = std::iter::once(token).chain(&parts.later_join_tokens).collect();
    let ca_hash = pki.ca_hash()?;
    let action = match node.role {
        NodeRole::Master if work.begins_with(node) => Action::Init { certificates: certificates(pki), join_tokens: &tokens },
        NodeRole::Master => Action::JoinMaster { certificates: certificates(pki), token, ca_hash: &ca_hash },
        NodeRole::Worker => Action::JoinWorker { token, ca_hash: &ca_hash },
    };
    let spec = &work.cluster.spec;
    let pool = spec.node_pools.iter().find(|p| node.role == NodeRole::Worker && p.name == node.pool);
    let none = BTreeMap::new();
    let disks: Vec<Disk<'_>> = pool.into_iter().flat_map(|p| &p.data_volumes).filter_map(|v| disk(work, node, v)).collect();
    let input = BundleInput {
        cluster: work.cluster.id,
        spec,
        api_vip: address(work, ResourceKind::LoadBalancer, "load_balancer").ok_or_else(|| missing("API address"))?,
        api_floating_ip: address(work, ResourceKind::FloatingIp, "floating_ip"),
        node_name: &node.name,
        pool: &node.pool,
        address: address(work, ResourceKind::Port, &node_key(ResourceKind::Port, &node.name)).ok_or_else(|| missing("address"))?,
        labels: pool.map_or(&none, |p| &p.labels),
        taints: pool.map_or(&[], |p| &p.taints),
        disks: &disks,
        action,
    };
    let tar = bundle(&input).map_err(Problem::internal)?;
    if node.role == NodeRole::Master {
        state.store.master_given(work.cluster.id, id, pki.encryption.generation, spec.audit.level).await?;
    }
    Ok(tar)
}

/// A data volume that is to be mounted.
fn disk<'w>(work: &'w Work, node: &Node, volume: &'w DataVolume) -> Option<Disk<'w>> {
    let key = data_volume_key(&node.name, &volume.name);
    let row = work.ledger.iter().find(|r| r.key == key && r.state != ResourceState::Gone)?;
    Some(Disk { volume_id: row.cloud_id.as_deref()?, mount_path: volume.mount_path.as_deref()? })
}

fn certificates(pki: &ClusterPki) -> Certificates<'_> {
    Certificates {
        ca_crt: &pki.cluster.certificate_pem,
        ca_key: &pki.cluster.key_pem,
        etcd_ca_crt: &pki.etcd.certificate_pem,
        etcd_ca_key: &pki.etcd.key_pem,
        front_proxy_ca_crt: &pki.front_proxy.certificate_pem,
        front_proxy_ca_key: &pki.front_proxy.key_pem,
        sa_key: &pki.service_account_key_pem,
        sa_pub: &pki.service_account_public_pem,
        encryption: encryption(&pki.encryption),
    }
}

/// The list of now, whichever operation is under way: a master that takes a lost one's place has what the others have.
fn encryption(keys: &EncryptionKeys) -> Encryption<'_> {
    Encryption {
        keys: keys.keys.iter().map(|key| EncryptionKey { name: &key.name, secret: &key.secret }).collect(),
        plain_first: keys.plain_first(),
        added_later: keys.added_later,
    }
}

async fn report(request: &HttpRequest, state: &State, bootstrap: Bootstrap) -> Answer<HttpResponse> {
    let known = state.store.node_report(token(request)?, bootstrap).await?;
    if known { Ok(HttpResponse::NoContent().finish()) } else { Err(unauthorized()) }
}

/// What a node says, as far as it is kept.
fn clip(text: &str, longest: usize) -> String {
    let start = text.chars().count().saturating_sub(longest);
    text.chars().skip(start).filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// The stage the node is at.
#[utoipa::path(tag = "node", security(("node_token" = [])), request_body(content = String, content_type = "text/plain"), responses((status = 204, description = "Noted")))]
#[post("/progress")]
pub async fn node_progress(request: HttpRequest, state: Data<State>, text: Text) -> Answer<HttpResponse> {
    let stage = clip(&veiled(text.0.trim()), 100);
    report(&request, &state, Bootstrap::Running { stage, at: OffsetDateTime::now_utc() }).await
}

/// The node has done its part.
#[utoipa::path(tag = "node", security(("node_token" = [])), responses((status = 204, description = "Noted")))]
#[post("/done")]
pub async fn node_done(request: HttpRequest, state: Data<State>) -> Answer<HttpResponse> {
    report(&request, &state, Bootstrap::Done { at: OffsetDateTime::now_utc() }).await
}

/// The node has failed; the last lines of its log.
#[utoipa::path(tag = "node", security(("node_token" = [])), request_body(content = String, content_type = "text/plain"), responses((status = 204, description = "Noted")))]
#[post("/failed")]
pub async fn node_failed(request: HttpRequest, state: Data<State>, text: Text) -> Answer<HttpResponse> {
    let lines = clip(&veiled(&text.0), 16 * 1024);
    report(&request, &state, Bootstrap::Failed { lines, at: OffsetDateTime::now_utc() }).await
}
