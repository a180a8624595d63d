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

/// Whose processor time is counted: a process, or some threads, each by its file of `proc_pid_stat(5)`.
#[derive(Clone)]
pub struct Counted(pub Vec<String>);

impl Counted {
    pub fn process(id: u32) -> Self {
        Self(vec![format!("/proc/{id}/stat")])
    }

    /// User and system time (fields 14 and 15, in hundredths of a second).
    fn seconds(&self) -> f64 {
        let times = self.0.iter().flat_map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            let fields: Vec<String> = text.rsplit_once(')').unwrap().1.split_whitespace().map(str::to_owned).collect();
            fields[11..=12].to_vec()
        });
        times.map(|field| field.parse::<f64>().unwrap() / 100.0).sum()
    }
}

/// Processor time of KCS, of the proxy and of the floor from here on.
pub struct Meter {
    counted: [Counted; 3],
    before: [f64; 3],
    begun: Instant,
}

impl Meter {
    pub fn start(ways: &Ways) -> Self {
        let counted = ways.counted();
        let before = counted.each_ref().map(Counted::seconds);
        Self { counted, before, begun: Instant::now() }
    }

    /// Shares of one core: of KCS, of the proxy, of the floor.
    fn shares(&self) -> [f64; 3] {
        let wall = self.begun.elapsed().as_secs_f64();
        std::array::from_fn(|of| (self.counted[of].seconds() - self.before[of]) / wall)
    }
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
    times: [Times; 4],
    /// Sums over the turns of each way.
    shares: [[f64; 3]; 4],
    turns: [f64; 4],
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

    fn quantiles(&mut self, quantile: f64) -> [f64; 4] {
        self.times.each_mut().map(|times| times.quantile(quantile))
    }

    /// What a process, or the floor's threads, took of one core in the turns of each way.
    fn cores(&self, of: usize) -> [f64; 4] {
        std::array::from_fn(|way| self.shares[way][of] / self.turns[way])
    }
}

#[derive(Default)]
pub struct Report {
    short: Vec<String>,
}

impl Report {
    /// What was measured of one thing, a column for each way.
    pub fn rows(&mut self, what: &str, mut measured: Measured) {
        let (p50, p99) = (measured.quantiles(0.5), measured.quantiles(0.99));
        let [kcs, proxy, floor]: [[f64; 4]; 3] = std::array::from_fn(|of| measured.cores(of));
        println!("{what:<34} {:>10}{:>10}{:>10}{:>10}", "direct", "KCS", "proxy", "floor");
        for (of, [direct, by_kcs, by_proxy, by_floor]) in [
            ("p50, ms", p50),
            ("p99, ms", p99),
            ("p50, times the direct way's", p50.map(|time| time / p50[0])),
            ("p50, times the floor's", p50.map(|time| time / p50[3])),
            ("cores of KCS", kcs),
            ("cores of the proxy", proxy),
            ("cores of the floor", floor),
        ] {
            println!("  {of:<32} {direct:10.2}{by_kcs:10.2}{by_proxy:10.2}{by_floor:10.2}");
        }
        let (times, least) = (p50[1] / p50[0], p50[3] / p50[0]);
        self.check(p50[1] <= p50[0] * LIMIT, format!("{what}: {times:.2} times as long as directly, where the floor takes {least:.2} times as long"));
        self.check(p50[1] <= p50[2], format!("{what}: {:.2} times as long as through kubectl proxy", p50[1] / p50[2]));
    }

    pub fn memory(&mut self, what: &str, before: f64, peak: f64) {
        println!("  {:<32} {before:.0}, at most {peak:.0}", "memory of KCS, MiB");
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
