//! `make bench-scale`: many clusters on the local cloud, two real `kcs serve` processes and a real Postgres on this machine; what that costs.
//!
//! Servers are records: behind each, the bench plays the node's part of the bootstrap (it fetches the bundle and says that it is done),
//! and answers at each cluster's address for its Kubernetes API, over TLS by the cluster's own authority, with the nodes and their readiness,
//! and with the default add-ons as the engine applied them, all of them ready: nothing of them runs, but the engine looks at them as at any.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod clusters;
mod estate;
mod figures;
mod nodes;
mod objects;
mod replicas;

use clap::Parser;
use clusters::Tenant;
use estate::Estate;
use figures::{median, percentile};
use replicas::Replicas;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[derive(Parser)]
struct Options {
    /// The program to measure.
    #[arg(long)]
    kcs: PathBuf,
    #[arg(long, default_value_t = 500)]
    clusters: usize,
    /// Of each cluster, its one master included.
    #[arg(long, default_value_t = 10)]
    nodes: usize,
    /// Of each tenant.
    #[arg(long, default_value_t = 20)]
    clusters_per_tenant: usize,
    /// Of each process.
    #[arg(long, default_value_t = 16)]
    workers: usize,
    /// How long nothing may have been done before the steady state is measured: the engine looks closely at what it did lately.
    #[arg(long, default_value_t = 660)]
    rest_seconds: u64,
    #[arg(long, default_value_t = 120)]
    steady_seconds: u64,
    /// 100 creates of one tenant and 10 of another instead.
    #[arg(long)]
    fairness: bool,
    /// Clusters without any, as they were measured before the bench answered for them.
    #[arg(long)]
    without_addons: bool,
}

/// All clusters have to be up by then.
const PATIENCE: Duration = Duration::from_secs(3_600);

fn main() {
    rustls::crypto::ring::default_provider().install_default().expect("the provider of TLS");
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(run(options));
    std::process::exit(0);
}

async fn run(options: Options) {
    let directory = tempfile::tempdir().expect("a directory");
    let tenants = if options.fairness { 3 } else { options.clusters.div_ceil(options.clusters_per_tenant) };
    let estate = Estate::start(tenants).await;
    let postgres = store::embedded::start(&directory.path().join("postgres")).await.expect("Postgres");
    let mut replicas = Replicas::start(&options.kcs, directory.path(), &estate, &postgres.url(), options.workers).await;
    if options.fairness {
        fairness(&options, &estate, &replicas).await;
    } else {
        scale(&options, &estate, &mut replicas).await;
    }
    replicas.stop();
    postgres.stop().await.expect("Postgres stops");
}

/// The tenants before the doors that there are now.
fn at_doors(options: &Options, estate: &Estate, replicas: &Replicas) -> Vec<Tenant> {
    estate.tenants().iter().map(|t| t.at(&replicas.urls(), !options.without_addons)).collect()
}

async fn scale(options: &Options, estate: &Estate, replicas: &mut Replicas) {
    println!(
        "{} clusters of {} nodes {} add-ons, {} to a tenant, {} workers in each of 2 processes",
        options.clusters,
        options.nodes,
        if options.without_addons { "without" } else { "with the default" },
        options.clusters_per_tenant,
        options.workers
    );
    let tenants = at_doors(options, estate, replicas);
    let begun = Instant::now();
    let accepted = clusters::create_all(&tenants, options.clusters, options.nodes).await;
    println!("accepted in {:.1} s: p50 {:.0} ms, p99 {:.0} ms", begun.elapsed().as_secs_f64(), median(&accepted), percentile(&accepted, 99));
    clusters::wait_running(&tenants, options.clusters, PATIENCE).await;
    println!("all running {:.0} s after the first create; cloud calls {}", begun.elapsed().as_secs_f64(), estate.calls().values().sum::<u64>());
    let busy = replicas.usage();
    println!("until then KCS used {:.1} s of processor time, Postgres {:.1} s", busy.kcs_seconds, busy.postgres_seconds);

    tokio::time::sleep(Duration::from_secs(options.rest_seconds)).await;
    let (before, calls, asked) = (replicas.usage(), estate.calls(), estate.nodes.calls());
    let watched = Instant::now();
    tokio::time::sleep(Duration::from_secs(options.steady_seconds)).await;
    let (after, seconds) = (replicas.usage(), watched.elapsed().as_secs_f64());
    let share = |from: f64, to: f64| 100.0 * (to - from) / seconds;
    println!(
        "steady for {seconds:.0} s: KCS {:.1} % of a core (both processes), Postgres {:.1} %; memory {:.0} and {:.0} MiB",
        share(before.kcs_seconds, after.kcs_seconds),
        share(before.postgres_seconds, after.postgres_seconds),
        after.kcs_mib[0],
        after.kcs_mib[1],
    );
    let cluster_minutes = options.clusters as f64 * seconds / 60.0;
    tell("the cloud", &calls, &estate.calls(), cluster_minutes);
    tell("the clusters' APIs", &asked, &estate.nodes.calls(), cluster_minutes);

    let lost = clusters::first_running(&tenants[0]).await;
    let begun = Instant::now();
    let server = estate.delete_server_of(&lost);
    clusters::wait_noticed(&tenants[0], &lost).await;
    println!("the loss of server {server} was noticed after {:.1} s", begun.elapsed().as_secs_f64());

    let busy = clusters::resize_some(&tenants, 20, options.nodes).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let killed = Instant::now();
    let held = replicas.kill_second();
    println!("a process was killed holding {} clusters", held.len());
    replicas.wait_taken_over(&held).await;
    println!("all of them held by the other after {:.1} s", killed.elapsed().as_secs_f64());
    let tenants = at_doors(options, estate, replicas);
    clusters::wait_operations(&tenants, &busy).await;
    println!("the {} operations under way succeeded {:.1} s after the kill", busy.len(), killed.elapsed().as_secs_f64());
}

/// How often something was asked in the steady state, and for what most.
fn tell(whom: &str, before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>, cluster_minutes: f64) {
    let mut by_what: Vec<(u64, &String)> = after.iter().map(|(what, count)| (count - before.get(what).unwrap_or(&0), what)).collect();
    by_what.sort_unstable_by(|a, b| b.cmp(a));
    let per_minute = |count: u64| count as f64 / cluster_minutes;
    println!("  calls to {whom} a cluster and minute: {:.2}", per_minute(by_what.iter().map(|(count, _)| count).sum()));
    by_what.iter().take(24).filter(|(count, _)| *count > 0).for_each(|(count, what)| println!("    {:.2} {what}", per_minute(*count)));
}

/// A tenant's ten creates alone, then beside a hundred of another's.
async fn fairness(options: &Options, estate: &Estate, replicas: &Replicas) {
    let tenants = at_doors(options, estate, replicas);
    let alone = clusters::create_timed(&tenants[0], 10, 3).await;
    println!("ten alone: accepted {} of 10, up after p50 {:.1} s", alone.accepted, median(&alone.seconds));
    let (many, few) = tokio::join!(clusters::create_timed(&tenants[1], 100, 3), clusters::create_timed(&tenants[2], 10, 3));
    println!("a hundred: accepted {} of 100, up after p50 {:.1} s", many.accepted, median(&many.seconds));
    println!(
        "ten beside them: accepted {} of 10, up after p50 {:.1} s, {:.2} times as long",
        few.accepted,
        median(&few.seconds),
        median(&few.seconds) / median(&alone.seconds)
    );
}
