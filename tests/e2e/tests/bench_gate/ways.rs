//! The four ways to the API of one cluster.

use crate::dev::{Dev, Person, wait_for};
use crate::figures::Counted;
use crate::floor::Floor;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, Identity, RequestBuilder};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// One way: where it begins, and what it asks for.
pub struct Way {
    pub name: &'static str,
    pub base: String,
    http: Client,
    /// A connection of HTTP/1.1 each: an upgrade wants that, and an API server takes only a hundred streams on one of HTTP/2.
    plain: Client,
    token: Option<String>,
}

impl Way {
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.signed(self.http.get(format!("{}{path}", self.base)))
    }

    pub fn get_alone(&self, path: &str) -> RequestBuilder {
        self.signed(self.plain.get(format!("{}{path}", self.base)))
    }

    pub fn send(&self, method: reqwest::Method, path: &str, content_type: &str, body: &Value) -> RequestBuilder {
        self.signed(self.http.request(method, format!("{}{path}", self.base))).header("content-type", content_type).body(body.to_string())
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}

pub struct Ways {
    pub direct: Way,
    pub kcs: Way,
    pub proxy: Way,
    pub floor: Way,
    /// The process of KCS, which is the load balancer, too.
    pub kcs_process: u32,
    proxy_process: Proxy,
    floor_threads: Counted,
}

/// `kubectl proxy`, ended with the bench.
struct Proxy(Child);

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Ways {
    pub async fn open(dev: &Dev, member: &Person, cluster: &str, cache: &Path, folder: &Path) -> Self {
        let endpoint = member.get(&format!("/clusters/{cluster}")).await["status"]["api_endpoint"].as_str().unwrap().to_owned();
        let keys = Keys::of_a_master(folder);
        let direct = Way {
            name: "direct",
            http: keys.client(|builder| builder),
            plain: keys.client(reqwest::ClientBuilder::http1_only),
            base: endpoint.clone(),
            token: None,
        };
        let (file, _) = member.kubeconfig(cluster, folder).await;
        let (base, token, authority) = read_kubeconfig(&std::fs::read_to_string(file).unwrap());
        let kcs = Way { token: Some(token), ..over_tls("KCS", base, authority.as_bytes()) };
        let (proxy_process, port) = keys.proxy(cache, &endpoint, folder).await;
        let plain = || reqwest::Client::builder().no_proxy().build().unwrap();
        let proxy = Way { name: "kubectl proxy", http: plain(), plain: plain(), base: format!("http://127.0.0.1:{port}"), token: None };
        let Floor { port, threads: floor_threads } = keys.floor(&endpoint, impersonation(&member.get("/session").await["user"])).await;
        let floor = over_tls("floor", format!("https://127.0.0.1:{port}"), &keys.read("ca.crt"));
        let kcs_process = dev.facts()["pid"].as_u64().unwrap().try_into().unwrap();
        Self { direct, kcs, proxy, floor, kcs_process, proxy_process, floor_threads }
    }

    pub fn all(&self) -> [&Way; 4] {
        [&self.direct, &self.kcs, &self.proxy, &self.floor]
    }

    /// KCS, the proxy, the floor.
    pub fn counted(&self) -> [Counted; 3] {
        [Counted::process(self.kcs_process), Counted::process(self.proxy_process.0.id()), self.floor_threads.clone()]
    }
}

/// A way that begins with a server under this authority, without saying who one is.
fn over_tls(name: &'static str, base: String, authority: &[u8]) -> Way {
    let client = || client().add_root_certificate(Certificate::from_pem(authority).unwrap());
    Way { name, http: client().build().unwrap(), plain: client().http1_only().build().unwrap(), base, token: None }
}

fn client() -> reqwest::ClientBuilder {
    Client::builder().no_proxy().use_rustls_tls().tls_built_in_root_certs(false)
}

/// An administrator's certificate, one such as KCS's gateway has, and the floor's own, made with the authority on the disk of the only master: KCS itself keeps none.
struct Keys {
    folder: PathBuf,
}

impl Keys {
    fn of_a_master(folder: &Path) -> Self {
        let masters = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path()).filter(|process| {
            let line = std::fs::read(process.join("cmdline")).unwrap_or_default();
            line.starts_with(b"kube-apiserver\0")
        });
        let masters: Vec<PathBuf> = masters.collect();
        let [master] = masters.as_slice() else { panic!("{} API servers run on this machine; the bench wants its own alone", masters.len()) };
        for file in ["ca.crt", "ca.key"] {
            std::fs::copy(master.join("root/etc/kubernetes/pki").join(file), folder.join(file)).unwrap();
        }
        let keys = Self { folder: folder.to_owned() };
        keys.make("client", "/O=system:masters/CN=bench", "-addext extendedKeyUsage=clientAuth");
        // The cluster's rules know the gateway by this name, and let it do nothing but impersonate.
        keys.make("gateway", "/O=kcs:gateway/CN=kcs:gateway", "-addext extendedKeyUsage=clientAuth");
        keys.make("floor", "/CN=floor", "-addext extendedKeyUsage=serverAuth -addext subjectAltName=IP:127.0.0.1");
        keys
    }

    fn make(&self, name: &str, subject: &str, extensions: &str) {
        let make = format!(
            "openssl req -x509 -CA ca.crt -CAkey ca.key -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj {subject}
            -addext basicConstraints=critical,CA:FALSE {extensions} -days 1 -keyout {name}.key -out {name}.crt"
        );
        let made = Command::new("env").args(make.split_whitespace()).current_dir(&self.folder).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    fn read(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(file)).unwrap()
    }

    fn client(&self, shape: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder) -> Client {
        let pair = [self.read("client.crt"), self.read("client.key")].concat();
        let builder = client().add_root_certificate(Certificate::from_pem(&self.read("ca.crt")).unwrap());
        shape(builder.identity(Identity::from_pem(&pair).unwrap())).build().unwrap()
    }

    /// The gate that checks nothing itself, for one person.
    async fn floor(&self, endpoint: &str, person: HeaderMap) -> Floor {
        let chain = |file: &str| vec![CertificateDer::from_pem_slice(&self.read(file)).unwrap()];
        let key = |file: &str| PrivateKeyDer::from_pem_slice(&self.read(file)).unwrap();
        let mut server = ServerConfig::builder().with_no_client_auth().with_single_cert(chain("floor.crt"), key("floor.key")).unwrap();
        // As KCS: nothing is upgraded in HTTP/2.
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut roots = RootCertStore::empty();
        roots.add(chain("ca.crt").remove(0)).unwrap();
        let client = ClientConfig::builder().with_root_certificates(roots).with_client_auth_cert(chain("gateway.crt"), key("gateway.key")).unwrap();
        Floor::start(endpoint.strip_prefix("https://").unwrap().parse().unwrap(), server, client, person).await
    }

    async fn proxy(&self, cache: &Path, endpoint: &str, folder: &Path) -> (Proxy, u16) {
        let port = crate::dev::free_port();
        let path = |file: &str| folder.join(file).display().to_string();
        let child = Command::new(cache.join("v1.36.3/kubectl"))
            .args(["proxy", "--reject-paths=^$", &format!("--port={port}"), &format!("--server={endpoint}")])
            .arg(format!("--certificate-authority={}", path("ca.crt")))
            .arg(format!("--client-certificate={}", path("client.crt")))
            .arg(format!("--client-key={}", path("client.key")))
            .env("KUBECONFIG", "/dev/null")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let proxy = Proxy(child);
        let up = wait_for("kubectl proxy", Duration::from_secs(10), async || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        up.await.expect("kubectl proxy did not start");
        (proxy, port)
    }
}

/// What KCS says to a cluster of a member, who is the `user` of this session.
fn impersonation(user: &Value) -> HeaderMap {
    let said = |header: &'static str, value: &str| (HeaderName::from_static(header), HeaderValue::from_str(value).unwrap());
    HeaderMap::from_iter([
        said("impersonate-user", &format!("kcs:{}", user["id"].as_str().unwrap())),
        said("impersonate-group", "kcs:member"),
        said("impersonate-extra-kcs%2fname", user["name"].as_str().unwrap()),
    ])
}

/// Server, token and authority of a kubeconfig of ours.
fn read_kubeconfig(text: &str) -> (String, String, String) {
    let value = |key: &str| {
        let line = text.lines().map(|line| line.trim().trim_start_matches("- ")).find_map(|line| line.strip_prefix(key));
        line.unwrap_or_else(|| panic!("the kubeconfig has no {key}")).trim().trim_matches('"').to_owned()
    };
    let authority = value("certificate-authority-data:");
    let output = Command::new("base64").arg("-d").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().and_then(|mut child| {
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), authority.as_bytes())?;
        child.wait_with_output()
    });
    (value("server:"), value("token:"), String::from_utf8(output.unwrap().stdout).unwrap())
}
