//! How much longer a cluster takes through KCS than by hand: the template `dev` (one master, two workers) through the API, side by
//! side with the bare recipe that boots the same guests with kubeadm alone. Five rounds; prints every figure and the ratio of the medians, and
//! of each create the time that KCS itself took: what is left when all waiting for the cloud and for guests is taken off (`waiting`).
//!
//! Not part of `make test`: it wants a machine with nothing else to do. `make bench`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, dead_code)]

#[path = "../e2e/dev.rs"]
mod dev;
mod waiting;

use dev::{Dev, Person};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use waiting::Watch;

const ROUNDS: usize = 5;
/// A create through KCS may take this much longer than by hand.
const LIMIT: f64 = 1.25;
/// Seconds of a create that KCS may take for itself.
const OWN: f64 = 5.0;

#[tokio::test(flavor = "multi_thread")]
async fn create_against_the_bare_recipe() {
    dev::kubernetes().expect("the Kubernetes binaries are not built");
    let bare_recipe = example();
    let kcs = Dev::start().await;
    let member = kcs.sign_in("member-a").await;
    member.image_ready().await;
    let (mut bare, mut ours, mut own) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        bare.push(by_hand(&bare_recipe));
        let made = through_kcs(&kcs, &member, &format!("bench-{round}")).await;
        println!(
            "round {round}: by hand {:.1} s, through KCS {:.1} s, its own {:.1} s  ({}; own {})",
            bare[round - 1],
            made.seconds,
            made.own,
            made.steps,
            made.spans
        );
        ours.push(made.seconds);
        own.push(made.own);
    }
    let ratio = median(&mut ours) / median(&mut bare);
    println!("p50: by hand {:.1} s, through KCS {:.1} s, ratio {ratio:.2} (at most {LIMIT})", median(&mut bare), median(&mut ours));
    println!("p50 of KCS's own time: {:.1} s, longest {:.1} s (at most {OWN})", median(&mut own), own[ROUNDS - 1]);
    assert!(ratio <= LIMIT, "a create through KCS takes {ratio:.2} times as long as by hand");
    assert!(median(&mut own) <= OWN, "KCS takes {:.1} s of a create for itself", median(&mut own));
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

/// One create.
struct Made {
    /// From the request to the end of the operation.
    seconds: f64,
    /// Of these, the time in which neither the cloud nor a guest was waited for.
    own: f64,
    /// When that was.
    spans: String,
    steps: String,
}

/// Makes a cluster and measures; the cluster is deleted afterwards.
async fn through_kcs(kcs: &Dev, member: &Person, name: &str) -> Made {
    let (start, watch) = (Instant::now(), Watch::start(kcs));
    let made = member.post("/clusters", json!({"name": name, "template": "dev"}), 202).await;
    let (operation, cluster) = (made["operation"]["id"].as_str().unwrap(), made["cluster"]["id"].as_str().unwrap());
    let ended = member.finish(operation, Duration::from_secs(300)).await;
    let seconds = start.elapsed().as_secs_f64();
    let spans = watch.own(member, cluster).await;
    let steps = ended["steps"].as_array().unwrap().iter().map(|step| {
        let time = |key: &str| step[key].as_str().map_or("-", |t| t.get(14..21).unwrap_or(t)).to_owned();
        format!("{} {}..{}", step["key"].as_str().unwrap(), time("started_at"), time("finished_at"))
    });
    let steps = steps.collect::<Vec<_>>().join(", ");
    member.delete_cluster(cluster).await;
    let own = spans.iter().map(|(from, to)| to - from).sum();
    let spans = spans.iter().map(|(from, to)| format!("{from:.1}..{to:.1}")).collect::<Vec<_>>().join(", ");
    Made { seconds, own, spans, steps }
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
