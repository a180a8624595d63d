//! API tokens: as good as their owner within what they were narrowed to, and worth nothing once revoked, expired, or come from elsewhere.

use crate::house::{Got, House, Person};
use crate::members;
use local_cloud::Service;
use serde_json::{Value, json};

pub async fn make(house: &House, person: &Person, request: Value) -> (String, String) {
    let mut wanted = json!({"name": "ci", "expires_in": 3600});
    wanted.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
    let made = house.call(Some(person), "POST", "/api/v1/tokens", Some(&wanted)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.headers["cache-control"], "no-store");
    let text = |name: &str| made.body[name].as_str().unwrap().to_owned();
    (text("id"), text("secret"))
}

async fn with(house: &House, token: &str, method: &str, path: &str, body: Option<&Value>) -> Got {
    house.call_with(&[("authorization", &format!("Bearer {token}"))], method, path, body).await
}

#[actix_web::test]
async fn a_token_does_its_owners_work_and_the_log_says_by_what_means() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (_, token) = make(&house, &member, json!({})).await;
    assert!(token.starts_with("kcs_api_"));
    let made = with(&house, &token, "POST", "/api/v1/clusters", Some(&json!({"name": "web", "template": "dev"}))).await;
    assert_eq!(made.status, 202, "{}", made.body);
    assert_eq!(with(&house, &token, "GET", "/api/v1/flavors", None).await.status, 200);
    assert_eq!(with(&house, &token, "GET", "/api/v1/projects", None).await.body["total"], 1);
    let log = house.call(Some(&member), "GET", "/api/v1/audit?action=cluster_create", None).await.body;
    assert_eq!((&log["items"][0]["via"], &log["items"][0]["user"]["name"]), (&json!("api_token"), &json!("member-a")));
    let list = house.call(Some(&member), "GET", "/api/v1/tokens", None).await.body;
    assert_eq!((&list["items"][0]["mine"], &list["items"][0]["last_used_from"]), (&json!(true), &json!("127.0.0.1")));
    assert!(!list.to_string().contains(&token));
    for (method, path, body) in
        [("POST", "/api/v1/tokens", json!({"name": "more", "expires_in": 3600})), ("GET", "/api/v1/admin/clusters", Value::Null)]
    {
        assert_eq!(with(&house, &token, method, path, Some(&body).filter(|b| !b.is_null())).await.status, 403, "{path}");
    }
}

#[actix_web::test]
async fn a_token_does_no_more_than_it_was_narrowed_to() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (one, _api) = house.cluster_with_api(&member, "one").await;
    let (other, _) = house.running_cluster(&member, "other").await;
    let (_, token) = make(&house, &member, json!({"permissions": ["node_pool_resize"], "clusters": [one], "namespaces": ["web"]})).await;
    let list = with(&house, &token, "GET", "/api/v1/clusters", None).await.body;
    assert_eq!((&list["total"], &list["items"][0]["id"]), (&json!(1), &json!(one)));
    assert_eq!(with(&house, &token, "GET", "/api/v1/operations", None).await.body["total"], 1);
    // What is in no namespace is around those that it was narrowed to.
    for (path, expected) in [
        ("", 200),
        ("/kubeconfigs", 200),
        ("/nodes", 403),
        ("/nodes/01990000-0000-7000-8000-000000000000/console", 403),
        ("/node-pools", 403),
        ("/resources", 403),
        ("/addons", 403),
        ("/delete-plan", 403),
        ("/kubernetes/nodes", 403),
    ] {
        let got = with(&house, &token, "GET", &format!("/api/v1/clusters/{one}{path}"), None).await;
        assert_eq!(got.status, expected, "{path}");
        if expected == 403 {
            assert_eq!((&got.body["code"], &got.body["params"]["namespaces"]), (&json!("KCS-RBAC-003"), &json!(["web"])), "{path}");
        }
        assert_eq!(with(&house, &token, "GET", &format!("/api/v1/clusters/{other}{path}"), None).await.status, 404, "{path}");
    }
    let resize = |cluster: &str| format!("/api/v1/clusters/{cluster}/node-pools/default");
    let three = json!({"count": 3});
    assert_eq!(with(&house, &token, "PATCH", &resize(&one), Some(&three)).await.status, 202);
    assert_eq!(with(&house, &token, "PATCH", &resize(&other), Some(&three)).await.status, 404);
    assert_eq!(with(&house, &token, "DELETE", &format!("/api/v1/clusters/{one}"), Some(&json!({"confirm": "one"}))).await.status, 403);
    assert_eq!(with(&house, &token, "POST", "/api/v1/clusters", Some(&json!({"name": "new", "template": "dev"}))).await.status, 403);
    assert_eq!(with(&house, &token, "POST", &format!("/api/v1/clusters/{one}/kubeconfigs"), Some(&json!({"expires_in": 3600}))).await.status, 403);
    let gate = |path: &str| format!("/k8s/clusters/{one}{path}");
    for path in [
        "/api/v1/pods?watch=1",
        "/api/v1/namespaces/other/pods",
        "/api/v1/nodes",
        "/api/v1/namespaces/web/secrets",
        "/api/v1/namespaces/web/pods/p/exec",
    ] {
        assert_eq!(with(&house, &token, "GET", &gate(path), None).await.status, 403, "{path}");
    }
    // The answer of the stand-in never ends: its head says enough.
    let url = format!("{}{}", house.url, gate("/api/v1/namespaces/web/pods"));
    assert_eq!(reqwest::Client::new().get(url).bearer_auth(&token).send().await.unwrap().status(), 200);
}

#[actix_web::test]
async fn the_right_to_change_settings_does_not_have_every_master_replaced() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _) = house.running_cluster(&member, "web").await;
    let path = |end: &str| format!("/api/v1/clusters/{cluster}{end}");
    let (_, changes) = make(&house, &member, json!({"name": "changes", "permissions": ["cluster_update"]})).await;
    let (_, repairs) = make(&house, &member, json!({"name": "repairs", "permissions": ["cluster_repair"]})).await;
    let (level, manual, open) = (json!({"level": "none"}), json!({"repair": "manual"}), json!({"exposure": "public"}));
    for (method, end, body, by_settings, by_repair) in [
        ("PATCH", "", Some(&manual), 200, 403),
        ("PATCH", "/api-audit", Some(&level), 403, 202),
        ("PATCH", "/api-access", Some(&open), 409, 403),
        ("POST", "/encryption-key/rotate", None, 403, 409),
    ] {
        for (token, expected) in [(&changes, by_settings), (&repairs, by_repair)] {
            let got = with(&house, token, method, &path(end), body).await;
            assert_eq!(got.status, expected, "{method} {end}: {}", got.body);
        }
    }
}

#[actix_web::test]
async fn a_token_for_a_namespace_changes_nothing_around_it() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let (_, token) = make(&house, &member, json!({"namespaces": ["web"]})).await;
    let path = |end: &str| format!("/api/v1/clusters/{cluster}{end}");
    for (method, path, body) in [
        ("DELETE", path(""), json!({"confirm": "web"})),
        ("PATCH", path("/node-pools/default"), json!({"count": 3})),
        ("POST", path("/kubeconfigs"), json!({"expires_in": 3600})),
        ("POST", "/api/v1/clusters".to_owned(), json!({"name": "new", "template": "dev"})),
    ] {
        let refused = with(&house, &token, method, &path, Some(&body)).await;
        assert_eq!((refused.status, &refused.body["code"]), (403, &json!("KCS-RBAC-003")), "{method} {path}");
    }
    let gate = |namespace: &str| format!("{}/k8s/clusters/{cluster}/api/v1/namespaces/{namespace}/pods/p", house.url);
    for (namespace, status) in [("web", 200), ("other", 403)] {
        let answer = reqwest::Client::new().delete(gate(namespace)).bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), status, "{namespace}");
    }
    // Also what was refused for its namespace is told.
    let log = house.call(Some(&member), "GET", "/api/v1/audit?action=kubernetes_write", None).await.body;
    let told: Vec<_> = log["items"].as_array().unwrap().iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    assert_eq!(told, ["denied", "accepted"]);
}

#[actix_web::test]
async fn a_token_for_places_of_the_project_is_not_told_what_goes_on_around_them() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _api) = house.cluster_with_answering_api(&member, "web").await;
    let (_, token) = make(&house, &member, json!({"namespaces": ["web"]})).await;
    let (_, of_cluster) = make(&house, &member, json!({"clusters": [cluster]})).await;
    let pod = |namespace: &str| format!("/k8s/clusters/{cluster}/api/v1/namespaces/{namespace}/pods/p");
    // What its owner does elsewhere is no affair of the token's.
    assert_eq!(house.call(Some(&member), "DELETE", &pod("other"), None).await.status, 200);
    assert_eq!(with(&house, &token, "DELETE", &pod("web"), None).await.status, 200);
    for query in ["", "?user=member-a", "?action=kubernetes_write"] {
        let log = with(&house, &token, "GET", &format!("/api/v1/audit{query}"), None).await.body;
        let told: Vec<_> = log["items"].as_array().unwrap().iter().map(|line| line["detail"]["path"].as_str().unwrap()).collect();
        assert_eq!(told, ["/api/v1/namespaces/web/pods/p"], "{query}");
    }
    let export = with(&house, &token, "GET", "/api/v1/audit/export", None).await.body;
    assert_eq!(export["detail"]["path"], "/api/v1/namespaces/web/pods/p", "one line: {export}");
    let log = with(&house, &of_cluster, "GET", "/api/v1/audit?action=kubernetes_write", None).await.body;
    assert_eq!(log["items"].as_array().unwrap().len(), 2, "both were in its cluster: {log}");
    for token in [&token, &of_cluster] {
        let members = with(&house, token, "GET", "/api/v1/members", None).await.body;
        assert_eq!((members["items"].as_array().unwrap().len(), &members["items"][0]["me"]), (1, &json!(true)), "{members}");
    }
}

#[actix_web::test]
async fn who_sees_only_places_of_the_project_sees_none_of_its_networks() {
    let house = House::new().await;
    let (owner, member) = (house.sign_in("owner-a").await, house.sign_in("member-a").await);
    let (cluster, _) = house.running_cluster(&member, "web").await;
    house.network(&house.keystone_token("member-a", "tenant-a").await, "kcs-others");
    let place = json!({"cluster": cluster, "namespace": null, "role": "member"});
    members::give(&house, &owner, "guest-a", json!({"role": "guest", "places": [place]})).await;
    let guest = house.sign_in("guest-a").await;
    let mut tokens = Vec::new();
    for narrowing in [json!({}), json!({"clusters": [cluster]}), json!({"namespaces": ["web"]})] {
        tokens.push(format!("Bearer {}", make(&house, &member, narrowing).await.1));
    }
    for (who, header, sees) in [
        ("the member", ("cookie", member.cookie.as_str()), true),
        ("a token for all", ("authorization", tokens[0].as_str()), true),
        ("a token for a cluster", ("authorization", tokens[1].as_str()), false),
        ("a token for a namespace", ("authorization", tokens[2].as_str()), false),
        ("who was given a cluster", ("cookie", guest.cookie.as_str()), false),
    ] {
        let got = house.call_with(&[header], "GET", "/api/v1/project-networks", None).await;
        let names: Vec<&str> = got.body["items"].as_array().unwrap().iter().map(|network| network["name"].as_str().unwrap()).collect();
        assert_eq!((got.status, names.contains(&"kcs-others"), names.is_empty()), (200, sees, !sees), "{who}: {}", got.body);
        assert_eq!(house.call_with(&[header], "GET", "/api/v1/images", None).await.status, 200, "{who}");
    }
}

#[actix_web::test]
async fn a_readers_token_reads_and_a_token_is_good_from_its_addresses_only() {
    let house = House::new().await;
    let (member, reader) = (house.sign_in("member-a").await, house.sign_in("reader-a").await);
    let (_, reads) = make(&house, &reader, json!({"permissions": ["cluster_create"]})).await;
    assert_eq!(with(&house, &reads, "GET", "/api/v1/clusters", None).await.status, 200);
    assert_eq!(with(&house, &reads, "POST", "/api/v1/clusters", Some(&json!({"name": "web", "template": "dev"}))).await.status, 403);
    let (_, elsewhere) = make(&house, &member, json!({"cidrs": ["192.0.2.0/24"]})).await;
    assert_eq!(with(&house, &elsewhere, "GET", "/api/v1/clusters", None).await.status, 401);
    let (_, here) = make(&house, &member, json!({"cidrs": ["192.0.2.0/24", "127.0.0.0/8"]})).await;
    assert_eq!(with(&house, &here, "GET", "/api/v1/clusters", None).await.status, 200);
    // A reader sees their own, a member everybody's.
    assert_eq!(house.call(Some(&reader), "GET", "/api/v1/tokens", None).await.body["total"], 1);
    assert_eq!(house.call(Some(&member), "GET", "/api/v1/tokens", None).await.body["total"], 3);
    house.database.execute("UPDATE api_tokens SET expires_at = now() - interval '31 days' WHERE name = 'ci' AND cidrs <> '[]'").await;
    assert_eq!(house.call(Some(&member), "GET", "/api/v1/tokens", None).await.body["total"], 1, "what ended long ago is not told of for ever");
}

#[actix_web::test]
async fn a_token_ends_when_it_is_revoked_when_its_time_is_over_and_with_its_owner() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (id, token) = make(&house, &member, json!({})).await;
    let (_, second) = make(&house, &member, json!({})).await;
    let get = async |token: &str| with(&house, token, "GET", "/api/v1/clusters", None).await.status;
    assert_eq!((get(&token).await, get(&second).await, get("kcs_api_nonsense").await), (200, 200, 401));
    assert_eq!(house.call(Some(&member), "DELETE", &format!("/api/v1/tokens/{id}"), None).await.status, 204);
    assert_eq!((get(&token).await, get(&second).await), (401, 200));
    let user = house.call(Some(&member), "GET", "/api/v1/session", None).await.body["user"]["id"].as_str().unwrap().to_owned();
    house.keystone("PATCH", &format!("/users/{user}"), &json!({"user": {"enabled": false}})).await;
    house.database.execute("UPDATE api_tokens SET checked_at = now() - interval '5 minutes'").await;
    assert_eq!(get(&second).await, 401);
    house.keystone("PATCH", &format!("/users/{user}"), &json!({"user": {"enabled": true}})).await;
    house.database.execute("UPDATE api_tokens SET checked_at = now() - interval '5 minutes'").await;
    // Another replica has not just asked Keystone.
    let replica = house.beside().await;
    assert_eq!(with(&replica, &second, "GET", "/api/v1/clusters", None).await.status, 200, "who is back is back");
    house.database.execute("UPDATE api_tokens SET expires_at = now()").await;
    assert_eq!(get(&second).await, 401);
}

#[actix_web::test]
async fn a_kubeconfig_can_be_narrowed_to_looking_and_to_namespaces() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let kubeconfigs = format!("/api/v1/clusters/{cluster}/kubeconfigs");
    let wanted = json!({"expires_in": 3600, "read_only": true, "namespaces": ["web"]});
    let issued = house.call(Some(&member), "POST", &kubeconfigs, Some(&wanted)).await;
    let text = issued.body["kubeconfig"].as_str().unwrap();
    assert!(text.contains("    namespace: \"web\"\n"), "{text}");
    let token = text.lines().find_map(|line| line.trim().strip_prefix("token: ")).unwrap().trim_matches('"');
    let gate = |path: &str| format!("/k8s/clusters/{cluster}/api/v1{path}");
    for (method, path) in
        [("GET", "/nodes"), ("GET", "/namespaces/web/secrets"), ("POST", "/namespaces/web/pods"), ("GET", "/namespaces/web/pods/p/exec")]
    {
        assert_eq!(with(&house, token, method, &gate(path), None).await.status, 403, "{method} {path}");
    }
    let url = format!("{}{}", house.url, gate("/namespaces/web/pods"));
    assert_eq!(reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap().status(), 200);
    let list = house.call(Some(&member), "GET", &kubeconfigs, None).await.body;
    assert_eq!((&list["items"][0]["read_only"], &list["items"][0]["namespaces"]), (&json!(true), &json!(["web"])));
}

#[actix_web::test]
async fn a_kubeconfig_can_be_narrowed_to_permissions_or_to_a_role_as_it_is_when_it_is_made() {
    let house = House::new().await;
    let (owner, member) = (house.sign_in("owner-a").await, house.sign_in("member-a").await);
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let role = json!({"name": "deployer", "permissions": ["kubernetes_write"]});
    let role = house.call(Some(&owner), "POST", "/api/v1/roles", Some(&role)).await.body["id"].as_str().unwrap().to_owned();
    let kubeconfigs = format!("/api/v1/clusters/{cluster}/kubeconfigs");
    let status = async |token: &str, method: &str, path: &str| {
        let url = format!("{}/k8s/clusters/{cluster}/api/v1/namespaces/web/pods/p{path}", house.url);
        reqwest::Client::new().request(method.parse().unwrap(), url).bearer_auth(token).send().await.unwrap().status().as_u16()
    };
    let mut tokens = Vec::new();
    for (narrowed, permissions, changes, runs) in [
        (json!({"role": role}), json!(["kubernetes_write"]), true, false),
        (json!({"permissions": ["kubernetes_exec"]}), json!(["kubernetes_exec"]), false, true),
        (json!({"permissions": ["node_pool_resize"]}), json!(["node_pool_resize"]), false, false),
    ] {
        let mut wanted = json!({"expires_in": 3600});
        wanted.as_object_mut().unwrap().extend(narrowed.as_object().unwrap().clone());
        let issued = house.call(Some(&member), "POST", &kubeconfigs, Some(&wanted)).await;
        assert_eq!(issued.status, 201, "{}", issued.body);
        let text = issued.body["kubeconfig"].as_str().unwrap();
        let token = text.lines().find_map(|line| line.trim().strip_prefix("token: ")).unwrap().trim_matches('"').to_owned();
        let (deleted, run) = (status(&token, "DELETE", "").await, status(&token, "GET", "/exec").await);
        assert_eq!((deleted != 403, run != 403), (changes, runs), "{narrowed}: {deleted} {run}");
        let listed = house.call(Some(&member), "GET", &kubeconfigs, None).await.body["items"][0].clone();
        assert_eq!((&listed["permissions"], &listed["read_only"]), (&permissions, &json!(!changes && !runs)));
        tokens.push(token);
    }
    let wider = json!({"name": "deployer", "permissions": ["kubernetes_write", "kubernetes_exec"]});
    let changed = house.call(Some(&owner), "PUT", &format!("/api/v1/roles/{role}"), Some(&wider)).await;
    assert_eq!((changed.status, status(&tokens[0], "GET", "/exec").await), (200, 403), "{}", changed.body);
}

#[actix_web::test]
async fn all_kubeconfigs_of_a_cluster_or_of_one_person_end_at_once() {
    let house = House::new().await;
    let (member, reader) = (house.sign_in("member-a").await, house.sign_in("reader-a").await);
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let ((_, one), (_, other)) = (house.kubeconfig(&member, &cluster).await, house.kubeconfig(&reader, &cluster).await);
    let gate = format!("/k8s/clusters/{cluster}/api/v1/namespaces/default/pods/p/exec");
    // Far enough to be told what one may: a reader may not, a member's way leads to the cluster.
    let known = async |token: &str| with(&house, token, "DELETE", &gate.replace("/exec", "/proxy"), None).await.status != 401;
    assert!(known(&one).await && known(&other).await);
    let user = house.call(Some(&reader), "GET", "/api/v1/session", None).await.body["user"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/clusters/{cluster}/kubeconfigs");
    assert_eq!(house.call(Some(&reader), "DELETE", &path, None).await.status, 403);
    let revoked = house.call(Some(&member), "DELETE", &format!("{path}?user={user}"), None).await;
    assert_eq!((revoked.status, &revoked.body["count"]), (200, &json!(1)), "{}", revoked.body);
    assert_eq!((known(&one).await, known(&other).await), (true, false));
    assert_eq!(house.call(Some(&member), "DELETE", &path, None).await.body["count"], 1);
    assert!(!known(&one).await);
}

#[actix_web::test]
async fn an_operator_ends_all_that_a_person_holds() {
    let house = House::new().await;
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let (_, kubeconfig) = house.kubeconfig(&member, &cluster).await;
    let (_, token) = make(&house, &member, json!({})).await;
    let list = house.call(Some(&operator), "GET", "/api/v1/admin/people?search=MEMBER-A", None).await.body;
    let person = &list["items"][0];
    assert_eq!((&person["sessions"], &person["tokens"], &person["kubeconfigs"]), (&json!(1), &json!(1), &json!(1)), "{list}");
    let cut = format!("/api/v1/admin/people/{}/access", person["id"].as_str().unwrap());
    let keystone = house.keystone_token("member-a", "tenant-a").await;
    let by_keystone = async |token: &str| house.call_with(&[("x-auth-token", token)], "GET", "/api/v1/clusters", None).await.status;
    assert_eq!(by_keystone(&keystone).await, 200);
    let revoked = || house.cloud.calls(Service::Identity, "DELETE", "/identity/v3/auth/tokens");
    assert_eq!(house.call(Some(&member), "DELETE", &cut, None).await.status, 403);
    let before = revoked();
    assert_eq!(house.call(Some(&operator), "DELETE", &cut, None).await.status, 200);
    assert_eq!(revoked() - before, 2, "what the session had: for its project, and for switching");
    // Here it was remembered, there it is seen for the first time.
    for replica in [&house, &house.beside().await] {
        let refused = replica.call_with(&[("x-auth-token", &keystone)], "GET", "/api/v1/clusters", None).await;
        assert_eq!((refused.status, refused.body["code"].as_str()), (401, Some("KCS-AUTH-001")), "{}", refused.body);
    }
    assert_eq!(by_keystone(&house.keystone_token("member-b", "tenant-b").await).await, 200, "nobody else is put out");
    // Keystone decides who signs in: what it issues from now on counts.
    let anew = house.keystone_token("member-a", "tenant-a").await;
    assert_eq!(by_keystone(&anew).await, 200);
    assert_eq!(house.call(Some(&member), "GET", "/api/v1/session", None).await.status, 401);
    assert_eq!(with(&house, &token, "GET", "/api/v1/clusters", None).await.status, 401);
    assert_eq!(with(&house, &kubeconfig, "GET", &format!("/k8s/clusters/{cluster}/api"), None).await.status, 401);
    let again = house.call(Some(&operator), "DELETE", &cut, None).await;
    assert_eq!((again.status, &again.body["sessions"], &again.body["name"]), (200, &json!(0), &json!("")), "{}", again.body);
    assert_eq!(by_keystone(&anew).await, 401, "nothing of ours was left to end, but what Keystone issued was");
    let own = house.call(Some(&operator), "GET", "/api/v1/session", None).await.body["user"]["id"].as_str().unwrap().to_owned();
    assert_eq!(house.call(Some(&operator), "DELETE", &format!("/api/v1/admin/people/{own}/access"), None).await.status, 400);
}

#[actix_web::test]
async fn an_operator_puts_out_by_id_who_holds_nothing_of_ours_and_comes_with_keystones_tokens() {
    let house = House::new().await;
    let (owner, operator) = (house.sign_in("owner-a").await, house.sign_in("operator").await);
    let person = members::id_of(&house, &owner, "member-a").await;
    let keystone = house.keystone_token("member-a", "tenant-a").await;
    let by_keystone = async |token: &str| house.call_with(&[("x-auth-token", token)], "GET", "/api/v1/clusters", None).await.status;
    assert_eq!(by_keystone(&keystone).await, 200);
    let cut = |id: &str| format!("/api/v1/admin/people/{id}/access");
    let done = house.call(Some(&operator), "DELETE", &cut(&person), None).await;
    assert_eq!((done.status, &done.body["id"], &done.body["tokens"]), (200, &json!(person), &json!(0)), "{}", done.body);
    assert_eq!(by_keystone(&keystone).await, 401);
    assert_eq!(by_keystone(&house.keystone_token("member-a", "tenant-a").await).await, 200, "a new sign-in is Keystone's to refuse");
    let log = house.call(Some(&operator), "GET", "/api/v1/admin/audit?action=person_cut_off", None).await.body;
    let line = &log["items"][0];
    let own = house.call(Some(&operator), "GET", "/api/v1/session", None).await.body["project"]["id"].clone();
    assert_eq!((&line["object_id"], &line["project"]["id"], &line["user"]["name"]), (&json!(person), &own, &json!("operator")), "{log}");
    for no_id in ["x".repeat(300), "a%0Ab".to_owned()] {
        assert_eq!(house.call(Some(&operator), "DELETE", &cut(&no_id), None).await.status, 400, "{no_id}");
    }
}

#[actix_web::test]
async fn an_operator_ends_one_thing_that_a_person_holds_and_no_other() {
    let house = House::new().await;
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    let (foreign, again) = (house.sign_in("member-b").await, house.sign_in("member-a").await);
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let (kid, kubeconfig) = house.kubeconfig(&member, &cluster).await;
    let (tid, token) = make(&house, &member, json!({})).await;
    let (_, kept) = make(&house, &member, json!({"name": "kept"})).await;
    let begun = house.call(None, "POST", "/api/v1/device", Some(&json!({"client_name": "kcs", "host_name": "laptop"}))).await.body;
    let code = format!("/api/v1/device/{}", begun["user_code"].as_str().unwrap());
    assert_eq!(house.call(Some(&member), "POST", &code, Some(&json!({"allow": true}))).await.status, 204);
    let person = async |of: &Person| house.call(Some(of), "GET", "/api/v1/session", None).await.body["user"]["id"].as_str().unwrap().to_owned();
    let (who, other) = (person(&member).await, person(&foreign).await);
    let path = format!("/api/v1/admin/people/{who}/access");
    let list = async || house.call(Some(&operator), "GET", &path, None).await.body;

    let held = list().await;
    let kinds = |list: &Value| list["items"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(kinds(&held), ["device", "token", "token", "kubeconfig", "session", "session"], "{held}");
    let items = held["items"].as_array().unwrap();
    assert_eq!((&items[0]["name"], &items[1]["name"], &items[2]["id"]), (&json!("laptop"), &json!("kept"), &json!(tid)), "{held}");
    assert_eq!((&items[3]["id"], &items[3]["cluster"]["id"]), (&json!(kid), &json!(cluster)), "{held}");
    assert!(items.iter().all(|one| one["project"]["name"] == "tenant-a"), "{held}");
    assert_eq!(house.call(Some(&member), "GET", &path, None).await.status, 403);

    // The later sign-in, the program, a token and the kubeconfig.
    for one in [4, 0, 2, 3] {
        let id = items[one]["id"].as_str().unwrap();
        assert_eq!(house.call(Some(&member), "DELETE", &format!("{path}/{id}"), None).await.status, 403);
        let anothers = format!("/api/v1/admin/people/{other}/access/{id}");
        assert_eq!(house.call(Some(&operator), "DELETE", &anothers, None).await.status, 404, "it is not that person's");
        assert_eq!(house.call(Some(&operator), "DELETE", &format!("{path}/{id}"), None).await.status, 204);
        assert_eq!(house.call(Some(&operator), "DELETE", &format!("{path}/{id}"), None).await.status, 404, "it has ended already");
    }
    assert_eq!(kinds(&list().await), ["token", "session"]);
    assert_eq!(house.call(Some(&again), "GET", "/api/v1/session", None).await.status, 401);
    assert_eq!(with(&house, &token, "GET", "/api/v1/clusters", None).await.status, 401);
    assert_eq!(with(&house, &kubeconfig, "GET", &format!("/k8s/clusters/{cluster}/api"), None).await.status, 401);
    let fetched = house.call(None, "POST", "/api/v1/device/token", Some(&json!({"device_code": begun["device_code"]}))).await;
    assert_eq!(fetched.status, 400, "{}", fetched.body);
    assert_eq!(house.call(Some(&member), "GET", "/api/v1/session", None).await.status, 200);
    assert_eq!(with(&house, &kept, "GET", "/api/v1/clusters", None).await.status, 200);

    // The project is told of each; nobody else is.
    for (action, object) in [("session_revoke", &who), ("device_deny", &"laptop".to_owned()), ("token_revoke", &tid), ("kubeconfig_revoke", &kid)] {
        let log = house.call(Some(&member), "GET", &format!("/api/v1/audit?action={action}"), None).await.body;
        let line = &log["items"][0];
        assert_eq!(log["items"].as_array().unwrap().len(), 1, "{action}: {log}");
        assert_eq!((&line["user"]["name"], &line["object_id"], &line["detail"]["owner"]), (&json!("operator"), &json!(object), &json!("member-a")));
        let log = house.call(Some(&foreign), "GET", &format!("/api/v1/audit?action={action}"), None).await.body;
        assert_eq!(log["items"], json!([]), "{action}");
    }
}
