//! What operators set for the whole installation over its configuration: seen, tested, saved and looked back at.

use crate::clusters::{Check, CheckLevel, page_of};
use crate::errors::{Answer, Problem};
use crate::extract::{Body, QueryParams};
use crate::in_force::{Current, InForce};
use crate::lists::List;
use crate::operators::Operator;
use crate::settings_checks::{self, TestLine};
use crate::state::State;
use crate::texts::is_text;
use actix_web::web::{Data, Json};
use actix_web::{get, post, put};
use domain::codes::Code;
use domain::costs::Prices;
use domain::installation::{AUTHORIZATION, AuditSettings, Difference, Installation, InstallationSettings, KEYS, LimitSettings, given, origin};
use domain::templates::Template;
use domain::versions::CatalogueVersion;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use store::{AuthorizationChange, ForwardAuthorization, NewSettings, SettingsRecord, SettingsRevision as Revision, StoreError};
use time::OffsetDateTime;
use url::Url;

/// Characters that the words to a change may have at most.
const LONGEST: usize = 300;
/// Bytes that an authorization may have at most.
const LONGEST_SECRET: usize = 4096;

/// What is set, and what counts.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AdminSettings {
    /// Counts from 1; 0: nothing was ever set.
    pub revision: i64,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<OffsetDateTime>,
    /// Name of the operator.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub changed_by: String,
    /// What operators set, as it is sent to be saved.
    pub set: InstallationSettings,
    /// Every key once.
    pub values: Vec<SettingValue>,
}

/// One key.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SettingValue {
    /// As the configuration spells it: `limits.nodes_per_pool`, `versions`, `prices`, `audit.forward`, …
    pub key: String,
    /// What counts; null: none. Of an address scheme, host and port, of the authorization whether there is one.
    pub value: Value,
    /// What the configuration says, in the same way.
    pub configured: Value,
    /// Name of the operator who set it; absent: it is as configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_by: Option<String>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub set_at: Option<OffsetDateTime>,
}

/// What is to be set. It takes the place of all that was set before; what is not named is as configured.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsRequest {
    /// The revision that it was made from.
    pub revision: i64,
    /// Why: at most 300 characters.
    #[serde(default)]
    #[schema(max_length = 300)]
    pub comment: String,
    #[serde(default)]
    pub limits: LimitSettings,
    /// All that are offered, in place of those of the configuration; never null. Those that clusters have stay, as `deprecated` or `hidden` if need be.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<CatalogueVersion>, required = false)]
    pub versions: Option<Vec<CatalogueVersion>>,
    /// All of the operator's, in place of those of the configuration; never null.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<Template>, required = false)]
    pub templates: Option<Vec<Template>>,
    /// null: costs are shown nowhere.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Prices>)]
    pub prices: Option<Option<Prices>>,
    #[serde(default)]
    pub audit: AuditSettingsRequest,
}

/// What is to become of the audit log. What is not named is as configured.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditSettingsRequest {
    /// 1 to 36500; null: lines are kept for ever.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>)]
    pub retention_days: Option<Option<u32>>,
    /// `https://…`, `syslog+tcp://host:port`, `syslog+udp://host:port`; null: lines are handed on nowhere. All operators see it: no secret belongs
    /// into it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub forward: Option<Option<Url>>,
    /// Sent as `Authorization` with lines, and shown to nobody. Absent: the one that was set stays, as long as `forward` leads to the same scheme,
    /// host and port; null: it is removed.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, write_only)]
    pub forward_authorization: Option<Option<SecretString>>,
}

/// What saving a request would come to.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SettingsTest {
    pub checks: Vec<Check>,
    pub differences: Vec<Difference>,
    /// Whether a check stands against saving it.
    pub blocked: bool,
}

/// A revision of the past.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SettingsRevision {
    pub revision: i64,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<OffsetDateTime>,
    /// Name of the operator.
    pub changed_by: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// From the revision before.
    pub differences: Vec<Difference>,
    /// All that was set.
    pub set: InstallationSettings,
}

/// What the history may be paged by.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SettingsHistoryQuery {
    /// 1 to 200; default 50.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// A request that was read, beside what counts now.
pub struct Draft {
    pub before: Arc<Current>,
    pub after: Installation,
    pub new: NewSettings,
}

impl AdminSettings {
    fn of(in_force: &InForce) -> Self {
        let (now, configured) = (in_force.now(), in_force.configured());
        let (mut values, mut of_file) = (now.installation.values(), configured.installation.values());
        values.insert(AUTHORIZATION, json!(now.authorization().is_some()));
        of_file.insert(AUTHORIZATION, json!(configured.authorization.is_some()));
        let SettingsRecord { revision, settings, marks, changed_at, changed_by, .. } = now.record.clone();
        let value = |key: &str| SettingValue {
            key: key.to_owned(),
            value: values.get(key).cloned().unwrap_or_default(),
            configured: of_file.get(key).cloned().unwrap_or_default(),
            set_by: marks.get(key).map(|mark| mark.by.clone()),
            set_at: marks.get(key).map(|mark| mark.at),
        };
        Self { revision, changed_at, changed_by, set: settings, values: KEYS.into_iter().chain([AUTHORIZATION]).map(value).collect() }
    }
}

impl From<Revision> for SettingsRevision {
    fn from(revision: Revision) -> Self {
        let Revision { record, differences } = revision;
        let SettingsRecord { revision, settings, changed_at, changed_by, comment, .. } = record;
        Self { revision, changed_at, changed_by, comment, differences, set: settings }
    }
}

impl Draft {
    /// Reads a request against what is set at this moment.
    async fn of(request: SettingsRequest, state: &State) -> Answer<Self> {
        state.in_force.look(&state.store).await?;
        let before = state.in_force.now();
        let comment = request.comment.trim().to_owned();
        if !is_text(&comment, LONGEST) {
            return Err(Problem::field("comment", format!("must be at most {LONGEST} characters")));
        }
        let SettingsRequest { limits, versions, templates, prices, .. } = request;
        let AuditSettingsRequest { retention_days, forward, forward_authorization } = request.audit;
        let settings = InstallationSettings { limits, versions, templates, prices, audit: AuditSettings { retention_days, forward } };
        let after = state.in_force.configured().installation.with(&settings);
        let authorization = authorization(forward_authorization, after.forward.as_ref(), &before)?;
        Ok(Self { before, after, new: NewSettings { from: request.revision, settings, authorization, comment } })
    }

    /// From what is set now.
    #[must_use]
    pub fn differences(&self) -> Vec<Difference> {
        let mut found = self.before.record.settings.differences(&self.new.settings);
        let was = self.before.record.authorized;
        let is = match self.new.authorization {
            AuthorizationChange::Keep => None,
            AuthorizationChange::Remove => was.then_some(false),
            AuthorizationChange::Set(_) => Some(true),
        };
        let there = |is: bool| is.then_some(Value::Bool(true));
        found.extend(is.map(|is| Difference { key: AUTHORIZATION.to_owned(), before: there(was), after: there(is) }));
        found
    }

    /// # Errors
    /// When it would change something and was made from another revision than the newest. Sent again after an answer that was lost, it changes nothing.
    fn refuse_stale(&self) -> Answer<()> {
        let newest = &self.before.record;
        if self.new.from == newest.revision || self.differences().is_empty() { Ok(()) } else { Err(conflict(newest)) }
    }
}

/// What becomes of the authorization. The one that is set already, given again, is no change.
fn authorization(wanted: Option<Option<SecretString>>, to: Option<&Url>, before: &Current) -> Answer<AuthorizationChange> {
    let secret = match wanted {
        None => return Ok(AuthorizationChange::Keep),
        Some(None) => return Ok(AuthorizationChange::Remove),
        Some(Some(secret)) => secret,
    };
    let text = secret.expose_secret();
    if text.trim().is_empty() || text.len() > LONGEST_SECRET || !text.is_ascii() || HeaderValue::from_str(text).is_err() {
        return Err(Problem::field(AUTHORIZATION, format!("must be 1 to {LONGEST_SECRET} visible ASCII characters")));
    }
    let given = ForwardAuthorization { origin: to.map(origin).unwrap_or_default(), secret };
    Ok(if before.given.as_ref() == Some(&given) { AuthorizationChange::Keep } else { AuthorizationChange::Set(given) })
}

/// Somebody else has saved meanwhile: whoever is told can look at what, and begin from there.
fn conflict(newest: &SettingsRecord) -> Problem {
    let problem = Problem::new(Code::Conflict).detail(format!("revision {} was saved meanwhile", newest.revision));
    problem.param("revision", newest.revision).param("by", newest.changed_by.as_str())
}

/// What operators set, and what counts. Operators only.
#[utoipa::path(tag = "admin", responses((status = 200, body = AdminSettings)))]
#[get("/admin/settings")]
pub async fn settings_get(_: Operator, state: Data<State>) -> Answer<Json<AdminSettings>> {
    state.in_force.look(&state.store).await?;
    Ok(Json(AdminSettings::of(&state.in_force)))
}

/// What saving this would come to. Nothing is saved; where lines of the audit log would be handed on, one is sent as a test. Operators only.
#[utoipa::path(tag = "admin", request_body = SettingsRequest, responses((status = 200, body = SettingsTest)))]
#[post("/admin/settings/test")]
pub async fn settings_test(operator: Operator, state: Data<State>, body: Body<SettingsRequest>) -> Answer<Json<SettingsTest>> {
    let draft = Draft::of(body.read()?.0, &state).await?;
    draft.refuse_stale()?;
    let checks = settings_checks::checks(&state, &operator, &draft, TestLine::Always).await?;
    let blocked = checks.iter().any(|check| check.level == CheckLevel::Blocked);
    Ok(Json(SettingsTest { checks, differences: draft.differences(), blocked }))
}

/// Set this, if no check stands against it and nobody has saved since the revision that it was made from. It counts at once. Operators only.
#[utoipa::path(tag = "admin", request_body = SettingsRequest, responses((status = 200, body = AdminSettings)))]
#[put("/admin/settings")]
pub async fn settings_save(operator: Operator, state: Data<State>, body: Body<SettingsRequest>) -> Answer<Json<AdminSettings>> {
    let draft = Draft::of(body.read()?.0, &state).await?;
    draft.refuse_stale()?;
    if !draft.differences().is_empty() {
        settings_checks::refuse(&settings_checks::checks(&state, &operator, &draft, TestLine::WhereItIsNew).await?)?;
        let Operator { caller, scope } = operator;
        let saved = state.store.settings_save(scope, &caller.actor, draft.new, caller.context()).await;
        state.in_force.look(&state.store).await?;
        saved.map_err(|error| match error {
            StoreError::Refused(Code::Conflict) => conflict(&state.in_force.now().record),
            other => other.into(),
        })?;
    }
    Ok(Json(AdminSettings::of(&state.in_force)))
}

/// What was set before, the newest first. Operators only.
#[utoipa::path(tag = "admin", params(SettingsHistoryQuery), responses((status = 200, body = List<SettingsRevision>)))]
#[get("/admin/settings/history")]
pub async fn settings_history(
    operator: Operator,
    state: Data<State>,
    query: QueryParams<SettingsHistoryQuery>,
) -> Answer<Json<List<SettingsRevision>>> {
    let query = query.read()?;
    let page = page_of(query.limit, query.cursor)?;
    Ok(Json(List::page(state.store.settings_history(operator.scope, page).await?, SettingsRevision::from)))
}
