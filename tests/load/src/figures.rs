//! Of many figures a few, and what they may be at most.

use serde_json::{Value, json};
use std::path::Path;

/// Up to so many clusters the figures of the steady state are held to their goals; what more of them take is only compared with fewer.
pub const SIZE: usize = 2_000;
/// Percent of one core that both processes take together while nothing happens.
const IDLE: f64 = 30.0;
/// Of the larger process.
const MIB: f64 = 1_024.0;
/// Seconds: until the slowest loss of a server shows, and until everything is held again whose process was killed.
const SECONDS: f64 = 60.0;
/// How much longer a small tenant waits beside a large one than alone.
const BESIDE: f64 = 2.0;
/// What more clusters may take beyond their share, for what differs from one run to the next.
const TOLERANCE: f64 = 1.25;

/// What the goals are and what they hold for, to be read with the figures.
pub fn goals() -> String {
    format!(
        "Goals. Up to {SIZE} clusters: idle CPU of KCS below {IDLE} % of one core (both processes together), memory of each process below {MIB} MiB; \
         beyond {SIZE} these two are not judged. At every size: a lost server is noticed, and what a killed process held is taken over, in less than \
         {SECONDS} s. Against the size before, where that was smaller: idle CPU, CPU of Postgres, memory and calls to the cloud, each by cluster, \
         at most {TOLERANCE} times as much. Fairness: p50 beside a large tenant at most {BESIDE} times that alone."
    )
}

pub fn percentile(figures: &[f64], percent: usize) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

pub fn median(figures: &[f64]) -> f64 {
    percentile(figures, 50)
}

/// The steady state of so many clusters: percents of a core, MiB of the larger process, calls to the cloud a cluster and minute.
pub struct Steady {
    pub clusters: usize,
    pub kcs: f64,
    pub postgres: f64,
    pub mib: f64,
    pub calls: f64,
}

impl Steady {
    /// What each takes of what should grow with their number, and no faster.
    fn by_cluster(&self) -> [(&'static str, f64); 4] {
        let each = |figure: f64| figure / self.clusters as f64;
        [
            ("idle CPU of KCS by cluster", each(self.kcs)),
            ("CPU of Postgres by cluster", each(self.postgres)),
            ("memory by cluster", each(self.mib)),
            ("calls to the cloud a cluster and minute", self.calls),
        ]
    }

    /// Of the size before, which another process measured: the file's.
    pub fn read(file: &Path) -> Option<Self> {
        let kept: Value = serde_json::from_str(&std::fs::read_to_string(file).ok()?).ok()?;
        let figure = |name: &str| kept[name].as_f64();
        let clusters = usize::try_from(kept["clusters"].as_u64()?).ok()?;
        Some(Self { clusters, kcs: figure("kcs")?, postgres: figure("postgres")?, mib: figure("mib")?, calls: figure("calls")? })
    }

    pub fn write(&self, file: &Path) {
        let Self { clusters, kcs, postgres, mib, calls } = self;
        let kept = json!({"clusters": clusters, "kcs": kcs, "postgres": postgres, "mib": mib, "calls": calls});
        std::fs::write(file, kept.to_string()).expect("the figures are kept");
    }
}

/// The goals that were missed.
#[derive(Default)]
pub struct Report {
    short: Vec<String>,
}

impl Report {
    pub fn steady(&mut self, steady: &Steady) {
        if steady.clusters > SIZE {
            println!("  more than {SIZE} clusters: idle CPU and memory are not held to a goal");
            return;
        }
        self.check(steady.kcs < IDLE, format!("{} clusters: KCS takes {:.1} % of a core, not less than {IDLE} %", steady.clusters, steady.kcs));
        self.check(steady.mib < MIB, format!("{} clusters: a process has {:.0} MiB, not less than {MIB}", steady.clusters, steady.mib));
    }

    /// Whether more clusters take their share, or more than that.
    pub fn growth(&mut self, before: &Steady, after: &Steady) {
        let (few, many) = (before.clusters, after.clusters);
        if few >= many {
            println!("{few} clusters were measured before, which are not fewer: growth is not judged");
            return;
        }
        println!("from {few} to {many} clusters:");
        for ((what, before), (_, after)) in before.by_cluster().into_iter().zip(after.by_cluster()) {
            println!("  {what}: {:.2} times as much", after / before);
            let words = format!("from {few} to {many} clusters: {what} is {:.2} times as much, more than {TOLERANCE}", after / before);
            self.check(after <= before * TOLERANCE, words);
        }
    }

    /// `seconds`: None where it was given up.
    pub fn noticed(&mut self, server: &str, seconds: Option<f64>) {
        match seconds {
            Some(seconds) => println!("the loss of server {server} was noticed after {seconds:.1} s"),
            None => println!("the loss of server {server} was not noticed"),
        }
        self.check(seconds.is_some_and(|s| s < SECONDS), format!("the loss of server {server} was not noticed within {SECONDS} s"));
    }

    /// Where the killed process held nothing, nothing was shown.
    pub fn taken_over(&mut self, held: usize, seconds: Option<f64>) {
        println!("a process was killed holding {held} clusters");
        match seconds {
            Some(seconds) => println!("all of them held by the other after {seconds:.1} s"),
            None => println!("not all of them were taken over"),
        }
        self.check(held > 0, "the process that was killed held nothing: no take-over was measured".to_owned());
        self.check(seconds.is_some_and(|s| s < SECONDS), format!("what a killed process held was not taken over within {SECONDS} s"));
    }

    pub fn fairness(&mut self, alone: f64, beside: f64) {
        let words = format!("a small tenant waits {:.2} times as long beside a large one as alone, more than {BESIDE}", beside / alone);
        self.check(beside <= alone * BESIDE, words);
    }

    pub fn check(&mut self, holds: bool, words: String) {
        if !holds {
            self.short.push(words);
        }
    }

    /// Names what was missed; whether nothing was.
    pub fn end(self) -> bool {
        if !self.short.is_empty() {
            println!("short of the goal:\n  {}", self.short.join("\n  "));
        }
        self.short.is_empty()
    }
}
