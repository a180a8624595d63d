//! What owners give people: places that are all they see, roles of the project's own, and the end of it at once, on every replica.

use crate::house::{House, Person};
use domain::addons::{Addon, AddonState, AddonStatus};
use domain::changes::Change;
use domain::codes::Code;
use domain::ledger::ResourceKind;
use domain::nodes::Fault;
use domain::operations::{OperationState, Step, StepKey, StepResource, StepState};
use futures::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// Keystone's id of somebody in the owner's project.
pub async fn id_of(house: &House, owner: &Person, name: &str) -> String {
    let list = house.call(Some(owner), "GET", "/api/v1/members", None).await.body;
    let found = list["items"].as_array().unwrap().iter().find(|member| member["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not in {list}"))["id"].as_str().unwrap().to_owned()
}

pub async fn give(house: &House, owner: &Person, name: &str, what: Value) -> Value {
    let path = format!("/api/v1/members/{}", id_of(house, owner, name).await);
    let given = house.call(Some(owner), "PUT", &path, Some(&what)).await;
    assert_eq!(given.status, 200, "{}", given.body);
    given.body
}

async fn reset(house: &House, owner: &Person, name: &str) {
    let path = format!("/api/v1/members/{}", id_of(house, owner, name).await);
    assert_eq!(house.call(Some(owner), "DELETE", &path, None).await.status, 204);
}

/// The status of a call through the gate; its answer may never end.
async fn through(house: &House, bearer: &str, method: &str, cluster: &str, path: &str) -> u16 {
    let url = format!("{}/k8s/clusters/{cluster}{path}", house.url);
    reqwest::Client::new().request(method.parse().unwrap(), url).bearer_auth(bearer).send().await.unwrap().status().as_u16()
}

#[actix_web::test]
async fn a_guest_sees_the_places_they_were_given_and_nothing_else() {
    let house = House::new().await;
    let (owner, member) = (house.sign_in("owner-a").await, house.sign_in("member-a").await);
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let (other, _) = house.running_cluster(&member, "other").await;
    let sign_in = json!({"username": "guest-a", "password": crate::house::PASSWORD});
    let refused = house.call(None, "POST", "/api/v1/session", Some(&sign_in)).await;
    assert_eq!((refused.status, &refused.body["code"]), (403, &json!("KCS-AUTH-005")), "nothing was given yet");
    give(&house, &owner, "guest-a", json!({"role": "guest", "places": [{"cluster": cluster, "namespace": "shop", "role": "member"}]})).await;

    let guest = house.sign_in("guest-a").await;
    let session = house.call(Some(&guest), "GET", "/api/v1/session", None).await.body;
    assert_eq!(session["permissions"], json!(["kubeconfig_issue", "kubeconfig_revoke", "token_create", "token_revoke"]));
    let list = house.call(Some(&guest), "GET", "/api/v1/clusters", None).await.body;
    assert_eq!((&list["total"], &list["items"][0]["id"]), (&json!(1), &json!(cluster)));
    assert_eq!(list["items"][0]["permissions"], json!(["kubeconfig_issue", "kubeconfig_revoke", "token_create", "token_revoke"]));
    assert_eq!(house.call(Some(&guest), "GET", &format!("/api/v1/clusters/{other}"), None).await.status, 404);
    assert_eq!(house.call(Some(&guest), "GET", "/api/v1/operations", None).await.body["total"], 1);
    let members = house.call(Some(&guest), "GET", "/api/v1/members", None).await.body;
    assert_eq!((members["items"].as_array().unwrap().len(), &members["items"][0]["me"]), (1, &json!(true)));
    let log = house.call(Some(&guest), "GET", "/api/v1/audit", None).await.body;
    assert!(log["items"].as_array().unwrap().iter().all(|line| line["user"]["name"] == "guest-a"), "{log}");

    let (_, token) = house.kubeconfig(&guest, &cluster).await;
    let inside = |namespace: &str, what: &str| format!("/api/v1/namespaces/{namespace}/{what}");
    for (method, path, expected) in [
        ("GET", inside("shop", "pods"), 200),
        ("GET", inside("shop", "secrets"), 200),
        ("POST", inside("shop", "pods"), 200),
        ("GET", inside("shop", "pods/p/exec"), 200),
        ("GET", "/api".to_owned(), 200),
        ("GET", "/api/v1/namespaces/shop".to_owned(), 200),
        ("GET", "/api/v1/namespaces/default".to_owned(), 403),
        ("GET", inside("default", "pods"), 403),
        ("POST", inside("default", "pods"), 403),
        ("GET", "/api/v1/pods?watch=1".to_owned(), 403),
        ("GET", "/api/v1/nodes".to_owned(), 403),
        ("DELETE", "/api/v1/namespaces/shop".to_owned(), 403),
    ] {
        assert_eq!(through(&house, &token, method, &cluster, &path).await, expected, "{method} {path}");
    }
    let path = format!("/k8s/clusters/{cluster}/api/v1/namespaces/default/pods");
    let refused = house.call(Some(&guest), "GET", &path, None).await;
    assert_eq!((&refused.body["code"], &refused.body["params"]["namespaces"]), (&json!("KCS-RBAC-004"), &json!(["shop"])));
    let log = house.call(Some(&owner), "GET", "/api/v1/audit?action=member_give", None).await.body;
    assert_eq!(log["items"][0]["detail"]["after"]["places"][0]["namespace"], "shop");
}

#[actix_web::test]
async fn whoever_sees_some_namespaces_only_finds_in_every_list_what_is_in_them() {
    let house = House::new().await;
    let (owner, member) = (house.sign_in("owner-a").await, house.sign_in("member-a").await);
    let (cluster, api) = house.cluster_with_inhabited_api(&member, "web").await;
    house.running_cluster(&member, "other").await;
    // The first of them is not there yet.
    let namespaces = ["later", "shop", "web"];
    let places = namespaces.map(|namespace| json!({"cluster": cluster, "namespace": namespace, "role": "reader"}));
    give(&house, &owner, "guest-a", json!({"role": "guest", "places": places})).await;
    let guest = house.sign_in("guest-a").await;
    let (_, secret) = crate::tokens::make(&house, &member, json!({"clusters": [cluster], "namespaces": namespaces})).await;
    let bearer = format!("Bearer {secret}");
    for (who, header) in [("guest", ("cookie", guest.cookie.as_str())), ("token", ("authorization", bearer.as_str()))] {
        // Page by page, none of them empty.
        let names = async |path: &str, name: &str| {
            let (mut names, mut cursor) = (Vec::new(), String::new());
            loop {
                let sign = if path.contains('?') { '&' } else { '?' };
                let page = house.call_with(&[header], "GET", &format!("{path}{sign}cursor={cursor}"), None).await;
                let items = page.body["items"].as_array().cloned().unwrap_or_default();
                assert!(page.status == 200 && !items.is_empty(), "{who} at {path}: {} {}", page.status, page.body);
                names.extend(items.iter().map(|item| item.pointer(name).unwrap().as_str().unwrap().to_owned()));
                match page.body["next_cursor"].as_str() {
                    Some(next) => next.clone_into(&mut cursor),
                    None => return names,
                }
            }
        };
        let inside = |end: &str| format!("/api/v1/clusters/{cluster}/kubernetes/{end}");
        assert_eq!(names("/api/v1/clusters", "/name").await, ["web"], "{who}");
        assert_eq!(names("/api/v1/operations", "/cluster/name").await, ["web"], "{who}");
        for (list, expected) in [
            ("namespaces", vec!["shop", "web"]),
            ("namespaces?search=HO", vec!["shop"]),
            ("pods", vec!["in-shop", "in-web"]),
            ("pods?limit=1", vec!["in-shop", "in-web"]),
            ("pods?search=WEB", vec!["in-web"]),
            ("pods?namespace=web", vec!["in-web"]),
            ("deployments", vec!["in-shop", "in-web"]),
            ("deployments?namespace=shop", vec!["in-shop"]),
        ] {
            assert_eq!(names(&inside(list), "/name").await, expected, "{who} at {list}");
        }
        for beyond in ["pods?namespace=default", "nodes"] {
            let refused = house.call_with(&[header], "GET", &inside(beyond), None).await;
            assert_eq!((refused.status, &refused.body["params"]["namespaces"]), (403, &json!(namespaces)), "{who} at {beyond}");
        }
    }
    let asked = api.heads.lock().unwrap().clone();
    assert!(asked.iter().all(|head| namespaces.iter().any(|name| head.contains(&format!("/namespaces/{name}")))), "{asked:?}");
}

#[actix_web::test]
async fn a_list_over_all_namespaces_through_the_gate_is_of_those_that_are_seen() {
    let house = House::new().await;
    let (owner, member) = (house.sign_in("owner-a").await, house.sign_in("member-a").await);
    let (cluster, api) = house.cluster_with_inhabited_api(&member, "web").await;
    // The first of them is not there yet; where they only look they see no secrets.
    let roles = [("later", "member"), ("shop", "reader"), ("web", "member")];
    let places = roles.map(|(namespace, role)| json!({"cluster": cluster, "namespace": namespace, "role": role}));
    give(&house, &owner, "guest-a", json!({"role": "guest", "places": places})).await;
    let guest = house.sign_in("guest-a").await;
    let narrowed = json!({"clusters": [cluster], "namespaces": ["shop", "web"], "permissions": []});
    let (_, secret) = crate::tokens::make(&house, &member, narrowed).await;
    let (config, narrow) = (house.kubeconfig(&guest, &cluster).await.1, json!({"expires_in": 3600, "namespaces": ["shop"]}));
    let narrow = house.call(Some(&member), "POST", &format!("/api/v1/clusters/{cluster}/kubeconfigs"), Some(&narrow)).await.body;
    let narrow = narrow["kubeconfig"].as_str().unwrap().lines().find_map(|line| line.trim().strip_prefix("token: ")).unwrap().trim_matches('"');
    let gate = |path: &str| format!("/k8s/clusters/{cluster}{path}");
    api.heads.lock().unwrap().clear();
    for (who, token, seen) in [("guest", config.as_str(), "shop web"), ("token", secret.as_str(), "shop web"), ("kubeconfig", narrow, "shop")] {
        let bearer = format!("Bearer {token}");
        let list = async |path: &str| house.call_with(&[("authorization", &bearer)], "GET", &gate(path), None).await;
        let inside = seen.split(' ').map(|namespace| format!("in-{namespace}")).collect::<Vec<_>>().join(" ");
        for (path, expected) in
            [("/api/v1/pods?limit=1", inside.as_str()), ("/apis/apps/v1/deployments", inside.as_str()), ("/api/v1/namespaces", seen)]
        {
            let got = list(path).await;
            let names: Vec<_> = got.body["items"]
                .as_array()
                .unwrap_or_else(|| panic!("{who} at {path}: {}", got.body))
                .iter()
                .map(|item| item["metadata"]["name"].as_str().unwrap())
                .collect();
            assert_eq!((got.status, names.join(" ").as_str()), (200, expected), "{who} at {path}");
        }
        for beyond in ["/api/v1/nodes", "/api/v1/pods?watch=true", "/apis/example.com/v1/things", "/metrics"] {
            let refused = list(beyond).await;
            assert_eq!((refused.status, &refused.body["reason"]), (403, &json!("Forbidden")), "{who} at {beyond}");
            assert!(refused.body["message"].as_str().unwrap().contains("only these namespaces are open: "), "{}", refused.body);
        }
    }
    let asked = std::mem::take(&mut *api.heads.lock().unwrap());
    let open = |head: &String| ["later", "shop", "web"].iter().any(|name| head.contains(&format!("/namespaces/{name}")));
    let discovery = |head: &String| head.ends_with("/v1");
    assert!(asked.iter().all(|head| open(head) || discovery(head)), "{asked:?}");
    // Secrets are of the namespaces in which they may change things, and written down.
    let secrets = house.call(Some(&guest), "GET", &gate("/api/v1/secrets"), None).await;
    assert_eq!((secrets.status, &secrets.body["kind"]), (200, &json!("SecretList")), "{}", secrets.body);
    let asked = api.heads.lock().unwrap().clone();
    assert_eq!(asked, ["GET /api/v1", "GET /api/v1/namespaces/later/secrets", "GET /api/v1/namespaces/web/secrets"]);
    let told = house.told(&owner, "kubernetes_secret_read").await;
    assert_eq!((told.len(), told[0].0.as_str(), &told[0].1["path"]), (1, "accepted", &json!("/api/v1/secrets")), "{told:?}");
    let bearer = format!("Bearer {secret}");
    let refused = house.call_with(&[("authorization", &bearer)], "GET", &gate("/api/v1/secrets"), None).await;
    assert_eq!((refused.status, api.heads.lock().unwrap().len()), (403, 3), "a token for looking sees no secrets anywhere");
}

#[actix_web::test]
async fn of_what_is_done_to_a_cluster_a_guest_learns_how_far_it_is() {
    let house = House::new().await;
    let (owner, member) = (house.sign_in("owner-a").await, house.sign_in("member-a").await);
    let made = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&json!({"name": "web", "template": "dev"}))).await;
    let cluster = made.body["cluster"]["id"].as_str().unwrap().to_owned();
    let worker = house.finish_with_workers(&cluster, &[true]).await[0];
    let begun = house.call(Some(&member), "POST", &format!("/api/v1/clusters/{cluster}/nodes/{worker}/reboot"), None).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    let path = format!("/api/v1/operations/{}", begun.body["operation"]["id"].as_str().unwrap());
    // It failed, with words of the cloud's and of an add-on's.
    let claim = house.store.claim(Uuid::new_v4(), Duration::from_secs(30)).await.unwrap().expect("the cluster is due");
    let work = house.store.load(&claim).await.unwrap();
    let (mut operation, mut status) = (work.operation.unwrap(), work.cluster.status);
    let fault = Fault {
        code: Code::Quota,
        message: "words of the cloud".to_owned(),
        cloud_request_id: Some("req-of-the-cloud".to_owned()),
        retryable: true,
        object: Some("object-at-fault".to_owned()),
    };
    let resource = StepResource {
        kind: ResourceKind::Server,
        name: "server-of-it".to_owned(),
        cloud_id: Some("id-of-it".to_owned()),
        state: "known".to_owned(),
    };
    operation.steps = vec![Step {
        key: StepKey::Health,
        state: StepState::Failed,
        started_at: None,
        finished_at: None,
        usual_seconds: 60,
        done: 0,
        total: 1,
        waiting_for: None,
        fault: Some(fault.clone()),
        resources: vec![resource],
    }];
    (operation.state, operation.fault) = (OperationState::Failed, Some(fault));
    let message = "words of an add-on".to_owned();
    status.addons = vec![AddonStatus { name: Addon::Dns, state: AddonState::Progressing, ready: 0, desired: 2, message }];
    house.store.commit(&claim, &[Change::Status(status), Change::Operation(operation)]).await.unwrap();
    house.store.release(claim, Duration::from_secs(3600)).await.unwrap();

    give(&house, &owner, "guest-a", json!({"role": "guest", "places": [{"cluster": cluster, "namespace": "shop", "role": "reader"}]})).await;
    let guest = house.sign_in("guest-a").await;
    let worker = worker.to_string();
    let secret = ["words of the cloud", "req-of-the-cloud", "object-at-fault", "server-of-it", "id-of-it", worker.as_str()];
    let whole = house.call(Some(&member), "GET", &path, None).await.body.to_string();
    assert!(secret.iter().all(|text| whole.contains(text)), "{whole}");
    let told = house.call(Some(&guest), "GET", &path, None).await.body;
    assert_eq!((&told["state"], &told["fault"]["code"], &told["steps"][0]["state"]), (&json!("failed"), &json!("KCS-QUOTA-001"), &json!("failed")));
    assert_eq!(house.call(Some(&guest), "GET", &format!("{path}/receipt"), None).await.status, 403);
    let list = house.call(Some(&guest), "GET", "/api/v1/operations", None).await.body;
    assert_eq!(list["total"], 2, "{list}");
    let events = reqwest::Client::new().get(format!("{}{path}/events", house.url)).header("cookie", &guest.cookie).send().await.unwrap();
    let events = events.text().await.unwrap();
    assert!(events.contains("KCS-QUOTA-001"), "{events}");
    for text in [told.to_string(), list.to_string(), events] {
        assert!(!secret.iter().any(|secret| text.contains(secret)), "{text}");
    }
    let of = async |person: &Person| house.call(Some(person), "GET", &format!("/api/v1/clusters/{cluster}"), None).await.body;
    let (all, some) = (of(&member).await, of(&guest).await);
    assert_eq!((&all["namespaces"], &all["status"]["addons"][0]["name"]), (&Value::Null, &json!("dns")));
    assert_eq!((&some["namespaces"], &some["status"]["addons"], &some["name"]), (&json!(["shop"]), &Value::Null, &json!("web")));
}

#[actix_web::test]
async fn what_is_taken_back_ends_at_once_on_every_replica() {
    let house = House::new().await;
    let replica = house.beside().await;
    let (owner, member) = (house.sign_in("owner-a").await, house.sign_in("member-a").await);
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    give(&house, &owner, "guest-a", json!({"role": "guest", "places": [{"cluster": cluster, "role": "reader"}]})).await;
    let guest = house.sign_in("guest-a").await;
    let (_, token) = house.kubeconfig(&guest, &cluster).await;
    for (action, open_on) in [("less", &house), ("less", &replica), ("none", &replica)] {
        give(&house, &owner, "guest-a", json!({"role": "guest", "places": [{"cluster": cluster, "role": "reader"}]})).await;
        let url = format!("{}/k8s/clusters/{cluster}/api/v1/pods?watch=1", open_on.url);
        let mut watch = reqwest::Client::new().get(url).bearer_auth(&token).send().await.unwrap().bytes_stream();
        assert!(watch.next().await.unwrap().is_ok());
        match action {
            "less" => drop(
                give(&house, &owner, "guest-a", json!({"role": "guest", "places": [{"cluster": cluster, "namespace": "shop", "role": "reader"}]}))
                    .await,
            ),
            _ => reset(&house, &owner, "guest-a").await,
        }
        // Half of the time after which it would be looked at anyway.
        let ended = tokio::time::timeout(Duration::from_secs(10), async { while watch.next().await.is_some_and(|piece| piece.is_ok()) {} });
        ended.await.unwrap_or_else(|_| panic!("the watch goes on after {action}"));
        let expected = if action == "less" { 403 } else { 401 };
        assert_eq!(through(open_on, &token, "GET", &cluster, "/api/v1/pods?watch=1").await, expected);
    }
    assert_eq!(house.call(Some(&guest), "GET", "/api/v1/session", None).await.status, 401, "nothing is left to see");
}

#[actix_web::test]
async fn a_role_of_the_projects_own_is_what_it_says_now() {
    let house = House::new().await;
    let (owner, member, reader) = (house.sign_in("owner-a").await, house.sign_in("member-a").await, house.sign_in("reader-a").await);
    let (cluster, _) = house.running_cluster(&member, "web").await;
    let text = |permissions: Value| json!({"name": "on duty", "permissions": permissions});
    let made = house.call(Some(&owner), "POST", "/api/v1/roles", Some(&text(json!(["cluster_update"])))).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let role = made.body["id"].as_str().unwrap();
    give(&house, &owner, "reader-a", json!({"role": role})).await;
    let patch = async || house.call(Some(&reader), "PATCH", &format!("/api/v1/clusters/{cluster}"), Some(&json!({"repair": "manual"}))).await.status;
    let delete = house.call(Some(&reader), "DELETE", &format!("/api/v1/clusters/{cluster}"), Some(&json!({"confirm": "web"}))).await.status;
    assert_eq!((patch().await, delete), (200, 403));
    let path = format!("/api/v1/roles/{role}");
    assert_eq!(house.call(Some(&owner), "PUT", &path, Some(&text(json!(["node_operate"])))).await.status, 200);
    assert_eq!(patch().await, 403);
    let in_use = house.call(Some(&owner), "DELETE", &path, None).await;
    assert_eq!((in_use.status, &in_use.body["code"]), (409, &json!("KCS-CONF-006")));
    let taken = house.call(Some(&owner), "POST", "/api/v1/roles", Some(&text(json!([])))).await;
    assert_eq!((taken.status, &taken.body["code"]), (409, &json!("KCS-NAME-004")));
    // A member who is given less has less, with the tokens they made before.
    let token = house.call(Some(&member), "POST", "/api/v1/tokens", Some(&json!({"name": "ci", "expires_in": 3600}))).await;
    let bearer = format!("Bearer {}", token.body["secret"].as_str().unwrap());
    give(&house, &owner, "member-a", json!({"role": "reader"})).await;
    let create = json!({"name": "new", "template": "dev"});
    assert_eq!(house.call_with(&[("authorization", &bearer)], "POST", "/api/v1/clusters", Some(&create)).await.status, 403);
    assert_eq!(house.call(Some(&member), "POST", "/api/v1/clusters", Some(&create)).await.status, 403);
    reset(&house, &owner, "member-a").await;
    assert_eq!(house.call_with(&[("authorization", &bearer)], "POST", "/api/v1/clusters", Some(&create)).await.status, 202);
}

#[actix_web::test]
async fn what_cannot_be_given_is_refused_by_field() {
    let house = House::new().await;
    let owner = house.sign_in("owner-a").await;
    let (cluster, _) = house.running_cluster(&owner, "web").await;
    let (guest, me) = (id_of(&house, &owner, "guest-a").await, id_of(&house, &owner, "owner-a").await);
    let nothing = "01990000-0000-7000-8000-000000000000";
    let place = |namespace: &str, role: &str| json!({"cluster": cluster, "namespace": namespace, "role": role});
    for (id, what, field) in [
        (&guest, json!({"role": "king"}), "role"),
        (&guest, json!({"role": nothing}), "role"),
        (&guest, json!({"role": "guest", "places": [place("shop", "owner")]}), "places[0].role"),
        (&guest, json!({"role": "guest", "places": [place("shop", "reader"), place("Shop", "reader")]}), "places[1].namespace"),
        (&guest, json!({"role": "guest", "places": [place("shop", "reader"), place("shop", "member")]}), "places[1]"),
        (&guest, json!({"role": "guest", "places": [{"cluster": nothing, "role": "reader"}]}), "places[0].cluster"),
        (&me, json!({"role": "reader"}), "id"),
        (&nothing.to_owned(), json!({"role": "reader"}), "id"),
    ] {
        let refused = house.call(Some(&owner), "PUT", &format!("/api/v1/members/{id}"), Some(&what)).await;
        assert_eq!((refused.status, refused.body["field"].as_str()), (400, Some(field)), "{what}: {}", refused.body);
    }
    let member = house.sign_in("member-a").await;
    give(&house, &owner, "member-a", json!({"role": "owner"})).await;
    let deposed = house.call(Some(&member), "PUT", &format!("/api/v1/members/{me}"), Some(&json!({"role": "guest"}))).await;
    assert_eq!((deposed.status, deposed.body["field"].as_str()), (400, Some("id")), "who is an owner by Keystone stays one");
    let role = json!({"name": "all", "permissions": ["node_operate", "members_manage"]});
    assert_eq!(house.call(Some(&owner), "POST", "/api/v1/roles", Some(&role)).await.body["field"], "permissions[1]");
}
