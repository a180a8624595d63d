//! One cluster in a `kcs dev` of its own, the member it belongs to and their kubectl; and what becomes of it when something goes wrong.

use crate::dev::{Dev, PASSWORD, Person, client, wait_for};
use crate::tools::Tools;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// Between two looks of the engine's that are to count as two.
pub const APART: Duration = Duration::from_secs(16);

pub struct Story {
    pub dev: Dev,
    pub member: Person,
    pub tools: Tools,
    /// Its id.
    pub cluster: String,
    /// What was in the cloud before it.
    before: BTreeSet<String>,
    _folder: tempfile::TempDir,
}

impl Story {
    /// A cluster from a template, with parts of it replaced.
    pub async fn begin(cache: &Path, name: &str, template: &str, spec: Value) -> Self {
        let dev = Dev::start().await;
        let before = dev.object_ids().await;
        let member = dev.sign_in("member-a").await;
        let cluster = member.create_cluster(name, template, spec).await;
        let folder = tempfile::tempdir().unwrap();
        let (kubeconfig, _) = member.kubeconfig(&cluster, folder.path()).await;
        Self { dev, member, tools: Tools::new(cache, &kubeconfig), cluster, before, _folder: folder }
    }

    /// Deletes it; nothing is left but the project's service user.
    pub async fn end(self) {
        let receipt = self.member.delete_cluster(&self.cluster).await;
        assert_eq!(receipt["left"], json!([]), "{receipt:#}");
        let after = self.dev.object_ids().await;
        let left: Vec<&String> = after.difference(&self.before).filter(|o| !o.starts_with("user ")).collect();
        assert!(left.is_empty(), "left in the cloud: {left:#?}");
    }

    pub async fn nodes(&self, role: &str) -> Vec<Value> {
        let nodes = self.member.get(&format!("/clusters/{}/nodes", self.cluster)).await;
        nodes["items"].as_array().unwrap().iter().filter(|n| n["role"] == role).cloned().collect()
    }

    pub async fn names(&self, role: &str) -> Vec<String> {
        self.nodes(role).await.iter().map(|n| n["name"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn status(&self) -> Value {
        self.member.get(&format!("/clusters/{}", self.cluster)).await["status"].clone()
    }

    pub async fn condition(&self, kind: &str) -> Value {
        let status = self.status().await;
        status["conditions"].as_array().unwrap().iter().find(|c| c["type"] == kind).cloned().unwrap_or_default()
    }

    /// The newest first.
    pub async fn operations(&self) -> Vec<Value> {
        self.member.get(&format!("/operations?cluster_id={}", self.cluster)).await["items"].as_array().unwrap().clone()
    }

    /// Somebody deletes a node's server, past KCS.
    pub async fn delete_server(&self, node: &Value) {
        self.delete_in_cloud(&format!("/compute/v2.1/servers/{}", node["server"]["id"].as_str().unwrap())).await;
    }

    /// Somebody deletes an object of the cloud, past KCS.
    pub async fn delete_in_cloud(&self, path: &str) {
        let (http, cloud) = (client(), self.dev.cloud_url());
        let user = json!({"name": "member-a", "domain": {"id": "default"}, "password": PASSWORD});
        let scope = json!({"project": {"name": "tenant-a", "domain": {"id": "default"}}});
        let auth = json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}});
        let signed_in = http.post(format!("{cloud}/identity/v3/auth/tokens")).json(&auth).send().await.unwrap();
        let token = signed_in.headers()["x-subject-token"].clone();
        let answer = http.delete(format!("{cloud}{path}")).header("x-auth-token", token).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// The engine looks, again and again with time between, until a condition is as expected.
    pub async fn seen(&self, kind: &str, expected: impl Fn(&Value) -> bool) -> Value {
        let seen = wait_for(kind, Duration::from_secs(120), async || {
            self.dev.let_pass(APART).await;
            let now = self.condition(kind).await;
            expected(&now).then_some(now)
        });
        match seen.await {
            Some(condition) => condition,
            None => panic!("{kind} is not as expected: {:#}", self.status().await),
        }
    }

    /// Looks of the engine's, an hour apart, by which it does nothing.
    pub async fn hours_pass_and_nothing_is_done(&self) {
        let before = self.done().await;
        for _ in 0..2 {
            self.dev.let_pass(Duration::from_secs(3600)).await;
        }
        assert_eq!(self.done().await, before);
    }

    /// What was made and asked for so far.
    async fn done(&self) -> (BTreeSet<String>, Vec<String>) {
        let id = |object: &Value| object["id"].as_str().unwrap().to_owned();
        (self.dev.cloud_objects().await.iter().map(id).collect(), self.operations().await.iter().map(id).collect())
    }

    /// All is well again, by itself.
    pub async fn runs(&self) {
        let runs = wait_for("all to be well", Duration::from_secs(240), async || {
            self.dev.let_pass(Duration::ZERO).await;
            let status = self.status().await;
            let well = status["conditions"].as_array().unwrap().iter().all(|c| c["status"] == "True");
            (status["phase"] == "Running" && well).then_some(())
        });
        if runs.await.is_none() {
            panic!("{:#}\n{}", self.status().await, self.tools.try_kubectl(&["get", "nodes,pods", "-A", "-o", "wide"]).out);
        }
    }

    /// One new node has come in the place of the lost one, which nobody asked for; the others are those of before.
    pub async fn replaced(&self, role: &str, before: &[String], lost: &str) {
        let now = wait_for("a successor", Duration::from_secs(300), async || {
            let nodes = self.nodes(role).await;
            let works = |n: &Value| n["ready"] == true && n["removing"] == false && n["name"] != lost;
            let ended = self.operations().await[0]["state"] == "succeeded";
            (ended && nodes.len() == before.len() && nodes.iter().all(works)).then_some(nodes)
        });
        let Some(now) = now.await else { panic!("{lost} is not replaced: {:#?}", self.operations().await[0]) };
        let kept = now.iter().filter(|n| before.iter().any(|name| n["name"] == *name)).count();
        assert_eq!(kept, before.len() - 1, "{now:#?}");
        assert_eq!(self.operations().await[0]["kind"], "cluster_repair");
        self.runs().await;
    }
}
