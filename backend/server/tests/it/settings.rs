//! What operators set while everything runs: it counts at once on every replica, is tested before it is saved, and no secret goes astray.

use crate::house::{House, Person};
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use serde_json::{Value, json};
use server::audit_anchor::Anchor;
use std::time::Duration;
use store::AuditEnds;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

const PATH: &str = "/api/v1/admin/settings";
/// What a collector says to those whom it refuses.
const WORDS: &str = "words-of-the-collector";

/// A receiver of lines that tells what comes: (`Authorization`, act).
pub struct Collector {
    pub url: String,
    lines: UnboundedReceiver<(String, String)>,
}

struct Inbox {
    lines: UnboundedSender<(String, String)>,
    status: u16,
}

async fn take(request: HttpRequest, body: Bytes, inbox: Data<Inbox>) -> HttpResponse {
    let authorization = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    for line in std::str::from_utf8(&body).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        drop(inbox.lines.send((authorization.clone(), line["action"].as_str().unwrap().to_owned())));
    }
    HttpResponse::build(inbox.status.try_into().unwrap()).body(WORDS)
}

impl Collector {
    /// One that answers with this status.
    pub fn start(status: u16) -> Self {
        let (sender, lines) = unbounded_channel();
        let inbox = Data::new(Inbox { lines: sender, status });
        let server = HttpServer::new(move || App::new().app_data(inbox.clone()).route("/{path:.*}", web::post().to(take)));
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/in", server.addrs()[0]);
        actix_web::rt::spawn(server.run());
        Self { url, lines }
    }

    /// The next line.
    pub async fn next(&mut self) -> (String, String) {
        tokio::time::timeout(Duration::from_secs(60), self.lines.recv()).await.expect("nothing arrives").unwrap()
    }

    /// Skips lines until one of this act.
    async fn until(&mut self, action: &str) -> String {
        loop {
            let (authorization, found) = self.next().await;
            if found == action {
                return authorization;
            }
        }
    }
}

async fn get(house: &House, operator: &Person) -> Value {
    let answer = house.call(Some(operator), "GET", PATH, None).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn save(house: &House, operator: &Person, body: Value) -> Value {
    let answer = house.call(Some(operator), "PUT", PATH, Some(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn try_out(house: &House, operator: &Person, body: Value) -> Value {
    let answer = house.call(Some(operator), "POST", &format!("{PATH}/test"), Some(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn value<'a>(settings: &'a Value, key: &str) -> &'a Value {
    settings["values"].as_array().unwrap().iter().find(|value| value["key"] == key).unwrap_or_else(|| panic!("{key} in {settings}"))
}

fn check<'a>(test: &'a Value, key: &str) -> &'a Value {
    test["checks"].as_array().unwrap().iter().find(|check| check["key"] == key).unwrap_or_else(|| panic!("{key} in {test}"))
}

/// The limit of clusters, as a member sees it there.
async fn limit(house: &House, member: &Person) -> Value {
    let quota = house.call(Some(member), "GET", "/api/v1/quota", None).await.body;
    quota["limits"].as_array().unwrap().iter().find(|row| row["resource"] == "clusters").unwrap()["limit"].clone()
}

/// Waits until it holds.
pub async fn within_a_minute(holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("it does not come true");
}

/// Once this revision is in force there.
async fn in_force(house: &House, revision: i64) {
    let mut watch = house.state.in_force.watch();
    let waiting = watch.wait_for(|now| now.record.revision == revision);
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("the revision is not taken over").unwrap();
}

#[actix_web::test]
async fn what_is_set_counts_at_once_on_every_replica_until_it_is_as_configured_again() {
    let house = House::new().await;
    let replica = house.beside().await;
    let (operator, member) = (house.sign_in("operator").await, house.sign_in("member-a").await);
    let before = get(&house, &operator).await;
    assert_eq!((&before["revision"], &before["set"]), (&json!(0), &json!({"limits": {}, "audit": {}})));
    let row = json!({"key": "limits.clusters_per_project", "value": 20, "configured": 20});
    assert_eq!(value(&before, "limits.clusters_per_project"), &row);
    assert_eq!(value(&before, "audit.forward")["value"], Value::Null);

    let set = save(&house, &operator, json!({"revision": 0, "comment": " the season \n", "limits": {"clusters_per_project": 1}})).await;
    let row = value(&set, "limits.clusters_per_project");
    assert_eq!((&row["value"], &row["configured"], &row["set_by"], &row["set_at"]), (&json!(1), &json!(20), &json!("operator"), &set["changed_at"]));
    assert_eq!(limit(&house, &member).await, 1);
    in_force(&replica, 1).await;
    assert_eq!(limit(&replica, &member).await, 1);
    let create = async |name: &str| replica.call(Some(&member), "POST", "/api/v1/clusters", Some(&json!({"name": name, "template": "dev"}))).await;
    assert_eq!(create("one").await.status, 202);
    let second = create("two").await;
    assert_eq!((second.status, &second.body["params"]["limit"]), (409, &json!(1)), "{}", second.body);

    let none = save(&house, &operator, json!({"revision": 1, "limits": {"clusters_per_project": null}})).await;
    assert_eq!((&value(&none, "limits.clusters_per_project")["value"], limit(&house, &member).await), (&Value::Null, Value::Null));
    let back = save(&house, &operator, json!({"revision": 2})).await;
    assert_eq!(value(&back, "limits.clusters_per_project"), &json!({"key": "limits.clusters_per_project", "value": 20, "configured": 20}));
    let late = house.beside().await;
    assert_eq!(late.state.in_force.now().record.revision, 3, "a process that starts knows before anybody asks it");

    let history = house.call(Some(&operator), "GET", &format!("{PATH}/history?limit=2"), None).await.body;
    let key = "limits.clusters_per_project";
    assert_eq!((&history["total"], &history["items"][0]["differences"]), (&json!(3), &json!([{"key": key, "before": null}])), "{history}");
    assert_eq!(history["items"][1]["differences"], json!([{"key": key, "before": 1, "after": null}]));
    let cursor = history["next_cursor"].as_str().unwrap();
    let first = &house.call(Some(&operator), "GET", &format!("{PATH}/history?cursor={cursor}"), None).await.body["items"][0];
    assert_eq!(
        (&first["comment"], &first["changed_by"], &first["set"]["limits"]),
        (&json!("the season"), &json!("operator"), &json!({"clusters_per_project": 1}))
    );
    let log = house.call(Some(&operator), "GET", "/api/v1/admin/audit?action=settings_update", None).await.body;
    assert_eq!(log["items"][2]["detail"], json!({"before": {}, "after": {key: 1}, "reason": "the season"}), "{log}");
}

#[actix_web::test]
async fn whoever_saves_later_is_told_and_the_same_sent_again_changes_nothing() {
    let house = House::new().await;
    let replica = house.beside().await;
    let operator = house.sign_in("operator").await;
    let pools = |revision: i64, most: u32| json!({"revision": revision, "limits": {"nodes_per_pool": most}});
    save(&house, &operator, pools(0, 50)).await;
    for (method, path) in [("PUT", PATH.to_owned()), ("POST", format!("{PATH}/test"))] {
        let late = house.call(Some(&operator), method, &path, Some(&pools(0, 60))).await;
        let told = (late.status, &late.body["code"], &late.body["params"]);
        assert_eq!(told, (409, &json!("KCS-CONF-001"), &json!({"revision": 1, "by": "operator"})), "{method}");
    }
    assert_eq!(save(&house, &operator, pools(0, 50)).await["revision"], 1, "its answer was lost the first time");
    let put = async |house: &House, most: u32| house.call(Some(&operator), "PUT", PATH, Some(&pools(1, most))).await;
    let (one, other) = futures::join!(put(&house, 70), put(&replica, 80));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", one.body, other.body);
    let (there, here) = (get(&replica, &operator).await, get(&house, &operator).await);
    assert_eq!((&there["revision"], &there["values"]), (&json!(2), &here["values"]));
}

#[actix_web::test]
async fn what_a_change_would_mean_is_said_before_it_is_saved() {
    let house = House::new().await;
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    house.running_cluster(&member, "web").await;
    let prices = json!({"currency": "EUR", "flavors": {"m1.medium": 0.1, "m9.giant": 1}, "volume_gib": {"default": 0.001}});
    let body = json!({"revision": 0, "limits": {"nodes_per_project": 1}, "prices": prices, "audit": {"retention_days": 30}});
    let told = try_out(&house, &operator, body.clone()).await;
    assert_eq!(told["blocked"], false);
    assert_eq!((&check(&told, "limits")["code"], &check(&told, "limits")["params"]["over"]), (&json!("KCS-SET-001"), &json!(1)), "{told}");
    assert_eq!(check(&told, "prices")["params"]["names"], json!(["m9.giant"]));
    assert_eq!((&check(&told, "audit_retention")["level"], &check(&told, "values")["level"]), (&json!("warning"), &json!("ok")));
    for check in told["checks"].as_array().unwrap().iter().filter(|check| check["level"] != "ok") {
        assert!(check["field"].is_string() && check["remedy"].is_string() && check["message"] != "", "{check}");
    }
    let keys: Vec<_> = told["differences"].as_array().unwrap().iter().map(|d| d["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["limits.nodes_per_project", "prices", "audit.retention_days"]);
    assert_eq!(get(&house, &operator).await["revision"], 0, "a test saves nothing");
    save(&house, &operator, body).await;
    let costs = house.call(Some(&member), "GET", "/api/v1/costs", None).await.body;
    assert_eq!((&costs["currency"], &costs["clusters"][0]["unpriced"]), (&json!("EUR"), &json!([])), "{costs}");
    let bad = json!({"revision": 1, "limits": {"nodes_per_pool": 0}, "audit": {"forward": "ftp://siem.example"}});
    let told = try_out(&house, &operator, bad.clone()).await;
    assert_eq!((&told["blocked"], &check(&told, "values")["field"]), (&json!(true), &json!("limits.nodes_per_pool")));
    let refused = house.call(Some(&operator), "PUT", PATH, Some(&bad)).await;
    let fields: Vec<_> = refused.body["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    assert_eq!((refused.status, fields), (400, vec!["limits.nodes_per_pool", "audit.forward"]), "{}", refused.body);
}

fn version(name: &str, support: &str) -> Value {
    json!({"version": name, "support": support, "image": format!("kcs-node-{name}")})
}

fn template(id: &str, spec: &Value) -> Value {
    json!({"id": id, "name": "Tiny", "name_zh": "小型", "description": "", "description_zh": "", "spec": spec})
}

/// This of each item of a list.
async fn each(house: &House, person: &Person, path: &str, key: &str) -> Vec<Value> {
    let list = house.call(Some(person), "GET", path, None).await.body;
    list["items"].as_array().unwrap_or_else(|| panic!("{list}")).iter().map(|item| item[key].clone()).collect()
}

#[actix_web::test]
async fn versions_and_templates_that_are_set_are_offered_on_every_replica() {
    let house = House::new().await;
    let replica = house.beside().await;
    let (operator, member) = (house.sign_in("operator").await, house.sign_in("member-a").await);
    house.running_cluster(&member, "web").await;
    let configured = value(&get(&house, &operator).await, "versions")["configured"].clone();
    assert_eq!((each(&house, &member, "/api/v1/versions", "version").await.len(), configured.as_array().unwrap().len()), (2, 2));
    let spec = json!({"version": "v1.35.4", "node_pools": [{"name": "default", "flavor": "m1.medium", "count": 1}]});
    let versions = json!([version("v1.36.3", "hidden"), version("v1.35.4", "current")]);
    let body = json!({"revision": 0, "comment": "it waits", "versions": versions, "templates": [template("tiny", &spec)]});
    let told = try_out(&house, &operator, body.clone()).await;
    assert_eq!((&check(&told, "versions")["level"], &check(&told, "templates")["level"]), (&json!("ok"), &json!("ok")), "{told}");
    let set = save(&house, &operator, body).await;
    let row = value(&set, "versions");
    assert_eq!((&row["value"], &row["configured"], &row["set_by"]), (&versions, &configured, &json!("operator")));

    in_force(&replica, 1).await;
    assert_eq!(each(&replica, &member, "/api/v1/versions", "version").await, ["v1.35.4"]);
    assert_eq!(each(&replica, &member, "/api/v1/templates", "id").await, ["tiny"]);
    let plan = async |body: Value| replica.call(Some(&member), "POST", "/api/v1/clusters/plan", Some(&body)).await;
    let good = plan(json!({"name": "two", "template": "tiny"})).await;
    assert_eq!((&good.body["spec"]["version"], &good.body["blocked"]), (&json!("v1.35.4"), &json!(false)), "{}", good.body);
    let hidden = plan(json!({"name": "two", "template": "tiny", "spec": {"version": "v1.36.3"}})).await;
    assert!(hidden.body["blocked"] == true && hidden.body.to_string().contains("KCS-VER-001"), "{}", hidden.body);
    let gone = plan(json!({"name": "two", "template": "dev"})).await;
    assert_eq!((gone.status, &gone.body["field"]), (400, &json!("template")), "{}", gone.body);
    let catalogue = replica.call(Some(&operator), "GET", "/api/v1/admin/catalogue", None).await.body;
    let used = catalogue["versions"].as_array().unwrap().iter().find(|row| row["version"] == "v1.36.3").unwrap();
    assert_eq!((&used["offered"]["support"], &used["clusters"]), (&json!("hidden"), &json!(1)), "{catalogue}");

    let back = save(&house, &operator, json!({"revision": 1})).await;
    assert_eq!(value(&back, "versions")["value"], configured);
    assert_eq!(each(&house, &member, "/api/v1/versions", "version").await.len(), 2);
    let history = house.call(Some(&operator), "GET", &format!("{PATH}/history"), None).await.body;
    assert_eq!(history["items"][1]["differences"][0], json!({"key": "versions", "after": versions}), "{history}");
    assert_eq!(history["items"][0]["differences"][1]["before"][0]["id"], "tiny", "{history}");
    let log = house.call(Some(&operator), "GET", "/api/v1/admin/audit?action=settings_update", None).await.body;
    assert_eq!(log["items"][1]["detail"]["after"]["versions"], versions, "{log}");
}

#[actix_web::test]
async fn a_version_that_clusters_have_is_not_removed_and_what_is_wrong_is_named_by_its_place() {
    let house = House::new().await;
    let (operator, member) = (house.sign_in("operator").await, house.sign_in("member-a").await);
    house.running_cluster(&member, "web").await;
    let without = json!({"revision": 0, "versions": [version("v1.35.4", "current")]});
    let told = try_out(&house, &operator, without.clone()).await;
    let found = check(&told, "versions");
    let params = json!({"version": "v1.36.3", "over": 1});
    assert_eq!((&told["blocked"], &found["code"], &found["params"]), (&json!(true), &json!("KCS-SET-008"), &params));
    let refused = house.call(Some(&operator), "PUT", PATH, Some(&without)).await;
    let said = (refused.status, &refused.body["code"], &refused.body["field"], &refused.body["params"]["over"]);
    assert_eq!(said, (409, &json!("KCS-SET-008"), &json!("versions"), &json!(1)), "{}", refused.body);

    let both = || vec![version("v1.36.3", "current"), version("v1.35.4", "current")];
    let and = |more: Value| both().into_iter().chain([more]).collect::<Vec<_>>();
    let with = |more: Value| json!({"revision": 0, "versions": and(more)});
    let of = |spec: Value| json!({"revision": 0, "templates": [template("tiny", &spec)]});
    for (body, field) in [
        (with(version("1.36", "current")), "versions[2].version"),
        (with(version("v1.36.3", "current")), "versions[2].version"),
        (with(version("v1.37.0", "old")), "versions[2].support"),
        (with(json!({"version": "v1.37.0", "support": "current", "image": ""})), "versions[2].image"),
        (with(json!({"version": "v1.37.0", "support": "current"})), "versions[2].image"),
        (json!({"revision": 0, "versions": []}), "versions"),
        (of(json!({"version": "v1.30.0"})), "templates[0].spec.version"),
        (of(json!({"colour": "red"})), "templates[0].spec.colour"),
        (of(json!({"addons": {"mesh": true}})), "templates[0].spec.addons.mesh"),
        (of(json!({"control_plane": {"count": 2}})), "templates[0].spec.control_plane.count"),
        (json!({"revision": 0, "templates": [template("Tiny", &json!({}))]}), "templates[0].id"),
    ] {
        let answer = house.call(Some(&operator), "PUT", PATH, Some(&body)).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "{}", answer.body);
    }
    assert_eq!(get(&house, &operator).await["revision"], 0, "nothing of it was saved");
    // What is not there yet may be saved: it is said.
    let giant = template("tiny", &json!({"control_plane": {"flavor": "m9.giant"}}));
    let early = json!({"revision": 0, "versions": and(version("v1.37.0", "preview")), "templates": [giant]});
    let told = try_out(&house, &operator, early.clone()).await;
    let of = |key: &str| (check(&told, key)["level"].clone(), check(&told, key)["field"].clone());
    assert_eq!(of("versions"), (json!("warning"), json!("versions[2].image")), "{told}");
    assert_eq!(of("templates"), (json!("warning"), json!("templates[0].spec.control_plane.flavor")), "{told}");
    assert_eq!(save(&house, &operator, early).await["revision"], 1);
}

#[actix_web::test]
async fn the_engine_boots_nodes_from_the_image_that_is_set() {
    let house = House::new().await;
    let (operator, member) = (house.sign_in("operator").await, house.sign_in("member-a").await);
    let made = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&json!({"name": "web", "template": "dev"}))).await;
    assert_eq!(made.status, 202, "{}", made.body);
    let elsewhere = json!([{"version": "v1.36.3", "support": "current", "image": "elsewhere"}, version("v1.35.4", "current")]);
    save(&house, &operator, json!({"revision": 0, "versions": elsewhere})).await;
    let stop = CancellationToken::new();
    let engine = house.engine(stop.clone());
    let operation = format!("/api/v1/operations/{}", made.body["operation"]["id"].as_str().unwrap());
    within_a_minute(async || house.call(Some(&member), "GET", &operation, None).await.body["fault"]["code"] == "KCS-IMG-001").await;
    stop.cancel();
    engine.await.unwrap();
}

#[actix_web::test]
async fn an_authorization_is_shown_to_nobody_and_sent_nowhere_else_by_editing_an_address() {
    let house = House::new().await;
    let operator = house.sign_in("operator").await;
    let (mut one, mut other) = (Collector::start(200), Collector::start(200));
    let to = |revision: i64, url: &str, more: Value| {
        let mut audit = json!({"forward": url});
        audit.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"revision": revision, "audit": audit})
    };
    let given = |secret: &str| json!({"forward_authorization": secret});
    let told = try_out(&house, &operator, to(0, &one.url, given("Bearer first"))).await;
    assert_eq!((check(&told, "audit_test_line")["level"].as_str(), &told["blocked"]), (Some("ok"), &json!(false)), "{told}");
    assert_eq!(one.next().await, ("Bearer first".to_owned(), "settings_test".to_owned()));
    let set = save(&house, &operator, to(0, &one.url, given("Bearer first"))).await;
    assert_eq!(one.next().await, ("Bearer first".to_owned(), "settings_test".to_owned()), "saving tests, too");
    assert_eq!((&value(&set, "audit.forward_authorization")["value"], &set["set"]["audit"]["forward"]), (&json!(true), &json!(one.url)));
    assert_eq!(save(&house, &operator, to(1, &one.url, given("Bearer first"))).await["revision"], 1, "the same again");

    let path = format!("{}/other", one.url);
    assert_eq!(save(&house, &operator, to(1, &path, json!({}))).await["revision"], 2);
    assert_eq!(one.next().await.0, "Bearer first", "it stays as long as it goes to the same place");
    for method in ["PUT", "POST"] {
        let path = if method == "PUT" { PATH.to_owned() } else { format!("{PATH}/test") };
        let answer = house.call(Some(&operator), method, &path, Some(&to(2, &other.url, json!({})))).await;
        let text = answer.body.to_string();
        assert!(answer.status == if method == "PUT" { 400 } else { 200 } && text.contains("KCS-SET-004"), "{text}");
        assert!(text.contains("\"audit.forward_authorization\""), "{text}");
    }
    assert!(other.lines.try_recv().is_err(), "nothing may be sent there, with it or without");
    let moved = save(&house, &operator, to(2, &other.url, given("Bearer second"))).await;
    assert_eq!((&moved["revision"], other.next().await.0), (&json!(3), "Bearer second".to_owned()));
    let removed = save(&house, &operator, to(3, &other.url, json!({"forward_authorization": null}))).await;
    assert_eq!((&value(&removed, "audit.forward_authorization")["value"], other.next().await.0), (&json!(false), String::new()));

    let mut seen = removed.to_string() + &set.to_string();
    for path in [PATH.to_owned(), format!("{PATH}/history"), "/api/v1/admin/audit?limit=200".to_owned()] {
        seen += &house.call(Some(&operator), "GET", &path, None).await.body.to_string();
    }
    assert!(!seen.contains("Bearer") && seen.contains("settings_test"), "{seen}");
}

#[actix_web::test]
async fn without_the_authorization_that_was_set_lines_wait_until_it_is_there_again() {
    let house = House::new().await;
    let operator = house.sign_in("operator").await;
    let mut collector = Collector::start(200);
    save(&house, &operator, json!({"revision": 0, "audit": {"forward": collector.url, "forward_authorization": "Bearer first"}})).await;
    assert_eq!(collector.next().await.1, "settings_test");
    house.database.execute("UPDATE secrets SET kind = 'elsewhere' WHERE kind = 'forward_authorization'").await;
    house.state.in_force.look(&house.store).await.unwrap();
    assert!(house.state.in_force.now().is_locked());
    let stop = CancellationToken::new();
    actix_web::rt::spawn(server::audit::keep(house.store.clone(), house.state.in_force.watch(), Anchor::default(), stop.clone()));
    within_a_minute(async || house.store.audit_verify(AuditEnds::default()).await.unwrap().waiting == 0).await;
    assert!(collector.lines.try_recv().is_err(), "a line has left without it");
    house.database.execute("UPDATE secrets SET kind = 'forward_authorization' WHERE kind = 'elsewhere'").await;
    house.state.in_force.look(&house.store).await.unwrap();
    assert_eq!(collector.next().await.0, "Bearer first");
    stop.cancel();
}

#[actix_web::test]
async fn what_kept_a_test_line_from_arriving_is_told_and_nothing_that_the_receiver_said() {
    let house = House::new().await;
    let operator = house.sign_in("operator").await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let rude = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hangs_up = rude.local_addr().unwrap();
    actix_web::rt::spawn(async move {
        while let Ok((stream, _)) = rude.accept().await {
            drop(stream);
        }
    });
    let (unknown, broken) = (Collector::start(401), Collector::start(500));
    for (url, field, reason, status) in [
        (unknown.url.clone(), "audit.forward_authorization", "status", json!(401)),
        (broken.url.clone(), "audit.forward", "status", json!(500)),
        (format!("http://{nobody}"), "audit.forward", "unreachable", Value::Null),
        (format!("syslog+tcp://{nobody}"), "audit.forward", "unreachable", Value::Null),
        (format!("http://{hangs_up}"), "audit.forward", "cut", Value::Null),
    ] {
        let body = json!({"revision": 0, "audit": {"forward": url}});
        let told = try_out(&house, &operator, body.clone()).await;
        let line = check(&told, "audit_test_line");
        assert_eq!((&line["level"], &line["field"], &line["code"]), (&json!("blocked"), &json!(field), &json!("KCS-SET-003")), "{url}: {told}");
        assert_eq!(line["params"], json!({"reason": reason, "status": status}), "{url}");
        let refused = house.call(Some(&operator), "PUT", PATH, Some(&body)).await;
        assert_eq!((refused.status, &refused.body["field"], &refused.body["code"]), (409, &json!(field), &json!("KCS-SET-003")), "{url}");
        assert!(!told.to_string().contains(WORDS) && !refused.body.to_string().contains(WORDS), "{url}");
    }
    assert_eq!(get(&house, &operator).await["revision"], 0, "nothing was saved");
    let log = house.call(Some(&operator), "GET", "/api/v1/admin/audit?action=settings_test&outcome=failed", None).await.body;
    assert_eq!(log["items"].as_array().unwrap().len(), 10, "each is written down: {log}");
}

#[actix_web::test]
async fn handing_on_follows_what_is_saved_while_it_runs() {
    let house = House::new().await;
    let operator = house.sign_in("operator").await;
    let stop = CancellationToken::new();
    actix_web::rt::spawn(server::audit::keep(house.store.clone(), house.state.in_force.watch(), Anchor::default(), stop.clone()));
    let (mut one, mut other) = (Collector::start(200), Collector::start(200));
    let audit = |url: &str, secret: &str| json!({"forward": url, "forward_authorization": secret});
    save(&house, &operator, json!({"revision": 0, "audit": audit(&one.url, "Bearer one")})).await;
    assert_eq!(one.until("session_create").await, "Bearer one", "what was not handed on before is, too");
    assert_eq!(one.until("settings_update").await, "Bearer one");
    save(&house, &operator, json!({"revision": 1, "audit": audit(&other.url, "Bearer other")})).await;
    assert_eq!(other.until("settings_update").await, "Bearer other");
    let member = house.sign_in("member-a").await;
    save(&house, &operator, json!({"revision": 2, "audit": {"forward_authorization": null}})).await;
    house.call(Some(&member), "DELETE", "/api/v1/session", None).await;
    save(&house, &operator, json!({"revision": 3, "audit": audit(&one.url, "Bearer anew")})).await;
    assert_eq!(one.until("session_delete").await, "Bearer anew", "it has waited");
    stop.cancel();
    while let Ok((_, action)) = other.lines.try_recv() {
        assert_ne!(action, "session_delete", "it was handed on nowhere meanwhile");
    }
}

#[actix_web::test]
async fn lines_that_outlive_a_new_retention_are_let_go_while_it_runs() {
    let house = House::new().await;
    // A chain does not begin with lines that are older than it.
    house.store.audit_seal(None).await.unwrap();
    let old = "WITH line AS (INSERT INTO audit (at, user_id, user_name, via, action, object_kind, object_id, outcome, request_id, source)
               VALUES (now() - interval '40 days', '', 'kcs', 'engine', 'old_line', 'x', 'x', 'done', '', '') RETURNING id)
               INSERT INTO audit_pending SELECT id FROM line";
    house.database.execute(old).await;
    let stop = CancellationToken::new();
    actix_web::rt::spawn(server::audit::keep(house.store.clone(), house.state.in_force.watch(), Anchor::default(), stop.clone()));
    let operator = house.sign_in("operator").await;
    let left = async || {
        let found = house.call(Some(&operator), "GET", "/api/v1/admin/audit?action=old_line", None).await.body;
        found["items"].as_array().unwrap().len()
    };
    assert_eq!(left().await, 1);
    // Only what is sealed can be let go.
    within_a_minute(async || house.store.audit_verify(AuditEnds::default()).await.unwrap().waiting == 0).await;
    save(&house, &operator, json!({"revision": 0, "audit": {"retention_days": 30}})).await;
    let month = OffsetDateTime::now_utc() - time::Duration::days(30);
    assert_eq!((house.store.audit_forget(month, false).await.unwrap(), left().await), (0, 1), "for a day there is a way back");
    house.database.execute("ALTER TABLE settings DISABLE TRIGGER settings_are_append_only").await;
    house.database.execute("UPDATE settings SET changed_at = now() - interval '25 hours'").await;
    save(&house, &operator, json!({"revision": 1, "limits": {"nodes_per_pool": 7}, "audit": {"retention_days": 30}})).await;
    within_a_minute(async || left().await == 0).await;
    stop.cancel();
    assert_eq!(house.store.audit_verify(AuditEnds::default()).await.unwrap().findings, [], "what stays verifies as before");
}

#[actix_web::test]
async fn what_a_lost_notice_did_not_tell_is_found_all_the_same() {
    let house = House::new().await;
    let silent = r#"INSERT INTO settings (revision, document, marks, authorized, authorized_anew, changed_by, comment)
                    VALUES (1, '{"limits": {"nodes_per_pool": 7}}', '{}', false, false, 'nobody', '')"#;
    house.database.execute(silent).await;
    in_force(&house, 1).await;
    assert_eq!(house.state.spec_limits().nodes_per_pool, 7);
}
