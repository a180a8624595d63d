//! The cluster inside the stepped cloud: nodes register, masters hold members of etcd, and a majority of them makes an API. API servers write Secrets with
//! the list of keys that their masters booted with.

use async_trait::async_trait;
use domain::changes::Work;
use domain::ids::NodeId;
use domain::members::NamespaceAccess;
use domain::nodes::{NodeIntent, NodeRole};
use ipnet::Ipv4Net;
use local_cloud::LocalCloud;
use reconciler::kubernetes::{AccessLeft, Drain, KubernetesApi, KubernetesError, Marks, Member, Rewriting, Target, WorkloadSeen};
use sealed::EncryptionKeys;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// What is in the cluster.
#[derive(Default)]
pub struct InCluster {
    pub access: bool,
    /// Node objects.
    pub nodes: BTreeSet<String>,
    deleted: BTreeSet<String>,
    /// Members of etcd, by their masters.
    pub members: BTreeSet<String>,
    /// Until when join tokens that were put in are good, in the cloud's milliseconds.
    pub tokens: BTreeMap<String, u64>,
    /// How often a cluster was begun: the second time the first one's objects are lost.
    pub begun: u32,
    pub drained: Vec<String>,
    /// Workers that hold a volume: every one that ever worked.
    pub attached: BTreeSet<String>,
    /// The cloud controller runs: it deletes the Node objects of workers whose servers are gone before the engine has seen that they are.
    pub cloud_controller: bool,
    /// Nodes that say they are not ready, and nodes nobody hears of.
    pub sick: BTreeSet<String>,
    pub silent: BTreeSet<String>,
    /// The API does not answer, whatever the masters do.
    pub cut_off: bool,
    /// Nobody may dial the API's address.
    pub denied: bool,
    /// Where the engine asked last.
    pub dialled: String,
    /// What a disruption budget says to evictions.
    pub pinned: Option<String>,
    /// Masters whose servers the test took away, not the engine.
    pub killed: BTreeSet<String>,
    /// What masters booted with.
    booted: BTreeMap<String, Keys>,
    /// The name of the key that each Secret was written with last; None: as it is.
    pub secrets: BTreeMap<String, Option<String>>,
    /// What the cluster says instead of taking a Secret back.
    pub refusing: Option<String>,
    /// Pods that the Deployment of CoreDNS wishes for; 0: there is none.
    pub dns_pods: u32,
}

/// What an API server was told of keys: as they are it reads Secrets always.
#[derive(Clone, Debug)]
struct Keys {
    writes: Option<String>,
    reads: BTreeSet<String>,
}

/// A join token is good for an hour.
const TOKEN_MS: u64 = 3_600_000;
/// Secrets of a page.
const PAGE: usize = 2;

/// Names of the servers that run.
pub fn running(cloud: &LocalCloud) -> BTreeSet<String> {
    cloud.active_servers()
}

impl InCluster {
    fn quorum(&self, up: &BTreeSet<String>) -> bool {
        self.members.intersection(up).count() * 2 > self.members.len()
    }

    fn answers(&self, up: &BTreeSet<String>) -> bool {
        !self.cut_off && self.quorum(up)
    }

    /// A master gets its bundle.
    pub fn boot(&mut self, master: &str, keys: &EncryptionKeys) {
        let names = || keys.keys.iter().map(|key| key.name.clone());
        let writes = names().next().filter(|_| !keys.plain_first());
        self.booted.insert(master.to_owned(), Keys { writes, reads: names().collect() });
    }

    /// API servers that can reach their member of etcd.
    fn serving(&self, up: &BTreeSet<String>) -> Vec<(&String, &Keys)> {
        let here = self.members.iter().filter(|master| up.contains(*master));
        here.filter_map(|master| Some((master, self.booted.get(master)?))).collect()
    }

    /// Every API server writes something with the key that it writes with.
    fn write_secrets(&mut self, up: &BTreeSet<String>) {
        let written: Vec<_> = self.serving(up).into_iter().map(|(master, keys)| (format!("by {master}"), keys.writes.clone())).collect();
        self.secrets.extend(written);
    }

    /// I9: what any API server writes, and whatever was written, every one reads.
    pub fn check_keys(&self, up: &BTreeSet<String>) {
        let serving = self.serving(up);
        let written = self.secrets.iter().chain(serving.iter().map(|(master, keys)| (*master, &keys.writes)));
        for (what, key) in written.filter_map(|(what, key)| Some((what, key.as_ref()?))) {
            for (master, keys) in &serving {
                assert!(keys.reads.contains(key), "{master} cannot read {what}: it is encrypted with {key}, and {master} has {keys:?}");
            }
        }
    }

    /// API servers take turns, as behind a load balancer.
    fn rewrite(&mut self, up: &BTreeSet<String>, so_far: &Rewriting) -> Rewriting {
        let writers: Vec<Option<String>> = self.serving(up).into_iter().map(|(_, keys)| keys.writes.clone()).collect();
        let after = |name: &&String| so_far.next.as_ref().is_none_or(|last| *name > last);
        let page: Vec<String> = self.secrets.keys().filter(after).take(PAGE).cloned().collect();
        for (name, writer) in page.iter().zip(writers.iter().cycle()) {
            self.secrets.insert(name.clone(), writer.clone());
        }
        Rewriting { since: Some(1), done: page.len() < PAGE, next: page.last().cloned().or_else(|| so_far.next.clone()) }
    }

    /// Servers that run join, as their bundles say; those with a dead token are not let in.
    pub fn play(&mut self, work: &Work, up: &BTreeSet<String>, dead: &BTreeSet<NodeId>) {
        for node in work.nodes.iter().filter(|n| up.contains(&n.name)) {
            if self.deleted.contains(&node.name) || self.nodes.contains(&node.name) {
                continue;
            }
            let mut masters = work.nodes.iter().filter(|n| n.role == NodeRole::Master && n.intent == NodeIntent::Keep);
            let first = masters.all(|n| n.joined_at.is_none());
            match node.role {
                NodeRole::Master if self.members.is_empty() || (first && !self.quorum(up)) => {
                    self.begun += 1;
                    self.members = [node.name.clone()].into();
                    self.nodes = [node.name.clone()].into();
                    let key = self.booted.get(&node.name).and_then(|keys| keys.writes.clone());
                    self.secrets = (0..5).map(|number| (format!("old {number}"), key.clone())).collect();
                }
                _ if dead.contains(&node.id) => {}
                // etcd takes a new member only while all others work.
                NodeRole::Master if self.members.is_subset(up) || self.quorum(up) => {
                    self.members.insert(node.name.clone());
                    self.nodes.insert(node.name.clone());
                }
                NodeRole::Worker if self.quorum(up) => {
                    self.nodes.insert(node.name.clone());
                }
                _ => {}
            }
        }
        if self.quorum(up) {
            self.write_secrets(up);
        }
    }
}

/// The API of that cluster, as the engine asks it.
pub struct Api {
    pub cloud: LocalCloud,
    pub state: Arc<Mutex<InCluster>>,
}

impl Api {
    fn open(&self) -> Result<(std::sync::MutexGuard<'_, InCluster>, BTreeSet<String>), KubernetesError> {
        let up = running(&self.cloud);
        let state = self.state.lock().unwrap();
        if state.denied {
            return Err(KubernetesError::NeverDialled("no connection is opened to 127.0.0.1".to_owned()));
        }
        if state.answers(&up) { Ok((state, up)) } else { Err(KubernetesError::Failed("connection refused".to_owned())) }
    }
}

#[async_trait]
impl KubernetesApi for Api {
    async fn nodes(&self, target: &Target) -> Result<BTreeMap<String, Option<bool>>, KubernetesError> {
        let (mut state, up) = self.open()?;
        state.dialled.clone_from(&target.endpoint);
        if state.cloud_controller {
            let servers: BTreeSet<String> = self.cloud.dump().into_iter().filter(|o| o.kind == "server").map(|o| o.name).collect();
            state.nodes.retain(|name| !name.contains("-w-") || servers.contains(name));
        }
        let works = |name: &&String| up.contains(*name) && !state.drained.contains(name) && name.contains("-w-");
        let holding: Vec<String> = state.nodes.iter().filter(works).cloned().collect();
        state.attached.extend(holding);
        let ready = |name: &String| (!state.silent.contains(name)).then(|| up.contains(name) && !state.sick.contains(name));
        Ok(state.nodes.iter().map(|name| (name.clone(), ready(name))).collect())
    }

    async fn ensure_access(&self, _: &Target, _: &NamespaceAccess) -> Result<AccessLeft, KubernetesError> {
        self.open()?.0.access = true;
        Ok(AccessLeft::default())
    }

    async fn ensure_join_token(&self, _: &Target, token: &SecretString) -> Result<(), KubernetesError> {
        self.open()?.0.tokens.insert(token.expose_secret().to_owned(), self.cloud.now_ms() + TOKEN_MS);
        Ok(())
    }

    async fn drain(&self, _: &Target, node: &str) -> Result<Drain, KubernetesError> {
        let (mut state, up) = self.open()?;
        if let Some(words) = &state.pinned {
            return Ok(Drain::Blocked(words.clone()));
        }
        if up.contains(node) {
            state.attached.remove(node);
        }
        state.drained.push(node.to_owned());
        Ok(Drain::Done)
    }

    async fn remove_member(&self, _: &Target, through: &str, member: &Member) -> Result<(), KubernetesError> {
        let (mut state, up) = self.open()?;
        assert!(state.members.contains(through) && through != member.name, "{through} cannot remove {}", member.name);
        if !up.contains(through) {
            return Err(KubernetesError::Failed(format!("{through} does not run")));
        }
        state.members.remove(&member.name);
        assert!(state.quorum(&up), "removing {} took the quorum", member.name);
        Ok(())
    }

    async fn attachments(&self, _: &Target, node: &str, off: bool) -> Result<usize, KubernetesError> {
        let (mut state, up) = self.open()?;
        if off {
            assert!(!up.contains(node), "{node} runs and was called out of service");
            state.attached.remove(node);
        }
        Ok(usize::from(state.attached.contains(node)))
    }

    async fn delete_node(&self, _: &Target, node: &str) -> Result<(), KubernetesError> {
        let (mut state, _) = self.open()?;
        assert!(!state.attached.contains(node), "{node} went while it held a volume");
        state.nodes.remove(node);
        state.deleted.insert(node.to_owned());
        Ok(())
    }

    async fn apply(&self, _: &Target, objects: &[&Value]) -> Result<(), KubernetesError> {
        let (mut state, _) = self.open()?;
        let dns = objects.iter().find(|o| o["kind"] == "Deployment" && o["metadata"]["name"] == "coredns");
        if let Some(pods) = dns.and_then(|dns| dns["spec"]["replicas"].as_u64()) {
            state.dns_pods = u32::try_from(pods).unwrap();
        }
        Ok(())
    }

    async fn marks(&self, _: &Target, _: &BTreeSet<String>, _: &str) -> Result<Marks, KubernetesError> {
        self.open().map(|_| Marks::default())
    }

    async fn choose_default_class(&self, _: &Target, _: &str) -> Result<(), KubernetesError> {
        self.open().map(drop)
    }

    async fn workloads(&self, _: &Target, _: &str, dns: &str) -> Result<Vec<WorkloadSeen>, KubernetesError> {
        let pods = self.open()?.0.dns_pods;
        let seen = WorkloadSeen { addon: dns.to_owned(), name: "coredns".to_owned(), ready: pods, desired: pods, current: true };
        Ok(if pods > 0 { vec![seen] } else { Vec::new() })
    }

    async fn namespaces(&self, _: &Target) -> Result<Vec<String>, KubernetesError> {
        self.open().map(|_| Vec::new())
    }

    async fn pod_ranges(&self, _: &Target) -> Result<BTreeSet<Ipv4Net>, KubernetesError> {
        self.open().map(|_| BTreeSet::new())
    }

    async fn rewrite_secrets(&self, _: &Target, so_far: &Rewriting) -> Result<Rewriting, KubernetesError> {
        let (mut state, up) = self.open()?;
        match state.refusing.clone() {
            Some(words) => Err(KubernetesError::Failed(words)),
            None => Ok(state.rewrite(&up, so_far)),
        }
    }
}
