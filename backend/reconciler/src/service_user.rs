//! A tenant's service user: made at first use, kept for all the tenant's clusters, and made sure of again where Keystone refuses it.

use crate::journal::{JournalError, Owner, secret};
use crate::kept::{kept_user, stored_user};
use crate::world::{Services, World};
use cloud::CloudError;
use cloud::error::CloudErrorKind;
use cloud::identity::ServiceUser;
use domain::changes::Work;
use domain::ids::TenantId;
use domain::names;
use domain::tenants::ProjectState;
use time::OffsetDateTime;

impl Services {
    /// The service user of a tenant whose kept one is refused: made sure of for all who ask within a minute together. Where that has failed lately, or was
    /// of no use, Keystone is left alone for a while: it locks out who keeps trying.
    pub(crate) async fn renewed_user(&self, tenant: &TenantId, now: OffsetDateTime) -> Result<ServiceUser, CloudError> {
        if let Some(error) = self.memory.unrenewed(tenant, now) {
            return Err(error);
        }
        let renew = async {
            tracing::warn!(%tenant, "Keystone refuses the tenant's service user: it is made sure of again");
            self.ensured_user(tenant, now).await
        };
        self.memory.renewed(tenant, renew).await
    }

    /// The tenant's service user, made sure of now. That it failed is remembered, unless the cloud only did not answer.
    async fn ensured_user(&self, tenant: &TenantId, now: OffsetDateTime) -> Result<ServiceUser, CloudError> {
        let ensured = self.identity.ensure_service_user(&names::service_user(tenant), &tenant.0).await;
        if let Err(error) = &ensured
            && !matches!(error.kind, CloudErrorKind::Unavailable | CloudErrorKind::RateLimited(_))
        {
            self.memory.note_unrenewed(tenant, error, now);
        }
        ensured
    }

    /// Takes over how Keystone took a service user that was just made sure of; None: well.
    pub(crate) async fn note_renewal(&self, tenant: &TenantId, refused: Option<&CloudError>, now: OffsetDateTime) {
        let Some(error) = refused else { return self.memory.forget_unrenewed(tenant) };
        self.memory.forget_renewed(tenant).await;
        self.memory.note_unrenewed(tenant, error, now);
    }
}

impl World<'_> {
    /// The tenant's service user, made at first use. Where that has failed lately, Keystone is left alone for a while.
    pub async fn service_user(&self, work: &Work) -> Result<Result<ServiceUser, CloudError>, JournalError> {
        if let Some(text) = self.journal.secret(Owner::Tenant, secret::SERVICE_USER).await? {
            return Ok(Ok(stored_user(&text)?));
        }
        let (services, tenant) = (self.services, &work.cluster.tenant);
        if let Some(error) = services.memory.unrenewed(tenant, self.now) {
            return Ok(Err(error));
        }
        let user = match services.ensured_user(tenant, self.now).await {
            Ok(user) => user,
            Err(error) => return Ok(Err(error)),
        };
        self.journal.put_secret(Owner::Tenant, secret::SERVICE_USER, &kept_user(&user)?).await?;
        Ok(Ok(user))
    }

    /// What Keystone answers to the tenant's service user. Where it refuses the one that is kept, whose password is another by now or who is gone, the
    /// user is made sure of, and asks once more.
    pub(crate) async fn as_service_user<T, A>(&self, work: &Work, ask: impl Fn(ServiceUser) -> A) -> Result<Result<T, CloudError>, JournalError>
    where
        A: Future<Output = Result<T, CloudError>>,
    {
        let user = match self.service_user(work).await? {
            Ok(user) => user,
            Err(error) => return Ok(Err(error)),
        };
        let answer = ask(user).await;
        let (services, tenant) = (self.services, &work.cluster.tenant);
        if !is_refused(&answer) {
            services.memory.forget_unrenewed(tenant);
            return Ok(answer);
        }
        // Into a project that is closed nobody is let, made sure of or not.
        if matches!(services.memory.project(tenant), Some(ProjectState::Disabled | ProjectState::Gone)) {
            return Ok(answer);
        }
        let user = match services.renewed_user(tenant, self.now).await {
            Ok(user) => user,
            Err(error) => return Ok(Err(error)),
        };
        self.journal.put_secret(Owner::Tenant, secret::SERVICE_USER, &kept_user(&user)?).await?;
        let answer = ask(user).await;
        services.note_renewal(tenant, refusal(&answer), self.now).await;
        Ok(answer)
    }
}

/// That Keystone does not know who asked.
pub(crate) fn refusal<T>(answer: &Result<T, CloudError>) -> Option<&CloudError> {
    answer.as_ref().err().filter(|error| error.kind == CloudErrorKind::Unauthenticated)
}

/// Whether Keystone does not know who asked.
pub(crate) fn is_refused<T>(answer: &Result<T, CloudError>) -> bool {
    refusal(answer).is_some()
}
