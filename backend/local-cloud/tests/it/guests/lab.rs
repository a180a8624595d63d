//! What the guests' tests share: machines in a scratch directory, waiting for conditions, looking for leftovers.

use ipnet::Ipv4Net;
use local_cloud::machines::{Backend, Boot, Frontend, Monitor};
use local_cloud::{GuestConfig, GuestMachines};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub struct Lab {
    pub machines: Option<GuestMachines>,
    pub config: GuestConfig,
}

/// Machines of a test's own, or None, reported, where this machine cannot make namespaces.
pub fn lab(test: &str, outside_ports: Vec<u16>) -> Option<Lab> {
    let state_dir = std::env::temp_dir().join(format!("kcs-{test}-{}", uuid::Uuid::new_v4().simple()));
    let config = GuestConfig {
        state_dir,
        kubernetes_dir: local_cloud::kubernetes_dir(),
        helper: PathBuf::from(env!("CARGO_BIN_EXE_local-cloud-portal")),
        outside_ports,
        full: None,
    };
    match GuestMachines::new(config.clone()) {
        Ok(machines) => Some(Lab { machines: Some(machines), config }),
        Err(reason) => {
            skipped(test, &reason);
            None
        }
    }
}

/// A test that could not run says so: whoever runs the tests counts these lines.
pub fn skipped(test: &str, reason: &str) {
    println!("SKIPPED: {test}: {reason}");
}

impl Lab {
    pub fn machines(&self) -> &GuestMachines {
        self.machines.as_ref().unwrap()
    }

    pub fn file(&self, server: &str, path: &str) -> Option<String> {
        std::fs::read_to_string(self.machines().disk(server).join(path)).ok()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.machines = None;
        let _ = std::process::Command::new("chmod").arg("-R").arg("u+rwx").arg(&self.config.state_dir).status();
        let _ = std::fs::remove_dir_all(&self.config.state_dir);
    }
}

pub fn boot(server: &str, network: &str, address: [u8; 4], user_data: &str) -> Boot {
    let [_, _, _, last] = address;
    Boot {
        server: server.to_owned(),
        name: server.to_owned(),
        network: network.to_owned(),
        subnet: subnet(),
        gateway: Ipv4Addr::new(10, 0, 0, 1),
        address: Ipv4Addr::from(address),
        mac: format!("fa:16:3e:00:00:{last:02x}"),
        vcpus: 2,
        ram_mib: 2048,
        user_data: Some(user_data.as_bytes().to_vec()),
        kubernetes_version: None,
    }
}

pub fn subnet() -> Ipv4Net {
    "10.0.0.0/24".parse().unwrap()
}

/// User-data of a machine that answers "NAME" to whoever connects to a port; curl talks to it over HTTP.
pub fn answering(name: &str, port: u16) -> String {
    format!(
        "#cloud-config\nwrite_files:\n- path: /root/answer.py\n  content: |\n    import http.server\n    class H(http.server.BaseHTTPRequestHandler):\n      \
         protocol_version = 'HTTP/1.1'\n      def do_GET(self):\n        self.send_response(200)\n        self.send_header('Content-Length', '{length}')\n        \
         self.end_headers()\n        self.wfile.write(b'{name}')\n      def log_message(self, *a): pass\n    \
         http.server.ThreadingHTTPServer(('', {port}), H).serve_forever()\n\
         runcmd:\n- [sh, -c, 'setsid python3 /root/answer.py </dev/null >/dev/null 2>&1 &']\n",
        length = name.len()
    )
}

pub fn frontend(listener: &str, network: &str, vip: [u8; 4], floating: Option<SocketAddrV4>, members: &[(&str, [u8; 4])]) -> Frontend {
    Frontend {
        listener: listener.to_owned(),
        network: network.to_owned(),
        subnet: subnet(),
        gateway: Ipv4Addr::new(10, 0, 0, 1),
        vip: SocketAddrV4::new(Ipv4Addr::from(vip), 8000),
        floating,
        allowed_cidrs: vec![],
        members: members
            .iter()
            .map(|(member, a)| Backend { member: (*member).to_owned(), address: SocketAddrV4::new(Ipv4Addr::from(*a), 8000) })
            .collect(),
        monitor: Some(Monitor { kind: "TCP".to_owned(), path: String::new(), delay_ms: 200, timeout_ms: 1000, rise: 1, fall: 2 }),
        client_timeout_ms: 50_000,
        member_timeout_ms: 50_000,
    }
}

/// A loopback address of this test's own.
pub fn floating(last: u8) -> SocketAddrV4 {
    let [a, b, ..] = std::process::id().to_be_bytes().map(|b| b % 200 + 20).split_at(2).1.try_into().unwrap_or([20_u8, 20]);
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    SocketAddrV4::new(Ipv4Addr::new(127, 30 + a % 10, b, last), port)
}

/// One request; None unless answered.
pub fn get(address: SocketAddrV4) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&address.into(), Duration::from_secs(2)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer.split_once("\r\n\r\n")?.1.to_owned())
}

/// Waits until a condition holds; fails with `what` when it takes too long.
pub fn eventually(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(180), "not within three minutes: {what}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Processes and mounts of this machine that mention a directory.
pub fn leftovers(dir: &Path) -> Vec<String> {
    let dir = dir.to_str().unwrap();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()).filter(|pid| *pid != std::process::id()) else { continue };
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mounts = std::fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap_or_default();
        let mentions = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(dir);
        if mentions(&environment) || mentions(&command) || mounts.contains(dir) {
            found.push(format!("{pid}: {}", String::from_utf8_lossy(&command)));
        }
    }
    if std::fs::read_to_string("/proc/self/mountinfo").unwrap().contains(dir) {
        found.push("a mount".to_owned());
    }
    found
}

/// Network namespaces that processes of this machine are in.
pub fn network_namespaces() -> std::collections::BTreeSet<PathBuf> {
    std::fs::read_dir("/proc").unwrap().flatten().filter_map(|e| std::fs::read_link(e.path().join("ns/net")).ok()).collect()
}

/// The exit status of the user-data, once it has ended.
pub fn result(lab: &Lab, server: &str) -> Option<String> {
    lab.file(server, "var/lib/cloud/instance/result").map(|s| s.trim().to_owned()).filter(|s| !s.is_empty())
}
