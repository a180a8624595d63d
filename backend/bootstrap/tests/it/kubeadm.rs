//! kubeadm's own opinion of the configurations, with the real binaries of both versions where they are there.

use crate::{Fixture, documents, unpack};
use bootstrap::{Action, Certificates, Encryption, bundle};
use domain::addons::{Addon, AddonsSpec};
use domain::clusters::{Taint, TaintEffect};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

fn kubeadm(version: &str) -> Option<PathBuf> {
    let directory = std::env::var_os("KCS_KUBERNETES_DIR").map(PathBuf::from).or_else(|| {
        let home = std::env::var_os("HOME")?;
        Some(PathBuf::from(home).join(".cache/kcs/kubernetes"))
    })?;
    let binary = directory.join(version).join("kubeadm");
    binary.exists().then_some(binary)
}

#[test]
fn kubeadm_finds_every_configuration_valid() {
    let mut fixture = Fixture::new();
    for value in ["yes", "1e3", "0x10", "null", "2001-01-01"] {
        fixture.labels.insert(format!("example.com/l{value}"), value.to_owned());
        fixture.taints.push(Taint { key: format!("t{value}"), value: value.to_owned(), effect: TaintEffect::PreferNoSchedule });
    }
    fixture.spec.audit.level = domain::settings::ApiAuditLevel::Request;
    fixture.spec.addons = AddonsSpec { pod_network: true, ..AddonsSpec::default() };
    let tokens = [&fixture.token];
    let init = Action::Init { certificates: fixture.certificates(), join_tokens: &tokens };
    for version in ["v1.36.3", "v1.35.4"] {
        let Some(binary) = kubeadm(version) else {
            // Straight to the stream: what `eprintln!` says is shown of failed tests only.
            writeln!(std::io::stderr(), "SKIPPED for {version}: no kubeadm (KCS_KUBERNETES_DIR or the cache)").unwrap();
            continue;
        };
        let spec = domain::clusters::ClusterSpec { version: version.to_owned(), ..fixture.spec.clone() };
        let later = Encryption { keys: vec![fixture.encryption("1a2b3c4d")], plain_first: true, added_later: true };
        let patched = Certificates { encryption: later, ..fixture.certificates() };
        let patched = fixture.input(Action::JoinMaster { certificates: patched, token: &fixture.token, ca_hash: &fixture.ca_hash });
        for mut input in [fixture.input(init.clone()), fixture.master(), patched, fixture.worker()] {
            input.spec = &spec;
            let files = unpack(&bundle(&input).unwrap());
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join("kubeadm.yaml");
            std::fs::write(&file, &files["etc/kcs/kubeadm.yaml"].text).unwrap();
            let output = Command::new(&binary).args(["config", "validate", "--config"]).arg(&file).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
            assert!(!said.to_lowercase().contains("unknown field"), "{said}");
            assert!(!said.contains("deprecated"), "{said}");
        }
    }
}

#[test]
fn kubeadm_lays_core_dns_down_only_where_no_add_on_does() {
    let skipped = |fixture: &Fixture, version: &str, addons: AddonsSpec| {
        let spec = domain::clusters::ClusterSpec { version: version.to_owned(), addons, ..fixture.spec.clone() };
        let init = Action::Init { certificates: fixture.certificates(), join_tokens: &[&fixture.token] };
        let mut input = fixture.input(init);
        input.spec = &spec;
        documents(&unpack(&bundle(&input).unwrap()))[0]["skipPhases"].clone()
    };
    let (fixture, some) = (Fixture::new(), AddonsSpec { metrics: true, ..AddonsSpec::default() });
    assert_eq!(skipped(&fixture, "v1.36.3", some.clone()), serde_json::json!(["addon/coredns"]));
    assert_eq!(skipped(&fixture, "v1.36.3", AddonsSpec::default()), serde_json::Value::Null);
    assert_eq!(skipped(&fixture, "v1.99.0", some), serde_json::Value::Null);
}

#[test]
fn the_release_of_core_dns_is_the_one_that_kubeadm_has_nodes_hold() {
    for version in ["v1.36.3", "v1.35.4"] {
        let Some(binary) = kubeadm(version) else {
            writeln!(std::io::stderr(), "SKIPPED for {version}: no kubeadm (KCS_KUBERNETES_DIR or the cache)").unwrap();
            continue;
        };
        let output = Command::new(&binary).args(["config", "images", "list", "--kubernetes-version", version]).output().unwrap();
        let listed = String::from_utf8_lossy(&output.stdout).into_owned();
        let ours = bootstrap::addons::images(Addon::Dns, [version], None);
        assert!(ours.len() == 1 && listed.lines().any(|image| image == ours[0]), "{ours:?} is not among\n{listed}");
    }
}
