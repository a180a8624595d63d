//! Ways into pods over SPDY, as kubectl before 1.31 and older client libraries open them: the same rules as for WebSockets, by raw bytes on real connections. What
//! the cluster hears of either before it is known who comes, and written down.

use crate::cluster_api::ClusterApi;
use crate::house::{House, Person};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Far less than the time after which an open stream is looked at by itself.
const AT_ONCE: Duration = Duration::from_secs(8);
/// Less than the time for which a change's body is waited for before it goes on to the cluster unseen.
const BEFORE_IT_GOES_ON: Duration = Duration::from_secs(4);

fn exec(cluster: &str, authorization: &str) -> String {
    format!(
        "POST /k8s/clusters/{cluster}/api/v1/namespaces/default/pods/web/exec?command=ls&command=-l&stdout=true HTTP/1.1\r\nHost: kcs\r\n\
         {authorization}Impersonate-User: system:admin\r\nContent-Length: 0\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\
         Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n"
    )
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

async fn connect(house: &House) -> TcpStream {
    TcpStream::connect(house.url.strip_prefix("http://").unwrap()).await.unwrap()
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(AT_ONCE, future).await.expect("nothing came in time")
}

/// Reads one answer's head.
async fn head(client: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(soon(client.read_u8()).await.unwrap());
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

async fn echoed(client: &mut TcpStream, bytes: &[u8]) {
    client.write_all(bytes).await.unwrap();
    let mut back = vec![0; bytes.len()];
    soon(client.read_exact(&mut back)).await.unwrap();
    assert_eq!(back, bytes);
}

/// A way into a pod that is open.
async fn opened(house: &House, cluster: &str, token: &str) -> TcpStream {
    let mut client = connect(house).await;
    client.write_all(exec(cluster, &bearer(token)).as_bytes()).await.unwrap();
    let head = head(&mut client).await;
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(head.contains("\r\nupgrade: spdy/3.1\r\n") && head.contains("\r\nx-stream-protocol-version: v4.channel.k8s.io\r\n"), "{head}");
    assert!(!head.contains("websocket") && !head.contains("transfer-encoding"), "{head}");
    echoed(&mut client, b"\x80\x03\0\x01 raw").await;
    client
}

async fn ends(mut client: TcpStream) {
    let since = Instant::now();
    let mut rest = Vec::new();
    drop(soon(client.read_to_end(&mut rest)).await);
    assert_eq!(rest, b"");
    println!("ended after {:?}", since.elapsed());
}

/// What the audit log says of commands: outcome, detail.
async fn commands(house: &House, person: &Person) -> Vec<(Value, Value)> {
    let log = house.call(Some(person), "GET", "/api/v1/audit?action=kubernetes_exec", None).await.body;
    log["items"].as_array().unwrap().iter().map(|entry| (entry["outcome"].clone(), entry["detail"].clone())).collect()
}

/// Waits until what the cluster has written down is enough.
async fn met(api: &ClusterApi, enough: impl Fn(&[String]) -> bool) {
    let waiting = async {
        while !enough(api.heads.lock().unwrap().as_slice()) {
            tokio::task::yield_now().await;
        }
    };
    soon(waiting).await;
}

/// Waits until the cluster has written something down of a command.
async fn noted(api: &ClusterApi, word: &str) {
    met(api, |lines| lines.iter().any(|line| line == word)).await;
}

#[actix_web::test]
async fn spdy_leads_into_a_pod_as_the_person_and_is_written_down() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, api) = house.cluster_with_echoing_api(&member, "web").await;
    let (_, token) = house.kubeconfig(&member, &cluster).await;
    let mut client = opened(&house, &cluster, &token).await;
    // More than any buffer, both ways at the same time.
    let much: Vec<u8> = (0..4_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let (mut from, mut to) = client.split();
    let mut back = vec![0; much.len()];
    let (sent, read) = soon(async { tokio::join!(to.write_all(&much), from.read_exact(&mut back)) }).await;
    sent.unwrap();
    read.unwrap();
    assert!(back == much, "not what was sent");
    let seen = api.heads.lock().unwrap()[0].clone();
    assert!(seen.starts_with("post /api/v1/namespaces/default/pods/web/exec?command=ls&command=-l&stdout=true http/1.1\r\n"), "{seen}");
    let lines = |start: &str| seen.lines().filter(|line| line.starts_with(start)).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines("upgrade:"), ["upgrade: spdy/3.1"]);
    assert_eq!(lines("x-stream-protocol-version:"), ["x-stream-protocol-version: v4.channel.k8s.io"]);
    assert_eq!(lines("authorization"), Vec::<String>::new());
    let who = lines("impersonate-user:");
    assert!(who.len() == 1 && who[0].starts_with("impersonate-user: kcs:"), "{who:?}");
    let told = commands(&house, &member).await;
    assert_eq!((told.len(), &told[0].0, &told[0].1["command"]), (1, &json!("accepted"), &json!("ls -l")), "{told:?}");
}

#[actix_web::test]
async fn what_is_narrowed_to_a_namespace_is_in_a_cluster_only_what_has_a_group_there() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, api) = house.cluster_with_echoing_api(&member, "web").await;
    let wanted = json!({"expires_in": 3600, "namespaces": ["default", "shop"]});
    let issued = house.call(Some(&member), "POST", &format!("/api/v1/clusters/{cluster}/kubeconfigs"), Some(&wanted)).await.body;
    let token = issued["kubeconfig"].as_str().unwrap().lines().find_map(|line| line.trim().strip_prefix("token: ")).unwrap().trim_matches('"');
    let (_, secret) = crate::tokens::make(&house, &member, json!({"namespaces": ["default"]})).await;
    for token in [token, secret.as_str()] {
        api.heads.lock().unwrap().clear();
        drop(opened(&house, &cluster, token).await);
        // That the way before ended may be noted meanwhile.
        let seen = api.heads.lock().unwrap().iter().find(|head| head.starts_with("post ")).unwrap().clone();
        let lines = |start: &str| seen.lines().filter_map(|line| line.strip_prefix(start)).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(lines("impersonate-group: "), ["kcs:guest", "kcs:changes:default"], "{seen}");
        let who = lines("impersonate-user: ");
        assert!(who.len() == 1 && who[0].starts_with("kcs:narrowed:"), "{who:?}");
        assert_eq!(lines("impersonate-extra-kcs%2fname: "), ["member-a"]);
    }
}

#[actix_web::test]
async fn the_connection_into_a_pod_is_made_meanwhile_and_nothing_is_said_on_it_before_it_is_written_down_who_comes() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, api) = house.cluster_with_echoing_api(&member, "web").await;
    let (_, token) = house.kubeconfig(&member, &cluster).await;
    let mut open = Vec::new();
    // Who is here for the first time, and who is remembered.
    for before in 0..2 {
        let mut slow = house.database.lock("audit").await;
        let mut client = connect(&house).await;
        client.write_all(exec(&cluster, &bearer(&token)).as_bytes()).await.unwrap();
        soon(async {
            while api.connections.load(Ordering::SeqCst) == before || slow.waiting().await == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(api.heads.lock().unwrap().len(), before, "something was said");
        slow.release().await;
        let head = head(&mut client).await;
        assert!(head.starts_with("http/1.1 101"), "{head}");
        echoed(&mut client, b"\x80\x03\0\x01 raw").await;
        open.push(client);
    }
    assert_eq!((api.connections.load(Ordering::SeqCst), api.heads.lock().unwrap().len()), (2, 2), "one connection for each");
}

#[actix_web::test]
async fn who_cannot_be_written_down_gets_into_no_pod() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, api) = house.cluster_with_echoing_api(&member, "web").await;
    let (_, token) = house.kubeconfig(&member, &cluster).await;
    let first = opened(&house, &cluster, &token).await;
    house.database.execute("ALTER TABLE audit ADD CONSTRAINT shut CHECK (false) NOT VALID").await;
    let mut client = connect(&house).await;
    client.write_all(exec(&cluster, &bearer(&token)).as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon(client.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 5"), "{answer}");
    assert_eq!(api.heads.lock().unwrap().len(), 1, "it got there");
    drop(first);
}

#[actix_web::test]
async fn an_open_way_over_spdy_is_cut_when_the_right_to_it_or_its_time_ends() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _api) = house.cluster_with_echoing_api(&member, "web").await;
    let (kid, token) = house.kubeconfig(&member, &cluster).await;
    let (_, good) = house.kubeconfig(&member, &cluster).await;
    let other = house.beside().await;
    let (here, there, mut kept) =
        (opened(&house, &cluster, &token).await, opened(&other, &cluster, &token).await, opened(&house, &cluster, &good).await);
    let revoked = house.call(Some(&member), "DELETE", &format!("/api/v1/clusters/{cluster}/kubeconfigs/{kid}"), None).await;
    assert_eq!(revoked.status, 204);
    tokio::join!(ends(here), ends(there));
    echoed(&mut kept, b"still there").await;
    let brief = house.beside_brief(Duration::from_secs(1)).await;
    ends(opened(&brief, &cluster, &good).await).await;
    let idle = house.beside_idle(Duration::from_secs(1)).await;
    ends(opened(&idle, &cluster, &good).await).await;
    echoed(&mut kept, b"still there").await;
}

#[actix_web::test]
async fn a_way_into_a_pod_is_cut_also_when_its_client_reads_nothing() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, api) = house.cluster_with_echoing_api(&member, "web").await;
    let (kid, token) = house.kubeconfig(&member, &cluster).await;
    let mut client = connect(&house).await;
    client.write_all(exec(&cluster, &bearer(&token)).replace("command=ls&command=-l", "command=yes").as_bytes()).await.unwrap();
    noted(&api, "full").await;
    let revoked = house.call(Some(&member), "DELETE", &format!("/api/v1/clusters/{cluster}/kubeconfigs/{kid}"), None).await;
    assert_eq!(revoked.status, 204);
    noted(&api, "left").await;
    drop(client);
}

#[actix_web::test]
async fn a_watch_is_cut_also_when_its_client_reads_nothing() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, api) = house.cluster_with_echoing_api(&member, "web").await;
    let (kid, token) = house.kubeconfig(&member, &cluster).await;
    let mut client = connect(&house).await;
    let watch = format!("GET /k8s/clusters/{cluster}/api/v1/pods?watch=1&command=yes HTTP/1.1\r\nHost: kcs\r\n{}\r\n", bearer(&token));
    client.write_all(watch.as_bytes()).await.unwrap();
    noted(&api, "full").await;
    let revoked = house.call(Some(&member), "DELETE", &format!("/api/v1/clusters/{cluster}/kubeconfigs/{kid}"), None).await;
    assert_eq!(revoked.status, 204);
    noted(&api, "left").await;
    // What was on its way is all that still comes, to the answer's end or the connection's.
    let mut rest = Vec::new();
    while soon(client.read_buf(&mut rest)).await.is_ok_and(|read| read > 0) && !rest.ends_with(b"\r\n0\r\n\r\n") {}
}

#[actix_web::test]
async fn a_command_with_a_nul_is_decided_on_and_written_down_like_any_other() {
    let house = House::new().await;
    let (member, reader) = (house.sign_in("member-a").await, house.sign_in("reader-a").await);
    let (cluster, _api) = house.cluster_with_echoing_api(&member, "web").await;
    for (person, status, outcome) in [(&reader, 403, "denied"), (&member, 101, "accepted")] {
        let (_, token) = house.kubeconfig(person, &cluster).await;
        let mut client = connect(&house).await;
        client.write_all(exec(&cluster, &bearer(&token)).replace("command=ls&", "command=l%00s&").as_bytes()).await.unwrap();
        let head = head(&mut client).await;
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{head}");
        // The newest first.
        let (said, detail) = commands(&house, &member).await.swap_remove(0);
        assert_eq!((&said, &detail["command"], &detail["cut"]["command"]["characters"]), (&json!(outcome), &json!("ls -l"), &json!(6)), "{detail}");
    }
}

#[actix_web::test]
async fn a_change_that_is_not_whole_yet_when_the_right_to_it_ends_does_not_get_to_the_cluster() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, api) = house.cluster_with_answering_api(&member, "web").await;
    let (kid, token) = house.kubeconfig(&member, &cluster).await;
    let kubeconfigs = format!("/api/v1/clusters/{cluster}/kubeconfigs");
    let mut client = connect(&house).await;
    let begun = format!(
        "POST /k8s/clusters/{cluster}/api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: kcs\r\n{}\
         Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{",
        bearer(&token)
    );
    client.write_all(begun.as_bytes()).await.unwrap();
    // It is known who comes.
    soon(async {
        while house.call(Some(&member), "GET", &kubeconfigs, None).await.body["items"][0]["last_used_at"].is_null() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let revoked = house.call(Some(&member), "DELETE", &format!("{kubeconfigs}/{kid}"), None).await;
    assert_eq!(revoked.status, 204);
    let refused = tokio::time::timeout(BEFORE_IT_GOES_ON, head(&mut client)).await.expect("the rest is waited for");
    assert!(refused.starts_with("http/1.1 401"), "{refused}");
    assert!(api.heads.lock().unwrap().is_empty(), "it got there");
    assert!(house.told(&member, "kubernetes_write").await.is_empty());
}

#[actix_web::test]
async fn a_change_that_the_cluster_has_not_answered_when_the_right_to_it_ends_is_told_as_failed() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, api) = house.cluster_with_echoing_api(&member, "web").await;
    let (kid, token) = house.kubeconfig(&member, &cluster).await;
    let mut client = connect(&house).await;
    let pod = format!("/k8s/clusters/{cluster}/api/v1/namespaces/default/pods/web");
    let asked = format!("DELETE {pod}?command=mute HTTP/1.1\r\nHost: kcs\r\nContent-Length: 0\r\n{}\r\n", bearer(&token));
    client.write_all(asked.as_bytes()).await.unwrap();
    met(&api, |lines| lines.iter().any(|line| line.contains("command=mute"))).await;
    let outcomes = async || house.told(&member, "kubernetes_write").await.into_iter().map(|(outcome, _)| outcome).collect::<Vec<_>>();
    assert_eq!(outcomes().await, ["accepted"]);
    let revoked = house.call(Some(&member), "DELETE", &format!("/api/v1/clusters/{cluster}/kubeconfigs/{kid}"), None).await;
    assert_eq!(revoked.status, 204);
    let refused = head(&mut client).await;
    assert!(refused.starts_with("http/1.1 401"), "{refused}");
    let lines = house.told(&member, "kubernetes_write").await;
    assert_eq!((outcomes().await, &lines[1].1["code"]), (vec!["accepted".to_owned(), "failed".to_owned()], &json!("KCS-AUTH-001")), "{lines:?}");
    assert_eq!(lines[1].1["path"], lines[0].1["path"], "{lines:?}");
}

#[actix_web::test]
async fn what_is_open_ends_with_its_client_also_when_nothing_comes() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let session = house.call(Some(&member), "GET", "/api/v1/session", None).await.body;
    let user = session["user"]["id"].as_str().unwrap();
    let (cluster, api) = house.cluster_with_echoing_api(&member, "web").await;
    let (_, token) = house.kubeconfig(&member, &cluster).await;
    let look = |path: &str, known: &str| format!("GET {path} HTTP/1.1\r\nHost: kcs\r\n{known}\r\n");
    let pods = |query: &str| look(&format!("/k8s/clusters/{cluster}/api/v1/pods?{query}"), &bearer(&token));
    let all = house.free_streams(user);
    for (what, request, answered) in [
        ("a watch in which nothing happens", pods("watch=1"), true),
        ("a call to which the cluster says nothing", pods("command=mute"), false),
        ("a way into a pod", exec(&cluster, &bearer(&token)), true),
        ("events", look("/api/v1/events", &format!("Cookie: {}\r\n", member.cookie)), true),
    ] {
        let mut client = connect(&house).await;
        client.write_all(request.as_bytes()).await.unwrap();
        if answered {
            head(&mut client).await;
        } else {
            met(&api, |lines| lines.iter().any(|line| line.contains("command=mute"))).await;
        }
        assert_eq!(house.free_streams(user), all - 1, "{what}");
        // All that is heard of a client whose program is gone; a connection that is there no more would be found by the first word to it.
        client.shutdown().await.unwrap();
        let left = async {
            while house.free_streams(user) < all {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(AT_ONCE, left).await.unwrap_or_else(|_| panic!("{what} stays open"));
        drop(soon(client.read_to_end(&mut Vec::new())).await);
    }
    // In the cluster, too.
    met(&api, |lines| lines.iter().filter(|line| *line == "left").count() * 2 == lines.len()).await;
}

#[actix_web::test]
async fn spdy_is_refused_as_everything_else_is_and_what_follows_is_nobodys_request() {
    let house = House::new().await;
    let (member, reader) = (house.sign_in("member-a").await, house.sign_in("reader-a").await);
    let (cluster, api) = house.cluster_with_echoing_api(&member, "web").await;
    let (_, reads) = house.kubeconfig(&reader, &cluster).await;
    let foreigner = house.sign_in("member-b").await;
    let (elsewhere, _) = house.running_cluster(&foreigner, "web").await;
    let (_, foreign) = house.kubeconfig(&foreigner, &elsewhere).await;
    let by_cookie = format!("Cookie: {}\r\nX-CSRF-Token: {}\r\nOrigin: https://evil.example\r\n", member.cookie, member.csrf);
    for (who, authorization, status) in [
        ("a stranger", String::new(), 401),
        ("nobody", bearer("kcs_kubeconfig_x"), 401),
        ("a reader", bearer(&reads), 403),
        ("somebody of another tenant", bearer(&foreign), 401),
        ("a page of somebody else's", by_cookie, 403),
    ] {
        let mut client = connect(&house).await;
        // The second is hidden in what would be the first one's stream.
        let both = exec(&cluster, &authorization) + "GET /api/v1/about HTTP/1.1\r\nHost: kcs\r\n\r\n";
        client.write_all(both.as_bytes()).await.unwrap();
        let mut answers = String::new();
        soon(client.read_to_string(&mut answers)).await.unwrap();
        assert!(answers.starts_with(&format!("HTTP/1.1 {status} ")), "{who}: {answers}");
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{who}: {answers}");
        assert!(answers.to_lowercase().contains("\r\nconnection: close\r\n"), "{who}: {answers}");
    }
    assert!(api.heads.lock().unwrap().is_empty(), "something reached the cluster");
    let told = commands(&house, &member).await;
    assert_eq!((told.len(), &told[0].0), (1, &json!("denied")), "the reader's: {told:?}");
}

#[actix_web::test]
async fn spdy_on_a_connection_that_was_used_before_is_refused_with_words_instead_of_hanging() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, api) = house.cluster_with_echoing_api(&member, "web").await;
    let (_, token) = house.kubeconfig(&member, &cluster).await;
    let mut client = connect(&house).await;
    client.write_all(b"HEAD /healthz HTTP/1.1\r\nHost: kcs\r\n\r\n").await.unwrap();
    assert!(head(&mut client).await.starts_with("http/1.1 200"));
    // What stands behind it has come by no stream, and is no request either.
    let both = exec(&cluster, &bearer(&token)) + "GET /api/v1/about HTTP/1.1\r\nHost: kcs\r\n\r\n";
    client.write_all(both.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon(client.read_to_string(&mut answer)).await.unwrap();
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.contains("\"kind\":\"Status\"") && answer.contains("first request of a connection"),
        "{answer}"
    );
    assert!(api.heads.lock().unwrap().is_empty(), "something reached the cluster");
}

#[actix_web::test]
async fn a_body_before_an_upgrade_is_refused_with_words_and_not_lost_on_the_way() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, api) = house.cluster_with_answering_api(&member, "web").await;
    let (_, token) = house.kubeconfig(&member, &cluster).await;
    let request = format!(
        "POST /k8s/clusters/{cluster}/api/v1/namespaces/web/pods HTTP/1.1\r\nHost: kcs\r\n{}Content-Length: 2\r\n\
         Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n{{}}",
        bearer(&token)
    );
    let mut client = connect(&house).await;
    client.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon(client.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("has no body"), "{answer}");
    assert!(api.heads.lock().unwrap().is_empty(), "something reached the cluster");
}
