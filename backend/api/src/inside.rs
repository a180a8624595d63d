//! Changes inside a cluster, made as a person: told to the audit log before they are made, and once more where they came to nothing.

use crate::caller::Caller;
use crate::errors::Answer;
use crate::state::State;
use serde_json::Value;
use store::{AuditEntry, RequestContext};

/// Makes a change that the line tells of.
///
/// # Errors
/// When the line cannot be written, then nothing is changed; and what the change ended with.
pub async fn told<T>(state: &State, caller: &Caller, entry: AuditEntry, change: impl Future<Output = Answer<T>>) -> Answer<T> {
    state.store.audit_append(entry.clone(), caller.context()).await?;
    let done = change.await;
    if let Err(problem) = &done {
        failed(state, entry, caller.context(), "code", problem.code.as_str().into()).await;
    }
    done
}

/// A call that is in the audit log, and that the cluster refused or that did not get there, gets a line more, which says so. What was done in the
/// cluster is done: who did it is told, whether this can be written down or not.
pub async fn failed(state: &State, entry: AuditEntry, context: RequestContext, key: &str, value: Value) {
    ended(state, entry.outcome("failed"), context, key, value).await;
}

/// The line more of a call that ended with this outcome.
pub async fn ended(state: &State, entry: AuditEntry, context: RequestContext, key: &str, value: Value) {
    let mut detail = entry.detail.clone();
    detail[key] = value;
    if let Err(error) = state.store.audit_append(entry.detail(detail), context).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "how a call to a cluster ended cannot be written into the audit log");
    }
}
