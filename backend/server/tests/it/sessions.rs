//! Signing in, switching, out; and what is refused.

use crate::house::{House, PASSWORD};
use serde_json::json;

#[actix_web::test]
async fn an_unknown_user_is_answered_like_a_wrong_password() {
    let house = House::new().await;
    let sign_in = async |user: &str, password: &str| {
        let mut answer = house.call(None, "POST", "/api/v1/session", Some(&json!({"username": user, "password": password}))).await;
        answer.body["request_id"] = json!(null);
        (answer.status, answer.body)
    };
    let wrong = sign_in("member-a", "wrong").await;
    assert_eq!(wrong.0, 401);
    assert_eq!(wrong, sign_in("nobody", PASSWORD).await);
}

#[actix_web::test]
async fn the_project_can_be_chosen_and_switched() {
    let house = House::new().await;
    let both = house.sign_in("both").await;
    let session = house.call(Some(&both), "GET", "/api/v1/session", None).await;
    assert_eq!(session.body["projects"].as_array().unwrap().len(), 2, "{}", session.body);
    assert_eq!(session.body["project"]["name"], "tenant-a");
    let switched = house.call(Some(&both), "PUT", "/api/v1/session", Some(&json!({"project": "tenant-b"}))).await;
    assert_eq!((switched.status, &switched.body["project"]["name"]), (200, &json!("tenant-b")));
    // The old session is over: what was open in the other project ends.
    assert_eq!(house.call(Some(&both), "GET", "/api/v1/session", None).await.status, 401);
    let foreign =
        house.call(None, "POST", "/api/v1/session", Some(&json!({"username": "member-a", "password": PASSWORD, "project": "tenant-b"}))).await;
    assert_eq!((foreign.status, foreign.body["code"].as_str()), (403, Some("KCS-AUTH-005")));
}

#[actix_web::test]
async fn after_signing_out_the_cookie_is_worthless() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    assert!(member.cookie_attributes.contains("HttpOnly") && member.cookie_attributes.contains("SameSite=Strict"), "{}", member.cookie_attributes);
    assert_eq!(house.call(Some(&member), "DELETE", "/api/v1/session", None).await.status, 204);
    assert_eq!(house.call(Some(&member), "GET", "/api/v1/clusters", None).await.status, 401);
}

#[actix_web::test]
async fn guessing_passwords_is_slowed_down() {
    let house = House::new().await;
    let mut statuses = Vec::new();
    for _ in 0..30 {
        statuses.push(house.call(None, "POST", "/api/v1/session", Some(&json!({"username": "member-a", "password": "guess"}))).await.status);
    }
    assert!(statuses.contains(&401) && statuses.ends_with(&[429]), "{statuses:?}");
    // Another person is not locked out by it.
    house.sign_in("member-b").await;
}
