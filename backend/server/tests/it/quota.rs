//! What a project may have: limits that refuse with figures, requests and their answers, and a catalogue narrowed to what is allowed.

use crate::house::{House, Person};
use crate::members::give;
use crate::tokens::make;
use serde_json::{Value, json};

/// Keystone's id of the person's project.
async fn project(house: &House, person: &Person) -> String {
    let session = house.call(Some(person), "GET", "/api/v1/session", None).await.body;
    session["project"]["id"].as_str().unwrap().to_owned()
}

async fn set(house: &House, operator: &Person, tenant: &str, terms: Value) -> Value {
    let answer = house.call(Some(operator), "PUT", &format!("/api/v1/admin/tenants/{tenant}"), Some(&terms)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn row<'a>(list: &'a Value, resource: &str) -> &'a Value {
    list.as_array().unwrap().iter().find(|row| row["resource"] == resource).unwrap()
}

fn named(name: &str) -> Value {
    json!({"name": name, "template": "dev"})
}

#[actix_web::test]
async fn a_limit_refuses_with_figures_until_a_request_for_more_is_approved() {
    let house = House::new().await;
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    let (web, _) = house.running_cluster(&member, "web").await;
    let tenant = project(&house, &member).await;
    set(&house, &operator, &tenant, json!({"limits": {"nodes": 5, "clusters": null}, "allowed": {}})).await;
    let quota = house.call(Some(&member), "GET", "/api/v1/quota", None).await.body;
    assert_eq!((row(&quota["limits"], "nodes"), &quota["partial"]), (&json!({"resource": "nodes", "used": 3, "limit": 5}), &json!(false)));
    assert_eq!(row(&quota["limits"], "clusters")["limit"], Value::Null);
    assert!(row(&quota["limits"], "memory_gib")["used"].as_u64().unwrap() > 0, "{quota}");

    let plan = house.call(Some(&member), "POST", "/api/v1/clusters/plan", Some(&named("two"))).await.body;
    assert_eq!((&plan["blocked"], &plan["limits"]), (&json!(true), &json!([{"resource": "nodes", "used": 3, "limit": 5, "need": 3, "promised": 0}])));
    let check = plan["checks"].as_array().unwrap().iter().find(|check| check["key"] == "tenant_quota").unwrap();
    assert_eq!((&check["level"], &check["code"], &check["params"]["short"]), (&json!("blocked"), &json!("KCS-QUOTA-005"), &json!(1)));
    let refused = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&named("two"))).await;
    assert_eq!((refused.status, &refused.body["code"]), (409, &json!("KCS-QUOTA-005")), "{}", refused.body);
    assert_eq!(refused.body["params"], json!({"resource": "nodes", "used": 3, "need": 3, "limit": 5, "left": 2, "short": 1}));
    assert!(refused.body["remedy"].as_str().unwrap().contains("ask for more"));
    for (method, path, body) in [
        ("PATCH", "node-pools/default", json!({"count": 5})),
        ("POST", "node-pools", json!({"name": "second", "flavor": "m1.medium", "count": 3})),
        ("PATCH", "control-plane", json!({"count": 5})),
    ] {
        let path = format!("/api/v1/clusters/{web}/{path}");
        let refused = house.call(Some(&member), method, &path, Some(&body)).await;
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!("KCS-QUOTA-005")), "{path}: {}", refused.body);
        let plan = house.call(Some(&member), "POST", &format!("{path}/plan"), Some(&body)).await.body;
        assert_eq!((&plan["blocked"], &plan["limits"][0]["limit"]), (&json!(true), &json!(5)), "{path}");
    }

    let ask = json!({"wanted": {"nodes": 9}, "reason": "the season begins"});
    let asked = house.call(Some(&member), "POST", "/api/v1/quota-requests", Some(&ask)).await;
    assert_eq!((asked.status, &asked.body["state"]), (201, &json!("pending")), "{}", asked.body);
    let twice = house.call(Some(&member), "POST", "/api/v1/quota-requests", Some(&ask)).await;
    assert_eq!((twice.status, &twice.body["code"]), (409, &json!("KCS-QUOTA-007")));
    let waiting = house.call(Some(&operator), "GET", "/api/v1/admin/quota-requests?state=pending", None).await.body;
    assert_eq!((&waiting["total"], &waiting["items"][0]["project"]["name"]), (&json!(1), &json!("tenant-a")));
    let asking = house.call(Some(&operator), "GET", "/api/v1/admin/tenants?asks=true", None).await.body;
    assert_eq!((&asking["total"], &asking["items"][0]["id"], &asking["items"][0]["asks"]), (&json!(1), &json!(tenant), &json!(true)));
    let decision = format!("/api/v1/admin/quota-requests/{}/decision", asked.body["id"].as_str().unwrap());
    let approve = json!({"answer": "approve", "words": "until the new year"});
    let approved = house.call(Some(&operator), "POST", &decision, Some(&approve)).await;
    assert_eq!((approved.status, &approved.body["state"], &approved.body["decided_by"]), (200, &json!("approved"), &json!("operator")));
    let again = house.call(Some(&operator), "POST", &decision, Some(&approve)).await;
    assert_eq!((again.status, &again.body["code"]), (409, &json!("KCS-QUOTA-008")));
    let own = house.call(Some(&member), "GET", "/api/v1/quota-requests", None).await.body;
    assert_eq!(own["items"][0]["words"], "until the new year");
    assert_eq!(house.call(Some(&member), "POST", "/api/v1/clusters", Some(&named("two"))).await.status, 202);
    let log = house.call(Some(&operator), "GET", "/api/v1/admin/audit?action=quota_request_decide", None).await.body;
    assert_eq!(log["items"][0]["detail"]["after"]["limits"], json!({"clusters": null, "nodes": 9}), "{log}");
}

#[actix_web::test]
async fn a_request_may_be_withdrawn_or_declined_with_words_and_asks_for_more_than_there_is() {
    let house = House::new().await;
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    let ask = async |body: Value| house.call(Some(&member), "POST", "/api/v1/quota-requests", Some(&body)).await;
    for (wanted, field) in [
        (json!({}), "wanted"),
        (json!({"clusters": 20}), "wanted.clusters"),
        (json!({"nodes": 50}), "wanted.nodes"),
        (json!({"gpus": 1}), "wanted.gpus"),
        (json!({"clusters": 1_000_000_001}), "wanted.clusters"),
    ] {
        let refused = ask(json!({"wanted": wanted, "reason": "because"})).await;
        assert_eq!((refused.status, refused.body["field"].as_str()), (400, Some(field)), "{}", refused.body);
    }
    let more = json!({"wanted": {"clusters": 21}, "reason": " one more \n"});
    let first = ask(more.clone()).await;
    assert_eq!((first.status, &first.body["reason"]), (201, &json!("one more")), "{}", first.body);
    let path = format!("/api/v1/quota-requests/{}/withdraw", first.body["id"].as_str().unwrap());
    let foreign = house.sign_in("member-b").await;
    assert_eq!(house.call(Some(&foreign), "POST", &path, None).await.status, 404);
    assert_eq!(house.call(Some(&member), "POST", &path, None).await.body["state"], "withdrawn");
    assert_eq!(house.call(Some(&member), "POST", &path, None).await.body["code"], "KCS-QUOTA-008");
    let second = ask(more).await;
    let decision = format!("/api/v1/admin/quota-requests/{}/decision", second.body["id"].as_str().unwrap());
    let silent = house.call(Some(&operator), "POST", &decision, Some(&json!({"answer": "decline"}))).await;
    assert_eq!((silent.status, silent.body["field"].as_str()), (400, Some("words")));
    let declined = house.call(Some(&operator), "POST", &decision, Some(&json!({"answer": "decline", "words": "no room"}))).await;
    assert_eq!((&declined.body["state"], &declined.body["words"]), (&json!("declined"), &json!("no room")));
    let quota = house.call(Some(&member), "GET", "/api/v1/quota", None).await.body;
    assert_eq!(row(&quota["limits"], "clusters")["limit"], 20);
    // A token that was made for looking asks for nothing.
    let looks = json!({"name": "looks", "expires_in": 3600, "permissions": []});
    let token = house.call(Some(&member), "POST", "/api/v1/tokens", Some(&looks)).await;
    let bearer = format!("Bearer {}", token.body["secret"].as_str().unwrap());
    let narrowed = house.call_with(&[("authorization", &bearer)], "POST", "/api/v1/quota-requests", Some(&json!({}))).await;
    assert_eq!((narrowed.status, &narrowed.body["code"]), (403, &json!("KCS-RBAC-003")));
}

#[actix_web::test]
async fn what_is_not_allowed_is_not_offered_and_refused_by_its_field() {
    let house = House::new().await;
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    let (web, _) = house.running_cluster(&member, "web").await;
    let tenant = project(&house, &member).await;
    let names = async |path: &str, key: &str| {
        let list = house.call(Some(&member), "GET", path, None).await.body;
        list["items"].as_array().unwrap().iter().map(|item| item[key].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (flavors, versions) = (names("/api/v1/flavors", "name").await, names("/api/v1/versions", "version").await);
    let networks = names("/api/v1/networks", "id").await;
    assert!(flavors.len() > 1 && versions.len() > 1 && !networks.is_empty());
    let allowed = json!({"flavors": ["m1.large"], "versions": [versions[0]], "external_networks": [networks[0]]});
    set(&house, &operator, &tenant, json!({"limits": {}, "allowed": allowed})).await;
    assert_eq!(names("/api/v1/flavors", "name").await, ["m1.large"]);
    assert_eq!(names("/api/v1/versions", "version").await, versions[..1]);
    assert_eq!(names("/api/v1/networks", "id").await, networks[..1]);
    let spec = |version: &str, flavor: &str| {
        let pool = json!({"name": "default", "flavor": "m1.large", "count": 1});
        json!({"name": "two", "spec": {"version": version, "control_plane": {"count": 1, "flavor": flavor}, "node_pools": [pool]}})
    };
    for (body, field) in [
        (spec(&versions[1], "m1.large"), "spec.version"),
        (spec(&versions[0], "m1.medium"), "spec.control_plane.flavor"),
        // The template's.
        (named("two"), "spec.control_plane.flavor"),
    ] {
        let refused = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&body)).await;
        assert_eq!((refused.status, refused.body["field"].as_str()), (403, Some(field)), "{}", refused.body);
        assert_eq!(refused.body["code"], "KCS-QUOTA-006");
        let plan = house.call(Some(&member), "POST", "/api/v1/clusters/plan", Some(&body)).await.body;
        let check = plan["checks"].as_array().unwrap().iter().find(|check| check["key"] == "allowed").unwrap();
        assert_eq!((&plan["blocked"], &check["level"], &check["field"]), (&json!(true), &json!("blocked"), &json!(field)));
    }
    let pool = |flavor: &str| json!({"name": "second", "flavor": flavor, "count": 1});
    let pools = format!("/api/v1/clusters/{web}/node-pools");
    let refused = house.call(Some(&member), "POST", &pools, Some(&pool("m1.medium"))).await;
    assert_eq!((refused.status, refused.body["field"].as_str()), (403, Some("flavor")), "{}", refused.body);
    let grown = house.call(Some(&member), "PATCH", &format!("{pools}/default"), Some(&json!({"count": 3}))).await;
    assert_eq!((grown.status, grown.body["field"].as_str()), (403, Some("count")), "{}", grown.body);
    assert_eq!(house.call(Some(&member), "PATCH", &format!("{pools}/default"), Some(&json!({"count": 1}))).await.status, 202);
    let defaults = json!({"name": "two", "spec": {"node_pools": [{"name": "default", "flavor": "m1.large", "count": 1}]}});
    let plan = house.call(Some(&member), "POST", "/api/v1/clusters/plan", Some(&defaults)).await.body;
    assert_eq!((&plan["spec"]["control_plane"]["flavor"], &plan["blocked"]), (&json!("m1.large"), &json!(false)), "{plan}");
    let foreign = house.sign_in("member-b").await;
    let theirs = house.call(Some(&foreign), "GET", "/api/v1/flavors", None).await.body;
    assert_eq!(theirs["items"].as_array().unwrap().len(), flavors.len(), "others are not narrowed");
}

#[actix_web::test]
async fn two_replicas_do_not_both_give_what_is_left() {
    let house = House::new().await;
    let replica = house.beside().await;
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    house.running_cluster(&member, "web").await;
    let tenant = project(&house, &member).await;
    set(&house, &operator, &tenant, json!({"limits": {"nodes": 6}, "allowed": {}})).await;
    let create = async |house: &House, name: &str| house.call(Some(&member), "POST", "/api/v1/clusters", Some(&named(name))).await;
    let (one, other) = futures::join!(create(&house, "two"), create(&replica, "three"));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409], "{} {}", one.body, other.body);
    let refused = if one.status == 409 { one } else { other };
    assert_eq!((&refused.body["code"], &refused.body["params"]["limit"]), (&json!("KCS-QUOTA-005"), &json!(6)));
    let unknown = house.call(Some(&operator), "PUT", "/api/v1/admin/tenants/nobody", Some(&json!({"limits": {}, "allowed": {}}))).await;
    assert_eq!(unknown.status, 404);
}

#[actix_web::test]
async fn operators_see_what_each_tenant_costs_where_there_is_a_price_list() {
    let house = House::new().await;
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    house.running_cluster(&member, "web").await;
    house.running_cluster(&member, "shop").await;
    let tenant = project(&house, &member).await;
    let told = async || {
        let listed = house.call(Some(&operator), "GET", "/api/v1/admin/tenants?search=tenant-a", None).await.body;
        let one = house.call(Some(&operator), "GET", &format!("/api/v1/admin/tenants/{tenant}"), None).await.body;
        assert_eq!(listed["items"][0]["cost"], one["cost"]);
        one["cost"].clone()
    };
    assert_eq!(told().await, Value::Null);
    let prices = json!({"revision": 0, "prices": {"currency": "EUR", "load_balancer": 0.02, "floating_ip": 0.005}});
    assert_eq!(house.call(Some(&operator), "PUT", "/api/v1/admin/settings", Some(&prices)).await.status, 200);
    let cost = told().await;
    assert_eq!((&cost["currency"], &cost["per_hour"]), (&json!("EUR"), &json!(0.05)));
    let unpriced = cost["unpriced"].as_array().unwrap();
    assert_eq!(unpriced.iter().filter(|name| **name == "default").count(), 1, "each once, whatever many clusters have it: {cost}");
    let set = set(&house, &operator, &tenant, json!({"limits": {}, "allowed": {}})).await;
    assert_eq!(set["cost"], cost);
}

#[actix_web::test]
async fn who_sees_only_namespaces_of_a_cluster_learns_neither_its_price_nor_what_it_has_of_the_quota() {
    let house = House::new().await;
    let (owner, member, operator) = (house.sign_in("owner-a").await, house.sign_in("member-a").await, house.sign_in("operator").await);
    let (web, _) = house.running_cluster(&member, "web").await;
    let (shop, _) = house.running_cluster(&member, "shop").await;
    let prices = json!({"revision": 0, "prices": {"currency": "EUR", "flavors": {"m1.medium": 0.1}}});
    assert_eq!(house.call(Some(&operator), "PUT", "/api/v1/admin/settings", Some(&prices)).await.status, 200);
    let places = json!([{"cluster": web, "namespace": "blue", "role": "member"}, {"cluster": shop, "role": "reader"}]);
    give(&house, &owner, "guest-a", json!({"role": "guest", "places": places})).await;
    let guest = house.sign_in("guest-a").await;
    let bearer = async |request: Value| format!("Bearer {}", make(&house, &member, request).await.1);
    let (of_namespaces, of_cluster) = (bearer(json!({"namespaces": ["blue"]})).await, bearer(json!({"clusters": [shop]})).await);
    let cases = [
        ("member", ("cookie", member.cookie.as_str()), vec!["shop", "web"], 6, false),
        ("guest", ("cookie", guest.cookie.as_str()), vec!["shop"], 3, true),
        ("token for namespaces", ("authorization", of_namespaces.as_str()), vec![], 0, true),
        ("token for a cluster", ("authorization", of_cluster.as_str()), vec!["shop"], 3, true),
    ];
    for (who, header, whole, nodes, partial) in cases {
        let get = async |path: &str| house.call_with(&[header], "GET", path, None).await.body;
        let costs = get("/api/v1/costs").await;
        let names: Vec<_> = costs["clusters"].as_array().unwrap().iter().map(|cluster| cluster["name"].as_str().unwrap()).collect();
        assert_eq!(names, whole, "{who}: {costs}");
        assert_eq!(costs["per_hour"].as_f64().unwrap() > 0.0, !whole.is_empty(), "{who}: {costs}");
        let quota = get("/api/v1/quota").await;
        let used = |resource: &str| row(&quota["limits"], resource)["used"].as_u64().unwrap();
        assert_eq!((used("clusters"), used("nodes"), &quota["partial"]), (whole.len() as u64, nodes, &json!(partial)), "{who}: {quota}");
        for resource in ["vcpus", "memory_gib"] {
            assert_eq!(used(resource) > 0, !whole.is_empty(), "{who}, {resource}: {quota}");
        }
        let list = get("/api/v1/clusters").await;
        for cluster in list["items"].as_array().unwrap() {
            let name = cluster["name"].as_str().unwrap();
            assert_eq!(cluster.get("cost").is_some(), whole.contains(&name), "{who}: {cluster}");
        }
    }
}
