//! What kind of thing a request does, for the decision by role before the cluster's RBAC decides, too.

use super::path::{KubePath, Resource};
use crate::KubeError;
use domain::permissions::Permission;
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
    /// What the person needs for it; None: looking is for everybody who may see the cluster.
    #[must_use]
    pub fn permission(self) -> Option<Permission> {
        match self {
            Self::Read => None,
            Self::Secrets | Self::Write => Some(Permission::KubernetesWrite),
            Self::Exec => Some(Permission::KubernetesExec),
        }
    }

    /// Classifies a request; an error: nobody may send it.
    pub fn classify(method: &Method, path: &str) -> Result<Self, KubeError> {
        const METHODS: [Method; 6] = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        if !METHODS.contains(method) {
            return Err(KubeError::Refused("this method is not passed on"));
        }
        let looks = matches!(*method, Method::GET | Method::HEAD);
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
