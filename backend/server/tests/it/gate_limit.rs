//! How often somebody may ask through the gate with kubeconfigs: by a limit of its own, which is the person's. And how much may be open at once.

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

/// A watch, which goes on until it is dropped, or why there is none.
async fn watch(house: &House, cluster: &str, token: &str) -> reqwest::Response {
    let url = format!("{}/k8s/clusters/{cluster}/api/v1/pods?watch=1", house.url);
    reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap()
}

#[actix_web::test]
async fn as_much_is_open_at_once_of_a_person_and_into_a_cluster_as_the_operator_says_in_each_process() {
    let house = House::new().await;
    let (member, owner) = (house.sign_in("member-a").await, house.sign_in("owner-a").await);
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let (_, token) = house.kubeconfig(&member, &cluster).await;
    let (_, of_another) = house.kubeconfig(&owner, &cluster).await;
    let few = house.beside_few(2, 3).await;
    let mut open = Vec::new();
    for (whose, expected) in [(&token, 200), (&token, 200), (&token, 429), (&of_another, 200), (&of_another, 429)] {
        let answer = watch(&few, &cluster, whose).await;
        assert_eq!(answer.status().as_u16(), expected, "with {} open", open.len());
        if expected == 200 {
            open.push(answer);
        }
    }
    let elsewhere = watch(&house, &cluster, &token).await;
    assert_eq!(elsewhere.status().as_u16(), 200, "another process");
    drop((open, elsewhere));
}
