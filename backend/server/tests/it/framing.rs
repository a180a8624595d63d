//! Where requests end, by raw bytes: what follows a head that wishes for an upgrade, whole or half, or the last request of a connection, is read by nobody as a
//! request, neither here nor by the cluster, whose connections are used again.

use crate::house::House;
use futures::future::join_all;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Far less than a connection may be idle.
const AT_ONCE: Duration = Duration::from_secs(30);

/// Paths in the cluster, each without the number that tells one request from the others.
const LOOK: &str = "/api/v1/namespaces/web/pods?limit=";
const EXEC: &str = "/api/v1/namespaces/web/pods/p/exec?command=ls&command=";

const CHUNKED: &str = "2\r\n{}\r\n0\r\n\r\n";

/// Method, path, version of HTTP, heads, body, and the status of the answer: what is let through the cluster answers with 200.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str, u16);
#[rustfmt::skip]
const CASES: [Case; 18] = [
    ("GET", LOOK, "1.1", "Upgrade: websocket\r\n", "", 400),
    ("POST", LOOK, "1.1", "Upgrade: websocket\r\nContent-Length: 2\r\n", "{}", 400),
    ("POST", LOOK, "1.1", "Upgrade: websocket\r\nTransfer-Encoding: chunked\r\n", CHUNKED, 400),
    ("GET", LOOK, "1.1", "Connection: Upgrade\r\n", "", 200),
    ("POST", LOOK, "1.1", "Connection: Upgrade\r\nContent-Length: 2\r\n", "{}", 200),
    ("POST", LOOK, "1.1", "Connection: Upgrade\r\nTransfer-Encoding: chunked\r\n", CHUNKED, 200),
    ("GET", LOOK, "1.1", "Connection: keep-alive, upgrade\r\nUpgrade: h2c\r\n", "", 200),
    ("GET", EXEC, "1.1", "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n", "", 200),
    ("GET", EXEC, "1.1", "Connection: close, Upgrade\r\nUpgrade: websocket\r\n", "", 400),
    ("POST", EXEC, "1.1", "Connection: close, Upgrade\r\nUpgrade: SPDY/3.1\r\n", "", 400),
    ("GET", EXEC, "1.0", "Connection: Upgrade\r\nUpgrade: websocket\r\n", "", 400),
    ("GET", EXEC, "1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", "", 200),
    ("GET", LOOK, "1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", "", 200),
    ("POST", EXEC, "1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n", "", 200),
    ("POST", EXEC, "1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n", "{}", 400),
    ("POST", EXEC, "1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n", CHUNKED, 400),
    ("GET", LOOK, "1.1", "Connection: close\r\n", "", 200),
    ("GET", LOOK, "1.0", "", "", 200),
];

/// All that comes back on a connection until it ends.
async fn answers(house: &House, bytes: &str) -> String {
    let mut client = TcpStream::connect(house.url.strip_prefix("http://").unwrap()).await.unwrap();
    client.write_all(bytes.as_bytes()).await.unwrap();
    let mut answers = String::new();
    tokio::time::timeout(AT_ONCE, client.read_to_string(&mut answers)).await.unwrap_or_else(|_| panic!("it goes on: {bytes}")).unwrap();
    answers
}

#[actix_web::test]
async fn what_follows_a_wish_for_an_upgrade_whole_or_half_is_read_by_nobody() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, api) = house.cluster_with_answering_api(&member, "web").await;
    let (_, token) = house.kubeconfig(&member, &cluster).await;
    let bearer = format!("Authorization: Bearer {token}\r\n");
    // Should anybody take this for a request, the cluster hears of it.
    let hidden = format!("GET /k8s/clusters/{cluster}/version?hidden HTTP/1.1\r\nHost: kcs\r\n{bearer}Connection: close\r\n\r\n");
    let sent = CASES.iter().enumerate().map(|(number, (method, path, version, heads, body, _))| {
        format!("{method} /k8s/clusters/{cluster}{path}{number} HTTP/{version}\r\nHost: kcs\r\n{bearer}{heads}\r\n{body}{hidden}")
    });
    let sent: Vec<String> = sent.collect();
    let answered = join_all(sent.iter().map(|bytes| answers(&house, bytes))).await;
    let mut heard = BTreeSet::new();
    for (number, (answers, (method, path, version, heads, _, status))) in answered.iter().zip(CASES).enumerate() {
        let case = format!("{method} {path} HTTP/{version} {heads:?}: {answers}");
        assert_eq!(answers.get(8..13), Some(format!(" {status} ").as_str()), "{case}");
        assert_eq!(answers.matches("HTTP/1.").count(), 1, "{case}");
        assert!(!answers.to_lowercase().contains("\r\nconnection: upgrade\r\n"), "{case}");
        heard.extend((status == 200).then(|| format!("{method} {path}{number}")));
    }
    // And whoever comes next by the same connections to the cluster is answered for themselves.
    for _ in 0..3 {
        let next = house.call_with(&[("authorization", bearer[15..].trim())], "GET", &format!("/k8s/clusters/{cluster}/version"), None).await;
        assert_eq!((next.status, &next.body["kind"]), (200, &json!("List")));
    }
    heard.insert("GET /version".to_owned());
    assert_eq!(api.heads.lock().unwrap().iter().cloned().collect::<BTreeSet<_>>(), heard);
}

#[actix_web::test]
async fn after_the_last_request_of_a_connection_nothing_is_answered() {
    let house = House::new().await;
    let health = |heads: &str| format!("GET /healthz HTTP/1.1\r\nHost: kcs\r\n{heads}\r\n");
    for heads in ["Connection: close\r\n", "Connection: Upgrade\r\nUpgrade: h2c\r\n"] {
        let answers = answers(&house, &[health(""), health(""), health(heads), health("")].concat()).await;
        assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), 3, "{heads}: {answers}");
        assert_eq!(answers.matches("HTTP/1.").count(), 3, "{heads}: {answers}");
    }
}
