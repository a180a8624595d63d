//! What operators tell everybody: when it is seen, by whom, and how it is changed and ended.

use crate::house::{House, Person};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

/// So many hours from now.
fn hours(hours: i64) -> String {
    (OffsetDateTime::now_utc() + Duration::hours(hours)).format(&Rfc3339).unwrap()
}

fn said(kind: &str, severity: &str, en: &str, from: Option<i64>, until: Option<i64>) -> Value {
    json!({"kind": kind, "severity": severity, "zh": "字", "en": en, "from": from.map(hours), "until": until.map(hours)})
}

async fn make(house: &House, operator: &Person, said: &Value) -> Value {
    let made = house.call(Some(operator), "POST", "/api/v1/admin/announcements", Some(said)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    made.body
}

/// What this person is told now, the newest first.
async fn told(house: &House, person: &Person) -> Vec<String> {
    let list = house.call(Some(person), "GET", "/api/v1/announcements", None).await;
    assert_eq!(list.status, 200, "{}", list.body);
    list.body["items"].as_array().unwrap().iter().map(|a| a["en"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn everybody_is_told_what_is_so_now_and_of_windows_ahead() {
    let house = House::new().await;
    let (operator, reader, foreign) = (house.sign_in("operator").await, house.sign_in("reader-a").await, house.sign_in("member-b").await);
    assert_eq!(told(&house, &reader).await, Vec::<String>::new());
    let now = make(&house, &operator, &said("notice", "info", "now", None, None)).await;
    let later = make(&house, &operator, &said("notice", "warning", "later", Some(5), Some(6))).await;
    let window = make(&house, &operator, &said("maintenance", "critical", "window", Some(5), Some(6))).await;
    assert_eq!([&now, &later, &window].map(|a| a["state"].as_str().unwrap()), ["current", "upcoming", "upcoming"]);
    for person in [&reader, &foreign, &operator] {
        assert_eq!(told(&house, person).await, ["window", "now"]);
    }
    house
        .database
        .execute("UPDATE announcements SET starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour' WHERE en = 'window'")
        .await;
    assert_eq!(told(&house, &reader).await, ["now"], "it is over");
    let list = house.call(Some(&operator), "GET", "/api/v1/admin/announcements", None).await.body;
    let states: Vec<_> = list["items"].as_array().unwrap().iter().map(|a| a["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["ended", "upcoming", "current"]);
}

#[actix_web::test]
async fn an_operator_says_it_otherwise_and_ends_it() {
    let house = House::new().await;
    let (operator, member) = (house.sign_in("operator").await, house.sign_in("member-a").await);
    let made = make(&house, &operator, &said("notice", "info", " first \n", None, None)).await;
    assert_eq!((&made["en"], &made["created_by"], &made["ended_by"]), (&json!("first"), &json!("operator"), &Value::Null));
    let path = format!("/api/v1/admin/announcements/{}", made["id"].as_str().unwrap());
    let changed = house.call(Some(&operator), "PUT", &path, Some(&said("notice", "critical", "second", None, Some(1)))).await;
    assert_eq!((changed.status, &changed.body["severity"]), (200, &json!("critical")), "{}", changed.body);
    assert_ne!(changed.body["changed_at"], made["changed_at"], "who has put it away sees it again");
    assert_eq!(told(&house, &member).await, ["second"]);
    for _ in 0..2 {
        let ended = house.call(Some(&operator), "DELETE", &path, None).await;
        assert_eq!((ended.status, &ended.body["state"], &ended.body["ended_by"]), (200, &json!("ended"), &json!("operator")));
    }
    assert_eq!(told(&house, &member).await, Vec::<String>::new());
    let late = house.call(Some(&operator), "PUT", &path, Some(&said("notice", "info", "third", None, None))).await;
    assert_eq!((late.status, &late.body["code"]), (409, &json!("KCS-CONF-001")), "what was ended stays ended");
    let nothing = "/api/v1/admin/announcements/01990000-0000-7000-8000-000000000000";
    assert_eq!(house.call(Some(&operator), "DELETE", nothing, None).await.status, 404);
    let log = house.call(Some(&operator), "GET", "/api/v1/admin/audit", None).await.body;
    let deeds: Vec<_> = log["items"].as_array().unwrap().iter().filter(|l| l["object_kind"] == "announcement").collect();
    assert_eq!(
        deeds.iter().map(|l| l["action"].as_str().unwrap()).collect::<Vec<_>>(),
        ["announcement_end", "announcement_update", "announcement_create"]
    );
    assert_eq!((&deeds[1]["detail"]["before"]["en"], &deeds[1]["detail"]["after"]["en"]), (&json!("first"), &json!("second")));
}
