//! What operators set over the configuration: revisions, of which the newest counts. The one secret among it is kept with the other secrets, where
//! changes of keys reach it, and only as long as it counts.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::changes::announce_settings;
use crate::error::StoreError;
use crate::pages::{Page, PageRequest};
use crate::pool::{Store, read, write};
use crate::secrets::{self, SecretOwner};
use auth::{Actor, OperatorScope};
use domain::codes::Code;
use domain::installation::{AUTHORIZATION, Difference, InstallationSettings, Mark, Marks, marked, words};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

/// The secret's kind; the installation owns it.
const KIND: &str = "forward_authorization";

/// What is set. The default: nothing ever was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsRecord {
    /// Counts from 1; 0: nothing was ever set.
    pub revision: i64,
    pub settings: InstallationSettings,
    pub marks: Marks,
    /// Whether an authorization was set at this revision.
    pub authorized: bool,
    pub changed_at: Option<OffsetDateTime>,
    /// Name of the operator.
    pub changed_by: String,
    /// Why, in the operator's words.
    pub comment: String,
}

/// One revision of the history.
#[derive(Clone, Debug, PartialEq)]
pub struct SettingsRevision {
    pub record: SettingsRecord,
    /// From the revision before.
    pub differences: Vec<Difference>,
}

/// What is sent as `Authorization` with lines of the audit log, and where to: it is sealed together with that, so that nobody who writes to the
/// database has it sent elsewhere.
#[derive(Clone, Debug)]
pub struct ForwardAuthorization {
    /// Scheme, host and port.
    pub origin: String,
    pub secret: SecretString,
}

impl PartialEq for ForwardAuthorization {
    fn eq(&self, other: &Self) -> bool {
        self.origin == other.origin && self.secret.expose_secret() == other.secret.expose_secret()
    }
}

#[derive(Clone, Debug)]
pub enum AuthorizationChange {
    Keep,
    Remove,
    Set(ForwardAuthorization),
}

/// Settings to be saved: they take the place of all that was set before.
#[derive(Clone, Debug)]
pub struct NewSettings {
    /// The revision that they were made from.
    pub from: i64,
    pub settings: InstallationSettings,
    pub authorization: AuthorizationChange,
    pub comment: String,
}

struct Row {
    revision: i64,
    document: Json<InstallationSettings>,
    marks: Json<Marks>,
    authorized: bool,
    authorized_anew: bool,
    changed_at: OffsetDateTime,
    changed_by: String,
    comment: String,
    /// Of the revision before.
    old_document: Option<Json<InstallationSettings>>,
    old_authorized: Option<bool>,
    /// The secret, as it is now.
    sealed: Option<Vec<u8>>,
}

impl From<Row> for SettingsRecord {
    fn from(row: Row) -> Self {
        let Row { revision, document, marks, authorized, changed_at, changed_by, comment, .. } = row;
        Self { revision, settings: document.0, marks: marks.0, authorized, changed_at: Some(changed_at), changed_by, comment }
    }
}

impl Store {
    /// What is set now, and its authorization. It tells of no tenant.
    pub async fn settings(&self) -> Result<(SettingsRecord, Option<ForwardAuthorization>), StoreError> {
        let (record, sealed) = read(&self.api, (), |db, ()| Box::pin(newest(db))).await?;
        // Without it lines are not taken and wait, which the log says; nothing else stands still.
        let failed = |error: sealed::SealError| tracing::error!(%error, "{AUTHORIZATION} as operators set it does not open");
        let opened = sealed.and_then(|sealed| self.keys.open_text(&identity(), &sealed).map_err(failed).ok());
        Ok((record, opened.as_ref().and_then(ForwardAuthorization::of_text)))
    }

    /// Revisions, the newest first.
    pub async fn settings_history(&self, _: OperatorScope, page: PageRequest) -> Result<Page<SettingsRevision>, StoreError> {
        read(&self.api, page, |db, page| Box::pin(history(db, page))).await
    }

    /// Saves settings, if they were made from the newest. Those that change nothing make no revision.
    pub async fn settings_save(
        &self,
        _: OperatorScope,
        actor: &Actor,
        new: NewSettings,
        context: RequestContext,
    ) -> Result<SettingsRecord, StoreError> {
        let sealed = match &new.authorization {
            AuthorizationChange::Set(given) => Some(self.keys.seal_text(&identity(), &given.text()).map_err(unexpected)?),
            AuthorizationChange::Keep | AuthorizationChange::Remove => None,
        };
        let data = (actor.clone(), new, sealed, context);
        write(&self.api, data, |db, (actor, new, sealed, context)| Box::pin(save(db, actor, new, sealed.as_deref(), context))).await
    }
}

impl ForwardAuthorization {
    /// As it is sealed: no origin has a line's end in it.
    fn text(&self) -> SecretString {
        format!("{}\n{}", self.origin, self.secret.expose_secret()).into()
    }

    fn of_text(text: &SecretString) -> Option<Self> {
        let (origin, secret) = text.expose_secret().split_once('\n')?;
        Some(Self { origin: origin.to_owned(), secret: secret.into() })
    }
}

fn identity() -> Vec<u8> {
    SecretOwner::Installation.identity(KIND)
}

fn unexpected(error: sealed::SealError) -> StoreError {
    StoreError::Unexpected(error.to_string())
}

/// So many revisions, those before this one, the newest first.
async fn rows(db: &mut PgConnection, before: Option<i64>, limit: i64) -> Result<Vec<Row>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT s.revision, s.document AS "document: Json<InstallationSettings>", s.marks AS "marks: Json<Marks>", s.authorized,
                  s.authorized_anew, s.changed_at, s.changed_by, s.comment, b.document AS "old_document?: Json<InstallationSettings>",
                  b.authorized AS "old_authorized?", (SELECT sealed FROM secrets WHERE owner = $3 AND kind = $4) AS sealed
           FROM settings s LEFT JOIN settings b ON b.revision = s.revision - 1
           WHERE $1::bigint IS NULL OR s.revision < $1 ORDER BY s.revision DESC LIMIT $2::bigint"#,
        before,
        limit,
        SecretOwner::Installation.word(),
        KIND,
    );
    Ok(rows.fetch_all(db).await?)
}

/// The newest revision, and the secret as it was at the same moment.
async fn newest(db: &mut PgConnection) -> Result<(SettingsRecord, Option<Vec<u8>>), StoreError> {
    let Some(mut row) = rows(db, None, 1).await?.pop() else { return Ok(Default::default()) };
    let sealed = row.sealed.take().filter(|_| row.authorized);
    Ok((row.into(), sealed))
}

async fn save(
    db: &mut PgConnection,
    actor: &Actor,
    new: &NewSettings,
    sealed: Option<&[u8]>,
    context: &RequestContext,
) -> Result<SettingsRecord, StoreError> {
    let (before, _) = newest(db).await?;
    let anew = sealed.is_some();
    let authorized = anew || (before.authorized && matches!(new.authorization, AuthorizationChange::Keep));
    let mut differences = before.settings.differences(&new.settings);
    differences.extend(authorization(before.authorized, authorized, anew));
    if differences.is_empty() {
        return Ok(before);
    }
    if before.revision != new.from {
        return Err(StoreError::Refused(Code::Conflict));
    }
    let at = sqlx::query_scalar!(r#"SELECT now() AS "now!""#).fetch_one(&mut *db).await?;
    let marks = marked(before.marks, &differences, &Mark { by: actor.user.name.clone(), at });
    // Whoever comes at the same time waits here, and finds the revision taken.
    let made = sqlx::query_scalar!(
        "INSERT INTO settings (revision, document, marks, authorized, authorized_anew, changed_by, comment) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (revision) DO NOTHING RETURNING revision",
        before.revision + 1,
        Json(&new.settings) as _,
        Json(&marks) as _,
        authorized,
        anew,
        actor.user.name,
        new.comment,
    );
    let revision = made.fetch_optional(&mut *db).await?.ok_or(StoreError::Refused(Code::Conflict))?;
    keep(db, authorized, sealed).await?;
    let mut detail = words(&differences);
    detail["reason"] = new.comment.clone().into();
    append(db, &AuditEntry::new(actor, "settings_update", "settings", revision).outcome("done").detail(detail), context).await?;
    announce_settings(db).await?;
    Ok(newest(db).await?.0)
}

/// Puts a new secret in the place of the old one, or forgets what is not set any more.
async fn keep(db: &mut PgConnection, authorized: bool, sealed: Option<&[u8]>) -> Result<(), StoreError> {
    let owner = SecretOwner::Installation.word();
    match sealed {
        Some(sealed) => secrets::put(db, &owner, KIND, None, sealed).await,
        None if !authorized => secrets::forget(db, &owner, KIND).await,
        None => Ok(()),
    }
}

/// Of a secret only that it was, or is; one that was given anew is on both sides.
fn authorization(before: bool, after: bool, anew: bool) -> Option<Difference> {
    let there = |is: bool| is.then_some(Value::Bool(true));
    (anew || before != after).then(|| Difference { key: AUTHORIZATION.to_owned(), before: there(before), after: there(after) })
}

async fn history(db: &mut PgConnection, page: &PageRequest) -> Result<Page<SettingsRevision>, StoreError> {
    let before: Option<i64> = page.after()?.map(|(revision, _)| revision.parse().map_err(|_| StoreError::BadCursor)).transpose()?;
    let limit = page.limit();
    let total = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM settings"#).fetch_one(&mut *db).await?;
    let each = rows(db, before, limit + 1).await?.into_iter().map(|mut row| {
        let old = row.old_document.take().map(|d| d.0).unwrap_or_default();
        let mut differences = old.differences(&row.document.0);
        differences.extend(authorization(row.old_authorized.unwrap_or(false), row.authorized, row.authorized_anew));
        SettingsRevision { record: row.into(), differences }
    });
    Ok(Page::cut(each.collect(), limit, total, |one: &SettingsRevision| (one.record.revision.to_string(), Uuid::nil())))
}
