//! The Kubernetes pass-through `/k8s/clusters/{id}/…` for kubectl, helm and the console: authenticate, decide by role, forward as the
//! person, stream both ways, and cut what is open when the right to it ends.

use crate::caller::{self, Caller};
use crate::errors::{Answer, Problem};
use crate::state::State;
use crate::streams::OpenStream;
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Payload};
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};
use auth::{Actor, KubernetesExec, KubernetesWrite, Via};
use domain::codes::Code;
use domain::ids::ClusterId;
use domain::permissions::Permission;
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};
use kube_access::gateway::{Answer as Forwarded, BodyStream, Tunnel};
use kube_access::{GatewayRequest, Impersonation};
use sealed::TokenHash;
use std::time::Duration;
use store::{AuditEntry, ChangeNotice, ClusterRecord, RequestContext};
use tokio::io::AsyncWriteExt;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

/// The address under which clusters are.
pub const PREFIX: &str = "/k8s/clusters/";

/// Whoever uses the pass-through, and how that may end.
#[derive(Clone)]
enum Visitor {
    Kubeconfig(Box<Bearer>),
    Person(Box<Caller>),
}

/// Somebody with a kubeconfig.
#[derive(Clone)]
struct Bearer {
    actor: Actor,
    token: TokenHash,
    context: RequestContext,
}

impl Visitor {
    fn actor(&self) -> &Actor {
        match self {
            Self::Kubeconfig(bearer) => &bearer.actor,
            Self::Person(caller) => &caller.actor,
        }
    }

    fn context(&self) -> RequestContext {
        match self {
            Self::Kubeconfig(bearer) => bearer.context.clone(),
            Self::Person(caller) => caller.context(),
        }
    }

    async fn still_valid(&self, state: &State) -> Answer<()> {
        match self {
            Self::Kubeconfig(bearer) => state.store.kubeconfig_by_token(bearer.token).await?.map(drop).ok_or_else(unauthorized),
            Self::Person(caller) => caller.still_valid(state).await,
        }
    }
}

fn unauthorized() -> Problem {
    Problem::new(Code::SessionExpired).detail("the kubeconfig is not valid, has expired or was revoked")
}

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
    HttpResponse::build(problem.status_code()).json(body)
}

async fn try_pass(request: &HttpRequest, payload: Payload, state: &Data<State>) -> Answer<HttpResponse> {
    let (id, path) = split(request.uri().path())?;
    let upgrade = request.head().upgrade();
    // Before the look at who it is: what changes after that look is heard.
    let changes = state.store.changes();
    let visitor = visitor(request, state, id).await?;
    if upgrade && wants_spdy(request) {
        return Err(
            Problem::new(Code::InvalidInput).detail("commands and ports of pods are reached over WebSockets, not SPDY: use kubectl 1.31 or later")
        );
    }
    let record = state.store.cluster(&visitor.actor().scope(), id).await?;
    let mut payload = Some(pump(payload));
    // What comes after an upgrade is no body: it waits for the tunnel.
    let body = payload.take_if(|_| !upgrade).unwrap_or_else(|| Box::pin(futures::stream::empty()));
    let mut outgoing = GatewayRequest::new(request.method().as_str(), path, request.uri().query(), body)?;
    for (name, value) in request.headers() {
        outgoing.add_header(name.as_str(), value.as_bytes());
    }
    permit(request, state, &visitor, &record, &outgoing).await?;
    let role = visitor.actor().role().ok_or_else(|| Problem::new(Code::Forbidden))?;
    let who = Impersonation::new(&visitor.actor().user.id, &visitor.actor().user.name, role);
    let open = state.streams.open(&visitor.actor().user.id)?;
    let target = state.targets.of(state, &record).await?;
    let answer = state.kube.gateway(&target).await?.forward(&who, outgoing).await?;
    let end = ended(state.clone(), visitor, id, open, changes);
    match (answer, payload) {
        (Forwarded::Response(response), _) => Ok(passed_on(response, request.method() == Method::HEAD, end)),
        (Forwarded::Tunnel(tunnel), Some(payload)) => tunnelled(tunnel, payload, end),
        (Forwarded::Tunnel(_), None) => Err(Problem::internal("a tunnel nobody asked for")),
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

async fn visitor(request: &HttpRequest, state: &Data<State>, id: ClusterId) -> Answer<Visitor> {
    if let Some(header) = request.headers().get(header::AUTHORIZATION) {
        let text = header.to_str().ok().and_then(|h| h.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let token = TokenHash::of(text.map(|(_, token)| token.trim()).ok_or_else(unauthorized)?);
        let found = state.store.kubeconfig_by_token(token).await?.filter(|k| k.kubeconfig.cluster == id).ok_or_else(unauthorized)?;
        let kubeconfig = found.kubeconfig;
        let actor =
            Actor { user: kubeconfig.user, project: found.project, roles: kubeconfig.roles, operator: false, via: Via::Kubeconfig(kubeconfig.id) };
        return Ok(Visitor::Kubeconfig(Box::new(Bearer { actor, token, context: caller::context(request) })));
    }
    let caller = Caller::extract(request).await?;
    if caller.session.is_some() && request.head().upgrade() {
        same_origin(request, state)?;
    }
    Ok(Visitor::Person(Box::new(caller)))
}

/// What kubectl spoke before WebSockets. Its bytes would not reach the cluster, and whoever waits for an answer would wait for ever.
fn wants_spdy(request: &HttpRequest) -> bool {
    let protocol = request.headers().get(header::UPGRADE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    protocol.trim().to_ascii_uppercase().starts_with("SPDY/")
}

/// A page of somebody else's may open a WebSocket that carries our cookie; the browser says whose page it was.
fn same_origin(request: &HttpRequest, state: &State) -> Answer<()> {
    let text = |name| request.headers().get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    let origin = text(header::ORIGIN).unwrap_or_default();
    let own = text(header::HOST).is_some_and(|host| origin == format!("http://{host}") || origin == format!("https://{host}"));
    if own || state.settings.origins.iter().any(|o| o == origin) {
        Ok(())
    } else {
        Err(Problem::new(Code::CsrfMissing).detail("the origin is not ours"))
    }
}

/// Decides by role; the cluster's own rules decide again. Changes and commands are written into the audit log.
async fn permit(request: &HttpRequest, state: &State, visitor: &Visitor, record: &ClusterRecord, outgoing: &GatewayRequest) -> Answer<()> {
    let actor = visitor.actor();
    let decided = match outgoing.access()?.permission() {
        None => return Ok(()),
        Some(Permission::KubernetesExec) => actor.may::<KubernetesExec>(record).map(|_| "kubernetes_exec"),
        Some(_) => actor.may::<KubernetesWrite>(record).map(|_| "kubernetes_write"),
    };
    let (action, outcome) = match &decided {
        Ok(action) => (*action, "accepted"),
        Err(_) => ("kubernetes_write", "denied"),
    };
    let safe = matches!(*request.method(), Method::GET | Method::HEAD) && action == "kubernetes_write" && decided.is_ok();
    if !safe {
        let detail = serde_json::json!({ "method": request.method().as_str(), "path": outgoing.path.chars().take(500).collect::<String>() });
        let entry = AuditEntry { actor: actor.clone(), action, object_kind: "cluster", object_id: record.cluster.id.to_string(), outcome, detail };
        state.store.audit_append(entry, visitor.context()).await?;
    }
    decided.map(drop).map_err(Problem::from)
}

/// Pumps a payload, which stays on its thread, into a stream that may go anywhere.
fn pump(mut payload: Payload) -> BodyStream {
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

/// Streams are looked at this often even when nobody said that something changed.
const LOOK: Duration = Duration::from_secs(20);
/// After a look that the database did not answer, the next: a revocation must not go unseen for longer than it has to.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Ends when the visitor may no longer be here, or the program stops. `changes` was subscribed to before the visitor was first looked at.
async fn ended(state: Data<State>, visitor: Visitor, id: ClusterId, open: OpenStream, mut changes: Receiver<ChangeNotice>) {
    let mut due = Instant::now() + LOOK;
    loop {
        let looked = tokio::select! {
            notice = changes.recv() => match notice {
                Ok(ChangeNotice::Changed { cluster, .. }) => cluster == id,
                Ok(ChangeNotice::Resync) | Err(RecvError::Lagged(_)) => true,
                Err(RecvError::Closed) => break,
            },
            () = tokio::time::sleep_until(due) => true,
            () = state.stopping.cancelled() => break,
        };
        // Notices about other clusters leave the time of the next look as it is.
        if !looked {
            continue;
        }
        let pause = match visitor.still_valid(&state).await {
            Ok(()) => LOOK,
            // A database that does not answer for a moment cuts nobody off.
            Err(problem) if problem.status >= 500 => LOOK_AGAIN,
            Err(_) => break,
        };
        // From the look's end: one that took long is not followed by the next at once.
        due = Instant::now() + pause;
    }
    drop(open);
}

fn passed_on(response: http::Response<BodyStream>, head: bool, end: impl Future<Output = ()> + 'static) -> HttpResponse {
    let status = StatusCode::from_u16(response.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut answer = HttpResponse::build(status);
    for (name, value) in response.headers().iter().filter(|(name, _)| *name != http::header::CONTENT_LENGTH) {
        answer.append_header((name.as_str(), value.as_bytes()));
    }
    // What a cluster sends is a stranger's: it must not run in our pages.
    answer.insert_header(("content-security-policy", "sandbox; default-src 'none'"));
    // These have no body by definition: a stream would end with bytes that belong to no answer.
    if head || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        return answer.body(actix_web::body::None::new());
    }
    let length = response.headers().get(http::header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    let body = response.into_body().take_until(Box::pin(end));
    match length {
        Some(length) => answer.no_chunking(length).streaming(body),
        None => answer.streaming(body),
    }
}

fn tunnelled(tunnel: Tunnel, mut payload: BodyStream, end: impl Future<Output = ()> + 'static) -> Answer<HttpResponse> {
    let (head, from_cluster, mut to_cluster) = tunnel.split();
    let protocol = head.headers().get("upgrade").and_then(|v| v.to_str().ok()).unwrap_or("websocket").to_owned();
    let (cut, was_cut) = tokio::sync::oneshot::channel::<()>();
    actix_web::rt::spawn(async move {
        let copy = async {
            while let Some(Ok(piece)) = payload.next().await {
                if to_cluster.write_all(&piece).await.is_err() {
                    break;
                }
            }
        };
        tokio::select! {
            () = copy => (),
            // The other half has ended, or was cut.
            _ = was_cut => (),
        }
        drop(to_cluster.shutdown().await);
    });
    let mut answer = HttpResponse::SwitchingProtocols();
    for (name, value) in head.headers().iter().filter(|(name, _)| *name != "connection" && *name != "upgrade") {
        answer.append_header((name.as_str(), value.as_bytes()));
    }
    answer.upgrade(protocol);
    let end = async move {
        end.await;
        drop(cut);
    };
    let pieces = from_cluster.take_until(Box::pin(end));
    Ok(answer.streaming(pieces))
}
