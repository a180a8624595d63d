//! What operators are told of the service itself.

use crate::house::House;
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

#[actix_web::test]
async fn an_operator_sees_how_the_service_itself_is() {
    let house = House::new().await;
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    let look = async || {
        let answer = house.call(Some(&operator), "GET", "/api/v1/admin/health", None).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    };
    let before = look().await;
    assert_eq!((&before["processes"], &before["queue"]["due"], before.get("oldest_due_at")), (&json!([]), &json!(0), None), "{before:#}");
    assert_eq!(before["sweeps"], json!({"running": 0, "due": 0}));
    assert_eq!(before["keys"], json!({"next_step": "settled", "rows": before["keys"]["rows"], "left": 0}));

    house.store.ring_announce(Uuid::now_v7(), "one").await.unwrap();
    // A program of before says no version.
    let older = "INSERT INTO key_rings (process, name, active_key, key_ids) SELECT gen_random_uuid(), 'two', active_key, key_ids FROM key_rings";
    house.database.execute(older).await;
    let made = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&json!({"name": "web", "template": "dev"}))).await;
    assert_eq!(made.status, 202, "{}", made.body);
    house.store.sweep_claim(Duration::from_secs(3600), Duration::from_secs(60)).await.unwrap().expect("a project is due");

    let health = look().await;
    let processes = health["processes"].as_array().unwrap();
    assert_eq!((&processes[0]["name"], &processes[0]["version"]), (&json!("one"), &json!(env!("CARGO_PKG_VERSION"))));
    assert_eq!((&processes[1]["name"], processes[1].get("version"), processes.len()), (&json!("two"), None, 2), "{health:#}");
    assert_eq!(health["parts"], json!([{"part": "database", "ok": true, "message": "answers at 192.0.2.77"}]));
    assert_eq!(health["services"], json!([{"service": "image", "away_since": "1970-01-01T00:00:00Z", "why": "status 502"}]));
    assert_eq!(health["schema"]["version"], health["schema"]["known"]);
    assert!(health["schema"]["known"].as_i64().unwrap() >= 22, "{health:#}");
    assert_eq!((&health["queue"]["due"], &health["queue"]["pending"]), (&json!(1), &json!(1)), "{health:#}");
    assert!(health["oldest_due_at"].is_string(), "{health:#}");
    assert_eq!(health["sweeps"], json!({"running": 1, "due": 0}));

    // A database that a newer program has taken further, or that nobody has migrated, shows.
    house.database.execute("DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)").await;
    let behind = look().await;
    assert!(behind["schema"]["version"].as_i64() < behind["schema"]["known"].as_i64(), "{behind:#}");
}
