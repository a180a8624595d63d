//! `make bench-scale`: many clusters on the local cloud, two real `kcs serve` processes and a real Postgres on this machine; what that costs.
//! Prints every figure, then the goals that were missed, and fails where there are any: `figures.rs` says which there are and what they hold for.
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
use figures::{Report, Steady, median, percentile};
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
    /// Where the figures of the size before are, if there was one; those of this size take their place.
    #[arg(long)]
    figures: Option<PathBuf>,
    /// 100 creates of one tenant and 10 of another instead.
    #[arg(long)]
    fairness: bool,
    /// Clusters without any, as they were measured before the bench answered for them.
    #[arg(long)]
    without_addons: bool,
}

/// All clusters have to be up by then.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// Servers that are lost one after another: how long one goes unnoticed depends on when its cluster was looked at last.
const LOSSES: usize = 5;

fn main() {
    rustls::crypto::ring::default_provider().install_default().expect("the provider of TLS");
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let held = runtime.block_on(run(options));
    std::process::exit(i32::from(!held));
}

/// Whether every goal was met.
async fn run(options: Options) -> bool {
    let directory = tempfile::tempdir().expect("a directory");
    let tenants = if options.fairness { 3 } else { options.clusters.div_ceil(options.clusters_per_tenant) };
    let estate = Estate::start(tenants).await;
    let postgres = store::embedded::start(&directory.path().join("postgres")).await.expect("Postgres");
    let mut replicas = Replicas::start(&options.kcs, directory.path(), &estate, &postgres.url(), options.workers).await;
    let mut report = Report::default();
    println!("{}", figures::goals());
    if options.fairness {
        fairness(&options, &estate, &replicas, &mut report).await;
    } else {
        scale(&options, &estate, &mut replicas, &mut report).await;
    }
    replicas.stop();
    postgres.stop().await.expect("Postgres stops");
    report.end()
}

/// The tenants before the doors that there are now.
fn at_doors(options: &Options, estate: &Estate, replicas: &Replicas) -> Vec<Tenant> {
    estate.tenants().iter().map(|t| t.at(&replicas.urls(), !options.without_addons)).collect()
}

async fn scale(options: &Options, estate: &Estate, replicas: &mut Replicas, report: &mut Report) {
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

    let steady = rest(options, estate, replicas).await;
    report.steady(&steady);
    if let Some(file) = &options.figures {
        if let Some(before) = Steady::read(file) {
            report.growth(&before, &steady);
        }
        steady.write(file);
    }
    losses(estate, &tenants, report).await;
    kill(options, estate, replicas, &tenants, report).await;
}

/// What everything takes when nothing has been done for a while.
async fn rest(options: &Options, estate: &Estate, replicas: &Replicas) -> Steady {
    tokio::time::sleep(Duration::from_secs(options.rest_seconds)).await;
    let (before, calls, asked) = (replicas.usage(), estate.calls(), estate.nodes.calls());
    let watched = Instant::now();
    tokio::time::sleep(Duration::from_secs(options.steady_seconds)).await;
    let (after, seconds) = (replicas.usage(), watched.elapsed().as_secs_f64());
    let share = |from: f64, to: f64| 100.0 * (to - from) / seconds;
    let (kcs, postgres) = (share(before.kcs_seconds, after.kcs_seconds), share(before.postgres_seconds, after.postgres_seconds));
    let [first, second] = after.kcs_mib;
    println!("steady for {seconds:.0} s: KCS {kcs:.1} % of a core (both processes), Postgres {postgres:.1} %; memory {first:.0} and {second:.0} MiB");
    let cluster_minutes = options.clusters as f64 * seconds / 60.0;
    let calls = tell("the cloud", &calls, &estate.calls(), cluster_minutes);
    tell("the clusters' APIs", &asked, &estate.nodes.calls(), cluster_minutes);
    Steady { clusters: options.clusters, kcs, postgres, mib: first.max(second), calls }
}

/// Servers go one after another, each of another cluster, those of the last tenants: the operations to come are the first tenants'.
async fn losses(estate: &Estate, tenants: &[Tenant], report: &mut Report) {
    let mut lost = Vec::new();
    for tenant in tenants.iter().rev().cycle().take(LOSSES) {
        let Some(cluster) = clusters::well(tenant, &lost).await else {
            report.check(false, "not enough clusters are well for as many servers to be lost".to_owned());
            continue;
        };
        let begun = Instant::now();
        let server = estate.delete_server_of(&cluster);
        let noticed = clusters::wait_noticed(tenant, &cluster).await;
        report.noticed(&server, noticed.then(|| begun.elapsed().as_secs_f64()));
        lost.push(cluster);
    }
}

/// A process is killed with operations under way, which the other ends.
async fn kill(options: &Options, estate: &Estate, replicas: &mut Replicas, tenants: &[Tenant], report: &mut Report) {
    let busy = clusters::resize_some(tenants, 20, options.nodes).await;
    replicas.wait_both_hold().await;
    let killed = Instant::now();
    let held = replicas.kill_second();
    let taken = replicas.wait_taken_over(&held).await;
    report.taken_over(held.len(), taken.then(|| killed.elapsed().as_secs_f64()));
    let tenants = at_doors(options, estate, replicas);
    clusters::wait_operations(&tenants, &busy).await;
    println!("the {} operations under way succeeded {:.1} s after the kill", busy.len(), killed.elapsed().as_secs_f64());
}

/// How often something was asked in the steady state, and for what most; answers how often a cluster and minute.
fn tell(whom: &str, before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>, cluster_minutes: f64) -> f64 {
    let mut by_what: Vec<(u64, &String)> = after.iter().map(|(what, count)| (count - before.get(what).unwrap_or(&0), what)).collect();
    by_what.sort_unstable_by(|a, b| b.cmp(a));
    let per_minute = |count: u64| count as f64 / cluster_minutes;
    let all = per_minute(by_what.iter().map(|(count, _)| count).sum());
    println!("  calls to {whom} a cluster and minute: {all:.2}");
    by_what.iter().take(24).filter(|(count, _)| *count > 0).for_each(|(count, what)| println!("    {:.2} {what}", per_minute(*count)));
    all
}

/// A tenant's ten creates alone, then beside a hundred of another's.
async fn fairness(options: &Options, estate: &Estate, replicas: &Replicas, report: &mut Report) {
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
    let accepted = (alone.accepted, many.accepted, few.accepted);
    report.check(accepted == (10, 100, 10), format!("not every create was accepted: {accepted:?} of (10, 100, 10)"));
    report.fairness(median(&alone.seconds), median(&few.seconds));
}
