//! Neutron: networks, subnets, routers, ports, floating IPs, security groups, quotas.

use super::bench::{Bench, at};
use super::stage::Stage;
use serde_json::{Value, json};

const NONE: &str = "00000000-0000-4000-8000-000000000000";

pub async fn replay(bench: &Bench, stage: &Stage) {
    let net = "network";
    let member = &stage.member;
    let name = stage.name("net");
    let make = |name: &str| json!({"network": {"name": name, "description": "mark"}});
    let made = bench.post(member, net, "/networks", make(&name)).await;
    bench.check("create network", &made, 201, "@x-openstack-request-id network.id:s network.name:s network.description=mark network.status=ACTIVE network.project_id:s network.tenant_id:s network.subnets:a network.shared=false network.router:external=false network.mtu:n network.admin_state_up=true");
    let network = made.text_at("network.id");
    bench.check(
        "a reader makes no network",
        &bench.post(&stage.reader, net, "/networks", make("x")).await,
        403,
        "NeutronError.type=PolicyNotAuthorized NeutronError.message~disallowed_by_policy NeutronError.detail:s",
    );
    bench.check("a reader sees it", &bench.get(&stage.reader, net, &format!("/networks/{network}")).await, 200, "network.id:s");
    bench.check(
        "a stranger does not",
        &bench.get(&stage.stranger, net, &format!("/networks/{network}")).await,
        404,
        "NeutronError.type=NetworkNotFound NeutronError.message~could_not_be_found",
    );
    bench.check(
        "a stranger deletes nothing",
        &bench.delete(&stage.stranger, net, &format!("/networks/{network}")).await,
        404,
        "NeutronError.type=NetworkNotFound",
    );
    bench.check("nobody", &bench.ask(None, "GET", net, "/networks", None).await, 401, "error.code=401 error.title=Unauthorized error.message:s");
    let found = bench.get(member, net, &format!("/networks?name={name}&limit=500")).await;
    bench.check("find network", &found, 200, "networks.0.id:s networks.0.description=mark");
    bench.holds("one network", found.body["networks"].as_array().is_some_and(|n| n.len() == 1));
    bench.check("a body that is none", &bench.post(member, net, "/networks", json!({})).await, 400, "NeutronError.type:s NeutronError.message:s");
    bench.check(
        "an unknown attribute",
        &bench.post(member, net, "/networks", json!({"network": {"nonsense": 1}})).await,
        400,
        "NeutronError.type=HTTPBadRequest NeutronError.message~unrecognized_attribute",
    );
    pages(bench, stage).await;

    let subnet = subnets(bench, stage, &network).await;
    let external = external(bench, stage).await;
    let groups = security_groups(bench, stage).await;
    let port = ports(bench, stage, &network, &subnet, &groups[0]).await;
    let router = routers(bench, stage, &subnet, &external).await;
    floating_ips(bench, stage, &external, &port).await;
    availability(bench, stage, &external).await;
    quotas(bench, stage).await;
    take_down(bench, stage, &network, &subnet, &router, &port, &groups).await;
}

async fn pages(bench: &Bench, stage: &Stage) {
    let (net, member) = ("network", &stage.member);
    let mut ids = Vec::new();
    for n in 0..2 {
        let body = json!({"network": {"name": stage.name(&format!("page-{n}"))}});
        ids.push(bench.post(member, net, "/networks", body).await.text_at("network.id"));
    }
    let first = bench.get(member, net, "/networks?router:external=false&limit=2").await;
    bench.check("a page", &first, 200, "networks.1.id:s networks_links:a");
    let links = first.body["networks_links"].as_array().cloned().unwrap_or_default();
    let next = links.iter().find(|l| l["rel"] == "next").and_then(|l| l["href"].as_str()).unwrap_or_default().to_owned();
    let last = first.body["networks"][1]["id"].as_str().unwrap_or_default();
    bench.holds("its link has the last one as marker", next.contains(&format!("marker={last}")) && next.contains("limit=2"));
    let second = bench.get(member, net, &format!("/networks?router:external=false&limit=2&marker={last}")).await;
    bench.check("the next page", &second, 200, "networks.0.id:s");
    bench.holds("it is another", second.body["networks"][0]["id"] != first.body["networks"][0]["id"]);
    for id in ids {
        bench.check("delete network", &bench.delete(member, net, &format!("/networks/{id}")).await, 204, "");
    }
    bench.check("a marker that is gone", &bench.get(member, net, &format!("/networks?limit=2&marker={NONE}")).await, 404, "NeutronError.message:s");
}

async fn subnets(bench: &Bench, stage: &Stage, network: &str) -> String {
    let (net, member) = ("network", &stage.member);
    let make = |network: &str, cidr: &str| {
        json!({"subnet": {
        "name": stage.name("subnet"), "description": "mark", "network_id": network, "ip_version": 4, "cidr": cidr, "dns_nameservers": ["198.51.100.53"]}})
    };
    let made = bench.post(member, net, "/subnets", make(network, "10.250.0.0/24")).await;
    bench.check("create subnet", &made, 201, "subnet.id:s subnet.cidr=10.250.0.0/24 subnet.gateway_ip=10.250.0.1 subnet.network_id:s subnet.description=mark subnet.enable_dhcp=true subnet.dns_nameservers.0=198.51.100.53 subnet.allocation_pools.0.start=10.250.0.2 subnet.ip_version=4");
    bench.check(
        "subnet in no network",
        &bench.post(member, net, "/subnets", make(NONE, "10.250.0.0/24")).await,
        404,
        "NeutronError.type=NetworkNotFound",
    );
    bench.check(
        "overlapping subnet",
        &bench.post(member, net, "/subnets", make(network, "10.250.0.0/25")).await,
        400,
        "NeutronError.message~overlap",
    );
    bench.check(
        "not a CIDR",
        &bench.post(member, net, "/subnets", make(network, "10.250.0.0/99")).await,
        400,
        "NeutronError.type=InvalidInput NeutronError.message~is_not_in_a_cidr_format",
    );
    let listed = bench.get(member, net, &format!("/subnets?network_id={network}")).await;
    bench.check("subnets of the network", &listed, 200, "subnets.0.id:s subnets.0.cidr=10.250.0.0/24");
    made.text_at("subnet.id")
}

async fn external(bench: &Bench, stage: &Stage) -> String {
    let found = bench.get(&stage.member, "network", "/networks?router:external=true").await;
    bench.check("external networks", &found, 200, "networks.0.id:s networks.0.name=public networks.0.router:external=true");
    found.text_at("networks.0.id")
}

async fn security_groups(bench: &Bench, stage: &Stage) -> [String; 2] {
    let (net, member) = ("network", &stage.member);
    let mut ids = Vec::new();
    for part in ["masters", "workers"] {
        let body = json!({"security_group": {"name": stage.name(part), "description": "mark"}});
        let made = bench.post(member, net, "/security-groups", body).await;
        bench.check("create security group", &made, 201, "security_group.id:s security_group.name:s security_group.description=mark security_group.project_id:s security_group.stateful=true security_group.security_group_rules.0.direction=egress security_group.security_group_rules.1.direction=egress");
        ids.push(made.text_at("security_group.id"));
    }
    let rule = |port: u16| json!({"security_group_id": ids[0], "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp", "port_range_min": port, "port_range_max": port});
    let peer = json!({"security_group_id": ids[0], "direction": "ingress", "ethertype": "IPv4", "remote_group_id": ids[1]});
    let bulk = |rules: Value| json!({ "security_group_rules": rules });
    let made = bench.post(member, net, "/security-group-rules", bulk(json!([rule(6443), peer]))).await;
    bench.check("add rules in bulk", &made, 201, "security_group_rules.0.id:s security_group_rules.0.protocol=tcp security_group_rules.0.port_range_min=6443 security_group_rules.0.remote_ip_prefix:null security_group_rules.1.remote_group_id:s security_group_rules.1.protocol:null");
    let twice = bench.post(member, net, "/security-group-rules", bulk(json!([rule(22), rule(6443)]))).await;
    bench.check("a rule that exists refuses the bulk", &twice, 409, "NeutronError.type=SecurityGroupRuleExists NeutronError.message~already_exists");
    let group = bench.get(member, net, &format!("/security-groups/{}", ids[0])).await;
    bench.check(
        "read security group",
        &group,
        200,
        "security_group.security_group_rules.0.ethertype:s security_group.security_group_rules.0.remote_ip_prefix:s?",
    );
    bench
        .holds("nothing of the refused bulk was made", group.body["security_group"]["security_group_rules"].as_array().is_some_and(|r| r.len() == 4));
    let found = bench.get(member, net, &format!("/security-groups?name={}", stage.name("masters"))).await;
    bench.check("find security group", &found, 200, "security_groups.0.id:s security_groups.0.security_group_rules:a");
    bench.holds("one group", found.body["security_groups"].as_array().is_some_and(|g| g.len() == 1));
    let bad = json!({"security_group_rules": [{"security_group_id": NONE, "direction": "ingress"}]});
    bench.check("rule of no group", &bench.post(member, net, "/security-group-rules", bad).await, 404, "NeutronError.type=SecurityGroupNotFound");
    ids.try_into().unwrap()
}

async fn ports(bench: &Bench, stage: &Stage, network: &str, subnet: &str, group: &str) -> String {
    let (net, member) = ("network", &stage.member);
    let make = |network: &str, ip: Value| {
        json!({"port": {
        "name": stage.name("port"), "description": "mark", "network_id": network, "fixed_ips": [ip], "security_groups": [group]}})
    };
    let made = bench.post(member, net, "/ports", make(network, json!({"subnet_id": subnet}))).await;
    bench.check("create port", &made, 201, "port.id:s port.name:s port.description=mark port.network_id:s port.mac_address:s port.fixed_ips.0.ip_address:s port.fixed_ips.0.subnet_id:s port.device_id= port.device_owner= port.status=DOWN port.security_groups.0:s port.project_id:s port.admin_state_up=true");
    let address = made.text_at("port.fixed_ips.0.ip_address");
    bench.holds("its address is in the subnet", address.starts_with("10.250.0."));
    let taken = bench.post(member, net, "/ports", make(network, json!({"subnet_id": subnet, "ip_address": address}))).await;
    bench.check("an address that is taken", &taken, 409, "NeutronError.type=IpAddressAlreadyAllocated NeutronError.message:s");
    let outside = bench.post(member, net, "/ports", make(network, json!({"subnet_id": subnet, "ip_address": "10.251.0.9"}))).await;
    bench.check("an address outside the subnet", &outside, 400, "NeutronError.type=InvalidIpForSubnet");
    bench.check(
        "port in no network",
        &bench.post(member, net, "/ports", make(NONE, json!({"subnet_id": subnet}))).await,
        404,
        "NeutronError.type=NetworkNotFound",
    );
    let found = bench.get(member, net, &format!("/ports?name={}", stage.name("port"))).await;
    bench.check("find port", &found, 200, "ports.0.id:s ports.0.fixed_ips:a");
    let in_use = bench.delete(member, net, &format!("/subnets/{subnet}")).await;
    bench.check("a subnet in use", &in_use, 409, "NeutronError.type=SubnetInUse");
    bench.check("a network in use", &bench.delete(member, net, &format!("/networks/{network}")).await, 409, "NeutronError.type=NetworkInUse");
    bench.check(
        "a security group in use",
        &bench.delete(member, net, &format!("/security-groups/{group}")).await,
        409,
        "NeutronError.type=SecurityGroupInUse",
    );
    made.text_at("port.id")
}

async fn routers(bench: &Bench, stage: &Stage, subnet: &str, external: &str) -> String {
    let (net, member) = ("network", &stage.member);
    let body = json!({"router": {"name": stage.name("router"), "description": "mark", "external_gateway_info": {"network_id": external}}});
    let made = bench.post(member, net, "/routers", body).await;
    bench.check("create router", &made, 201, "router.id:s router.name:s router.description=mark router.status=ACTIVE router.external_gateway_info.network_id:s router.external_gateway_info.external_fixed_ips.0.ip_address:s router.external_gateway_info.enable_snat=true router.project_id:s");
    let router = made.text_at("router.id");
    let no_gateway = json!({"router": {"name": "x", "external_gateway_info": {"network_id": NONE}}});
    bench.check("router to no network", &bench.post(member, net, "/routers", no_gateway).await, 404, "NeutronError.type=NetworkNotFound");
    let add = format!("/routers/{router}/add_router_interface");
    let interface = json!({"subnet_id": subnet});
    let added = bench.put(member, net, &add, interface.clone()).await;
    bench.check("add router interface", &added, 200, "port_id:s subnet_id:s id:s network_id:s");
    let twice = bench.put(member, net, &add, interface.clone()).await;
    bench.check("add it again", &twice, 400, "NeutronError.type=BadRequest NeutronError.message~router_already_has_a_port_on_subnet");
    let listed = bench.get(member, net, &format!("/ports?device_id={router}")).await;
    bench.check("the router's port", &listed, 200, "ports.0.device_owner=network:router_interface ports.0.fixed_ips.0.ip_address=10.250.0.1");
    bench.holds("its gateway port is not the member's", listed.body["ports"].as_array().is_some_and(|p| p.len() == 1));
    let port = added.text_at("port_id");
    bench.check(
        "a router's port is deleted by the router",
        &bench.delete(member, net, &format!("/ports/{port}")).await,
        409,
        "NeutronError.type=ServicePortInUse",
    );
    bench.check("a router in use", &bench.delete(member, net, &format!("/routers/{router}")).await, 409, "NeutronError.type=RouterInUse");
    let nowhere = bench.put(member, net, &add, json!({"subnet_id": NONE})).await;
    bench.check("an interface on no subnet", &nowhere, 404, "NeutronError.type=SubnetNotFound");
    router
}

async fn floating_ips(bench: &Bench, stage: &Stage, external: &str, port: &str) {
    let (net, member) = ("network", &stage.member);
    let mark = stage.name("floating");
    let body = json!({"floatingip": {"floating_network_id": external, "description": mark}});
    let made = bench.post(member, net, "/floatingips", body).await;
    bench.check("create floating IP", &made, 201, "floatingip.id:s floatingip.floating_ip_address:s floatingip.port_id:null floatingip.fixed_ip_address:null floatingip.status=DOWN floatingip.description:s floatingip.floating_network_id:s floatingip.project_id:s");
    let path = format!("/floatingips/{}", made.text_at("floatingip.id"));
    let found = bench.get(member, net, &format!("/floatingips?description={mark}")).await;
    bench.check("find floating IP", &found, 200, "floatingips.0.id:s");
    bench.holds("one floating IP", found.body["floatingips"].as_array().is_some_and(|f| f.len() == 1));
    let tied = bench.put(member, net, &path, json!({"floatingip": {"port_id": port}})).await;
    bench.check("associate", &tied, 200, "floatingip.port_id:s floatingip.fixed_ip_address:s");
    bench.settles("floating IP", member, net, &path, "floatingip.status", &["DOWN", "ACTIVE"]).await;
    let nothing = bench.put(member, net, &path, json!({"floatingip": {"port_id": NONE}})).await;
    bench.check("associate with no port", &nothing, 404, "NeutronError.type=PortNotFound");
    let loose = bench.put(member, net, &path, json!({"floatingip": {"port_id": null}})).await;
    bench.check("disassociate", &loose, 200, "floatingip.port_id:null");
    bench.check("of somebody else", &bench.get(&stage.stranger, net, &path).await, 404, "NeutronError.type=FloatingIPNotFound");
    bench.check("delete floating IP", &bench.delete(member, net, &path).await, 204, "");
    bench.check("delete it again", &bench.delete(member, net, &path).await, 404, "NeutronError.type=FloatingIPNotFound");
    let inside = json!({"floatingip": {"floating_network_id": NONE}});
    bench.check("floating IP of no network", &bench.post(member, net, "/floatingips", inside).await, 404, "NeutronError.type=NetworkNotFound");
}

async fn availability(bench: &Bench, stage: &Stage, external: &str) {
    let path = format!("/network-ip-availabilities/{external}");
    let told = bench.get(&stage.admin, "network", &path).await;
    let fields = "total_ips:n subnet_ip_availability.0.ip_version:n subnet_ip_availability.0.total_ips:n subnet_ip_availability.0.used_ips:n";
    let fields: Vec<String> = fields.split(' ').map(|field| format!("network_ip_availability.{field}")).collect();
    bench.check("how many addresses there are", &told, 200, &fields.join(" "));
    bench.check("a member does not see it", &bench.get(&stage.member, "network", &path).await, 404, "NeutronError.message:s");
}

async fn quotas(bench: &Bench, stage: &Stage) {
    let (net, member) = ("network", &stage.member);
    let path = format!("/quotas/{}", member.project_id);
    let details = bench.get(member, net, &format!("{path}/details.json")).await;
    bench.check("quota details", &details, 200, "quota.network.limit:n quota.network.used:n quota.network.reserved:n quota.floatingip.limit:n quota.security_group_rule.used:n quota.router.used=1 quota.port.limit:n quota.subnet.used=1 quota.security_group.limit:n");
    let used = at(&details.body, "quota.network.used").and_then(Value::as_u64).unwrap_or_default();
    let set = bench.put(&stage.admin, net, &path, json!({"quota": {"network": used}})).await;
    bench.check("the admin sets a quota", &set, 200, "quota.network:n");
    let over = bench.post(member, net, "/networks", json!({"network": {"name": "x"}})).await;
    bench.check("over the quota", &over, 409, "NeutronError.type=OverQuota NeutronError.message~quota_exceeded_for_resources");
    bench.check("a member sets no quota", &bench.put(member, net, &path, json!({"quota": {"network": 99}})).await, 403, "NeutronError.message:s");
    bench.check("back to the default", &bench.delete(&stage.admin, net, &path).await, 204, "");
}

async fn take_down(bench: &Bench, stage: &Stage, network: &str, subnet: &str, router: &str, port: &str, groups: &[String]) {
    let (net, member) = ("network", &stage.member);
    let remove = format!("/routers/{router}/remove_router_interface");
    bench.check("remove router interface", &bench.put(member, net, &remove, json!({"subnet_id": subnet})).await, 200, "subnet_id:s port_id:s");
    bench.check(
        "remove it again",
        &bench.put(member, net, &remove, json!({"subnet_id": subnet})).await,
        404,
        "NeutronError.type=RouterInterfaceNotFoundForSubnet",
    );
    let paths = [
        ("router", format!("/routers/{router}"), "RouterNotFound"),
        ("port", format!("/ports/{port}"), "PortNotFound"),
        ("subnet", format!("/subnets/{subnet}"), "SubnetNotFound"),
        ("network", format!("/networks/{network}"), "NetworkNotFound"),
        ("security group", format!("/security-groups/{}", groups[0]), "SecurityGroupNotFound"),
        ("security group", format!("/security-groups/{}", groups[1]), "SecurityGroupNotFound"),
    ];
    for (what, path, missing) in paths {
        bench.check(&format!("delete {what}"), &bench.delete(member, net, &path).await, 204, "");
        bench.check(&format!("delete {what} again"), &bench.delete(member, net, &path).await, 404, &format!("NeutronError.type={missing}"));
    }
}
