//! The keys that seal secrets: what operators are told of a change, and that no process starts without a key that is needed.

use crate::house::House;
use sealed::KeyRing;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::sync::Arc;
use store::Store;
use uuid::Uuid;

async fn seen(house: &House, operator: &crate::house::Person) -> Value {
    let answer = house.call(Some(operator), "GET", "/api/v1/admin/keys", None).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[actix_web::test]
async fn an_operator_sees_how_far_a_change_of_keys_is() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    house.cluster_with_api(&member, "web").await;
    let operator = house.sign_in("operator").await;
    let (old, new) = (house.database.keys.clone(), KeyRing::generate().unwrap());
    house.store.ring_announce(Uuid::now_v7(), "one").await.unwrap();
    let before = seen(&house, &operator).await;
    assert_eq!((&before["next_step"], &before["active"], &before["left"]), (&json!("settled"), &json!(old.active()), &json!(0)));
    assert_eq!(before["processes"][0]["name"], "one");
    let kinds: Vec<&str> = before["kinds"].as_array().unwrap().iter().map(|k| k["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"pki") && kinds.contains(&"session"), "{before:#}");

    // Another process is given a new key, and makes it active before this one has it.
    let both = format!("{}{}", new.to_text().expose_secret(), old.to_text().expose_secret());
    let both = Arc::new(KeyRing::parse(&SecretString::from(both)).unwrap());
    let other = Store::connect(&house.database.options(), both).await.unwrap();
    other.ring_announce(Uuid::now_v7(), "two").await.unwrap();
    let early = seen(&house, &operator).await;
    assert_eq!(early["next_step"], "add_missing");
    let key = early["keys"].as_array().unwrap().iter().find(|k| k["id"] == new.active()).unwrap().clone();
    assert_eq!((&key["rows"], &key["active_in"], &key["missing_in"]), (&json!(0), &json!(["two"]), &json!(["one"])));

    house.database.execute("DELETE FROM key_rings WHERE name = 'one'").await;
    let waiting = seen(&house, &operator).await;
    assert_eq!((&waiting["next_step"], &waiting["active"], &waiting["left"]), (&json!("wait"), &json!(new.active()), &before["rows"]));
    let text = waiting.to_string();
    for ring in [&old, &Arc::new(new)] {
        let key = ring.to_text().expose_secret().trim().split_once(':').unwrap().1.to_owned();
        assert!(!text.contains(&key), "a key is in the answer");
    }
}

#[actix_web::test]
async fn without_a_key_that_is_needed_nothing_starts_and_the_key_is_named() {
    let house = House::new().await;
    house.sign_in("member-a").await;
    assert!(server::keys::check(&house.store).await.is_ok());
    let other = Arc::new(KeyRing::generate().unwrap());
    let without = Store::connect(&house.database.options(), other).await.unwrap();
    let said = server::keys::check(&without).await.unwrap_err().to_string();
    assert!(said.contains(house.database.keys.active()), "{said}");
    let key = house.database.keys.to_text().expose_secret().trim().split_once(':').unwrap().1.to_owned();
    assert!(!said.contains(&key));
}
