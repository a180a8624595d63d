//! Storage of a cluster: its classes, which of them people make, choose and delete, and its volumes from both sides.

use crate::cluster_api::ClusterApi;
use crate::house::{House, Person};
use local_cloud::{Effect, FaultRule, Service};
use serde_json::{Value, json};

const CLASSES: &str = "/apis/storage.k8s.io/v1/storageclasses";

fn class(name: &str, default: bool, managed: bool) -> Value {
    let labels = if managed { json!({"kcs.io/addon": "storage"}) } else { json!({}) };
    json!({
        "metadata": {"name": name, "labels": labels, "annotations": {"storageclass.kubernetes.io/is-default-class": default.to_string()}},
        "provisioner": "cinder.csi.openstack.org",
        "parameters": {"type": "ssd"},
        "reclaimPolicy": "Retain",
    })
}

/// A cluster with two classes of the add-on's, the first of them the default, and one of somebody's own.
async fn cluster(house: &House, member: &Person) -> (String, ClusterApi) {
    let classes = vec![class("cinder-standard", true, true), class("cinder-ssd", false, true), class("own", false, false)];
    let (cluster, api) = house.cluster_of(member, "web", ClusterApi::holding(CLASSES, classes)).await;
    (format!("/api/v1/clusters/{cluster}/kubernetes/storage-classes"), api)
}

/// What the cluster was asked to change.
fn changes(api: &ClusterApi) -> Vec<String> {
    api.heads.lock().unwrap().iter().filter(|head| !head.starts_with("GET ")).cloned().collect()
}

#[actix_web::test]
async fn classes_are_shown_with_the_default_and_what_belongs_to_the_add_on() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (path, _api) = cluster(&house, &member).await;
    let list = house.call(Some(&member), "GET", &path, None).await;
    assert_eq!(list.status, 200, "{}", list.body);
    let flags: Vec<(&str, bool, bool)> = list.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["name"].as_str().unwrap(), c["default"].as_bool().unwrap(), c["managed"].as_bool().unwrap()))
        .collect();
    assert_eq!(flags, [("cinder-standard", true, true), ("cinder-ssd", false, true), ("own", false, false)]);
    let own = &list.body["items"][2];
    let said = ["volume_type", "reclaim_policy", "binding", "expandable"].map(|key| own[key].clone());
    assert_eq!(said, [json!("ssd"), json!("Retain"), json!("Immediate"), json!(false)]);
}

#[actix_web::test]
async fn another_class_becomes_the_default_in_the_place_of_the_one_before() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (path, api) = cluster(&house, &member).await;
    let done = house.call(Some(&member), "PUT", &format!("{path}/own/default"), None).await;
    assert_eq!(done.status, 204, "{}", done.body);
    assert_eq!(changes(&api), [format!("PATCH {CLASSES}/own"), format!("PATCH {CLASSES}/cinder%2Dstandard")]);
    assert_eq!(house.told(&member, "storage_class_default").await, [("accepted".to_owned(), json!({"storage_class": "own"}))]);
    for name in ["Own", "a%2Fb", "-"] {
        assert_eq!(house.call(Some(&member), "PUT", &format!("{path}/{name}/default"), None).await.status, 404, "{name}");
    }
    assert_eq!(changes(&api).len(), 2);
}

#[actix_web::test]
async fn a_class_is_made_of_a_volume_type_that_there_is() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (path, api) = cluster(&house, &member).await;
    for (body, field, code) in [
        (json!({"volume_type": "ssd"}), "name", "KCS-INPUT-001"),
        (json!({"name": "Fast", "volume_type": "ssd"}), "name", "KCS-INPUT-001"),
        (json!({"name": "fast"}), "volume_type", "KCS-INPUT-001"),
        (json!({"name": "fast", "volume_type": "gold"}), "volume_type", "KCS-VOL-002"),
        (json!({"name": "fast", "volume_type": "ssd", "reclaim_policy": "Burn"}), "reclaim_policy", "KCS-INPUT-001"),
        (json!({"name": "fast", "volume_type": "ssd", "provisioner": "x"}), "provisioner", "KCS-INPUT-001"),
    ] {
        let refused = house.call(Some(&member), "POST", &path, Some(&body)).await;
        let said = (refused.status, refused.body["field"].as_str(), refused.body["code"].as_str());
        assert_eq!(said, (400, Some(field), Some(code)), "{body}: {}", refused.body);
    }
    assert_eq!(changes(&api), Vec::<String>::new());
    let made = house.call(Some(&member), "POST", &path, Some(&json!({"name": "fast", "volume_type": "ssd", "binding": "Immediate"}))).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(changes(&api), [format!("POST {CLASSES}")]);
    let wanted = json!({"type": "ssd", "reclaim_policy": "Delete", "binding": "Immediate", "expandable": true});
    let expected = json!({"storage_class": "fast", "after": wanted});
    assert_eq!(house.told(&member, "storage_class_create").await, [("accepted".to_owned(), expected)]);
}

#[actix_web::test]
async fn a_name_that_is_taken_is_said_at_the_name_and_told_as_failed() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _api) = house.cluster_with_refusing_api(&member, "web").await;
    let path = format!("/api/v1/clusters/{cluster}/kubernetes/storage-classes");
    let taken = house.call(Some(&member), "POST", &path, Some(&json!({"name": "fast", "volume_type": "ssd"}))).await;
    assert_eq!((taken.status, taken.body["code"].as_str(), taken.body["field"].as_str()), (409, Some("KCS-NAME-005"), Some("name")));
    let lines = house.told(&member, "storage_class_create").await;
    let outcomes: Vec<&str> = lines.iter().map(|(outcome, _)| outcome.as_str()).collect();
    assert_eq!((outcomes, &lines[1].1["code"]), (vec!["accepted", "failed"], &json!("KCS-NAME-005")));
}

#[actix_web::test]
async fn what_the_add_on_would_make_again_is_not_deleted() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (path, api) = cluster(&house, &member).await;
    let refused = house.call(Some(&member), "DELETE", &format!("{path}/cinder-ssd"), None).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (409, Some("KCS-ADDON-002")), "{}", refused.body);
    assert_eq!((changes(&api), house.told(&member, "storage_class_delete").await), (Vec::new(), Vec::new()));
    assert_eq!(house.call(Some(&member), "DELETE", &format!("{path}/own"), None).await.status, 204);
    assert_eq!(changes(&api), [format!("DELETE {CLASSES}/own")]);
    assert_eq!(house.told(&member, "storage_class_delete").await, [("accepted".to_owned(), json!({"storage_class": "own"}))]);
}

/// A persistent volume of a claim in the namespace `web`.
fn volume(claim: &str, handle: &str) -> Value {
    json!({
        "metadata": {"name": format!("pv-{claim}")},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "claimRef": {"namespace": "web", "name": claim},
            "csi": {"driver": "cinder.csi.openstack.org", "volumeHandle": handle},
        },
        "status": {"phase": "Bound"},
    })
}

#[actix_web::test]
async fn each_volume_is_shown_with_its_disk_whichever_side_knows_of_it() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let token = house.keystone_token("member-a", "tenant-a").await;
    let [data, left] = ["data", "left"].map(|name| house.volume(&token, name));
    let api = ClusterApi::holding("/api/v1/persistentvolumes", vec![volume("data", &data), volume("gone", "nowhere")]);
    let (cluster, _api) = house.cluster_of(&member, "web", api).await;
    let (dark, _) = house.running_cluster(&member, "dark").await;
    let marked = |id: &str, cluster: &str, claim: &str| {
        let tag = domain::names::cluster_tag(cluster.parse().unwrap());
        let claim = json!({"csi.storage.k8s.io/pvc/namespace": "web", "csi.storage.k8s.io/pvc/name": claim, (domain::names::VOLUME_CLUSTER): tag});
        house.cinder(&token, &format!("volumes/{id}/metadata"), &json!({ "metadata": claim }));
    };
    marked(&data, &cluster, "data");
    marked(&left, &cluster, "left");
    let shown = async |cluster: &str| {
        let list = house.call(Some(&member), "GET", &format!("/api/v1/clusters/{cluster}/volumes"), None).await;
        assert_eq!(list.status, 200, "{}", list.body);
        list.body
    };
    let list = shown(&cluster).await;
    assert_eq!((&list["api_reachable"], &list["cloud_reachable"]), (&json!(true), &json!(true)), "{list}");
    let [both, inside, disk] = [0, 1, 2].map(|at| list["items"][at].clone());
    assert_eq!((&both["persistent_volume"]["claim"], &both["persistent_volume"]["phase"]), (&json!("web/data"), &json!("Bound")), "{list}");
    assert_eq!((&both["persistent_volume"]["capacity"], &both["disk"]["id"], &both["disk"]["size_gib"]), (&json!("1Gi"), &json!(data), &json!(1)));
    assert_eq!((&inside["persistent_volume"]["handle"], &inside["disk"]), (&json!("nowhere"), &Value::Null), "{list}");
    assert_eq!((&disk["persistent_volume"], &disk["disk"]["claim"]), (&Value::Null, &json!("web/left")), "{list}");
    // Neither waits for the other.
    marked(&left, &dark, "left");
    let list = shown(&dark).await;
    assert_eq!((&list["api_reachable"], &list["items"][0]["disk"]["id"]), (&json!(false), &json!(left)), "{list}");
    house.cloud.inject(FaultRule::new(Effect::Status { status: 403, body: None }).on(Service::BlockStorage, "GET", "/volumes").count(None));
    let list = shown(&cluster).await;
    assert_eq!((&list["cloud_reachable"], list["items"].as_array().map(Vec::len)), (&json!(false), Some(2)), "{list}");
}
