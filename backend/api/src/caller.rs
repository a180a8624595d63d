//! Who calls: by browser session (cookie, and the CSRF token for writes) or by Keystone token (`X-Auth-Token`).

use crate::errors::{Answer, Problem};
use crate::session::{self, OpenSession};
use crate::state::State;
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use auth::Actor;
use cloud::Cloud;
use cloud::identity::Token;
use domain::codes::Code;
use futures::future::LocalBoxFuture;
use kube_access::Impersonation;
use sealed::TokenHash;
use store::RequestContext;

/// The cookie's name.
pub const COOKIE: &str = "kcs_session";
/// The header that proves that a write comes from our own pages.
pub const CSRF: &str = "x-csrf-token";

/// An authenticated person with the Keystone token that speaks for them.
#[derive(Clone)]
pub struct Caller {
    pub actor: Actor,
    pub token: Token,
    /// Of the session, if it is one.
    pub session: Option<TokenHash>,
    context: RequestContext,
}

impl Caller {
    /// The cloud as this person sees it.
    #[must_use]
    pub fn cloud(&self, state: &State) -> Cloud {
        state.identity.as_token(&self.token)
    }

    /// For the audit log.
    #[must_use]
    pub fn context(&self) -> RequestContext {
        self.context.clone()
    }

    /// Who clusters see.
    ///
    /// # Errors
    /// For somebody without a role in the project.
    pub fn impersonation(&self) -> Answer<Impersonation> {
        let role = self.actor.role().ok_or_else(|| Problem::new(Code::Forbidden))?;
        Ok(Impersonation::new(&self.actor.user.id, &self.actor.user.name, role))
    }

    /// Whether the person may still be here: for streams that last.
    ///
    /// # Errors
    /// When the session or token is over.
    pub async fn still_valid(&self, state: &State) -> Answer<()> {
        match &self.session {
            Some(hash) => session::open(state, hash).await.map(drop),
            None => state.tokens.of(state, self.token.secret.clone()).await.map(drop),
        }
    }
}

/// The request's id and the client's address.
#[must_use]
pub fn context(request: &HttpRequest) -> RequestContext {
    let source = request.peer_addr().map(|a| a.ip().to_string()).unwrap_or_default();
    RequestContext { request_id: crate::request_id::current(), source }
}

/// The state of this process.
///
/// # Errors
/// Never in a running program.
pub fn state(request: &HttpRequest) -> Answer<Data<State>> {
    request.app_data::<Data<State>>().cloned().ok_or_else(|| Problem::internal("no state"))
}

async fn authenticate(request: HttpRequest) -> Answer<Caller> {
    let state = state(&request)?;
    let context = context(&request);
    let caller = if let Some(header) = request.headers().get("x-auth-token") {
        let text = header.to_str().map_err(|_| Problem::new(Code::SessionExpired))?;
        let found = state.tokens.of(&state, text.to_owned().into()).await?;
        Caller { actor: found.0.clone(), token: found.1.clone(), session: None, context }
    } else {
        let (hash, OpenSession { actor, token, csrf, .. }) = session::of_request(&state, &request).await?;
        let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        let given = request.headers().get(CSRF).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if !safe && !csrf.matches(given) {
            return Err(Problem::new(Code::CsrfMissing));
        }
        Caller { actor, token, session: Some(hash), context }
    };
    state.limiter.request(&caller.actor.user.id)?;
    Ok(caller)
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        Box::pin(authenticate(request.clone()))
    }
}
