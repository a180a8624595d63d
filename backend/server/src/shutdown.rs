//! Ending in good order: Ctrl-C or SIGTERM once to stop, twice to stop at once.

use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

const ONE_KEYSTROKE: Duration = Duration::from_secs(2);

/// A token that is cancelled by the first signal.
///
/// # Errors
/// When signals cannot be listened for.
pub fn on_signal() -> std::io::Result<CancellationToken> {
    let token = CancellationToken::new();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let cancel = token.clone();
    actix_web::rt::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
        }
        tracing::info!("stopping");
        cancel.cancel();
        let begun = Instant::now();
        loop {
            tokio::select! {
                _ = interrupt.recv() => (),
                _ = terminate.recv() => (),
            }
            // One Ctrl-C may reach us more than once, by way of the terminal and of make.
            if begun.elapsed() > ONE_KEYSTROKE {
                std::process::exit(130);
            }
        }
    });
    Ok(token)
}
