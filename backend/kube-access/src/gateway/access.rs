//! What kind of thing a request does, for the decision by role before the cluster's RBAC decides, too.

use super::path::{KubePath, Resource};
use crate::KubeError;
use http::Method;

/// Kinds of access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Looks.
    Read,
    /// Looks at secrets.
    Secrets,
    /// Changes something.
    Write,
    /// Runs something in a pod, or opens a way into it.
    Exec,
}

impl Access {
    /// Classifies a request; an error: nobody may send it.
    pub fn classify(method: &Method, path: &str) -> Result<Self, KubeError> {
        const METHODS: [Method; 6] = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        if !METHODS.contains(method) {
            return Err(KubeError::Refused("this method is not passed on"));
        }
        let looks = looks(method);
        Ok(match KubePath::parse(path)? {
            // Whatever the method: over a WebSocket they are a GET.
            KubePath::Resource(r) if opens_a_pod(&r) => Self::Exec,
            KubePath::Resource(r) if looks && r.group.is_empty() && r.resource == "secrets" => Self::Secrets,
            KubePath::Resource(r) if *method == Method::POST && asks_about_oneself(&r) => Self::Read,
            _ if looks => Self::Read,
            _ => Self::Write,
        })
    }
}

/// How far a request reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Discovery and versions.
    Nothing,
    /// Questions about oneself: what one may do, in whichever namespace.
    Oneself,
    Namespace(String),
    /// Objects of no namespace, or of all.
    Cluster,
}

impl Reach {
    /// Of a request; an error: nobody may send it.
    pub fn of(method: &Method, path: &str) -> Result<Self, KubeError> {
        Ok(match KubePath::parse(path)? {
            KubePath::NonResource if tells_of_nobody(path) => Self::Nothing,
            // Figures, profiles and other people's requests.
            KubePath::NonResource => Self::Cluster,
            KubePath::Resource(r) if asks_about_oneself(&r) => Self::Oneself,
            // Whoever is in a namespace may look at it itself. To change it is no affair of who is in it.
            KubePath::Resource(r) if looks(method) && is_namespace(&r) => r.name.map_or(Self::Cluster, Self::Namespace),
            KubePath::Resource(r) => r.namespace.map_or(Self::Cluster, Self::Namespace),
        })
    }
}

/// Whether a request looks at what is said of the API itself: kinds and versions that there are, and their descriptions. kubectl keeps it on its disk, where it may, and
/// asks by `ETag` whether it is still the same; otherwise it would fetch all of it each time.
pub fn is_for_document(method: &Method, path: &str) -> Result<bool, KubeError> {
    Ok(looks(method) && KubePath::parse(path)? == KubePath::NonResource && tells_of_nobody(path))
}

fn looks(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// `/api/v1/namespaces/web`, and nothing below it.
fn is_namespace(resource: &Resource) -> bool {
    resource.group.is_empty() && resource.namespace.is_none() && resource.resource == "namespaces" && resource.subresource.is_none()
}

/// Which APIs there are, of which version, and whether they are well: what everybody may know who comes in (`system:discovery`).
fn tells_of_nobody(path: &str) -> bool {
    let first = path.split('/').find(|segment| !segment.is_empty()).unwrap_or_default();
    matches!(first, "" | "api" | "apis" | "openapi" | "version" | "healthz" | "livez" | "readyz")
}

fn opens_a_pod(resource: &Resource) -> bool {
    resource.group.is_empty() && resource.resource == "pods" && matches!(resource.subresource.as_deref(), Some("exec" | "attach" | "portforward"))
}

/// `kubectl auth can-i` and `whoami` ask by POST and change nothing.
fn asks_about_oneself(resource: &Resource) -> bool {
    matches!(
        (resource.group.as_str(), resource.resource.as_str()),
        ("authorization.k8s.io", "selfsubjectaccessreviews" | "selfsubjectrulesreviews") | ("authentication.k8s.io", "selfsubjectreviews")
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_request_reaches_into_one_namespace_or_all() {
        let into = |namespace: &str| Reach::Namespace(namespace.to_owned());
        for (path, expected) in [
            ("/api", Reach::Nothing),
            ("/openapi/v3", Reach::Nothing),
            ("/", Reach::Nothing),
            ("/readyz/etcd", Reach::Nothing),
            ("/version", Reach::Nothing),
            ("/metrics", Reach::Cluster),
            ("/debug/api_priority_and_fairness/dump_requests", Reach::Cluster),
            ("/debug/pprof/profile", Reach::Cluster),
            ("/logs/kubernetes/audit/audit.log", Reach::Cluster),
            ("/%61pi", Reach::Cluster),
            ("/apis/apps/v1", Reach::Nothing),
            ("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", Reach::Oneself),
            ("/api/v1/namespaces/a/pods/p/exec", into("a")),
            ("/apis/apps/v1/namespaces/a/deployments", into("a")),
            ("/api/v1/watch/namespaces/a/pods", into("a")),
            ("/api/v1/pods", Reach::Cluster),
            ("/api/v1/nodes/n", Reach::Cluster),
            ("/api/v1/namespaces", Reach::Cluster),
            ("/api/v1/namespaces/a/finalize", Reach::Cluster),
        ] {
            assert_eq!(Reach::of(&Method::GET, path).unwrap(), expected, "{path}");
        }
    }

    #[test]
    fn a_namespace_itself_is_looked_at_from_within_and_nothing_more() {
        for (method, path, expected) in [
            (Method::GET, "/api/v1/namespaces/a", Reach::Namespace("a".to_owned())),
            (Method::HEAD, "/api/v1/namespaces/a/", Reach::Namespace("a".to_owned())),
            (Method::PUT, "/api/v1/namespaces/a", Reach::Cluster),
            (Method::PATCH, "/api/v1/namespaces/a", Reach::Cluster),
            (Method::DELETE, "/api/v1/namespaces/a", Reach::Cluster),
            (Method::GET, "/api/v1/namespaces/a/status", Reach::Cluster),
            (Method::GET, "/api/v1/watch/namespaces", Reach::Cluster),
            (Method::GET, "/api/v1/watch/namespaces/a", Reach::Cluster),
            (Method::GET, "/apis/example.com/v1/namespaces/a", Reach::Cluster),
        ] {
            assert_eq!(Reach::of(&method, path).unwrap(), expected, "{method} {path}");
        }
    }

    #[test]
    fn documents_are_what_is_said_of_the_api_itself() {
        for path in ["/api", "/apis/apps/v1", "/openapi/v3", "/openapi/v3/apis/apps/v1", "/version"] {
            assert!(is_for_document(&Method::GET, path).unwrap(), "{path}");
            assert!(!is_for_document(&Method::POST, path).unwrap(), "{path}");
        }
        for path in ["/api/v1/secrets", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "/metrics", "/logs/kubelet.log", "/%61pi"] {
            assert!(!is_for_document(&Method::GET, path).unwrap(), "{path}");
        }
    }

    #[test]
    fn requests_are_classified() {
        for (method, path, expected) in [
            (Method::GET, "/api/v1/pods", Access::Read),
            (Method::GET, "/api/v1/namespaces/a/pods/p/log", Access::Read),
            (Method::HEAD, "/version", Access::Read),
            (Method::GET, "/api/v1/secrets", Access::Secrets),
            (Method::GET, "/api/v1/watch/secrets", Access::Secrets),
            (Method::GET, "/api/v1/namespaces/a/secrets/s", Access::Secrets),
            (Method::DELETE, "/api/v1/namespaces/a/secrets/s", Access::Write),
            (Method::POST, "/api/v1/namespaces/a/pods", Access::Write),
            (Method::PATCH, "/apis/apps/v1/namespaces/a/deployments/d/scale", Access::Write),
            (Method::GET, "/api/v1/namespaces/a/pods/p/exec", Access::Exec),
            (Method::POST, "/api/v1/namespaces/a/pods/p/attach", Access::Exec),
            (Method::GET, "/api/v1/namespaces/a/pods/p/portforward", Access::Exec),
            (Method::POST, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", Access::Read),
            (Method::POST, "/apis/authorization.k8s.io/v1/subjectaccessreviews", Access::Write),
        ] {
            assert_eq!(Access::classify(&method, path).unwrap(), expected, "{method} {path}");
        }
        for method in [Method::CONNECT, Method::TRACE, Method::OPTIONS] {
            assert!(Access::classify(&method, "/version").is_err());
        }
    }
}
