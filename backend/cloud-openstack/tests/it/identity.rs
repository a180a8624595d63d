//! Signing in, and service users.

use crate::scripted::{Asked, Scripted, answer, ok, token};
use cloud::error::CloudErrorKind as Kind;
use cloud::identity::{CredentialName, Identity, ProjectState, WideScope};
use http::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::sync::Mutex;

#[tokio::test]
async fn a_failed_sign_in_tells_nothing() {
    for (status, words) in [(401, "The password is expired and needs to be changed for user: 123"), (403, "User is disabled"), (404, "no domain")] {
        let scripted = Scripted::new(move |_| ok(status, &json!({"error": {"code": status, "message": words}})));
        let error = scripted.openstack().sign_in("x", "Default", &"pw".into(), None).await.unwrap_err();
        assert_eq!(error.kind, Kind::Unauthenticated);
        assert_eq!(error.message, "The user name, the domain or the password is wrong.");
    }
    let down = Scripted::new(|_| ok(503, &json!({})));
    assert_eq!(down.openstack().sign_in("x", "Default", &"pw".into(), None).await.unwrap_err().kind, Kind::Unavailable);
}

#[tokio::test]
async fn signing_in_is_unscoped_and_a_project_is_entered_with_the_token() {
    let scripted = Scripted::new(|_| None);
    let openstack = scripted.openstack();
    let token = openstack.sign_in("x", "Default", &"pw".into(), None).await.unwrap().token().unwrap();
    assert_eq!(token.secret.expose_secret(), "token-1");
    assert_eq!(scripted.asked()[0].body["auth"]["scope"], "unscoped");
    let scoped = openstack.rescope(&token.secret, "p1").await.unwrap();
    assert_eq!(scoped.info.project.as_ref().unwrap().id, "p1");
    assert_eq!(scoped.info.roles, ["member", "load-balancer_member"]);
    let auth = &scripted.asked()[1].body["auth"];
    assert_eq!((&auth["identity"]["token"]["id"], &auth["scope"]["project"]["id"]), (&json!("token-1"), &json!("p1")));
}

#[tokio::test]
async fn an_application_credential_is_named_by_id_or_by_whose_it_is_and_tells_of_itself() {
    let scripted = Scripted::new(|asked| {
        let mut answer = token("token-1", 3_600);
        let mut body: Value = serde_json::from_slice(answer.body()).unwrap();
        let rules =
            if asked.body["auth"]["identity"]["application_credential"]["id"] == "ruled" { json!([{"service": "compute"}]) } else { Value::Null };
        body["token"]["application_credential"] = json!({"id": "c1", "name": "ci", "restricted": true, "access_rules": rules});
        *answer.body_mut() = body.to_string().into();
        Some(Ok(answer))
    });
    let openstack = scripted.openstack();
    let by_id = openstack.sign_in_by_credential(&CredentialName::Id("c1".into()), &"s".into()).await.unwrap();
    assert_eq!((by_id.info.application_credential.as_deref(), by_id.info.project.unwrap().id.as_str()), (Some("ci"), "p1"));
    let of = CredentialName::Of { name: "ci".into(), user_name: "x".into(), domain: "D".into() };
    openstack.sign_in_by_credential(&of, &"s".into()).await.unwrap();
    let asked: Vec<Value> = scripted.asked().into_iter().map(|a| a.body["auth"]["identity"]["application_credential"].clone()).collect();
    assert_eq!(asked, [json!({"id": "c1", "secret": "s"}), json!({"name": "ci", "secret": "s", "user": {"name": "x", "domain": {"name": "D"}}})]);
    assert!(scripted.asked().iter().all(|a| a.body["auth"].get("scope").is_none()), "it is bound to its project");
    let ruled = openstack.sign_in_by_credential(&CredentialName::Id("ruled".into()), &"s".into()).await.unwrap_err();
    assert_eq!(ruled.kind, Kind::Unauthenticated, "its rules name calls of other services");
    // Keystone answers 404 for one that is gone.
    for status in [401, 403, 404] {
        let gone = Scripted::new(move |_| ok(status, &json!({"error": {"code": status, "message": "Could not find Application Credential: c1."}})));
        let error = gone.openstack().sign_in_by_credential(&CredentialName::Id("c1".into()), &"s".into()).await.unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (Kind::Unauthenticated, "The application credential is wrong, over or gone."));
    }
}

#[tokio::test]
async fn a_token_that_its_person_delegated_is_refused_wherever_it_comes_in() {
    let trust = json!({"id": "t1", "impersonation": true, "trustor_user": {"id": "u1"}, "trustee_user": {"id": "u2"}});
    let oauth1 = json!({"access_token_id": "a1", "consumer_id": "c1"});
    let cases = [
        ("OS-TRUST:trust", trust, Some("the token was delegated by a trust")),
        ("OS-OAUTH1", oauth1, Some("the token was delegated by OAuth1")),
        ("OS-TRUST:trust", Value::Null, None),
        ("OS-OAUTH1", Value::Null, None),
        ("OS-FEDERATION", json!({"identity_provider": {"id": "idp"}}), None),
    ];
    for (mark, value, why) in cases {
        let told = value.clone();
        let scripted = Scripted::new(move |_| {
            let mut answer = token("token-1", 3_600);
            let mut body: Value = serde_json::from_slice(answer.body()).unwrap();
            body["token"][mark] = value.clone();
            *answer.body_mut() = body.to_string().into();
            Some(Ok(answer))
        });
        let openstack = scripted.openstack();
        // What comes with a request (`X-Auth-Token`) or from an identity provider's page is looked at; then a project is entered with it.
        let looked = openstack.validate(&"t".into()).await.map(drop);
        let entered = openstack.rescope(&"t".into(), "p1").await.map(drop);
        let signed_in = openstack.sign_in("x", "Default", &"pw".into(), None).await.map(drop);
        let by_credential = openstack.sign_in_by_credential(&CredentialName::Id("c1".into()), &"s".into()).await.map(drop);
        for (way, answer) in [("looked at", &looked), ("entered", &entered), ("signed in", &signed_in), ("by credential", &by_credential)] {
            let kind = answer.as_ref().err().map(|error| error.kind);
            assert_eq!(kind, why.map(|_| Kind::Unauthenticated), "{way}: {mark} {told}");
        }
        for answer in [looked, entered] {
            assert_eq!(answer.err().map(|error| error.message).as_deref(), why, "{mark} {told}");
        }
    }
}

#[tokio::test]
async fn a_passcode_is_asked_for_where_keystone_wants_one_and_shown_together_with_the_password() {
    let wants = |rules: Value| {
        Scripted::new(move |asked| {
            if asked.body["auth"]["identity"]["methods"] == json!(["password", "totp"]) && rules == json!([["password", "totp"]]) {
                return None;
            }
            let body = json!({"receipt": {"methods": ["password"], "user": {"id": "u1", "name": "x"}}, "required_auth_methods": rules});
            let mut receipt = answer(401, &body);
            receipt.headers_mut().insert("openstack-auth-receipt", "receipt-1".parse().unwrap());
            Some(Ok(receipt))
        })
    };
    let scripted = wants(json!([["password", "totp"]]));
    let openstack = scripted.openstack();
    assert!(openstack.sign_in("x", "Default", &"pw".into(), None).await.unwrap().token().is_none());
    let token = openstack.sign_in("x", "Default", &"pw".into(), Some(&"123456".into())).await.unwrap().token().unwrap();
    assert_eq!(token.secret.expose_secret(), "token-2");
    let identity = scripted.asked()[1].body["auth"]["identity"].clone();
    assert_eq!(identity["totp"], json!({"user": {"name": "x", "domain": {"name": "Default"}, "passcode": "123456"}}));
    assert_eq!(identity["password"]["user"]["password"], "pw");
    // What KCS cannot show, or still not enough: the same refusal as for a wrong password.
    for (rules, passcode) in [(json!([["password", "oauth1"]]), None), (json!([["password", "totp", "oauth1"]]), Some(&"123456".into()))] {
        let error = wants(rules).openstack().sign_in("x", "Default", &"pw".into(), passcode).await.unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (Kind::Unauthenticated, "The user name, the domain or the password is wrong."));
    }
    // An identity of KCS's own has nobody who could type one.
    let session = wants(json!([["password", "totp"]])).openstack();
    assert_eq!(session.members("p").await.unwrap_err().kind, Kind::Unauthenticated);
}

#[tokio::test]
async fn a_project_is_there_disabled_or_gone_and_what_is_no_answer_says_none_of_it() {
    let state = async |status: u16, body: Value| {
        let scripted = Scripted::new(move |asked| match asked.url.rsplit('/').next().unwrap() {
            "other" => ok(status, &body),
            "p1" => ok(200, &json!({"project": {"id": "p1", "name": "the service account's own", "domain_id": "d", "enabled": true}})),
            "domains?enabled=false" => ok(200, &json!({"domains": []})),
            _ => None,
        });
        scripted.openstack().project_state("other").await.map_err(|error| error.kind)
    };
    let project = |enabled: bool| json!({"project": {"id": "other", "name": "one", "domain_id": "d", "enabled": enabled}});
    assert_eq!(state(200, project(true)).await, Ok(ProjectState::Enabled));
    assert_eq!(state(200, project(false)).await, Ok(ProjectState::Disabled));
    let gone = json!({"error": {"code": 404, "message": "Could not find project: other.", "title": "Not Found"}});
    assert_eq!(state(404, gone).await, Ok(ProjectState::Gone));
    assert_eq!(state(403, json!({"error": {"code": 403, "message": "You are not authorized"}})).await, Err(Kind::Denied));
    assert_eq!(state(503, json!({})).await, Err(Kind::Unavailable));
}

#[tokio::test]
async fn a_project_is_gone_only_where_keystone_says_so_and_knows_the_service_accounts_own() {
    const GONE: &str = r#"{"error": {"code": 404, "message": "Could not find project.", "title": "Not Found"}}"#;
    const OWN: &str = r#"{"project": {"id": "p1", "name": "service", "domain_id": "d", "enabled": true}}"#;
    // What answers for the project that is asked about, and for the service account's own.
    let state = async |other: &'static str, own: (u16, &'static str)| {
        let scripted = Scripted::new(move |asked| {
            let (status, body) = match asked.url.rsplit('/').next().unwrap() {
                "other" => (404, other),
                "p1" => own,
                _ => return None,
            };
            let mut said = answer(status, &Value::Null);
            *said.body_mut() = body.into();
            Some(Ok(said))
        });
        scripted.openstack().project_state("other").await.map_err(|error| error.kind)
    };
    assert_eq!(state(GONE, (200, OWN)).await, Ok(ProjectState::Gone));
    for foreign in ["<html>Not Found</html>", "", "{}", r#"{"message": "no Route matched with those values"}"#, r#"{"error": "not found"}"#] {
        assert_eq!(state(foreign, (200, OWN)).await, Err(Kind::Unavailable), "that was not Keystone: {foreign}");
    }
    assert_eq!(state(GONE, (404, GONE)).await, Err(Kind::Unavailable), "it knows nobody: it is another cloud's");
    assert_eq!(state(GONE, (200, r#"{"project": {"id": "another"}}"#)).await, Err(Kind::Unavailable));
    assert_eq!(state(GONE, (403, r#"{"error": {"code": 403, "message": "no"}}"#)).await, Err(Kind::Denied));
}

#[tokio::test]
async fn a_project_in_a_disabled_domain_is_disabled_though_it_does_not_say_so_itself() {
    let state = async |status: u16, domains: Value| {
        let scripted = Scripted::new(move |asked| match asked.url.rsplit('/').next().unwrap() {
            "p1" => ok(200, &json!({"project": {"id": "p1", "name": "one", "domain_id": "d", "enabled": true}})),
            "domains?enabled=false" => ok(status, &domains),
            _ => None,
        });
        scripted.openstack().project_state("p1").await.map_err(|error| error.kind)
    };
    let domain = |id: &str, enabled: bool| json!({"domains": [{"id": id, "name": id, "enabled": enabled}]});
    assert_eq!(state(200, domain("d", false)).await, Ok(ProjectState::Disabled));
    assert_eq!(state(200, domain("d", true)).await, Ok(ProjectState::Enabled), "a Keystone that does not filter");
    assert_eq!(state(200, domain("other", false)).await, Ok(ProjectState::Enabled));
    assert_eq!(state(503, json!({})).await, Err(Kind::Unavailable));
    let denied = json!({"error": {"code": 403, "message": "You are not authorized to perform the requested action: identity:list_domains."}});
    assert_eq!(state(403, denied).await, Ok(ProjectState::Enabled), "an account that may not look says what the project says");
}

#[tokio::test]
async fn members_are_gathered_by_person_and_groups_left_out() {
    let scripted = Scripted::new(|asked| {
        if !asked.url.contains("/role_assignments") {
            return None;
        }
        let of = |id: &str, name: &str, role: &str| json!({"role": {"name": role}, "user": {"id": id, "name": name, "domain": {"id": "d"}}});
        let list =
            json!([of("2", "b", "reader"), of("1", "a", "member"), of("1", "a", "reader"), {"role": {"name": "member"}, "group": {"id": "g"}}]);
        ok(200, &json!({"role_assignments": list}))
    });
    let members = scripted.openstack().members("p").await.unwrap();
    let told: Vec<_> = members.iter().map(|m| (m.user_id.as_str(), m.user_domain_id.as_str(), m.roles.join(" "))).collect();
    assert_eq!(told, [("1", "d", "member reader".to_owned()), ("2", "d", "reader".to_owned())]);
}

#[tokio::test]
async fn who_or_whose_project_is_in_a_disabled_domain_has_no_place_there() {
    for (disabled, expected) in [("of-nobody", Some("member")), ("of-person", None), ("of-project", None)] {
        let scripted = Scripted::new(move |asked| {
            // Also what a Keystone says that does not filter.
            let domain = |id: &str| json!({"id": id, "name": id, "enabled": id != disabled});
            match asked.url.split('?').next().unwrap().rsplit('/').next().unwrap() {
                "u1" => ok(200, &json!({"user": {"id": "u1", "name": "ada", "domain_id": "of-person", "enabled": true}})),
                "p1" => ok(200, &json!({"project": {"id": "p1", "name": "tenant", "domain_id": "of-project", "enabled": true}})),
                "role_assignments" => ok(200, &json!({"role_assignments": [{"role": {"name": "member"}, "user": {"id": "u1", "name": "ada"}}]})),
                "domains" => ok(200, &json!({"domains": [domain("of-nobody"), domain("of-person"), domain("of-project")]})),
                _ => None,
            }
        });
        let standing = scripted.openstack().standing("u1", "p1").await.unwrap();
        assert_eq!(standing.map(|standing| standing.roles.join(" ")).as_deref(), expected, "{disabled}");
        assert!(scripted.calls().iter().any(|asked| asked.url.ends_with("/domains?enabled=false")), "{disabled}");
    }
}

#[tokio::test]
async fn roles_beyond_projects_are_those_of_the_person_in_that_very_scope() {
    let held = |user: &str, role: &str, scope: Value| json!({"role": {"name": role}, "user": {"id": user, "name": user}, "scope": scope});
    // What a Keystone says that knows none of the filters.
    let scripted = Scripted::new(move |asked| {
        let list = json!([
            held("u1", "of-system", json!({"system": {"all": true}})),
            held("u1", "of-domain", json!({"domain": {"id": "d1", "name": "ops"}})),
            held("u1", "elsewhere", json!({"domain": {"id": "d2", "name": "d1"}})),
            held("u1", "of-project", json!({"project": {"id": "d1", "name": "d1", "domain": {"id": "d1"}}})),
            held("u2", "of-another", json!({"system": {"all": true}})),
            {"role": {"name": "of-group"}, "group": {"id": "g"}, "scope": {"system": {"all": true}}},
        ]);
        if asked.url.contains("/role_assignments") { ok(200, &json!({ "role_assignments": list })) } else { None }
    });
    let openstack = scripted.openstack();
    assert_eq!(openstack.wide_roles("u1", &WideScope::System).await.unwrap(), ["of-system"]);
    assert_eq!(openstack.wide_roles("u1", &WideScope::Domain("d1".to_owned())).await.unwrap(), ["of-domain"]);
    let urls: Vec<String> = scripted.calls().iter().map(|asked| asked.url.clone()).filter(|url| url.contains("/role_assignments")).collect();
    for (url, scope) in urls.iter().zip(["scope.system=all", "scope.domain.id=d1"]) {
        assert!([scope, "user.id=u1", "effective=true"].iter().all(|part| url.contains(part)), "{url}");
    }
}

#[tokio::test]
async fn projects_are_sorted_and_disabled_ones_left_out() {
    let scripted = Scripted::new(|_| {
        ok(
            200,
            &json!({"projects": [
            {"id": "2", "name": "b", "domain_id": "d", "enabled": true}, {"id": "3", "name": "c", "enabled": false},
            {"id": "1", "name": "a", "domain_id": "d"}], "links": {}}),
        )
    });
    let names: Vec<String> = scripted.openstack().projects(&"t".into()).await.unwrap().into_iter().map(|p| p.name).collect();
    assert_eq!(names, ["a", "b"]);
}

#[tokio::test]
async fn a_token_that_is_worth_nothing_is_unauthenticated_and_its_revocation_no_error() {
    for status in [401, 404] {
        let scripted = Scripted::new(move |_| ok(status, &json!({"error": {"code": status, "message": "no"}})));
        assert_eq!(scripted.openstack().validate(&"t".into()).await.unwrap_err().kind, Kind::Unauthenticated);
        scripted.openstack().revoke(&"t".into()).await.unwrap();
    }
    let unprintable = Scripted::new(|_| panic!("must not be sent"));
    assert_eq!(unprintable.openstack().validate(&"a\nb".into()).await.unwrap_err().kind, Kind::Unauthenticated);
}

/// A Keystone with one service user, or none, whose password is what was last set.
fn keystone(existing: Option<&'static str>) -> std::sync::Arc<Scripted> {
    let user: Mutex<Option<String>> = Mutex::new(existing.map(str::to_owned));
    Scripted::new(move |a: &Asked| {
        let mut user = user.lock().unwrap();
        let path = a.url.split('?').next().unwrap().trim_start_matches("keystone:5000/v3/");
        let password = |body: &Value| body["user"]["password"].as_str().unwrap().to_owned();
        match (&a.method, path) {
            (&Method::POST, "auth/tokens") => {
                let given = &a.body["auth"]["identity"]["password"]["user"];
                let right = given["id"] != "u9" || user.as_deref() == given["password"].as_str();
                if right { None } else { ok(401, &json!({"error": {"message": "no"}})) }
            }
            (&Method::GET, "users") => {
                let found = if user.is_some() { json!([{"id": "u9", "name": "kcs-t"}]) } else { json!([]) };
                ok(200, &json!({"users": found}))
            }
            (&Method::POST, "users") => {
                *user = Some(password(&a.body));
                ok(201, &json!({"user": {"id": "u9"}}))
            }
            (&Method::PATCH, "users/u9") => {
                *user = Some(password(&a.body));
                ok(200, &json!({"user": {"id": "u9"}}))
            }
            (&Method::GET, "roles") => ok(
                200,
                &json!({"roles": [{"id": "r0", "name": "admin"}, {"id": "r1", "name": "member"}, {"id": "r2", "name": "load-balancer_member"}]}),
            ),
            (&Method::PUT, _) => Some(Ok(answer(204, &json!({})))),
            (&Method::POST, "users/u9/application_credentials") => {
                ok(201, &json!({"application_credential": {"id": "ac", "secret": "shown once", "name": "n"}}))
            }
            other => panic!("{other:?}"),
        }
    })
}

#[tokio::test]
async fn a_service_user_is_made_with_its_roles() {
    let keystone = keystone(None);
    let openstack = keystone.openstack();
    let user = openstack.ensure_service_user("kcs-t", "p1").await.unwrap();
    let calls = keystone.calls();
    let made = calls.iter().find(|a| a.method == Method::POST).unwrap();
    assert_eq!((&made.body["user"]["name"], &made.body["user"]["domain_id"]), (&json!("kcs-t"), &json!("default")));
    let granted: Vec<_> = calls.iter().filter(|a| a.method == Method::PUT).map(|a| a.url.clone()).collect();
    assert_eq!(granted, ["r1", "r2"].map(|r| format!("keystone:5000/v3/projects/p1/users/u9/roles/{r}")));
    assert!(!calls.iter().any(|a| a.method == Method::PATCH), "its password is right");

    let again = openstack.ensure_service_user("kcs-t", "p1").await.unwrap();
    assert_eq!(again.password.expose_secret(), user.password.expose_secret(), "making sure twice changes nothing");

    let credential = openstack.create_application_credential(&user, "p1", "n", "mark").await.unwrap();
    assert_eq!(credential.secret.expose_secret(), "shown once");
    let body = &keystone.last().body["application_credential"];
    assert_eq!(body["roles"], json!([{"name": "member"}, {"name": "load-balancer_member"}]));
    assert_eq!((&body["unrestricted"], &body["description"]), (&json!(false), &json!("mark")));
}

#[tokio::test]
async fn a_service_user_with_another_password_gets_ours() {
    let keystone = keystone(Some("another"));
    let user = keystone.openstack().ensure_service_user("kcs-t", "p1").await.unwrap();
    let set: Vec<_> = keystone.calls().into_iter().filter(|a| a.method == Method::PATCH).collect();
    assert_eq!(set.len(), 1);
    assert_eq!(set[0].body["user"]["password"], user.password.expose_secret());
    assert!(user.password.expose_secret().len() >= 40 && user.password.expose_secret().len() <= 72);
}

#[tokio::test]
async fn each_tenants_service_user_has_its_own_password() {
    let keystone = keystone(None);
    let one = keystone.openstack().ensure_service_user("kcs-t", "p1").await.unwrap();
    let two = keystone.openstack().ensure_service_user("kcs-t", "p2").await.unwrap();
    assert_ne!(one.password.expose_secret(), two.password.expose_secret());
}
