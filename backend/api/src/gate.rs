//! The Kubernetes pass-through `/k8s/clusters/{id}/…` for kubectl, helm and the console: authenticate, decide by role, forward as the
//! person, stream both ways, and cut what is open when the right to it ends.

use crate::across::{self, Across};
use crate::caller::opens_socket;
use crate::deeds::{self, Asked};
use crate::errors::{Answer, Problem};
use crate::inside;
use crate::lasting::{ended, until};
use crate::passage::Passage;
use crate::sight::into_namespace;
use crate::state::State;
use crate::streams::{Activity, HangUp, OpenStream};
use crate::visitors::{Visitor, over, visitor};
use actix_web::dev::Payload as Body;
use actix_web::http::header;
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use auth::{Actor, KubernetesExec, KubernetesWrite};
use domain::clusters::ClusterEndpoint;
use domain::codes::Code;
use domain::ids::ClusterId;
use futures::channel::mpsc;
use futures::future::{Either, LocalBoxFuture, select};
use futures::{FutureExt, SinkExt, StreamExt};
use kube_access::gateway::{Answer as Forwarded, Body as Passed, BodyStream, Tunnel};
use kube_access::{Access, GatewayRequest, Reach};
use sha2::{Digest, Sha256};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use store::AuditEntry;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// After the end of a way into a pod, its connection to the cluster is closed by then, whatever is still on its way there.
const PARTING: Duration = Duration::from_secs(5);
/// The address under which clusters are.
pub const PREFIX: &str = "/k8s/clusters/";
/// What the audit log calls a way into a pod, a change, and a look at secrets.
const EXEC: &str = "kubernetes_exec";
const WRITE: &str = "kubernetes_write";
const SECRET_READ: &str = "kubernetes_secret_read";
/// Characters of a path or command that the audit log takes.
const TOLD: usize = 8_192;

/// One request to a cluster.
pub async fn pass(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    match try_pass(&request, payload, &state).await {
        Ok(answer) => answer,
        // kubectl shows the message of a Status; a browser's page wants our own problem.
        Err(problem) if request.headers().contains_key(header::AUTHORIZATION) => status(&problem),
        Err(problem) => problem.error_response(),
    }
}

fn status(problem: &Problem) -> HttpResponse {
    let reason = match problem.status {
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        429 => "TooManyRequests",
        400 => "BadRequest",
        _ => "ServiceUnavailable",
    };
    let message = format!("{} ({})", problem.detail, problem.code.as_str());
    let body = serde_json::json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": problem.status});
    let mut builder = HttpResponse::build(problem.status_code());
    if let Some(seconds) = problem.retry_after {
        builder.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    builder.json(body)
}

async fn try_pass(request: &HttpRequest, payload: Payload, state: &Data<State>) -> Answer<HttpResponse> {
    let (id, path) = split(request.uri().path())?;
    let upgrade = opens_socket(request);
    let payload = payload.into_inner();
    // Before the look at who it is: what changes after that look is heard.
    let changes = state.store.changes();
    let (visitor, cluster) = visitor(request, state, id).await?;
    let visitor = Rc::new(visitor);
    if !upgrade && wants_spdy(request) {
        return Err(
            Problem::new(Code::InvalidInput).detail("commands and ports of pods are reached over SPDY by the first request of a connection only")
        );
    }
    let mut payload = Some(pump(payload));
    // What comes after an upgrade is no body: it waits for the tunnel.
    let body = payload.take_if(|_| !upgrade).unwrap_or_else(|| Box::pin(futures::stream::empty()));
    let outgoing = outgoing(request, path, body)?;
    let line = Cell::new(None);
    let arriving = Box::pin(async { set_out(request, state, &visitor, &cluster, outgoing, &line).await?.await });
    // A client may take long to say what it wants, and a cluster to say its first word; the right to either may end before.
    let mut over = Box::pin(over(state.clone(), visitor.clone(), id, changes));
    let (open, answer) = match select(arriving, &mut over).await {
        Either::Left((arrived, _)) => arrived?,
        Either::Right((why, arriving)) => {
            // What is on its way is given up before that is told.
            drop(arriving);
            if let Some(entry) = line.take() {
                inside::failed(state, entry, visitor.context(), "code", why.code.as_str().into()).await;
            }
            return Err(why);
        }
    };
    let end = ended(state.clone(), over, open);
    let connection = request.conn_data::<HangUp>().cloned();
    match (answer, payload) {
        (Forwarded::Response(response), _) => Ok(passed_on(response, request.method() == Method::HEAD, end, connection)),
        (Forwarded::Tunnel(tunnel), Some(payload)) => tunnelled(tunnel, payload, end, state.settings.streams.idle, connection),
        (Forwarded::Tunnel(_), None) => Err(Problem::internal("a tunnel nobody asked for")),
    }
}

/// A request on its way to the cluster. Once there it counts as open until the first is dropped.
type Arriving<'a> = LocalBoxFuture<'a, Answer<(OpenStream, Forwarded)>>;

/// The connection of a way into a pod, while its line is written into the audit log.
fn opening(state: &Data<State>, actor: &Actor, cluster: &ClusterEndpoint) -> JoinHandle<Answer<Passage>> {
    let (state, actor, cluster) = (state.clone(), actor.clone(), cluster.clone());
    actix_web::rt::spawn(async move { Passage::into_pod(&state, &actor, &cluster).await })
}

fn outgoing(request: &HttpRequest, path: &str, body: BodyStream) -> Answer<GatewayRequest> {
    let mut outgoing = GatewayRequest::new(request.method().as_str(), path, request.uri().query(), body)?;
    for (name, value) in request.headers() {
        outgoing.add_header(name.as_str(), value.as_bytes());
    }
    Ok(outgoing)
}

async fn forward(
    state: &State,
    actor: &Actor,
    cluster: &ClusterEndpoint,
    outgoing: GatewayRequest,
    across: Option<Across>,
) -> Answer<(OpenStream, Forwarded)> {
    let passage = Passage::open(state, actor, cluster).await?;
    match across {
        None => passage.send(outgoing).await,
        Some(across) => Box::pin(across.gather(passage, actor, cluster.id)).await,
    }
}

/// The cluster's id and the path within, as it came over the wire.
fn split(path: &str) -> Answer<(ClusterId, &str)> {
    let rest = path.strip_prefix(PREFIX).ok_or_else(Problem::not_found)?;
    let (id, inner) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    Ok((id.parse().map_err(|_| Problem::not_found())?, inner))
}

/// What kubectl spoke before WebSockets. The listener has the bytes handed on where a connection begins with it; otherwise they would not reach the
/// cluster, and whoever waits for an answer would wait for ever.
fn wants_spdy(request: &HttpRequest) -> bool {
    let protocol = request.headers().get(header::UPGRADE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    request.head().upgrade() && protocol.trim().to_ascii_uppercase().starts_with("SPDY/")
}

/// Sends a request on its way, where the role allows it. Changes, looks at secrets and commands are in the audit log before the cluster hears of them; meanwhile a way
/// into a pod gets its connection. As long as it is not known how a call ended that was let through, `line` is what the audit log has of it.
async fn set_out<'a>(
    request: &HttpRequest,
    state: &'a Data<State>,
    visitor: &'a Visitor,
    cluster: &'a ClusterEndpoint,
    mut outgoing: GatewayRequest,
    line: &'a Cell<Option<AuditEntry>>,
) -> Answer<Arriving<'a>> {
    let actor = visitor.actor();
    let across = across::of(actor, cluster, &outgoing)?;
    let Some((action, decided)) = judged(actor, cluster, &outgoing, across.is_some())? else {
        return Ok(forward(state, actor, cluster, outgoing, across).boxed_local());
    };
    let way = (action == EXEC && decided.is_ok()).then(|| opening(state, actor, cluster));
    let asked = if action == WRITE && decided.is_ok() { deeds::asked(&mut outgoing).await } else { Asked::default() };
    let nameless = asked.nameless;
    let entry = entry(request, actor, cluster.id, &outgoing, action, asked).outcome(if decided.is_ok() { "accepted" } else { "denied" });
    // Before it is written: that goes on also where nobody waits for its end.
    line.set(decided.is_ok().then(|| entry.clone()));
    state.store.audit_append(entry, visitor.context()).await?;
    decided?;
    let arriving = async move {
        match way {
            Some(way) => way.await.map_err(Problem::internal)??.send(outgoing).await,
            None => forward(state, actor, cluster, outgoing, across).await,
        }
    };
    Ok(with_result(state, line, visitor, nameless, arriving).boxed_local())
}

/// Decides by role; the cluster's own rules decide again. What is written down has a name for the audit log; None: a look that is open to them. A list that is put
/// together `across` their namespaces was decided on for each of these.
fn judged(actor: &Actor, cluster: &ClusterEndpoint, outgoing: &GatewayRequest, across: bool) -> Answer<Option<(&'static str, Answer<()>)>> {
    let reach = outgoing.reach()?;
    let namespace = if let Reach::Namespace(name) = &reach { Some(name.as_str()) } else { None };
    let within = if across { Ok(()) } else { within(actor, cluster.id, &reach) };
    let (action, allowed) = match outgoing.access()? {
        Access::Read => return within.map(|()| None),
        Access::Secrets if across => (SECRET_READ, Ok(())),
        Access::Exec => (EXEC, actor.may_inside::<KubernetesExec>(cluster, namespace).map(drop)),
        Access::Secrets => (SECRET_READ, actor.may_inside::<KubernetesWrite>(cluster, namespace).map(drop)),
        Access::Write => (WRITE, actor.may_inside::<KubernetesWrite>(cluster, namespace).map(drop)),
    };
    // Which namespaces are open says more than that this one is not.
    Ok(Some((action, within.and(allowed.map_err(Problem::from)))))
}

/// The line of a call in the audit log.
fn entry(request: &HttpRequest, actor: &Actor, cluster: ClusterId, outgoing: &GatewayRequest, action: &'static str, asked: Asked) -> AuditEntry {
    let mut detail = serde_json::Value::Object(asked.detail);
    detail["method"] = request.method().as_str().into();
    told(&mut detail, "path", &outgoing.path);
    let selected = deeds::selected(outgoing.query.as_deref());
    if action == WRITE && !selected.is_empty() {
        told(&mut detail, "query", &selected);
    }
    if action == EXEC {
        let query = url::form_urlencoded::parse(outgoing.query.as_deref().unwrap_or_default().as_bytes());
        let command: Vec<String> = query.filter(|(key, _)| key == "command").map(|(_, word)| word.into_owned()).collect();
        told(&mut detail, "command", &command.join(" "));
    }
    AuditEntry::new(actor, action, "cluster", cluster).cluster(cluster).detail(detail)
}

/// A call that is in the audit log; without a line more it went well. What was made gets one, too, where only the answer says what that is.
async fn with_result(
    state: &State,
    line: &Cell<Option<AuditEntry>>,
    visitor: &Visitor,
    nameless: bool,
    arriving: impl Future<Output = Answer<(OpenStream, Forwarded)>>,
) -> Answer<(OpenStream, Forwarded)> {
    let arrived = arriving.await;
    let Some(entry) = line.take() else { return arrived };
    let (key, value): (&str, serde_json::Value) = match &arrived {
        Ok((_, Forwarded::Response(answer))) if answer.status().as_u16() >= 400 => ("status", answer.status().as_u16().into()),
        Ok((_, Forwarded::Response(answer))) if nameless => {
            if let Some(name) = deeds::made(answer) {
                inside::ended(state, entry.outcome("done"), visitor.context(), "object", name.into()).await;
            }
            return arrived;
        }
        Ok(_) => return arrived,
        Err(problem) => ("code", problem.code.as_str().into()),
    };
    inside::failed(state, entry, visitor.context(), key, value).await;
    arrived
}

/// Whether somebody who may see some namespaces only stays within these.
fn within(actor: &Actor, cluster: ClusterId, reach: &Reach) -> Answer<()> {
    match reach {
        Reach::Nothing | Reach::Oneself => Ok(()),
        Reach::Namespace(name) => into_namespace(actor, cluster, Some(name)),
        Reach::Cluster => into_namespace(actor, cluster, None),
    }
}

/// Puts down as much of a text as the audit log takes. Of more than that it says how much there was, and by what the whole is known again: nobody hides
/// a deed behind its beginning unseen, nor behind a NUL, which a row of the database does not hold.
fn told(detail: &mut serde_json::Value, key: &str, text: &str) {
    let kept: String = text.chars().filter(|c| *c != '\0').take(TOLD).collect();
    if kept.len() < text.len() {
        detail["cut"][key] = serde_json::json!({ "characters": text.chars().count(), "sha256": format!("{:x}", Sha256::digest(text)) });
    }
    detail[key] = kept.into();
}

/// Pumps a payload, which stays on its thread, into a stream that may go anywhere.
fn pump(mut payload: Body) -> BodyStream {
    if matches!(payload, Body::None) {
        return Box::pin(futures::stream::empty());
    }
    let (mut sender, receiver) = mpsc::channel(4);
    actix_web::rt::spawn(async move {
        while let Some(piece) = payload.next().await {
            if sender.send(piece.map_err(std::io::Error::other)).await.is_err() {
                break;
            }
        }
    });
    Box::pin(receiver)
}

fn passed_on(response: http::Response<Passed>, head: bool, end: impl Future<Output = ()> + 'static, connection: Option<HangUp>) -> HttpResponse {
    let status = StatusCode::from_u16(response.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut answer = HttpResponse::build(status);
    for (name, value) in response.headers().iter().filter(|(name, _)| *name != http::header::CONTENT_LENGTH) {
        answer.append_header((name.as_str(), value.as_bytes()));
    }
    // What a cluster sends is a stranger's: it must not run in our pages.
    answer.insert_header(("content-security-policy", "sandbox; default-src 'none'; frame-ancestors 'none'"));
    // These have no body by definition: a stream would end with bytes that belong to no answer.
    if head || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        return answer.body(actix_web::body::None::new());
    }
    let length = response.headers().get(http::header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    match (response.into_body().whole(), length) {
        (Ok(whole), _) => answer.body(whole),
        (Err(body), Some(length)) => answer.no_chunking(length).streaming(until(body, end, None, connection)),
        (Err(body), None) => answer.streaming(until(body, end, None, connection)),
    }
}

fn tunnelled(
    tunnel: Tunnel,
    mut payload: BodyStream,
    end: impl Future<Output = ()> + 'static,
    idle: Duration,
    connection: Option<HangUp>,
) -> Answer<HttpResponse> {
    let (activity, over) = (Activity::begin(), CancellationToken::new());
    let (incoming, outgoing) = (activity.clone(), activity.clone());
    let (head, from_cluster, mut to_cluster) = tunnel.split();
    let protocol = head.headers().get("upgrade").and_then(|v| v.to_str().ok()).unwrap_or("websocket").to_owned();
    let cut = over.clone();
    // By itself: an answer goes on only as fast as its client reads, and nobody puts off the end by reading nothing.
    actix_web::rt::spawn(async move {
        tokio::select! {
            // It has ended by itself. The server listens on for a moment, lest the last words be lost on a client that still speaks.
            () = cut.cancelled() => return,
            () = end => (),
            () = activity.idle(idle) => (),
        }
        cut.cancel();
        if let Some(connection) = connection {
            connection.now();
        }
    });
    let was_cut = over.clone();
    actix_web::rt::spawn(async move {
        let copy = async {
            while let Some(Ok(piece)) = payload.next().await {
                incoming.touch();
                // What the cluster did not take at once TLS keeps, until it is asked to send it.
                if to_cluster.write_all(&piece).await.is_err() || to_cluster.flush().await.is_err() {
                    break;
                }
            }
        };
        tokio::select! {
            () = copy => (),
            // The other half has ended, or was cut.
            () = was_cut.cancelled() => (),
        }
        // A cluster that reads nothing more holds nobody's connection for longer than it takes to part.
        let late = async {
            was_cut.cancelled().await;
            tokio::time::sleep(PARTING).await;
        };
        tokio::select! {
            _ = to_cluster.shutdown() => (),
            () = late => (),
        }
    });
    let mut answer = HttpResponse::SwitchingProtocols();
    for (name, value) in head.headers().iter().filter(|(name, _)| *name != "connection" && *name != "upgrade") {
        answer.append_header((name.as_str(), value.as_bytes()));
    }
    answer.upgrade(protocol);
    // With what comes from the cluster all of it ends.
    let whole = over.clone().drop_guard();
    let end = async move {
        over.cancelled().await;
        drop(whole);
    };
    let pieces = from_cluster.inspect(move |_| outgoing.touch()).take_until(Box::pin(end));
    Ok(answer.streaming(pieces))
}
