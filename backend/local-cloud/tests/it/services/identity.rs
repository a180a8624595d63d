//! Keystone: tokens, roles, application credentials, and who may do what.

use super::lab::{PASSWORD, cloud, password_auth, send, sign_in};
use serde_json::{Value, json};
use std::time::Duration;

const TOKENS: &str = "/identity/v3/auth/tokens";

#[test]
fn a_wrong_password_and_a_missing_user_look_alike() {
    let cloud = cloud();
    let wrong = send(&cloud, "POST", TOKENS, &[], &password_auth("member-a", "wrong", &Value::Null)).unwrap().is(401);
    let nobody = send(&cloud, "POST", TOKENS, &[], &password_auth("nobody", "wrong", &Value::Null)).unwrap().is(401);
    assert_eq!(wrong.text, nobody.text);
    assert_eq!(wrong.body["error"]["title"], "Unauthorized");
}

#[test]
fn an_unscoped_token_lists_projects_and_scopes_to_each() {
    let cloud = cloud();
    let unscoped = send(&cloud, "POST", TOKENS, &[], &password_auth("both", PASSWORD, &json!("unscoped"))).unwrap().is(201);
    let token = unscoped.headers["x-subject-token"].to_str().unwrap().to_owned();
    let projects = send(&cloud, "GET", "/identity/v3/auth/projects", &[("x-auth-token", &token)], &Value::Null).unwrap().is(200);
    let names: Vec<&str> = projects.body["projects"].as_array().unwrap().iter().filter_map(|p| p["name"].as_str()).collect();
    assert_eq!(names, ["tenant-a", "tenant-b"]);
    send(&cloud, "GET", "/network/v2.0/networks", &[("x-auth-token", &token)], &Value::Null).unwrap().is(401);
    for project in projects.body["projects"].as_array().unwrap() {
        let auth = json!({"auth": {"identity": {"methods": ["token"], "token": {"id": token}}, "scope": {"project": {"id": project["id"]}}}});
        let scoped = send(&cloud, "POST", TOKENS, &[], &auth).unwrap().is(201);
        assert_eq!(scoped.body["token"]["expires_at"], unscoped.body["token"]["expires_at"]);
        let types: Vec<&str> = scoped.body["token"]["catalog"].as_array().unwrap().iter().filter_map(|s| s["type"].as_str()).collect();
        for service in ["identity", "compute", "network", "block-storage", "volumev3", "image", "load-balancer"] {
            assert!(types.contains(&service), "{service} is not in the catalogue");
        }
    }
}

#[test]
fn a_token_ends_with_its_time_and_with_its_revocation() {
    let cloud = cloud();
    let member = sign_in(&cloud, "member-a", "tenant-a");
    member.get("/network/v2.0/networks").is(200);
    let subject = [("x-auth-token", member.token.as_str()), ("x-subject-token", member.token.as_str())];
    send(&cloud, "GET", TOKENS, &subject, &Value::Null).unwrap().is(200);
    send(&cloud, "DELETE", TOKENS, &subject, &Value::Null).unwrap().is(204);
    member.get("/network/v2.0/networks").is(401);
    let member = sign_in(&cloud, "member-a", "tenant-a");
    cloud.advance(Duration::from_secs(4 * 3600 + 1));
    member.get("/network/v2.0/networks").is(401);
}

#[test]
fn an_application_credential_acts_for_its_owner_and_dies_with_it() {
    let cloud = cloud();
    let member = sign_in(&cloud, "member-a", "tenant-a");
    let path = format!("/identity/v3/users/{}/application_credentials", member.user);
    let made = member.post(&path, &json!({"application_credential": {"name": "engine", "description": "mark"}})).is(201);
    member.post(&path, &json!({"application_credential": {"name": "engine"}})).is(409);
    assert!(member.get(&path).body["application_credentials"][0].get("secret").is_none());
    let (id, secret) = (made.at("/application_credential/id"), made.at("/application_credential/secret"));
    let auth =
        |secret: &str| json!({"auth": {"identity": {"methods": ["application_credential"], "application_credential": {"id": id, "secret": secret}}}});
    send(&cloud, "POST", TOKENS, &[], &auth("wrong")).unwrap().is(401);
    let robot = send(&cloud, "POST", TOKENS, &[], &auth(&secret)).unwrap().is(201);
    assert_eq!(robot.at("/token/project/id"), member.project);
    let token = robot.headers["x-subject-token"].to_str().unwrap().to_owned();
    send(&cloud, "POST", &path, &[("x-auth-token", &token)], &json!({"application_credential": {"name": "more"}})).unwrap().is(403);
    member.delete(&format!("{path}/{id}")).is(204);
    send(&cloud, "GET", "/network/v2.0/networks", &[("x-auth-token", &token)], &Value::Null).unwrap().is(401);
    // Keystone says 404 of a credential it has never seen, or no longer has.
    send(&cloud, "POST", TOKENS, &[], &auth(&secret)).unwrap().is(404);
}

#[test]
fn only_the_admin_makes_users_and_gives_roles() {
    let cloud = cloud();
    let (member, admin) = (sign_in(&cloud, "member-a", "tenant-a"), sign_in(&cloud, "kcs", "service"));
    let user = json!({"user": {"name": "robot", "domain_id": "default", "password": "one"}});
    member.post("/identity/v3/users", &user).is(403);
    let id = admin.post("/identity/v3/users", &user).is(201).at("/user/id");
    admin.post("/identity/v3/users", &user).is(409);
    assert_eq!(admin.get("/identity/v3/users?name=robot&domain_id=default").at("/users/0/id"), id);
    let role = admin.get("/identity/v3/roles?name=member").at("/roles/0/id");
    let grant = format!("/identity/v3/projects/{}/users/{id}/roles/{role}", member.project);
    admin.ask("HEAD", &grant, &Value::Null).is(404);
    admin.put(&grant, &Value::Null).is(204);
    admin.ask("HEAD", &grant, &Value::Null).is(204);
    admin.ask("PATCH", &format!("/identity/v3/users/{id}"), &json!({"user": {"password": "two"}})).is(200);
    send(&cloud, "POST", TOKENS, &[], &password_auth("robot", "one", &Value::Null)).unwrap().is(401);
    let scope = json!({"project": {"id": member.project}});
    send(&cloud, "POST", TOKENS, &[], &password_auth("robot", "two", &scope)).unwrap().is(201);
}

#[test]
fn nobody_of_a_disabled_domain_is_let_in_and_they_themselves_stay_enabled() {
    let cloud = cloud();
    let admin = sign_in(&cloud, "kcs", "service");
    sign_in(&cloud, "member-a", "tenant-a").post("/identity/v3/domains", &json!({"domain": {"name": "partner"}})).is(403);
    let domain = admin.post("/identity/v3/domains", &json!({"domain": {"name": "partner"}})).is(201).at("/domain/id");
    admin.post("/identity/v3/domains", &json!({"domain": {"name": "partner"}})).is(409);
    // The same name as somebody of the first domain.
    let wanted = json!({"user": {"name": "member-a", "domain_id": domain, "password": "theirs"}});
    let user = admin.post("/identity/v3/users", &wanted).is(201).at("/user/id");
    let person = json!({"name": "member-a", "domain": {"name": "partner"}, "password": "theirs"});
    let auth = json!({"auth": {"identity": {"methods": ["password"], "password": {"user": person}}}});
    let reply = send(&cloud, "POST", TOKENS, &[], &auth).unwrap().is(201);
    assert_eq!((reply.at("/token/user/id"), reply.at("/token/user/domain/id")), (user.clone(), domain.clone()));
    let token = reply.headers["x-subject-token"].to_str().unwrap().to_owned();
    let own = [("x-auth-token", token.as_str())];
    send(&cloud, "GET", "/identity/v3/auth/projects", &own, &Value::Null).unwrap().is(200);
    admin.ask("PATCH", &format!("/identity/v3/domains/{domain}"), &json!({"domain": {"enabled": false}})).is(200);
    send(&cloud, "GET", "/identity/v3/auth/projects", &own, &Value::Null).unwrap().is(401);
    send(&cloud, "POST", TOKENS, &[], &auth).unwrap().is(401);
    assert_eq!(admin.get(&format!("/identity/v3/users/{user}")).is(200).body["user"]["enabled"], true);
    let disabled = admin.get("/identity/v3/domains?enabled=false").is(200);
    assert_eq!((disabled.at("/domains/0/id"), disabled.body["domains"].as_array().unwrap().len()), (domain, 1));
    sign_in(&cloud, "member-a", "tenant-a");
}

#[test]
fn a_reader_looks_and_does_not_touch_and_a_stranger_sees_nothing() {
    let cloud = cloud();
    let (member, reader, stranger) =
        (sign_in(&cloud, "member-a", "tenant-a"), sign_in(&cloud, "reader-a", "tenant-a"), sign_in(&cloud, "member-b", "tenant-b"));
    let place = member.place();
    let path = format!("/network/v2.0/networks/{}", place.network);
    reader.get(&path).is(200);
    assert_eq!(reader.delete(&path).is(403).at("/NeutronError/type"), "PolicyNotAuthorized");
    stranger.get(&path).is(404);
    stranger.delete(&path).is(404);
    reader.post("/compute/v2.1/servers", &json!({"server": {"name": "x"}})).is(403);
    reader.post(&reader.volume_path("/volumes"), &json!({"volume": {"size": 1}})).is(403);
    reader.post("/load-balancer/v2/lbaas/loadbalancers", &json!({"loadbalancer": {"vip_subnet_id": place.subnet}})).is(403);
    reader.get("/load-balancer/v2/lbaas/loadbalancers").is(200);
    let operator = sign_in(&cloud, "operator", "admin");
    operator.get(&path).is(200);
}
