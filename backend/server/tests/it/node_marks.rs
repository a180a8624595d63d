//! Labels and taints of a node or a pool, and whether new pods come to it: changed in the cluster as the person, within the rules, and told.

use crate::house::House;
use serde_json::json;

#[actix_web::test]
async fn a_node_is_labelled_and_tainted_in_the_cluster_and_that_is_told() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _, node, api) = house.cluster_with_worker(&member, "web").await;
    let path = format!("/api/v1/clusters/{cluster}/nodes/{node}");
    let marks = json!({
        "labels": {"tier": "web", "old": null},
        "taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}],
        "remove_taints": [{"key": "bare", "effect": "NoExecute"}],
    });
    let done = house.call(Some(&member), "PATCH", &path, Some(&marks)).await;
    assert_eq!(done.status, 204, "{}", done.body);
    let asked: Vec<String> = api.heads.lock().unwrap().iter().filter(|head| head.contains("/api/v1/nodes/")).cloned().collect();
    assert!(asked[0].starts_with("GET ") && asked[1].starts_with("PATCH ") && asked.len() == 2, "{asked:?}");
    let lines = house.told(&member, "node_update").await;
    let (after, removed) =
        (json!({"labels": {"tier": "web"}, "taints": ["gpu=yes:NoSchedule"]}), json!({"labels": ["old"], "taints": ["bare:NoExecute"]}));
    assert_eq!((lines.len(), lines[0].0.as_str()), (1, "accepted"), "{lines:?}");
    assert_eq!((&lines[0].1["after"], &lines[0].1["removed"]), (&after, &removed), "{lines:?}");
    assert!(lines[0].1["node"].as_str().is_some_and(|name| name.contains("-w-")), "{lines:?}");
}

#[actix_web::test]
async fn what_kubernetes_would_not_take_or_is_not_theirs_is_refused_by_field_before_the_cluster_is_asked() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _, node, api) = house.cluster_with_worker(&member, "web").await;
    let path = format!("/api/v1/clusters/{cluster}/nodes/{node}");
    for (body, field) in [
        (json!({}), "labels"),
        (json!({"labels": {"a b": "c"}}), "labels.a b"),
        (json!({"labels": {"tier": "a b"}}), "labels.tier"),
        (json!({"labels": {"tier": 1}}), "labels.tier"),
        (json!({"labels": {"kubernetes.io/hostname": "other"}}), "labels.kubernetes.io/hostname"),
        (json!({"labels": {"node-role.kubernetes.io/control-plane": null}}), "labels.node-role.kubernetes.io/control-plane"),
        (json!({"labels": {"kcs.io/pool": "other"}}), "labels.kcs.io/pool"),
        (json!({"taints": [{"key": "gpu", "effect": "Never"}]}), "taints[0].effect"),
        (json!({"taints": [{"key": "gpu"}]}), "taints[0].effect"),
        (json!({"taints": [{"key": "-", "effect": "NoSchedule"}]}), "taints[0].key"),
        (json!({"remove_taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]}), "remove_taints[0].key"),
        (json!({"labels": {"tier": "web"}, "annotations": {}}), "annotations"),
    ] {
        let refused = house.call(Some(&member), "PATCH", &path, Some(&body)).await;
        assert_eq!((refused.status, refused.body["field"].as_str()), (400, Some(field)), "{body}: {}", refused.body);
    }
    let asked = api.heads.lock().unwrap().clone();
    assert!(!asked.iter().any(|head| head.contains("/api/v1/nodes/")), "{asked:?}");
    assert!(house.told(&member, "node_update").await.is_empty());
}

#[actix_web::test]
async fn closing_a_node_to_pods_is_told_and_so_is_that_it_did_not_get_there() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _, node, _api) = house.cluster_with_worker(&member, "web").await;
    for (verb, action) in [("cordon", "node_cordon"), ("uncordon", "node_uncordon")] {
        let done = house.call(Some(&member), "POST", &format!("/api/v1/clusters/{cluster}/nodes/{node}/{verb}"), None).await;
        assert_eq!(done.status, 204, "{}", done.body);
        let lines = house.told(&member, action).await;
        assert_eq!((lines.len(), lines[0].0.as_str()), (1, "accepted"), "{lines:?}");
    }
    let made = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&json!({"name": "dark", "template": "dev"}))).await.body;
    let dark = made["cluster"]["id"].as_str().unwrap();
    let nodes = house.finish_with_workers(dark, &[true]).await;
    let lost = house.call(Some(&member), "POST", &format!("/api/v1/clusters/{dark}/nodes/{}/cordon", nodes[0]), None).await;
    assert_eq!(lost.body["code"], "KCS-API-002", "{}", lost.body);
    let lines = house.told(&member, "node_cordon").await;
    let outcomes: Vec<&str> = lines.iter().map(|(outcome, _)| outcome.as_str()).collect();
    assert_eq!((outcomes, &lines[2].1["code"]), (vec!["accepted", "accepted", "failed"], &json!("KCS-API-002")), "{lines:?}");
}

#[actix_web::test]
async fn a_pools_labels_and_taints_are_set_on_its_nodes_and_kept_for_those_that_come() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _, _, api) = house.cluster_with_worker(&member, "web").await;
    let pools = format!("/api/v1/clusters/{cluster}/node-pools");
    let path = format!("{pools}/default/marks");
    let patches = || api.heads.lock().unwrap().iter().filter(|head| head.starts_with("PATCH /api/v1/nodes/")).count();
    let shown = async || {
        let list = house.call(Some(&member), "GET", &pools, None).await.body;
        list["items"].as_array().unwrap().iter().find(|pool| pool["name"] == "default").unwrap().clone()
    };
    for (body, field) in [
        (json!({"labels": {}}), "taints"),
        (json!({"labels": {"a b": "c"}, "taints": []}), "labels.a b"),
        (json!({"labels": {"kcs.io/pool": "x"}, "taints": []}), "labels.kcs.io/pool"),
        (json!({"labels": {}, "taints": [{"key": "gpu", "effect": "Never"}]}), "taints[0].effect"),
    ] {
        let refused = house.call(Some(&member), "PUT", &path, Some(&body)).await;
        assert_eq!((refused.status, refused.body["field"].as_str()), (400, Some(field)), "{body}: {}", refused.body);
    }
    let taint = json!({"key": "gpu", "value": "yes", "effect": "NoSchedule"});
    let marks = json!({"labels": {"tier": "web"}, "taints": [taint]});
    let done = house.call(Some(&member), "PUT", &path, Some(&marks)).await;
    assert_eq!((done.status, patches()), (204, 1), "{}", done.body);
    assert_eq!((&shown().await["labels"], &shown().await["taints"]), (&marks["labels"], &marks["taints"]));
    // What it had goes from the nodes, too.
    let nothing = json!({"labels": {}, "taints": []});
    assert_eq!(house.call(Some(&member), "PUT", &path, Some(&nothing)).await.status, 204);
    let lines = house.told(&member, "node_update").await;
    assert_eq!((patches(), &lines[1].1["removed"]), (2, &json!({"labels": ["tier"], "taints": ["gpu:NoSchedule"]})), "{lines:?}");
    let lines = house.told(&member, "node_pool_mark").await;
    assert_eq!((&lines[1].1["before"], &lines[1].1["after"]), (&marks, &nothing), "{lines:?}");
    assert_eq!(house.call(Some(&member), "PUT", &format!("{pools}/none/marks"), Some(&nothing)).await.status, 404);
    assert_eq!(house.call(Some(&member), "PUT", &format!("{pools}/control-plane/marks"), Some(&nothing)).await.status, 405);
}

#[actix_web::test]
async fn a_pools_labels_wait_for_what_is_under_way_and_for_nodes_that_come() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let made = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&json!({"name": "web", "template": "dev"}))).await.body;
    let cluster = made["cluster"]["id"].as_str().unwrap();
    let path = format!("/api/v1/clusters/{cluster}/node-pools/default/marks");
    let marks = json!({"labels": {"tier": "web"}, "taints": []});
    let refused = async || {
        let refused = house.call(Some(&member), "PUT", &path, Some(&marks)).await.body;
        (refused["code"].clone(), refused["detail"].as_str().unwrap().contains("has not joined"))
    };
    assert_eq!(refused().await, (json!("KCS-CONF-002"), false));
    house.finish_with_workers(cluster, &[true]).await;
    assert_eq!(refused().await, (json!("KCS-CONF-002"), true));
    assert!(house.told(&member, "node_pool_mark").await.is_empty());
}
