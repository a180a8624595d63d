//! Two engines on one Postgres share the work; one dies and the other takes over; one that slept through its lease may write nothing.

use crate::dev::{Dev, Person, binary, client, free_port, wait_for};
use crate::need_kubernetes;
use serde_json::{Value, json};
use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A `kcs serve` beside a `kcs dev`, on its database and cloud.
struct Replica(Child);

impl Replica {
    async fn start(dev: &Dev, name: &str) -> Self {
        Self::start_with(dev, name, &[]).await
    }

    /// One whose clock goes wrong by that much (`+10m`); time that has passed is measured rightly, as on a real machine.
    async fn start_at(dev: &Dev, name: &str, offset: &str) -> Self {
        let libraries = std::fs::read_dir("/usr/lib").unwrap().map(|d| d.unwrap().path().join("faketime/libfaketimeMT.so.1"));
        let library = libraries.into_iter().find(|l| l.exists()).expect("the Debian package libfaketime is missing: scripts/deps.sh test");
        Self::start_with(dev, name, &[("LD_PRELOAD", library.to_str().unwrap()), ("FAKETIME", offset), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")]).await
    }

    async fn start_with(dev: &Dev, name: &str, env: &[(&str, &str)]) -> Self {
        let port = free_port();
        let log = File::create(dev.state.path().join(format!("{name}.out"))).unwrap();
        let child = Command::new(binary())
            .args(["serve", "--config"])
            .arg(dev.state.path().join("config.yaml"))
            .env("KCS_LISTEN", format!("127.0.0.1:{port}"))
            .env("KCS_TLS_LISTEN", format!("127.0.0.1:{}", port + 363))
            .env("KCS_ENGINE__WORKERS", "4")
            .env("KCS_ENGINE__LEASE_SECONDS", "30")
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let replica = Self(child);
        let http = client();
        let ready = wait_for("a replica", Duration::from_secs(60), async || {
            (http.get(format!("http://127.0.0.1:{port}/readyz")).send().await.ok()?.status() == 200).then_some(())
        });
        ready.await.expect("the replica does not start");
        replica
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // A paused one does not even hear the end.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Begins a cluster and waits until somebody is well into it; answers the operation.
async fn begun(person: &Person, name: &str) -> String {
    let made = person.post("/clusters", json!({"name": name, "template": "dev"}), 202).await;
    let operation = made["operation"]["id"].as_str().unwrap().to_owned();
    wait_for("the first objects", Duration::from_secs(30), async || {
        let now = person.get(&format!("/operations/{operation}")).await;
        (now["progress"].as_u64().unwrap() >= 15).then_some(())
    })
    .await
    .expect("nobody works on it");
    operation
}

async fn servers(dev: &Dev) -> usize {
    dev.cloud_objects().await.iter().filter(|o| o["kind"] == "server").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_holder_is_replaced_and_a_paused_one_cannot_write() {
    need_kubernetes!();
    // The API of this one has no engine: only the replicas work.
    let dev = Dev::start_with(&[("KCS_ENGINE__WORKERS", "0")]).await;
    let person = dev.sign_in("member-a").await;
    person.image_ready().await;
    let first = Replica::start(&dev, "first").await;
    let second = Replica::start(&dev, "second").await;

    // Only the first can hold it; then it dies.
    second.signal("STOP");
    let operation = begun(&person, "orphan").await;
    let before: Value = person.get(&format!("/operations/{operation}")).await;
    first.signal("KILL");
    second.signal("CONT");
    let dead = Instant::now();
    wait_for("the other replica", Duration::from_secs(60), async || {
        let now = person.get(&format!("/operations/{operation}")).await;
        (now["progress"].as_u64() > before["progress"].as_u64() || now["state"] != "running").then_some(())
    })
    .await
    .expect("nobody took over within a minute");
    println!("taken over after {:.1} s", dead.elapsed().as_secs_f64());
    person.finish(&operation, Duration::from_secs(180)).await;
    assert_eq!(servers(&dev).await, 3);

    // The second sleeps in the middle of its work; a third finishes it; the sleeper wakes.
    let operation = begun(&person, "sleeper").await;
    second.signal("STOP");
    let third = Replica::start(&dev, "third").await;
    let ended = person.finish(&operation, Duration::from_secs(180)).await;
    second.signal("CONT");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let after = person.get(&format!("/operations/{operation}")).await;
    assert_eq!((&after["state"], &after["finished_at"]), (&json!("succeeded"), &ended["finished_at"]));
    assert_eq!(servers(&dev).await, 6, "the sleeper made something again");
    drop((first, second, third));
}

#[tokio::test(flavor = "multi_thread")]
async fn case_50_replicas_whose_clocks_are_twenty_minutes_apart_do_not_disturb_each_other() {
    need_kubernetes!();
    let dev = Dev::start_with(&[("KCS_ENGINE__WORKERS", "0")]).await;
    let person = dev.sign_in("member-a").await;
    person.image_ready().await;
    let ahead = Replica::start_at(&dev, "ahead", "+10m").await;
    let behind = Replica::start_at(&dev, "behind", "-10m").await;
    let operation = begun(&person, "clocks").await;
    // Each has its part: first neither is missing, then only one is left.
    let ended = person.finish(&operation, Duration::from_secs(180)).await;
    assert_eq!(servers(&dev).await, 3, "one made again what the other had just made");
    let id = ended["cluster"]["id"].as_str().unwrap();
    drop(behind);
    let (status, grown) = person.call(reqwest::Method::PATCH, &format!("/clusters/{id}/node-pools/default"), Some(json!({"count": 3}))).await;
    assert_eq!(status, 202, "{grown:#}");
    person.finish(grown["operation"]["id"].as_str().unwrap(), Duration::from_secs(180)).await;
    drop(ahead);
}
