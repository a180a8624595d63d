//! Octavia: load balancers with everything under them. Ownership is marked in `description`.

use crate::Result;
use crate::compute::Limit;
use async_trait::async_trait;
pub use domain::settings::OVN;
use std::collections::BTreeSet;

/// PENDING_CREATE, PENDING_UPDATE and PENDING_DELETE: nothing under it may be changed (409).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provisioning {
    Active,
    Pending,
    Deleting,
    Error,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancer {
    pub id: String,
    pub name: String,
    pub description: String,
    pub provisioning: Provisioning,
    /// ONLINE, DEGRADED, OFFLINE, ERROR, NO_MONITOR, ...
    pub operating: String,
    pub vip_address: String,
    pub vip_port_id: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// What stands behind it, which it was made with; empty: the cloud does not say.
    pub provider: String,
}

/// What is under a load balancer; one listener, one pool, as we make it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    pub listener_id: Option<String>,
    pub pool_id: Option<String>,
    pub monitor_id: Option<String>,
    pub members: Vec<Member>,
    pub listener: Listening,
    /// Whether the pool is switched on.
    pub pool_enabled: bool,
}

/// What a listener does with those who connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listening {
    /// Whether it is switched on.
    pub enabled: bool,
    /// Whom it lets in, in order; empty: everybody.
    pub allowed_cidrs: Vec<String>,
    /// After so long it cuts idle connections, of clients and of members; None: the cloud does not say.
    pub client_timeout_ms: Option<u64>,
    pub member_timeout_ms: Option<u64>,
}

impl Listening {
    /// Whether it lets in whom it should, as long as it should.
    #[must_use]
    pub fn is_as(&self, allowed_cidrs: &[String], client_timeout_seconds: u32, member_timeout_seconds: u32) -> bool {
        let lasts = |is: Option<u64>, seconds: u32| is.is_none_or(|ms| ms == u64::from(seconds) * 1000);
        self.enabled
            && self.allowed_cidrs == allowed_cidrs
            && lasts(self.client_timeout_ms, client_timeout_seconds)
            && lasts(self.member_timeout_ms, member_timeout_seconds)
    }
}

/// What is under a load balancer as the project's lists show it: of its members only the ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    pub load_balancer_id: String,
    /// Without members.
    pub tree: Tree,
    pub member_ids: BTreeSet<String>,
    /// When its pool was last changed, its members included, in the cloud's own words.
    pub changed: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: String,
    pub name: String,
    pub address: String,
    pub port: u16,
    pub operating: String,
    /// Whether it is given connections: it is switched on and has weight.
    pub enabled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMember {
    pub name: String,
    pub address: String,
    pub subnet_id: String,
}

/// The API load balancer: TCP at `port`, round robin, members checked by HTTPS GET /readyz; with the ovn provider SOURCE_IP_PORT, and members that are
/// connected to.
#[derive(Clone, Debug)]
pub struct NewLoadBalancer {
    pub name: String,
    pub description: String,
    pub vip_subnet_id: String,
    /// The address it must have: that of the one it is made in place of. None: any of the subnet.
    pub vip_address: Option<String>,
    pub port: u16,
    pub members: Vec<NewMember>,
    /// In order.
    pub allowed_cidrs: Vec<String>,
    /// None: the adapter's configuration, or the cloud's default.
    pub provider: Option<String>,
    pub client_timeout_seconds: u32,
    pub member_timeout_seconds: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadBalancerLimits {
    pub load_balancers: Limit,
    pub listeners: Limit,
    pub pools: Limit,
    pub members: Limit,
    pub health_monitors: Limit,
}

#[async_trait]
pub trait LoadBalancers: Send + Sync {
    /// All of the project's.
    async fn load_balancers(&self) -> Result<Vec<LoadBalancer>>;
    /// Names of the providers the cloud offers.
    async fn providers(&self) -> Result<Vec<String>>;
    async fn load_balancers_by_name(&self, name: &str) -> Result<Vec<LoadBalancer>>;
    async fn load_balancer(&self, id: &str) -> Result<LoadBalancer>;
    /// What listens at this port, and what is under that: whatever else somebody made under it is theirs.
    async fn tree(&self, id: &str, port: u16) -> Result<Tree>;
    /// The same of all of the project's, by two lists. Who knows the members of when the pool was last changed knows enough.
    async fn outlines(&self, port: u16) -> Result<Vec<Outline>>;
    /// Makes it with listener, pool, monitor and members in one call; alone, for `complete` to make the rest, where only what is made says what its
    /// provider takes.
    async fn create_load_balancer(&self, load_balancer: &NewLoadBalancer) -> Result<String>;
    /// Switches it on.
    async fn enable(&self, id: &str) -> Result<()>;
    /// Gives it this name.
    async fn rename(&self, id: &str, name: &str) -> Result<()>;
    /// Makes what is missing under it, and puts right what was changed, one child a call: call again after it is ACTIVE until it answers
    /// false (there was nothing to do). Members that are too many are left.
    async fn complete(&self, id: &str, load_balancer: &NewLoadBalancer) -> Result<bool>;
    /// Makes the pool's members exactly these, in one call.
    async fn set_members(&self, pool_id: &str, port: u16, members: &[NewMember]) -> Result<()>;
    /// With everything under it.
    async fn delete_load_balancer(&self, id: &str) -> Result<()>;
    async fn limits(&self, project_id: &str) -> Result<LoadBalancerLimits>;
}
