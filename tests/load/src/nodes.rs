//! The nodes' part: what a server does when it boots, and the Kubernetes API of each cluster as far as KCS asks it.

use crate::objects::{Objects, Place};
use local_cloud::NoMachines;
use local_cloud::machines::{Boot, Frontend, Machines};
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// Kubernetes calls a node NotReady when it was silent for so long.
const GRACE: Duration = Duration::from_secs(40);

#[derive(Clone)]
struct Member {
    network: String,
    name: String,
    /// Since when its server is gone or off.
    off: Option<Instant>,
}

#[derive(Default)]
struct State {
    /// By server.
    members: HashMap<String, Member>,
    objects: Objects,
    /// What the clusters' APIs were asked so far, all together.
    calls: BTreeMap<String, u64>,
}

/// What a cluster's API is asked.
struct Request {
    method: String,
    place: Place,
    /// A label's name, or `name=value`.
    selector: Option<String>,
    metadata_only: bool,
    body: Value,
}

pub struct Nodes {
    runtime: Handle,
    state: Arc<Mutex<State>>,
    /// So many boot at the same time: cloud-init is not what is measured.
    booting: Arc<Semaphore>,
}

impl Nodes {
    pub fn new(runtime: Handle) -> Self {
        Self { runtime, state: Arc::default(), booting: Arc::new(Semaphore::new(16)) }
    }

    /// Calls that the clusters' APIs have answered so far, by what was asked.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.state.lock().unwrap().calls.clone()
    }

    /// Runs something of the bench's own to its end, wherever it is called from.
    pub fn block<T: Send + 'static>(&self, work: impl Future<Output = T>) -> T {
        tokio::task::block_in_place(|| self.runtime.block_on(work))
    }
}

impl Machines for Nodes {
    fn boot(&self, boot: &Boot) -> Result<(), String> {
        let member = Member { network: boot.network.clone(), name: boot.name.clone(), off: None };
        self.state.lock().unwrap().members.insert(boot.server.clone(), member);
        let (boot, state, booting) = (boot.clone(), self.state.clone(), self.booting.clone());
        self.runtime.spawn(async move {
            let _turn = booting.acquire_owned().await;
            if let Err(error) = bootstrap(&boot, state).await {
                println!("node {}: {error}", boot.name);
            }
        });
        Ok(())
    }
    fn start(&self, server: &str) -> Result<(), String> {
        NoMachines.start(server)
    }
    fn stop(&self, server: &str) -> Result<(), String> {
        if let Some(member) = self.state.lock().unwrap().members.get_mut(server) {
            member.off.get_or_insert_with(Instant::now);
        }
        Ok(())
    }
    fn reboot(&self, server: &str, hard: bool) -> Result<(), String> {
        NoMachines.reboot(server, hard)
    }
    fn delete(&self, server: &str) -> Result<(), String> {
        self.stop(server)
    }
    fn running(&self, _: &str) -> bool {
        true
    }
    fn console(&self, _: &str) -> String {
        String::new()
    }
    fn balance(&self, _: &[Frontend]) {}
    fn member_up(&self, _: &str) -> Option<bool> {
        None
    }
    fn network_down(&self, _: &str) {}
    fn images(&self) -> Vec<(String, u8, bool)> {
        NoMachines.images()
    }
}

/// What the bootstrap script does, up to kubeadm: fetch the bundle, unpack it, say that it is done.
async fn bootstrap(boot: &Boot, state: Arc<Mutex<State>>) -> Result<(), String> {
    let data: Value = serde_yaml_ng::from_slice(boot.user_data.as_deref().unwrap_or_default()).map_err(|e| e.to_string())?;
    let file = |path: &str| {
        let files = data["write_files"].as_array().cloned().unwrap_or_default();
        files.into_iter().find(|f| f["path"] == path).and_then(|f| f["content"].as_str().map(str::to_owned)).unwrap_or_default()
    };
    let authorization = file("/etc/kcs/authorization").trim().trim_start_matches("Authorization: ").to_owned();
    let (endpoint, authority) = (file("/etc/kcs/endpoint").trim().to_owned(), file("/etc/kcs/ca.crt"));
    let authority = reqwest::Certificate::from_pem(authority.as_bytes()).map_err(|e| e.to_string())?;
    let http = reqwest::Client::builder()
        .use_rustls_tls()
        .tls_built_in_root_certs(false)
        .add_root_certificate(authority)
        .http1_only()
        .build()
        .map_err(|e| e.to_string())?;
    let post = async |path: &str| {
        for _ in 0..30 {
            let sent = http.post(format!("{endpoint}{path}")).header("authorization", &authorization).timeout(Duration::from_secs(60)).send().await;
            match sent {
                Ok(answer) if answer.status().is_success() => return answer.bytes().await.map_err(|e| e.to_string()),
                Ok(answer) if answer.status().is_client_error() => return Err(format!("{path}: {}", answer.status())),
                other => {
                    println!("node {}: {path}: {other:?}", boot.name);
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
            }
        }
        Err(format!("{path}: no answer"))
    };
    let bundle = post("/node/v1/bundle").await?;
    let files = unpack(&bundle)?;
    let find = |end: &str| files.iter().find(|(path, _)| path.ends_with(end)).map(|(_, text)| text.as_str());
    if let (Some(certificate), Some(key)) = (find("/pki/ca.crt"), find("/pki/ca.key")) {
        let address = address(&files).ok_or("the bundle names no public address")?;
        serve_api(address, certificate, key, boot.network.clone(), state).await?;
    }
    post("/node/v1/done").await.map(drop)
}

fn unpack(bundle: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(bundle).entries().map_err(|e| e.to_string())? {
        let mut entry = entry.map_err(|e| e.to_string())?;
        let path = entry.path().map_err(|e| e.to_string())?.display().to_string();
        let mut text = String::new();
        if entry.read_to_string(&mut text).is_ok() {
            files.insert(path, text);
        }
    }
    Ok(files)
}

/// The floating address among the names of the API's certificate: the one of loopback that is not 127.0.0.1.
fn address(files: &BTreeMap<String, String>) -> Option<Ipv4Addr> {
    let words = files.values().flat_map(|text| text.split(|c: char| !(c.is_ascii_digit() || c == '.')));
    words.filter_map(|word| word.parse::<Ipv4Addr>().ok()).find(|a| a.octets()[0] == 127 && a.octets()[1] != 0)
}

/// Answers as a cluster's API at its public address; one of a cluster's masters is enough.
async fn serve_api(address: Ipv4Addr, authority: &str, key: &str, network: String, state: Arc<Mutex<State>>) -> Result<(), String> {
    let wrong = |e: rcgen::Error| e.to_string();
    let issuer = Issuer::from_ca_cert_pem(authority, KeyPair::from_pem(key).map_err(wrong)?).map_err(wrong)?;
    let own = KeyPair::generate().map_err(wrong)?;
    let certificate =
        CertificateParams::new(vec![address.to_string(), "kubernetes".to_owned()]).map_err(wrong)?.signed_by(&own, &issuer).map_err(wrong)?;
    let key = PrivateKeyDer::try_from(own.serialize_der()).map_err(str::to_owned)?;
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![certificate.der().clone()], key).map_err(|e| e.to_string())?;
    let listener = match TcpListener::bind((address, 6443)).await {
        Ok(listener) => listener,
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, network, state) = (acceptor.clone(), network.clone(), state.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    converse(stream, &network, &state).await;
                }
            });
        }
    });
    Ok(())
}

async fn converse(mut stream: tokio_rustls::server::TlsStream<tokio::net::TcpStream>, network: &str, state: &Mutex<State>) {
    let mut unread = Vec::new();
    loop {
        let head = loop {
            if let Some(at) = unread.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            if !matches!(stream.read_buf(&mut unread).await, Ok(read) if read > 0) {
                return;
            }
        };
        let text = String::from_utf8_lossy(&unread[..head]).to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok()).unwrap_or(0);
        while unread.len() < head + length {
            if !matches!(stream.read_buf(&mut unread).await, Ok(read) if read > 0) {
                return;
            }
        }
        let body: Value = serde_json::from_slice(&unread[head..head + length]).unwrap_or(Value::Null);
        let (status, answer) = answer(request(&text, body), network, &mut state.lock().unwrap());
        unread.drain(..head + length);
        let reply = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
        if stream.write_all(reply.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// By its head, in small letters: names in a cluster have no others.
fn request(head: &str, body: Value) -> Request {
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or("/"));
    let target =
        [("%2d", "-"), ("%2e", "."), ("%2f", "/"), ("%3a", ":"), ("%3d", "=")].into_iter().fold(target.to_owned(), |t, (is, of)| t.replace(is, of));
    let (path, query) = target.split_once('?').unwrap_or((target.as_str(), ""));
    let selector = query.split('&').find_map(|part| part.strip_prefix("labelselector=")).map(str::to_owned);
    let metadata_only = head.contains("as=partialobjectmetadatalist");
    Request { method: method.to_uppercase(), place: Place::of(path), selector, metadata_only, body }
}

/// Nodes are as their servers are, and what add-ons are made of is as the engine applied it, and runs; nothing else is in the cluster, and
/// whatever is written is taken.
fn answer(request: Request, network: &str, state: &mut State) -> (&'static str, Arc<str>) {
    let Request { method, place, selector, metadata_only, body } = request;
    *state.calls.entry(format!("{method} {}", place.collection)).or_default() += 1;
    let mut nodes = state.members.values().filter(|m| m.network == network);
    let text = |value: Value| -> Arc<str> { value.to_string().into() };
    match (method.as_str(), place.collection.as_str(), &place.name) {
        ("GET", "/api/v1/nodes", None) => {
            let items: Vec<Value> = nodes.map(node).collect();
            ("200 OK", text(json!({"kind": "NodeList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items})))
        }
        ("GET", "/api/v1/nodes", Some(name)) => match nodes.find(|m| m.name == *name) {
            Some(member) => ("200 OK", text(node(member))),
            None => ("404 Not Found", text(absent())),
        },
        ("GET", _, Some(_)) => ("404 Not Found", text(absent())),
        ("GET", _, None) => ("200 OK", state.objects.list(network, &place, selector.as_deref(), metadata_only)),
        _ => {
            state.objects.patch(network, &place, &body);
            ("200 OK", text(if body.is_object() { body } else { json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}) }))
        }
    }
}

fn absent() -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404})
}

fn node(member: &Member) -> Value {
    let ready = member.off.is_none_or(|since| since.elapsed() < GRACE);
    let condition = json!({
        "type": "Ready", "status": if ready { "True" } else { "Unknown" }, "reason": "Bench", "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z", "lastHeartbeatTime": "2026-01-01T00:00:00Z",
    });
    let versions = json!({
        "kubeletVersion": "v1.36.3", "kubeProxyVersion": "v1.36.3", "architecture": "amd64", "bootID": "", "containerRuntimeVersion": "",
        "kernelVersion": "", "machineID": "", "operatingSystem": "linux", "osImage": "", "systemUUID": "",
    });
    json!({"metadata": {"name": member.name}, "spec": {}, "status": {"conditions": [condition], "nodeInfo": versions}})
}
