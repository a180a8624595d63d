//! What is in a bundle, and that no text of a user gets out of its place.

use crate::{Fixture, documents, unpack};
use bootstrap::{Action, BootstrapError, bundle};
use domain::clusters::{Taint, TaintEffect};
use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

#[test]
fn the_first_master_gets_all_authorities_and_every_token() {
    let fixture = Fixture::new();
    let second = SecretString::from("ghijkl.0123456789abcdef");
    let tokens = [&fixture.token, &second];
    let input = fixture.input(Action::Init { certificates: fixture.certificates(), join_tokens: &tokens });
    let bundle = bundle(&input).unwrap();
    assert!(bundle.expose_secret().len() < 64 * 1024);
    let files = unpack(&bundle);
    let modes: Vec<_> = files.iter().map(|(path, entry)| (path.as_str(), entry.mode)).collect();
    assert_eq!(
        modes,
        [
            ("etc/kcs/", 0o700),
            ("etc/kcs/action", 0o644),
            ("etc/kcs/kubeadm.yaml", 0o600),
            ("etc/kubernetes/", 0o755),
            ("etc/kubernetes/pki/", 0o755),
            ("etc/kubernetes/pki/ca.crt", 0o644),
            ("etc/kubernetes/pki/ca.key", 0o600),
            ("etc/kubernetes/pki/etcd/", 0o755),
            ("etc/kubernetes/pki/etcd/ca.crt", 0o644),
            ("etc/kubernetes/pki/etcd/ca.key", 0o600),
            ("etc/kubernetes/pki/front-proxy-ca.crt", 0o644),
            ("etc/kubernetes/pki/front-proxy-ca.key", 0o600),
            ("etc/kubernetes/pki/sa.key", 0o600),
            ("etc/kubernetes/pki/sa.pub", 0o644),
            ("etc/modules-load.d/kubernetes.conf", 0o644),
            ("etc/sysctl.d/90-kubernetes.conf", 0o644),
        ]
    );
    assert_eq!(files["etc/kcs/action"].text, "init\n");
    let documents = documents(&files);
    let kinds: Vec<_> = documents.iter().map(|d| d["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["InitConfiguration", "ClusterConfiguration", "KubeletConfiguration", "KubeProxyConfiguration"]);
    assert_eq!(documents[0]["bootstrapTokens"].as_array().unwrap().len(), 2);
    assert_eq!(documents[0]["localAPIEndpoint"], json!({"advertiseAddress": "10.0.10.21", "bindPort": 6443}));
    assert_eq!(documents[1]["controlPlaneEndpoint"], "10.0.10.10:6443");
    assert_eq!(documents[1]["apiServer"]["certSANs"], json!(["10.0.10.10", "127.30.0.7", "127.0.0.1"]));
    assert_eq!(documents[1]["clusterName"], "kcs-01890000-0000-7000-8000-0123456789ab");
    assert_eq!(documents[3]["conntrack"], json!({"maxPerCore": 0, "min": 0}));
}

#[test]
fn the_configuration_is_the_last_file() {
    let fixture = Fixture::new();
    let bundle = bundle(&fixture.master()).unwrap();
    let mut archive = tar::Archive::new(bundle.expose_secret());
    let last = archive.entries().unwrap().last().unwrap().unwrap();
    assert_eq!(last.path().unwrap().to_str(), Some("etc/kcs/kubeadm.yaml"));
}

#[test]
fn a_worker_gets_no_key_and_only_its_own_token() {
    let fixture = Fixture::new();
    let files = unpack(&bundle(&fixture.worker()).unwrap());
    assert!(!files.keys().any(|path| path.contains("pki")));
    assert!(files.values().all(|entry| !entry.text.contains("PRIVATE KEY")));
    let join = &documents(&files)[0];
    assert_eq!(join["discovery"]["bootstrapToken"]["token"], fixture.token.expose_secret());
    assert_eq!(join["discovery"]["bootstrapToken"]["caCertHashes"], json!([fixture.ca_hash]));
    assert!(join.get("controlPlane").is_none());
    assert!(join["nodeRegistration"].get("taints").is_none());
}

#[test]
fn labels_and_taints_of_the_pool_are_set_but_not_those_of_kubernetes() {
    let mut fixture = Fixture::new();
    for (key, value) in [("tier", "yes"), ("node-role.kubernetes.io/worker", ""), ("kcs.io/pool", "other")] {
        fixture.labels.insert(key.to_owned(), value.to_owned());
    }
    fixture.taints.push(Taint { key: "dedicated".to_owned(), value: "on".to_owned(), effect: TaintEffect::NoExecute });
    let files = unpack(&bundle(&fixture.worker()).unwrap());
    let registration = &documents(&files)[0]["nodeRegistration"];
    assert_eq!(
        registration["kubeletExtraArgs"],
        json!([{"name": "node-labels", "value": "kcs.io/pool=default,tier=yes"}, {"name": "node-ip", "value": "10.0.10.21"}])
    );
    assert_eq!(registration["taints"], json!([{"key": "dedicated", "value": "on", "effect": "NoExecute"}]));
}

#[test]
fn a_first_master_without_tokens_is_refused() {
    let fixture = Fixture::new();
    let input = fixture.input(Action::Init { certificates: fixture.certificates(), join_tokens: &[] });
    assert!(matches!(bundle(&input), Err(BootstrapError::NoJoinToken)));
}

proptest! {
    #[test]
    fn hostile_text_is_refused_or_stays_in_its_place(
        name in "\\PC{0,20}", pool in "\\PC{0,20}", key in "\\PC{0,20}", value in ".{0,20}", version in "\\PC{0,10}",
    ) {
        let mut fixture = Fixture::new();
        fixture.labels.insert(key.clone(), value.clone());
        fixture.taints.push(Taint { key, value, effect: TaintEffect::NoSchedule });
        let mut input = fixture.worker();
        (input.node_name, input.pool, input.version) = (&name, &pool, &version);
        prop_assert!(bundle(&input).is_err() || name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    }

    #[test]
    fn any_valid_text_comes_out_as_it_went_in(
        name in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", pool in "[a-z][a-z0-9]{0,10}",
        key in "[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?", value in "([A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?)?",
    ) {
        let mut fixture = Fixture::new();
        fixture.labels.insert(key.clone(), value.clone());
        fixture.taints.push(Taint { key: key.clone(), value: value.clone(), effect: TaintEffect::NoSchedule });
        let mut input = fixture.worker();
        (input.node_name, input.pool) = (&name, &pool);
        let files = unpack(&bundle(&input).unwrap());
        // As YAML, too: names like `on`, `1e3` or `null` must stay names.
        let yaml: serde_json::Value = serde_yaml_ng::from_str(&files["etc/kcs/kubeadm.yaml"].text).unwrap();
        prop_assert_eq!(&yaml, &documents(&files)[0]);
        let registration = &yaml["nodeRegistration"];
        prop_assert_eq!(registration["name"].as_str(), Some(name.as_str()));
        prop_assert_eq!(registration["taints"][0]["value"].as_str(), Some(value.as_str()));
        let labels = registration["kubeletExtraArgs"][0]["value"].as_str().unwrap().to_owned();
        prop_assert_eq!(labels, format!("kcs.io/pool={pool},{key}={value}"));
    }
}
