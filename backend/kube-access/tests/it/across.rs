//! Lists over all namespaces for who sees some of them only: what is asked of the cluster, and what is made of its answers.

use crate::fake_api::{FakeApi, access, json, soon, text};
use domain::members::Inside;
use futures::StreamExt;
use http::StatusCode;
use kube_access::gateway::Answer;
use kube_access::{GatewayRequest, Group, Impersonation, KubeError};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/// Namespaces `shop` and `web`, with two pods and one; `late` is not there yet, and of `shut` something else is said. Things are of a kind that a definition made:
/// their server writes in the order of names.
async fn cluster() -> FakeApi {
    FakeApi::start(|request| {
        let path = request.uri().path().to_owned();
        let table = request.headers()["accept"].to_str().unwrap().contains("as=Table");
        let resource = |name: &str, namespaced: bool, kind: &str| json!({"name": name, "namespaced": namespaced, "kind": kind});
        let object = |namespace: &str, name: &str| json!({"metadata": {"namespace": namespace, "name": name}});
        let list = |version: &str, objects: Vec<Value>| match table {
            true => {
                let rows: Vec<Value> = objects.into_iter().map(|object| json!({"cells": [object["metadata"]["name"]], "object": object})).collect();
                format!(r#"{{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{{"resourceVersion":"{version}"}},"columnDefinitions":[{{"name":"Name"}}],"rows":{}}}"#, Value::from(rows))
            }
            false => format!(r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{"resourceVersion":"{version}"}},"items":{}}}"#, Value::from(objects)),
        };
        let said = |body: String| {
            let mut answer = text(StatusCode::OK, body);
            answer.headers_mut().insert("content-type", "application/json".parse().unwrap());
            answer.headers_mut().insert("etag", "\"one\"".parse().unwrap());
            answer
        };
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let answer = match segments.as_slice() {
            ["api", "v1"] => {
                json(&json!({"resources": [resource("pods", true, "Pod"), resource("pods/log", true, "Pod"), resource("nodes", false, "Node")]}))
            }
            ["apis", "example.com", "v1"] => json(&json!({"resources": [resource("things", true, "Thing")]})),
            ["api", "v1", "namespaces", "shop", "pods"] => said(list("7", vec![object("shop", "a"), object("shop", "b")])),
            ["api", "v1", "namespaces", "web", "pods"] => said(list("9", vec![object("web", "c")])),
            ["apis", "example.com", "v1", "namespaces", namespace @ ("shop" | "web"), "things"] => said(format!(
                r#"{{"apiVersion":"example.com/v1","items":{},"kind":"ThingList","metadata":{{"resourceVersion":"{}"}}}}"#,
                json!([object(namespace, "thing")]),
                namespace.len()
            )),
            ["api", "v1", "namespaces", name @ ("shop" | "web")] if table => {
                said(format!(r#"{{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{{"resourceVersion":"1"}},"columnDefinitions":[{{"name":"Name"}}],"rows":[{{"cells":["{name}"]}}]}}"#))
            }
            ["api", "v1", "namespaces", name @ ("shop" | "web")] => json(&json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name}})),
            ["api", "v1", "namespaces", "late", ..] => text(StatusCode::FORBIDDEN, "{}"),
            ["api", "v1", "namespaces", "shut", ..] => text(StatusCode::GONE, r#"{"kind":"Status","reason":"Expired"}"#),
            _ => text(StatusCode::NOT_FOUND, "404 page not found"),
        };
        Box::pin(async move { answer })
    })
    .await
}

/// Status and body of a list of these namespaces; None: it is of nothing that is in namespaces.
async fn list(api: &FakeApi, path: &str, accept: &str, names: &[&str]) -> Option<(u16, Result<Value, String>)> {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let mut request = GatewayRequest::new("GET", path, query, Box::pin(futures::stream::empty())).unwrap();
    request.add_header("accept", accept.as_bytes());
    request.add_header("accept-encoding", b"gzip");
    let gateway = access().gateway(&api.target).await.unwrap();
    let guest = Impersonation::new("u1", "guest", Group::Guest);
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let answer = soon(gateway.across(&guest, names, request.collection().unwrap())).await.unwrap()?;
    let Answer::Response(response) = answer else { panic!("a tunnel") };
    let status = response.status().as_u16();
    let of_one = |name: &str| status == 200 && response.headers().contains_key(name);
    assert!(!of_one("etag") && !of_one("content-length"), "those of one of them");
    let pieces: Vec<_> = soon(response.into_body().collect::<Vec<_>>()).await;
    let body: Result<Vec<_>, _> = pieces.into_iter().collect();
    Some((status, body.map_err(|e| e.to_string()).map(|pieces| serde_json::from_slice(&pieces.concat()).unwrap())))
}

#[tokio::test]
async fn a_list_over_all_namespaces_has_what_is_in_those_that_are_seen() {
    let api = cluster().await;
    let all = ["late", "shop", "web"];
    let (status, pods) = list(&api, "/api/v1/pods?limit=1&labelSelector=a%3Db", "application/json", &all).await.unwrap();
    let pods = pods.unwrap();
    let names: Vec<_> = pods["items"].as_array().unwrap().iter().map(|pod| pod["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!((status, names.join(" ").as_str(), &pods["kind"]), (200, "a b c", &json!("PodList")));
    assert_eq!(pods["metadata"], json!({"resourceVersion": "7"}), "nothing that came after it is left out by who goes on from there");
    let seen = api.seen.lock().unwrap().clone();
    let asked: Vec<_> = seen.iter().map(|seen| seen.uri.as_str()).collect();
    let of = |name: &str| format!("/api/v1/namespaces/{name}/pods?labelSelector=a%3Db");
    assert_eq!(asked, ["/api/v1".to_owned(), of("late"), of("shop"), of("web")]);
    for seen in &seen {
        let header = |name: &str| seen.headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!((header("impersonate-user"), header("impersonate-group"), header("accept-encoding")), (Some("kcs:u1"), Some("kcs:guest"), None));
    }
}

#[tokio::test]
async fn each_part_of_a_list_is_asked_for_in_the_group_of_its_namespace_where_somebody_was_narrowed_to_these() {
    let api = cluster().await;
    let gateway = access().gateway(&api.target).await.unwrap();
    let who = Impersonation::narrowed("u1", "m", BTreeMap::from([("shop".to_owned(), Inside::Looks), ("web".to_owned(), Inside::Changes)]));
    for path in ["/api/v1/pods", "/api/v1/namespaces"] {
        api.seen.lock().unwrap().clear();
        let mut request = GatewayRequest::new("GET", path, None, Box::pin(futures::stream::empty())).unwrap();
        request.add_header("accept", b"application/json");
        let names = vec!["shop".to_owned(), "web".to_owned()];
        let answer = soon(gateway.across(&who, names, request.collection().unwrap())).await.unwrap().unwrap();
        let Answer::Response(response) = answer else { panic!("a tunnel") };
        soon(response.into_body().collect::<Vec<_>>()).await;
        for seen in api.seen.lock().unwrap().iter() {
            let groups: Vec<_> = seen.headers.get_all("impersonate-group").iter().map(|group| group.to_str().unwrap()).collect();
            let expected = match seen.uri.as_str() {
                uri if uri.contains("/namespaces/shop") => "kcs:guest kcs:looks:shop",
                uri if uri.contains("/namespaces/web") => "kcs:guest kcs:changes:web",
                _ => "kcs:guest",
            };
            assert_eq!(
                (groups.join(" ").as_str(), seen.headers["impersonate-user"].to_str().unwrap()),
                (expected, "kcs:narrowed:u1"),
                "{}",
                seen.uri
            );
        }
    }
}

#[tokio::test]
async fn a_list_comes_in_the_form_that_is_asked_for() {
    let api = cluster().await;
    let all = ["shop", "late", "web"];
    let (_, table) = list(&api, "/api/v1/pods", TABLE, &all).await.unwrap();
    let table = table.unwrap();
    assert_eq!((&table["kind"], &table["columnDefinitions"]), (&json!("Table"), &json!([{"name": "Name"}])));
    let cells: Vec<_> = table["rows"].as_array().unwrap().iter().map(|row| row["cells"][0].as_str().unwrap()).collect();
    assert_eq!(cells, ["a", "b", "c"]);
    let (_, things) = list(&api, "/apis/example.com/v1/things", "application/vnd.kubernetes.protobuf, */*", &all).await.unwrap();
    let things = things.unwrap();
    let found: Vec<_> = things["items"].as_array().unwrap().iter().map(|thing| thing["metadata"]["namespace"].as_str().unwrap()).collect();
    assert_eq!((found, &things["kind"], &things["metadata"]["resourceVersion"]), (vec!["shop", "web"], &json!("ThingList"), &json!("4")));
    assert_eq!(api.last().headers["accept"], "application/json");
    let (status, refused) = list(&api, "/api/v1/pods", "application/vnd.kubernetes.protobuf", &all).await.unwrap();
    assert_eq!((status, &refused.unwrap()["reason"]), (406, &json!("NotAcceptable")));
}

#[tokio::test]
async fn the_namespaces_themselves_are_a_list_too() {
    let api = cluster().await;
    let all = ["late", "shop", "web"];
    let (_, plain) = list(&api, "/api/v1/namespaces?limit=500", "application/json", &all).await.unwrap();
    let plain = plain.unwrap();
    assert_eq!((&plain["kind"], &plain["apiVersion"], &plain["metadata"]), (&json!("NamespaceList"), &json!("v1"), &json!({})));
    let names: Vec<_> = plain["items"].as_array().unwrap().iter().map(|one| one["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["shop", "web"]);
    let (_, table) = list(&api, "/api/v1/namespaces", TABLE, &all).await.unwrap();
    let table = table.unwrap();
    assert_eq!((&table["kind"], &table["rows"]), (&json!("Table"), &json!([{"cells": ["shop"]}, {"cells": ["web"]}])));
    let (_, none) = list(&api, "/api/v1/namespaces", TABLE, &["late"]).await.unwrap();
    assert_eq!(none.unwrap(), json!({"kind": "NamespaceList", "apiVersion": "v1", "metadata": {}, "items": []}));
}

#[tokio::test]
async fn namespaces_that_are_large_together_are_not_held_all_at_once() {
    let api = FakeApi::start(|_| {
        let large = json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "a", "annotations": {"x": "y".repeat(1_000_000)}}});
        Box::pin(async move { json(&large) })
    })
    .await;
    let request = GatewayRequest::new("GET", "/api/v1/namespaces", None, Box::pin(futures::stream::empty())).unwrap();
    let gateway = access().gateway(&api.target).await.unwrap();
    let names = (0..100).map(|number| format!("n{number}")).collect();
    let answer = soon(gateway.across(&Impersonation::new("u1", "guest", Group::Guest), names, request.collection().unwrap())).await;
    assert!(matches!(answer, Err(KubeError::BadAnswer(_))), "{answer:?}");
    assert!(api.count() < 50, "{} were asked for", api.count());
}

#[tokio::test]
async fn what_is_not_there_yet_is_empty_and_what_the_cluster_says_else_is_said() {
    let api = cluster().await;
    let (status, empty) = list(&api, "/api/v1/pods", TABLE, &["late"]).await.unwrap();
    assert_eq!((status, empty.unwrap()), (200, json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": []})));
    for what in ["pods", "namespaces"] {
        let (status, said) = list(&api, &format!("/api/v1/{what}"), "", &["late", "shut", "web"]).await.unwrap();
        assert_eq!((status, &said.unwrap()["reason"]), (410, &json!("Expired")), "{what}");
    }
    let (_, broken) = list(&api, "/api/v1/pods", "", &["shop", "shut"]).await.unwrap();
    assert!(broken.is_err(), "half of a list went out as a whole one: {broken:?}");
    for (what, path) in [("of no namespace", "/api/v1/nodes"), ("no kind", "/api/v1/nonsense"), ("no group", "/apis/nonsense/v1/pods")] {
        assert!(list(&api, path, "", &["shop", "web"]).await.is_none(), "{what}");
    }
}
