//! Operators by a role in a domain or in the system: where that is configured, and for as long as Keystone says so.

use crate::credentials::Credential;
use crate::house::{House, Person};
use auth::{OperatorGrant, OperatorPlace};
use domain::tenants::WideScope;
use local_cloud::{Effect, FaultRule, Service};
use serde_json::Value;

fn grant(role: &str, scope: WideScope) -> OperatorGrant {
    OperatorGrant { role: role.to_owned(), place: OperatorPlace::Wide(scope) }
}

/// Where Keystone gives and takes a role of somebody's.
async fn assignment(house: &House, scope: &str, user: &str, role: &str) -> String {
    let id_of = async |kind: &str, name: &str| {
        let found = house.keystone("GET", &format!("/{kind}?name={name}"), &Value::Null).await;
        found[kind][0]["id"].as_str().unwrap().to_owned()
    };
    format!("{scope}/users/{}/roles/{}", id_of("users", user).await, id_of("roles", role).await)
}

/// Whether somebody's session says that they are an operator, and what the admin view answers them.
async fn operator(house: &House, person: &Person) -> (bool, u16) {
    let session = house.call(Some(person), "GET", "/api/v1/session", None).await;
    let admin = house.call(Some(person), "GET", "/api/v1/admin/clusters", None).await;
    (session.body["operator"].as_bool().unwrap(), admin.status)
}

/// How often Keystone was asked who has which role.
fn asked(house: &House) -> u64 {
    house.cloud.calls(Service::Identity, "GET", "/identity/v3/role_assignments")
}

#[actix_web::test]
async fn a_role_makes_an_operator_in_the_scope_it_is_listed_with_and_nowhere_else() {
    let plain = House::new().await;
    let listed = plain.beside_operators(vec![grant("reader", WideScope::System), grant("manager", WideScope::Domain("default".to_owned()))]).await;
    for (user, scope, role) in [("member-a", "/system", "reader"), ("both", "/domains/default", "manager"), ("member-b", "/system", "manager")] {
        plain.keystone("PUT", &assignment(&plain, scope, user, role).await, &Value::Null).await;
    }
    for user in ["member-a", "both"] {
        let before = asked(&plain);
        let person = listed.sign_in(user).await;
        assert_eq!(operator(&listed, &person).await, (true, 200), "{user}");
        let token = plain.keystone_token(user, "tenant-a").await;
        for _ in 0..3 {
            let by_token = listed.call_with(&[("x-auth-token", token.as_str())], "GET", "/api/v1/admin/clusters", None).await;
            assert_eq!(by_token.status, 200, "{user}: {}", by_token.body);
        }
        let questions = asked(&plain) - before;
        assert!((1..=2).contains(&questions), "{user}: each scope is asked about once, and that remembered: {questions}");
    }
    // The role of another scope, roles in projects, and what is listed where nothing else is.
    for user in ["member-b", "reader-a", "owner-a", "operator"] {
        let person = listed.sign_in(user).await;
        assert_eq!(operator(&listed, &person).await, (false, 403), "{user}");
    }

    let before = asked(&plain);
    let person = plain.sign_in("member-a").await;
    assert_eq!(operator(&plain, &person).await, (false, 403));
    plain.database.execute("UPDATE sessions SET checked_at = now() - interval '5 minutes'").await;
    assert_eq!(operator(&plain, &person).await, (false, 403));
    assert_eq!(asked(&plain), before, "where no such role is listed, nobody asks");
}

#[actix_web::test]
async fn who_loses_the_role_is_no_operator_any_more_after_five_minutes_and_stays_signed_in() {
    let house = House::new().await;
    let listed = house.beside_operators(vec![grant("admin", WideScope::System)]).await;
    let given = assignment(&house, "/system", "member-a", "admin").await;
    house.keystone("PUT", &given, &Value::Null).await;
    let person = listed.sign_in("member-a").await;
    let five_minutes_pass = || house.database.execute("UPDATE sessions SET checked_at = now() - interval '5 minutes'");

    house.cloud.inject(FaultRule::new(Effect::Status { status: 503, body: None }).on(Service::Identity, "GET", "/role_assignments$").count(None));
    five_minutes_pass().await;
    assert_eq!(operator(&listed, &person).await, (true, 200), "while Keystone does not answer, what was found stays");
    house.cloud.clear_faults();

    house.keystone("DELETE", &given, &Value::Null).await;
    five_minutes_pass().await;
    assert_eq!(operator(&listed, &person).await, (false, 403));
    assert_eq!(listed.call(Some(&person), "GET", "/api/v1/clusters", None).await.status, 200);
}

#[actix_web::test]
async fn where_role_assignments_may_not_be_listed_nobody_is_an_operator_by_them_and_all_else_goes_on() {
    let house = House::new().await;
    let listed = house.beside_operators(vec![grant("admin", WideScope::System)]).await;
    house.keystone("PUT", &assignment(&house, "/system", "member-a", "admin").await, &Value::Null).await;
    house.cloud.inject(FaultRule::new(Effect::Status { status: 403, body: None }).on(Service::Identity, "GET", "/role_assignments$").count(None));
    let person = listed.sign_in("member-a").await;
    assert_eq!(operator(&listed, &person).await, (false, 403));
    assert_eq!(listed.call(Some(&person), "GET", "/api/v1/clusters", None).await.status, 200);
}

#[actix_web::test]
async fn an_application_credential_has_nothing_of_its_owners_roles_beyond_its_project() {
    let house = House::new().await;
    let listed = house.beside_operators(vec![grant("admin", WideScope::System)]).await;
    house.keystone("PUT", &assignment(&house, "/system", "member-a", "admin").await, &Value::Null).await;
    let credential = Credential::of(&house, "member-a", "tenant-a", &["member"]).await;
    let by_credential = credential.sign_in(&listed).await.person();
    assert_eq!(operator(&listed, &by_credential).await, (false, 403));
    let in_person = listed.sign_in("member-a").await;
    assert_eq!(operator(&listed, &in_person).await, (true, 200));
}
