//! Bad input on every write: a 4xx problem that names the field, and nothing stored.

use crate::house::{House, Person};
use serde_json::{Value, json};

fn spec(change: impl FnOnce(&mut Value)) -> Value {
    let mut spec = json!({
        "version": "v1.36.3",
        "network": {"node_cidr": "10.6.0.0/24", "pod_cidr": "172.20.0.0/16", "service_cidr": "10.254.0.0/16"},
        "control_plane": {"count": 1, "flavor": "m1.medium"},
        "node_pools": [{"name": "default", "flavor": "m1.medium", "count": 2}]
    });
    change(&mut spec);
    json!({"name": "web", "spec": spec})
}

/// (what is wrong, body, field that the problem names)
fn bad_clusters() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("missing name", json!({"template": "dev"}), "name"),
        ("name of a wrong type", json!({"name": 7}), "name"),
        ("name null", json!({"name": null}), "name"),
        ("empty name", json!({"name": "", "template": "dev"}), "name"),
        ("long name", json!({"name": "a".repeat(41), "template": "dev"}), "name"),
        ("very long name", json!({"name": "a".repeat(100_000), "template": "dev"}), "name"),
        ("bad name", json!({"name": "Web_1", "template": "dev"}), "name"),
        ("name with a newline", json!({"name": "web\n", "template": "dev"}), "name"),
        ("name climbing up", json!({"name": "../web", "template": "dev"}), "name"),
        ("name with a NUL", json!({"name": "we\u{0}b", "template": "dev"}), "name"),
        ("name in Chinese", json!({"name": "集群", "template": "dev"}), "name"),
        ("name with markup", json!({"name": "<script>", "template": "dev"}), "name"),
        ("unknown template", json!({"name": "web", "template": "nope"}), "template"),
        ("template of a wrong type", json!({"name": "web", "template": []}), "template"),
        ("unknown field", json!({"name": "web", "template": "dev", "size": 3}), "size"),
        ("a list as spec", json!({"name": "web", "spec": []}), "spec"),
        ("unknown field in the spec", spec(|s| s["colour"] = json!("red")), "spec.colour"),
        ("unknown field deep inside", spec(|s| s["node_pools"][0]["gpu"] = json!(1)), "spec.node_pools[0].gpu"),
        ("version of a wrong form", spec(|s| s["version"] = json!("1.36")), "spec.version"),
        ("version not offered", spec(|s| s["version"] = json!("v1.99.0")), "spec.version"),
        ("two masters", spec(|s| s["control_plane"]["count"] = json!(2)), "spec.control_plane.count"),
        ("negative masters", spec(|s| s["control_plane"]["count"] = json!(-1)), "spec.control_plane.count"),
        ("half a master", spec(|s| s["control_plane"]["count"] = json!(1.5)), "spec.control_plane.count"),
        ("masters as text", spec(|s| s["control_plane"]["count"] = json!("1")), "spec.control_plane.count"),
        ("unknown flavor", spec(|s| s["control_plane"]["flavor"] = json!("m9")), "spec.control_plane.flavor"),
        ("flavor too small", spec(|s| s["control_plane"]["flavor"] = json!("m1.tiny")), "spec.control_plane.flavor"),
        ("empty flavor", spec(|s| s["node_pools"][0]["flavor"] = json!("")), "spec.node_pools[0].flavor"),
        ("huge count", spec(|s| s["node_pools"][0]["count"] = json!(1_000_000_000)), "spec.node_pools[0].count"),
        ("count beyond 32 bits", spec(|s| s["node_pools"][0]["count"] = json!(10_000_000_000_u64)), "spec.node_pools[0].count"),
        ("negative count", spec(|s| s["node_pools"][0]["count"] = json!(-5)), "spec.node_pools[0].count"),
        ("missing count", spec(|s| drop(s["node_pools"][0].as_object_mut().unwrap().remove("count"))), "spec.node_pools[0].count"),
        ("duplicate pools", spec(|s| s["node_pools"] = json!([s["node_pools"][0], s["node_pools"][0]])), "spec.node_pools[1].name"),
        ("pool of a reserved name", spec(|s| s["node_pools"][0]["name"] = json!("control-plane")), "spec.node_pools[0].name"),
        ("pool of a bad name", spec(|s| s["node_pools"][0]["name"] = json!("Pool!")), "spec.node_pools[0].name"),
        ("tiny root volume", spec(|s| s["node_pools"][0]["root_volume_gib"] = json!(1)), "spec.node_pools[0].root_volume_gib"),
        ("unknown volume type", spec(|s| s["node_pools"][0]["volume_type"] = json!("gold")), "spec.node_pools[0].volume_type"),
        ("unknown zone", spec(|s| s["node_pools"][0]["zones"] = json!(["az9"])), "spec.node_pools[0].zones[0]"),
        ("bad label", spec(|s| s["node_pools"][0]["labels"] = json!({"a b": "c"})), "spec.node_pools[0].labels.a b"),
        ("bad taint", spec(|s| s["node_pools"][0]["taints"] = json!([{"key": "a", "effect": "Never"}])), "spec.node_pools[0].taints[0].effect"),
        ("range that is none", spec(|s| s["network"]["pod_cidr"] = json!("10.0.0.0/99")), "spec.network.pod_cidr"),
        ("range with host bits", spec(|s| s["network"]["node_cidr"] = json!("10.6.0.5/24")), "spec.network.node_cidr"),
        ("overlapping ranges", spec(|s| s["network"]["pod_cidr"] = json!("10.6.0.0/16")), "spec.network.pod_cidr"),
        ("reserved range", spec(|s| s["network"]["node_cidr"] = json!("169.254.0.0/16")), "spec.network.node_cidr"),
        ("subnet too small", spec(|s| s["network"]["node_cidr"] = json!("10.6.0.0/30")), "spec.network.node_cidr"),
        ("unknown external network", spec(|s| s["network"]["external_network"] = json!("nope")), "spec.network.external_network"),
        ("bad DNS server", spec(|s| s["network"]["dns_servers"] = json!(["127.0.0.1"])), "spec.network.dns_servers[0]"),
        ("restricted to nobody", spec(|s| s["api"] = json!({"exposure": "restricted"})), "spec.api.allowed_cidrs"),
        ("unknown exposure", spec(|s| s["api"] = json!({"exposure": "secret"})), "spec.api.exposure"),
        ("unknown provider", spec(|s| s["api"] = json!({"provider": "nope"})), "spec.api.provider"),
        ("no way to a private API", spec(|s| s["api"] = json!({"exposure": "private"})), "spec.api.exposure"),
        ("unknown level of audit", spec(|s| s["audit"] = json!({"level": "everything"})), "spec.audit.level"),
        ("a policy of one's own", spec(|s| s["audit"] = json!({"policy": "x"})), "spec.audit.policy"),
        ("short time-out", spec(|s| s["api"] = json!({"client_timeout_seconds": 1})), "spec.api.client_timeout_seconds"),
        (
            "unknown network",
            spec(|s| s["network"] = json!({"existing": {"network_id": "nope", "subnet_id": "nope"}})),
            "spec.network.existing.network_id",
        ),
        (
            "a range for a subnet that has one",
            spec(|s| s["network"] = json!({"node_cidr": "10.6.0.0/24", "existing": {"network_id": "a", "subnet_id": "b"}})),
            "spec.network.node_cidr",
        ),
        ("time server that is none", spec(|s| s["ntp_servers"] = json!(["a b"])), "spec.ntp_servers[0]"),
        ("proxy with a password", spec(|s| s["proxy"] = json!({"http": "http://u:p@proxy:1"})), "spec.proxy.http"),
        ("mirror with a scheme", spec(|s| s["registry_mirror"] = json!("https://mirror")), "spec.registry_mirror"),
        ("authority that is none", spec(|s| s["ca_certificates"] = json!(["-----BEGIN CERTIFICATE-----"])), "spec.ca_certificates[0]"),
        (
            "disk over the system",
            spec(|s| s["node_pools"][0]["data_volumes"] = json!([{"name": "a", "size_gib": 1, "mount_path": "/etc"}])),
            "spec.node_pools[0].data_volumes[0].mount_path",
        ),
        ("unknown image", spec(|s| s["node_pools"][0]["image"] = json!("nope")), "spec.node_pools[0].image"),
        ("unknown key pair", spec(|s| s["node_pools"][0]["key_pair"] = json!("nope")), "spec.node_pools[0].key_pair"),
        ("not an object", json!([1, 2]), "(body)"),
        ("text", json!("web"), "(body)"),
        ("null", Value::Null, "(body)"),
    ]
}

async fn refused(house: &House, person: &Person, method: &str, path: &str, what: &str, body: &Value, field: &str) {
    let answer = house.call(Some(person), method, path, Some(body)).await;
    assert!((400..500).contains(&answer.status), "{method} {path}, {what}: {} {}", answer.status, answer.body);
    assert_eq!(answer.content_type, "application/problem+json", "{what}");
    assert_eq!(answer.body["field"].as_str(), Some(field), "{what}: {}", answer.body);
    assert!(answer.body["code"].as_str().is_some_and(|code| code.starts_with("KCS-")), "{what}");
}

#[actix_web::test]
async fn case_63_a_bad_cluster_is_refused_and_nothing_stored() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    for (what, body, field) in bad_clusters() {
        refused(&house, &member, "POST", "/api/v1/clusters", what, &body, field).await;
    }
    let list = house.call(Some(&member), "GET", "/api/v1/clusters", None).await;
    assert_eq!(list.body["total"], 0);
    let operations = house.call(Some(&member), "GET", "/api/v1/operations", None).await;
    assert_eq!(operations.body["total"], 0);
}

#[actix_web::test]
async fn every_other_write_refuses_bad_bodies_by_field() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _) = house.running_cluster(&member, "web").await;
    let pool = format!("/api/v1/clusters/{cluster}/node-pools/default");
    let kubeconfigs = format!("/api/v1/clusters/{cluster}/kubeconfigs");
    let (pools, masters) = (format!("/api/v1/clusters/{cluster}/node-pools"), format!("/api/v1/clusters/{cluster}/control-plane"));
    let one = format!("/api/v1/clusters/{cluster}");
    let (certificates, audit, access) = (format!("{one}/certificates"), format!("{one}/api-audit"), format!("{one}/api-access"));
    assert_eq!(house.call(Some(&member), "PATCH", &one, Some(&json!({"direct_access": true}))).await.status, 200);
    let table = [
        ("POST", "/api/v1/session", json!({"username": "member-a"}), "password"),
        ("POST", "/api/v1/session", json!({"username": 1, "password": "x"}), "username"),
        ("POST", "/api/v1/session", json!({"username": "a".repeat(300), "password": "x"}), "username"),
        ("POST", "/api/v1/session", json!({"username": "a", "password": "x", "admin": true}), "admin"),
        ("POST", "/api/v1/session", json!({"username": "a", "password": ""}), "password"),
        ("POST", "/api/v1/session", json!({"username": "a", "password": "x", "passcode": "12345"}), "passcode"),
        ("POST", "/api/v1/session", json!({"username": "a", "password": "x", "passcode": "12345\u{0661}"}), "passcode"),
        ("POST", "/api/v1/session", json!({"username": "a", "password": "x", "passcode": 123_456}), "passcode"),
        ("POST", "/api/v1/session/application-credential", json!({"id": "a"}), "secret"),
        ("POST", "/api/v1/session/application-credential", json!({"id": "a", "secret": ""}), "secret"),
        ("POST", "/api/v1/session/application-credential", json!({"secret": "x"}), "id"),
        ("POST", "/api/v1/session/application-credential", json!({"id": "a\n", "secret": "x"}), "id"),
        ("POST", "/api/v1/session/application-credential", json!({"id": "a", "name": "b", "secret": "x"}), "name"),
        ("POST", "/api/v1/session/application-credential", json!({"name": "b", "secret": "x"}), "username"),
        ("POST", "/api/v1/session/application-credential", json!({"name": "b", "username": 7, "secret": "x"}), "username"),
        ("POST", "/api/v1/session/application-credential", json!({"id": "a", "secret": "x", "project": "b"}), "project"),
        ("POST", "/api/v1/session/federation", json!({}), "provider"),
        ("POST", "/api/v1/session/federation", json!({"provider": "nobodys"}), "provider"),
        ("POST", "/api/v1/session/federation", json!({"provider": "corp", "next": "//elsewhere.example"}), "next"),
        ("POST", "/api/v1/session/federation", json!({"provider": "corp", "next": "https://elsewhere.example"}), "next"),
        ("POST", "/api/v1/session/federation", json!({"provider": "corp", "origin": "x"}), "origin"),
        ("PUT", "/api/v1/session", json!({}), "project"),
        ("PUT", "/api/v1/session", json!({"project": 1}), "project"),
        ("POST", "/api/v1/clusters/plan", json!({"name": "Bad Name", "template": "dev"}), "name"),
        ("POST", "/api/v1/clusters/plan", json!({"name": "web", "spec": {"network": {"pod_cidr": "10.6.0.0/16"}}}), "spec.network.pod_cidr"),
        ("PATCH", one.as_str(), json!({}), "deletion_protection"),
        ("PATCH", one.as_str(), json!({"deletion_protection": true, "name": "web2"}), "name"),
        ("PATCH", one.as_str(), json!({"repair": "sometimes"}), "repair"),
        // It takes other masters, and so has an address of its own.
        ("PATCH", one.as_str(), json!({"audit": {"level": "metadata"}}), "audit"),
        ("PATCH", audit.as_str(), json!({}), "level"),
        ("PATCH", audit.as_str(), json!({"level": "everything"}), "level"),
        ("PATCH", audit.as_str(), json!({"level": "none", "policy": "mine"}), "policy"),
        ("PATCH", one.as_str(), json!({"api": {"exposure": "public"}}), "api"),
        ("PATCH", access.as_str(), json!({}), "exposure"),
        ("PATCH", access.as_str(), json!({"exposure": "secret"}), "exposure"),
        ("PATCH", access.as_str(), json!({"exposure": "private"}), "exposure"),
        ("PATCH", access.as_str(), json!({"exposure": "restricted"}), "allowed_cidrs"),
        ("PATCH", access.as_str(), json!({"exposure": "public", "allowed_cidrs": ["192.0.2.0/24"]}), "allowed_cidrs"),
        ("PATCH", access.as_str(), json!({"exposure": "restricted", "allowed_cidrs": ["192.0.2.0/33"]}), "allowed_cidrs[0]"),
        ("PATCH", access.as_str(), json!({"exposure": "restricted", "allowed_cidrs": ["192.0.2.0/24", "198.51.100.7/24"]}), "allowed_cidrs[1]"),
        ("PATCH", access.as_str(), json!({"exposure": "public", "provider": "ovn"}), "provider"),
        ("POST", "/api/v1/templates", json!({"spec": {}}), "name"),
        ("POST", "/api/v1/templates", json!({"name": " ", "spec": {}}), "name"),
        ("POST", "/api/v1/templates", json!({"name": "t", "description": "a".repeat(501), "spec": {}}), "description"),
        ("POST", "/api/v1/templates", json!({"name": "t", "spec": {"control_plane": {"count": 2}}}), "spec.control_plane.count"),
        ("POST", "/api/v1/templates", json!({"name": "t", "spec": {"colour": "red"}}), "spec.colour"),
        ("PATCH", pool.as_str(), json!({}), "count"),
        ("PATCH", pool.as_str(), json!({"count": -1}), "count"),
        ("PATCH", pool.as_str(), json!({"count": "3"}), "count"),
        ("PATCH", pool.as_str(), json!({"count": 1_000_000}), "count"),
        ("PATCH", pool.as_str(), json!({"count": 3, "flavor": "m1.large"}), "flavor"),
        ("POST", &format!("{pool}/plan"), json!({"count": null}), "count"),
        ("PATCH", pool.as_str(), json!({"count": 1, "remove": ["x"]}), "remove[0]"),
        ("PATCH", pool.as_str(), json!({"count": 1, "remove": ["01990000-0000-7000-8000-000000000000"]}), "remove"),
        ("POST", pools.as_str(), json!({"name": "Bad Name", "flavor": "m1.medium", "count": 1}), "name"),
        ("POST", pools.as_str(), json!({"name": "default", "flavor": "m1.medium", "count": 1}), "name"),
        ("POST", pools.as_str(), json!({"name": "big", "flavor": "m1.medium", "count": 1_000_000}), "count"),
        ("POST", pools.as_str(), json!({"name": "locked", "flavor": "m1.medium", "count": 1, "key_pair": "mine"}), "key_pair"),
        ("POST", &format!("{pools}/plan"), json!({"name": "Bad Name", "flavor": "m1.medium", "count": 1}), "name"),
        ("POST", &format!("{pools}/plan"), json!({"name": "big", "flavor": "m1.medium", "count": -1}), "count"),
        ("POST", &format!("{masters}/plan"), json!({"count": 4}), "count"),
        ("PATCH", masters.as_str(), json!({}), "count"),
        ("PATCH", masters.as_str(), json!({"count": 2}), "count"),
        ("PATCH", masters.as_str(), json!({"count": 3, "flavor": "m1.large"}), "flavor"),
        ("PATCH", one.as_str(), json!({"direct_access": "yes"}), "direct_access"),
        ("POST", certificates.as_str(), json!({}), "expires_in"),
        ("POST", certificates.as_str(), json!({"expires_in": 299}), "expires_in"),
        ("POST", certificates.as_str(), json!({"expires_in": 3601}), "expires_in"),
        ("POST", certificates.as_str(), json!({"expires_in": 3600, "name": "a\nb"}), "name"),
        ("POST", certificates.as_str(), json!({"expires_in": 3600, "namespaces": ["web"]}), "namespaces"),
        ("POST", "/api/v1/tokens", json!({"expires_in": 3600}), "name"),
        ("POST", "/api/v1/tokens", json!({"name": " ", "expires_in": 3600}), "name"),
        ("POST", "/api/v1/tokens", json!({"name": "ci", "expires_in": 60}), "expires_in"),
        ("POST", "/api/v1/tokens", json!({"name": "ci", "expires_in": 3600, "permissions": ["everything"]}), "permissions[0]"),
        ("POST", "/api/v1/tokens", json!({"name": "ci", "expires_in": 3600, "clusters": []}), "clusters"),
        ("POST", "/api/v1/tokens", json!({"name": "ci", "expires_in": 3600, "clusters": ["01990000-0000-7000-8000-000000000000"]}), "clusters[0]"),
        ("POST", "/api/v1/tokens", json!({"name": "ci", "expires_in": 3600, "namespaces": ["Bad_Name"]}), "namespaces[0]"),
        ("POST", "/api/v1/tokens", json!({"name": "ci", "expires_in": 3600, "cidrs": ["10.0.0.0/33"]}), "cidrs[0]"),
        ("POST", "/api/v1/tokens", json!({"name": "ci", "expires_in": 3600, "operator": true}), "operator"),
        ("POST", "/api/v1/device", json!({"host_name": "a"}), "client_name"),
        ("POST", "/api/v1/device", json!({"client_name": "kcs", "host_name": "a\u{202e}b"}), "host_name"),
        ("POST", "/api/v1/device", json!({"client_name": "a".repeat(41), "host_name": "a"}), "client_name"),
        ("POST", "/api/v1/device/token", json!({}), "device_code"),
        ("POST", "/api/v1/device/BCDF-GHJK", json!({}), "allow"),
        ("POST", "/api/v1/device/BCDF-GHJK", json!({"allow": true, "expires_in": 3_000_000}), "expires_in"),
        ("POST", "/api/v1/quota-requests", json!({"reason": "more"}), "wanted"),
        ("POST", "/api/v1/quota-requests", json!({"wanted": {"clusters": 30}}), "reason"),
        ("POST", "/api/v1/quota-requests", json!({"wanted": {"clusters": -1}, "reason": "more"}), "wanted.clusters"),
        ("POST", "/api/v1/quota-requests", json!({"wanted": {"clusters": 30}, "reason": " "}), "reason"),
        ("POST", "/api/v1/quota-requests", json!({"wanted": {"clusters": 30}, "reason": "a".repeat(1001)}), "reason"),
        ("POST", "/api/v1/quota-requests", json!({"wanted": {"clusters": 30}, "reason": "more", "tenant": "other"}), "tenant"),
        ("POST", kubeconfigs.as_str(), json!({}), "expires_in"),
        ("POST", kubeconfigs.as_str(), json!({"expires_in": 1}), "expires_in"),
        ("POST", kubeconfigs.as_str(), json!({"expires_in": 99_999_999}), "expires_in"),
        ("POST", kubeconfigs.as_str(), json!({"expires_in": 3600, "name": "a".repeat(61)}), "name"),
        ("POST", kubeconfigs.as_str(), json!({"expires_in": 3600, "namespaces": []}), "namespaces"),
        ("POST", kubeconfigs.as_str(), json!({"expires_in": 3600, "namespaces": ["ok", "Not_Ok"]}), "namespaces[1]"),
        ("POST", kubeconfigs.as_str(), json!({"expires_in": 3600, "read_only": "yes"}), "read_only"),
        ("POST", kubeconfigs.as_str(), json!({"expires_in": 3600, "permissions": ["burn"]}), "permissions[0]"),
        ("POST", kubeconfigs.as_str(), json!({"expires_in": 3600, "permissions": [], "read_only": true}), "permissions"),
        ("POST", kubeconfigs.as_str(), json!({"expires_in": 3600, "role": "member"}), "role"),
        ("POST", kubeconfigs.as_str(), json!({"expires_in": 3600, "role": "00000000-0000-4000-8000-000000000000"}), "role"),
        ("POST", kubeconfigs.as_str(), json!({"expires_in": 3600, "role": "00000000-0000-4000-8000-000000000000", "permissions": []}), "role"),
        ("DELETE", one.as_str(), json!({}), "confirm"),
        ("DELETE", one.as_str(), json!({"confirm": "wep"}), "confirm"),
        ("DELETE", one.as_str(), json!({"confirm": "web", "volumes": "burn"}), "volumes"),
        ("DELETE", one.as_str(), json!({"confirm": "web", "force": true}), "force"),
    ];
    for (method, path, body, field) in table {
        refused(&house, &member, method, path, "bad body", &body, field).await;
    }
    assert_eq!(house.call(Some(&member), "GET", &one, None).await.body["status"]["phase"], "Running");
    assert_eq!(house.call(Some(&member), "GET", &kubeconfigs, None).await.body["items"], json!([]));
}

#[actix_web::test]
async fn an_operators_write_refuses_bad_bodies_too() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    house.running_cluster(&member, "web").await;
    let operator = house.sign_in("operator").await;
    let path = format!("/api/v1/admin/orphans/{}/decision", house.orphan("kcs-lost-net").await);
    for (body, field) in [
        (json!({}), "decision"),
        (json!({"decision": "burn"}), "decision"),
        (json!({"decision": null}), "decision"),
        (json!({"decision": "delete", "force": true}), "force"),
        (json!(["delete"]), "(body)"),
    ] {
        refused(&house, &operator, "POST", &path, "bad body", &body, field).await;
    }
    let tenant = house.call(Some(&operator), "GET", "/api/v1/admin/tenants?search=tenant-a", None).await.body["items"][0].clone();
    let tenant_path = format!("/api/v1/admin/tenants/{}", tenant["id"].as_str().unwrap());
    for (body, field) in [
        (json!({}), "limits"),
        (json!({"limits": {}}), "allowed"),
        (json!({"limits": {"nodes": -1}, "allowed": {}}), "limits.nodes"),
        (json!({"limits": {"nodes": "many"}, "allowed": {}}), "limits.nodes"),
        (json!({"limits": {"nodes": 2_000_000_000}, "allowed": {}}), "limits.nodes"),
        (json!({"limits": {"gpus": 1}, "allowed": {}}), "limits.gpus"),
        (json!({"limits": [], "allowed": {}}), "limits"),
        (json!({"limits": {}, "allowed": {"flavors": []}}), "allowed.flavors"),
        (json!({"limits": {}, "allowed": {"flavors": ["a\nb"]}}), "allowed.flavors"),
        (json!({"limits": {}, "allowed": {"versions": ["v1.99.0"]}}), "allowed.versions"),
        (json!({"limits": {}, "allowed": {"external_networks": [7]}}), "allowed.external_networks[0]"),
        (json!({"limits": {}, "allowed": {"zones": ["a"]}}), "allowed.zones"),
        (json!({"limits": {}, "allowed": {}, "name": "mine"}), "name"),
    ] {
        refused(&house, &operator, "PUT", &tenant_path, "bad body", &body, field).await;
    }
    let cluster = house.call(Some(&member), "GET", "/api/v1/clusters", None).await.body["items"][0]["id"].as_str().unwrap().to_owned();
    for path in ["/api/v1/admin/queue/pause".to_owned(), format!("/api/v1/admin/clusters/{cluster}/pause")] {
        for (body, field) in [
            (json!({}), "reason"),
            (json!({"reason": " \n"}), "reason"),
            (json!({"reason": "a\u{0}b"}), "reason"),
            (json!({"reason": "a".repeat(301)}), "reason"),
            (json!({"reason": "work", "until": "2030-01-01T00:00:00Z"}), "until"),
        ] {
            refused(&house, &operator, "PUT", &path, "bad body", &body, field).await;
        }
    }
    assert_eq!(house.call(Some(&operator), "GET", "/api/v1/admin/queue", None).await.body["paused"], Value::Null, "nothing was held back");
    let path_of_write_off = format!("/api/v1/admin/clusters/{cluster}/write-off");
    for (body, field) in [
        (json!({}), "confirm"),
        (json!({"confirm": 7}), "confirm"),
        (json!({"confirm": "wbe"}), "confirm"),
        (json!({"confirm": "web", "force": true}), "force"),
    ] {
        refused(&house, &operator, "POST", &path_of_write_off, "bad body", &body, field).await;
    }
    let notice = |change: Value| {
        let mut body = json!({"kind": "notice", "severity": "info", "zh": "\u{5b57}", "en": "words"});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    for (body, field) in [
        (json!({}), "kind"),
        (notice(json!({"kind": "party"})), "kind"),
        (notice(json!({"severity": "fatal"})), "severity"),
        (notice(json!({"zh": " "})), "zh"),
        (notice(json!({"en": "a".repeat(501)})), "en"),
        (notice(json!({"en": "a\u{7}b"})), "en"),
        (notice(json!({"from": "tomorrow"})), "from"),
        (notice(json!({"until": "2020-01-01T00:00:00Z"})), "until"),
        (notice(json!({"from": "2090-01-02T00:00:00Z", "until": "2090-01-01T00:00:00Z"})), "until"),
        (notice(json!({"kind": "maintenance"})), "until"),
        (notice(json!({"color": "red"})), "color"),
    ] {
        refused(&house, &operator, "POST", "/api/v1/admin/announcements", "bad body", &body, field).await;
    }
    assert_eq!(house.call(Some(&operator), "GET", "/api/v1/admin/announcements", None).await.body["items"], json!([]), "nothing was said");
    for (body, field) in [
        (json!({}), "revision"),
        (json!({"revision": "one"}), "revision"),
        (json!({"revision": 0, "comment": "a".repeat(301)}), "comment"),
        (json!({"revision": 0, "log": {}}), "log"),
        (json!({"revision": 0, "limits": []}), "limits"),
        (json!({"revision": 0, "limits": {"pods": 1}}), "limits.pods"),
        (json!({"revision": 0, "limits": {"nodes_per_pool": null}}), "limits.nodes_per_pool"),
        (json!({"revision": 0, "limits": {"nodes_per_pool": 5001}}), "limits.nodes_per_pool"),
        (json!({"revision": 0, "limits": {"clusters_per_project": 0}}), "limits.clusters_per_project"),
        (json!({"revision": 0, "limits": {"clusters_per_project": -1}}), "limits.clusters_per_project"),
        (json!({"revision": 0, "prices": {"flavors": {}}}), "prices.currency"),
        (json!({"revision": 0, "prices": {"currency": " \u{7}"}}), "prices.currency"),
        (json!({"revision": 0, "prices": {"currency": "EUR", "load_balancer": -1}}), "prices.load_balancer"),
        (json!({"revision": 0, "audit": {"retention_days": 0}}), "audit.retention_days"),
        (json!({"revision": 0, "audit": {"forward": "siem"}}), "audit.forward"),
        (json!({"revision": 0, "audit": {"forward": "javascript:alert(1)"}}), "audit.forward"),
        (json!({"revision": 0, "audit": {"forward": "https://u:p@siem.example"}}), "audit.forward"),
        (json!({"revision": 0, "audit": {"forward_authorization": " "}}), "audit.forward_authorization"),
        (json!({"revision": 0, "audit": {"forward_authorization": "a\nb"}}), "audit.forward_authorization"),
        (json!({"revision": 0, "audit": {"forward_authorization": "Bearer x"}}), "audit.forward_authorization"),
    ] {
        refused(&house, &operator, "PUT", "/api/v1/admin/settings", "bad body", &body, field).await;
    }
    assert_eq!(house.call(Some(&operator), "GET", "/api/v1/admin/settings", None).await.body["revision"], 0, "nothing was set");
    let ask = json!({"wanted": {"clusters": 30}, "reason": "more"});
    let request = house.call(Some(&member), "POST", "/api/v1/quota-requests", Some(&ask)).await.body;
    let decision_path = format!("/api/v1/admin/quota-requests/{}/decision", request["id"].as_str().unwrap());
    for (body, field) in [
        (json!({}), "answer"),
        (json!({"answer": "perhaps"}), "answer"),
        (json!({"answer": "decline"}), "words"),
        (json!({"answer": "approve", "words": "a".repeat(1001)}), "words"),
        (json!({"answer": "approve", "limits": {}}), "limits"),
    ] {
        refused(&house, &operator, "POST", &decision_path, "bad body", &body, field).await;
    }
    assert_eq!(house.call(Some(&operator), "GET", &tenant_path, None).await.body["limits"], tenant["limits"], "nothing was set");
    let not_json = house.raw(Some(&operator), "POST", &path, "application/json", b"{\"decision\": \"de".to_vec()).await;
    assert_eq!((not_json.status, not_json.content_type.as_str()), (400, "application/problem+json"));
    let list = house.call(Some(&operator), "GET", "/api/v1/admin/orphans", None).await;
    assert_eq!(list.body["items"][0]["decision"], Value::Null, "nothing was decided");
}

#[actix_web::test]
async fn what_is_not_json_is_refused_everywhere() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _) = house.running_cluster(&member, "web").await;
    let writes = [
        ("POST", "/api/v1/session".to_owned()),
        ("PUT", "/api/v1/session".to_owned()),
        ("POST", "/api/v1/clusters".to_owned()),
        ("POST", "/api/v1/clusters/plan".to_owned()),
        ("DELETE", format!("/api/v1/clusters/{cluster}")),
        ("PATCH", format!("/api/v1/clusters/{cluster}")),
        ("POST", "/api/v1/templates".to_owned()),
        ("POST", "/api/v1/tokens".to_owned()),
        ("POST", "/api/v1/quota-requests".to_owned()),
        ("POST", "/api/v1/device".to_owned()),
        ("POST", "/api/v1/device/token".to_owned()),
        ("POST", "/api/v1/device/BCDF-GHJK".to_owned()),
        ("PATCH", format!("/api/v1/clusters/{cluster}/node-pools/default")),
        ("POST", format!("/api/v1/clusters/{cluster}/node-pools/default/plan")),
        ("POST", format!("/api/v1/clusters/{cluster}/node-pools/plan")),
        ("POST", format!("/api/v1/clusters/{cluster}/control-plane/plan")),
        ("PATCH", format!("/api/v1/clusters/{cluster}/api-audit")),
        ("POST", format!("/api/v1/clusters/{cluster}/kubeconfigs")),
    ];
    let million = vec![b' '; 1024 * 1024];
    let deep = [b"{\"name\":".as_slice(), &[b'['; 100_000]].concat();
    let bodies: [(&str, &[u8], &str, u16); 8] = [
        ("nothing", b"", "application/json", 400),
        ("half", b"{\"name\": \"we", "application/json", 400),
        ("invalid UTF-8", b"{\"name\": \"we\xff\xfe\"}", "application/json", 400),
        ("a surrogate", b"{\"name\": \"\\ud800\"}", "application/json", 400),
        ("deep", &deep, "application/json", 400),
        ("a mebibyte", &million, "application/json", 413),
        ("no JSON", b"name=web", "application/x-www-form-urlencoded", 415),
        ("no type", b"{}", "", 415),
    ];
    for (method, path) in &writes {
        for (what, body, content_type, status) in bodies {
            let answer = house.raw(Some(&member), method, path, content_type, body.to_vec()).await;
            assert_eq!(answer.status, status, "{method} {path}, {what}: {}", answer.body);
            assert_eq!(answer.content_type, "application/problem+json", "{what}");
        }
    }
    assert_eq!(house.call(Some(&member), "GET", "/api/v1/clusters", None).await.body["total"], 1);
}

#[actix_web::test]
async fn wrong_query_parameters_and_addresses_are_refused() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _) = house.running_cluster(&member, "web").await;
    let exec = format!("/api/v1/clusters/{cluster}/kubeconfig?server=file:///etc");
    for (path, field) in [
        ("/api/v1/clusters?limit=0", "limit"),
        ("/api/v1/clusters?limit=many", "limit"),
        ("/api/v1/clusters?phase=Sleeping", "phase"),
        ("/api/v1/clusters?cursor=%00x", "cursor"),
        ("/api/v1/clusters?sort=colour", "sort"),
        ("/api/v1/clusters?colour=red", "colour"),
        ("/api/v1/operations?cluster_id=7", "cluster_id"),
        (exec.as_str(), "server"),
    ] {
        let answer = house.call(Some(&member), "GET", path, None).await;
        assert_eq!((answer.status, answer.body["field"].as_str()), (400, Some(field)), "{path}: {}", answer.body);
    }
    for path in ["/api/v1/clusters/7", "/api/v1/clusters/..%2f..%2fetc", "/api/v1/nothing", "/k8s/clusters/7/api", "/node/v2/bundle"] {
        let answer = house.call(Some(&member), "GET", path, None).await;
        assert_eq!((answer.status, answer.content_type.as_str()), (404, "application/problem+json"), "{path}");
    }
}

#[actix_web::test]
async fn a_method_that_a_route_does_not_have_is_405_and_says_which_it_has() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    for (method, path, allowed) in [
        ("PUT", "/api/v1/clusters", "GET, POST"),
        ("POST", "/api/v1/flavors", "GET"),
        ("GET", "/node/v1/bundle", "POST"),
        ("POST", "/api/v1/admin/keys", "GET"),
    ] {
        let answer = house.call(Some(&member), method, path, None).await;
        assert_eq!((answer.status, answer.headers["allow"].to_str().unwrap()), (405, allowed), "{path}");
        assert_eq!(answer.body["code"], "KCS-NOTFOUND-002");
    }
}
