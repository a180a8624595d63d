//! Which namespaces of a cluster are the system's: what is in them works for all, add-ons included.

/// Kubernetes keeps names that begin like this for itself.
#[must_use]
pub fn is_system(name: &str) -> bool {
    name.starts_with("kube-")
}
