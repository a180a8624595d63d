//! `docs/authorization.md` says what everybody gets who may come. It is read here, and tried: every route of the document and every verb through the gate ×
//! everybody.

use crate::cluster_api::ClusterApi;
use crate::house::{Got, House, PASSWORD, Person};
use crate::members::{give, id_of};
use local_cloud::{Effect, FaultRule, Service};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = include_str!("../../../../docs/authorization.md");

/// Whoever may come, in the order of the page, which says who they are.
const WHO: [&str; 9] = ["nobody", "expired", "foreign", "operator", "guest", "token", "reader", "member", "owner"];
pub const FOREIGN: usize = 2;
pub const GUEST: usize = 4;
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
/// What may be done through the gate; each is on the page within the guest's namespace and beyond it.
const VERBS: [&str; 14] =
    ["get", "list", "watch", "logs", "create", "update", "patch", "delete", "deletecollection", "evict", "exec", "attach", "portforward", "proxy"];
/// The cluster of these is still being created.
const ON_BUSY: [&str; 11] = [
    "node_pool_create",
    "node_pool_delete",
    "control_plane_resize",
    "cluster_repair",
    "credential_rotate",
    "encryption_key_rotate",
    "api_audit_change",
    "api_access_change",
    "node_drain",
    "node_reboot",
    "node_replace",
];
/// What ends things comes last.
const ENDS: [&str; 10] = [
    "session_switch",
    "session_delete",
    "kubeconfig_revoke",
    "kubeconfig_revoke_all",
    "token_revoke",
    "cluster_delete",
    "template_delete",
    "member_reset",
    "role_delete",
    "admin_announcement_end",
];

/// A line of the page: a call by its name, and the statuses for these in their order.
struct Line {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    statuses: [u16; 9],
}

/// The cells of the tables under a heading of the page, without their heads.
fn cells(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, rest) = PAGE.split_once(&format!("\n## {heading}\n")).unwrap();
    let rows = rest.split("\n## ").next().unwrap().lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect()).collect()
}

fn lines(heading: &str) -> Vec<Line> {
    let line = |row: Vec<&'static str>| {
        assert_eq!(row.len(), 3 + WHO.len(), "{row:?}");
        let (method, path) = row[1].split_once(' ').unwrap();
        Line { name: row[0], method, path, statuses: std::array::from_fn(|who| row[2 + who].parse().unwrap()) }
    };
    cells(heading).into_iter().map(line).collect()
}

/// What is sent by one of `WHO`.
pub fn body(operation: &str, who: usize) -> Option<Value> {
    let (account, project) = ACCOUNTS[who];
    Some(match operation {
        "session_create" => json!({"username": account, "password": PASSWORD}),
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
        "api_audit_change" => json!({"level": "metadata"}),
        "api_access_change" => json!({"exposure": "restricted", "allowed_cidrs": ["192.0.2.0/24"]}),
        "storage_class_create" => json!({"name": "fast", "volume_type": "ssd"}),
        "node_pool_mark" => json!({"labels": {"tier": "web"}, "taints": []}),
        "node_update" => json!({"labels": {"tier": "web"}}),
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
pub fn operations() -> Vec<(String, String, String)> {
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
    let mut routes = operations();
    routes.sort();
    let text = |line: Line| (line.name.to_owned(), line.method.to_owned(), line.path.to_owned());
    let mut rows: Vec<_> = lines("Routes").into_iter().map(text).collect();
    rows.sort();
    assert_eq!(routes, rows);
    for head in PAGE.lines().filter(|line| line.contains("| nobody |")) {
        let titles: Vec<_> = head.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(&titles[2..11], &WHO[..], "{head}");
    }
}

/// A route that everybody is kept from, or finds nothing at, says nothing of who may.
#[test]
fn every_route_lets_somebody_in_but_those_that_the_page_names() {
    let closed = |line: &Line| line.statuses.iter().all(|status| matches!(status, 401 | 403 | 404));
    let closed: BTreeSet<_> = lines("Routes").iter().filter(|line| closed(line)).map(|line| line.name).collect();
    let named: BTreeSet<_> = cells("Let in by none of these").into_iter().map(|row| row[0]).collect();
    assert_eq!(closed, named);
}

#[test]
fn every_verb_has_rows_within_a_namespace_and_beyond_it() {
    let lines = lines("Into clusters");
    for verb in VERBS {
        for within in [true, false] {
            let there = lines.iter().any(|line| line.name == verb && line.path.contains("/namespaces/web/") == within);
            assert!(there, "{verb}, within the namespace: {within}");
        }
    }
}

/// What the paths' parameters are in the test.
#[derive(Clone)]
pub struct Things {
    pub cluster: String,
    pub doomed: String,
    pub busy: String,
    pub node: String,
    pub operation: String,
    /// The operation that deleted a cluster.
    pub deletion: String,
    pub kubeconfig: String,
    pub token: String,
    pub template: String,
    /// A person of the tenant's only.
    pub member: String,
    /// A person who holds a session.
    pub holder: String,
    /// A person who holds a token besides, and that token.
    pub maker: String,
    pub held: String,
    pub role: String,
    pub request: String,
    pub tenant: String,
    pub orphan: String,
    pub announcement: String,
    /// Codes of programs that want to be signed in, one for each of `WHO`.
    pub codes: Vec<String>,
}

impl Things {
    /// All of tenant A, and what operators have. The API of its cluster answers as long as it is held.
    pub async fn in_house(house: &House) -> (Self, ClusterApi) {
        let (member, owner, operator) = (house.sign_in("member-a").await, house.sign_in("owner-a").await, house.sign_in("operator").await);
        house.sign_in("both").await;
        let (cluster, operation, node, api) = house.cluster_with_worker(&member, "web").await;
        let (doomed, _) = house.running_cluster(&member, "doomed").await;
        let deletion = house.deleted_cluster(&member, "gone").await;
        let console = FaultRule::new(Effect::Status { status: 200, body: Some(json!({"output": "it boots"})) });
        house.cloud.inject(console.on(Service::Compute, "POST", "/servers/.*/action$").count(None));
        let path = format!("/api/v1/clusters/{cluster}");
        let open = house.call(Some(&member), "PATCH", &path, Some(&json!({"direct_access": true}))).await;
        assert_eq!(open.status, 200, "{}", open.body);
        let made = async |person: &Person, path: &str, wanted: Value| {
            let made = house.call(Some(person), "POST", path, Some(&wanted)).await;
            assert!(matches!(made.status, 200..=202), "{path}: {}", made.body);
            made.body
        };
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let busy = made(&member, "/api/v1/clusters", json!({"name": "busy", "template": "dev"})).await;
        let token = made(&member, "/api/v1/tokens", json!({"name": "ci", "expires_in": 3600})).await;
        let held = made(&member, "/api/v1/tokens", json!({"name": "spare", "expires_in": 3600})).await;
        let template = made(&member, "/api/v1/templates", json!({"name": "kept", "spec": {}})).await;
        let request = made(&member, "/api/v1/quota-requests", json!({"wanted": {"clusters": 30}, "reason": "growth"})).await;
        let role = made(&owner, "/api/v1/roles", json!({"name": "kept", "permissions": []})).await;
        let announcement = json!({"kind": "notice", "severity": "info", "zh": "\u{5b57}", "en": "words"});
        let announcement = made(&operator, "/api/v1/admin/announcements", announcement).await;
        let mut codes = Vec::new();
        for _ in WHO {
            let begun = house.call(None, "POST", "/api/v1/device", Some(&json!({"client_name": "kcs", "host_name": "laptop"}))).await;
            codes.push(text(&begun.body["user_code"]));
        }
        let things = Self {
            doomed,
            busy: text(&busy["cluster"]["id"]),
            node: node.to_string(),
            operation,
            deletion,
            kubeconfig: house.kubeconfig(&member, &cluster).await.0,
            token: text(&token["id"]),
            template: text(&template["id"]),
            member: id_of(house, &owner, "totp-a").await,
            holder: id_of(house, &owner, "both").await,
            maker: id_of(house, &owner, "member-a").await,
            held: text(&held["id"]),
            role: text(&role["id"]),
            request: text(&request["id"]),
            tenant: text(&request["project"]["id"]),
            orphan: house.orphan("kcs-lost-net").await.to_string(),
            announcement: text(&announcement["id"]),
            codes,
            cluster,
        };
        (things, api)
    }

    /// Where one of `WHO` finds the thing of a route.
    pub fn address(&self, path: &str, route: &str, who: usize) -> String {
        let id = match route {
            "cluster_delete" => &self.doomed,
            "receipt_get" | "admin_receipt_get" => &self.deletion,
            "admin_person_cut_off" => &self.holder,
            "admin_access_list" | "admin_access_end" | "member_kubeconfig_revoke_all" => &self.maker,
            _ if ON_BUSY.contains(&route) => &self.busy,
            _ if path.contains("/operations/") => &self.operation,
            _ if path.contains("/templates/") => &self.template,
            _ if path.contains("/tokens/") => &self.token,
            _ if path.contains("/orphans/") => &self.orphan,
            _ if path.contains("/members/") => &self.member,
            _ if path.contains("/roles/") => &self.role,
            _ if path.contains("/quota-requests/") => &self.request,
            _ if path.contains("/announcements/") => &self.announcement,
            _ if path.contains("/tenants/") => &self.tenant,
            _ => &self.cluster,
        };
        let path = path.replace("{id}", id).replace("{kid}", &self.kubeconfig).replace("{node}", &self.node);
        let path = path.replace("{held}", &self.held);
        path.replace("{pool}", "default").replace("{name}", "fast").replace("{user_code}", &self.codes[who])
    }
}

/// Everybody of `WHO`.
pub struct Visitors {
    pub people: [Option<Person>; 9],
    /// The narrowed token, as a header.
    bearer: String,
}

impl Visitors {
    /// The guest has the namespace `web` of the cluster.
    pub async fn to(house: &House, cluster: &str) -> Self {
        let (owner, member) = (house.sign_in("owner-a").await, house.sign_in("member-a").await);
        let place = json!({"cluster": cluster, "namespace": "web", "role": "member"});
        give(house, &owner, "guest-a", json!({"role": "guest", "places": [place]})).await;
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
    let mut wrong = Vec::new();
    for Line { method, path, statuses, .. } in lines("Into clusters") {
        for (who, expected) in statuses.into_iter().enumerate() {
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
    let (things, _api) = Things::in_house(&house).await;
    let people = Visitors::to(&house, &things.cluster).await;
    let table: BTreeMap<_, _> = lines("Routes").into_iter().map(|line| (line.name, line.statuses)).collect();
    let mut order = operations();
    order.sort_by_key(|(id, ..)| ENDS.contains(&id.as_str()));
    let mut wrong = Vec::new();
    for (id, method, path) in order {
        let statuses = table[id.as_str()];
        // Whoever is refused comes first, and the owner last.
        let mut visitors: Vec<usize> = (0..WHO.len()).collect();
        visitors.sort_by_key(|who| WHO[*who] == "owner" || statuses[*who] < 300);
        for who in visitors {
            let (address, body) = (things.address(&path, &id, who), body(&id, who));
            let ends = matches!(id.as_str(), "session_switch" | "session_delete") && !matches!(WHO[who], "nobody" | "expired" | "token");
            let answer = if ends {
                let own = house.sign_in(ACCOUNTS[who].0).await;
                house.call(Some(&own), &method, &address, body.as_ref()).await
            } else {
                people.call(&house, who, &method, &address, body.as_ref()).await
            };
            let expected = statuses[who];
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
