//! Who calls: by browser session (cookie, and the CSRF token for writes), by Keystone token (`X-Auth-Token`), or by a token of ours (`Authorization: Bearer`).

use crate::errors::{Answer, Problem};
use crate::peers;
use crate::refusals;
use crate::session::{self, OpenSession};
use crate::state::State;
use crate::streams::HangUp;
use crate::tokens;
use actix_web::dev::Payload;
use actix_web::http::header::HeaderValue;
use actix_web::http::{Method, Version, header};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use auth::Actor;
use cloud::Cloud;
use cloud::identity::Token as KeystoneToken;
use domain::codes::Code;
use futures::future::LocalBoxFuture;
use kube_access::gateway::CSRF_PROTOCOL;
use sealed::{Token, TokenHash, TokenKind};
use store::RequestContext;

/// The name of the session's cookie.
const COOKIE: &str = "kcs_session";
/// The header that proves that a write comes from our own pages.
pub const CSRF: &str = "x-csrf-token";

/// A cookie's name for whoever came like this. Over TLS it has a prefix with which browsers take it from this host alone, for all of it, so that no other of the
/// same domain can plant one (RFC 6265bis 4.1.3.2); without TLS they take none of that name.
pub fn host_cookie(request: &HttpRequest, name: &str) -> String {
    if peers::secure(request) { format!("__Host-{name}") } else { name.to_owned() }
}

/// The name of the session's cookie for whoever came like this.
pub fn cookie_name(request: &HttpRequest) -> String {
    host_cookie(request, COOKIE)
}

/// What a person came with.
#[derive(Clone)]
enum Proof {
    Session(TokenHash, KeystoneToken),
    Keystone(KeystoneToken),
    Api(TokenHash),
}

/// An authenticated person.
#[derive(Clone)]
pub struct Caller {
    pub actor: Actor,
    proof: Proof,
    context: RequestContext,
    connection: Option<HangUp>,
}

impl Caller {
    /// The cloud as this person sees it; with a token of ours, as the project's service user does.
    ///
    /// # Errors
    /// What Keystone answered.
    pub async fn cloud(&self, state: &State) -> Answer<Cloud> {
        match self.keystone() {
            Some(token) => Ok(state.identity.as_token(token)),
            None => state.service_clouds.of(state, &self.actor.project.id).await,
        }
    }

    /// The token of Keystone's that speaks for the person, if they came with one.
    #[must_use]
    pub fn keystone(&self) -> Option<&KeystoneToken> {
        match &self.proof {
            Proof::Session(_, token) | Proof::Keystone(token) => Some(token),
            Proof::Api(_) => None,
        }
    }

    /// Whether a browser's cookie brought the person here.
    #[must_use]
    pub fn by_cookie(&self) -> bool {
        matches!(self.proof, Proof::Session(..))
    }

    /// For the audit log.
    #[must_use]
    pub fn context(&self) -> RequestContext {
        self.context.clone()
    }

    /// Ends the connection that the request came by.
    #[must_use]
    pub fn connection(&self) -> Option<HangUp> {
        self.connection.clone()
    }

    /// Whether the person may still be here, with the rights they had: for streams that last.
    ///
    /// # Errors
    /// When the session or token is over, or what the person may do has changed.
    pub async fn still_valid(&self, state: &State) -> Answer<()> {
        let now = match &self.proof {
            Proof::Session(hash, _) => session::open(state, hash).await?.actor,
            Proof::Keystone(token) => state.keystone_tokens.of(state, token.secret.clone(), None).await?.0,
            Proof::Api(hash) => tokens::bearer(state, *hash, &self.context.source).await?,
        };
        same_rights(&self.actor, &now)
    }
}

/// Whether somebody's rights are what they were: who was given others begins anew with those.
///
/// # Errors
/// When they are not.
pub fn same_rights(before: &Actor, now: &Actor) -> Answer<()> {
    let same = before.rights == now.rights
        && before.narrowing == now.narrowing
        && before.operator == now.operator
        && before.roles.is_empty() == now.roles.is_empty();
    if same { Ok(()) } else { Err(Problem::new(Code::Forbidden).detail("what the person may do has changed")) }
}

/// The request's id and the client's address.
#[must_use]
pub fn context(request: &HttpRequest) -> RequestContext {
    RequestContext { request_id: crate::request_id::current(), source: peers::source(request) }
}

/// The state of this process.
///
/// # Errors
/// Never in a running program.
pub fn state(request: &HttpRequest) -> Answer<Data<State>> {
    request.app_data::<Data<State>>().cloned().ok_or_else(|| Problem::internal("no state"))
}

/// The text after `Authorization: Bearer`.
#[must_use]
pub fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Whether a WebSocket is among what is asked for: then the HTTP server hands on all that follows the head, whatever else the head says of it.
#[must_use]
pub fn names_websocket(request: &HttpRequest) -> bool {
    let websocket = |protocol: &HeaderValue| protocol.as_bytes().trim_ascii().eq_ignore_ascii_case(b"websocket");
    request.headers().get_all(header::UPGRADE).any(websocket)
}

/// Whether a request becomes a socket: bytes both ways after its head. HTTP/1.0 has none (RFC 9110 section 7.8).
#[must_use]
pub fn opens_socket(request: &HttpRequest) -> bool {
    request.version() >= Version::HTTP_11 && request.head().upgrade() && names_websocket(request)
}

/// Whether a request has a body, by its head.
#[must_use]
pub fn promises_body(request: &HttpRequest) -> bool {
    let headers = request.headers();
    headers.contains_key(header::TRANSFER_ENCODING) || headers.get(header::CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0")
}

/// The CSRF token that came with a request: in its header, or, for browsers set none with a socket, as one of its subprotocols.
fn csrf_given(request: &HttpRequest) -> &str {
    if let Some(header) = request.headers().get(CSRF) {
        return header.to_str().unwrap_or_default();
    }
    let protocols = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL).filter_map(|v| v.to_str().ok());
    protocols.flat_map(|v| v.split(',')).find_map(|one| one.trim().strip_prefix(CSRF_PROTOCOL)).unwrap_or_default()
}

async fn authenticate(request: HttpRequest) -> Answer<Caller> {
    let state = state(&request)?;
    let context = context(&request);
    let (actor, proof) = if let Some(header) = request.headers().get("x-auth-token") {
        let text = header.to_str().map_err(|_| Problem::new(Code::SessionExpired))?;
        let found = state.keystone_tokens.of(&state, text.to_owned().into(), Some(context.source.as_str())).await?;
        (found.0, Proof::Keystone((*found.1).clone()))
    } else if request.headers().contains_key(header::AUTHORIZATION) {
        // What has not the form of a token is not worth a question to the database.
        let token = bearer(&request).filter(|text| Token::kind_of(text) == Some(TokenKind::Api));
        let hash = TokenHash::of(token.ok_or_else(|| Problem::new(Code::SessionExpired))?);
        (tokens::bearer(&state, hash, &context.source).await?, Proof::Api(hash))
    } else {
        let (hash, OpenSession { actor, token, csrf, .. }) = session::of_request(&state, &request).await?;
        // A socket is opened by GET and does more than look.
        let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) && !opens_socket(&request);
        if !safe && !csrf.matches(csrf_given(&request)) {
            return Err(Problem::new(Code::CsrfMissing));
        }
        (actor, Proof::Session(hash, token))
    };
    let caller = Caller { actor, proof, context, connection: request.conn_data::<HangUp>().cloned() };
    state.limiter.request(&caller.actor.user.id)?;
    refusals::known(&request, &caller.actor, &caller.context);
    Ok(caller)
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        Box::pin(authenticate(request.clone()))
    }
}
