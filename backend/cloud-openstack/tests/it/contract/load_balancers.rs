//! Octavia: a load balancer made whole in one call, its immutability, its members, its end.

use super::bench::{Bench, at};
use super::stage::Stage;
use serde_json::{Value, json};

const NONE: &str = "00000000-0000-4000-8000-000000000000";
const LB: &str = "load-balancer";

pub async fn replay(bench: &Bench, stage: &Stage) {
    let member = &stage.member;
    let network = bench.post(member, "network", "/networks", json!({"network": {"name": stage.name("balanced")}})).await.text_at("network.id");
    let subnet = json!({"subnet": {"network_id": network, "ip_version": 4, "cidr": "10.252.0.0/24"}});
    let subnet = bench.post(member, "network", "/subnets", subnet).await.text_at("subnet.id");

    let wanted = whole(stage, &subnet);
    refusals(bench, stage, &wanted).await;
    let made = bench.post(member, LB, "/loadbalancers", wanted).await;
    bench.check("create load balancer", &made, 201, "@x-openstack-request-id loadbalancer.id:s loadbalancer.name:s loadbalancer.description=mark loadbalancer.provisioning_status=PENDING_CREATE loadbalancer.operating_status=OFFLINE loadbalancer.vip_address:s loadbalancer.vip_port_id:s loadbalancer.vip_subnet_id:s loadbalancer.vip_network_id:s loadbalancer.project_id:s loadbalancer.admin_state_up=true");
    let id = made.text_at("loadbalancer.id");
    let path = format!("/loadbalancers/{id}");
    immutable(bench, stage, &path).await;
    bench.settles("load balancer", member, LB, &path, "loadbalancer.provisioning_status", &["PENDING_CREATE", "ACTIVE"]).await;
    under(bench, stage, &id, &subnet).await;
    vip(bench, stage, &made.text_at("loadbalancer.vip_port_id"), &network).await;
    quotas(bench, stage).await;

    bench.check("without cascade", &bench.delete(member, LB, &path).await, 400, "faultcode=Client faultstring:s");
    bench.check(
        "a stranger deletes nothing",
        &bench.delete(&stage.stranger, LB, &format!("{path}?cascade=true")).await,
        403,
        "faultcode=Client faultstring~policy_does_not_allow",
    );
    bench.check("delete load balancer", &bench.delete(member, LB, &format!("{path}?cascade=true")).await, 204, "");
    bench.vanishes("load balancer", member, LB, &path, "loadbalancer.provisioning_status", &["PENDING_DELETE", "DELETED"]).await;
    let again = bench.delete(member, LB, &format!("{path}?cascade=true")).await;
    bench.check("delete it again", &again, 404, "faultcode=Client faultstring~not_found");
    for path in [format!("/subnets/{subnet}"), format!("/networks/{network}")] {
        bench.check("clear away", &bench.delete(member, "network", &path).await, 204, "");
    }
}

fn new_member(subnet: &str, address: &str) -> Value {
    json!({"name": format!("m-{address}"), "address": address, "protocol_port": 6443, "subnet_id": subnet})
}

fn whole(stage: &Stage, subnet: &str) -> Value {
    let monitor = json!({"name": stage.name("lb"), "type": "HTTPS", "delay": 3, "timeout": 2, "max_retries": 1, "max_retries_down": 2,
        "http_method": "GET", "url_path": "/readyz", "expected_codes": "200"});
    let pool = json!({"name": stage.name("lb"), "description": "mark", "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN", "healthmonitor": monitor,
        "members": [new_member(subnet, "10.252.0.21"), new_member(subnet, "10.252.0.22")]});
    let listener = json!({"name": stage.name("lb"), "description": "mark", "protocol": "TCP", "protocol_port": 6443, "allowed_cidrs": ["0.0.0.0/0"],
        "timeout_client_data": 3_600_000, "timeout_member_data": 3_600_000, "default_pool": pool});
    json!({"loadbalancer": {"name": stage.name("lb"), "description": "mark", "vip_subnet_id": subnet, "listeners": [listener]}})
}

async fn refusals(bench: &Bench, stage: &Stage, wanted: &Value) {
    let member = &stage.member;
    let mut nowhere = wanted.clone();
    nowhere["loadbalancer"]["vip_subnet_id"] = json!(NONE);
    bench.check(
        "on no subnet",
        &bench.post(member, LB, "/loadbalancers", nowhere).await,
        400,
        "faultcode=Client faultstring~not_found debuginfo:null",
    );
    let bad = json!({"loadbalancer": {"name": "x", "nonsense": 1}});
    bench.check("an unknown attribute", &bench.post(member, LB, "/loadbalancers", bad).await, 400, "faultcode=Client faultstring~unknown_attribute");
    bench.check(
        "a reader makes none",
        &bench.post(&stage.reader, LB, "/loadbalancers", wanted.clone()).await,
        403,
        "faultcode=Client faultstring~policy_does_not_allow",
    );
    bench.check("but lists them", &bench.get(&stage.reader, LB, "/loadbalancers").await, 200, "loadbalancers:a loadbalancers_links:a");
    bench.check("nobody", &bench.ask(None, "GET", LB, "/loadbalancers", None).await, 401, "error.code=401");
    bench.check("no such one", &bench.get(member, LB, &format!("/loadbalancers/{NONE}")).await, 404, "faultcode=Client faultstring~not_found");
}

async fn immutable(bench: &Bench, stage: &Stage, path: &str) {
    let change = json!({"loadbalancer": {"description": "other"}});
    let refused = bench.put(&stage.member, LB, path, change).await;
    bench.check("immutable while PENDING", &refused, 409, "faultcode=Client faultstring~invalid_state");
    let refused = bench.delete(&stage.member, LB, &format!("{path}?cascade=true")).await;
    bench.check("not deleted while PENDING", &refused, 409, "faultcode=Client faultstring~invalid_state");
}

async fn under(bench: &Bench, stage: &Stage, id: &str, subnet: &str) {
    let member = &stage.member;
    let named = bench.get(member, LB, &format!("/loadbalancers?name={}", stage.name("lb"))).await;
    bench.check("find load balancer", &named, 200, "loadbalancers.0.id:s loadbalancers.0.description=mark loadbalancers.0.provisioning_status=ACTIVE loadbalancers.0.listeners.0.id:s loadbalancers.0.pools.0.id:s loadbalancers_links:a");
    let listeners = bench.get(member, LB, &format!("/listeners?load_balancer_id={id}&limit=500")).await;
    bench.check("its listener", &listeners, 200, "listeners.0.id:s listeners.0.protocol=TCP listeners.0.protocol_port=6443 listeners.0.default_pool_id:s listeners.0.timeout_client_data=3600000 listeners.0.timeout_member_data=3600000 listeners.0.allowed_cidrs.0=0.0.0.0/0 listeners.0.description=mark listeners.0.provisioning_status=ACTIVE");
    let pools = bench.get(member, LB, &format!("/pools?loadbalancer_id={id}&limit=500")).await;
    bench.check("its pool", &pools, 200, "pools.0.id:s pools.0.name:s pools.0.protocol=TCP pools.0.lb_algorithm=ROUND_ROBIN pools.0.healthmonitor_id:s pools.0.members.0.id:s pools.0.listeners.0.id:s");
    let pool = pools.text_at("pools.0.id");
    let monitor = bench.get(member, LB, &format!("/healthmonitors/{}", pools.text_at("pools.0.healthmonitor_id"))).await;
    bench.check("its monitor", &monitor, 200, "healthmonitor.type=HTTPS healthmonitor.url_path=/readyz healthmonitor.expected_codes=200 healthmonitor.delay=3 healthmonitor.timeout=2 healthmonitor.max_retries=1 healthmonitor.max_retries_down=2");
    let path = format!("/pools/{pool}/members");
    let members = bench.get(member, LB, &path).await;
    bench.check("its members", &members, 200, "members.1.id:s members.0.name:s members.0.address:s members.0.protocol_port=6443 members.0.subnet_id:s members.0.operating_status:s members.0.weight=1 members.0.provisioning_status=ACTIVE");
    let status = bench.get(member, LB, &format!("/loadbalancers/{id}/status")).await;
    bench.check("its tree", &status, 200, "statuses.loadbalancer.id:s statuses.loadbalancer.provisioning_status=ACTIVE statuses.loadbalancer.listeners.0.pools.0.members.0.address:s statuses.loadbalancer.listeners.0.pools.0.health_monitor.id:s");

    let monitor = json!({"healthmonitor": {"pool_id": pool, "type": "TCP", "delay": 3, "timeout": 2, "max_retries": 1}});
    bench.check(
        "a second monitor",
        &bench.post(member, LB, "/healthmonitors", monitor).await,
        409,
        "faultcode=Client faultstring~already_has_a_health_monitor",
    );
    let listener = json!({"listener": {"loadbalancer_id": id, "protocol": "TCP", "protocol_port": 6443}});
    bench.check(
        "a second listener on the port",
        &bench.post(member, LB, "/listeners", listener).await,
        409,
        "faultcode=Client faultstring~another_listener_on_this_load_balancer_is_already_using",
    );
    let set = bench.put(member, LB, &path, json!({"members": [new_member(subnet, "10.252.0.22"), new_member(subnet, "10.252.0.23")]})).await;
    bench.check("set members", &set, 202, "");
    let busy = bench.put(member, LB, &path, json!({"members": []})).await;
    bench.check("again at once", &busy, 409, "faultcode=Client faultstring~immutable");
    bench.settles("changed", member, LB, &format!("/loadbalancers/{id}"), "loadbalancer.provisioning_status", &["PENDING_UPDATE", "ACTIVE"]).await;
    let after = bench.get(member, LB, &path).await;
    let mut addresses: Vec<&str> = after.body["members"].as_array().map_or(vec![], |m| m.iter().filter_map(|m| m["address"].as_str()).collect());
    addresses.sort_unstable();
    bench.holds("exactly these members", addresses == ["10.252.0.22", "10.252.0.23"]);
}

async fn vip(bench: &Bench, stage: &Stage, port: &str, network: &str) {
    let member = &stage.member;
    let seen = bench.get(member, "network", &format!("/ports/{port}")).await;
    bench.check("the VIP's port", &seen, 200, "port.device_owner=Octavia port.device_id~lb- port.fixed_ips.0.ip_address:s");
    bench.check(
        "a network with a load balancer",
        &bench.delete(member, "network", &format!("/networks/{network}")).await,
        409,
        "NeutronError.type=NetworkInUse",
    );
}

async fn quotas(bench: &Bench, stage: &Stage) {
    let member = &stage.member;
    let path = format!("/quotas/{}", member.project_id);
    let quota = bench.get(member, LB, &path).await;
    bench.check("quotas", &quota, 200, "quota.load_balancer:n quota.listener:n quota.pool:n quota.member:n quota.health_monitor:n");
    let counted = bench.get(member, LB, &format!("/loadbalancers?project_id={}&fields=id&limit=500", member.project_id)).await;
    bench.check("count load balancers", &counted, 200, "loadbalancers.0.id:s");
    bench.holds("only the id", at(&counted.body, "loadbalancers.0.name").is_none());
    let few = "fields=id&fields=members&fields=healthmonitor_id&limit=500";
    let pools = bench.get(member, LB, &format!("/pools?project_id={}&{few}", member.project_id)).await;
    bench.check("count pools", &pools, 200, "pools.0.id:s pools.0.members:a");
    bench.holds("only what is counted", at(&pools.body, "pools.0.name").is_none());
    let set = bench.put(&stage.admin, LB, &path, json!({"quota": {"load_balancer": 1}})).await;
    bench.check("the admin sets a quota", &set, 202, "");
    let vip = counted_subnet(bench, stage).await;
    let over = bench.post(member, LB, "/loadbalancers", json!({"loadbalancer": {"name": "x", "vip_subnet_id": vip}})).await;
    bench.check("over the quota", &over, 403, "faultcode=Client faultstring~quota_has_been_met_for_resources:_load");
    bench.check("back to the default", &bench.delete(&stage.admin, LB, &path).await, 202, "");
}

async fn counted_subnet(bench: &Bench, stage: &Stage) -> String {
    let named = bench.get(&stage.member, LB, &format!("/loadbalancers?name={}", stage.name("lb"))).await;
    named.text_at("loadbalancers.0.vip_subnet_id")
}
