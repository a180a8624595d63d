//! What is another tenant's looks exactly like what does not exist: in what is answered, and in how long that takes.

use crate::authorization::{FOREIGN, GUEST, Things, Visitors, body, operations};
use crate::house::{Got, House, Person};
use crate::members::give;
use serde_json::{Value, json};
use std::time::Instant;

/// Nothing has this id.
const NOTHING: &str = "01990000-0000-7000-8000-000000000000";

/// The greatest stranger: an owner in tenant B.
async fn owner_of_b(house: &House) -> Person {
    let member = house.sign_in("member-b").await;
    let session = house.call(Some(&member), "GET", "/api/v1/session", None).await.body;
    let (user, project) = (session["user"]["id"].as_str().unwrap(), session["project"]["id"].as_str().unwrap());
    let roles = house.keystone("GET", "/roles?name=manager", &Value::Null).await;
    let manager = roles["roles"][0]["id"].as_str().unwrap();
    house.keystone("PUT", &format!("/projects/{project}/users/{user}/roles/{manager}"), &Value::Null).await;
    let owner = house.sign_in("member-b").await;
    let session = house.call(Some(&owner), "GET", "/api/v1/session", None).await.body;
    assert!(session["permissions"].as_array().unwrap().contains(&json!("members_manage")), "{session}");
    owner
}

/// All of an answer but what each has of its own.
fn told(answer: Got) -> (u16, Vec<(String, String)>, String) {
    let Got { status, headers, mut body, .. } = answer;
    if let Some(problem) = body.as_object_mut() {
        problem.remove("request_id");
    }
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let shared = headers.iter().filter(|(name, _)| !matches!(name.as_str(), "date" | "x-request-id"));
    let mut head: Vec<_> = shared.map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect();
    head.sort();
    (status, head, body.to_string())
}

/// The address of what does not exist.
fn nowhere(path: &str) -> String {
    ["{id}", "{kid}", "{node}", "{pool}", "{held}", "{name}"].iter().fold(path.to_owned(), |path, parameter| path.replace(parameter, NOTHING))
}

#[actix_web::test]
async fn case_64_a_foreign_object_looks_exactly_like_a_missing_one() {
    let house = House::new().await;
    let foreign = owner_of_b(&house).await;
    let (theirs, _) = house.running_cluster(&foreign, "theirs").await;
    let (things, _api) = Things::in_house(&house).await;
    let visitors = Visitors::to(&house, &things.cluster).await;
    let guest = visitors.people[GUEST].as_ref().unwrap();
    // Of the guest's own tenant, and not given to them.
    let hidden = Things { cluster: things.doomed.clone(), busy: things.doomed.clone(), operation: things.deletion.clone(), ..things.clone() };
    let mut routes = operations();
    // A code is nobody's until somebody answers it.
    routes.retain(|(_, _, path)| path.contains('{') && !path.contains("{user_code}"));
    routes.extend(["GET", "POST", "DELETE"].map(|method| ("gate".to_owned(), method.to_owned(), "/k8s/clusters/{id}/api/v1/pods".to_owned())));
    let mut wrong = Vec::new();
    for (route, method, path) in routes {
        let expected = match route.as_str() {
            _ if path.starts_with("/api/v1/admin/") => 403,
            // Who is to be given something is told by name who is in the project, and others are not.
            "member_give" => 400,
            _ => 404,
        };
        let mut pairs = vec![(&foreign, things.address(&path, &route, FOREIGN), nowhere(&path))];
        if ["/api/v1/clusters/", "/api/v1/operations/", "/k8s/"].iter().any(|start| path.starts_with(start)) {
            pairs.push((guest, hidden.address(&path, &route, GUEST), nowhere(&path)));
        }
        if path.contains("{kid}") || path.contains("{node}") {
            // A part of the other's cluster, asked for as one of one's own.
            let own = path.replace("{id}", &theirs);
            pairs.push((&foreign, things.address(&own, &route, FOREIGN), nowhere(&own)));
        }
        let body = body(&route, FOREIGN);
        for (person, there, missing) in pairs {
            let first = told(house.call(Some(person), &method, &there, body.as_ref()).await);
            let second = told(house.call(Some(person), &method, &missing, body.as_ref()).await);
            if first != second || first.0 != expected {
                wrong.push(format!("{method} {there}: {first:?}\n{method} {missing}: {second:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[actix_web::test]
async fn a_foreign_id_in_a_body_or_a_query_is_as_good_as_none() {
    let house = House::new().await;
    let foreign = owner_of_b(&house).await;
    let (theirs, _) = house.running_cluster(&foreign, "theirs").await;
    let (things, _api) = Things::in_house(&house).await;
    let member = format!("/api/v1/members/{}", things.member);
    let pool = format!("/api/v1/clusters/{theirs}/node-pools/default");
    for (method, path, body, id, expected) in [
        ("POST", "/api/v1/tokens", json!({"name": "ci", "expires_in": 3600, "clusters": ["ID"]}), &things.cluster, 400),
        ("POST", "/api/v1/clusters", json!({"name": "new", "template": "ID"}), &things.template, 400),
        ("PUT", member.as_str(), json!({"role": "guest", "places": [{"cluster": "ID", "role": "reader"}]}), &things.cluster, 400),
        ("PUT", member.as_str(), json!({"role": "ID"}), &things.role, 400),
        ("PATCH", pool.as_str(), json!({"count": 1, "remove": ["ID"]}), &things.node, 400),
        ("GET", "/api/v1/operations?cluster_id=ID", Value::Null, &things.cluster, 200),
        ("GET", "/api/v1/audit?cluster_id=ID", Value::Null, &things.cluster, 200),
    ] {
        let ask = async |id: &str| {
            let body: Value = serde_json::from_str(&body.to_string().replace("ID", id)).unwrap();
            told(house.call(Some(&foreign), method, &path.replace("ID", id), Some(&body).filter(|body| !body.is_null())).await)
        };
        let there = ask(id).await;
        assert_eq!(there, ask(NOTHING).await, "{method} {path}");
        assert_eq!(there.0, expected, "{method} {path}: {}", there.2);
    }
}

/// A sign test over pairs, whatever the machine does besides: were the two alike, each would be the slower one half of the time.
#[actix_web::test]
async fn case_64_a_foreign_object_takes_as_long_as_a_missing_one() {
    const PAIRS: u32 = 120;
    let house = House::new().await;
    let foreign = owner_of_b(&house).await;
    let (theirs, _) = house.running_cluster(&foreign, "theirs").await;
    let (things, _api) = Things::in_house(&house).await;
    let owner = house.sign_in("owner-a").await;
    let place = json!({"cluster": things.cluster, "namespace": "web", "role": "reader"});
    let guest = give(&house, &owner, "guest-a", json!({"role": "guest", "places": [place]})).await["id"].as_str().unwrap().to_owned();
    let console = format!("/api/v1/clusters/{theirs}/nodes/ID/console");
    let kubeconfig = format!("/api/v1/clusters/{theirs}/kubeconfigs/ID");
    for (method, path, id) in [
        ("GET", "/api/v1/clusters/ID", &things.cluster),
        ("GET", "/api/v1/operations/ID", &things.operation),
        ("GET", console.as_str(), &things.node),
        ("DELETE", kubeconfig.as_str(), &things.kubeconfig),
        ("DELETE", "/api/v1/tokens/ID", &things.token),
        ("DELETE", "/api/v1/templates/ID", &things.template),
        ("DELETE", "/api/v1/roles/ID", &things.role),
        ("DELETE", "/api/v1/members/ID", &guest),
        ("POST", "/api/v1/quota-requests/ID/withdraw", &things.request),
        ("GET", "/k8s/clusters/ID/api", &things.cluster),
    ] {
        let time = async |id: &str| {
            let path = path.replace("ID", id);
            let begun = Instant::now();
            assert_eq!(house.call(Some(&foreign), method, &path, None).await.status, 404, "{method} {path}");
            begun.elapsed()
        };
        let mut slower = 0;
        for pair in 0..PAIRS {
            // Neither has the advantage of coming second.
            let (of_there, of_missing) = if pair % 2 == 0 {
                let first = time(id).await;
                (first, time(NOTHING).await)
            } else {
                let first = time(NOTHING).await;
                (time(id).await, first)
            };
            slower += u32::from(of_there > of_missing);
        }
        // Five standard deviations: by chance once in two million runs.
        let spread = 5.0 * f64::from(PAIRS).sqrt() / 2.0;
        assert!((f64::from(slower) - f64::from(PAIRS) / 2.0).abs() < spread, "{method} {path}: slower {slower} times of {PAIRS}");
    }
}
