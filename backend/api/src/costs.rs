//! What clusters cost an hour, where the operator keeps a price list.

use crate::caller::Caller;
use crate::errors::Answer;
use crate::sight;
use crate::state::State;
use actix_web::get;
use actix_web::web::{Data, Json};
use domain::costs::{Money, cluster_cost};
use domain::ids::ClusterId;
use serde::Serialize;
use store::{ClusterFilter, ClusterSort, PageRequest};

/// What a project's clusters cost, all absent where there is no price list.
#[derive(Clone, Debug, Default, Serialize, utoipa::ToSchema)]
pub struct ProjectCost {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    pub per_hour: Option<Money>,
    pub clusters: Vec<ClusterCost>,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ClusterCost {
    pub id: ClusterId,
    pub name: String,
    #[schema(value_type = f64)]
    pub per_hour: Money,
    /// Flavors and volume types without a price: they are not in the sum.
    pub unpriced: Vec<String>,
}

/// What the project's clusters cost an hour.
#[utoipa::path(tag = "clusters", responses((status = 200, body = ProjectCost)))]
#[get("/costs")]
pub async fn cost_get(caller: Caller, state: Data<State>) -> Answer<Json<ProjectCost>> {
    let Some(prices) = state.prices() else { return Ok(Json(ProjectCost::default())) };
    let scope = caller.actor.scope();
    let mut clusters = Vec::new();
    let mut cursor = None;
    loop {
        let page = PageRequest { limit: 200, cursor };
        let found = state.store.clusters(&scope, ClusterFilter::default(), ClusterSort::Name, false, page).await?;
        let whole = found.items.into_iter().filter(|record| sight::is_whole(&caller.actor, record.cluster.id));
        clusters.extend(whole.map(|record| {
            let cost = cluster_cost(&record.cluster.spec, &prices);
            ClusterCost { id: record.cluster.id, name: record.cluster.name, per_hour: cost.per_hour, unpriced: cost.unpriced }
        }));
        cursor = found.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let per_hour = Some(clusters.iter().map(|c| c.per_hour).sum());
    Ok(Json(ProjectCost { currency: Some(prices.currency), per_hour, clusters }))
}
