//! What is looked at before settings of the installation are saved: who has more than a new limit, what the cloud has of what versions, templates and
//! prices name, and whether a line of the audit log arrives where lines would be handed on to.

use crate::audit::{AuditLine, Person};
use crate::caller::Caller;
use crate::clusters::{Check, CheckLevel};
use crate::errors::{Answer, FieldError, Problem};
use crate::in_force::Undelivered;
use crate::operators::Operator;
use crate::plan::facts;
use crate::session::ProjectRef;
use crate::settings::Draft;
use crate::state::State;
use domain::codes::Code;
use domain::installation::{AUTHORIZATION, FORWARD, shown};
use domain::installation_checks::{self as rules, AuthorizationWish, Seen, delivered};
use domain::preflight::Facts;
use secrecy::SecretString;
use serde_json::json;
use store::{AuditEntry, AuthorizationChange, ForwardAuthorization};
use time::OffsetDateTime;
use url::Url;

/// When a line is sent as a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestLine {
    Always,
    /// Where lines would be handed on to another place than now, or with another authorization.
    WhereItIsNew,
}

/// All checks of a draft. Where one stands against its address already, no line is sent there.
///
/// # Errors
/// When the database does not answer.
pub async fn checks(state: &State, operator: &Operator, draft: &Draft, line: TestLine) -> Answer<Vec<Check>> {
    let seen = seen(state, operator, draft).await?;
    let mut checks = rules::checks(&draft.before.installation, &draft.after, wish(draft), &seen);
    let blocked = |check: &Check| check.level == CheckLevel::Blocked && check.field.as_deref().is_some_and(|field| field.starts_with("audit."));
    if let Some(to) = &draft.after.forward
        && !checks.iter().any(blocked)
        && (line == TestLine::Always || draft.moves())
    {
        checks.extend(test_line(state, operator, draft, to).await?);
    }
    Ok(checks)
}

/// What stands against it, as a problem that names every field.
///
/// # Errors
/// That problem, if anything does.
pub fn refuse(checks: &[Check]) -> Answer<()> {
    let own = |code: &Code| *code != Code::InvalidInput;
    let error =
        |check: &Check| FieldError { field: check.field.clone().unwrap_or_default(), message: check.message.clone(), code: check.code.filter(own) };
    let blocked: Vec<&Check> = checks.iter().filter(|check| check.level == CheckLevel::Blocked).collect();
    let Some(first) = blocked.first() else { return Ok(()) };
    let mut problem = Problem::fields(blocked.iter().map(|check| error(check)).collect());
    problem.params.clone_from(&first.params);
    Err(problem)
}

async fn seen(state: &State, operator: &Operator, draft: &Draft) -> Answer<Seen> {
    let mut seen = Seen::default();
    let (before, after) = (&draft.before.installation, &draft.after);
    if before.of_projects != after.of_projects {
        seen.tenants = state.store.tenant_uses(operator.scope).await?;
    }
    let versions = before.versions != after.versions;
    if versions || before.spec_limits() != after.spec_limits() {
        let all = state.store.holdings(&operator.scope.scope()).await?.clusters;
        seen.clusters = all.into_iter().map(|(_, spec)| spec).collect();
    }
    if versions || before.templates != after.templates || (before.prices != after.prices && after.prices.is_some()) {
        seen.offered = offered(state, &operator.caller).await;
    }
    Ok(seen)
}

/// None: the cloud does not answer. That is said, and keeps nobody from saving.
async fn offered(state: &State, caller: &Caller) -> Option<Facts> {
    let catalogue = state.catalogue.of(state, caller).await.ok()?;
    let cloud = caller.cloud(state).await.ok()?;
    Some(facts(&catalogue, state, &cloud))
}

/// What is to become of the authorization that operators set. One that does not open counts as one for nowhere: it cannot be kept for anything.
fn wish(draft: &Draft) -> AuthorizationWish<'_> {
    match &draft.new.authorization {
        AuthorizationChange::Set(_) => AuthorizationWish::Give,
        AuthorizationChange::Remove => AuthorizationWish::Remove,
        AuthorizationChange::Keep if draft.before.record.authorized => {
            AuthorizationWish::Keep(draft.before.given.as_ref().map_or("an address that is not known any more", |given| given.origin.as_str()))
        }
        AuthorizationChange::Keep => AuthorizationWish::Nothing,
    }
}

impl Draft {
    /// The operators' authorization once this is saved.
    fn given(&self) -> Option<&ForwardAuthorization> {
        match &self.new.authorization {
            AuthorizationChange::Set(given) => Some(given),
            AuthorizationChange::Keep => self.before.given.as_ref(),
            AuthorizationChange::Remove => None,
        }
    }

    /// Whether lines would go elsewhere, or come with another authorization.
    fn moves(&self) -> bool {
        self.before.installation.forward != self.after.forward || !matches!(self.new.authorization, AuthorizationChange::Keep)
    }
}

/// Writes down that a line is sent, and sends it.
async fn test_line(state: &State, operator: &Operator, draft: &Draft, to: &Url) -> Answer<Vec<Check>> {
    let authorization = state.in_force.configured().authorization_for(to, draft.given());
    let write_down = async |outcome| {
        let entry = AuditEntry::new(&operator.caller.actor, "settings_test", "settings", draft.before.record.revision).outcome(outcome);
        state.store.audit_append(entry.detail(json!({ "forward": shown(to) })), operator.caller.context()).await
    };
    // Before it leaves: whoever asks for it may be gone when it has arrived.
    write_down("accepted").await?;
    let failure = state.in_force.courier.deliver(line(operator, to), to, authorization).await.err();
    if failure.is_some() {
        write_down("failed").await?;
    }
    Ok(delivered(failure.map(|failure| wrong(failure, authorization))))
}

/// A line that says what it is. It is not one of the log: it has no number of its own there.
fn line(operator: &Operator, to: &Url) -> AuditLine {
    let (actor, context) = (&operator.caller.actor, operator.caller.context());
    AuditLine {
        id: 0,
        at: OffsetDateTime::now_utc(),
        project: ProjectRef { id: actor.project.id.0.clone(), name: actor.project.name.clone() },
        user: Person { id: actor.user.id.clone(), name: actor.user.name.clone() },
        via: actor.via.as_str().to_owned(),
        via_id: actor.via.id(),
        action: "settings_test".to_owned(),
        object_kind: "settings".to_owned(),
        object_id: String::new(),
        cluster: None,
        operation: None,
        outcome: "done".to_owned(),
        request_id: context.request_id,
        source: context.source,
        detail: json!({ "forward": shown(to) }),
    }
}

/// Which field is to be mended, in words and in parameters.
fn wrong(failure: Undelivered, authorization: Option<&SecretString>) -> (&'static str, String, serde_json::Value) {
    let unknown = matches!(failure, Undelivered::Status(401 | 403));
    let status = if let Undelivered::Status(status) = failure { Some(status) } else { None };
    let words = if unknown && authorization.is_none() { format!("{failure}: it wants an authorization") } else { failure.to_string() };
    (if unknown { AUTHORIZATION } else { FORWARD }, words, json!({ "reason": failure.as_str(), "status": status }))
}
