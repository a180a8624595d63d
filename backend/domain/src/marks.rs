//! Labels and taints of nodes: their forms in Kubernetes, the keys that belong to others, and what a person changes of one node's.

use crate::clusters::{Taint, TaintEffect};
use crate::requests::{Rules, Violation, is_dns_name};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Whose keys nobody else sets: Kubernetes tells by them what a node is and how it is, and KCS which pool it is of.
const RESERVED: [&str; 4] = ["kubernetes.io", "k8s.io", "kcs.io", "kcs.cloud"];
const MOST_LABELS: usize = 50;
const MOST_TAINTS: usize = 20;

/// What a person changes of a node's labels and taints. What is not named stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeMarks {
    /// Labels to be set, by their keys; null takes one away.
    #[serde(default)]
    pub labels: BTreeMap<String, Option<String>>,
    /// Taints to be set; one of the same key and effect gets the new value.
    #[serde(default)]
    pub taints: Vec<Taint>,
    /// Taints to be taken away.
    #[serde(default)]
    pub remove_taints: Vec<TaintKey>,
}

/// What a node has one taint of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaintKey {
    pub key: String,
    pub effect: TaintEffect,
}

/// As kubectl takes it: `key:NoSchedule`.
impl fmt::Display for TaintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.key, self.effect.as_str())
    }
}

impl NodeMarks {
    /// Every rule that is broken.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let mut rules = Rules(Vec::new());
        let nothing = self.labels.is_empty() && self.taints.is_empty() && self.remove_taints.is_empty();
        rules.must(!nothing, "labels", "or taints or remove_taints must name something");
        labels(&mut rules, "labels", self.labels.iter().map(|(key, value)| (key, value.as_ref())));
        taints(&mut rules, "taints", &self.taints);
        rules.must(self.remove_taints.len() <= MOST_TAINTS, "remove_taints", "must be at most 20 taints");
        for (index, gone) in self.remove_taints.iter().enumerate().take(MOST_TAINTS) {
            let field = format!("remove_taints[{index}].key");
            key(&mut rules, &field, &gone.key, "must be a Kubernetes label key");
            let wanted = self.taints.iter().any(|t| t.key == gone.key && t.effect == gone.effect);
            rules.must(!wanted, &field, "the same key and effect is to be set, too");
        }
        rules.0
    }
}

/// The labels and taints of a pool's nodes: all of them, but for what belongs to Kubernetes and KCS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolMarks {
    pub labels: BTreeMap<String, String>,
    pub taints: Vec<Taint>,
}

impl PoolMarks {
    /// Every rule that is broken.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let mut rules = Rules(Vec::new());
        labels(&mut rules, "labels", self.labels.iter().map(|(key, value)| (key, Some(value))));
        taints(&mut rules, "taints", &self.taints);
        rules.0
    }

    /// What makes these of a node that had those from before. What was set on the node alone stays.
    #[must_use]
    pub fn after(&self, before: &Self) -> NodeMarks {
        let gone = before.labels.keys().filter(|key| !is_reserved(key)).map(|key| (key.clone(), None));
        let set = self.labels.iter().map(|(key, value)| (key.clone(), Some(value.clone())));
        let stays = |old: &Taint| self.taints.iter().any(|t| t.key == old.key && t.effect == old.effect);
        let leaving = before.taints.iter().filter(|old| !is_reserved(&old.key) && !stays(old));
        NodeMarks {
            labels: gone.chain(set).collect(),
            taints: self.taints.clone(),
            remove_taints: leaving.map(|old| TaintKey { key: old.key.clone(), effect: old.effect }).collect(),
        }
    }
}

/// Whether a key belongs to Kubernetes or KCS.
#[must_use]
pub fn is_reserved(key: &str) -> bool {
    let within = |domain: &str, of: &str| domain.strip_suffix(of).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    key.split_once('/').is_some_and(|(domain, _)| RESERVED.iter().any(|of| within(domain, of)))
}

/// Labels at a field; none in place of a value: it is to go.
pub(crate) fn labels<'a>(rules: &mut Rules, at: &str, labels: impl ExactSizeIterator<Item = (&'a String, Option<&'a String>)>) {
    rules.must(labels.len() <= MOST_LABELS, at, "must be at most 50 labels");
    for (name, value) in labels.take(MOST_LABELS) {
        let field = format!("{at}.{}", name.chars().take(80).collect::<String>());
        key(rules, &field, name, "the key must be a Kubernetes label key");
        rules.must(value.is_none_or(|value| is_value(value)), &field, "the value must be a Kubernetes label value");
    }
}

pub(crate) fn taints(rules: &mut Rules, at: &str, taints: &[Taint]) {
    rules.must(taints.len() <= MOST_TAINTS, at, "must be at most 20 taints");
    for (index, taint) in taints.iter().enumerate().take(MOST_TAINTS) {
        let field = format!("{at}[{index}]");
        key(rules, &format!("{field}.key"), &taint.key, "must be a Kubernetes label key");
        rules.must(is_value(&taint.value), &format!("{field}.value"), "must be a Kubernetes label value");
        let twice = taints[..index].iter().any(|t| t.key == taint.key && t.effect == taint.effect);
        rules.must(!twice, &field, "the same key and effect is there already");
    }
}

fn key(rules: &mut Rules, field: &str, key: &str, form: &str) {
    rules.must(is_key(key), field, form);
    rules.must(!is_reserved(key), field, "keys of kubernetes.io, k8s.io and kcs.io are reserved");
}

fn is_key(text: &str) -> bool {
    match text.split_once('/') {
        None => is_name(text),
        Some((domain, name)) => is_dns_name(domain) && is_name(name),
    }
}

fn is_value(text: &str) -> bool {
    text.is_empty() || is_name(text)
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inside = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=63).contains(&bytes.len()) && bytes.iter().all(inside) && bytes[0].is_ascii_alphanumeric() && bytes[bytes.len() - 1].is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(marks: &NodeMarks) -> Vec<String> {
        marks.violations().into_iter().map(|v| v.field).collect()
    }

    fn label(key: &str, value: Option<&str>) -> NodeMarks {
        NodeMarks { labels: [(key.to_owned(), value.map(str::to_owned))].into(), ..NodeMarks::default() }
    }

    fn taint(key: &str, value: &str) -> Taint {
        Taint { key: key.to_owned(), value: value.to_owned(), effect: TaintEffect::NoSchedule }
    }

    fn gone(key: &str) -> TaintKey {
        TaintKey { key: key.to_owned(), effect: TaintEffect::NoSchedule }
    }

    #[test]
    fn labels_have_the_form_of_kubernetes_and_may_go() {
        for (key, value) in [("tier", Some("web")), ("example.com/tier", Some("")), ("tier", None), ("a.b_c-D", Some("1.2_3-X"))] {
            assert_eq!(fields(&label(key, value)), Vec::<String>::new(), "{key} {value:?}");
        }
        for (key, value) in
            [("", None), ("a b", None), ("-a", None), ("Example.com/a", None), ("a/b/c", None), ("tier", Some("a b")), ("tier", Some("-"))]
        {
            assert_eq!(fields(&label(key, value)), [format!("labels.{key}")], "{key} {value:?}");
        }
    }

    #[test]
    fn what_says_what_a_node_is_and_how_it_is_belongs_to_nobody_else() {
        for key in
            ["kubernetes.io/hostname", "node-role.kubernetes.io/worker", "node.kubernetes.io/unschedulable", "topology.k8s.io/zone", "kcs.io/pool"]
        {
            assert!(is_reserved(key), "{key}");
            assert_eq!(fields(&label(key, None)), [format!("labels.{key}")]);
            let taints = NodeMarks { taints: vec![taint(key, "")], ..NodeMarks::default() };
            assert_eq!(fields(&taints), ["taints[0].key"], "{key}");
            let removal = NodeMarks { remove_taints: vec![gone(key)], ..NodeMarks::default() };
            assert_eq!(fields(&removal), ["remove_taints[0].key"], "{key}");
        }
        for key in ["tier", "notkubernetes.io/x", "example.com/kcs.io", "kcs.io.example.com/x"] {
            assert!(!is_reserved(key), "{key}");
        }
    }

    #[test]
    fn what_a_pool_had_goes_from_its_nodes_and_what_it_has_now_is_set() {
        let pool = |labels: &[(&str, &str)], taints: Vec<Taint>| PoolMarks {
            labels: labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            taints,
        };
        let before = pool(&[("tier", "web"), ("disk", "fast"), ("kcs.io/pool", "other")], vec![taint("gpu", "a"), taint("old", "")]);
        let now = pool(&[("tier", "store"), ("new", "")], vec![taint("gpu", "b")]);
        let change = now.after(&before);
        let labels: Vec<(&str, Option<&str>)> = change.labels.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
        assert_eq!(labels, [("disk", None), ("new", Some("")), ("tier", Some("store"))]);
        assert_eq!((change.taints, change.remove_taints), (vec![taint("gpu", "b")], vec![gone("old")]));
        assert!(now.violations().is_empty());
        assert_eq!(before.violations()[0].field, "labels.kcs.io/pool");
    }

    #[test]
    fn a_taint_is_set_once_or_goes_and_something_is_named() {
        assert_eq!(fields(&NodeMarks::default()), ["labels"]);
        let twice = NodeMarks { taints: vec![taint("gpu", "a"), taint("gpu", "b")], ..NodeMarks::default() };
        assert_eq!(fields(&twice), ["taints[1]"]);
        let both = NodeMarks { taints: vec![taint("gpu", "a")], remove_taints: vec![gone("gpu")], ..NodeMarks::default() };
        assert_eq!(fields(&both), ["remove_taints[0].key"]);
        let value = NodeMarks { taints: vec![taint("gpu", "a b")], ..NodeMarks::default() };
        assert_eq!(fields(&value), ["taints[0].value"]);
    }
}
