//! How often somebody may ask through the gate with kubeconfigs: by a limit of its own, which is the person's.

use crate::house::{Got, House};
use serde_json::json;

const A_MINUTE: u32 = 10;

/// A look into a cluster with a kubeconfig.
async fn look(house: &House, cluster: &str, token: &str) -> Got {
    let bearer = format!("Bearer {token}");
    house.call_with(&[("authorization", bearer.as_str())], "GET", &format!("/k8s/clusters/{cluster}/api/v1/pods"), None).await
}

#[actix_web::test]
async fn a_person_asks_through_the_gate_so_often_with_all_kubeconfigs_and_holds_up_nobody_else_and_not_the_api() {
    let house = House::new().await;
    let (member, owner) = (house.sign_in("member-a").await, house.sign_in("owner-a").await);
    let (cluster, _api) = house.cluster_with_answering_api(&member, "web").await;
    let tokens = [house.kubeconfig(&member, &cluster).await.1, house.kubeconfig(&member, &cluster).await.1];
    let (_, of_another) = house.kubeconfig(&owner, &cluster).await;
    let limited = house.beside_gate_limited(A_MINUTE, A_MINUTE).await;

    let mut answers = Vec::new();
    while answers.last().is_none_or(|last: &Got| last.status == 200) && answers.len() < 400 {
        answers.push(look(&limited, &cluster, &tokens[answers.len() % 2]).await);
    }
    let refused = answers.pop().unwrap();
    assert!(answers.len() >= A_MINUTE as usize, "{} were let through", answers.len());
    assert_eq!((refused.status, &refused.body["kind"], &refused.body["reason"]), (429, &json!("Status"), &json!("TooManyRequests")));
    let wait: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");

    assert_eq!(look(&limited, &cluster, &of_another).await.status, 200, "another person's limit");
    assert_eq!(limited.call(Some(&member), "GET", "/api/v1/clusters", None).await.status, 200, "the limit of the API");
    for _ in 0..3 * A_MINUTE {
        assert_eq!(look(&house, &cluster, &tokens[0]).await.status, 200, "where there is no limit");
    }
}
