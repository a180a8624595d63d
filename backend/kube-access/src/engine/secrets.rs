//! Writing all Secrets of a cluster anew, each put back as it was read: API servers encrypt them with the key that they write with now.

use super::{Engine, segment};
use crate::KubeError;
use futures::{FutureExt, StreamExt};
use http::{HeaderMap, Method};
use serde::Deserialize;
use serde_json::Value;

/// Secrets of a page: an answer holds as many of the largest.
const PAGE: usize = 20;
/// Secrets put back at the same time.
const PARALLEL: usize = 8;

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewriting {
    /// The cluster's revision when it began: what is newer was written since.
    pub since: Option<u64>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// The last page was reached.
    pub done: bool,
}

#[derive(Deserialize)]
struct Page {
    metadata: PageMetadata,
    items: Vec<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PageMetadata {
    resource_version: String,
    #[serde(rename = "continue")]
    next: String,
}

impl Engine {
    /// One page further. An error: the page is to be done again, which is safe.
    pub async fn rewrite_secrets(&self, so_far: &Rewriting) -> Result<Rewriting, KubeError> {
        let from = so_far.next.as_ref().map(|next| format!("&continue={}", segment(next))).unwrap_or_default();
        let page: Page = match self.channel.get(&format!("/api/v1/secrets?limit={PAGE}{from}"), HeaderMap::new()).await {
            // The place in the list was kept for some minutes only. From the beginning: what was put back before is newer, and passed over.
            Err(KubeError::Status { status: 410, .. }) if so_far.next.is_some() => return Ok(Rewriting { next: None, ..so_far.clone() }),
            other => other?,
        };
        let since = so_far.since.or_else(|| page.metadata.resource_version.parse().ok());
        let newer = |secret: &Value| revision(secret).zip(since).is_some_and(|(own, since)| own > since);
        let old: Vec<Value> = page.items.into_iter().filter(|secret| !newer(secret)).collect();
        // Boxed: the compiler cannot prove a stream of borrowed futures sendable for every lifetime.
        let calls: Vec<_> = old.into_iter().map(|secret| self.put_back(secret).boxed()).collect();
        let outcomes: Vec<_> = futures::stream::iter(calls).buffer_unordered(PARALLEL).collect().await;
        outcomes.into_iter().collect::<Result<(), KubeError>>()?;
        let next = Some(page.metadata.next).filter(|next| !next.is_empty());
        Ok(Rewriting { since, done: next.is_none(), next })
    }

    /// Only as it was read: whoever wrote it meanwhile has had it encrypted with the key of now, and what is gone needs no key.
    async fn put_back(&self, mut secret: Value) -> Result<(), KubeError> {
        let text = |key: &str| secret["metadata"][key].as_str().unwrap_or_default().to_owned();
        let (namespace, name) = (text("namespace"), text("name"));
        let path = format!("/api/v1/namespaces/{}/secrets/{}", segment(&namespace), segment(&name));
        // In a list objects do not say what they are.
        if let Some(object) = secret.as_object_mut() {
            object.insert("apiVersion".to_owned(), Value::from("v1"));
            object.insert("kind".to_owned(), Value::from("Secret"));
        }
        match self.channel.write(Method::PUT, &path, "application/json", &secret).await {
            Err(KubeError::Status { status: 404, .. }) => Ok(()),
            Err(KubeError::Status { status: 409, reason, .. }) if reason == "Conflict" => Ok(()),
            // In the words of whoever refused it may stand what is in it: they go no further.
            Err(KubeError::Status { status, reason, .. }) => {
                let message = format!("the Secret {namespace}/{name} was not taken back: {status} {reason}");
                Err(KubeError::Status { status, reason, message })
            }
            other => other,
        }
    }
}

fn revision(secret: &Value) -> Option<u64> {
    secret["metadata"]["resourceVersion"].as_str()?.parse().ok()
}
