//! What the audit log tells, and to whom.

use crate::cluster_api::ClusterApi;
use crate::house::{House, Person, configured};
use crate::settings::within_a_minute;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use api::in_force::{Configured, InForce};
use domain::installation::Installation;
use serde_json::{Value, json};
use server::audit::Messenger;
use server::audit_anchor::Anchor;
use sha2::{Digest, Sha256};
use std::time::Duration;
use store::{AuditEnd, AuditEnds};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// (action, outcome, who) of the lines, the oldest first.
fn told(list: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lines = list["items"].as_array().unwrap().iter().rev();
    lines.map(|line| (text(&line["action"]), text(&line["outcome"]), text(&line["user"]["name"]))).collect()
}

async fn audit(house: &House, person: &Person, query: &str) -> Value {
    let answer = house.call(Some(person), "GET", &format!("/api/v1/audit{query}"), None).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[actix_web::test]
async fn what_an_operator_looks_at_is_told_once() {
    let house = House::new().await;
    let operator = house.sign_in("operator").await;
    let document = house.call(None, "GET", "/api/openapi.json", None).await;
    let paths = document.body["paths"].as_object().unwrap().iter();
    let reads = paths.filter(|(path, methods)| path.starts_with("/api/v1/admin/") && methods.get("get").is_some());
    let reads: Vec<String> = reads.map(|(path, _)| path.replace("{id}", "01990000-0000-7000-8000-000000000000")).collect();
    assert!(reads.len() >= 5, "{reads:?}");
    for path in &reads {
        for _ in 0..2 {
            house.call(Some(&operator), "GET", path, None).await;
        }
    }
    house.call(Some(&operator), "GET", "/api/v1/admin/clusters?project=tenant-a&search=%00", None).await;
    let looks = house.call(Some(&operator), "GET", "/api/v1/admin/audit?action=operator_look&limit=200", None).await;
    let told = |path: &str| looks.body["items"].as_array().unwrap().iter().filter(|line| line["object_id"] == path).cloned().collect::<Vec<_>>();
    for path in reads.iter().filter(|path| **path != "/api/v1/admin/clusters") {
        assert_eq!(told(path).len(), if path.as_str() == "/api/v1/admin/audit" { 2 } else { 1 }, "{path}: {}", looks.body);
    }
    let clusters = told("/api/v1/admin/clusters");
    assert_eq!(clusters.len(), 2, "another question is another look: {}", looks.body);
    assert_eq!(clusters[0]["detail"]["asked"], json!({"project": "tenant-a", "search": ""}));
    let member = house.sign_in("member-a").await;
    assert_eq!(house.call(Some(&member), "GET", "/api/v1/admin/clusters", None).await.status, 403);
}

#[actix_web::test]
async fn what_an_operator_looks_at_of_one_tenant_is_told_to_the_tenant() {
    let house = House::new().await;
    let (member, foreign, operator) = (house.sign_in("member-a").await, house.sign_in("member-b").await, house.sign_in("operator").await);
    let receipt = format!("/api/v1/admin/operations/{}/receipt", house.deleted_cluster(&member, "gone").await);
    house.running_cluster(&foreign, "web").await;
    let session = house.call(Some(&member), "GET", "/api/v1/session", None).await.body;
    let project = session["project"]["id"].as_str().unwrap();
    let tenant = format!("/api/v1/admin/tenants/{project}");
    let clusters = "/api/v1/admin/clusters";
    let (narrowed, by_name) = (format!("{clusters}?project={project}"), format!("{clusters}?project=tenant"));
    for path in [tenant.as_str(), &receipt, &narrowed, clusters, &by_name] {
        let looked = house.call(Some(&operator), "GET", path, None).await;
        assert_eq!(looked.status, 200, "{path}: {}", looked.body);
    }
    let own = audit(&house, &member, "?action=operator_look").await;
    let lines: Vec<&Value> = own["items"].as_array().unwrap().iter().rev().collect();
    let seen: Vec<&str> = lines.iter().map(|line| line["object_id"].as_str().unwrap()).collect();
    assert_eq!(seen, [tenant.as_str(), receipt.as_str(), clusters], "{own}");
    for line in lines {
        let who = (&line["user"]["name"], &line["project"]["id"], &line["detail"]["from_project"]);
        assert_eq!(who, (&json!("operator"), &json!(project), &json!("admin")), "{line}");
    }
    assert!(told(&audit(&house, &foreign, "?action=operator_look").await).is_empty(), "looks at all, and at others, are not theirs");
    let all = house.call(Some(&operator), "GET", "/api/v1/admin/audit?action=operator_look&limit=200", None).await.body;
    let of_clusters = all["items"].as_array().unwrap().iter().filter(|line| line["object_id"] == clusters);
    assert_eq!(of_clusters.count(), 3, "{all}");
}

#[actix_web::test]
async fn an_export_ends_with_the_right_to_it_also_when_its_client_reads_nothing_and_does_not_look_whole() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let session = house.call(Some(&member), "GET", "/api/v1/session", None).await.body;
    let user = session["user"]["id"].as_str().unwrap();
    // More than all buffers on the way hold.
    let much = "INSERT INTO audit (tenant_id, user_id, user_name, via, action, object_kind, object_id, outcome, request_id, source, detail)
                SELECT tenant_id, '', 'kcs', 'engine', 'padding', 'x', 'x', 'done', '', '', jsonb_build_object('padding', repeat('x', 16000))
                FROM (SELECT tenant_id FROM audit WHERE tenant_id IS NOT NULL LIMIT 1) AS own, generate_series(1, 2000)";
    house.database.execute(much).await;
    let before = house.free_streams(user);
    let mut client = TcpStream::connect(house.url.strip_prefix("http://").unwrap()).await.unwrap();
    let request = format!("GET /api/v1/audit/export HTTP/1.1\r\nHost: kcs\r\nCookie: {}\r\n\r\n", member.cookie);
    client.write_all(request.as_bytes()).await.unwrap();
    let mut begun = [0; 15];
    client.read_exact(&mut begun).await.unwrap();
    assert_eq!((&begun, house.free_streams(user)), (b"HTTP/1.1 200 OK", before - 1));
    assert_eq!(house.call(Some(&member), "DELETE", "/api/v1/session", None).await.status, 204);
    let ended = async {
        while house.free_streams(user) < before {
            tokio::task::yield_now().await;
        }
        let mut rest = Vec::new();
        drop(client.read_to_end(&mut rest).await);
        rest
    };
    let rest = tokio::time::timeout(Duration::from_secs(8), ended).await.expect("it goes on");
    assert!(!rest.ends_with(b"\r\n0\r\n\r\n"), "what was cut looks whole");
}

#[actix_web::test]
async fn deeds_refusals_commands_and_looks_at_secrets_are_told_with_who_and_from_where() {
    let house = House::new().await;
    let (member, reader) = (house.sign_in("member-a").await, house.sign_in("reader-a").await);
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let (kid, token) = house.kubeconfig(&member, &cluster).await;
    let pods = format!("/k8s/clusters/{cluster}/api/v1/namespaces/default/pods");
    let exec = format!("{pods}/web/exec?container=c&command=sh&command=-c&command=id");
    assert_eq!(house.call(Some(&reader), "GET", &exec, None).await.status, 403);
    for (method, path) in
        [("GET", &exec), ("GET", &format!("/k8s/clusters/{cluster}/api/v1/secrets")), ("GET", &pods), ("DELETE", &format!("{pods}/web"))]
    {
        let url = format!("{}{path}", house.url);
        // Its answer never ends: only the head is of interest.
        let answer = reqwest::Client::new().request(method.parse().unwrap(), url).bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    house.call(Some(&member), "PATCH", &format!("/api/v1/clusters/{cluster}"), Some(&json!({"repair": "manual"}))).await;
    house.call(Some(&member), "DELETE", &format!("/api/v1/clusters/{cluster}/kubeconfigs/{kid}"), None).await;

    let list = audit(&house, &member, "").await;
    let expected = [
        ("session_create", "done", "member-a"),
        ("session_create", "done", "reader-a"),
        ("cluster_create", "accepted", "member-a"),
        ("cluster_create", "done", "kcs"),
        ("kubeconfig_issue", "done", "member-a"),
        ("kubernetes_exec", "denied", "reader-a"),
        ("kubernetes_exec", "accepted", "member-a"),
        ("kubernetes_secret_read", "accepted", "member-a"),
        ("kubernetes_write", "accepted", "member-a"),
        ("cluster_update", "accepted", "member-a"),
        ("kubeconfig_revoke", "done", "member-a"),
    ];
    assert_eq!(told(&list), expected.map(|(action, outcome, who)| (action.to_owned(), outcome.to_owned(), who.to_owned())));
    let line = |action: &str| list["items"].as_array().unwrap().iter().find(|l| l["action"] == action).unwrap();
    assert_eq!(line("kubernetes_exec")["detail"]["command"], "sh -c id");
    assert_eq!((&line("kubernetes_exec")["via"], &line("kubernetes_exec")["source"]), (&json!("kubeconfig"), &json!("127.0.0.1")));
    assert_eq!(line("cluster_update")["detail"]["before"]["repair"], "automatic");
    assert_eq!(line("cluster_update")["detail"]["after"]["repair"], "manual");
    assert!(!line("cluster_update")["request_id"].as_str().unwrap().is_empty());
    assert_eq!(line("cluster_create")["cluster"], json!(cluster));
    assert!(line("cluster_create")["operation"].is_string());
    let whole = list.to_string();
    assert!(!whole.contains(&token) && !whole.contains(crate::house::PASSWORD));
}

#[actix_web::test]
async fn what_the_api_refused_to_somebody_it_knows_is_told_once_a_minute() {
    let house = House::new().await;
    let (member, reader) = (house.sign_in("member-a").await, house.sign_in("reader-a").await);
    let (foreign, operator) = (house.sign_in("member-b").await, house.sign_in("operator").await);
    let (cluster, _) = house.running_cluster(&member, "web").await;
    let path = format!("/api/v1/clusters/{cluster}");
    let confirm = json!({"confirm": "web"});
    for _ in 0..3 {
        assert_eq!(house.call(Some(&reader), "DELETE", &path, Some(&confirm)).await.status, 403);
        assert_eq!(house.call(Some(&member), "GET", "/api/v1/admin/clusters", None).await.status, 403);
    }
    assert_eq!(house.call(Some(&reader), "PATCH", &path, Some(&json!({"repair": "manual"}))).await.status, 403);
    // What is hidden from somebody was not refused, and a look is worth a line in the admin view only.
    assert_eq!(house.call(Some(&foreign), "DELETE", &path, Some(&confirm)).await.status, 404);
    assert_eq!(house.call(Some(&reader), "GET", &path, None).await.status, 200);

    let list = audit(&house, &member, "?outcome=denied").await;
    let expected = ["reader-a", "member-a", "reader-a"].map(|who| ("request_refused".to_owned(), "denied".to_owned(), who.to_owned()));
    assert_eq!(told(&list), expected, "{list}");
    let lines = list["items"].as_array().unwrap();
    assert_eq!(lines[2]["detail"], json!({"method": "DELETE", "path": path, "code": "KCS-RBAC-001"}));
    assert_eq!((&lines[2]["object_id"], &lines[2]["source"]), (&json!("/api/v1/clusters/{id}"), &json!("127.0.0.1")));
    assert!(told(&audit(&house, &foreign, "?outcome=denied").await).is_empty());
    let all = house.call(Some(&operator), "GET", "/api/v1/admin/audit?action=request_refused&user=member-a", None).await.body;
    let look = json!({"method": "GET", "path": "/api/v1/admin/clusters", "code": "KCS-RBAC-002"});
    assert_eq!((told(&all).len(), &all["items"][0]["detail"]), (1, &look), "{all}");
}

#[actix_web::test]
async fn no_padding_hides_what_a_command_does() {
    let house = House::new().await;
    let (member, reader) = (house.sign_in("member-a").await, house.sign_in("reader-a").await);
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let padded = |padding: usize| format!("{}deed", "x".repeat(padding));
    for command in [padded(5_000), padded(9_000)] {
        let exec = format!("/k8s/clusters/{cluster}/api/v1/namespaces/default/pods/web/exec?command={command}");
        assert_eq!(house.call(Some(&reader), "GET", &exec, None).await.status, 403);
    }
    let list = audit(&house, &member, "?action=kubernetes_exec").await;
    let (cut, whole) = (&list["items"][0]["detail"], &list["items"][1]["detail"]);
    assert_eq!((&whole["command"], whole.get("cut")), (&json!(padded(5_000)), None));
    let hash = format!("{:x}", Sha256::digest(padded(9_000)));
    assert_eq!((&cut["command"], &cut["cut"]), (&json!("x".repeat(8_192)), &json!({"command": {"characters": 9_004, "sha256": hash}})));
}

#[actix_web::test]
async fn what_a_cluster_refused_or_never_got_is_told_with_how_it_ended() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (refuses, _api) = house.cluster_with_refusing_api(&member, "refuses").await;
    let (unknown, _) = house.running_cluster(&member, "nobody-knows-where").await;
    let pod = |cluster: &str| format!("/k8s/clusters/{cluster}/api/v1/namespaces/default/pods/web");
    // A look is no line, however it ends.
    for method in ["GET", "DELETE"] {
        assert_eq!(house.call(Some(&member), method, &pod(&refuses), None).await.status, 409, "{method}");
    }
    let lost = house.call(Some(&member), "DELETE", &pod(&unknown), None).await;
    assert!(lost.status >= 400, "{}", lost.body);
    let list = audit(&house, &member, "?action=kubernetes_write").await;
    let outcomes: Vec<String> = told(&list).into_iter().map(|(_, outcome, _)| outcome).collect();
    assert_eq!(outcomes, ["accepted", "failed", "accepted", "failed"], "{list}");
    let path = "/api/v1/namespaces/default/pods/web";
    assert_eq!(list["items"][2]["detail"], json!({"method": "DELETE", "path": path, "status": 409}));
    assert_eq!(list["items"][0]["detail"], json!({"method": "DELETE", "path": path, "code": lost.body["code"]}));
}

#[actix_web::test]
async fn a_change_in_a_cluster_says_which_object_and_which_fields_and_no_value() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _api) = house.cluster_of(&member, "web", ClusterApi::making()).await;
    let secrets = format!("/k8s/clusters/{cluster}/api/v1/namespaces/default/secrets");
    let large = json!({"metadata": {"name": "large"}, "data": {"password": "c2VjcmV0".repeat(10_000)}});
    for object in [
        json!({"metadata": {"name": "db"}, "data": {"password": "c2VjcmV0"}}),
        json!({"metadata": {"generateName": "made-"}, "data": {"password": "c2VjcmV0"}}),
        large,
    ] {
        let made = house.call(Some(&member), "POST", &secrets, Some(&object)).await;
        assert_eq!((made.status, &made.body["data"]), (201, &object["data"]), "it has come whole");
    }
    let patch = json!({"metadata": {"labels": {"tier": "c2VjcmV0"}}, "stringData": {"password": "c2VjcmV0"}});
    let change = |method: &'static str, path: String, body: Option<Value>| {
        let (house, member) = (&house, &member);
        async move { house.call(Some(member), method, &path, body.as_ref()).await.status }
    };
    assert_eq!(change("PATCH", format!("{secrets}/db"), Some(patch)).await, 200);
    assert_eq!(change("DELETE", format!("{secrets}?labelSelector=app%3Dweb&x=c2VjcmV0"), None).await, 200);
    assert_eq!(change("POST", format!("{secrets}/db/x"), Some(json!({}))).await, 201);

    let list = audit(&house, &member, "?action=kubernetes_write").await;
    let path = "/api/v1/namespaces/default/secrets";
    let lines: Vec<(&str, &Value)> =
        list["items"].as_array().unwrap().iter().rev().map(|line| (line["outcome"].as_str().unwrap(), &line["detail"])).collect();
    let expected = [
        ("accepted", &json!({"method": "POST", "path": path, "object": "db"})),
        ("accepted", &json!({"method": "POST", "path": path, "generate_name": "made-"})),
        ("done", &json!({"method": "POST", "path": path, "generate_name": "made-", "object": "made-x7k2p"})),
        ("accepted", &json!({"method": "POST", "path": path})),
    ];
    assert_eq!(lines[..4], expected);
    // Too large to be looked at: what the answer says counts, where all of it came at once.
    let rest = &lines[lines.len() - 3..];
    let expected = [
        ("accepted", &json!({"method": "PATCH", "path": format!("{path}/db"), "fields": ["metadata.labels", "stringData"]})),
        ("accepted", &json!({"method": "DELETE", "path": path, "query": "labelSelector=app=web"})),
        ("accepted", &json!({"method": "POST", "path": format!("{path}/db/x")})),
    ];
    assert_eq!(rest, expected);
    assert!(!list.to_string().contains("c2VjcmV0"), "{list}");
}

#[actix_web::test]
async fn a_tenant_sees_its_own_lines_by_filter_and_page_and_an_operator_all() {
    let house = House::new().await;
    let (member, foreign, operator) = (house.sign_in("member-a").await, house.sign_in("member-b").await, house.sign_in("operator").await);
    house.running_cluster(&member, "web").await;
    house.running_cluster(&foreign, "web").await;
    assert!(told(&audit(&house, &foreign, "?user=member-a").await).is_empty());
    assert_eq!(told(&audit(&house, &member, "?action=cluster_create").await).len(), 2);
    let first = audit(&house, &member, "?limit=2").await;
    let second = audit(&house, &member, &format!("?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!([told(&second), told(&first)].concat(), told(&audit(&house, &member, "").await));
    assert!(told(&audit(&house, &member, "?to=2020-01-01T00:00:00Z").await).is_empty());
    assert_eq!(house.call(Some(&member), "GET", "/api/v1/audit?from=yesterday", None).await.body["field"], "from");

    let all = house.call(Some(&operator), "GET", "/api/v1/admin/audit?action=cluster_create", None).await.body;
    assert_eq!(told(&all).len(), 4, "of each how it was asked for, and how it ended");
    let project = all["items"][0]["project"]["id"].as_str().unwrap();
    assert_eq!(
        told(&house.call(Some(&operator), "GET", &format!("/api/v1/admin/audit?project={project}&action=cluster_create"), None).await.body).len(),
        2
    );
    // A look is a line itself: what was before the looks of now.
    let before = format!("?to={}", all["items"][0]["at"].as_str().unwrap());
    let export = house.call(Some(&operator), "GET", &format!("/api/v1/admin/audit/export{before}"), None).await;
    assert_eq!(export.content_type, "application/x-ndjson");
    let lines: Vec<Value> = export.body.as_str().unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 2, "{lines:?}");
    assert_eq!(json!(lines), house.call(Some(&operator), "GET", &format!("/api/v1/admin/audit{before}"), None).await.body["items"]);
}

#[actix_web::test]
async fn what_an_operator_does_to_a_tenants_things_is_told_to_the_tenant() {
    let house = House::new().await;
    let (member, foreign, operator) = (house.sign_in("member-a").await, house.sign_in("member-b").await, house.sign_in("operator").await);
    let reader = house.sign_in("reader-a").await;
    let (web, _) = house.running_cluster(&member, "web").await;
    let session = house.call(Some(&member), "GET", "/api/v1/session", None).await.body;
    let (project, person) = (session["project"]["id"].as_str().unwrap(), session["user"]["id"].as_str().unwrap());
    let resize = house.call(Some(&member), "PATCH", &format!("/api/v1/clusters/{web}/node-pools/default"), Some(&json!({"count": 3}))).await.body;
    let asked = json!({"wanted": {"clusters": 21}, "reason": "the season begins"});
    let request = house.call(Some(&member), "POST", "/api/v1/quota-requests", Some(&asked)).await.body;
    let orphan = house.orphan("kcs-lost-net").await;
    let operation = format!("/api/v1/admin/operations/{}", resize["operation"]["id"].as_str().unwrap());
    let blocked = "UPDATE operations SET state = 'blocked', next_attempt_at = now() + interval '10 minutes' WHERE state = 'pending'";
    house.database.execute(blocked).await;
    let pause = format!("/api/v1/admin/clusters/{web}/pause");
    for (action, method, path, body) in [
        ("operation_retry", "POST", format!("{operation}/retry"), Value::Null),
        ("cluster_pause", "PUT", pause.clone(), json!({"reason": "the cloud is upgraded"})),
        ("cluster_resume", "DELETE", pause, Value::Null),
        ("operation_cancel", "POST", format!("{operation}/cancel"), Value::Null),
        ("tenant_update", "PUT", format!("/api/v1/admin/tenants/{project}"), json!({"limits": {"nodes": 5}, "allowed": {}})),
        (
            "quota_request_decide",
            "POST",
            format!("/api/v1/admin/quota-requests/{}/decision", request["id"].as_str().unwrap()),
            json!({"answer": "decline", "words": "there is no room"}),
        ),
        ("orphan_decide", "POST", format!("/api/v1/admin/orphans/{orphan}/decision"), json!({"decision": "keep"})),
        ("person_cut_off", "DELETE", format!("/api/v1/admin/people/{person}/access"), Value::Null),
    ] {
        let done = house.call(Some(&operator), method, &path, Some(&body).filter(|b| !b.is_null())).await;
        assert!((200..300).contains(&done.status), "{action}: {}", done.body);
        let own = audit(&house, &reader, &format!("?action={action}")).await;
        let found = house.call(Some(&operator), "GET", &format!("/api/v1/admin/audit?project={project}&action={action}"), None).await.body;
        for list in [&own, &found] {
            assert_eq!(told(list).iter().map(|(_, _, who)| who.as_str()).collect::<Vec<_>>(), ["operator"], "{action}: {list}");
            let line = &list["items"][0];
            assert_eq!((&line["project"]["id"], &line["detail"]["from_project"]), (&json!(project), &json!("admin")), "{action}: {list}");
        }
        assert!(told(&audit(&house, &foreign, &format!("?action={action}")).await).is_empty(), "{action}");
    }
    // What a tenant does itself is told as before.
    let resized = audit(&house, &reader, "?action=node_pool_resize&outcome=accepted").await;
    assert_eq!((told(&resized).len(), resized["items"][0]["detail"].get("from_project")), (1, None), "{resized}");
    let ended = audit(&house, &reader, "?action=node_pool_resize&outcome=cancelled").await;
    assert_eq!(told(&ended).iter().map(|(_, _, who)| who.as_str()).collect::<Vec<_>>(), ["kcs"], "{ended}");
    assert_eq!(
        (&ended["items"][0]["operation"], &ended["items"][0]["request_id"]),
        (&resized["items"][0]["operation"], &resized["items"][0]["request_id"])
    );
    house.store.audit_seal(None).await.unwrap();
    assert_eq!(house.store.audit_verify(AuditEnds::default()).await.unwrap().findings, []);
}

#[actix_web::test]
async fn each_project_is_told_what_ended_there_when_somebody_is_cut_off() {
    let house = House::new().await;
    let (member, foreign, operator) = (house.sign_in("member-a").await, house.sign_in("member-b").await, house.sign_in("operator").await);
    let here = house.sign_in("both").await;
    let there = json!({"username": "both", "password": crate::house::PASSWORD, "project": "tenant-b"});
    house.call(None, "POST", "/api/v1/session", Some(&there)).await.person();
    let token = house.call(Some(&here), "POST", "/api/v1/tokens", Some(&json!({"name": "ci", "expires_in": 3600}))).await;
    assert_eq!(token.status, 201, "{}", token.body);
    let person = house.call(Some(&here), "GET", "/api/v1/session", None).await.body["user"]["id"].as_str().unwrap().to_owned();
    let cut = house.call(Some(&operator), "DELETE", &format!("/api/v1/admin/people/{person}/access"), None).await;
    assert_eq!((&cut.body["sessions"], &cut.body["tokens"]), (&json!(2), &json!(1)), "{}", cut.body);
    for (reader, tokens) in [(&member, 1), (&foreign, 0)] {
        let list = audit(&house, reader, "?action=person_cut_off").await;
        let expected = json!({"name": "both", "sessions": 1, "tokens": tokens, "kubeconfigs": 0, "from_project": "admin"});
        assert_eq!((told(&list).len(), &list["items"][0]["detail"]), (1, &expected), "{list}");
    }
}

#[actix_web::test]
async fn a_refused_sign_in_is_told_to_operators_with_the_name_and_the_address() {
    let house = House::new().await;
    let by_credential = "/api/v1/session/application-credential";
    for (path, body) in [
        ("/api/v1/session", json!({"username": "member-a", "password": "wrong-secret"})),
        ("/api/v1/session", json!({"username": "nobody", "password": "wrong-secret", "domain": "Nowhere"})),
        (by_credential, json!({"id": "nobodys", "secret": "wrong-secret"})),
        (by_credential, json!({"name": "ci", "username": "member-a", "secret": "wrong-secret"})),
    ] {
        assert_eq!(house.call(None, "POST", path, Some(&body)).await.status, 401, "{body}");
    }
    // Half of what is wanted is no refusal, and neither is what does not reach Keystone.
    let password = json!({"username": "totp-a", "password": crate::house::PASSWORD});
    assert_eq!(house.call(None, "POST", "/api/v1/session", Some(&password)).await.body["code"], "KCS-AUTH-012");
    assert_eq!(house.call(None, "POST", "/api/v1/session", Some(&json!({"username": "", "password": "x"}))).await.status, 400);
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    let log = house.call(Some(&operator), "GET", "/api/v1/admin/audit?action=sign_in", None).await.body;
    let denied = |who: &str| ("sign_in".to_owned(), "denied".to_owned(), who.to_owned());
    assert_eq!(told(&log), ["member-a", "nobody", "", "member-a"].map(denied));
    let details: Vec<&Value> = log["items"].as_array().unwrap().iter().rev().map(|line| &line["detail"]).collect();
    let expected = [
        json!({"domain": "Default"}),
        json!({"domain": "Nowhere"}),
        json!({"application_credential": "nobodys"}),
        json!({"application_credential": "ci", "domain": "Default"}),
    ];
    assert_eq!(details, expected.iter().collect::<Vec<_>>());
    let line = &log["items"][0];
    assert_eq!((&line["source"], &line["project"]["id"], &line["user"]["id"]), (&json!("127.0.0.1"), &json!(""), &json!("")), "{line}");
    assert!(!line["request_id"].as_str().unwrap().is_empty() && !log.to_string().contains("wrong-secret"), "{log}");
    assert!(told(&audit(&house, &member, "?action=sign_in").await).is_empty());
    house.store.audit_seal(None).await.unwrap();
    assert_eq!(house.store.audit_verify(AuditEnds::default()).await.unwrap().findings, []);
}

/// Hands the log of a new house on to `to` and answers what `arrives` makes of it; each is a line of the log.
async fn handed_on(to: String, authorization: Option<&str>, mut arrives: mpsc::Receiver<String>) -> Vec<String> {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    house.running_cluster(&member, "web").await;
    let installation = Installation { forward: Some(to.parse().unwrap()), ..configured().installation };
    assert_eq!(installation.wrong(), []);
    let configured = Configured { installation, authorization: authorization.map(Into::into) };
    let in_force = InForce::new(configured, Box::new(Messenger::new().unwrap()));
    let stop = CancellationToken::new();
    actix_web::rt::spawn(server::audit::keep(house.store.clone(), in_force.watch(), Anchor::default(), stop.clone()));
    let mut came = Vec::new();
    while came.len() < 3 {
        came.push(tokio::time::timeout(Duration::from_secs(60), arrives.recv()).await.expect("nothing arrives").unwrap());
    }
    stop.cancel();
    let lines: Vec<Value> = came.iter().map(|text| serde_json::from_str(&text[text.find('{').unwrap()..]).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| line["action"].as_str().unwrap()).collect::<Vec<_>>(), ["session_create", "cluster_create", "cluster_create"]);
    for line in lines {
        let since: AuditEnd = line["seal"].as_str().unwrap().parse().unwrap();
        let held = house.store.audit_verify(AuditEnds { since: Some(since), known: None }).await.unwrap();
        assert_eq!(held.findings, [], "the log holds what was handed on: {line}");
    }
    came
}

#[actix_web::test]
async fn what_the_state_directory_remembers_of_the_log_cannot_be_taken_back_in_the_database() {
    let (house, dir) = (House::new().await, tempfile::tempdir().unwrap());
    let anchor = || Anchor::in_dir(dir.path());
    let seen = async |seq: i64| anchor().known().await.unwrap().is_some_and(|end| end.seq >= seq);
    let keep = || {
        let stop = CancellationToken::new();
        let kept = server::audit::keep(house.store.clone(), house.state.in_force.watch(), anchor(), stop.clone());
        (actix_web::rt::spawn(kept), stop)
    };
    let (kept, stop) = keep();
    within_a_minute(async || seen(0).await).await;
    house.sign_in("member-a").await;
    within_a_minute(async || seen(1).await).await;
    stop.cancel();
    kept.await.unwrap();
    house.database.execute("CREATE TABLE earlier AS SELECT * FROM audit_head").await;
    house.sign_in("member-b").await;
    let later = house.store.audit_seal(anchor().known().await.unwrap()).await.unwrap().end.unwrap();
    anchor().keep(&later).await.unwrap();
    let back = "SET session_replication_role = replica;
                DELETE FROM audit WHERE id IN (SELECT audit_id FROM audit_seals WHERE seq > (SELECT last_seq FROM earlier));
                DELETE FROM audit_seals WHERE seq > (SELECT last_seq FROM earlier);
                DELETE FROM audit_head; INSERT INTO audit_head SELECT * FROM earlier";
    house.database.execute(back).await;
    house.sign_in("operator").await;
    let (kept, stop) = keep();
    let refused = house.store.audit_seal(Some(later.clone())).await.unwrap_err();
    assert!(refused.to_string().contains("does not hold what it held"), "{refused}");
    let accepted = house.store.audit_accept(Some(later), "tried out".into()).await.unwrap().unwrap();
    assert_eq!(accepted.lines, 2, "the sign-in has waited, and this is told itself");
    anchor().keep(&accepted.end).await.unwrap();
    house.sign_in("member-a").await;
    within_a_minute(async || seen(accepted.end.seq + 1).await).await;
    stop.cancel();
    kept.await.unwrap();
    assert_eq!(house.store.audit_verify(AuditEnds::default()).await.unwrap().findings, []);
}

/// RFC 5424: facility 13, severity 6.
fn is_syslog(line: &str) -> bool {
    let parts: Vec<&str> = line.splitn(8, ' ').collect();
    parts[0] == "<110>1" && parts[1].ends_with('Z') && parts[3..7] == ["kcs", "-", "audit", "-"] && parts[7].starts_with('{')
}

#[actix_web::test]
async fn lines_are_handed_on_over_http() {
    let (sender, receiver) = mpsc::channel(16);
    let take = |request: HttpRequest, body: Bytes, sender: Data<mpsc::Sender<String>>| async move {
        let text = |name: &str| request.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!((text("authorization").as_str(), text("content-type").as_str()), ("Bearer collector", "application/x-ndjson"));
        for line in String::from_utf8(body.to_vec()).unwrap().lines() {
            sender.send(line.to_owned()).await.unwrap();
        }
        HttpResponse::NoContent().finish()
    };
    let sender = Data::new(sender);
    let server = HttpServer::new(move || App::new().app_data(sender.clone()).route("/in", web::post().to(take)));
    let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let to = format!("http://{}/in", server.addrs()[0]);
    actix_web::rt::spawn(server.run());
    handed_on(to, Some("Bearer collector"), receiver).await;
}

#[actix_web::test]
async fn lines_are_handed_on_as_syslog_over_tcp() {
    let (sender, receiver) = mpsc::channel(16);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = format!("syslog+tcp://{}", listener.local_addr().unwrap());
    actix_web::rt::spawn(async move {
        loop {
            let mut text = String::new();
            listener.accept().await.unwrap().0.read_to_string(&mut text).await.unwrap();
            // RFC 6587: each after its length.
            while let Some((length, rest)) = text.split_once(' ') {
                let (message, rest) = rest.split_at(length.parse().unwrap());
                sender.send(message.to_owned()).await.unwrap();
                text = rest.to_owned();
            }
        }
    });
    let came = handed_on(to, None, receiver).await;
    assert!(came.iter().all(|line| is_syslog(line)), "{came:?}");
}

#[actix_web::test]
async fn lines_are_handed_on_as_syslog_over_udp() {
    let (sender, receiver) = mpsc::channel(16);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = format!("syslog+udp://{}", socket.local_addr().unwrap());
    actix_web::rt::spawn(async move {
        let mut datagram = vec![0; 65_536];
        while let Ok(length) = socket.recv(&mut datagram).await {
            sender.send(String::from_utf8(datagram[..length].to_vec()).unwrap()).await.unwrap();
        }
    });
    let came = handed_on(to, None, receiver).await;
    assert!(came.iter().all(|line| is_syslog(line)), "{came:?}");
}
