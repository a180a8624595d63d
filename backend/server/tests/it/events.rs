//! Server-sent events: from the first state to the last, resumable, and pings for lists.

use crate::house::{House, Person};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use serde_json::json;
use std::time::Duration;

/// A stream that was opened, and what has come of it.
struct Listening {
    pieces: BoxStream<'static, reqwest::Result<Bytes>>,
    text: String,
}

impl Listening {
    async fn open(house: &House, person: &Person, path: &str, last: Option<&str>) -> Self {
        let mut request = reqwest::Client::new().get(format!("{}{path}", house.url)).header("cookie", &person.cookie);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = request.send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (200, "text/event-stream"));
        Self { pieces: answer.bytes_stream().boxed(), text: String::new() }
    }

    /// All that has come once `enough` says so, or the stream has ended.
    async fn until(&mut self, enough: impl Fn(&str) -> bool) -> &str {
        let read = async {
            while !enough(&self.text) {
                let Some(piece) = self.pieces.next().await else { break };
                self.text.push_str(&String::from_utf8_lossy(&piece.unwrap()));
            }
        };
        tokio::time::timeout(Duration::from_secs(60), read).await.expect("the stream goes on for ever");
        &self.text
    }
}

/// The events of a stream until it ends, or until `enough` says so.
async fn events(house: &House, person: &Person, path: &str, last: Option<&str>, enough: impl Fn(&str) -> bool) -> String {
    Listening::open(house, person, path, last).await.until(enough).await.to_owned()
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
    for person in [&member, &foreign] {
        let mut stream = Listening::open(&house, person, "/api/v1/events", None).await;
        // From its first event on it misses nothing.
        stream.until(|text| text.contains("heartbeat")).await;
        house.running_cluster(person, "web").await;
        assert!(stream.until(|text| text.contains("clusters_changed")).await.contains("clusters_changed"));
    }
}

#[actix_web::test]
async fn a_stream_ends_with_the_session_also_while_much_changes() {
    let house = House::new().await;
    let (leaves, stays) = (house.sign_in("member-a").await, house.sign_in("member-a").await);
    let (cluster, _) = house.running_cluster(&stays, "web").await;
    let mut stream = Listening::open(&house, &leaves, "/api/v1/events", None).await;
    stream.until(|text| text.contains("heartbeat")).await;
    let path = format!("/api/v1/clusters/{cluster}");
    for repair in ["manual", "automatic"] {
        assert_eq!(house.call(Some(&stays), "PATCH", &path, Some(&json!({"repair": repair}))).await.status, 200);
    }
    assert_eq!(house.call(Some(&leaves), "DELETE", "/api/v1/session", None).await.status, 204);
    let whole = stream.until(|_| false).await;
    // A second one would mean that only its regular look ended it.
    assert_eq!(whole.matches("event: heartbeat").count(), 1, "{whole}");
}
