//! Nova: the life of a server, what it holds, what refuses it.

use super::lab::{Person, cloud, sign_in};
use base64::Engine as _;
use serde_json::{Value, json};

const SERVERS: &str = "/compute/v2.1/servers";

fn member() -> Person {
    sign_in(&cloud(), "member-a", "tenant-a")
}

#[test]
fn a_server_builds_and_takes_its_port_and_volume_and_frees_them() {
    let member = member();
    let place = member.place();
    let (server, port, volume) = member.server(&place, "cp-1");
    assert_eq!(member.server_status(&server), "BUILD");
    member.pass(1);
    assert_eq!(member.server_status(&server), "ACTIVE");
    let shown = member.get(&format!("{SERVERS}/{server}"));
    assert_eq!(shown.body["server"]["metadata"]["kcs_cluster"], "c");
    assert_eq!(shown.at("/server/addresses/net/0/addr"), "10.6.0.2");
    let bound = member.get(&format!("/network/v2.0/ports/{port}"));
    assert_eq!(bound.at("/port/device_id"), server);
    assert!(bound.at("/port/device_owner").starts_with("compute:az"));
    assert_eq!(bound.at("/port/status"), "ACTIVE");
    assert_eq!(member.get(&member.volume_path(&format!("/volumes/{volume}"))).at("/volume/status"), "in-use");
    member.delete(&member.volume_path(&format!("/volumes/{volume}"))).is(400);
    member.delete(&format!("{SERVERS}/{server}")).is(204);
    assert_eq!(member.get(&format!("{SERVERS}/{server}")).at("/server/OS-EXT-STS:task_state"), "deleting");
    member.pass(2);
    member.get(&format!("{SERVERS}/{server}")).is(404);
    assert_eq!(member.get(&format!("/network/v2.0/ports/{port}")).at("/port/device_id"), "");
    member.get(&member.volume_path(&format!("/volumes/{volume}"))).is(404);
}

#[test]
fn a_port_fences_off_a_second_server() {
    let member = member();
    let place = member.place();
    let (_, port, _) = member.server(&place, "cp-1");
    let body = member.server_body("cp-1", "m1.small", &port, &member.root_volume());
    let refused = member.post(SERVERS, &body).is(409);
    assert!(refused.at("/conflictingRequest/message").contains("still in use"));
    assert_eq!(member.get(SERVERS).body["servers"].as_array().unwrap().len(), 1);
}

#[test]
fn a_volume_that_is_not_ready_is_refused() {
    let member = member();
    let place = member.place();
    let (port, _) = member.port(&place);
    let wanted = json!({"volume": {"name": "root", "size": 20, "imageRef": member.image()}});
    let volume = member.post(&member.volume_path("/volumes"), &wanted).is(202).at("/volume/id");
    member.post(SERVERS, &member.server_body("x", "m1.small", &port, &volume)).is(400);
    assert_eq!(member.get(&format!("/network/v2.0/ports/{port}")).at("/port/device_id"), "", "nothing was taken");
}

#[test]
fn names_are_found_by_pattern_and_pages_end() {
    let member = member();
    let place = member.place();
    for name in ["kcs-1", "kcs-2", "other-kcs-1"] {
        member.server(&place, name);
    }
    let count = |query: &str| member.get(&format!("{SERVERS}?{query}")).is(200).body["servers"].as_array().unwrap().len();
    assert_eq!(count("name=kcs-1"), 2);
    assert_eq!(count("name=%5Ekcs-1%24"), 1);
    assert_eq!(count("name=%5Ekcs-"), 2);
    assert_eq!(count("name=kcs-%5B12%5D%24"), 3);
    let first = member.get(&format!("{SERVERS}/detail?limit=2")).is(200);
    let next = first.at("/servers_links/0/href");
    let rest = member.get(next.strip_prefix("http://local-cloud").unwrap()).is(200);
    assert_eq!(rest.body["servers"].as_array().unwrap().len(), 1);
    assert!(rest.body.get("servers_links").is_none());
}

#[test]
fn quota_and_capacity_refuse_differently() {
    let member = member();
    let admin = sign_in(&member.cloud, "kcs", "service");
    let place = member.place();
    let (port, _) = member.port(&place);
    let volume = member.root_volume();
    let huge = member.server_body("huge", "m1.impossible", &port, &volume);
    let refused = member.post(SERVERS, &huge).is(403);
    assert!(refused.at("/forbidden/message").starts_with("Quota exceeded for cores, ram"), "{}", refused.text);
    let quota = json!({"quota_set": {"cores": -1, "ram": -1}});
    admin.put(&format!("/compute/v2.1/os-quota-sets/{}", member.project), &quota).is(200);
    let server = member.post(SERVERS, &huge).is(202).at("/server/id");
    member.pass(1);
    let shown = member.get(&format!("{SERVERS}/{server}"));
    assert_eq!(shown.at("/server/status"), "ERROR");
    assert!(shown.at("/server/fault/message").starts_with("No valid host was found."));
    member.delete(&format!("{SERVERS}/{server}")).is(204);
    member.pass(1);
    member.get(&format!("{SERVERS}/{server}")).is(404);
}

#[test]
fn user_data_has_a_limit_and_must_be_base64() {
    let member = member();
    let place = member.place();
    let (port, _) = member.port(&place);
    let mut body = member.server_body("x", "m1.small", &port, &member.root_volume());
    body["server"]["user_data"] = json!("not base64!");
    member.post(SERVERS, &body).is(400);
    body["server"]["user_data"] = json!(base64::engine::general_purpose::STANDARD.encode(vec![b'a'; 49_152]));
    member.post(SERVERS, &body).is(400);
    body["server"]["user_data"] = json!(base64::engine::general_purpose::STANDARD.encode(vec![b'a'; 49_149]));
    member.post(SERVERS, &body).is(202);
}

#[test]
fn a_server_stops_starts_and_reboots_only_from_the_right_state() {
    let member = member();
    let place = member.place();
    let (server, ..) = member.server(&place, "x");
    let act = |body: &Value| member.post(&format!("{SERVERS}/{server}/action"), body).status;
    assert_eq!(act(&json!({"os-stop": null})), 409);
    member.pass(1);
    assert_eq!(act(&json!({"os-start": null})), 409);
    assert_eq!(act(&json!({"os-stop": null})), 202);
    member.pass(1);
    assert_eq!(member.server_status(&server), "SHUTOFF");
    assert_eq!(act(&json!({"reboot": {"type": "SOFT"}})), 409);
    assert_eq!(act(&json!({"reboot": {"type": "HARD"}})), 202);
    assert_eq!(member.server_status(&server), "SHUTOFF", "until it is up");
    member.pass(1);
    assert_eq!(member.server_status(&server), "ACTIVE");
    for (rest, status) in [("pause", "PAUSED"), ("suspend", "SUSPENDED")] {
        assert_eq!((act(&json!({ rest: null })), member.server_status(&server).as_str()), (202, status));
        assert_eq!(act(&json!({ rest: null })), 409);
        assert_eq!(act(&json!({"os-start": null})), 409);
        assert_eq!(act(&json!({"reboot": {"type": "SOFT"}})), 409);
        assert_eq!(act(&json!({"reboot": {"type": "HARD"}})), 202);
        member.pass(1);
        assert_eq!(member.server_status(&server), "ACTIVE");
    }
    assert_eq!(act(&json!({"pause": null})), 202);
    assert_eq!((act(&json!({"resume": null})), act(&json!({"unpause": null}))), (409, 202));
    assert_eq!(act(&json!({"os-stop": null})), 202);
    member.pass(1);
    assert_eq!(act(&json!({"os-start": null})), 202);
    member.pass(1);
    assert_eq!(member.server_status(&server), "ACTIVE");
    assert_eq!(act(&json!({"reboot": {"type": "HARD"}})), 202);
    assert_eq!(member.server_status(&server), "HARD_REBOOT");
    member.pass(1);
    assert_eq!(member.server_status(&server), "ACTIVE");
    assert_eq!(act(&json!({"explode": null})), 400);
}

#[test]
fn a_soft_group_spreads_over_zones_and_is_full_at_ten() {
    let member = member();
    let place = member.place();
    let wanted = json!({"server_group": {"name": "masters", "policy": "soft-anti-affinity"}});
    let group = member.post("/compute/v2.1/os-server-groups", &wanted).is(200).at("/server_group/id");
    let mut zones = std::collections::BTreeSet::new();
    let make = |n: usize| {
        let (port, _) = member.port(&place);
        let mut body = member.server_body(&format!("m-{n}"), "m1.tiny", &port, &member.root_volume());
        body["os:scheduler_hints"] = json!({"group": group});
        member.post(SERVERS, &body)
    };
    for n in 0..10 {
        let server = make(n).is(202).at("/server/id");
        if n < 3 {
            zones.insert(member.get(&format!("{SERVERS}/{server}")).at("/server/OS-EXT-AZ:availability_zone"));
        }
    }
    assert_eq!(zones.len(), 3);
    assert!(make(10).is(403).at("/forbidden/message").contains("too many servers in group"));
    let shown = member.get(&format!("/compute/v2.1/os-server-groups/{group}")).is(200);
    assert_eq!(shown.body["server_group"]["members"].as_array().unwrap().len(), 10);
}

#[test]
fn microversions_are_negotiated() {
    let cloud = cloud();
    let member = sign_in(&cloud, "member-a", "tenant-a");
    let ask = |version: &str| {
        let headers = [("x-auth-token", member.token.as_str()), ("openstack-api-version", version)];
        super::lab::send(&cloud, "GET", "/compute/v2.1/flavors/detail", &headers, &Value::Null).unwrap()
    };
    assert_eq!(ask("compute 2.61").is(200).headers["openstack-api-version"], "compute 2.61");
    ask("compute 2.1000").is(406);
    ask("compute two").is(400);
}
