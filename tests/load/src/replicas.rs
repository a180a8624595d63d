//! The programs that are measured: two of `kcs serve` on one Postgres, and what they use.

use crate::estate::{Estate, PASSWORD};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Of the clock in /proc.
const TICKS: f64 = 100.0;

/// Who holds clusters now.
const HOLDERS: &str = "SELECT DISTINCT holder FROM work WHERE lease_until > now()";

pub struct Replicas {
    children: Vec<Child>,
    urls: Vec<String>,
    database: String,
    postmaster: u32,
}

pub struct Usage {
    pub kcs_seconds: f64,
    pub postgres_seconds: f64,
    pub kcs_mib: [f64; 2],
}

/// Two free ports, the second for TLS.
fn ports() -> (u16, u16) {
    let free = || TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    (free(), free())
}

impl Replicas {
    pub async fn start(kcs: &Path, directory: &Path, estate: &Estate, database: &str, workers: usize) -> Self {
        let data = directory.join("postgres");
        let pid_file =
            ["data/postmaster.pid", "postmaster.pid"].iter().map(|name| data.join(name)).find(|file| file.exists()).expect("postmaster.pid");
        let postmaster = std::fs::read_to_string(pid_file).expect("its pid").lines().next().expect("a line").trim().parse().expect("a number");
        let mut replicas = Self { children: Vec::new(), urls: Vec::new(), database: database.to_owned(), postmaster };
        let mut endpoint = None;
        for number in 0..2 {
            let (http, tls) = ports();
            let endpoint = endpoint.get_or_insert_with(|| format!("https://127.0.0.1:{tls}"));
            let config = directory.join(format!("kcs-{number}.yaml"));
            std::fs::write(&config, configuration(http, tls, endpoint, directory, estate, database, workers)).expect("the configuration is written");
            let log = std::fs::File::create(directory.join(format!("kcs-{number}.log"))).expect("a log");
            let mut command = Command::new(kcs);
            command.arg("serve").arg("--config").arg(&config).stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
            replicas.children.push(command.spawn().expect("kcs starts"));
            replicas.urls.push(format!("http://127.0.0.1:{http}"));
            ready(&replicas.urls[number]).await;
        }
        replicas
    }

    pub fn urls(&self) -> Vec<String> {
        self.urls.clone()
    }

    pub fn usage(&self) -> Usage {
        let mib = |n: usize| self.children.get(n).map_or(0.0, |child| resident_mib(child.id()));
        Usage {
            kcs_seconds: self.children.iter().map(|child| cpu_seconds(child.id(), false)).sum(),
            postgres_seconds: cpu_seconds(self.postmaster, true)
                + children_of(self.postmaster).into_iter().map(|pid| cpu_seconds(pid, false)).sum::<f64>(),
            kcs_mib: [mib(0), mib(1)],
        }
    }

    /// Until each process holds a cluster, so that there is something to take over.
    pub async fn wait_both_hold(&self) {
        let begun = Instant::now();
        while self.query(HOLDERS).len() < 2 && begun.elapsed() < Duration::from_secs(60) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Kills the second as a lost machine would be, and answers which clusters it held.
    pub fn kill_second(&mut self) -> Vec<String> {
        let mut second = self.children.remove(1);
        self.urls.remove(1);
        let holders = self.query(HOLDERS);
        second.kill().expect("it is killed");
        second.wait().expect("it has ended");
        // Whoever goes on beating is the one that lives.
        std::thread::sleep(Duration::from_secs(1));
        let living = self.query("SELECT DISTINCT holder FROM work WHERE holder IS NOT NULL AND lease_until > now() + interval '29 seconds'");
        let dead: Vec<String> = holders.into_iter().filter(|holder| !living.contains(holder)).map(|holder| format!("'{holder}'")).collect();
        if dead.is_empty() {
            return Vec::new();
        }
        self.query(&format!("SELECT cluster_id || ' ' || holder FROM work WHERE holder IN ({})", dead.join(",")))
    }

    /// Until none of them is held by whom it was held; whether that came.
    pub async fn wait_taken_over(&self, held: &[String]) -> bool {
        let begun = Instant::now();
        loop {
            let now = self.query("SELECT cluster_id || ' ' || holder FROM work WHERE holder IS NOT NULL");
            if !held.iter().any(|one| now.contains(one)) {
                return true;
            }
            if begun.elapsed() > Duration::from_secs(300) {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    fn query(&self, sql: &str) -> Vec<String> {
        let output = Command::new("psql").args(["-X", "-A", "-t", "-c", sql]).arg(&self.database).output().expect("psql runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).filter(|line| !line.is_empty()).collect()
    }

    pub fn stop(&mut self) {
        for child in &mut self.children {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

impl Drop for Replicas {
    fn drop(&mut self) {
        self.stop();
    }
}

fn configuration(http: u16, tls: u16, endpoint: &str, directory: &Path, estate: &Estate, database: &str, workers: usize) -> String {
    let (state, cloud) = (directory.join("state").display().to_string(), &estate.url);
    format!(
        "listen: 127.0.0.1:{http}\ntls_listen: 127.0.0.1:{tls}\nstate_dir: {state}\n\
         database: {{url: '{database}', connections: 40}}\n\
         cloud: {{auth_url: '{cloud}/identity/v3', user_name: kcs, password: {PASSWORD}, project: service, calls_per_second: 2000, calls_per_second_per_project: 500}}\n\
         nodes: {{endpoint: '{endpoint}'}}\n\
         versions: [{{version: v1.36.3, support: current, image: kcs-node-v1.36.3}}]\n\
         engine: {{workers: {workers}, api_cidrs_allowed: ['127.0.0.0/8']}}\n\
         limits: {{clusters_per_project: 1000, requests_per_minute: 1000000}}\n\
         log: {{format: json, level: warn}}\n"
    )
}

async fn ready(url: &str) {
    let begun = Instant::now();
    while !reqwest::get(format!("{url}/readyz")).await.is_ok_and(|answer| answer.status().is_success()) {
        assert!(begun.elapsed() < Duration::from_secs(120), "kcs is not ready");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Fields of /proc/<pid>/stat after the name.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(") ")?.1.split(' ').map(str::to_owned).collect())
}

/// Processor time, and that of children that have ended.
fn cpu_seconds(pid: u32, ended: bool) -> f64 {
    let Some(fields) = stat(pid) else { return 0.0 };
    let ticks = |n: usize| fields[n].parse::<f64>().unwrap_or(0.0);
    (ticks(11) + ticks(12) + if ended { ticks(13) + ticks(14) } else { 0.0 }) / TICKS
}

fn children_of(parent: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    all.filter(|pid| stat(*pid).is_some_and(|fields| fields[1] == parent.to_string())).collect()
}

fn resident_mib(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1024.0
}
