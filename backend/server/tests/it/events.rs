//! Server-sent events: from the first state to the last, resumable, and pings for lists.

use crate::house::{House, Person};
use futures::StreamExt;
use serde_json::json;
use std::time::Duration;

/// The events of a stream until it ends, or until `enough` says so.
async fn events(house: &House, person: &Person, path: &str, last: Option<&str>, enough: impl Fn(&str) -> bool) -> String {
    let mut request = reqwest::Client::new().get(format!("{}{path}", house.url)).header("cookie", &person.cookie);
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let answer = request.send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (200, "text/event-stream"));
    let mut pieces = answer.bytes_stream();
    let mut text = String::new();
    let read = async {
        while let Some(piece) = pieces.next().await {
            text.push_str(&String::from_utf8_lossy(&piece.unwrap()));
            if enough(&text) {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), read).await.expect("the stream goes on for ever");
    text
}

#[actix_web::test]
async fn an_operation_is_told_to_its_end_and_not_twice() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let made = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&json!({"name": "web", "template": "dev"}))).await;
    let path = format!("/api/v1/operations/{}/events", made.body["operation"]["id"].as_str().unwrap());
    let cluster = made.body["cluster"]["id"].as_str().unwrap();
    let first = events(&house, &member, &path, None, |text| text.contains("\"pending\"")).await;
    assert!(first.starts_with("event: operation\nid: "), "{first}");
    let seen = first.lines().find_map(|l| l.strip_prefix("id: ")).unwrap().to_owned();
    let rest = events(&house, &member, &path, Some(&seen), |_| false);
    // Ends by itself once the operation has.
    let ((), rest) = tokio::join!(house.finish(cluster), rest);
    assert_eq!((rest.matches("event: operation").count(), rest.contains("\"succeeded\"")), (1, true), "{rest}");
    let last = rest.lines().find_map(|l| l.strip_prefix("id: ")).unwrap();
    assert_eq!(events(&house, &member, &path, Some(last), |_| false).await, "", "everything was seen");
    assert!(events(&house, &member, &path, None, |_| false).await.contains("\"succeeded\""), "the final state is for everybody who asks");
}

#[actix_web::test]
async fn lists_are_pinged_when_something_changes() {
    let house = House::new().await;
    let (member, foreign) = (house.sign_in("member-a").await, house.sign_in("member-b").await);
    let own = events(&house, &member, "/api/v1/events", None, |text| text.contains("clusters_changed"));
    let other = events(&house, &foreign, "/api/v1/events", None, |text| text.contains("clusters_changed"));
    let work = async {
        house.running_cluster(&member, "web").await;
        house.running_cluster(&foreign, "web").await;
    };
    let (own, other, ()) = tokio::join!(own, other, work);
    assert!(own.contains("clusters_changed") && other.contains("clusters_changed"));
}
