//! What people ask of a cluster that is there: desired state, operation, audit and wake-up in one transaction.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::changes::{announce, wake};
use crate::error::StoreError;
use crate::operations::{self, NewOperation, OperationRecord};
use crate::pool::{Store, write};
use crate::{clusters, nodes, tenants};
use auth::{Action, ClusterRepair, ClusterUpdate, ControlPlaneResize, NodeOperate, NodePoolCreate, NodePoolDelete, NodePoolResize, Permit};
use domain::clusters::{Cluster, NodePoolSpec};
use domain::codes::Code;
use domain::ids::{ClusterId, NodeId, OperationId};
use domain::nodes::NodeIntent;
use domain::operations::OperationKind;
use domain::settings::{ApiAuditLevel, ApiExposure, KeyPair};
use domain::tenants::Limits;
use domain::wishes::Wish;
use ipnet::Ipv4Net;
use serde_json::json;
use sqlx::PgConnection;
use sqlx::types::Json;

/// What may be done to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeVerb {
    Replace,
    Drain,
    Reboot,
}

/// Each is refused while another person's operation is under way; one that the engine began by itself gives way.
impl Store {
    pub async fn cluster_repair(&self, permit: Permit<ClusterRepair>, context: RequestContext) -> Result<OperationRecord, StoreError> {
        self.wish(permit, Wish::Repair, context).await
    }

    /// A new cloud credential in the place of the cluster's.
    pub async fn credential_rotate(&self, permit: Permit<ClusterRepair>, context: RequestContext) -> Result<OperationRecord, StoreError> {
        self.wish(permit, Wish::CredentialRotate, context).await
    }

    /// A new key in the place of the one that encrypts the cluster's Secrets.
    pub async fn encryption_key_rotate(&self, permit: Permit<ClusterRepair>, context: RequestContext) -> Result<OperationRecord, StoreError> {
        self.wish(permit, Wish::EncryptionKeyRotate, context).await
    }

    /// Another level of what the cluster's own API writes down.
    pub async fn api_audit_change(
        &self,
        permit: Permit<ClusterRepair>,
        level: ApiAuditLevel,
        context: RequestContext,
    ) -> Result<OperationRecord, StoreError> {
        self.wish(permit, Wish::ApiAuditChange { level }, context).await
    }

    /// Others who may connect to the cluster's API.
    pub async fn api_access_change(
        &self,
        permit: Permit<ClusterUpdate>,
        exposure: ApiExposure,
        allowed_cidrs: Vec<Ipv4Net>,
        context: RequestContext,
    ) -> Result<OperationRecord, StoreError> {
        self.wish(permit, Wish::ApiAccessChange { exposure, allowed_cidrs }, context).await
    }

    pub async fn control_plane_resize(
        &self,
        permit: Permit<ControlPlaneResize>,
        count: u32,
        limits: Limits,
        context: RequestContext,
    ) -> Result<OperationRecord, StoreError> {
        self.growing(permit, Wish::ControlPlaneResize { count }, limits, context).await
    }

    /// One more pool, with the key pair that it names where the cluster does not have that yet.
    pub async fn node_pool_create(
        &self,
        permit: Permit<NodePoolCreate>,
        pool: NodePoolSpec,
        key_pair: Option<KeyPair>,
        limits: Limits,
        context: RequestContext,
    ) -> Result<OperationRecord, StoreError> {
        self.growing(permit, Wish::NodePoolCreate { pool, key_pair: key_pair.map(Box::new) }, limits, context).await
    }

    /// Another count of nodes; those in `remove` leave first.
    pub async fn node_pool_resize(
        &self,
        permit: Permit<NodePoolResize>,
        pool: String,
        count: u32,
        remove: Vec<NodeId>,
        limits: Limits,
        context: RequestContext,
    ) -> Result<OperationRecord, StoreError> {
        self.growing(permit, Wish::NodePoolResize { pool, count, remove }, limits, context).await
    }

    pub async fn node_pool_delete(
        &self,
        permit: Permit<NodePoolDelete>,
        pool: String,
        context: RequestContext,
    ) -> Result<OperationRecord, StoreError> {
        self.wish(permit, Wish::NodePoolDelete { pool }, context).await
    }

    pub async fn node_operate(
        &self,
        permit: Permit<NodeOperate>,
        verb: NodeVerb,
        node: NodeId,
        context: RequestContext,
    ) -> Result<OperationRecord, StoreError> {
        let wish = match verb {
            NodeVerb::Replace => Wish::NodeReplace { node },
            NodeVerb::Drain => Wish::NodeDrain { node },
            NodeVerb::Reboot => Wish::NodeReboot { node },
        };
        self.wish(permit, wish, context).await
    }

    async fn wish<A: Action<Id = ClusterId> + Send + Sync + 'static>(
        &self,
        permit: Permit<A>,
        wish: Wish,
        context: RequestContext,
    ) -> Result<OperationRecord, StoreError> {
        write(&self.api, (permit, wish, context), |db, (permit, wish, context)| Box::pin(begin(db, permit, wish, None, context))).await
    }

    /// A wish for nodes, which the tenant's limits must have room for: its own, or these.
    async fn growing<A: Action<Id = ClusterId> + Send + Sync + 'static>(
        &self,
        permit: Permit<A>,
        wish: Wish,
        limits: Limits,
        context: RequestContext,
    ) -> Result<OperationRecord, StoreError> {
        let data = (permit, wish, limits, context);
        write(&self.api, data, |db, (permit, wish, limits, context)| Box::pin(begin(db, permit, wish, Some(limits), context))).await
    }
}

async fn begin<A: Action<Id = ClusterId>>(
    db: &mut PgConnection,
    permit: &Permit<A>,
    wish: &Wish,
    limits: Option<&Limits>,
    context: &RequestContext,
) -> Result<OperationRecord, StoreError> {
    let tenant = permit.tenant();
    if limits.is_some() {
        tenants::lock(db, tenant).await?;
    }
    let cluster = clusters::lock(db, tenant, *permit.id()).await?;
    make_way(db, &cluster).await?;
    let named = wish.nodes();
    if !named.is_empty() {
        let there = nodes::rows(db, Some(&tenant.0), cluster.id).await?;
        let known = |id: &NodeId| there.iter().any(|r| r.node.id == *id && r.node.intent == NodeIntent::Keep);
        if !named.iter().all(known) {
            return Err(StoreError::Refused(Code::NodeMissing));
        }
    }
    let mut spec = cluster.spec.clone();
    let undo = wish.apply(&mut spec).map_err(StoreError::Refused)?;
    if let Some(limits) = limits {
        tenants::admit(db, tenant, limits, Some(cluster.id), &spec).await?;
    }
    let operation = NewOperation {
        id: OperationId::generate(),
        cluster: cluster.id,
        kind: wish.kind(),
        spec: &spec,
        nodes: &named,
        request: json!({ "wish": wish, "undo": undo }),
        request_id: Some(&context.request_id),
        created_by: &permit.actor().user.name,
    };
    operations::insert(db, &operation).await?;
    sqlx::query!(
        "UPDATE clusters SET spec = $3, generation = generation + $5, operation_id = $4, intent = intent + 1 WHERE id = $1 AND tenant_id = $2",
        cluster.id.0,
        tenant.0,
        Json(&spec) as _,
        operation.id.0,
        i64::from(spec != cluster.spec),
    )
    .execute(&mut *db)
    .await?;
    let entry = AuditEntry::new(permit.actor(), wish.kind().as_str(), "cluster", cluster.id).cluster(cluster.id).operation(operation.id);
    let entry = entry.detail(json!({ "name": cluster.name, "before": undo, "after": wish }));
    append(db, &entry, context).await?;
    wake(db, cluster.id).await?;
    announce(db, tenant, cluster.id, Some(operation.id)).await?;
    operations::find(db, Some(&tenant.0), operation.id).await
}

/// Whether the cluster can take a wish now. A repair that the engine began ends here: the wish's operation goes on with it.
async fn make_way(db: &mut PgConnection, cluster: &Cluster) -> Result<(), StoreError> {
    if cluster.delete_requested_at.is_some() {
        return Err(StoreError::Refused(Code::Busy));
    }
    let Some(current) = cluster.operation else { return Ok(()) };
    let record = operations::find(db, Some(&cluster.tenant.0), current).await?;
    let current = &record.operation;
    // A create that failed is to be retried or deleted: a cluster that was never up cannot be changed.
    if current.kind == OperationKind::ClusterCreate && cluster.observed_generation == 0 {
        return Err(StoreError::Refused(Code::Busy));
    }
    match current.state.ended() {
        true => Ok(()),
        false if current.automatic() => {
            operations::cancel(db, &record).await?;
            announce(db, &cluster.tenant, cluster.id, Some(current.id)).await
        }
        false => Err(StoreError::Refused(Code::Busy)),
    }
}
