//! What `kcs dev` tells on the terminal: a line for each step that takes a while.

use std::io::Write;
use std::time::{Duration, Instant};

/// A step shorter than this is not worth a line.
const WORTH_A_LINE: Duration = Duration::from_secs(1);

/// Runs a step; says so when it takes long, and how long it took.
pub async fn step<T>(what: &str, work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    tokio::pin!(work);
    let mut told = false;
    let result = tokio::select! {
        result = &mut work => result,
        () = tokio::time::sleep(WORTH_A_LINE) => {
            told = true;
            line(&format!("  {what} …"));
            work.await
        }
    };
    if told {
        line(&format!("  {what}: {:.1} s", begun.elapsed().as_secs_f32()));
    }
    result
}

/// One line on standard error. Nobody reading is no error.
pub fn line(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
