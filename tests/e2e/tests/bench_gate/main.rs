//! What the gate costs: the same requests to one cluster's API directly, through KCS, through `kubectl proxy` and through the least that a
//! gate for many people can be (`floor.rs`), side by side in one run: one object, lists of 500 and 5,000 pods (JSON and protobuf,
//! compressed and not), 200 watches, a command in a pod, a log of 100 MB.
//! Prints time (p50, p99), the processor time of KCS and of the proxies, and memory; fails where KCS takes more than its share. Where it does,
//! the floor says how much of that is left once there is a second connection over TLS and the API looks at whom a request is made for.
//!
//! Directly and through `kubectl proxy` it is the administrator who asks, whom the API lets do everything unseen; through KCS and the floor
//! a member, for whom a certificate asks that may only impersonate.
//!
//! Directly means through the same load balancer that KCS goes through; in `kcs dev` the load balancer is in the process of KCS, so that its
//! processor time is in the figures of all ways.
//!
//! Not part of `make test`: it wants a machine with nothing else to do. `make bench-gate`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, dead_code)]

#[path = "../e2e/dev.rs"]
mod dev;
mod figures;
mod floor;
mod reads;
mod streams;
mod ways;

use dev::Dev;
use figures::Report;
use ways::Ways;

/// A cluster of its own, and the ways to it.
struct Bench {
    ways: Ways,
    report: Report,
    kcs: Dev,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn start() -> Self {
        let cache = dev::kubernetes().expect("the Kubernetes binaries are not built");
        // One person asks as often as it goes.
        let kcs = Dev::start_with(&[("KCS_LIMITS__GATE_REQUESTS_PER_MINUTE", "0")]).await;
        let member = kcs.sign_in("member-a").await;
        let cluster = member.create_cluster("bench-gate", "dev", serde_json::json!({})).await;
        let folder = tempfile::tempdir().unwrap();
        let ways = Ways::open(&kcs, &member, &cluster, &cache, folder.path()).await;
        Self { ways, report: Report::default(), kcs, folder }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_object() {
    let Bench { ways, mut report, kcs: _kcs, folder: _folder } = Bench::start().await;
    reads::one_object(&ways, &mut report).await;
    report.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn lists() {
    let Bench { ways, mut report, kcs: _kcs, folder: _folder } = Bench::start().await;
    reads::fill(&ways).await;
    reads::lists(&ways, &mut report).await;
    report.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn watches() {
    let Bench { ways, mut report, kcs: _kcs, folder: _folder } = Bench::start().await;
    streams::watches(&ways, &mut report).await;
    report.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_and_logs() {
    let Bench { ways, mut report, kcs: _kcs, folder: _folder } = Bench::start().await;
    streams::commands(&ways, &mut report).await;
    streams::log(&ways, &mut report).await;
    report.end();
}
