//! What a cluster was made by and of goes away: its maker, a flavor. What runs is not touched, and what cannot be done is said.

use crate::lab::Lab;
use domain::codes::Code;
use domain::operations::OperationState;
use serde_json::{Value, json};

#[tokio::test]
async fn case_19_the_maker_of_a_cluster_leaves_and_it_goes_on() {
    let mut lab = Lab::new(190, 1, 1);
    assert_eq!(lab.settle().await, OperationState::Succeeded);
    let users = lab.admin("GET", "/identity/v3/users?name=member-a", &Value::Null);
    let id = users["users"][0]["id"].as_str().unwrap().to_owned();
    lab.admin("PATCH", &format!("/identity/v3/users/{id}"), &json!({"user": {"enabled": false}}));
    lab.resize(2);
    lab.made_and_deleted().await;
}

#[tokio::test]
async fn case_28_a_flavor_is_withdrawn_and_only_growing_fails() {
    let mut lab = Lab::new(280, 1, 1);
    assert_eq!(lab.settle().await, OperationState::Succeeded);
    let before = lab.live_rows();
    lab.fate.lock().unwrap().hidden = Some(crate::lab::Hidden { list: "flavors", answers: u64::MAX });
    lab.resize(2);
    assert_eq!(lab.settle().await, OperationState::Failed, "{:#?}", lab.operation());
    let fault = lab.operation().fault.unwrap();
    assert_eq!((fault.code, fault.object.as_deref()), (Code::FlavorMissing, Some("m1.medium")));
    let rows = lab.live_rows();
    assert!(before.iter().all(|row| rows.contains(row)), "what runs was touched");
    lab.fate.lock().unwrap().hidden = None;
    lab.retry();
    lab.made_and_deleted().await;
}
