//! Who goes through the gate: with a kubeconfig of ours, or as somebody who is signed in; and for how long they may be there.

use crate::caller::{self, Caller, opens_socket, same_rights};
use crate::errors::{Answer, Problem};
use crate::state::State;
use crate::{lasting, origins, people};
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use auth::{Actor, Grants, Via};
use domain::clusters::ClusterEndpoint;
use domain::codes::Code;
use domain::ids::ClusterId;
use sealed::{Token, TokenHash, TokenKind};
use std::rc::Rc;
use store::{ChangeNotice, KubeconfigUse, RequestContext};
use tokio::sync::broadcast::Receiver;

/// Whoever uses the pass-through, and how that may end.
pub enum Visitor {
    Kubeconfig(Box<Bearer>),
    Person(Box<Caller>),
}

/// Somebody with a kubeconfig.
pub struct Bearer {
    pub actor: Actor,
    token: TokenHash,
    context: RequestContext,
}

impl Visitor {
    pub fn actor(&self) -> &Actor {
        match self {
            Self::Kubeconfig(bearer) => &bearer.actor,
            Self::Person(caller) => &caller.actor,
        }
    }

    pub fn context(&self) -> RequestContext {
        match self {
            Self::Kubeconfig(bearer) => bearer.context.clone(),
            Self::Person(caller) => caller.context(),
        }
    }

    async fn still_valid(&self, state: &State) -> Answer<()> {
        match self {
            Self::Kubeconfig(bearer) => {
                let found = state.store.kubeconfig_by_token(bearer.token).await?.ok_or_else(unauthorized)?;
                same_rights(&bearer.actor, &bearer_of(state, bearer.token, found).await?.0)
            }
            Self::Person(caller) => caller.still_valid(state).await,
        }
    }
}

/// Who it is, and the cluster, which is in their reach.
pub async fn visitor(request: &HttpRequest, state: &Data<State>, id: ClusterId) -> Answer<(Visitor, ClusterEndpoint)> {
    let text = caller::bearer(request);
    let kind = text.and_then(Token::kind_of);
    if kind != Some(TokenKind::Api) && request.headers().contains_key(header::AUTHORIZATION) {
        // What has not the form of a token is not worth a question to the database.
        let text = text.filter(|_| kind == Some(TokenKind::Kubeconfig)).ok_or_else(unauthorized)?;
        let (token, context) = (TokenHash::of(text), caller::context(request));
        let found = state.bearers.find(&state.limiter, token, &context.source, state.store.kubeconfig_by_token(token)).await?;
        let found = found.filter(|k| k.kubeconfig.cluster == id).ok_or_else(unauthorized)?;
        let (actor, cluster) = bearer_of(state, token, found).await?;
        state.limiter.gate_request(&actor.user.id)?;
        if !actor.scope().holds(&cluster) {
            return Err(Problem::not_found());
        }
        return Ok((Visitor::Kubeconfig(Box::new(Bearer { actor, token, context })), cluster));
    }
    let caller = Caller::extract(request).await?;
    if caller.by_cookie() && opens_socket(request) {
        origins::of_socket(request)?;
    }
    let cluster = state.store.cluster(&caller.actor.scope(), id).await?.cluster.endpoint();
    Ok((Visitor::Person(Box::new(caller)), cluster))
}

/// Whom a kubeconfig speaks for, with the roles that Keystone says they have now.
async fn bearer_of(state: &State, token: TokenHash, found: KubeconfigUse) -> Answer<(Actor, ClusterEndpoint)> {
    let KubeconfigUse { kubeconfig, cluster, given, project } = found;
    let mut roles = kubeconfig.roles;
    if let Some(now) = people::recheck(state, &kubeconfig.user, &project, kubeconfig.checked_at).await? {
        state.store.kubeconfig_checked(kubeconfig.id, &token, &project.id, &kubeconfig.user.id, now.clone()).await?;
        roles = now;
    }
    let actor = Actor::new(kubeconfig.user, project, Grants { roles, operator: false }, given, Via::Kubeconfig(kubeconfig.id));
    let actor = Some(Actor { narrowing: kubeconfig.narrowing, ..actor }).filter(Actor::has_a_place).ok_or_else(unauthorized)?;
    Ok((actor, cluster))
}

fn unauthorized() -> Problem {
    Problem::new(Code::SessionExpired).detail("the kubeconfig is not valid, has expired or was revoked")
}

/// Ends when the visitor may no longer be here, or has been for too long, and says why. `changes` was subscribed to before the visitor was first looked at.
pub async fn over(state: Data<State>, visitor: Rc<Visitor>, id: ClusterId, changes: Receiver<ChangeNotice>) -> Problem {
    let concerns = |notice: &ChangeNotice| match notice {
        ChangeNotice::Changed { cluster, .. } => *cluster == id,
        ChangeNotice::Person { user } => *user == visitor.actor().user.id,
        ChangeNotice::Settings => false,
        ChangeNotice::Resync => true,
    };
    lasting::over(state.settings.streams.longest, changes, concerns, async || visitor.still_valid(&state).await).await
}
