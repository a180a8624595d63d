//! Nova: flavors, zones, limits, server groups, and the life of a server on a port with a root volume.

use super::bench::{Bench, at};
use super::stage::Stage;
use serde_json::{Value, json};

const NONE: &str = "00000000-0000-4000-8000-000000000000";
const NOVA: &str = "compute";

pub async fn replay(bench: &Bench, stage: &Stage) {
    catalogue(bench, stage).await;
    let group = server_groups(bench, stage).await;
    servers(bench, stage, &group).await;
    let path = format!("/os-server-groups/{group}");
    bench.check("delete server group", &bench.delete(&stage.member, NOVA, &path).await, 204, "");
    bench.check("delete it again", &bench.delete(&stage.member, NOVA, &path).await, 404, "itemNotFound.code=404");
}

async fn catalogue(bench: &Bench, stage: &Stage) {
    let member = &stage.member;
    let flavors = bench.get(member, NOVA, "/flavors/detail?limit=1").await;
    bench.check("flavors", &flavors, 200, "flavors.0.id:s flavors.0.name:s flavors.0.vcpus:n flavors.0.ram:n flavors.0.disk:n flavors.0.os-flavor-access:is_public=true flavors_links.0.rel=next flavors_links.0.href~marker=");
    let zones = bench.get(member, NOVA, "/os-availability-zone").await;
    bench.check("zones", &zones, 200, "availabilityZoneInfo.0.zoneName:s availabilityZoneInfo.0.zoneState.available:b");
    let named = |name: &str| zones.body["availabilityZoneInfo"].as_array().is_some_and(|z| z.iter().any(|z| z["zoneName"] == name));
    bench.holds("three zones and not `internal`", named("az1") && named("az2") && named("az3") && !named("internal"));
    let limits = bench.get(member, NOVA, "/limits").await;
    bench.check("limits", &limits, 200, "limits.absolute.maxTotalInstances:n limits.absolute.totalInstancesUsed=0 limits.absolute.maxTotalCores:n limits.absolute.totalCoresUsed=0 limits.absolute.maxTotalRAMSize:n limits.absolute.totalRAMUsed=0 limits.absolute.maxServerGroups:n limits.absolute.totalServerGroupsUsed=0 limits.absolute.maxServerGroupMembers:n");
    bench.check("nobody", &bench.ask(None, "GET", NOVA, "/servers", None).await, 401, "error.code=401");
    let none = bench.get(member, NOVA, "/nonsense").await;
    bench.holds("no such path", none.status == 404);
}

async fn server_groups(bench: &Bench, stage: &Stage) -> String {
    let member = &stage.member;
    let make = |policy: &str| json!({"server_group": {"name": stage.name("group"), "policy": policy}});
    let made = bench.post(member, NOVA, "/os-server-groups", make("soft-anti-affinity")).await;
    bench.check(
        "create server group",
        &made,
        200,
        "server_group.id:s server_group.name:s server_group.policy=soft-anti-affinity server_group.members:a server_group.project_id:s",
    );
    bench.check(
        "no such policy",
        &bench.post(member, NOVA, "/os-server-groups", make("nonsense")).await,
        400,
        "badRequest.code=400 badRequest.message~invalid_input_for_field/attribute",
    );
    let listed = bench.get(member, NOVA, "/os-server-groups?limit=500&offset=0").await;
    bench.check("list server groups", &listed, 200, "server_groups.0.id:s server_groups.0.name:s server_groups.0.members:a");
    let beyond = bench.get(member, NOVA, "/os-server-groups?limit=500&offset=1").await;
    bench.holds("none beyond", beyond.body["server_groups"].as_array().is_some_and(Vec::is_empty));
    let set = bench.put(&stage.admin, NOVA, &format!("/os-quota-sets/{}", member.project_id), json!({"quota_set": {"server_groups": 1}})).await;
    bench.check("the admin sets a quota", &set, 200, "quota_set.server_groups=1");
    let over = bench.post(member, NOVA, "/os-server-groups", make("soft-anti-affinity")).await;
    bench.check("over the quota of server groups", &over, 403, "forbidden.code=403 forbidden.message~quota_exceeded");
    made.text_at("server_group.id")
}

struct Parts {
    network: String,
    subnet: String,
    port: String,
    volume: String,
    flavor: String,
}

async fn parts(bench: &Bench, stage: &Stage) -> Parts {
    let member = &stage.member;
    let network = bench.post(member, "network", "/networks", json!({"network": {"name": stage.name("servers")}})).await.text_at("network.id");
    let subnet = json!({"subnet": {"network_id": network, "ip_version": 4, "cidr": "10.251.0.0/24"}});
    let subnet = bench.post(member, "network", "/subnets", subnet).await.text_at("subnet.id");
    let port = json!({"port": {"name": stage.name("server"), "network_id": network, "fixed_ips": [{"subnet_id": subnet}]}});
    let port = bench.post(member, "network", "/ports", port).await.text_at("port.id");
    let image = bench.get(member, "image", "/images?name=kcs-node-v1.36.3").await.text_at("images.0.id");
    let volume = json!({"volume": {"name": stage.name("root"), "size": 10, "imageRef": image}});
    let volume = bench.post(member, "block-storage", "/volumes", volume).await.text_at("volume.id");
    let path = format!("/volumes/{volume}");
    bench.settles("root volume", member, "block-storage", &path, "volume.status", &["creating", "downloading", "available"]).await;
    let flavors = bench.get(member, NOVA, "/flavors/detail").await;
    let flavors = flavors.body["flavors"].as_array().unwrap();
    let flavor = flavors.iter().find(|f| f["name"] == "m1.tiny").unwrap()["id"].as_str().unwrap().to_owned();
    Parts { network, subnet, port, volume, flavor }
}

fn new_server(stage: &Stage, parts: &Parts, group: &str) -> Value {
    json!({
        "server": {
            "name": stage.name("server"), "flavorRef": parts.flavor, "networks": [{"port": parts.port}], "config_drive": true,
            "block_device_mapping_v2": [{"boot_index": 0, "uuid": parts.volume, "source_type": "volume", "destination_type": "volume", "delete_on_termination": true}],
            "user_data": "IyEvYmluL3NoCg==", "metadata": {"kcs_cluster": stage.tag}, "availability_zone": "az2",
        },
        "os:scheduler_hints": {"group": group},
    })
}

async fn servers(bench: &Bench, stage: &Stage, group: &str) {
    let member = &stage.member;
    let parts = parts(bench, stage).await;
    let wanted = new_server(stage, &parts, group);
    refusals(bench, stage, &wanted).await;
    let made = bench.post(member, NOVA, "/servers", wanted.clone()).await;
    bench.check(
        "create server",
        &made,
        202,
        "@x-openstack-request-id @x-compute-request-id @openstack-api-version server.id:s server.links:a server.adminPass:s",
    );
    let id = made.text_at("server.id");
    let path = format!("/servers/{id}");
    let active = bench.settles("server", member, NOVA, &path, "server.status", &["BUILD", "ACTIVE"]).await;
    if let Some(active) = active {
        bench.check("a server", &active, 200, "server.name:s server.metadata.kcs_cluster:s server.OS-EXT-AZ:availability_zone=az2 server.created:s server.flavor.original_name=m1.tiny server.image= server.addresses:o server.tenant_id:s server.OS-EXT-STS:vm_state=active server.OS-EXT-STS:task_state:null server.OS-EXT-STS:power_state=1 server.os-extended-volumes:volumes_attached.0.id:s server.os-extended-volumes:volumes_attached.0.delete_on_termination=true server.key_name:null server.config_drive:s");
        bench.holds("an active server has no fault", at(&active.body, "server.fault").is_none());
    }
    tied(bench, stage, &parts, &id, &wanted).await;
    look(bench, stage, &path, group, &id).await;
    act(bench, stage, &path).await;
    bench.check("delete server", &bench.delete(member, NOVA, &path).await, 204, "");
    bench.vanishes("server", member, NOVA, &path, "server.status", &["ACTIVE", "SHUTOFF", "DELETED"]).await;
    bench.check("delete it again", &bench.delete(member, NOVA, &path).await, 404, "itemNotFound.code=404 itemNotFound.message~could_not_be_found");
    bench
        .vanishes(
            "its root volume",
            member,
            "block-storage",
            &format!("/volumes/{}", parts.volume),
            "volume.status",
            &["in-use", "detaching", "available", "deleting"],
        )
        .await;
    let port = bench.get(member, "network", &format!("/ports/{}", parts.port)).await;
    bench.check("its port stays, free", &port, 200, "port.device_id= port.device_owner= port.status=DOWN");
    failing(bench, stage, &parts).await;
    for path in [format!("/ports/{}", parts.port), format!("/subnets/{}", parts.subnet), format!("/networks/{}", parts.network)] {
        bench.check("clear away", &bench.delete(member, "network", &path).await, 204, "");
    }
}

async fn refusals(bench: &Bench, stage: &Stage, wanted: &Value) {
    let with = |key: &str, value: Value| {
        let mut body = wanted.clone();
        body["server"][key] = value;
        body
    };
    let member = &stage.member;
    let bad = "badRequest.code=400 badRequest.message:s";
    bench.check("no such flavor", &bench.post(member, NOVA, "/servers", with("flavorRef", json!("none"))).await, 400, "badRequest.message~flavor");
    bench.check(
        "no such zone",
        &bench.post(member, NOVA, "/servers", with("availability_zone", json!("az9"))).await,
        400,
        "badRequest.message~availability_zone",
    );
    bench.check(
        "no such port",
        &bench.post(member, NOVA, "/servers", with("networks", json!([{"port": NONE}]))).await,
        400,
        "badRequest.message~port",
    );
    bench.check("a name that is none", &bench.post(member, NOVA, "/servers", with("name", json!(""))).await, 400, bad);
    bench.check("user data too long", &bench.post(member, NOVA, "/servers", with("user_data", json!("QUFB".repeat(16_384)))).await, 400, bad);
    bench.check("user data that is not base64", &bench.post(member, NOVA, "/servers", with("user_data", json!("abc"))).await, 400, bad);
    let mut disk = wanted["server"]["block_device_mapping_v2"].clone();
    disk[0]["uuid"] = json!(NONE);
    bench.check(
        "no such volume",
        &bench.post(member, NOVA, "/servers", with("block_device_mapping_v2", disk)).await,
        400,
        "badRequest.message~volume",
    );
    let mut hint = wanted.clone();
    hint["os:scheduler_hints"]["group"] = json!(NONE);
    bench.check("no such server group", &bench.post(member, NOVA, "/servers", hint).await, 400, bad);
    bench.check(
        "a reader makes none",
        &bench.post(&stage.reader, NOVA, "/servers", wanted.clone()).await,
        403,
        "forbidden.code=403 forbidden.message~policy",
    );
    let quota = format!("/os-quota-sets/{}", member.project_id);
    bench.put(&stage.admin, NOVA, &quota, json!({"quota_set": {"instances": 0}})).await;
    bench.check(
        "over the quota of servers",
        &bench.post(member, NOVA, "/servers", wanted.clone()).await,
        403,
        "forbidden.code=403 forbidden.message~quota_exceeded_for_instances",
    );
    bench.check("quotas back to the default", &bench.delete(&stage.admin, NOVA, &quota).await, 202, "");
}

/// Port and volume are the server's now.
async fn tied(bench: &Bench, stage: &Stage, parts: &Parts, id: &str, wanted: &Value) {
    let member = &stage.member;
    let port = bench.get(member, "network", &format!("/ports/{}", parts.port)).await;
    bench.check("its port", &port, 200, &format!("port.device_id={id} port.device_owner=compute:az2 port.status=ACTIVE"));
    let volume = bench.get(member, "block-storage", &format!("/volumes/{}", parts.volume)).await;
    bench.check("its volume", &volume, 200, &format!("volume.status=in-use volume.attachments.0.server_id={id} volume.attachments.0.device:s"));
    let busy = bench.delete(member, "block-storage", &format!("/volumes/{}", parts.volume)).await;
    bench.check("a volume in use", &busy, 400, "badRequest.code=400 badRequest.message~status_must_be");
    let twice = bench.post(member, NOVA, "/servers", wanted.clone()).await;
    bench.holds("its port or volume serve no other", matches!(twice.status, 400 | 409));
    bench.check(
        "a network with a server",
        &bench.delete(member, "network", &format!("/networks/{}", parts.network)).await,
        409,
        "NeutronError.type=NetworkInUse",
    );
}

async fn look(bench: &Bench, stage: &Stage, path: &str, group: &str, id: &str) {
    let member = &stage.member;
    let pattern: String = url::form_urlencoded::byte_serialize(format!("^contract-{}-ser", stage.tag).as_bytes()).collect();
    let found = bench.get(member, NOVA, &format!("/servers/detail?name={pattern}&limit=500")).await;
    bench.check("find by the beginning of the name", &found, 200, "servers.0.id:s servers.0.name:s servers.0.metadata:o servers.0.status:s");
    let none = bench.get(member, NOVA, "/servers/detail?name=%5Eerver").await;
    bench.holds("the filter is a regular expression, anchored", none.body["servers"].as_array().is_some_and(Vec::is_empty));
    let within = bench.get(member, NOVA, "/servers/detail?name=erver").await;
    bench.holds("or not anchored", within.body["servers"].as_array().is_some_and(|s| s.len() == 1));
    bench.check(
        "a stranger does not see it",
        &bench.get(&stage.stranger, NOVA, path).await,
        404,
        "itemNotFound.code=404 itemNotFound.message~could_not_be_found",
    );
    let members = bench.get(member, NOVA, &format!("/os-server-groups/{group}")).await;
    bench.check("its group", &members, 200, &format!("server_group.members.0={id}"));
    let limits = bench.get(member, NOVA, "/limits").await;
    bench.check("limits with it", &limits, 200, "limits.absolute.totalInstancesUsed=1 limits.absolute.totalCoresUsed=1 limits.absolute.totalRAMUsed=512 limits.absolute.totalServerGroupsUsed=1");
}

async fn act(bench: &Bench, stage: &Stage, path: &str) {
    let member = &stage.member;
    let action = format!("{path}/action");
    let console = bench.post(member, NOVA, &action, json!({"os-getConsoleOutput": {"length": 10}})).await;
    bench.check("console log", &console, 200, "output:s");
    let twice = bench.post(member, NOVA, &action, json!({"os-start": null})).await;
    bench.check("start one that runs", &twice, 409, "conflictingRequest.code=409 conflictingRequest.message~cannot_'start'_instance");
    bench.check("stop", &bench.post(member, NOVA, &action, json!({"os-stop": null})).await, 202, "");
    bench.settles("stopping", member, NOVA, path, "server.status", &["ACTIVE", "SHUTOFF"]).await;
    let softly = bench.post(member, NOVA, &action, json!({"reboot": {"type": "SOFT"}})).await;
    bench.check("reboot softly what is off", &softly, 409, "conflictingRequest.code=409 conflictingRequest.message~cannot_'reboot'_instance");
    bench.check("reboot hard what is off", &bench.post(member, NOVA, &action, json!({"reboot": {"type": "HARD"}})).await, 202, "");
    bench.settles("booting", member, NOVA, path, "server.status", &["SHUTOFF", "ACTIVE"]).await;
    bench.check("stop again", &bench.post(member, NOVA, &action, json!({"os-stop": null})).await, 202, "");
    bench.settles("stopping again", member, NOVA, path, "server.status", &["ACTIVE", "SHUTOFF"]).await;
    bench.check("start", &bench.post(member, NOVA, &action, json!({"os-start": null})).await, 202, "");
    bench.settles("starting", member, NOVA, path, "server.status", &["SHUTOFF", "ACTIVE"]).await;
    bench.check("reboot", &bench.post(member, NOVA, &action, json!({"reboot": {"type": "HARD"}})).await, 202, "");
    bench.settles("rebooting", member, NOVA, path, "server.OS-EXT-STS:vm_state", &["active"]).await;
    bench.settles("rebooted", member, NOVA, path, "server.status", &["HARD_REBOOT", "ACTIVE"]).await;
    bench.check("no such action", &bench.post(member, NOVA, &action, json!({"nonsense": null})).await, 400, "badRequest.code=400");
    bench.check("a reader acts not", &bench.post(&stage.reader, NOVA, &action, json!({"os-stop": null})).await, 403, "forbidden.code=403");
}

/// A flavor that no host can hold, with a quota that allows it.
async fn failing(bench: &Bench, stage: &Stage, parts: &Parts) {
    let member = &stage.member;
    let quota = format!("/os-quota-sets/{}", member.project_id);
    bench.put(&stage.admin, NOVA, &quota, json!({"quota_set": {"cores": -1, "ram": -1}})).await;
    let flavors = bench.get(member, NOVA, "/flavors/detail").await;
    let flavors = flavors.body["flavors"].as_array().unwrap();
    let impossible = flavors.iter().find(|f| f["name"] == "m1.impossible").unwrap()["id"].clone();
    let image = bench.get(member, "image", "/images?name=kcs-node-v1.36.3").await.text_at("images.0.id");
    let body = json!({"server": {"name": stage.name("impossible"), "flavorRef": impossible, "imageRef": image, "networks": [{"port": parts.port}]}});
    let made = bench.post(member, NOVA, "/servers", body).await;
    bench.check("a server no host can hold is accepted", &made, 202, "server.id:s");
    let path = format!("/servers/{}", made.text_at("server.id"));
    if let Some(failed) = bench.settles("it fails", member, NOVA, &path, "server.status", &["BUILD", "ERROR"]).await {
        bench.check(
            "it says why",
            &failed,
            200,
            "server.fault.message~no_valid_host_was_found server.fault.code=500 server.fault.created:s server.OS-EXT-STS:vm_state=error",
        );
    }
    bench.check("delete it", &bench.delete(member, NOVA, &path).await, 204, "");
    bench.vanishes("the failed server", member, NOVA, &path, "server.status", &["ERROR", "DELETED"]).await;
    bench.delete(&stage.admin, NOVA, &quota).await;
}
