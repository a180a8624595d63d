//! Lists are read to their end or not at all.

use crate::scripted::{Asked, Scripted, ok};
use serde_json::{Value, json};

fn query(asked: &Asked, key: &str) -> Option<String> {
    let query = asked.url.split_once('?')?.1;
    url::form_urlencoded::parse(query.as_bytes()).find(|(k, _)| k == key).map(|(_, v)| v.into_owned())
}

fn server(n: usize) -> Value {
    json!({"id": format!("s{n}"), "name": format!("kcs-a-{n}"), "status": "ACTIVE"})
}

#[tokio::test]
async fn all_pages_are_read_with_the_filters_and_another_host_is_not_believed() {
    let scripted = Scripted::new(|a| {
        if a.url.contains("keystone") {
            return None;
        }
        let from = query(a, "marker").map_or(0, |m| m[1..].parse::<usize>().unwrap() + 1);
        let servers: Vec<Value> = (from..(from + 2).min(5)).map(server).collect();
        let mut body = json!({ "servers": servers });
        if from + 2 < 5 {
            let link = format!("https://other/servers/detail?limit=2&marker=s{}", from + 1);
            body["servers_links"] = json!([{"rel": "next", "href": link}]);
        }
        ok(200, &body)
    });
    let servers = scripted.cloud().compute.servers("kcs-a-").await.unwrap();
    assert_eq!(servers.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["s0", "s1", "s2", "s3", "s4"]);
    for asked in scripted.calls() {
        assert!(asked.url.starts_with("nova/v2.1/servers/detail?"), "{}", asked.url);
        assert_eq!(query(&asked, "name").as_deref(), Some("^kcs-a-"));
        assert_eq!(asked.version.as_deref(), Some("compute 2.67"));
    }
}

#[tokio::test]
async fn a_list_that_goes_round_or_never_ends_is_an_error() {
    let round = Scripted::new(|a| {
        let next = json!([{"rel": "next", "href": "http://nova/servers/detail?marker=s1"}]);
        if a.url.contains("keystone") { None } else { ok(200, &json!({"servers": [server(1)], "servers_links": next})) }
    });
    assert!(round.cloud().compute.servers("kcs").await.is_err());
    assert_eq!(round.calls().len(), 2);

    let endless = Scripted::new(|a| {
        if a.url.contains("keystone") {
            return None;
        }
        let n = query(a, "marker").map_or(0, |m| m[1..].parse::<usize>().unwrap() + 1);
        let next = json!([{"rel": "next", "href": "http://nova/servers/detail"}]);
        ok(200, &json!({"servers": [server(n)], "servers_links": next}))
    });
    assert!(endless.cloud().compute.servers("kcs").await.is_err());
    assert_eq!(endless.calls().len(), 100);
}

#[tokio::test]
async fn glance_pages_by_a_path_and_server_groups_by_offset() {
    let scripted = Scripted::new(|a| {
        if a.url.contains("keystone") {
            return None;
        }
        if a.url.contains("os-server-groups") {
            let from: usize = query(a, "offset").unwrap().parse().unwrap();
            let groups: Vec<Value> = (from..(from + 100).min(130)).map(|n| json!({"id": format!("g{n}"), "name": "g", "members": []})).collect();
            return ok(200, &json!({ "server_groups": groups }));
        }
        let image = |id: &str| json!({"id": id, "name": "node", "status": "active", "min_disk": 0, "min_ram": 0, "kcs_progress": "50", "owner": "o"});
        match query(a, "marker") {
            None => ok(200, &json!({"images": [image("i1")], "next": "/v2/images?marker=i1&limit=1"})),
            Some(_) => ok(200, &json!({"images": [image("i2")]})),
        }
    });
    let images = scripted.cloud().images.images().await.unwrap();
    assert_eq!(images.iter().map(|i| i.id.as_str()).collect::<Vec<_>>(), ["i1", "i2"]);
    assert_eq!(images[0].properties.iter().collect::<Vec<_>>(), [(&"kcs_progress".to_owned(), &"50".to_owned())]);
    assert_eq!(scripted.cloud().compute.server_groups().await.unwrap().len(), 130);
}

#[tokio::test]
async fn filters_are_checked_again_because_services_may_ignore_them() {
    let scripted = Scripted::new(|a| {
        if a.url.contains("keystone") {
            return None;
        }
        let ip = |id: &str, description: &str| json!({"id": id, "description": description, "floating_ip_address": "203.0.113.9", "port_id": null, "status": "DOWN"});
        ok(
            200,
            &json!({
                "floatingips": [ip("f1", "mark"), ip("f2", "mark and more")],
                "networks": [{"id": "n1", "name": "a"}, {"id": "n2", "name": "ab"}],
                "servers": [{"id": "s1", "name": "xkcs-a"}, {"id": "s2", "name": "kcs-a"}],
                "volumes": [{"id": "v1", "name": null, "metadata": {"k": "v"}}, {"id": "v2", "metadata": {"k": "w"}}, {"id": "v3", "metadata": null}],
                "loadbalancers": [{"id": "l1", "name": "a"}, {"id": "l2", "name": "b"}],
                "images": [{"id": "i1", "name": "a"}, {"id": "i2", "name": "A"}],
            }),
        )
    });
    let cloud = scripted.cloud();
    assert_eq!(cloud.network.floating_ips_by_description("mark").await.unwrap().len(), 1);
    assert_eq!(cloud.network.networks_by_name("a").await.unwrap()[0].id, "n1");
    assert_eq!(cloud.compute.servers("kcs").await.unwrap()[0].id, "s2");
    assert_eq!(cloud.volumes.volumes_by_metadata("k", "v").await.unwrap()[0].id, "v1");
    let asked = scripted.last();
    assert_eq!(query(&asked, "metadata").as_deref(), Some(r#"{"k":"v"}"#));
    assert!(asked.url.starts_with("cinder/v3/p1/volumes/detail?"));
    assert_eq!(cloud.load_balancers.unwrap().load_balancers_by_name("a").await.unwrap()[0].id, "l1");
    assert!(scripted.last().url.starts_with("octavia/v2.0/lbaas/loadbalancers?"));
    assert_eq!(cloud.images.images_by_name("a").await.unwrap().len(), 1);
    assert!(scripted.last().url.starts_with("glance/v2/images?"));
}

#[tokio::test]
async fn the_servers_filter_is_anchored_and_escaped() {
    let scripted = Scripted::new(|a| if a.url.contains("keystone") { None } else { ok(200, &json!({"servers": []})) });
    scripted.cloud().compute.servers("a.b*(c").await.unwrap();
    assert_eq!(query(&scripted.last(), "name").as_deref(), Some(r"^a\.b\*\(c"));
}
