//! One call: what is asked of which service, and the answer as it came.

use crate::catalog::Service;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use url::Url;

/// What is asked of a service.
#[derive(Clone)]
pub(crate) struct Call<'a> {
    pub service: Service,
    /// In words, for people and metrics: `create server`.
    pub operation: &'static str,
    pub method: Method,
    pub path: Vec<&'a str>,
    pub query: Vec<(&'a str, String)>,
    pub body: Option<Value>,
    /// Whether it makes, changes or deletes something.
    pub changes: bool,
}

impl<'a> Call<'a> {
    fn new(service: Service, operation: &'static str, method: Method, path: &[&'a str], body: Option<Value>) -> Self {
        let changes = method != Method::GET;
        Self { service, operation, method, path: path.to_vec(), query: Vec::new(), body, changes }
    }

    pub(crate) fn get(service: Service, operation: &'static str, path: &[&'a str]) -> Self {
        Self::new(service, operation, Method::GET, path, None)
    }

    pub(crate) fn post(service: Service, operation: &'static str, path: &[&'a str], body: Value) -> Self {
        Self::new(service, operation, Method::POST, path, Some(body))
    }

    pub(crate) fn put(service: Service, operation: &'static str, path: &[&'a str], body: Option<Value>) -> Self {
        Self::new(service, operation, Method::PUT, path, body)
    }

    pub(crate) fn patch(service: Service, operation: &'static str, path: &[&'a str], body: Value) -> Self {
        Self::new(service, operation, Method::PATCH, path, Some(body))
    }

    pub(crate) fn delete(service: Service, operation: &'static str, path: &[&'a str]) -> Self {
        Self::new(service, operation, Method::DELETE, path, None)
    }

    pub(crate) fn query(mut self, key: &'a str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }

    /// A POST that only asks.
    pub(crate) fn reading(mut self) -> Self {
        self.changes = false;
        self
    }

    /// The call's URL; None when a path segment is one that would make it another call's.
    pub(crate) fn url(&self, root: &Url) -> Option<Url> {
        if self.path.iter().any(|segment| matches!(*segment, "" | "." | "..")) {
            return None;
        }
        let mut url = root.clone();
        url.path_segments_mut().ok()?.pop_if_empty().extend(&self.path);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Some(url)
    }
}

/// How Keystone says what is wrong.
#[derive(Deserialize)]
struct KeystoneError {
    #[serde(rename = "error")]
    _error: Said,
}

#[derive(Deserialize)]
struct Said {
    #[serde(rename = "code")]
    _code: u16,
    #[serde(rename = "message")]
    _message: String,
}

/// An answer as it came.
pub(crate) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// Whether something else than the service spoke: a proxy's page, or nothing at all where the service says what is not there.
    /// Glance alone writes its errors as pages.
    pub(crate) fn is_foreign(&self, service: Service) -> bool {
        let kind = self.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        match self.status {
            200..300 => kind.starts_with("text/html"),
            404 => match service {
                Service::Image => false,
                // That a project or a person is gone is believed of nobody else.
                Service::Identity => serde_json::from_slice::<KeystoneError>(&self.body).is_err(),
                _ => serde_json::from_slice::<IgnoredAny>(&self.body).is_err(),
            },
            _ => false,
        }
    }

    /// Whether it is Keystone's that what was given is right, and not all it wants.
    pub(crate) fn asks_for_more(&self, service: Service) -> bool {
        service == Service::Identity && self.status == 401 && self.headers.contains_key("openstack-auth-receipt")
    }

    pub(crate) fn request_id(&self) -> Option<String> {
        let header = |name| self.headers.get(name).and_then(|v| v.to_str().ok());
        header("x-openstack-request-id").or_else(|| header("x-compute-request-id")).map(|id| id.chars().take(128).collect())
    }
}
