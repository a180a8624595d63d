//! What is in a bundle, and that no text of a user gets out of its place.

use crate::{Fixture, documents, unpack};
use bootstrap::{Action, BootstrapError, BundleInput, Certificates, Encryption, bundle};
use domain::clusters::{Taint, TaintEffect};
use domain::settings::{ApiAuditLevel, ApiAuditSpec};
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
            ("etc/kubernetes/encryption/", 0o700),
            ("etc/kubernetes/encryption/configuration.yaml", 0o600),
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
fn every_master_encrypts_secrets_with_the_clusters_key_and_no_worker_has_it() {
    let fixture = Fixture::new();
    let tokens = [&fixture.token];
    let first = unpack(&bundle(&fixture.input(Action::Init { certificates: fixture.certificates(), join_tokens: &tokens })).unwrap());
    let path = "etc/kubernetes/encryption/configuration.yaml";
    let configuration: serde_json::Value = serde_json::from_str(&first[path].text).unwrap();
    let key = json!({"name": "1a2b3c4d", "secret": fixture.encryption_key.expose_secret()});
    assert_eq!(
        configuration,
        json!({"apiVersion": "apiserver.config.k8s.io/v1", "kind": "EncryptionConfiguration",
            "resources": [{"resources": ["secrets"], "providers": [{"secretbox": {"keys": [key]}}, {"identity": {}}]}]})
    );
    let server = &documents(&first)[1]["apiServer"];
    let named = json!({"name": "encryption-provider-config", "value": format!("/{path}")});
    assert!(server["extraArgs"].as_array().unwrap().contains(&named), "{server:#}");
    let mount = &server["extraVolumes"][0];
    assert!(named["value"].as_str().unwrap().starts_with(mount["mountPath"].as_str().unwrap()), "{server:#}");
    assert_eq!((&mount["hostPath"], &mount["readOnly"]), (&mount["mountPath"], &json!(true)));

    let joining = unpack(&bundle(&fixture.master()).unwrap());
    assert_eq!(joining[path].text, first[path].text);
    let worker = unpack(&bundle(&fixture.worker()).unwrap());
    assert!(worker.values().all(|entry| !entry.text.contains(fixture.encryption_key.expose_secret())));
}

#[test]
fn a_cluster_without_a_key_for_its_secrets_is_told_of_no_encryption() {
    let fixture = Fixture::new();
    let certificates = Certificates { encryption: Encryption::default(), ..fixture.certificates() };
    let init = Action::Init { certificates: certificates.clone(), join_tokens: &[&fixture.token] };
    let join = Action::JoinMaster { certificates, token: &fixture.token, ca_hash: &fixture.ca_hash };
    for action in [init, join] {
        let files = unpack(&bundle(&fixture.input(action)).unwrap());
        assert!(files.iter().all(|(path, entry)| !path.contains("encryption") && !entry.text.contains("encryption-provider")));
        assert!(documents(&files).iter().all(|document| document["apiServer"].get("extraVolumes").is_none()));
    }
}

/// The names of a provider's keys.
fn names(provider: &serde_json::Value) -> Vec<String> {
    if provider == &json!({"identity": {}}) {
        return vec!["identity".to_owned()];
    }
    provider["secretbox"]["keys"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect()
}

/// The providers that a joining master's API server gets, and all files of its bundle.
fn joining(fixture: &Fixture, encryption: Encryption<'_>) -> (Vec<Vec<String>>, std::collections::BTreeMap<String, crate::Entry>) {
    let certificates = Certificates { encryption, ..fixture.certificates() };
    let join = Action::JoinMaster { certificates, token: &fixture.token, ca_hash: &fixture.ca_hash };
    let files = unpack(&bundle(&fixture.input(join)).unwrap());
    let configuration: serde_json::Value = serde_json::from_str(&files["etc/kubernetes/encryption/configuration.yaml"].text).unwrap();
    let providers = configuration["resources"][0]["providers"].as_array().unwrap().iter().map(names).collect();
    (providers, files)
}

#[test]
fn every_stage_of_a_change_of_the_key_has_its_list_and_plain_text_is_read_last() {
    let fixture = Fixture::new();
    for names in [vec!["old"], vec!["old", "new"], vec!["new", "old"], vec!["new"]] {
        let keys = names.iter().map(|name| fixture.encryption(name)).collect();
        let (providers, files) = joining(&fixture, Encryption { keys, ..Encryption::default() });
        assert_eq!(providers, [names, vec!["identity"]]);
        assert!(files.keys().all(|path| !path.contains("patches")), "kubeadm's own configuration tells of it");
        assert!(documents(&files)[0].get("patches").is_none());
    }
}

#[test]
fn a_first_key_is_read_with_before_anything_is_written_with_it_and_masters_are_told_by_a_patch() {
    let fixture = Fixture::new();
    for (plain_first, expected) in [(true, [["identity"], ["new"]]), (false, [["new"], ["identity"]])] {
        let (providers, files) = joining(&fixture, Encryption { keys: vec![fixture.encryption("new")], plain_first, added_later: true });
        assert_eq!(providers, expected);
        let directory = documents(&files)[0]["patches"]["directory"].as_str().unwrap().trim_start_matches('/').to_owned();
        let entry = &files[&format!("{directory}/kube-apiserver+json.json")];
        let patch: serde_json::Value = serde_json::from_str(&entry.text).unwrap();
        let added = |path: &str| patch.as_array().unwrap().iter().find(|p| p["op"] == "add" && p["path"] == path).unwrap()["value"].clone();
        let file = added("/spec/containers/0/command/-").as_str().unwrap().strip_prefix("--encryption-provider-config=/").unwrap().to_owned();
        assert!(files.contains_key(&file), "{file}");
        let (mount, volume) = (added("/spec/containers/0/volumeMounts/-"), added("/spec/volumes/-"));
        assert_eq!((&mount["name"], &mount["mountPath"]), (&volume["name"], &volume["hostPath"]["path"]));
        assert!(format!("/{file}").starts_with(mount["mountPath"].as_str().unwrap()));
        assert!(!entry.text.contains(fixture.encryption_key.expose_secret()));
    }
}

/// The policy's rules, and what kubeadm is told, of a first master at this level.
fn audited(level: ApiAuditLevel) -> (Vec<serde_json::Value>, serde_json::Value) {
    let mut fixture = Fixture::new();
    fixture.spec.audit.level = level;
    let init = Action::Init { certificates: fixture.certificates(), join_tokens: &[&fixture.token] };
    let files = unpack(&bundle(&fixture.input(init)).unwrap());
    let policy: serde_json::Value = serde_json::from_str(&files["etc/kubernetes/audit/policy.yaml"].text).unwrap();
    assert_eq!((&policy["apiVersion"], &policy["kind"]), (&json!("audit.k8s.io/v1"), &json!("Policy")));
    assert_eq!(unpack(&bundle(&fixture.master()).unwrap())["etc/kubernetes/audit/policy.yaml"].text, files["etc/kubernetes/audit/policy.yaml"].text);
    assert!(unpack(&bundle(&fixture.worker()).unwrap()).keys().all(|path| !path.contains("audit")));
    (policy["rules"].as_array().unwrap().clone(), documents(&files)[1]["apiServer"].clone())
}

#[test]
fn every_master_of_an_audited_cluster_writes_a_log_of_bounded_size() {
    let (rules, server) = audited(ApiAuditLevel::Metadata);
    assert!(rules.iter().all(|rule| rule["level"] == "None" || rule["level"] == "Metadata"), "{rules:#?}");
    let argument = |name: &str| {
        let found = server["extraArgs"].as_array().unwrap().iter().find(|a| a["name"] == name);
        found.map(|a| a["value"].as_str().unwrap().to_owned()).unwrap_or_default()
    };
    assert_eq!(["maxsize", "maxbackup", "maxage"].map(|limit| argument(&format!("audit-log-{limit}"))), ["50", "10", "30"]);
    for (flag, name, read_only) in [("audit-policy-file", "audit-policy", true), ("audit-log-path", "audit-log", false)] {
        let mount = server["extraVolumes"].as_array().unwrap().iter().find(|m| m["name"] == name).unwrap();
        assert!(argument(flag).starts_with(mount["mountPath"].as_str().unwrap()), "{flag}");
        assert_eq!((&mount["hostPath"], &mount["readOnly"]), (&mount["mountPath"], &json!(read_only)));
    }
}

#[test]
fn bodies_that_may_hold_secrets_are_in_no_clusters_log() {
    let (rules, _) = audited(ApiAuditLevel::Request);
    let first = |fits: &dyn Fn(&serde_json::Value) -> bool| rules.iter().position(fits).unwrap();
    let bodies = first(&|rule| rule["level"] == "Request");
    let names = |group: &str, resource: &str| {
        first(&|rule| {
            let kinds = rule["resources"].as_array().map(Vec::as_slice).unwrap_or_default();
            let all_or = |kind: &serde_json::Value| kind["resources"].as_array().is_none_or(|list| list.contains(&json!(resource)));
            kinds.iter().any(|kind| kind["group"] == group && all_or(kind))
        })
    };
    for (group, resource) in [("", "secrets"), ("", "configmaps"), ("", "serviceaccounts/token"), ("authentication.k8s.io", "tokenreviews")] {
        let rule = &rules[names(group, resource)];
        assert!(names(group, resource) < bodies && rule["level"] == "Metadata", "{resource}: {rule}");
        assert!(["verbs", "users", "userGroups", "namespaces"].iter().all(|narrower| rule.get(narrower).is_none()), "{rule}");
    }
    for (group, resource) in [("coordination.k8s.io", "leases"), ("", "events"), ("events.k8s.io", "events")] {
        assert_eq!(rules[names(group, resource)]["level"], "None", "{resource}");
    }
    assert!(rules.iter().all(|rule| rule["level"] != "RequestResponse"), "answers hold secrets, too");
    assert_eq!(rules.last().unwrap(), &json!({"level": "Metadata"}), "what no rule names is written down");
}

#[test]
fn a_cluster_that_is_not_audited_is_told_of_no_audit() {
    let fixture = Fixture::new();
    let init = Action::Init { certificates: fixture.certificates(), join_tokens: &[&fixture.token] };
    let files = unpack(&bundle(&fixture.input(init)).unwrap());
    assert!(files.iter().all(|(path, entry)| !path.contains("audit") && !entry.text.contains("audit-")));
}

/// What a joining master's API server is told of an audit by a patch: flags, and directories by their names. Nothing: there is no such patch.
fn patched(files: &std::collections::BTreeMap<String, crate::Entry>) -> (Vec<String>, Vec<String>) {
    let Some(entry) = files.get("etc/kcs/patches/kube-apiserver-audit+json.json") else { return (vec![], vec![]) };
    assert_eq!(documents(files)[0]["patches"]["directory"], "/etc/kcs/patches");
    let patch: serde_json::Value = serde_json::from_str(&entry.text).unwrap();
    let added = |path: &str| -> Vec<serde_json::Value> {
        let all = patch.as_array().unwrap().iter().filter(|p| p["op"] == "add" && p["path"] == path);
        all.map(|p| p["value"].clone()).collect()
    };
    let names = |list: Vec<serde_json::Value>| -> Vec<String> { list.iter().map(|v| v["name"].as_str().unwrap().to_owned()).collect() };
    let mounts = added("/spec/containers/0/volumeMounts/-");
    for (mount, volume) in mounts.iter().zip(added("/spec/volumes/-")) {
        assert_eq!((&mount["name"], &mount["mountPath"]), (&volume["name"], &volume["hostPath"]["path"]));
    }
    let flags = added("/spec/containers/0/command/-").iter().map(|flag| flag.as_str().unwrap().to_owned()).collect();
    (flags, names(mounts))
}

#[test]
fn masters_that_join_write_down_what_is_wanted_now_whatever_the_cluster_was_made_with() {
    use ApiAuditLevel as Level;
    let (_, server) = audited(Level::Metadata);
    let told = |list: &str| server[list].as_array().unwrap().iter().filter(|entry| entry["name"].as_str().unwrap().starts_with("audit")).cloned();
    let flags: Vec<String> = told("extraArgs").map(|a| format!("--{}={}", a["name"].as_str().unwrap(), a["value"].as_str().unwrap())).collect();
    let mounts: Vec<String> = told("extraVolumes").map(|m| m["name"].as_str().unwrap().to_owned()).collect();
    for first in [Level::None, Level::Metadata, Level::Request] {
        for level in [Level::None, Level::Metadata, Level::Request] {
            let mut fixture = Fixture::new();
            fixture.spec.audit = ApiAuditSpec { level: first, made_with: None }.at(level);
            let files = unpack(&bundle(&fixture.master()).unwrap());
            let wanted = first == Level::None && level != Level::None;
            let expected = if wanted { (flags.clone(), mounts.clone()) } else { (vec![], vec![]) };
            assert_eq!(patched(&files), expected, "{first:?} to {level:?}: kubeadm's own configuration tells of it, or a patch");
            let policy = files.get("etc/kubernetes/audit/policy.yaml").map(|entry| serde_json::from_str::<serde_json::Value>(&entry.text).unwrap());
            match (first, level, policy) {
                (Level::None, Level::None, policy) => assert!(policy.is_none()),
                // Its API servers are told of a policy for good: this one lets nothing be written down.
                (_, Level::None, policy) => assert_eq!(policy.unwrap()["rules"], json!([{"level": "None"}])),
                (_, _, policy) => assert_eq!(policy.unwrap()["rules"].as_array().unwrap(), &audited(level).0),
            }
        }
    }
}

#[test]
fn a_first_key_and_a_first_audit_are_told_by_patches_side_by_side() {
    let mut fixture = Fixture::new();
    fixture.spec.audit = ApiAuditSpec::default().at(ApiAuditLevel::Metadata);
    let (_, files) = joining(&fixture, Encryption { keys: vec![fixture.encryption("new")], plain_first: true, added_later: true });
    let there: Vec<&str> = files.keys().filter_map(|path| path.strip_prefix("etc/kcs/patches/")).collect();
    assert_eq!(there, ["", "kube-apiserver+json.json", "kube-apiserver-audit+json.json"]);
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
        let spec = domain::clusters::ClusterSpec { version, ..fixture.spec.clone() };
        let mut input = fixture.worker();
        (input.node_name, input.pool, input.spec) = (&name, &pool, &spec);
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

#[test]
fn a_site_without_internet_is_told_its_time_proxy_mirror_authorities_and_disks() {
    let mut fixture = Fixture::new();
    assert!(!unpack(&bundle(&fixture.worker()).unwrap()).contains_key("etc/kcs/site"), "nothing is said where nothing was asked");
    fixture.spec.ntp_servers = vec!["ntp.example.com".into(), "10.0.0.1".into()];
    fixture.spec.proxy =
        Some(domain::settings::Proxy { http: Some("http://proxy.example.com:3128".into()), https: None, no_proxy: vec![".example.com".into()] });
    fixture.spec.registry_mirror = Some("mirror.example.com:5000/proxy".into());
    fixture.spec.ca_certificates = vec![fixture.certificate.clone()];
    let disks = [bootstrap::Disk { volume_id: "0f1e2d3c-aaaa-bbbb-cccc-000000000000", mount_path: "/srv/data" }];
    let files = unpack(&bundle(&BundleInput { disks: &disks, ..fixture.worker() }).unwrap());
    assert_eq!(files["etc/systemd/timesyncd.conf.d/50-kcs.conf"].text, "[Time]\nNTP=ntp.example.com 10.0.0.1\n");
    assert_eq!(files["etc/chrony/sources.d/kcs.sources"].text, "server ntp.example.com iburst\nserver 10.0.0.1 iburst\n");
    for unit in ["containerd", "kubelet"] {
        let text = &files[&format!("etc/systemd/system/{unit}.service.d/50-kcs-proxy.conf")].text;
        assert!(text.contains("Environment=\"HTTP_PROXY=http://proxy.example.com:3128\"\n"), "{text}");
        let without = text.lines().find(|l| l.contains("NO_PROXY=")).unwrap();
        for own in [".example.com", "10.0.10.0/24", "10.128.0.0/14", "10.96.0.0/16", ".svc"] {
            assert!(without.contains(own), "{own}: {without}");
        }
    }
    let hosts = &files["etc/containerd/certs.d/_default/hosts.toml"].text;
    assert_eq!(hosts, "[host.\"https://mirror.example.com:5000/v2/proxy\"]\n  capabilities = [\"pull\", \"resolve\"]\n  override_path = true\n");
    assert_eq!(files["usr/local/share/ca-certificates/kcs-0.crt"].text, fixture.certificate);
    assert_eq!(files["etc/kcs/disks"].text, "0f1e2d3c-aaaa-bbbb-cccc-000000000000 /srv/data\n");
    assert!(files.contains_key("etc/kcs/site"));
}

#[test]
fn text_that_would_say_more_than_it_should_makes_no_bundle() {
    for change in [
        |s: &mut domain::clusters::ClusterSpec| s.ntp_servers = vec!["a\nserver b".into()],
        |s: &mut domain::clusters::ClusterSpec| s.registry_mirror = Some("m\"]\n[x".into()),
        |s: &mut domain::clusters::ClusterSpec| {
            s.proxy = Some(domain::settings::Proxy { http: Some("http://p:1\"\nExecStart=/bin/sh".into()), https: None, no_proxy: vec![] });
        },
    ] {
        let mut fixture = Fixture::new();
        change(&mut fixture.spec);
        assert!(bundle(&fixture.worker()).is_err());
    }
    let fixture = Fixture::new();
    let disks = [bootstrap::Disk { volume_id: "a", mount_path: "/srv/$(id)" }];
    assert!(bundle(&BundleInput { disks: &disks, ..fixture.worker() }).is_err());
}
