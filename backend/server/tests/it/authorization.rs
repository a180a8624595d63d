//! Every route of the document × everybody who may come. A route without a row fails the test.

use crate::house::{House, Person};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Statuses for anonymous, reader, member, a member of another tenant, operator.
type Row = [u16; 5];

const PUBLIC: Row = [200, 200, 200, 200, 200];
/// Anybody signed in.
const SIGNED_IN: Row = [401, 200, 200, 200, 200];
/// Looking at something of the tenant's.
const LOOK: Row = [401, 200, 200, 404, 404];
/// Nodes come with tokens of their own.
const NODES_ONLY: Row = [401, 401, 401, 401, 401];
/// The cluster of the test has no API.
const LOOK_INSIDE: Row = [401, 409, 409, 404, 404];

/// The cluster of these is still being created: who may is told to wait.
const BUSY: Row = [401, 403, 409, 404, 404];
const ON_BUSY: [&str; 8] = [
    "node_pool_create",
    "node_pool_delete",
    "control_plane_resize",
    "cluster_repair",
    "credential_rotate",
    "node_drain",
    "node_reboot",
    "node_replace",
];

fn rows() -> BTreeMap<&'static str, Row> {
    [
        ("about_get", PUBLIC),
        ("session_create", PUBLIC),
        ("session_get", SIGNED_IN),
        ("session_switch", SIGNED_IN),
        ("session_delete", [401, 204, 204, 204, 204]),
        ("project_list", SIGNED_IN),
        ("template_list", SIGNED_IN),
        ("template_create", [401, 403, 201, 201, 201]),
        ("template_update", [401, 403, 200, 404, 404]),
        ("template_delete", [401, 403, 204, 404, 404]),
        ("cost_get", SIGNED_IN),
        ("project_network_list", SIGNED_IN),
        ("key_pair_list", SIGNED_IN),
        ("flavor_list", SIGNED_IN),
        ("image_list", SIGNED_IN),
        ("zone_list", SIGNED_IN),
        ("volume_type_list", SIGNED_IN),
        ("network_list", SIGNED_IN),
        ("version_list", SIGNED_IN),
        ("cluster_list", SIGNED_IN),
        ("cluster_create", [401, 403, 202, 202, 202]),
        ("cluster_create_plan", [401, 403, 200, 200, 200]),
        ("cluster_get", LOOK),
        ("cluster_update", [401, 403, 200, 404, 404]),
        ("cluster_delete_plan", LOOK),
        ("cluster_delete", [401, 403, 202, 404, 404]),
        ("resource_list", LOOK),
        ("addon_list", LOOK),
        ("node_pool_list", LOOK),
        ("node_pool_resize_plan", [401, 403, 200, 404, 404]),
        ("node_pool_resize", [401, 403, 202, 404, 404]),
        ("node_pool_create", BUSY),
        ("node_pool_delete", BUSY),
        ("control_plane_resize", BUSY),
        ("cluster_repair", BUSY),
        ("credential_rotate", BUSY),
        ("node_drain", BUSY),
        ("node_reboot", BUSY),
        ("node_replace", BUSY),
        // The cluster has no such node.
        ("node_cordon", [401, 403, 404, 404, 404]),
        ("node_uncordon", [401, 403, 404, 404, 404]),
        ("node_list", LOOK),
        // The node of the test has no server.
        ("node_console", [401, 404, 404, 404, 404]),
        ("kubeconfig_list", LOOK),
        ("kubeconfig_issue", [401, 201, 201, 404, 404]),
        // It is the member's: a reader may not even know of it.
        ("kubeconfig_revoke", [401, 404, 204, 404, 404]),
        ("kubernetes_node_list", LOOK_INSIDE),
        ("namespace_list", LOOK_INSIDE),
        ("deployment_list", LOOK_INSIDE),
        ("pod_list", LOOK_INSIDE),
        ("operation_list", SIGNED_IN),
        ("operation_get", LOOK),
        ("operation_events", LOOK),
        // It has succeeded.
        ("operation_retry", [401, 403, 409, 404, 404]),
        ("operation_cancel", [401, 403, 409, 404, 404]),
        // It is no delete.
        ("receipt_get", [401, 404, 404, 404, 404]),
        ("event_stream", SIGNED_IN),
        ("admin_cluster_list", [401, 403, 403, 403, 200]),
        ("orphan_list", [401, 403, 403, 403, 200]),
        ("orphan_decide", [401, 403, 403, 403, 200]),
        ("node_bundle", NODES_ONLY),
        ("node_progress", NODES_ONLY),
        ("node_done", NODES_ONLY),
        ("node_failed", NODES_ONLY),
        ("health_live", PUBLIC),
        ("health_ready", PUBLIC),
        ("metrics_get", PUBLIC),
        ("openapi_get", PUBLIC),
        ("docs_get", PUBLIC),
        ("docs_style", PUBLIC),
        ("docs_script", PUBLIC),
    ]
    .into()
}

/// What the paths' parameters are in the test.
struct Things {
    cluster: String,
    doomed: String,
    busy: String,
    operation: String,
    kubeconfig: String,
    template: String,
    orphan: String,
}

fn address(path: &str, operation: &str, things: &Things) -> String {
    let id = match operation {
        "cluster_delete" => &things.doomed,
        _ if ON_BUSY.contains(&operation) => &things.busy,
        _ if path.contains("/operations/") => &things.operation,
        _ if path.contains("/templates/") => &things.template,
        _ if path.contains("/orphans/") => &things.orphan,
        _ => &things.cluster,
    };
    let node = "01990000-0000-7000-8000-000000000000";
    path.replace("{id}", id).replace("{kid}", &things.kubeconfig).replace("{node}", node).replace("{pool}", "default")
}

fn body(operation: &str, who: usize) -> Option<Value> {
    let account = ["member-a", "reader-a", "member-a", "member-b", "operator"][who];
    let project = ["tenant-a", "tenant-a", "tenant-a", "tenant-b", "admin"][who];
    Some(match operation {
        "session_create" => json!({"username": account, "password": crate::house::PASSWORD}),
        "session_switch" => json!({"project": project}),
        "cluster_create" | "cluster_create_plan" => json!({"name": format!("{}-{who}", operation.replace('_', "-")), "template": "dev"}),
        "cluster_delete" => json!({"confirm": "doomed"}),
        "cluster_update" => json!({"deletion_protection": false}),
        "template_create" | "template_update" => json!({"name": operation, "spec": {}}),
        "node_pool_resize" | "node_pool_resize_plan" => json!({"count": 3}),
        "node_pool_create" => json!({"name": "second", "flavor": "m1.medium", "count": 1}),
        "control_plane_resize" => json!({"count": 3}),
        "kubeconfig_issue" => json!({"expires_in": 3600}),
        "orphan_decide" => json!({"decision": "keep"}),
        _ => return None,
    })
}

/// (operation id, method, path) of the document.
fn operations() -> Vec<(String, String, String)> {
    let document: Value = serde_json::from_str(&api::openapi::json().unwrap()).unwrap();
    let mut list = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            list.push((operation["operationId"].as_str().unwrap().to_owned(), method.to_uppercase(), path.clone()));
        }
    }
    list
}

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let mut routes: Vec<String> = operations().into_iter().map(|(id, ..)| id).collect();
    routes.sort();
    let rows: Vec<String> = rows().into_keys().map(str::to_owned).collect();
    assert_eq!(routes, rows);
}

#[actix_web::test]
async fn everybody_gets_what_the_table_says() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, operation) = house.running_cluster(&member, "web").await;
    let (doomed, _) = house.running_cluster(&member, "doomed").await;
    let issued = house.call(Some(&member), "POST", &format!("/api/v1/clusters/{cluster}/kubeconfigs"), Some(&json!({"expires_in": 3600}))).await;
    let kubeconfig = issued.body["id"].as_str().unwrap().to_owned();
    let kept = house.call(Some(&member), "POST", "/api/v1/templates", Some(&json!({"name": "kept", "spec": {}}))).await;
    let template = kept.body["id"].as_str().unwrap().to_owned();
    let busy = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&json!({"name": "busy", "template": "dev"}))).await;
    let busy = busy.body["cluster"]["id"].as_str().unwrap().to_owned();
    let orphan = house.orphan("kcs-lost-net").await.to_string();
    let things = Things { cluster, doomed, busy, operation, kubeconfig, template, orphan };
    let people: [Option<Person>; 5] =
        [None, Some(house.sign_in("reader-a").await), Some(member), Some(house.sign_in("member-b").await), Some(house.sign_in("operator").await)];
    let mut wrong = Vec::new();
    let table = rows();
    // What ends things comes last.
    let mut order = operations();
    order.sort_by_key(|(id, ..)| {
        matches!(id.as_str(), "session_switch" | "session_delete" | "kubeconfig_revoke" | "cluster_delete" | "template_delete")
    });
    for (id, method, path) in order {
        // Whoever is refused comes first.
        let mut visitors: Vec<usize> = (0..5).collect();
        visitors.sort_by_key(|who| table[id.as_str()][*who] < 300);
        for who in visitors {
            let own;
            let person = match (&people[who], id.as_str()) {
                (Some(_), "session_switch" | "session_delete") => {
                    own = house.sign_in(["", "reader-a", "member-a", "member-b", "operator"][who]).await;
                    Some(&own)
                }
                (person, _) => person.as_ref(),
            };
            let answer = house.call(person, &method, &address(&path, &id, &things), body(&id, who).as_ref()).await;
            let expected = table[id.as_str()][who];
            if answer.status != expected {
                wrong.push(format!("{id} as {who}: {} instead of {expected}: {}", answer.status, answer.body));
            }
            if answer.status >= 400 {
                assert_eq!(answer.content_type, "application/problem+json", "{id} as {who}");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[actix_web::test]
async fn case_64_a_foreign_object_looks_exactly_like_a_missing_one() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let foreign = house.sign_in("member-b").await;
    let (cluster, operation) = house.running_cluster(&member, "web").await;
    let nothing = "01990000-0000-7000-8000-000000000000";
    for (method, there, missing) in [
        ("GET", format!("/api/v1/clusters/{cluster}"), format!("/api/v1/clusters/{nothing}")),
        ("DELETE", format!("/api/v1/clusters/{cluster}"), format!("/api/v1/clusters/{nothing}")),
        ("GET", format!("/api/v1/operations/{operation}"), format!("/api/v1/operations/{nothing}")),
        ("POST", format!("/api/v1/operations/{operation}/retry"), format!("/api/v1/operations/{nothing}/retry")),
        ("GET", format!("/k8s/clusters/{cluster}/api"), format!("/k8s/clusters/{nothing}/api")),
    ] {
        let mut first = house.call(Some(&foreign), method, &there, Some(&json!({}))).await;
        let mut second = house.call(Some(&foreign), method, &missing, Some(&json!({}))).await;
        assert_eq!((first.status, second.status), (404, 404), "{method} {there}");
        for answer in [&mut first, &mut second] {
            answer.body["request_id"] = Value::Null;
        }
        assert_eq!(first.body, second.body);
    }
}

#[actix_web::test]
async fn a_write_without_the_csrf_token_is_refused() {
    let house = House::new().await;
    let mut member = house.sign_in("member-a").await;
    let body = json!({"name": "web", "template": "dev"});
    for csrf in ["", "kcs_x_0123456789"] {
        csrf.clone_into(&mut member.csrf);
        let answer = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&body)).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (403, Some("KCS-AUTH-004")));
    }
}

#[actix_web::test]
async fn a_keystone_token_is_as_good_as_a_session_and_needs_no_csrf_token() {
    let house = House::new().await;
    let token = house.keystone_token("member-a", "tenant-a").await;
    let answer = house.call_with(&[("x-auth-token", &token)], "POST", "/api/v1/clusters", Some(&json!({"name": "web", "template": "dev"}))).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    let foreign = house.keystone_token("member-b", "tenant-b").await;
    let id = answer.body["cluster"]["id"].as_str().unwrap();
    assert_eq!(house.call_with(&[("x-auth-token", &foreign)], "GET", &format!("/api/v1/clusters/{id}"), None).await.status, 404);
    assert_eq!(house.call_with(&[("x-auth-token", "nonsense")], "GET", "/api/v1/clusters", None).await.status, 401);
}
