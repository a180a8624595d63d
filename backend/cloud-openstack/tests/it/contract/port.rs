//! The same through the adapter: everything a cluster is made of, found again, and taken away, by an application credential.

use super::bench::Bench;
use super::stage::Stage;
use cloud::compute::{NewServer, ServerStatus};
use cloud::error::CloudErrorKind as Kind;
use cloud::identity::{ApplicationCredential, Identity, Token};
use cloud::load_balancers::{NewLoadBalancer, NewMember, Provisioning};
use cloud::network::{Direction, Kind as Object, NewPort, NewSubnet, Peer, Rule};
use cloud::volumes::{NewVolume, VolumeStatus};
use cloud::{Cloud, Result};
use cloud_openstack::{Config, Interface, OpenStack};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub async fn replay(bench: &Bench, stage: &Stage) {
    let openstack = openstack(bench, stage);
    let token = people(bench, stage, &openstack).await;
    reading(bench, &openstack.as_token(&token), &stage.member.project_id).await;
    let reader = openstack.sign_in(&stage.name("reader"), "Default", &stage.password.into(), None).await.unwrap().token().unwrap();
    let reader = openstack.as_token(&openstack.rescope(&reader.secret, &stage.member.project_id).await.unwrap());
    reading(bench, &reader, &stage.member.project_id).await;
    let denied = reader.network.create_network("x", "").await.unwrap_err();
    bench.holds("a reader is denied", denied.kind == Kind::Denied && denied.message.contains("policy"));

    let project = stage.member.project_id.as_str();
    let user = openstack.ensure_service_user(&stage.name("robot"), project).await.unwrap();
    let again = openstack.ensure_service_user(&stage.name("robot"), project).await.unwrap();
    bench.holds("the service user is the same", user.user_id == again.user_id);
    let name = stage.name("engine");
    let credential = openstack.create_application_credential(&user, project, &name, "mark").await.unwrap();
    let twice = openstack.create_application_credential(&user, project, &name, "mark").await.unwrap_err();
    bench.holds("its name is taken", twice.kind == Kind::Conflict);
    let listed = openstack.application_credentials(&user, project).await.unwrap();
    bench.holds("it is listed", listed == [(credential.id.clone(), name, "mark".to_owned())]);

    let cloud = openstack.as_credential(&credential);
    reading(bench, &cloud, project).await;
    cluster(bench, stage, &cloud).await;

    openstack.delete_application_credential(&user, project, &credential.id).await.unwrap();
    let gone = openstack.delete_application_credential(&user, project, &credential.id).await.unwrap_err();
    bench.holds("it is gone", gone.is_not_found());
    let dead = openstack.as_credential(&ApplicationCredential { id: credential.id, secret: "wrong".into() });
    bench.holds("nothing by a credential that is gone", dead.compute.zones().await.unwrap_err().kind == Kind::Unauthenticated);
    let path = format!("/users/{}", user.user_id);
    bench.check("delete the service user", &bench.delete(&stage.admin, "identity", &path).await, 204, "");
}

fn openstack(bench: &Bench, stage: &Stage) -> OpenStack {
    let config = Config {
        auth_url: bench.auth_url.parse().unwrap(),
        region: Some("RegionOne".into()),
        interface: Interface::Public,
        service_username: "kcs".into(),
        service_password: stage.admin_password.clone().into(),
        service_project: "service".into(),
        service_domain: "Default".into(),
        tenant_domain: "Default".into(),
        load_balancer_provider: None,
    };
    OpenStack::new(config, bench.transport.clone())
}

async fn people(bench: &Bench, stage: &Stage, openstack: &OpenStack) -> Token {
    let member = stage.name("member");
    let wrong = openstack.sign_in(&member, "Default", &"wrong".into(), None).await.unwrap_err();
    let nobody = openstack.sign_in("nobody", "Default", &"wrong".into(), None).await.unwrap_err();
    bench.holds("failed sign-ins look alike", wrong.kind == Kind::Unauthenticated && wrong.message == nobody.message);
    let unscoped = openstack.sign_in(&member, "Default", &stage.password.into(), None).await.unwrap().token().unwrap();
    bench.holds("signed in", unscoped.info.user_id == stage.member.user_id && unscoped.info.project.is_none());
    let projects = openstack.projects(&unscoped.secret).await.unwrap();
    bench.holds("own projects", projects.iter().map(|p| p.id.as_str()).eq([stage.member.project_id.as_str()]));
    let foreign = openstack.rescope(&unscoped.secret, &stage.stranger.project_id).await.unwrap_err();
    bench.holds("no foreign project", foreign.kind == Kind::Unauthenticated);
    let token = openstack.rescope(&unscoped.secret, &stage.member.project_id).await.unwrap();
    let info = openstack.validate(&token.secret).await.unwrap();
    bench.holds("roles", info.roles.iter().any(|r| r == "member") && info.project == token.info.project);
    openstack.revoke(&unscoped.secret).await.unwrap();
    openstack.revoke(&unscoped.secret).await.unwrap();
    bench.holds("revoked", openstack.validate(&unscoped.secret).await.unwrap_err().kind == Kind::Unauthenticated);
    openstack
        .rescope(
            &openstack.sign_in(&member, "Default", &stage.password.into(), None).await.unwrap().token().unwrap().secret,
            &stage.member.project_id,
        )
        .await
        .unwrap()
}

/// Catalogues and limits.
async fn reading(bench: &Bench, cloud: &Cloud, project: &str) {
    let flavors = cloud.compute.flavors().await.unwrap();
    bench.holds("m1.medium", flavors.iter().any(|f| f.name == "m1.medium" && f.vcpus == 2 && f.ram_mib == 4_096 && f.disk_gib == 40 && f.public));
    bench.holds("az1", cloud.compute.zones().await.unwrap().iter().any(|z| z.name == "az1" && z.available));
    let limits = cloud.compute.limits().await.unwrap();
    bench.holds("compute limits", limits.instances.limit.is_some() && limits.vcpus.limit.is_some() && limits.ram_mib.limit.is_some());
    bench.holds("server group limits", limits.server_groups.limit.is_some() && limits.server_group_members.is_some());
    let types = cloud.volumes.volume_types().await.unwrap();
    bench.holds("volume types", types.iter().any(|t| t.name == "standard" && t.default) && types.iter().any(|t| t.name == "ssd" && !t.default));
    bench.holds("zones of volumes", cloud.volumes.zones().await.unwrap().iter().any(|z| z.available));
    let limits = cloud.volumes.limits(project).await.unwrap();
    bench.holds("volume limits", limits.volumes.limit.is_some() && limits.gigabytes.limit.is_some());
    let limits = cloud.network.limits(project).await.unwrap();
    let all = [
        &limits.networks,
        &limits.subnets,
        &limits.routers,
        &limits.ports,
        &limits.floating_ips,
        &limits.security_groups,
        &limits.security_group_rules,
    ];
    bench.holds("network limits", all.iter().all(|l| l.limit.is_some()));
    bench.holds("external network", cloud.network.external_networks().await.unwrap().iter().any(|n| n.name == "public" && n.external));
    let images = cloud.images.images().await.unwrap();
    bench.holds("node images", images.iter().any(|i| i.properties.get("kcs_kubernetes_version").is_some_and(|v| v == "v1.36.3")));
    bench.holds("images' sizes", images.iter().any(|i| i.size_bytes.is_some_and(|size| size > 0)));
    bench.holds("images' visibility", images.iter().all(|i| !i.visibility.is_empty() && !i.properties.contains_key("visibility")));
    bench.holds("image by name", cloud.images.images_by_name("kcs-node-v1.36.3").await.unwrap().len() == 1);
    let limits = cloud.load_balancers.as_ref().unwrap().limits(project).await.unwrap();
    let all = [limits.load_balancers, limits.listeners, limits.pools, limits.members, limits.health_monitors];
    bench.holds("no load balancer yet", all.iter().all(|l| l.used == 0));
}

/// Asks until it is so.
async fn until<F: Future<Output = Result<bool>>>(bench: &Bench, name: &str, mut ask: impl FnMut() -> F) {
    let end = Instant::now() + Duration::from_secs(120);
    while Instant::now() < end {
        match ask().await {
            Ok(true) => return,
            Ok(false) => tokio::time::sleep(Duration::from_millis(200)).await,
            Err(e) => return bench.finding(format!("{name}: {e}")),
        }
    }
    bench.finding(format!("{name}: not in time"));
}

fn gone<T>(answer: Result<T>) -> Result<bool> {
    match answer {
        Ok(_) => Ok(false),
        Err(e) if e.is_not_found() => Ok(true),
        Err(e) => Err(e),
    }
}

async fn cluster(bench: &Bench, stage: &Stage, cloud: &Cloud) {
    let (net, name) = (&cloud.network, stage.name("cluster"));
    let external = net.external_networks().await.unwrap().remove(0).id;
    let network = net.create_network(&name, "mark").await.unwrap();
    let found = net.networks_by_name(&name).await.unwrap();
    bench.holds(
        "network found",
        found.len() == 1 && found[0].id == network && found[0].description == "mark" && found[0].project_id == stage.member.project_id,
    );
    let subnet = NewSubnet {
        name: name.clone(),
        description: "mark".into(),
        network_id: network.clone(),
        cidr: "10.253.0.0/24".parse().unwrap(),
        dns_servers: vec![],
    };
    let subnet = net.create_subnet(&subnet).await.unwrap();
    let found = net.subnets_of(&network).await.unwrap();
    bench.holds("subnet found", found.len() == 1 && found[0].id == subnet && found[0].cidr == "10.253.0.0/24");
    let router = net.create_router(&name, "mark", &external).await.unwrap();
    let interface = net.add_router_interface(&router, &subnet).await.unwrap();
    bench.holds("interface added twice", net.add_router_interface(&router, &subnet).await.unwrap() == interface);
    let routers = net.routers_by_name(&name).await.unwrap();
    bench.holds("router found", routers.len() == 1 && routers[0].external_network_id.as_deref() == Some(&external));
    let group = rules(bench, &name, cloud).await;
    let other = stage.name("renamed");
    for (kind, id) in [(Object::Network, &network), (Object::Subnet, &subnet), (Object::Router, &router), (Object::SecurityGroup, &group)] {
        net.rename(kind, id, &other).await.unwrap();
    }
    bench.holds("network renamed", net.networks_by_name(&other).await.unwrap().iter().any(|n| n.id == network && n.description == "mark"));
    bench.holds("subnet renamed", net.subnets_of(&network).await.unwrap()[0].name == other);
    bench.holds("router renamed", net.router(&router).await.unwrap().name == other);
    bench.holds("group renamed", net.security_group(&group).await.unwrap().name == other);

    let port = NewPort {
        name: name.clone(),
        description: "mark".into(),
        network_id: network.clone(),
        subnet_id: subnet.clone(),
        security_group_ids: vec![group.clone()],
    };
    let (port, address) = net.create_port(&port).await.unwrap();
    let read = net.port(&port).await.unwrap();
    bench.holds("port found", read.id == port && read.name == name && read.address.as_deref() == Some(&address) && read.device_id.is_empty());
    net.rename(Object::Port, &port, &other).await.unwrap();
    bench.holds("port renamed", net.port(&port).await.unwrap().name == other);
    bench.holds(
        "ports of the network",
        net.ports_of(&network).await.unwrap().iter().any(|p| p.id == interface && p.device_owner == "network:router_interface"),
    );

    let balancer = balancer(bench, stage, cloud, &subnet, &address).await;
    let (floating, _) = net.create_floating_ip(&external, &name).await.unwrap();
    net.associate_floating_ip(&floating, Some(&balancer.1)).await.unwrap();
    let found = net.floating_ips_by_description(&name).await.unwrap();
    bench.holds("floating IP found", found.len() == 1 && found[0].port_id.as_deref() == Some(&balancer.1));
    server(bench, stage, cloud, &port).await;

    let in_use = net.delete_network(&network).await.unwrap_err();
    bench.holds("a network in use is a conflict", in_use.kind == Kind::Conflict && in_use.request_id.is_some());
    net.associate_floating_ip(&floating, None).await.unwrap();
    net.delete_floating_ip(&floating).await.unwrap();
    let lbs = cloud.load_balancers.as_ref().unwrap();
    lbs.delete_load_balancer(&balancer.0).await.unwrap();
    until(bench, "load balancer gone", async || gone(lbs.load_balancer(&balancer.0).await)).await;
    net.delete_port(&port).await.unwrap();
    net.remove_router_interface(&router, &subnet).await.unwrap();
    bench.holds("interface removed twice", net.remove_router_interface(&router, &subnet).await.unwrap_err().is_not_found());
    net.delete_router(&router).await.unwrap();
    net.delete_subnet(&subnet).await.unwrap();
    net.delete_network(&network).await.unwrap();
    bench.holds("network deleted twice", net.delete_network(&network).await.unwrap_err().is_not_found());
    net.delete_security_group(&group).await.unwrap();
}

async fn rules(bench: &Bench, name: &str, cloud: &Cloud) -> String {
    let net = &cloud.network;
    let group = net.create_security_group(name, "mark").await.unwrap();
    let rule = |protocol: &str, port: u16, peer: Peer| Rule {
        direction: Direction::Ingress,
        protocol: Some(protocol.to_owned()),
        ports: (port > 0).then_some((port, port)),
        peer,
    };
    let first = rule("tcp", 6443, Peer::Cidr("0.0.0.0/0".into()));
    let all = [
        first.clone(),
        rule("tcp", 10250, Peer::Group(group.clone())),
        rule("udp", 8472, Peer::Cidr("10.253.0.0/24".into())),
        rule("4", 0, Peer::Group(group.clone())),
        Rule { direction: Direction::Ingress, protocol: None, ports: None, peer: Peer::Group(group.clone()) },
    ];
    net.add_rules(&group, &[first]).await.unwrap();
    net.add_rules(&group, &all).await.unwrap();
    net.add_rules(&group, &all).await.unwrap();
    let found = net.security_group(&group).await.unwrap();
    bench.holds("the group", found.id == group && found.name == name && found.description == "mark");
    // Neutron's own egress rule, and ours.
    let rules = &found.rules;
    if rules.len() != 6 {
        bench.finding(format!("rules: {rules:?}"));
    }
    bench.holds("0.0.0.0/0 is anyone", rules.contains(&rule("tcp", 6443, Peer::Anyone)));
    bench.holds("the others are as made", all[1..].iter().all(|rule| rules.contains(rule)));
    group
}

/// Answers (id, VIP port).
async fn balancer(bench: &Bench, stage: &Stage, cloud: &Cloud, subnet: &str, address: &str) -> (String, String) {
    let lbs = cloud.load_balancers.as_ref().unwrap();
    let member = |address: &str| NewMember { name: format!("m-{address}"), address: address.to_owned(), subnet_id: subnet.to_owned() };
    let wanted = NewLoadBalancer {
        name: stage.name("api"),
        description: "mark".into(),
        vip_subnet_id: subnet.to_owned(),
        vip_address: None,
        port: 6443,
        members: vec![member(address)],
        allowed_cidrs: vec![],
        provider: None,
        client_timeout_seconds: 3600,
        member_timeout_seconds: 3600,
    };
    let id = lbs.create_load_balancer(&wanted).await.unwrap();
    let active = async || Ok(lbs.load_balancer(&id).await?.provisioning == Provisioning::Active);
    until(bench, "load balancer active", active).await;
    bench.holds("nothing is missing", !lbs.complete(&id, &wanted).await.unwrap());
    let tree = lbs.tree(&id, 6443).await.unwrap();
    bench.holds("the tree is whole", tree.listener_id.is_some() && tree.monitor_id.is_some() && tree.members.len() == 1);
    let pool = tree.pool_id.unwrap();
    let more = [member(address), member("10.253.0.77")];
    lbs.set_members(&pool, 6443, &more).await.unwrap();
    match lbs.set_members(&pool, 6443, &[]).await {
        Err(e) => bench.holds("immutable is a conflict", e.kind == Kind::Conflict && e.retryable()),
        Ok(()) => bench.finding("a pending load balancer was changed".into()),
    }
    until(bench, "members set", active).await;
    bench.holds("two members", lbs.tree(&id, 6443).await.unwrap().members.len() == 2);
    let found = lbs.load_balancers_by_name(&wanted.name).await.unwrap();
    bench.holds("load balancer found", found.len() == 1 && found[0].description == "mark" && !found[0].vip_address.is_empty());
    lbs.rename(&id, &stage.name("renamed")).await.unwrap();
    until(bench, "load balancer renamed", active).await;
    bench.holds("load balancer renamed", lbs.load_balancer(&id).await.unwrap().name == stage.name("renamed"));
    bare(bench, stage, cloud, &wanted).await;
    (id, found[0].vip_port_id.clone())
}

/// A load balancer made without its children is completed one by one.
async fn bare(bench: &Bench, stage: &Stage, cloud: &Cloud, wanted: &NewLoadBalancer) {
    let lbs = cloud.load_balancers.as_ref().unwrap();
    let body = serde_json::json!({"loadbalancer": {"name": stage.name("bare"), "vip_subnet_id": wanted.vip_subnet_id}});
    let id = bench.post(&stage.member, "load-balancer", "/loadbalancers", body).await.text_at("loadbalancer.id");
    let active = async || Ok(lbs.load_balancer(&id).await?.provisioning == Provisioning::Active);
    let mut made = 0;
    loop {
        until(bench, "bare load balancer active", active).await;
        if !lbs.complete(&id, wanted).await.unwrap() || made > 9 {
            break;
        }
        made += 1;
    }
    bench.holds("listener, pool, monitor and members", made == 4);
    let tree = lbs.tree(&id, 6443).await.unwrap();
    bench.holds("complete", tree.listener_id.is_some() && tree.pool_id.is_some() && tree.monitor_id.is_some() && tree.members.len() == 1);
    lbs.delete_load_balancer(&id).await.unwrap();
    until(bench, "bare load balancer gone", async || gone(lbs.load_balancer(&id).await)).await;
}

async fn server(bench: &Bench, stage: &Stage, cloud: &Cloud, port: &str) {
    let image = cloud.images.images_by_name("kcs-node-v1.36.3").await.unwrap().remove(0).id;
    let metadata = BTreeMap::from([("kcs_cluster".to_owned(), format!("port-{}", stage.tag))]);
    let volume =
        NewVolume { name: stage.name("disk"), size_gib: 10, image_id: Some(image), volume_type: None, zone: None, metadata: metadata.clone() };
    let volume = cloud.volumes.create_volume(&volume).await.unwrap();
    until(bench, "volume available", async || Ok(cloud.volumes.volume(&volume).await?.status == VolumeStatus::Available)).await;
    let found = cloud.volumes.volumes_by_metadata("kcs_cluster", &metadata["kcs_cluster"]).await.unwrap();
    bench.holds("volume found", found.len() == 1 && found[0].id == volume && found[0].size_gib == 10);
    let group = cloud.compute.create_server_group(&stage.name("masters")).await.unwrap();
    bench.holds("server group found", cloud.compute.server_groups().await.unwrap().iter().any(|g| g.id == group && g.members.is_empty()));
    let flavor = cloud.compute.flavors().await.unwrap().into_iter().find(|f| f.name == "m1.tiny").unwrap().id;
    let wanted = NewServer {
        name: stage.name("node-1"),
        flavor_id: flavor,
        port_id: port.to_owned(),
        volume_id: Some(volume.clone()),
        image_id: None,
        data_volume_ids: vec![],
        server_group_id: Some(group.clone()),
        zone: None,
        user_data: "#cloud-config\n".to_owned().into(),
        metadata,
    };
    let server = cloud.compute.create_server(&wanted).await.unwrap();
    until(bench, "server active", async || Ok(cloud.compute.server(&server).await?.status == ServerStatus::Active)).await;
    let found = cloud.compute.servers(&stage.name("node-")).await.unwrap();
    bench.holds("server found", found.len() == 1 && found[0].metadata == wanted.metadata && found[0].created_at.is_some() && found[0].zone.is_some());
    bench.holds("no other prefix", cloud.compute.servers(&stage.name("node-1x")).await.unwrap().is_empty());
    bench.holds("volume attached", cloud.volumes.volume(&volume).await.unwrap().attached_to == [server.clone()]);
    bench.holds("a volume in use is a conflict", cloud.volumes.delete_volume(&volume).await.unwrap_err().kind == Kind::Conflict);
    cloud.compute.console_output(&server, 5).await.unwrap();
    cloud.compute.stop_server(&server).await.unwrap();
    until(bench, "stopped", async || Ok(cloud.compute.server(&server).await?.status == ServerStatus::Shutoff)).await;
    cloud.compute.start_server(&server).await.unwrap();
    until(bench, "started", async || Ok(cloud.compute.server(&server).await?.status == ServerStatus::Active)).await;
    cloud.compute.reboot_server(&server, true).await.unwrap();
    until(bench, "rebooted", async || Ok(cloud.compute.server(&server).await?.status == ServerStatus::Active)).await;
    cloud.compute.delete_server(&server).await.unwrap();
    until(bench, "server gone", async || gone(cloud.compute.server(&server).await)).await;
    until(bench, "its volume gone", async || gone(cloud.volumes.volume(&volume).await)).await;
    cloud.compute.delete_server_group(&group).await.unwrap();
}
