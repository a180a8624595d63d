//! Figures: times, processor time and memory of processes, and what KCS may take.

use crate::ways::Ways;
use std::time::{Duration, Instant};

/// KCS may take this much longer than the API itself.
const LIMIT: f64 = 1.10;
/// MiB by which the memory of KCS may grow while a large body passes.
const GROWTH: f64 = 64.0;

/// Milliseconds, sorted when they are asked about.
#[derive(Default)]
pub struct Times(Vec<f64>);

impl Times {
    pub fn add(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1_000.0);
    }

    pub fn one(time: Duration) -> Self {
        Self(vec![time.as_secs_f64() * 1_000.0])
    }

    fn quantile(&mut self, quantile: f64) -> f64 {
        self.0.sort_by(f64::total_cmp);
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let at = ((self.0.len() - 1) as f64 * quantile).round() as usize;
        self.0[at]
    }
}

/// Processor time of KCS and of the proxy from here on.
pub struct Meter {
    processes: [u32; 2],
    before: [f64; 2],
    begun: Instant,
}

impl Meter {
    pub fn start(ways: &Ways) -> Self {
        let processes = [ways.kcs_process, ways.proxy_process()];
        Self { processes, before: processes.map(processor_seconds), begun: Instant::now() }
    }

    /// Shares of one core: of KCS, of the proxy.
    fn shares(&self) -> [f64; 2] {
        let wall = self.begun.elapsed().as_secs_f64();
        let [kcs, proxy] = self.processes.map(processor_seconds);
        [(kcs - self.before[0]) / wall, (proxy - self.before[1]) / wall]
    }
}

/// User and system time of a process (`proc_pid_stat(5)`, fields 14 and 15, in hundredths of a second).
fn processor_seconds(process: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11..=12].iter().map(|field| field.parse::<f64>().unwrap() / 100.0).sum()
}

/// The most memory that a process had since `forget_peak`, in MiB.
pub fn peak(process: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1_024.0
}

/// `proc_pid_clear_refs(5)`: 5 sets the peak to what there is now.
pub fn forget_peak(process: u32) -> f64 {
    std::fs::write(format!("/proc/{process}/clear_refs"), "5").unwrap();
    peak(process)
}

/// What was measured of one thing, by way.
#[derive(Default)]
pub struct Measured {
    times: [Times; 3],
    /// Sums over the turns of each way.
    shares: [[f64; 2]; 3],
    turns: [f64; 3],
}

impl Measured {
    /// A turn of a way.
    pub fn add(&mut self, way: usize, times: Times, meter: &Meter) {
        self.times[way].0.extend(times.0);
        for (sum, share) in self.shares[way].iter_mut().zip(meter.shares()) {
            *sum += share;
        }
        self.turns[way] += 1.0;
    }

    fn share(&self, way: usize, process: usize) -> f64 {
        self.shares[way][process] / self.turns[way]
    }
}

#[derive(Default)]
pub struct Report {
    short: Vec<String>,
}

impl Report {
    /// A row of the table.
    pub fn row(&mut self, what: &str, mut measured: Measured) {
        let p50 = std::array::from_fn::<f64, 3, _>(|way| measured.times[way].quantile(0.5));
        let p99 = std::array::from_fn::<f64, 3, _>(|way| measured.times[way].quantile(0.99));
        println!(
            "{what:<34} p50 ms {:8.2} {:8.2} {:8.2}  p99 ms {:8.2} {:8.2} {:8.2}  KCS/direct {:.2}  KCS/proxy {:.2}  cores: KCS {:.2} {:.2} {:.2}, proxy {:.2}",
            p50[0],
            p50[1],
            p50[2],
            p99[0],
            p99[1],
            p99[2],
            p50[1] / p50[0],
            p50[1] / p50[2],
            measured.share(0, 0),
            measured.share(1, 0),
            measured.share(2, 0),
            measured.share(2, 1),
        );
        self.check(p50[1] <= p50[0] * LIMIT, format!("{what}: {:.2} times as long as directly", p50[1] / p50[0]));
        self.check(p50[1] <= p50[2], format!("{what}: {:.2} times as long as through kubectl proxy", p50[1] / p50[2]));
    }

    pub fn memory(&mut self, what: &str, before: f64, peak: f64) {
        println!("{what:<34} memory of KCS {before:.0} MiB, at most {peak:.0} MiB");
        self.check(peak - before <= GROWTH, format!("{what}: memory grows by {:.0} MiB", peak - before));
    }

    fn check(&mut self, holds: bool, words: String) {
        if !holds {
            self.short.push(words);
        }
    }

    pub fn end(self) {
        assert!(self.short.is_empty(), "short of the goal:\n  {}", self.short.join("\n  "));
    }
}
