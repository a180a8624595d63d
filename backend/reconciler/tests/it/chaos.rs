//! The engine is killed at every cloud call, before it and after it, and answers are lost: it always converges, with no orphan, no duplicate,
//! nothing foreign touched. `KCS_CHAOS_RUNS` sets the number of random runs, `KCS_CHAOS_SEED` the first seed; a failing seed is printed.

use crate::lab::{Cut, Lab};
use domain::operations::{OperationKind, OperationState};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::time::Instant;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

async fn finish(lab: &mut Lab, what: &str) {
    let state = lab.settle().await;
    assert_eq!(
        state,
        OperationState::Succeeded,
        "{what}: {:#?}\nin the cloud: {:#?}\nledger: {:#?}",
        lab.operation(),
        lab.ours_in_cloud(),
        lab.live_rows()
    );
}

/// create → grow → shrink → delete, with `cut` armed in the phase of that number. Answers how many calls each phase made.
async fn life(seed: u64, phase: Option<(usize, Cut)>) -> Vec<u64> {
    let mut lab = Lab::new(seed, 1, 1);
    lab.add_lookalikes();
    let mut calls = Vec::new();
    for number in 0..4 {
        lab.cut(phase.and_then(|(n, cut)| (n == number).then_some(cut)));
        match number {
            0 => {}
            1 => lab.resize(2),
            2 => lab.resize(1),
            _ => lab.begin(OperationKind::ClusterDelete),
        }
        finish(&mut lab, &format!("phase {number} of {phase:?}")).await;
        calls.push(lab.fate.lock().unwrap().calls);
        lab.check_settled();
    }
    assert_eq!(lab.ours_in_cloud(), Vec::<String>::new(), "left after {phase:?}");
    assert!(lab.foreign_untouched());
    calls
}

#[test]
fn a_whole_life_leaves_nothing() {
    let calls = block_on(life(1, None));
    assert!(calls.iter().all(|n| *n > 0));
}

#[test]
fn three_masters_too() {
    block_on(async {
        let mut lab = Lab::new(2, 3, 2);
        finish(&mut lab, "create").await;
        lab.check_settled();
        lab.begin(OperationKind::ClusterDelete);
        finish(&mut lab, "delete").await;
        assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
    });
}

#[test]
fn every_single_kill_and_lost_answer() {
    let calls = block_on(life(3, None));
    let start = Instant::now();
    let mut runs = 0;
    for (phase, count) in calls.into_iter().enumerate() {
        for call in 1..=count {
            for cut in [Cut::Before(call), Cut::After(call), Cut::Lost(call)] {
                block_on(life(3, Some((phase, cut))));
                runs += 1;
            }
        }
    }
    println!("{runs} single cuts in {:.1} s", start.elapsed().as_secs_f64());
}

/// Kills and lost answers at random, several in each phase, deletes in the middle of creates.
async fn random_life(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let masters = if random.random_bool(0.2) { 3 } else { 1 };
    let mut lab = Lab::new(seed, masters, random.random_range(0..3));
    lab.add_lookalikes();
    let phases = random.random_range(1..4);
    for _ in 0..phases {
        for _ in 0..random.random_range(0..4) {
            let call = random.random_range(1..60);
            let cut = match random.random_range(0..3) {
                0 => Cut::Before(call),
                1 => Cut::After(call),
                _ => Cut::Lost(call),
            };
            lab.cut(Some(cut));
            for _ in 0..random.random_range(1..40) {
                if !lab.step().await {
                    return;
                }
            }
        }
        lab.cut(None);
        if random.random_bool(0.3) {
            break;
        }
        finish(&mut lab, "random phase").await;
        lab.check_settled();
        lab.resize(random.random_range(0..4));
    }
    lab.begin(OperationKind::ClusterDelete);
    let call = random.random_range(1..80);
    lab.cut(Some(if random.random_bool(0.5) { Cut::After(call) } else { Cut::Lost(call) }));
    finish(&mut lab, "delete").await;
    assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
    assert!(lab.foreign_untouched());
}

#[test]
fn random_kills() {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let (runs, first) = (number("KCS_CHAOS_RUNS", 2_000), number("KCS_CHAOS_SEED", 1));
    let start = Instant::now();
    for seed in first..first + runs {
        let outcome = std::panic::catch_unwind(|| block_on(random_life(seed)));
        assert!(outcome.is_ok(), "seed {seed} failed: repeat with KCS_CHAOS_SEED={seed} KCS_CHAOS_RUNS=1");
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{runs} random runs from seed {first} in {seconds:.1} s, {:.0} a second", f64::from(u32::try_from(runs).unwrap()) / seconds);
}
