//! The id of the request being served, for problems and the log.

tokio::task_local! {
    static CURRENT: String;
}

/// The id of the request being served; empty outside of one.
#[must_use]
pub fn current() -> String {
    CURRENT.try_with(Clone::clone).unwrap_or_default()
}

/// Runs a request under its id.
pub async fn with<F: Future>(id: String, request: F) -> F::Output {
    CURRENT.scope(id, request).await
}
