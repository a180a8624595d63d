//! What may stand in a node's configuration: names, labels and taints in the forms of Kubernetes. They end up in kubelet's command line, too.

use crate::BootstrapError;
use domain::clusters::Taint;

/// A DNS label, as names of nodes and pools are.
pub fn dns_label(what: &'static str, text: &str) -> Result<(), BootstrapError> {
    let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let ends = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    check(plain && bytes.len() <= 63 && ends(bytes.first()) && ends(bytes.last()), what, text)
}

/// `[prefix/]name` of a label or taint.
pub fn label_key(text: &str) -> Result<(), BootstrapError> {
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    let prefix_fits = prefix.is_none_or(|p| p.len() <= 253 && p.split('.').all(|part| dns_label("label", part).is_ok()));
    check(prefix_fits && !name.is_empty() && qualified(name), "label", text)
}

/// A label's or taint's value; may be empty.
pub fn label_value(text: &str) -> Result<(), BootstrapError> {
    check(qualified(text), "label value", text)
}

pub fn taint(taint: &Taint) -> Result<(), BootstrapError> {
    label_key(&taint.key)?;
    label_value(&taint.value)
}

/// A host's name or address.
pub fn host(what: &'static str, text: &str) -> Result<(), BootstrapError> {
    check(text.len() <= 253 && text.split('.').all(|part| dns_label(what, part).is_ok()), what, text)
}

/// An absolute path of plain names.
pub fn path(what: &'static str, text: &str) -> Result<(), BootstrapError> {
    let part = |p: &str| !p.is_empty() && p != ".." && p.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    check(text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(part)), what, text)
}

/// Text that means nothing to a shell, to systemd or to TOML.
pub fn plain(what: &'static str, text: &str) -> Result<(), BootstrapError> {
    let harmless = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'/' | b',');
    check(!text.is_empty() && text.bytes().all(harmless), what, text)
}

/// `v1.36.3`
pub fn version(text: &str) -> Result<(), BootstrapError> {
    let valid = text.parse::<domain::versions::KubernetesVersion>().is_ok();
    check(valid, "Kubernetes version", text)
}

/// A label that a kubelet may give itself: none of Kubernetes' own, but for two prefixes. The engine sets the others.
pub fn kubelet_may_set(key: &str) -> bool {
    let Some((prefix, _)) = key.split_once('/') else {
        return true;
    };
    let of = |domain: &str| prefix == domain || prefix.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    !of("kubernetes.io") && !of("k8s.io") || of("node.kubernetes.io") || of("kubelet.kubernetes.io")
}

/// At most 63 letters, digits, `-`, `_`, `.`, beginning and ending with a letter or digit; or nothing.
fn qualified(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inner = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let ends = |b: Option<&u8>| b.is_none_or(u8::is_ascii_alphanumeric);
    bytes.len() <= 63 && bytes.iter().all(inner) && ends(bytes.first()) && ends(bytes.last())
}

fn check(valid: bool, what: &'static str, value: &str) -> Result<(), BootstrapError> {
    if valid {
        return Ok(());
    }
    let value = value.chars().take(100).collect();
    Err(BootstrapError::Invalid { what, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_the_form_of_kubernetes() {
        for good in ["a", "kcs.io/pool", "example.com/a_b.c-D9"] {
            assert!(label_key(good).is_ok(), "{good}");
        }
        for bad in ["", "/", "a/", "/a", "a/b/c", "-a", "a-", "A.b/c,d=e", "a b", "a\"", "a$(id)", "\u{e4}", "Example.com/a"] {
            assert!(label_key(bad).is_err(), "{bad}");
        }
        for bad in ["a b", "a,b=c", "-", "a\n", "$x"] {
            assert!(label_value(bad).is_err(), "{bad}");
        }
        assert!(label_value("").is_ok());
    }

    #[test]
    fn labels_of_kubernetes_are_left_to_the_engine() {
        for own in ["tier", "example.com/tier", "notkubernetes.io/x", "node.kubernetes.io/exclude", "a.node.kubernetes.io/b"] {
            assert!(kubelet_may_set(own), "{own}");
        }
        for theirs in ["node-role.kubernetes.io/worker", "kubernetes.io/os", "topology.k8s.io/zone", "node-restriction.kubernetes.io/x"] {
            assert!(!kubelet_may_set(theirs), "{theirs}");
        }
    }
}
