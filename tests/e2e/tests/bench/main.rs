//! How much longer a cluster takes through KCS than by hand: the template `dev` (one master, two workers) through the API, side by
//! side with the bare recipe that boots the same guests with kubeadm alone. Five rounds; prints every figure and the ratio of the medians.
//!
//! Not part of `make test`: it wants a machine with nothing else to do. `make bench`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, dead_code)]

#[path = "../it/dev.rs"]
mod dev;

use dev::{Dev, Person};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
/// A create through KCS may take this much longer than by hand.
const LIMIT: f64 = 1.25;

#[tokio::test(flavor = "multi_thread")]
async fn create_against_the_bare_recipe() {
    dev::kubernetes().expect("the Kubernetes binaries are not built");
    let bare_recipe = example();
    let kcs = Dev::start().await;
    let member = kcs.sign_in("member-a").await;
    member.image_ready().await;
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        bare.push(by_hand(&bare_recipe));
        let (seconds, steps) = through_kcs(&member, &format!("bench-{round}")).await;
        ours.push(seconds);
        println!("round {round}: by hand {:.1} s, through KCS {seconds:.1} s  ({steps})", bare[round - 1]);
    }
    let ratio = median(&mut ours) / median(&mut bare);
    println!("p50: by hand {:.1} s, through KCS {:.1} s, ratio {ratio:.2} (at most {LIMIT})", median(&mut bare), median(&mut ours));
    assert!(ratio <= LIMIT, "a create through KCS takes {ratio:.2} times as long as by hand");
}

/// `target/<profile>/examples/bare-cluster`, made by `cargo build -p local-cloud --examples`.
fn example() -> PathBuf {
    let me = std::env::current_exe().unwrap();
    let path = me.parent().and_then(Path::parent).unwrap().join("examples/bare-cluster");
    assert!(path.exists(), "{} is missing: build the examples of local-cloud first", path.display());
    path
}

/// Seconds until a master and two workers are Ready.
fn by_hand(bare_recipe: &Path) -> f64 {
    let output = Command::new(bare_recipe).arg("2").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

/// Seconds from the request to the end of the operation, and those of its steps; the cluster is deleted afterwards.
async fn through_kcs(member: &Person, name: &str) -> (f64, String) {
    let start = Instant::now();
    let made = member.post("/clusters", json!({"name": name, "template": "dev"}), 202).await;
    let operation = made["operation"]["id"].as_str().unwrap();
    let ended = member.finish(operation, Duration::from_secs(300)).await;
    let seconds = start.elapsed().as_secs_f64();
    let steps = ended["steps"].as_array().unwrap().iter().map(|step| {
        let time = |key: &str| step[key].as_str().map_or("-", |t| t.get(14..21).unwrap_or(t)).to_owned();
        format!("{} {}..{}", step["key"].as_str().unwrap(), time("started_at"), time("finished_at"))
    });
    let steps: Vec<String> = steps.collect();
    member.delete_cluster(made["cluster"]["id"].as_str().unwrap()).await;
    (seconds, steps.join(", "))
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
