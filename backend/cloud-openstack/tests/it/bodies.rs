//! What is sent to make servers and load balancers, and how their states are read.

use crate::scripted::{Scripted, config, ok};
use cloud::compute::{NewServer, ServerStatus};
use cloud::error::{CloudErrorKind as Kind, Outcome};
use cloud::identity::{ApplicationCredential, Identity};
use cloud::load_balancers::{NewLoadBalancer, NewMember, Provisioning};
use cloud_openstack::{Config, OpenStack};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

fn server(user_data: String) -> NewServer {
    NewServer {
        name: "kcs-1".into(),
        flavor_id: "f".into(),
        port_id: "p".into(),
        volume_id: Some("v".into()),
        image_id: None,
        data_volume_ids: vec![],
        server_group_id: Some("g".into()),
        zone: Some("az1".into()),
        user_data: user_data.into(),
        metadata: BTreeMap::from([("kcs_cluster".into(), "c".into())]),
    }
}

fn balancer() -> NewLoadBalancer {
    NewLoadBalancer {
        name: "kcs-1-api".into(),
        description: "mark".into(),
        vip_subnet_id: "s".into(),
        vip_address: None,
        port: 6443,
        members: vec![NewMember { name: "m0".into(), address: "10.0.0.5".into(), subnet_id: "s".into() }],
        allowed_cidrs: vec!["0.0.0.0/0".into()],
        provider: None,
        client_timeout_seconds: 3600,
        member_timeout_seconds: 3600,
    }
}

#[tokio::test]
async fn a_server_boots_from_its_volume_on_its_port() {
    let scripted = Scripted::new(|a| if a.url.contains("keystone") { None } else { ok(202, &json!({"server": {"id": "s1"}})) });
    assert_eq!(scripted.cloud().compute.create_server(&server("#cloud-config".into())).await.unwrap(), "s1");
    let body = scripted.last().body;
    assert_eq!(body["os:scheduler_hints"], json!({"group": "g"}));
    let server = &body["server"];
    assert_eq!(server["networks"], json!([{"port": "p"}]));
    assert_eq!(server["user_data"], "I2Nsb3VkLWNvbmZpZw==");
    assert_eq!(server["availability_zone"], "az1");
    assert!(server.get("imageRef").is_none());
    let disk = &server["block_device_mapping_v2"][0];
    assert_eq!((&disk["uuid"], &disk["delete_on_termination"], &disk["boot_index"]), (&json!("v"), &json!(true), &json!(0)));
}

#[tokio::test]
async fn user_data_nova_would_refuse_is_not_sent() {
    let scripted = Scripted::new(|_| None);
    let error = scripted.cloud().compute.create_server(&server("x".repeat(49_153))).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Rejected, Outcome::NotDone));
    assert!(scripted.calls().is_empty());
}

#[tokio::test]
async fn a_servers_state_and_fault_are_read() {
    let scripted = Scripted::new(|a| {
        let fault = json!({"code": 500, "created": "2026-01-01T00:00:00Z", "message": "No valid host was found."});
        let server = json!({"server": {"id": "s", "name": "n", "status": "ERROR", "metadata": {}, "fault": fault, "OS-EXT-AZ:availability_zone": "",
            "created": "2026-01-01T00:00:00Z", "addresses": {}, "flavor": {"vcpus": 1}}});
        if a.url.contains("keystone") { None } else { ok(200, &server) }
    });
    let server = scripted.cloud().compute.server("s").await.unwrap();
    assert_eq!((server.status, server.fault.as_deref(), server.zone), (ServerStatus::Error, Some("No valid host was found."), None));
    assert!(server.created_at.is_some());
}

/// An Octavia with these providers, that makes what it is asked for.
fn offering(providers: &[&str]) -> Arc<Scripted> {
    let offered: Vec<_> = providers.iter().map(|name| json!({ "name": name })).collect();
    Scripted::new(move |a| {
        let made = json!({"loadbalancer": {"id": "lb", "name": "kcs-1-api", "provisioning_status": "PENDING_CREATE"}});
        match &a.url {
            url if url.contains("keystone") => None,
            url if url.contains("/providers") => ok(200, &json!({ "providers": offered })),
            _ => ok(201, &made),
        }
    })
}

#[tokio::test]
async fn a_load_balancer_is_made_whole_where_it_is_known_what_its_provider_takes_and_alone_where_not() {
    let pool_of = |body: &serde_json::Value| {
        let pool = &body["loadbalancer"]["listeners"][0]["default_pool"];
        (pool["lb_algorithm"].clone(), pool["healthmonitor"]["type"].clone())
    };
    let open = NewLoadBalancer { allowed_cidrs: vec![], ..balancer() };
    for (offered, expected) in [
        (&["amphora", "octavia"][..], (json!("ROUND_ROBIN"), json!("HTTPS"))),
        (&["ovn"][..], (json!("SOURCE_IP_PORT"), json!("TCP"))),
        (&["amphora", "ovn"][..], (json!(null), json!(null))),
        (&[][..], (json!(null), json!(null))),
    ] {
        let scripted = offering(offered);
        scripted.cloud().load_balancers.unwrap().create_load_balancer(&open).await.unwrap();
        let body = scripted.last().body;
        assert_eq!(pool_of(&body), expected, "{offered:?}");
        assert_eq!((&body["loadbalancer"]["provider"], body["loadbalancer"].get("listeners").is_some()), (&json!(null), !expected.0.is_null()));
    }
    // What is named is not asked for.
    let scripted = offering(&["amphora", "ovn"]);
    let named = NewLoadBalancer { provider: Some("amphora".into()), ..open };
    scripted.cloud().load_balancers.unwrap().create_load_balancer(&named).await.unwrap();
    assert_eq!(pool_of(&scripted.last().body), (json!("ROUND_ROBIN"), json!("HTTPS")));
    assert!(!scripted.calls().iter().any(|a| a.url.contains("/providers")));
}

#[tokio::test]
async fn what_is_missing_is_made_as_the_provider_that_is_there_takes_it_and_ovn_is_not_relied_on_for_ranges() {
    // Whatever is configured by now: the load balancer says what stands behind it.
    for (behind, configured, algorithm, check) in
        [("ovn", None, "SOURCE_IP_PORT", "TCP"), ("ovn", Some("amphora"), "SOURCE_IP_PORT", "TCP"), ("amphora", Some("ovn"), "ROUND_ROBIN", "HTTPS")]
    {
        for there in [false, true] {
            let scripted = Scripted::new(move |a| {
                let pools = if there { json!([{"id": "p", "name": "kcs-1-api", "healthmonitor_id": null}]) } else { json!([]) };
                let listener = json!({"id": "l", "protocol_port": 6443, "default_pool_id": there.then_some("p")});
                let answer = json!({"loadbalancer": {"id": "lb", "provider": behind}, "listeners": [listener], "pools": pools});
                if a.url.contains("keystone") { None } else { ok(200, &answer) }
            });
            let stack = OpenStack::new(Config { load_balancer_provider: configured.map(str::to_owned), ..config() }, scripted.clone());
            let service = stack.as_credential(&ApplicationCredential { id: "c".into(), secret: "s".into() }).load_balancers.unwrap();
            let open = NewLoadBalancer { allowed_cidrs: vec![], ..balancer() };
            assert!(service.complete("lb", &open).await.unwrap());
            let body = scripted.last().body;
            let made = if there { &body["healthmonitor"]["type"] } else { &body["pool"]["lb_algorithm"] };
            assert_eq!(made, if there { check } else { algorithm }, "{behind}, configured {configured:?}");
        }
    }
    for (listeners, providers) in
        [(json!([]), None), (json!([{"id": "l", "protocol_port": 6443, "default_pool_id": "p"}]), None), (json!([]), Some("ovn"))]
    {
        let scripted = Scripted::new(move |a| {
            let answer = json!({"loadbalancer": {"id": "lb", "provider": "ovn"}, "listeners": listeners, "pools": []});
            if a.url.contains("keystone") { None } else { ok(200, &answer) }
        });
        let service = scripted.cloud().load_balancers.unwrap();
        let wanted = NewLoadBalancer { provider: providers.map(str::to_owned), ..balancer() };
        let refused = match providers {
            Some(_) => service.create_load_balancer(&wanted).await.unwrap_err(),
            None => service.complete("lb", &wanted).await.unwrap_err(),
        };
        assert_eq!((refused.kind, refused.outcome), (Kind::Rejected, Outcome::NotDone));
        assert!(scripted.calls().iter().all(|a| a.method == http::Method::GET), "nothing is opened to everybody");
    }
}

#[tokio::test]
async fn a_load_balancer_is_made_whole_in_one_call() {
    let scripted = offering(&["amphora", "octavia"]);
    let made = scripted.cloud().load_balancers.unwrap().create_load_balancer(&balancer()).await.unwrap();
    assert_eq!(made, "lb");
    let listener = &scripted.last().body["loadbalancer"]["listeners"][0];
    assert_eq!((&listener["protocol"], &listener["protocol_port"]), (&json!("TCP"), &json!(6443)));
    assert_eq!(listener["timeout_client_data"], 3_600_000);
    let pool = &listener["default_pool"];
    assert_eq!(pool["lb_algorithm"], "ROUND_ROBIN");
    assert_eq!(pool["healthmonitor"]["url_path"], "/readyz");
    let member = json!({"name": "m0", "address": "10.0.0.5", "protocol_port": 6443, "subnet_id": "s", "admin_state_up": true, "weight": 1});
    assert_eq!(pool["members"], json!([member]));

    let ovn = OpenStack::new(Config { load_balancer_provider: Some("ovn".into()), ..config() }, scripted.clone());
    let cloud = ovn.as_credential(&ApplicationCredential { id: "c".into(), secret: "s".into() });
    let open = NewLoadBalancer { allowed_cidrs: vec![], ..balancer() };
    cloud.load_balancers.unwrap().create_load_balancer(&open).await.unwrap();
    let asked = scripted.last().body;
    assert_eq!(asked["loadbalancer"]["provider"], "ovn");
    let pool = &asked["loadbalancer"]["listeners"][0]["default_pool"];
    assert_eq!((&pool["lb_algorithm"], &pool["healthmonitor"]["type"]), (&json!("SOURCE_IP_PORT"), &json!("TCP")));
}

#[tokio::test]
async fn what_is_missing_under_a_load_balancer_is_made_one_by_one() {
    // How much there is: 0 nothing, 1 listener, 2 pool not linked, 3 linked, 4 monitor, 5 members.
    for (stage, expected) in [(0, "listeners"), (1, "pools"), (2, "listeners/l"), (3, "healthmonitors"), (4, "pools/p/members"), (5, "")] {
        let scripted = Scripted::new(move |a| {
            let at = |n: u32, value: serde_json::Value| if stage >= n { json!([value]) } else { json!([]) };
            let linked = if stage >= 3 { json!("p") } else { json!(null) };
            let monitor = if stage >= 4 { json!("hm") } else { json!(null) };
            if a.url.contains("keystone") {
                return None;
            }
            if a.method != http::Method::GET {
                return ok(201, &json!({}));
            }
            ok(
                200,
                &json!({
                    "loadbalancer": {"id": "lb", "provider": "amphora"},
                    "listeners": at(1, json!({"id": "l", "protocol_port": 6443, "default_pool_id": linked, "allowed_cidrs": ["0.0.0.0/0"]})),
                    "pools": at(2, json!({"id": "p", "name": "kcs-1-api", "healthmonitor_id": monitor})),
                    "members": at(5, json!({"id": "m", "name": "m0", "address": "10.0.0.5", "protocol_port": 6443, "operating_status": "ONLINE"})),
                }),
            )
        });
        let made = scripted.cloud().load_balancers.unwrap().complete("lb", &balancer()).await.unwrap();
        let changes: Vec<String> = scripted.calls().into_iter().filter(|a| a.method != http::Method::GET).map(|a| a.url).collect();
        assert_eq!(made, !expected.is_empty());
        assert_eq!(changes, if made { vec![format!("octavia/v2.0/lbaas/{expected}")] } else { vec![] }, "stage {stage}");
    }
}

#[tokio::test]
async fn what_was_changed_under_a_load_balancer_is_put_right_one_by_one() {
    let listener = json!({
        "admin_state_up": true, "allowed_cidrs": ["0.0.0.0/0"], "timeout_client_data": 3_600_000, "timeout_member_data": 3_600_000,
    });
    let member = json!({"name": "m0", "address": "10.0.0.5", "protocol_port": 6443, "subnet_id": "s", "admin_state_up": true, "weight": 1});
    // How much is as it should be: 0 nothing, 1 the listener, 2 the pool, 3 the member.
    let steps = [
        (0, "listeners/l", json!({ "listener": listener })),
        (1, "pools/p", json!({"pool": {"admin_state_up": true}})),
        (2, "pools/p/members", json!({"members": [member]})),
        (3, "", json!(null)),
    ];
    for (stage, expected, body) in steps {
        let scripted = Scripted::new(move |a| {
            if a.url.contains("keystone") {
                return None;
            }
            if a.method != http::Method::GET {
                return ok(200, &json!({}));
            }
            let timeout = if stage >= 1 { 3_600_000 } else { 50_000 };
            let cidrs = ["0.0.0.0/0"];
            let listener = json!({"id": "l", "protocol_port": 6443, "default_pool_id": "p", "allowed_cidrs": cidrs, "timeout_client_data": timeout});
            let member = json!({"id": "m", "name": "m0", "address": "10.0.0.5", "protocol_port": 6443, "weight": u8::from(stage >= 3)});
            ok(
                200,
                &json!({
                    "loadbalancer": {"id": "lb", "provider": "amphora"},
                    "listeners": [listener],
                    "pools": [{"id": "p", "name": "kcs-1-api", "healthmonitor_id": "hm", "admin_state_up": stage >= 2}],
                    "members": [member],
                }),
            )
        });
        let changed = scripted.cloud().load_balancers.unwrap().complete("lb", &balancer()).await.unwrap();
        let changes: Vec<_> = scripted.calls().into_iter().filter(|a| a.method != http::Method::GET).map(|a| (a.url, a.body)).collect();
        assert_eq!(changed, !expected.is_empty());
        assert_eq!(changes, if changed { vec![(format!("octavia/v2.0/lbaas/{expected}"), body)] } else { vec![] }, "stage {stage}");
    }
}

#[tokio::test]
async fn a_listener_that_somebody_added_to_a_load_balancer_is_not_taken_for_ours() {
    let scripted = Scripted::new(|a| {
        if a.url.contains("keystone") {
            return None;
        }
        let under = json!([{"id": "lb"}]);
        ok(
            200,
            &json!({
                "listeners": [
                    {"id": "theirs", "protocol_port": 80, "default_pool_id": "web", "loadbalancers": under},
                    {"id": "ours", "protocol_port": 6443, "default_pool_id": "p", "loadbalancers": under},
                ],
                "pools": [{"id": "web", "name": "web", "loadbalancers": under}, {"id": "p", "name": "kcs-1-api", "loadbalancers": under}],
                "members": [],
            }),
        )
    });
    let service = scripted.cloud().load_balancers.unwrap();
    let tree = service.tree("lb", 6443).await.unwrap();
    assert_eq!((tree.listener_id.as_deref(), tree.pool_id.as_deref()), (Some("ours"), Some("p")));
    let outlines = service.outlines(6443).await.unwrap();
    assert_eq!(outlines.into_iter().map(|outline| outline.tree).collect::<Vec<_>>(), [tree]);
}

#[tokio::test]
async fn a_port_whose_security_was_switched_off_is_put_into_its_groups_with_it_on() {
    let scripted = Scripted::new(|a| {
        if a.url.contains("keystone") {
            return None;
        }
        let on = a.body["port"]["port_security_enabled"] == json!(true);
        if on {
            ok(200, &json!({}))
        } else {
            ok(400, &json!({"NeutronError": {"type": "PortSecurityAndIPRequiredForSecurityGroups", "message": "no"}}))
        }
    });
    scripted.cloud().network.set_security_groups("p", &["g".into()]).await.unwrap();
    assert_eq!(scripted.last().body, json!({"port": {"security_groups": ["g"], "port_security_enabled": true}}));
}

#[tokio::test]
async fn a_load_balancers_states_are_read() {
    for (word, state) in [
        ("ACTIVE", Provisioning::Active),
        ("PENDING_CREATE", Provisioning::Pending),
        ("PENDING_UPDATE", Provisioning::Pending),
        ("PENDING_DELETE", Provisioning::Deleting),
        ("ERROR", Provisioning::Error),
    ] {
        let scripted = Scripted::new(move |a| {
            let lb = json!({"loadbalancer": {"id": "lb", "name": "n", "description": null, "provisioning_status": word, "vip_address": "10.0.0.9"}});
            if a.url.contains("keystone") { None } else { ok(200, &lb) }
        });
        assert_eq!(scripted.cloud().load_balancers.unwrap().load_balancer("lb").await.unwrap().provisioning, state);
    }
}
