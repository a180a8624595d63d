//! Typed reads: paging, searching, and as whom.

use crate::fake_api::{FakeApi, access, json, text};
use http::StatusCode;
use kube_access::reads::{Page, Pod, ReadQuery};
use kube_access::{Group, Impersonation, KubeError, Reads};
use serde_json::json;

const PODS: usize = 1_234;

/// A cluster of 1,234 pods `p0000`... that pages as Kubernetes does.
async fn cluster() -> (FakeApi, Reads) {
    let api = FakeApi::start(|request| {
        let query = request.uri().query().unwrap_or_default().to_owned();
        Box::pin(async move {
            let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))).map(str::to_owned);
            let limit: usize = parameter("limit").unwrap().parse().unwrap();
            let start: usize = parameter("continue").map_or(0, |token| token.parse().unwrap());
            if start == 7_777 {
                return text(StatusCode::GONE, json!({"reason": "Expired", "message": "too old", "code": 410}).to_string());
            }
            let end = (start + limit).min(PODS);
            let items: Vec<_> = (start..end).map(|i| json!({"metadata": {"name": format!("p{i:04}"), "namespace": "a"}})).collect();
            let metadata = if end < PODS { json!({"continue": end.to_string(), "remainingItemCount": PODS - end}) } else { json!({}) };
            json(&json!({"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": items}))
        })
    })
    .await;
    let reads = access().reads(&api.target).await.unwrap();
    (api, reads)
}

fn reader() -> Impersonation {
    Impersonation::new("u2", "reader-a", Group::Reader)
}

async fn all(reads: &Reads, query: ReadQuery<'_>) -> (Vec<String>, usize) {
    let (mut names, mut cursor, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        let query = ReadQuery { cursor: cursor.as_deref(), ..query };
        let page: Page<Pod> = reads.pods(&reader(), &query).await.unwrap();
        assert!(page.items.len() as u32 <= query.limit);
        names.extend(page.items.into_iter().map(|p| p.name));
        pages += 1;
        cursor = page.next_cursor;
        if cursor.is_none() {
            return (names, pages);
        }
    }
}

#[tokio::test]
async fn pages_follow_each_other_and_count() {
    let (api, reads) = cluster().await;
    let query = ReadQuery { namespace: Some("a"), label: Some("app in (x, y)"), limit: 500, ..ReadQuery::default() };
    let (names, pages) = all(&reads, query).await;
    assert_eq!((names.len(), pages), (PODS, 3));
    let seen = api.seen.lock().unwrap()[0].clone();
    assert_eq!(seen.uri, "/api/v1/namespaces/a/pods?limit=500&labelSelector=app%20in%20%28x%2C%20y%29");
    assert_eq!(seen.headers["impersonate-user"], "kcs:u2");
    assert_eq!(seen.headers["impersonate-group"], "kcs:reader");
    let first = reads.pods(&reader(), &query).await.unwrap();
    assert_eq!(first.total, Some(PODS as u64));
}

#[tokio::test]
async fn a_search_finds_every_match_once_over_pages() {
    let (_api, reads) = cluster().await;
    let expected: Vec<_> = (0..PODS).map(|i| format!("p{i:04}")).filter(|n| n.contains("p1")).collect();
    for limit in [1, 7, 100, 500] {
        let (names, _) = all(&reads, ReadQuery { search: Some("P1"), limit, ..ReadQuery::default() }).await;
        assert_eq!(names, expected, "{limit}");
    }
    let (names, _) = all(&reads, ReadQuery { search: Some("nothing"), limit: 10, ..ReadQuery::default() }).await;
    assert!(names.is_empty());
}

#[tokio::test]
async fn bad_cursors_and_namespaces_are_refused_and_old_ones_are_conflicts() {
    let (api, reads) = cluster().await;
    for query in [
        ReadQuery { cursor: Some("%%%"), ..ReadQuery::default() },
        ReadQuery { cursor: Some("e30x"), ..ReadQuery::default() },
        ReadQuery { namespace: Some("a/../b"), ..ReadQuery::default() },
    ] {
        assert!(matches!(reads.pods(&reader(), &query).await, Err(KubeError::Refused(_))));
    }
    assert_eq!(api.count(), 0);
    let old = ReadQuery { cursor: Some("eyJjIjoiNzc3NyJ9"), ..ReadQuery::default() };
    let error = reads.pods(&reader(), &old).await.unwrap_err();
    assert_eq!(error.code(), domain::codes::Code::Conflict);
}
