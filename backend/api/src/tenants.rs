//! Tenants as operators see them: what they have, what they may have, and what of the catalogue they may use.

use crate::clusters::page_of;
use crate::errors::{Answer, FieldError, Problem};
use crate::extract::{Body, QueryParams};
use crate::lists::List;
use crate::narrowing::MOST;
use crate::operators::Operator;
use crate::quota::limits_of;
use crate::state::State;
use actix_web::web::{Data, Json, Path};
use actix_web::{get, put};
use domain::clusters::ClusterSpec;
use domain::costs::{Cost, Money, Prices, cluster_cost};
use domain::ids::TenantId;
use domain::tenants::{Allowed, Limited, Limits, TenantTerms};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::{TenantFilter, TenantRecord};
use time::OffsetDateTime;

/// A tenant: a project that has used KCS.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AdminTenant {
    /// Keystone's id of the project.
    pub id: String,
    pub name: String,
    /// Each resource once.
    pub limits: Vec<TenantLimit>,
    pub allowed: Allowed,
    /// Whether a request of its waits for an answer.
    pub asks: bool,
    /// When limits or what is allowed were last set; absent: never.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<OffsetDateTime>,
    /// Name of the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// What its clusters cost an hour; absent where the operator keeps no price list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<TenantCost>,
}

/// What a tenant's clusters cost.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct TenantCost {
    pub currency: String,
    #[schema(value_type = f64)]
    pub per_hour: Money,
    /// Flavors and volume types without a price: they are not in the sum.
    pub unpriced: Vec<String>,
}

/// A limit of a tenant's, and how much of it is used.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct TenantLimit {
    pub resource: Limited,
    pub used: u64,
    /// What counts; null: no limit.
    #[schema(required)]
    pub limit: Option<u64>,
    /// Whether it is the tenant's own; otherwise it follows the installation.
    pub own: bool,
    /// The installation's; null: no limit.
    #[schema(required)]
    pub installation: Option<u64>,
}

/// What a tenant may have. It takes the place of all that was said before.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantRequest {
    /// By resource (`clusters`, `nodes`, `vcpus`, `memory_gib`, `volumes`, `volume_gib`): a number, or null for no limit. What is not named
    /// follows the installation.
    pub limits: BTreeMap<String, Option<u64>>,
    /// Names of flavors, versions, ids of external networks: 1 to 100 each; absent: all of them.
    pub allowed: Allowed,
}

/// What the list of tenants may be narrowed by.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AdminTenantQuery {
    /// Part of the name, or the id.
    pub search: Option<String>,
    /// Those only of which a request waits.
    pub asks: Option<bool>,
    /// 1 to 200; default 50.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

impl TenantCost {
    fn of(clusters: &[ClusterSpec], prices: &Prices) -> Self {
        let costs: Vec<Cost> = clusters.iter().map(|spec| cluster_cost(spec, prices)).collect();
        let per_hour = costs.iter().map(|cost| cost.per_hour).sum();
        let unpriced: BTreeSet<String> = costs.into_iter().flat_map(|cost| cost.unpriced).collect();
        Self { currency: prices.currency.clone(), per_hour, unpriced: unpriced.into_iter().collect() }
    }
}

impl AdminTenant {
    fn new(record: TenantRecord, installation: &Limits, prices: Option<&Prices>) -> Self {
        let counts = record.terms.limits(installation);
        let row = |resource| TenantLimit {
            resource,
            used: record.used.get(&resource).copied().unwrap_or(0),
            limit: counts.get(&resource).copied(),
            own: record.terms.limits.contains_key(&resource),
            installation: installation.get(&resource).copied(),
        };
        Self {
            limits: Limited::ALL.into_iter().map(row).collect(),
            id: record.id.0,
            name: record.name,
            allowed: record.terms.allowed,
            asks: record.asks,
            changed_at: record.changed_at,
            changed_by: record.changed_by,
            cost: prices.map(|prices| TenantCost::of(&record.clusters, prices)),
        }
    }
}

impl TenantRequest {
    fn terms(self, state: &State) -> Answer<TenantTerms> {
        let limits = limits_of("limits", self.limits, |value| *value)?;
        let word = |text: &str| !text.is_empty() && text.chars().count() <= 255 && !text.chars().any(char::is_control);
        let versions = state.versions();
        let version = |text: &str| versions.iter().any(|v| v.version == text);
        let mut errors = list_errors("allowed.flavors", self.allowed.flavors.as_ref(), "must be 1 to 255 printable characters", word);
        errors.extend(list_errors("allowed.versions", self.allowed.versions.as_ref(), "is not a version that is offered", version));
        let networks = self.allowed.external_networks.as_ref();
        errors.extend(list_errors("allowed.external_networks", networks, "must be 1 to 255 printable characters", word));
        if errors.is_empty() { Ok(TenantTerms { limits, allowed: self.allowed }) } else { Err(Problem::fields(errors)) }
    }
}

/// What is wrong with a list of what is allowed. One that is empty would allow nothing.
fn list_errors(field: &str, list: Option<&BTreeSet<String>>, message: &str, good: impl Fn(&str) -> bool) -> Vec<FieldError> {
    let wrong = |field: String, message: String| FieldError { field, message, code: None };
    let Some(list) = list else { return Vec::new() };
    if list.is_empty() || list.len() > MOST {
        return vec![wrong(field.to_owned(), format!("must be 1 to {MOST}, or absent for all"))];
    }
    let bad = list.iter().find(|text| !good(text));
    bad.map(|_| wrong(field.to_owned(), message.to_owned())).into_iter().collect()
}

/// Tenants by name, with what they have. Operators only.
#[utoipa::path(tag = "admin", params(AdminTenantQuery), responses((status = 200, body = List<AdminTenant>)))]
#[get("/admin/tenants")]
pub async fn admin_tenant_list(operator: Operator, state: Data<State>, query: QueryParams<AdminTenantQuery>) -> Answer<Json<List<AdminTenant>>> {
    let query = query.read()?;
    let page = page_of(query.limit, query.cursor)?;
    let found = state.store.tenants(operator.scope, TenantFilter { search: query.search, asks: query.asks.unwrap_or(false) }, page).await?;
    let (installation, prices) = (state.tenant_limits(), state.prices());
    Ok(Json(List::page(found, |record| AdminTenant::new(record, &installation, prices.as_ref()))))
}

/// One tenant. Operators only.
#[utoipa::path(tag = "admin", params(("id" = String, Path)), responses((status = 200, body = AdminTenant)))]
#[get("/admin/tenants/{id}")]
pub async fn admin_tenant_get(operator: Operator, state: Data<State>, id: Path<TenantId>) -> Answer<Json<AdminTenant>> {
    let found = state.store.tenant(operator.scope, id.into_inner()).await?;
    Ok(Json(AdminTenant::new(found, &state.tenant_limits(), state.prices().as_ref())))
}

/// Set a tenant's limits, and what of the catalogue it may use. Nothing is taken from who has more than a limit: there may not be still more.
/// Operators only.
#[utoipa::path(tag = "admin", params(("id" = String, Path)), request_body = TenantRequest, responses((status = 200, body = AdminTenant)))]
#[put("/admin/tenants/{id}")]
pub async fn admin_tenant_update(operator: Operator, state: Data<State>, id: Path<TenantId>, body: Body<TenantRequest>) -> Answer<Json<AdminTenant>> {
    let Operator { caller, scope } = operator;
    let terms = body.read()?.0.terms(&state)?;
    let changed = state.store.tenant_set_terms(scope, &caller.actor, id.into_inner(), terms, caller.context()).await?;
    Ok(Json(AdminTenant::new(changed, &state.tenant_limits(), state.prices().as_ref())))
}
