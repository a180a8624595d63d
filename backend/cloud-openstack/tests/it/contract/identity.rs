//! Keystone: tokens by each method, projects, users, application credentials.

use super::bench::{Bench, at};
use super::stage::Stage;
use serde_json::{Value, json};

pub async fn replay(bench: &Bench, stage: &Stage) {
    tokens(bench, stage).await;
    rights(bench, stage).await;
    credentials(bench, stage).await;
    factors(bench, stage).await;
}

async fn tokens(bench: &Bench, stage: &Stage) {
    let refused = "error.code=401 error.message:s error.title=Unauthorized";
    let wrong = bench.sign_in(&stage.name("member"), "wrong", None).await;
    bench.check("wrong password", &wrong, 401, refused);
    let nobody = bench.sign_in(&stage.name("nobody"), "wrong", None).await;
    bench.check("unknown user", &nobody, 401, refused);
    bench.holds("a wrong password and an unknown user look alike", wrong.body["error"] == nobody.body["error"]);

    let unscoped = bench.sign_in(&stage.name("member"), stage.password, None).await;
    bench.check(
        "unscoped token",
        &unscoped,
        201,
        "@x-subject-token token.user.id:s token.user.domain.id=default token.expires_at:s token.issued_at:s token.methods.0=password",
    );
    bench.holds("an unscoped token has no project", at(&unscoped.body, "token.project").is_none());
    bench.holds("an unscoped token has no roles", at(&unscoped.body, "token.roles").is_none());
    let unscoped = bench.person(&unscoped);
    let projects = bench.get(&unscoped, "identity", "/auth/projects").await;
    bench.check("own projects", &projects, 200, "projects.0.id:s projects.0.name:s projects.0.domain_id=default projects.0.enabled=true links:o");
    bench.holds("only own projects", projects.body["projects"].as_array().is_some_and(|p| p.len() == 1));

    let enter =
        |project: &str| json!({"auth": {"identity": {"methods": ["token"], "token": {"id": unscoped.token}}, "scope": {"project": {"id": project}}}});
    let scoped = bench.ask(None, "POST", "identity", "/auth/tokens", Some(enter(&stage.member.project_id))).await;
    bench.check("enter project", &scoped, 201, "@x-subject-token token.project.id:s token.project.name:s token.project.domain.id=default token.roles.0.name:s token.catalog.0.type:s token.catalog.0.endpoints.0.url:s token.catalog.0.endpoints.0.interface:s token.catalog.0.endpoints.0.region_id:s");
    let foreign = bench.ask(None, "POST", "identity", "/auth/tokens", Some(enter(&stage.stranger.project_id))).await;
    bench.check("enter a foreign project", &foreign, 401, refused);

    let url = format!("{}/auth/tokens", bench.auth_url);
    let about = bench.send("GET", &url, Some(&unscoped.token), &[("x-subject-token", &unscoped.token)], None).await;
    bench.check("validate own token", &about, 200, "token.user.id:s token.expires_at:s");
    let nothing = bench.send("GET", &url, Some("worth-nothing"), &[("x-subject-token", "worth-nothing")], None).await;
    bench.check("validate a false token", &nothing, 401, refused);
    let revoked = bench.send("DELETE", &url, Some(&unscoped.token), &[("x-subject-token", &unscoped.token)], None).await;
    bench.check("revoke own token", &revoked, 204, "");
    let after = bench.send("GET", &url, Some(&unscoped.token), &[("x-subject-token", &unscoped.token)], None).await;
    bench.check("a revoked token", &after, 401, refused);
    let bad = bench.ask(None, "POST", "identity", "/auth/tokens", Some(json!({"auth": {}}))).await;
    bench.check("a request for a token without identity", &bad, 400, "error.code=400 error.message:s");
}

async fn rights(bench: &Bench, stage: &Stage) {
    let denied = "error.code=403 error.message~not_authorized error.title=Forbidden";
    let make = json!({"user": {"name": stage.name("x"), "domain_id": "default", "password": "x"}});
    bench.check("a member makes no users", &bench.post(&stage.member, "identity", "/users", make).await, 403, denied);
    bench.check("a member lists no users", &bench.get(&stage.member, "identity", "/users").await, 403, denied);
    let found = bench.get(&stage.admin, "identity", &format!("/users?name={}&domain_id=default", stage.name("member"))).await;
    bench.check("find a user by name", &found, 200, "users.0.id:s users.0.name:s users.0.domain_id=default");
    bench.holds("only that user", found.body["users"].as_array().is_some_and(|u| u.len() == 1));
    let again = json!({"user": {"name": stage.name("member"), "domain_id": "default", "password": "x"}});
    bench.check("a user's name is taken", &bench.post(&stage.admin, "identity", "/users", again).await, 409, "error.code=409 error.title=Conflict");
    bench.check("no such user", &bench.get(&stage.admin, "identity", "/users/none").await, 404, "error.code=404 error.title~Not_Found");
    let held =
        format!("/role_assignments?user.id={}&scope.project.id={}&effective=true&include_names=true", stage.member.user_id, stage.member.project_id);
    let assignments = bench.get(&stage.admin, "identity", &held).await;
    bench.check(
        "roles of a person",
        &assignments,
        200,
        "role_assignments.0.role.id:s role_assignments.0.role.name:s role_assignments.0.user.id:s role_assignments.0.scope.project.id:s",
    );
    let whole = format!("/role_assignments?scope.project.id={}&effective=true&include_names=true", stage.member.project_id);
    let everybody = bench.get(&stage.admin, "identity", &whole).await;
    let shape =
        "role_assignments.0.role.name:s role_assignments.0.user.id:s role_assignments.0.user.name:s role_assignments.0.user.domain.id=default";
    bench.check("everybody in a project", &everybody, 200, shape);
    let names = |who: &str| everybody.body["role_assignments"].as_array().is_some_and(|all| all.iter().any(|a| a["user"]["name"] == stage.name(who)));
    bench.holds("the member and the reader are among them, the stranger is not", names("member") && names("reader") && !names("stranger"));
    bench.check("a member asks for nobody's roles", &bench.get(&stage.member, "identity", &held).await, 403, denied);
    let domains = bench.get(&stage.admin, "identity", "/domains?name=Default").await;
    bench.check("find a domain", &domains, 200, "domains.0.id=default domains.0.name=Default domains.0.enabled=true");
    let disabled = bench.get(&stage.admin, "identity", "/domains?enabled=false").await;
    bench.check("find disabled domains", &disabled, 200, "domains:a");
    bench.holds("none is enabled", disabled.body["domains"].as_array().is_some_and(|all| all.iter().all(|domain| domain["enabled"] == false)));
}

async fn credentials(bench: &Bench, stage: &Stage) {
    let path = format!("/users/{}/application_credentials", stage.member.user_id);
    let wanted = json!({"application_credential": {
        "name": stage.name("credential"), "description": "mark", "roles": [{"name": "member"}, {"name": "load-balancer_member"}], "unrestricted": false}});
    let made = bench.post(&stage.member, "identity", &path, wanted.clone()).await;
    bench.check("create application credential", &made, 201, "application_credential.id:s application_credential.secret:s application_credential.description=mark application_credential.unrestricted=false application_credential.roles.0.name:s application_credential.project_id:s application_credential.expires_at:null");
    let (id, secret) = (made.text_at("application_credential.id"), made.text_at("application_credential.secret"));
    let twice = bench.post(&stage.member, "identity", &path, wanted).await;
    bench.check("an application credential's name is taken", &twice, 409, "error.code=409");
    let listed = bench.get(&stage.member, "identity", &path).await;
    bench.check(
        "list application credentials",
        &listed,
        200,
        "application_credentials.0.id:s application_credentials.0.name:s application_credentials.0.description=mark",
    );
    bench.holds("the secret is shown once", at(&listed.body, "application_credentials.0.secret").is_none_or(Value::is_null));
    bench.check("of somebody else", &bench.get(&stage.stranger, "identity", &path).await, 403, "error.code=403");
    let more = json!({"application_credential": {"name": stage.name("more"), "roles": [{"name": "admin"}]}});
    bench.check("with a role one does not have", &bench.post(&stage.member, "identity", &path, more).await, 400, "error.code=400");

    let by_it =
        |secret: &str| json!({"auth": {"identity": {"methods": ["application_credential"], "application_credential": {"id": id, "secret": secret}}}});
    let token = bench.ask(None, "POST", "identity", "/auth/tokens", Some(by_it(&secret))).await;
    bench.check(
        "token by application credential",
        &token,
        201,
        "@x-subject-token token.project.id:s token.catalog:a token.methods.0=application_credential",
    );
    let robot = bench.person(&token);
    bench.holds("it is scoped by itself", robot.project_id == stage.member.project_id);
    let wrong = bench.ask(None, "POST", "identity", "/auth/tokens", Some(by_it("wrong"))).await;
    bench.check("a wrong secret", &wrong, 401, "error.code=401");
    let breed = json!({"application_credential": {"name": stage.name("bred"), "roles": [{"name": "member"}]}});
    bench.check("a restricted one makes no others", &bench.post(&robot, "identity", &path, breed).await, 403, "error.code=403");
    let one = format!("{path}/{id}");
    bench.check("delete application credential", &bench.delete(&stage.member, "identity", &one).await, 204, "");
    bench.check("delete it again", &bench.delete(&stage.member, "identity", &one).await, 404, "error.code=404");
    let gone = bench.ask(None, "POST", "identity", "/auth/tokens", Some(by_it(&secret))).await;
    bench.check("one that is gone", &gone, 404, "error.code=404");
    let dead = bench.get(&robot, "network", "/networks").await;
    bench.check("its tokens are worth nothing", &dead, 401, "error.code=401 error.message:s");
}

/// A user who must show a passcode besides the password. Keystone needs `totp` among the methods of its `[auth]`.
async fn factors(bench: &Bench, stage: &Stage) {
    // RFC 6238's own.
    let seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    let name = stage.name("careful");
    let options = json!({"multi_factor_auth_enabled": true, "multi_factor_auth_rules": [["password", "totp"]]});
    let user = json!({"user": {"name": name, "domain_id": "default", "password": stage.password, "options": options}});
    let made = bench.post(&stage.admin, "identity", "/users", user).await;
    bench.check(
        "a user with two factors",
        &made,
        201,
        "user.id:s user.options.multi_factor_auth_enabled=true user.options.multi_factor_auth_rules.0.1=totp",
    );
    let id = made.text_at("user.id");
    let credential = json!({"credential": {"type": "totp", "blob": seed, "user_id": id}});
    bench.check(
        "a member gives nobody a seed",
        &bench.post(&stage.member, "identity", "/credentials", credential.clone()).await,
        403,
        "error.code=403",
    );
    let given = bench.post(&stage.admin, "identity", "/credentials", credential).await;
    bench.check("an authenticator's seed", &given, 201, "credential.id:s credential.type=totp credential.user_id:s");

    let asked = bench.sign_in(&name, stage.password, None).await;
    let receipt = "@openstack-auth-receipt receipt.methods.0=password receipt.user.id:s receipt.expires_at:s required_auth_methods.0:a";
    bench.check("the password alone", &asked, 401, receipt);
    bench.holds("it gives no token", asked.headers.get("x-subject-token").is_none());
    let wrong = bench.sign_in(&name, "wrong", None).await;
    bench.check("a wrong password gives no receipt", &wrong, 401, "error.code=401");
    bench.holds("nor its header", wrong.headers.get("openstack-auth-receipt").is_none());
    let both = |passcode: &str| {
        let whose = json!({"name": name, "domain": {"name": "Default"}});
        let (mut password, mut totp) = (whose.clone(), whose);
        password["password"] = json!(stage.password);
        totp["passcode"] = json!(passcode);
        let identity = json!({"methods": ["password", "totp"], "password": {"user": password}, "totp": {"user": totp}});
        json!({"auth": {"identity": identity, "scope": "unscoped"}})
    };
    let refused = bench.ask(None, "POST", "identity", "/auth/tokens", Some(both("000000"))).await;
    bench.check("a wrong passcode", &refused, 401, "error.code=401");
    bench.holds("it gives no receipt either", refused.headers.get("openstack-auth-receipt").is_none());
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let secret = totp_rs::Secret::try_from_base32(seed).unwrap();
    let shown = totp_rs::Builder::new().with_secret(secret).build().unwrap().generate(seconds).to_string();
    let token = bench.ask(None, "POST", "identity", "/auth/tokens", Some(both(&shown))).await;
    bench.check("password and passcode", &token, 201, "@x-subject-token token.user.id:s token.methods:a");
    bench.check("delete the user", &bench.delete(&stage.admin, "identity", &format!("/users/{id}")).await, 204, "");
}
