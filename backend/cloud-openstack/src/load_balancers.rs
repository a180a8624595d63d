//! Octavia: load balancers with everything under them.

use crate::call::Call;
use crate::catalog::Service::LoadBalancer as BALANCER;
use crate::error::unsent;
use crate::identity::Scoped;
use crate::lenient::{limit, or_default};
use async_trait::async_trait;
use cloud::Result;
use cloud::compute::Limit;
use cloud::error::CloudErrorKind;
use cloud::load_balancers::{
    Listening, LoadBalancer, LoadBalancerLimits, LoadBalancers, Member, NewLoadBalancer, NewMember, OVN, Outline, Provisioning, Tree,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
struct BalancerView {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    description: String,
    #[serde(default)]
    provisioning_status: String,
    #[serde(default, deserialize_with = "or_default")]
    operating_status: String,
    #[serde(default, deserialize_with = "or_default")]
    vip_address: String,
    #[serde(default, deserialize_with = "or_default")]
    vip_port_id: String,
    #[serde(default, deserialize_with = "or_default")]
    provider: String,
    admin_state_up: Option<bool>,
}

impl From<BalancerView> for LoadBalancer {
    fn from(v: BalancerView) -> Self {
        Self {
            id: v.id,
            name: v.name,
            description: v.description,
            provisioning: match v.provisioning_status.as_str() {
                "ACTIVE" => Provisioning::Active,
                "PENDING_DELETE" | "DELETED" => Provisioning::Deleting,
                "ERROR" => Provisioning::Error,
                _ => Provisioning::Pending,
            },
            operating: v.operating_status,
            vip_address: v.vip_address,
            vip_port_id: v.vip_port_id,
            enabled: v.admin_state_up != Some(false),
            provider: v.provider,
        }
    }
}

#[derive(Deserialize)]
struct BalancerBody {
    loadbalancer: BalancerView,
}

/// Another object, named by its id.
#[derive(Clone, Deserialize)]
struct Reference {
    id: String,
}

#[derive(Clone, Deserialize)]
struct ListenerView {
    id: String,
    protocol_port: u16,
    default_pool_id: Option<String>,
    #[serde(default, rename = "loadbalancers", deserialize_with = "or_default")]
    load_balancers: Vec<Reference>,
    #[serde(default, deserialize_with = "or_default")]
    allowed_cidrs: Vec<String>,
    timeout_client_data: Option<u64>,
    timeout_member_data: Option<u64>,
    admin_state_up: Option<bool>,
}

impl From<ListenerView> for Listening {
    fn from(v: ListenerView) -> Self {
        let mut allowed_cidrs = v.allowed_cidrs;
        allowed_cidrs.sort();
        Self {
            enabled: v.admin_state_up != Some(false),
            allowed_cidrs,
            client_timeout_ms: v.timeout_client_data,
            member_timeout_ms: v.timeout_member_data,
        }
    }
}

#[derive(Deserialize)]
struct ProviderView {
    name: String,
}

#[derive(Clone, Deserialize)]
struct PoolView {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    healthmonitor_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    members: Vec<Reference>,
    #[serde(default, rename = "loadbalancers", deserialize_with = "or_default")]
    load_balancers: Vec<Reference>,
    admin_state_up: Option<bool>,
    /// Octavia writes the pool's row whenever a member of its is changed.
    updated_at: Option<String>,
}

impl PoolView {
    fn enabled(&self) -> bool {
        self.admin_state_up != Some(false)
    }
}

#[derive(Deserialize)]
struct MemberView {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    address: String,
    protocol_port: u16,
    #[serde(default, deserialize_with = "or_default")]
    operating_status: String,
    admin_state_up: Option<bool>,
    weight: Option<u32>,
}

impl From<MemberView> for Member {
    fn from(v: MemberView) -> Self {
        let enabled = v.admin_state_up != Some(false) && v.weight != Some(0);
        Self { id: v.id, name: v.name, address: v.address, port: v.protocol_port, operating: v.operating_status, enabled }
    }
}

#[derive(Deserialize)]
struct Quota {
    quota: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Identified {
    #[serde(rename = "id")]
    _id: String,
}

impl Quota {
    /// The first of these names that there is: older versions have others.
    fn limit(&self, names: &[&str]) -> Option<u64> {
        names.iter().find_map(|name| self.quota.get(*name)).and_then(Value::as_i64).and_then(limit)
    }
}

impl Scoped {
    fn provider<'a>(&'a self, wanted: &'a NewLoadBalancer) -> Option<&'a str> {
        wanted.provider.as_deref().or(self.0.connection.config.load_balancer_provider.as_deref())
    }

    /// Whether what is to be made will be ovn's; None: only what is made says it, for Octavia names its providers and not which of them is its default.
    async fn will_be_ovn(&self, wanted: &NewLoadBalancer) -> Result<Option<bool>> {
        if let Some(named) = self.provider(wanted) {
            return Ok(Some(named == OVN));
        }
        match self.providers().await {
            Ok(offered) if offered.is_empty() => Ok(None),
            Ok(offered) if offered.iter().all(|name| name != OVN) => Ok(Some(false)),
            Ok(offered) => Ok(offered.iter().all(|name| name == OVN).then_some(true)),
            Err(error) if matches!(error.kind, CloudErrorKind::NotFound | CloudErrorKind::Denied) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn is_ovn(&self, id: &str) -> Result<bool> {
        Ok(self.load_balancer(id).await?.provider == OVN)
    }
}

/// Ovn lets in whoever comes: newer ones refuse ranges, older ones keep them and let everybody in.
fn must_restrict(operation: &'static str, wanted: &NewLoadBalancer, ovn: bool) -> Result<()> {
    if ovn && !wanted.allowed_cidrs.is_empty() {
        let message = "the ovn provider lets everybody connect: the API cannot be restricted to ranges";
        return Err(unsent(&Call::get(BALANCER, operation, &[]), CloudErrorKind::Rejected, message));
    }
    Ok(())
}

fn new_listener(wanted: &NewLoadBalancer) -> Value {
    let mut listener = json!({
        "name": wanted.name, "description": wanted.description, "protocol": "TCP", "protocol_port": wanted.port,
        "timeout_client_data": milliseconds(wanted.client_timeout_seconds),
        "timeout_member_data": milliseconds(wanted.member_timeout_seconds),
    });
    if !wanted.allowed_cidrs.is_empty() {
        listener["allowed_cidrs"] = json!(wanted.allowed_cidrs);
    }
    listener
}

fn new_pool(wanted: &NewLoadBalancer, ovn: bool) -> Value {
    let algorithm = if ovn { "SOURCE_IP_PORT" } else { "ROUND_ROBIN" };
    json!({"name": wanted.name, "description": wanted.description, "protocol": "TCP", "lb_algorithm": algorithm})
}

fn new_monitor(wanted: &NewLoadBalancer, ovn: bool) -> Value {
    let mut monitor = json!({"name": wanted.name, "delay": 3, "timeout": 2, "max_retries": 1, "max_retries_down": 2, "type": "TCP"});
    // ovn only opens connections.
    if !ovn {
        monitor["type"] = json!("HTTPS");
        monitor["http_method"] = json!("GET");
        monitor["url_path"] = json!("/readyz");
        monitor["expected_codes"] = json!("200");
    }
    monitor
}

impl Scoped {
    /// Has a listener let in whom it should, as long as it should.
    async fn set_listener(&self, id: &str, wanted: &NewLoadBalancer) -> Result<()> {
        let listener = json!({
            "admin_state_up": true, "allowed_cidrs": wanted.allowed_cidrs,
            "timeout_client_data": milliseconds(wanted.client_timeout_seconds),
            "timeout_member_data": milliseconds(wanted.member_timeout_seconds),
        });
        self.0.done(&Call::put(BALANCER, "set listener", &["listeners", id], Some(json!({ "listener": listener })))).await
    }

    async fn listener_of(&self, id: &str, port: u16) -> Result<Option<ListenerView>> {
        let call = Call::get(BALANCER, "list listeners", &["listeners"]).query("load_balancer_id", id);
        let listeners: Vec<ListenerView> = self.0.list(call, "listeners").await?;
        Ok(listeners.into_iter().find(|listener| listener.protocol_port == port))
    }

    async fn pools_of(&self, id: &str) -> Result<Vec<PoolView>> {
        self.0.list(Call::get(BALANCER, "list pools", &["pools"]).query("loadbalancer_id", id), "pools").await
    }

    async fn members_of(&self, pool_id: &str) -> Result<Vec<Member>> {
        let members: Vec<MemberView> = self.0.list(Call::get(BALANCER, "list members", &["pools", pool_id, "members"]), "members").await?;
        Ok(members.into_iter().map(Member::from).collect())
    }

    async fn post(&self, operation: &'static str, path: &'static str, body: Value) -> Result<()> {
        self.0.done(&Call::post(BALANCER, operation, &[path], body)).await
    }
}

fn milliseconds(seconds: u32) -> u64 {
    u64::from(seconds) * 1000
}

fn members(port: u16, members: &[NewMember]) -> Value {
    // What is not said stays as somebody has set it.
    let member = |m: &NewMember| {
        json!({
            "name": m.name, "address": m.address, "protocol_port": port, "subnet_id": m.subnet_id, "admin_state_up": true, "weight": 1,
        })
    };
    members.iter().map(member).collect()
}

fn has_all(present: &[Member], wanted: &NewLoadBalancer) -> bool {
    wanted.members.iter().all(|w| present.iter().any(|p| p.address == w.address && p.port == wanted.port && p.enabled))
}

/// The listener's own pool; while it has none, the first there is.
fn outline(load_balancer_id: String, listener: Option<ListenerView>, pools: Vec<PoolView>) -> Outline {
    let linked = listener.as_ref().and_then(|l| l.default_pool_id.clone());
    let pool = match linked {
        Some(linked) => pools.into_iter().find(|pool| pool.id == linked),
        None => pools.into_iter().next(),
    };
    let mut tree = Tree::default();
    if let Some(listener) = listener {
        tree.listener_id = Some(listener.id.clone());
        tree.listener = listener.into();
    }
    let (mut member_ids, mut changed) = (BTreeSet::new(), None);
    if let Some(pool) = pool {
        tree.pool_enabled = pool.enabled();
        member_ids = pool.members.into_iter().map(|member| member.id).collect();
        (tree.pool_id, tree.monitor_id, changed) = (Some(pool.id), pool.healthmonitor_id, pool.updated_at);
    }
    Outline { load_balancer_id, tree, member_ids, changed }
}

#[async_trait]
impl LoadBalancers for Scoped {
    async fn load_balancers(&self) -> Result<Vec<LoadBalancer>> {
        let all: Vec<BalancerView> = self.0.list(Call::get(BALANCER, "list load balancers", &["loadbalancers"]), "loadbalancers").await?;
        Ok(all.into_iter().map(LoadBalancer::from).collect())
    }

    async fn providers(&self) -> Result<Vec<String>> {
        let all: Vec<ProviderView> = self.0.list(Call::get(BALANCER, "list providers", &["providers"]), "providers").await?;
        Ok(all.into_iter().map(|p| p.name).collect())
    }

    async fn load_balancers_by_name(&self, name: &str) -> Result<Vec<LoadBalancer>> {
        let call = Call::get(BALANCER, "find load balancer", &["loadbalancers"]).query("name", name);
        let all: Vec<BalancerView> = self.0.list(call, "loadbalancers").await?;
        Ok(all.into_iter().filter(|lb| lb.name == name).map(LoadBalancer::from).collect())
    }

    async fn load_balancer(&self, id: &str) -> Result<LoadBalancer> {
        let call = Call::get(BALANCER, "read load balancer", &["loadbalancers", id]);
        Ok(self.0.json::<BalancerBody>(&call).await?.loadbalancer.into())
    }

    async fn tree(&self, id: &str, port: u16) -> Result<Tree> {
        let (listener, pools) = futures::try_join!(self.listener_of(id, port), self.pools_of(id))?;
        let mut tree = outline(id.to_owned(), listener, pools).tree;
        if let Some(pool) = &tree.pool_id {
            tree.members = self.members_of(pool).await?;
        }
        Ok(tree)
    }

    async fn outlines(&self, port: u16) -> Result<Vec<Outline>> {
        let listeners = self.0.list::<ListenerView>(Call::get(BALANCER, "list all listeners", &["listeners"]), "listeners");
        let pools = self.0.list::<PoolView>(Call::get(BALANCER, "list all pools", &["pools"]), "pools");
        let (listeners, pools) = futures::try_join!(listeners, pools)?;
        let mut under: BTreeMap<String, (Option<ListenerView>, Vec<PoolView>)> = BTreeMap::new();
        for listener in listeners.into_iter().filter(|listener| listener.protocol_port == port) {
            for parent in listener.load_balancers.clone() {
                under.entry(parent.id).or_default().0.get_or_insert_with(|| listener.clone());
            }
        }
        for pool in pools {
            for parent in pool.load_balancers.clone() {
                under.entry(parent.id).or_default().1.push(pool.clone());
            }
        }
        Ok(under.into_iter().map(|(id, (listener, pools))| outline(id, listener, pools)).collect())
    }

    async fn create_load_balancer(&self, wanted: &NewLoadBalancer) -> Result<String> {
        let mut body = json!({"name": wanted.name, "description": wanted.description, "vip_subnet_id": wanted.vip_subnet_id});
        if let Some(ovn) = self.will_be_ovn(wanted).await? {
            must_restrict("create load balancer", wanted, ovn)?;
            let mut pool = new_pool(wanted, ovn);
            pool["healthmonitor"] = new_monitor(wanted, ovn);
            pool["members"] = members(wanted.port, &wanted.members);
            let mut listener = new_listener(wanted);
            listener["default_pool"] = pool;
            body["listeners"] = json!([listener]);
        }
        if let Some(provider) = self.provider(wanted) {
            body["provider"] = json!(provider);
        }
        if let Some(address) = &wanted.vip_address {
            body["vip_address"] = json!(address);
        }
        let call = Call::post(BALANCER, "create load balancer", &["loadbalancers"], json!({"loadbalancer": body}));
        Ok(self.0.json::<BalancerBody>(&call).await?.loadbalancer.id)
    }

    async fn enable(&self, id: &str) -> Result<()> {
        let body = json!({"loadbalancer": {"admin_state_up": true}});
        self.0.done(&Call::put(BALANCER, "enable load balancer", &["loadbalancers", id], Some(body))).await
    }

    async fn rename(&self, id: &str, name: &str) -> Result<()> {
        let body = json!({"loadbalancer": {"name": name}});
        self.0.done(&Call::put(BALANCER, "rename load balancer", &["loadbalancers", id], Some(body))).await
    }

    async fn complete(&self, id: &str, wanted: &NewLoadBalancer) -> Result<bool> {
        let (ovn, listener) = futures::try_join!(self.is_ovn(id), self.listener_of(id, wanted.port))?;
        let Some(listener) = listener else {
            must_restrict("create listener", wanted, ovn)?;
            let mut body = new_listener(wanted);
            body["loadbalancer_id"] = json!(id);
            self.post("create listener", "listeners", json!({"listener": body})).await?;
            return Ok(true);
        };
        if !Listening::from(listener.clone()).is_as(&wanted.allowed_cidrs, wanted.client_timeout_seconds, wanted.member_timeout_seconds) {
            must_restrict("set listener", wanted, ovn)?;
            self.set_listener(&listener.id, wanted).await?;
            return Ok(true);
        }
        let pools = self.pools_of(id).await?;
        let Some(pool_id) = listener.default_pool_id else {
            if let Some(pool) = pools.iter().find(|pool| pool.name == wanted.name) {
                let body = json!({"listener": {"default_pool_id": pool.id}});
                self.0.done(&Call::put(BALANCER, "link pool", &["listeners", &listener.id], Some(body))).await?;
            } else {
                let mut body = new_pool(wanted, ovn);
                body["listener_id"] = json!(listener.id);
                self.post("create pool", "pools", json!({"pool": body})).await?;
            }
            return Ok(true);
        };
        if pools.iter().any(|pool| pool.id == pool_id && !pool.enabled()) {
            let body = json!({"pool": {"admin_state_up": true}});
            self.0.done(&Call::put(BALANCER, "enable pool", &["pools", &pool_id], Some(body))).await?;
            return Ok(true);
        }
        if pools.iter().any(|pool| pool.id == pool_id && pool.healthmonitor_id.is_none()) {
            let mut body = new_monitor(wanted, ovn);
            body["pool_id"] = json!(pool_id);
            self.post("create health monitor", "healthmonitors", json!({"healthmonitor": body})).await?;
            return Ok(true);
        }
        if !has_all(&self.members_of(&pool_id).await?, wanted) {
            self.set_members(&pool_id, wanted.port, &wanted.members).await?;
            return Ok(true);
        }
        Ok(false)
    }

    async fn set_members(&self, pool_id: &str, port: u16, wanted: &[NewMember]) -> Result<()> {
        let body = json!({"members": members(port, wanted)});
        self.0.done(&Call::put(BALANCER, "set members", &["pools", pool_id, "members"], Some(body))).await
    }

    async fn delete_load_balancer(&self, id: &str) -> Result<()> {
        self.0.done(&Call::delete(BALANCER, "delete load balancer", &["loadbalancers", id]).query("cascade", "true")).await
    }

    async fn limits(&self, project_id: &str) -> Result<LoadBalancerLimits> {
        let quota = Call::get(BALANCER, "read quotas", &["quotas", project_id]);
        let of_project = |call: Call<'static>| call.query("project_id", project_id).query("fields", "id");
        let balancers = of_project(Call::get(BALANCER, "count load balancers", &["loadbalancers"]));
        let listeners = of_project(Call::get(BALANCER, "count listeners", &["listeners"]));
        // There is no list of all members; pools name theirs, and their monitor.
        let pools = of_project(Call::get(BALANCER, "count pools", &["pools"])).query("fields", "members").query("fields", "healthmonitor_id");
        let (quota, balancers, listeners, pools) = futures::try_join!(
            self.0.json::<Quota>(&quota),
            self.0.list::<Identified>(balancers, "loadbalancers"),
            self.0.list::<Identified>(listeners, "listeners"),
            self.0.list::<PoolView>(pools, "pools"),
        )?;
        let limits = |used: usize, names: &[&str]| Limit { used: used as u64, limit: quota.limit(names) };
        Ok(LoadBalancerLimits {
            load_balancers: limits(balancers.len(), &["load_balancer", "loadbalancer"]),
            listeners: limits(listeners.len(), &["listener"]),
            pools: limits(pools.len(), &["pool"]),
            members: limits(pools.iter().map(|pool| pool.members.len()).sum(), &["member"]),
            health_monitors: limits(pools.iter().filter(|pool| pool.healthmonitor_id.is_some()).count(), &["health_monitor", "healthmonitor"]),
        })
    }
}
