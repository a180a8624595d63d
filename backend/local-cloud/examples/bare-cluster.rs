//! The yardstick for cluster creation: boots the same guests by hand-written user-data, with neither cloud API nor KCS in between.
//!
//! `bare-cluster [workers]` prints how many seconds it took until every node was Ready. It is the way an administrator would do it
//! by hand with kubeadm: the first master, then all workers at once.
#![allow(clippy::print_stdout)]

use local_cloud::machines::{Backend, Boot, Frontend, Machines, Monitor};
use local_cloud::{GuestConfig, GuestMachines};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

const VERSION: &str = "v1.36.3";
const TOKEN: &str = "abcdef.0123456789abcdef";
const VIP: Ipv4Addr = Ipv4Addr::new(10, 0, 10, 10);
const FLOATING: Ipv4Addr = Ipv4Addr::new(127, 31, 0, 10);
const LIMIT: Duration = Duration::from_secs(600);

fn main() -> ExitCode {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("portal") {
        return local_cloud::portal_main();
    }
    let workers = argument.and_then(|a| a.parse().ok()).unwrap_or(2);
    let state_dir = std::env::temp_dir().join(format!("kcs-bare-{}", std::process::id()));
    let outcome = measure(&state_dir, workers);
    let _ = std::fs::remove_dir_all(&state_dir);
    match outcome {
        Ok(seconds) => {
            println!("{seconds:.1}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn measure(state_dir: &Path, workers: u8) -> Result<f64, String> {
    let kubernetes_dir = local_cloud::kubernetes_dir();
    let config = GuestConfig {
        state_dir: state_dir.to_owned(),
        kubernetes_dir: kubernetes_dir.clone(),
        helper: std::env::current_exe().map_err(|e| e.to_string())?,
        outside_ports: vec![],
        full: None,
    };
    let machines = GuestMachines::new(config)?;
    let start = Instant::now();
    machines.balance(&[api()]);
    machines.boot(&guest("m1", 11, &init()))?;
    wait_for_user_data(&machines, "m1")?;
    eprintln!("{:6.1} s  kubeadm init has ended", start.elapsed().as_secs_f64());
    let ca = machines.disk("m1").join("etc/kubernetes/pki/ca.crt");
    let hash = ca_hash(&ca)?;
    let names: Vec<String> = (1..=workers).map(|i| format!("w{i}")).collect();
    for (name, last) in names.iter().zip(21..) {
        machines.boot(&guest(name, last, &join(&hash)))?;
    }
    for name in &names {
        wait_for_user_data(&machines, name)?;
    }
    eprintln!("{:6.1} s  kubeadm join has ended on all workers", start.elapsed().as_secs_f64());
    let kubeconfig = state_dir.join("kubeconfig");
    let admin = std::fs::read_to_string(machines.disk("m1").join("etc/kubernetes/admin.conf")).map_err(|e| e.to_string())?;
    std::fs::write(&kubeconfig, admin.replace(&VIP.to_string(), &FLOATING.to_string())).map_err(|e| e.to_string())?;
    let kubectl = kubernetes_dir.join(VERSION).join("kubectl");
    wait("all nodes are Ready", || ready_nodes(&kubectl, &kubeconfig) == usize::from(workers) + 1)?;
    Ok(start.elapsed().as_secs_f64())
}

fn api() -> Frontend {
    Frontend {
        listener: "api".to_owned(),
        network: "bare".to_owned(),
        subnet: subnet(),
        gateway: Ipv4Addr::new(10, 0, 10, 1),
        vip: SocketAddrV4::new(VIP, 6443),
        floating: Some(SocketAddrV4::new(FLOATING, 6443)),
        allowed_cidrs: vec![],
        members: vec![Backend { member: "m1".to_owned(), address: SocketAddrV4::new(Ipv4Addr::new(10, 0, 10, 11), 6443) }],
        monitor: Some(Monitor { kind: "HTTPS".to_owned(), path: "/readyz".to_owned(), delay_ms: 1000, timeout_ms: 1000, rise: 1, fall: 3 }),
        client_timeout_ms: 0,
        member_timeout_ms: 0,
    }
}

fn subnet() -> ipnet::Ipv4Net {
    ipnet::Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 10, 0), 24)
}

fn guest(name: &str, last: u8, user_data: &str) -> Boot {
    Boot {
        server: name.to_owned(),
        name: name.to_owned(),
        network: "bare".to_owned(),
        subnet: subnet(),
        gateway: Ipv4Addr::new(10, 0, 10, 1),
        address: Ipv4Addr::new(10, 0, 10, last),
        mac: format!("fa:16:3e:00:00:{last:02x}"),
        vcpus: 2,
        ram_mib: 4096,
        user_data: Some(user_data.as_bytes().to_vec()),
        kubernetes_version: Some(VERSION.to_owned()),
    }
}

fn init() -> String {
    format!(
        "#!/bin/bash\nset -ex\ncat >/etc/kubernetes/kubeadm.yaml <<'YAML'\n\
         apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n\
         nodeRegistration: {{criSocket: \"unix:///var/run/containerd/containerd.sock\"}}\n\
         bootstrapTokens: [{{token: \"{TOKEN}\", ttl: 0s}}]\n---\n\
         apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: {VERSION}\n\
         controlPlaneEndpoint: {VIP}:6443\nnetworking: {{podSubnet: 10.128.0.0/10}}\napiServer: {{certSANs: [{VIP}, {FLOATING}]}}\nYAML\n\
         kubeadm init --config /etc/kubernetes/kubeadm.yaml\n"
    )
}

fn join(hash: &str) -> String {
    format!(
        "#!/bin/bash\nset -ex\ncat >/etc/kubernetes/kubeadm.yaml <<'YAML'\n\
         apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\n\
         discovery: {{bootstrapToken: {{token: \"{TOKEN}\", apiServerEndpoint: \"{VIP}:6443\", caCertHashes: [\"sha256:{hash}\"]}}}}\n\
         nodeRegistration: {{criSocket: \"unix:///var/run/containerd/containerd.sock\"}}\nYAML\n\
         kubeadm join --config /etc/kubernetes/kubeadm.yaml\n"
    )
}

fn wait_for_user_data(machines: &GuestMachines, server: &str) -> Result<(), String> {
    let result = machines.disk(server).join("var/lib/cloud/instance/result");
    let read = || std::fs::read_to_string(&result).unwrap_or_default().trim().to_owned();
    wait(&format!("user-data of {server} has ended"), || !read().is_empty())?;
    if read() == "0" { Ok(()) } else { Err(machines.console(server)) }
}

fn ca_hash(ca: &Path) -> Result<String, String> {
    let pipeline = "openssl x509 -in \"$1\" -pubkey -noout | openssl pkey -pubin -outform der | sha256sum | cut -d' ' -f1";
    let output = Command::new("bash").args(["-c", pipeline, "bash"]).arg(ca).output().map_err(|e| e.to_string())?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn ready_nodes(kubectl: &Path, kubeconfig: &Path) -> usize {
    let template = "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}";
    let output = Command::new(kubectl).arg("--kubeconfig").arg(kubeconfig).args(["get", "nodes", "-o", template]).output();
    output.map_or(0, |o| String::from_utf8_lossy(&o.stdout).split_whitespace().filter(|status| *status == "True").count())
}

fn wait(what: &str, condition: impl Fn() -> bool) -> Result<(), String> {
    let start = Instant::now();
    while !condition() {
        if start.elapsed() > LIMIT {
            return Err(format!("not within {} s: {what}", LIMIT.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
