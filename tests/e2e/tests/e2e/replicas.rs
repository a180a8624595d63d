//! Two engines on one Postgres share the work; one dies and the other takes over; one that slept through its lease may write nothing; their clocks are wrong,
//! and leap.

use crate::dev::{Dev, Person, binary, client, free_port, wait_for};
use crate::need_kubernetes;
use serde_json::{Value, json};
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// A `kcs serve` beside a `kcs dev`, on its database and cloud.
struct Replica {
    child: Child,
    port: u16,
}

/// Says how many minutes a replica's clock is off, in the file that it is read from.
fn set_clock(dev: &Dev, name: &str, minutes: i64) -> PathBuf {
    let (new, file) = (dev.state.path().join(format!("{name}.clock.new")), dev.state.path().join(format!("{name}.clock")));
    std::fs::write(&new, format!("{minutes:+}m\n")).unwrap();
    std::fs::rename(new, &file).unwrap();
    file
}

impl Replica {
    async fn start(dev: &Dev, name: &str) -> Self {
        Self::start_with(dev, name, &[]).await
    }

    /// One whose clock is off by so many minutes; time that has passed is measured rightly, as on a real machine.
    async fn start_at(dev: &Dev, name: &str, minutes: i64) -> Self {
        let libraries = std::fs::read_dir("/usr/lib").unwrap().map(|d| d.unwrap().path().join("faketime/libfaketimeMT.so.1"));
        let library = libraries.into_iter().find(|l| l.exists()).expect("the Debian package libfaketime is missing: scripts/deps.sh test");
        let clock = set_clock(dev, name, minutes);
        let env = [
            ("LD_PRELOAD", library.to_str().unwrap()),
            ("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap()),
            // Seconds after which that file is read again.
            ("FAKETIME_CACHE_DURATION", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ];
        let replica = Self::start_with(dev, name, &env).await;
        replica.shows(minutes).await;
        replica
    }

    /// Waits until its own answers are dated so many minutes from the real time.
    async fn shows(&self, minutes: i64) {
        let http = client();
        let shown = wait_for("a clock", Duration::from_secs(20), async || {
            let answer = http.get(format!("http://127.0.0.1:{}/readyz", self.port)).send().await.ok()?;
            let date = OffsetDateTime::parse(answer.headers().get("date")?.to_str().ok()?, &Rfc2822).ok()?;
            let off = date - OffsetDateTime::now_utc();
            ((off - time::Duration::minutes(minutes)).abs() < time::Duration::seconds(30)).then_some(())
        });
        shown.await.expect("the replica's clock is another");
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
        let replica = Self { child, port };
        let http = client();
        let ready = wait_for("a replica", Duration::from_secs(60), async || {
            (http.get(format!("http://127.0.0.1:{port}/readyz")).send().await.ok()?.status() == 200).then_some(())
        });
        ready.await.expect("the replica does not start");
        replica
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // A paused one does not even hear the end.
        self.child.kill().ok();
        self.child.wait().ok();
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
    let one = Replica::start_at(&dev, "one", 10).await;
    let other = Replica::start_at(&dev, "other", -10).await;
    let operation = begun(&person, "clocks").await;
    // In the middle of it the one leaps back, and the other forwards.
    set_clock(&dev, "one", -10);
    set_clock(&dev, "other", 10);
    one.shows(-10).await;
    other.shows(10).await;
    assert_eq!(person.get(&format!("/operations/{operation}")).await["state"], "running", "it was over before the clocks leapt");
    // Each has its part: first neither is missing, then only one is left.
    let ended = person.finish(&operation, Duration::from_secs(180)).await;
    assert_eq!(servers(&dev).await, 3, "one made again what the other had just made");
    let id = ended["cluster"]["id"].as_str().unwrap();
    drop(other);
    let (status, grown) = person.call(reqwest::Method::PATCH, &format!("/clusters/{id}/node-pools/default"), Some(json!({"count": 3}))).await;
    assert_eq!(status, 202, "{grown:#}");
    // Its own times of what it has begun are now long ago.
    set_clock(&dev, "one", 10);
    one.shows(10).await;
    person.finish(grown["operation"]["id"].as_str().unwrap(), Duration::from_secs(180)).await;
    assert_eq!(servers(&dev).await, 4, "what was just made was made again");
    drop(one);
}
