//! Every route of the document × everybody who may come. A route without a row fails the test.

use crate::house::{Got, House, Person};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;

/// Statuses for these, in their order.
type Row = [u16; 9];

/// Whoever may come: nobody, somebody whose session is over, a member of another tenant, an operator in their own project; and of the tenant a
/// guest who was given one namespace of the cluster, a member's token narrowed to looking, a reader, a member and an owner.
const WHO: [&str; 9] = ["nobody", "expired", "foreign", "operator", "guest", "token", "reader", "member", "owner"];
/// Their accounts and projects.
const ACCOUNTS: [(&str, &str); 9] = [
    ("member-a", "tenant-a"),
    ("member-a", "tenant-a"),
    ("member-b", "tenant-b"),
    ("operator", "admin"),
    ("guest-a", "tenant-a"),
    ("member-a", "tenant-a"),
    ("reader-a", "tenant-a"),
    ("member-a", "tenant-a"),
    ("owner-a", "tenant-a"),
];

const PUBLIC: Row = [200; 9];
/// Anybody signed in.
const SIGNED_IN: Row = [401, 401, 200, 200, 200, 200, 200, 200, 200];
/// Looking at something of the tenant's.
const LOOK: Row = [401, 401, 404, 404, 200, 200, 200, 200, 200];
/// Looking at what is in no namespace: the guest was given one.
const LOOK_AROUND: Row = [401, 401, 404, 404, 403, 200, 200, 200, 200];
/// Nodes come with tokens of their own.
const NODES_ONLY: Row = [401; 9];
/// The cluster of the test has no API.
const LOOK_INSIDE: Row = [401, 401, 404, 404, 409, 409, 409, 409, 409];
const OPERATORS: Row = [401, 401, 403, 200, 403, 403, 403, 403, 403];

/// Members change what is the tenant's.
const fn change(done: u16) -> Row {
    [401, 401, 404, 404, 403, 403, 403, done, done]
}

/// Members make something in their own project, whichever that is.
const fn make(done: u16) -> Row {
    [401, 401, done, done, 403, 403, 403, done, done]
}

/// Owners say what others may do; of the operator's project the operator is one.
const fn own(operator: u16, done: u16) -> Row {
    [401, 401, 403, operator, 403, 403, 403, 403, done]
}

/// The guest was given nothing in this cluster, and does not know of it.
const fn unknown_to_guest(row: Row) -> Row {
    let mut row = row;
    row[4] = 404;
    row
}

/// The cluster of these is still being created: who may is told to wait.
const BUSY: Row = unknown_to_guest(change(409));
const ON_BUSY: [&str; 9] = [
    "node_pool_create",
    "node_pool_delete",
    "control_plane_resize",
    "cluster_repair",
    "credential_rotate",
    "encryption_key_rotate",
    "node_drain",
    "node_reboot",
    "node_replace",
];

fn rows() -> BTreeMap<&'static str, Row> {
    [
        ("about_get", PUBLIC),
        ("session_create", PUBLIC),
        // Nobody has the credential of the test.
        ("session_create_by_credential", [401; 9]),
        ("federation_list", PUBLIC),
        ("federation_begin", PUBLIC),
        // To the sign-in page: nobody has begun here.
        ("session_create_by_federation", [303; 9]),
        // A token is no session.
        ("session_get", [401, 401, 200, 200, 200, 401, 200, 200, 200]),
        ("session_switch", [401, 401, 200, 200, 200, 401, 200, 200, 200]),
        ("session_delete", [401, 401, 204, 204, 204, 401, 204, 204, 204]),
        ("project_list", SIGNED_IN),
        ("template_list", SIGNED_IN),
        ("template_create", make(201)),
        ("template_update", change(200)),
        // The member has deleted it when the owner comes.
        ("template_delete", [401, 401, 404, 404, 403, 403, 403, 204, 404]),
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
        ("cluster_create", make(202)),
        ("cluster_create_plan", make(200)),
        ("cluster_get", LOOK),
        ("cluster_update", change(200)),
        ("cluster_delete_plan", LOOK_AROUND),
        ("cluster_delete", unknown_to_guest(change(202))),
        ("resource_list", LOOK_AROUND),
        ("addon_list", LOOK_AROUND),
        ("node_pool_list", LOOK_AROUND),
        ("node_pool_resize_plan", change(200)),
        // The member's is under way when the owner comes.
        ("node_pool_resize", [401, 401, 404, 404, 403, 403, 403, 202, 409]),
        ("node_pool_create_plan", change(200)),
        ("node_pool_create", BUSY),
        ("node_pool_delete", BUSY),
        ("control_plane_resize_plan", change(200)),
        ("control_plane_resize", BUSY),
        ("cluster_repair", BUSY),
        ("credential_rotate", BUSY),
        ("encryption_key_rotate", BUSY),
        ("node_drain", BUSY),
        ("node_reboot", BUSY),
        ("node_replace", BUSY),
        // The cluster has no such node.
        ("node_cordon", change(404)),
        ("node_uncordon", change(404)),
        ("node_list", LOOK_AROUND),
        // The cluster has no such node.
        ("node_console", change(404)),
        ("kubeconfig_list", LOOK),
        // A token is good at the gate by itself.
        ("kubeconfig_issue", [401, 401, 404, 404, 201, 403, 201, 201, 201]),
        // It is the member's: who does not see all may not even know of it.
        ("kubeconfig_revoke", [401, 401, 404, 404, 404, 403, 404, 204, 204]),
        ("kubeconfig_revoke_all", change(200)),
        ("certificate_list", LOOK),
        // It would outlive a token's revocation. The cluster has no API to lead to.
        ("certificate_issue", [401, 401, 404, 404, 409, 403, 409, 409, 409]),
        ("admin_people_list", OPERATORS),
        // Nobody holds anything by the id of a cluster.
        ("admin_person_cut_off", [401, 401, 403, 404, 403, 403, 403, 403, 403]),
        // Nodes are in no namespace.
        ("kubernetes_node_list", [401, 401, 404, 404, 403, 409, 409, 409, 409]),
        ("namespace_list", LOOK_INSIDE),
        ("deployment_list", LOOK_INSIDE),
        ("pod_list", LOOK_INSIDE),
        ("kubeconfig_exec", LOOK),
        ("device_begin", PUBLIC),
        // Nothing was allowed under that code, and nobody asks with the other.
        ("device_token", [400; 9]),
        ("device_get", [401, 401, 404, 404, 404, 403, 404, 404, 404]),
        ("device_answer", [401, 401, 404, 404, 404, 403, 404, 404, 404]),
        ("token_list", SIGNED_IN),
        // A token makes no others.
        ("token_create", [401, 401, 201, 201, 201, 403, 201, 201, 201]),
        ("token_revoke", [401, 401, 404, 404, 404, 403, 404, 204, 204]),
        ("member_list", SIGNED_IN),
        // The person is not one of the operator's project.
        ("member_give", own(400, 200)),
        ("member_reset", own(404, 204)),
        ("role_list", SIGNED_IN),
        ("role_create", own(201, 201)),
        ("role_update", own(404, 200)),
        ("role_delete", own(404, 204)),
        ("quota_get", SIGNED_IN),
        ("quota_request_list", SIGNED_IN),
        // The member's waits when the owner comes.
        ("quota_request_create", [401, 401, 201, 201, 403, 403, 403, 201, 409]),
        // The operator has approved it.
        ("quota_request_withdraw", change(409)),
        ("admin_quota_request_list", OPERATORS),
        ("admin_quota_request_decide", OPERATORS),
        ("admin_tenant_list", OPERATORS),
        ("admin_tenant_get", OPERATORS),
        ("admin_tenant_update", OPERATORS),
        ("operation_list", SIGNED_IN),
        ("operation_get", LOOK),
        ("operation_events", LOOK),
        // It has succeeded.
        ("operation_retry", change(409)),
        ("operation_cancel", change(409)),
        // It is no delete.
        ("receipt_get", [401, 401, 404, 404, 403, 404, 404, 404, 404]),
        ("event_stream", SIGNED_IN),
        ("audit_list", SIGNED_IN),
        ("audit_export", SIGNED_IN),
        ("admin_audit_list", OPERATORS),
        ("admin_audit_export", OPERATORS),
        ("admin_cluster_list", OPERATORS),
        ("announcement_list", SIGNED_IN),
        ("admin_catalogue_get", OPERATORS),
        ("admin_announcement_list", OPERATORS),
        ("admin_announcement_create", [401, 401, 403, 201, 403, 403, 403, 403, 403]),
        ("admin_announcement_update", OPERATORS),
        ("admin_announcement_end", OPERATORS),
        ("admin_operation_list", OPERATORS),
        // It has succeeded.
        ("admin_operation_retry", [401, 401, 403, 409, 403, 403, 403, 403, 403]),
        ("admin_operation_cancel", [401, 401, 403, 409, 403, 403, 403, 403, 403]),
        ("queue_get", OPERATORS),
        ("queue_pause", OPERATORS),
        ("queue_resume", OPERATORS),
        ("cluster_pause", OPERATORS),
        ("cluster_resume", OPERATORS),
        // The project of the cluster is there.
        ("cluster_write_off", [401, 401, 403, 409, 403, 403, 403, 403, 403]),
        ("orphan_list", OPERATORS),
        ("orphan_decide", OPERATORS),
        ("key_report", OPERATORS),
        ("settings_get", OPERATORS),
        ("settings_history", OPERATORS),
        ("settings_save", OPERATORS),
        ("settings_test", OPERATORS),
        ("node_bundle", NODES_ONLY),
        ("node_progress", NODES_ONLY),
        ("node_done", NODES_ONLY),
        ("node_failed", NODES_ONLY),
        ("health_live", PUBLIC),
        ("health_ready", PUBLIC),
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
    token: String,
    template: String,
    orphan: String,
    member: String,
    role: String,
    request: String,
    tenant: String,
    announcement: String,
}

fn address(path: &str, operation: &str, things: &Things) -> String {
    let id = match operation {
        "cluster_delete" => &things.doomed,
        _ if ON_BUSY.contains(&operation) => &things.busy,
        _ if path.contains("/operations/") => &things.operation,
        _ if path.contains("/templates/") => &things.template,
        _ if path.contains("/tokens/") => &things.token,
        _ if path.contains("/orphans/") => &things.orphan,
        _ if path.contains("/members/") => &things.member,
        _ if path.contains("/roles/") => &things.role,
        _ if path.contains("/quota-requests/") => &things.request,
        _ if path.contains("/announcements/") => &things.announcement,
        _ if path.contains("/tenants/") => &things.tenant,
        _ => &things.cluster,
    };
    let node = "01990000-0000-7000-8000-000000000000";
    path.replace("{id}", id)
        .replace("{kid}", &things.kubeconfig)
        .replace("{node}", node)
        .replace("{pool}", "default")
        .replace("{user_code}", "BCDF-GHJK")
}

fn body(operation: &str, who: usize) -> Option<Value> {
    let (account, project) = ACCOUNTS[who];
    Some(match operation {
        "session_create" => json!({"username": account, "password": crate::house::PASSWORD}),
        "session_create_by_credential" => json!({"id": format!("0123456789abcdef{who:016x}"), "secret": "nonsense"}),
        "federation_begin" => json!({"provider": "corp"}),
        "session_switch" => json!({"project": project}),
        "cluster_create" | "cluster_create_plan" => json!({"name": format!("{}-{who}", operation.replace('_', "-")), "template": "dev"}),
        "cluster_delete" => json!({"confirm": "doomed"}),
        "cluster_write_off" => json!({"confirm": "web"}),
        "cluster_update" => json!({"deletion_protection": false}),
        "template_create" | "template_update" => json!({"name": format!("{operation}-{who}"), "spec": {}}),
        "node_pool_resize" | "node_pool_resize_plan" => json!({"count": 3}),
        "node_pool_create" | "node_pool_create_plan" => json!({"name": "second", "flavor": "m1.medium", "count": 1}),
        "control_plane_resize" | "control_plane_resize_plan" => json!({"count": 3}),
        "token_create" => json!({"name": "ci", "expires_in": 3600}),
        "device_begin" => json!({"client_name": "kcs", "host_name": "laptop"}),
        "device_token" => json!({"device_code": "kcs_device_nonsense"}),
        "device_answer" => json!({"allow": true}),
        "kubeconfig_issue" | "certificate_issue" => json!({"expires_in": 3600}),
        "member_give" => json!({"role": "reader"}),
        "role_create" | "role_update" => json!({"name": operation, "permissions": ["node_operate"]}),
        "orphan_decide" => json!({"decision": "keep"}),
        "queue_pause" | "cluster_pause" => json!({"reason": "work on the cloud"}),
        "admin_announcement_create" | "admin_announcement_update" => json!({"kind": "notice", "severity": "info", "zh": "\u{5b57}", "en": "words"}),
        "quota_request_create" => json!({"wanted": {"clusters": 40}, "reason": "growth"}),
        "admin_quota_request_decide" => json!({"answer": "approve"}),
        "settings_save" | "settings_test" => json!({"revision": 0}),
        "admin_tenant_update" => json!({"limits": {"nodes": 1000}, "allowed": {}}),
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

/// Keystone's id of somebody in the owner's project.
async fn id_of(house: &House, owner: &Person, name: &str) -> String {
    let members = house.call(Some(owner), "GET", "/api/v1/members", None).await.body;
    members["items"].as_array().unwrap().iter().find(|m| m["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
}

/// Everybody of `WHO`.
struct Visitors {
    people: [Option<Person>; 9],
    /// The narrowed token, as a header.
    bearer: String,
}

impl Visitors {
    /// The guest has the namespace `web` of the cluster.
    async fn to(house: &House, cluster: &str) -> Self {
        let (owner, member) = (house.sign_in("owner-a").await, house.sign_in("member-a").await);
        let place = json!({"role": "guest", "places": [{"cluster": cluster, "namespace": "web", "role": "member"}]});
        let given = house.call(Some(&owner), "PUT", &format!("/api/v1/members/{}", id_of(house, &owner, "guest-a").await), Some(&place)).await;
        assert_eq!(given.status, 200, "{}", given.body);
        let looks = json!({"name": "looks", "expires_in": 3600, "permissions": []});
        let looks = house.call(Some(&member), "POST", "/api/v1/tokens", Some(&looks)).await;
        let expired = house.sign_in("member-a").await;
        house.database.execute("UPDATE sessions SET expires_at = now() WHERE created_at = (SELECT max(created_at) FROM sessions)").await;
        let (foreign, operator) = (house.sign_in("member-b").await, house.sign_in("operator").await);
        let (guest, reader) = (house.sign_in("guest-a").await, house.sign_in("reader-a").await);
        Self {
            people: [None, Some(expired), Some(foreign), Some(operator), Some(guest), None, Some(reader), Some(member), Some(owner)],
            bearer: format!("Bearer {}", looks.body["secret"].as_str().unwrap()),
        }
    }

    async fn call(&self, house: &House, who: usize, method: &str, path: &str, body: Option<&Value>) -> Got {
        match WHO[who] {
            "token" => house.call_with(&[("authorization", &self.bearer)], method, path, body).await,
            _ => house.call(self.people[who].as_ref(), method, path, body).await,
        }
    }
}

#[actix_web::test]
async fn everybody_gets_through_the_gate_what_the_table_says() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _api) = house.cluster_with_answering_api(&member, "web").await;
    let people = Visitors::to(&house, &cluster).await;
    let row = |guest, looks, writes| [401, 401, 404, 404, guest, looks, looks, writes, writes];
    let mut wrong = Vec::new();
    for (method, path, row) in [
        ("GET", "/version", row(200, 200, 200)),
        ("GET", "/openapi/v3", row(200, 200, 200)),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", row(200, 200, 200)),
        ("GET", "/api/v1/namespaces/web/pods", row(200, 200, 200)),
        ("GET", "/apis/apps/v1/namespaces/web/deployments?watch=1", row(200, 200, 200)),
        ("GET", "/api/v1/namespaces/web/pods/p/log?follow=1", row(200, 200, 200)),
        ("GET", "/api/v1/namespaces/default/pods", row(403, 200, 200)),
        ("GET", "/api/v1/watch/namespaces/default/pods", row(403, 200, 200)),
        ("GET", "/api/v1/pods", row(403, 200, 200)),
        ("GET", "/api/v1/nodes", row(403, 200, 200)),
        ("GET", "/api/v1/namespaces", row(403, 200, 200)),
        ("GET", "/api/v1/namespaces/web", row(200, 200, 200)),
        ("GET", "/api/v1/namespaces/default", row(403, 200, 200)),
        ("GET", "/api/v1/watch/namespaces/web", row(403, 200, 200)),
        ("GET", "/api/v1/namespaces/web/status", row(403, 200, 200)),
        ("PATCH", "/api/v1/namespaces/web", row(403, 403, 200)),
        ("DELETE", "/api/v1/namespaces/web", row(403, 403, 200)),
        ("GET", "/api/v1/namespaces/web/secrets", row(200, 403, 200)),
        ("GET", "/api/v1/namespaces/default/secrets/s", row(403, 403, 200)),
        ("GET", "/api/v1/secrets", row(403, 403, 200)),
        ("POST", "/api/v1/namespaces/web/pods", row(200, 403, 200)),
        ("PUT", "/api/v1/namespaces/web/secrets/s", row(200, 403, 200)),
        ("PATCH", "/apis/apps/v1/namespaces/web/deployments/d/scale", row(200, 403, 200)),
        ("DELETE", "/api/v1/namespaces/default/pods/p", row(403, 403, 200)),
        ("POST", "/api/v1/namespaces", row(403, 403, 200)),
        ("DELETE", "/api/v1/nodes/n", row(403, 403, 200)),
        ("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", row(403, 403, 200)),
        ("GET", "/api/v1/namespaces/web/pods/p/exec?command=id", row(200, 403, 200)),
        ("POST", "/api/v1/namespaces/web/pods/p/attach", row(200, 403, 200)),
        ("GET", "/api/v1/namespaces/default/pods/p/portforward", row(403, 403, 200)),
        ("GET", "/api/v1/namespaces/web/services/s/proxy/", row(403, 403, 403)),
        ("GET", "/api/v1/nodes/n/proxy/run/x", row(403, 403, 403)),
    ] {
        for (who, expected) in row.into_iter().enumerate() {
            let body = (method != "GET").then(|| json!({}));
            let answer = people.call(&house, who, method, &format!("/k8s/clusters/{cluster}{path}"), body.as_ref()).await;
            if answer.status != expected {
                wrong.push(format!("{method} {path} as {}: {} instead of {expected}: {}", WHO[who], answer.status, answer.body));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[actix_web::test]
async fn everybody_gets_what_the_table_says() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, operation) = house.running_cluster(&member, "web").await;
    let (doomed, _) = house.running_cluster(&member, "doomed").await;
    house.call(Some(&member), "PATCH", &format!("/api/v1/clusters/{cluster}"), Some(&json!({"direct_access": true}))).await;
    let issued = house.call(Some(&member), "POST", &format!("/api/v1/clusters/{cluster}/kubeconfigs"), Some(&json!({"expires_in": 3600}))).await;
    let kubeconfig = issued.body["id"].as_str().unwrap().to_owned();
    let token = house.call(Some(&member), "POST", "/api/v1/tokens", Some(&json!({"name": "ci", "expires_in": 3600}))).await;
    let token = token.body["id"].as_str().unwrap().to_owned();
    let kept = house.call(Some(&member), "POST", "/api/v1/templates", Some(&json!({"name": "kept", "spec": {}}))).await;
    let template = kept.body["id"].as_str().unwrap().to_owned();
    let busy = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&json!({"name": "busy", "template": "dev"}))).await;
    let busy = busy.body["cluster"]["id"].as_str().unwrap().to_owned();
    let orphan = house.orphan("kcs-lost-net").await.to_string();
    let ask = json!({"wanted": {"clusters": 30}, "reason": "growth"});
    let request = house.call(Some(&member), "POST", "/api/v1/quota-requests", Some(&ask)).await.body;
    let (request, tenant) = (request["id"].as_str().unwrap().to_owned(), request["project"]["id"].as_str().unwrap().to_owned());
    let owner = house.sign_in("owner-a").await;
    let role = house.call(Some(&owner), "POST", "/api/v1/roles", Some(&json!({"name": "kept", "permissions": []}))).await;
    let role = role.body["id"].as_str().unwrap().to_owned();
    let operator = house.sign_in("operator").await;
    let announcement = json!({"kind": "notice", "severity": "info", "zh": "\u{5b57}", "en": "words"});
    let announcement = house.call(Some(&operator), "POST", "/api/v1/admin/announcements", Some(&announcement)).await;
    let announcement = announcement.body["id"].as_str().unwrap().to_owned();
    let people = Visitors::to(&house, &cluster).await;
    let member = id_of(&house, &owner, "both").await;
    let things = Things { cluster, doomed, busy, operation, kubeconfig, token, template, orphan, member, role, request, tenant, announcement };
    let mut wrong = Vec::new();
    let table = rows();
    // What ends things comes last.
    let mut order = operations();
    order.sort_by_key(|(id, ..)| {
        matches!(
            id.as_str(),
            "session_switch"
                | "session_delete"
                | "kubeconfig_revoke"
                | "kubeconfig_revoke_all"
                | "token_revoke"
                | "cluster_delete"
                | "template_delete"
                | "member_reset"
                | "role_delete"
                | "admin_announcement_end"
        )
    });
    for (id, method, path) in order {
        // Whoever is refused comes first, and the owner last.
        let mut visitors: Vec<usize> = (0..WHO.len()).collect();
        visitors.sort_by_key(|who| WHO[*who] == "owner" || table[id.as_str()][*who] < 300);
        for who in visitors {
            let (address, body) = (address(&path, &id, &things), body(&id, who));
            let ends = matches!(id.as_str(), "session_switch" | "session_delete") && !matches!(WHO[who], "nobody" | "expired" | "token");
            let answer = if ends {
                let own = house.sign_in(ACCOUNTS[who].0).await;
                house.call(Some(&own), &method, &address, body.as_ref()).await
            } else {
                people.call(&house, who, &method, &address, body.as_ref()).await
            };
            let expected = table[id.as_str()][who];
            if answer.status != expected {
                wrong.push(format!("{id} as {}: {} instead of {expected}: {}", WHO[who], answer.status, answer.body));
            }
            if answer.status >= 400 {
                assert_eq!(answer.content_type, "application/problem+json", "{id} as {}", WHO[who]);
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

/// A sign test over pairs: were the two alike, each would be the slower one half of the time.
#[actix_web::test]
async fn case_64_a_foreign_object_takes_as_long_as_a_missing_one() {
    const PAIRS: u32 = 300;
    let house = House::new().await;
    let (member, foreign) = (house.sign_in("member-a").await, house.sign_in("member-b").await);
    let (cluster, operation) = house.running_cluster(&member, "web").await;
    let nothing = "01990000-0000-7000-8000-000000000000";
    for (there, missing) in [
        (format!("/api/v1/clusters/{cluster}"), format!("/api/v1/clusters/{nothing}")),
        (format!("/api/v1/operations/{operation}"), format!("/api/v1/operations/{nothing}")),
        (format!("/k8s/clusters/{cluster}/api"), format!("/k8s/clusters/{nothing}/api")),
    ] {
        let time = async |path: &str| {
            let begun = Instant::now();
            assert_eq!(house.call(Some(&foreign), "GET", path, None).await.status, 404);
            begun.elapsed()
        };
        let mut slower = 0;
        for pair in 0..PAIRS {
            // Neither has the advantage of coming second.
            let (of_there, of_missing) = if pair % 2 == 0 {
                let first = time(&there).await;
                (first, time(&missing).await)
            } else {
                let first = time(&missing).await;
                (time(&there).await, first)
            };
            slower += u32::from(of_there > of_missing);
        }
        // Five standard deviations: by chance once in two million runs.
        let spread = 5.0 * f64::from(PAIRS).sqrt() / 2.0;
        assert!((f64::from(slower) - f64::from(PAIRS) / 2.0).abs() < spread, "{there}: slower {slower} times of {PAIRS}");
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
