//! The connections: a request that is dropped in the middle poisons nothing.

use crate::support::{create, member, try_create};
use futures::FutureExt;
use store::test_support::Database;
use store::{Store, StoreOptions};

#[tokio::test]
async fn case_47_dropped_requests_leave_whole_writes_and_clean_connections() {
    let database = Database::new().await;
    let options = StoreOptions { api_connections: 1, ..database.options() };
    let store = Store::connect(&options, database.keys.clone()).await.unwrap();
    let a = member("a");
    for number in 0..20 {
        let name = format!("c{number}");
        // Polled once, then dropped: the unit of work goes on by itself.
        drop(try_create(&store, &a, &name, None).now_or_never());
    }
    create(&store, &a, "last").await;
    let page =
        store.clusters(&a.scope(), store::ClusterFilter::default(), store::ClusterSort::Name, false, store::PageRequest::default()).await.unwrap();
    assert!(page.items.iter().all(|r| r.operation.is_some()), "each is there with its operation");
    // On the one connection: were it still inside a transaction, another store would not see this.
    let other = database.store().await;
    create(&store, &a, "after").await;
    let scope = a.scope();
    let seen = other.clusters(
        &scope,
        store::ClusterFilter { search: Some("after".into()), ..Default::default() },
        store::ClusterSort::Name,
        false,
        Default::default(),
    );
    assert_eq!(seen.await.unwrap().total, Some(1));
}
