//! Which tenants' service users were made sure of lately, because Keystone refused those that were kept, and of which that was tried in vain.

use super::{Memory, lock};
use cloud::CloudError;
use cloud::identity::ServiceUser;
use domain::ids::TenantId;
use moka::future::Cache;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

/// One that Keystone refused is made sure of no more often than this.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(60);
/// So many are remembered for that long.
const TENANTS: u64 = 10_000;

pub(super) struct Renewed(Cache<TenantId, ServiceUser>);

impl Default for Renewed {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(TENANTS).time_to_live(PAUSE).build())
    }
}

/// Until when a tenant's service user is left as it is: to make sure of it has failed, or Keystone refuses it all the same.
pub(super) struct Unrenewed {
    /// By the clock of passes.
    until: OffsetDateTime,
    /// How often in a row.
    times: u32,
    error: CloudError,
}

/// Doubling each time.
const REST: Duration = Duration::MINUTE;
const LONGEST: Duration = Duration::minutes(10);

impl Unrenewed {
    fn rests(&self, now: OffsetDateTime) -> bool {
        let left = self.until - now;
        // More than the longest: the clock was set back.
        left.is_positive() && left <= LONGEST
    }
}

impl Memory {
    /// The user that `renew` makes sure of, once for all who ask within a minute.
    pub(crate) async fn renewed(
        &self,
        tenant: &TenantId,
        renew: impl Future<Output = Result<ServiceUser, CloudError>>,
    ) -> Result<ServiceUser, CloudError> {
        let renewed = self.renewed.0.try_get_with(tenant.clone(), renew).await;
        renewed.map_err(|error: Arc<CloudError>| (*error).clone())
    }

    pub(crate) async fn forget_renewed(&self, tenant: &TenantId) {
        self.renewed.0.invalidate(tenant).await;
    }

    /// What Keystone said when the tenant's service user was made sure of in vain, while it is left alone for that.
    pub(crate) fn unrenewed(&self, tenant: &TenantId, now: OffsetDateTime) -> Option<CloudError> {
        lock(&self.unrenewed).get(tenant).filter(|note| note.rests(now)).map(|note| note.error.clone())
    }

    pub(crate) fn note_unrenewed(&self, tenant: &TenantId, error: &CloudError, now: OffsetDateTime) {
        let mut known = lock(&self.unrenewed);
        let before = known.get(tenant);
        // Several clusters of the tenant have met the same.
        if before.is_some_and(|note| note.rests(now)) {
            return;
        }
        let times = before.map_or(0, |note| note.times);
        let rest = (REST * 2_i32.pow(times.min(4))).min(LONGEST);
        known.insert(tenant.clone(), Unrenewed { until: now + rest, times: times + 1, error: error.clone() });
    }

    pub(crate) fn forget_unrenewed(&self, tenant: &TenantId) {
        lock(&self.unrenewed).remove(tenant);
    }
}
