//! What the interactions happen on: two projects of their own, with a member each and a reader, made by the service account.

use super::bench::{Bench, PROJECT, Person, at};
use serde_json::{Value, json};

const PASSWORD: &str = "contract-suite-password";

pub struct Stage {
    /// Distinguishes this run's names from those of others.
    pub tag: String,
    pub admin: Person,
    pub admin_password: String,
    /// Member of the first project.
    pub member: Person,
    pub reader: Person,
    /// Member of the second project.
    pub stranger: Person,
    pub password: &'static str,
    projects: Vec<String>,
    users: Vec<String>,
}

impl Stage {
    pub fn name(&self, part: &str) -> String {
        format!("contract-{}-{part}", self.tag)
    }

    pub async fn set(bench: &Bench, password: &str) -> Self {
        let signed_in = bench.sign_in("kcs", password, Some("service")).await;
        let admin = bench.person(&signed_in);
        for service in ["compute", "network", "block-storage", "image", "load-balancer"] {
            bench.learn_root(service, root(&signed_in.body, service).replace(&admin.project_id, PROJECT));
        }
        let tag = format!("{:x}", std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis());
        let roles = bench.get(&admin, "identity", "/roles").await;
        bench.check("list roles", &roles, 200, "roles:a roles.0.id:s roles.0.name:s");
        let role = |name: &str| {
            let all = roles.body["roles"].as_array().unwrap();
            all.iter().find(|r| r["name"] == name).unwrap_or_else(|| panic!("no role {name}"))["id"].as_str().unwrap().to_owned()
        };
        let (mut projects, mut users) = (Vec::new(), Vec::new());
        for project in ["a", "b"] {
            let body = json!({"project": {"name": format!("contract-{tag}-{project}"), "domain_id": "default"}});
            let made = bench.post(&admin, "identity", "/projects", body).await;
            bench.check("create project", &made, 201, "project.id:s project.name:s project.enabled=true project.domain_id=default");
            projects.push(made.text_at("project.id"));
        }
        let cast = [
            ("member", 0, vec!["member", "load-balancer_member"]),
            ("reader", 0, vec!["reader"]),
            ("stranger", 1, vec!["member", "load-balancer_member"]),
        ];
        let mut people = Vec::new();
        for (who, project, granted) in cast {
            let name = format!("contract-{tag}-{who}");
            let user = json!({"user": {"name": name, "domain_id": "default", "password": PASSWORD, "enabled": true}});
            let made = bench.post(&admin, "identity", "/users", user).await;
            bench.check("create user", &made, 201, "user.id:s user.name:s user.enabled=true user.domain_id=default");
            let id = made.text_at("user.id");
            for name in granted {
                let path = format!("/projects/{}/users/{id}/roles/{}", projects[project], role(name));
                let put = bench.ask(Some(&admin), "PUT", "identity", &path, None).await;
                bench.check("grant role", &put, 204, "");
            }
            let project = format!("contract-{tag}-{}", ["a", "b"][project]);
            let signed_in = bench.sign_in(&name, PASSWORD, Some(&project)).await;
            bench.check("sign in", &signed_in, 201, "@x-subject-token token.user.id:s token.project.id:s token.roles:a token.catalog:a");
            people.push(bench.person(&signed_in));
            users.push(id);
        }
        let mut people = people.into_iter();
        let mut next = || people.next().unwrap();
        let (member, reader, stranger) = (next(), next(), next());
        Self { tag, admin, admin_password: password.to_owned(), member, reader, stranger, password: PASSWORD, projects, users }
    }

    pub async fn strike(&self, bench: &Bench) {
        for group in all(&bench.get(&self.admin, "network", "/security-groups").await.body["security_groups"]) {
            if self.projects.iter().any(|p| group["project_id"] == p.as_str()) {
                let path = format!("/security-groups/{}", group["id"].as_str().unwrap());
                bench.delete(&self.admin, "network", &path).await;
            }
        }
        for id in &self.users {
            let gone = bench.delete(&self.admin, "identity", &format!("/users/{id}")).await;
            bench.check("delete user", &gone, 204, "");
        }
        for id in &self.projects {
            let gone = bench.delete(&self.admin, "identity", &format!("/projects/{id}")).await;
            bench.check("delete project", &gone, 204, "");
        }
    }
}

fn all(list: &Value) -> Vec<Value> {
    list.as_array().cloned().unwrap_or_default()
}

/// Where a service's calls are, as the catalogue and the service's version say.
fn root(token: &Value, service: &str) -> String {
    let types = if service == "block-storage" { vec!["block-storage", "volumev3"] } else { vec![service] };
    let catalog = at(token, "token.catalog").and_then(Value::as_array).expect("a catalogue");
    let entry = catalog.iter().find(|e| types.iter().any(|t| e["type"] == *t)).unwrap_or_else(|| panic!("no {service} in the catalogue"));
    let endpoint = entry["endpoints"].as_array().unwrap().iter().find(|e| e["interface"] == "public").expect("a public endpoint");
    let url = endpoint["url"].as_str().unwrap().trim_end_matches('/').to_owned();
    match service {
        "network" => format!("{}/v2.0", url.trim_end_matches("/v2.0")),
        "image" => format!("{}/v2", url.trim_end_matches("/v2")),
        "load-balancer" => format!("{}/v2.0/lbaas", url.trim_end_matches("/v2.0").trim_end_matches("/v2")),
        _ => url,
    }
}
