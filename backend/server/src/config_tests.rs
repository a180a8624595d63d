//! Tests of the configuration.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use secrecy::ExposeSecret;

const GOOD: &str = "
database: {url: 'postgres://kcs@localhost/kcs'}
cloud: {auth_url: 'https://keystone.example/v3', user_name: kcs, password: secret, project: service}
nodes: {endpoint: 'https://kcs.example:8443'}
versions: [{version: v1.36.3, support: current, image: kcs-node-v1.36.3}]
";

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut tree: Value = serde_yaml_ng::from_str(text).unwrap();
    for (name, value) in environment {
        lay_over(&mut tree, name, value)?;
    }
    Config::from_value(tree)
}

fn error(text: &str) -> String {
    load(text, &[]).unwrap_err().to_string()
}

#[test]
fn the_environment_wins_over_the_file() {
    let config =
        load(GOOD, &[("KCS_LISTEN", "127.0.0.1:9000"), ("KCS_CLOUD__PASSWORD", "123"), ("KCS_ENGINE__WORKERS", "3"), ("KCS_DEV_PASSWORD", "x")])
            .unwrap();
    assert_eq!(config.listen.port(), 9000);
    assert_eq!(config.tls_address().port(), 9363);
    assert_eq!(config.cloud.password.expose_secret(), "123");
    assert_eq!(config.engine.workers, 3);
    assert_eq!(config.metrics.listen, None, "figures are nowhere unless somebody says where");
    assert_eq!(load(GOOD, &[("KCS_METRICS__LISTEN", "127.0.0.1:9090")]).unwrap().metrics.listen, Some(([127, 0, 0, 1], 9090).into()));
    assert!(!config.direct_access && load(GOOD, &[("KCS_DIRECT_ACCESS", "true")]).unwrap().direct_access);
}

#[test]
fn every_error_names_its_key() {
    assert!(error(&GOOD.replace("user_name: kcs, ", "")).starts_with("cloud.user_name: "));
    assert!(error(&format!("{GOOD}\nlisten_at: 1")).starts_with("listen_at: "));
    assert!(error(&GOOD.replace("project: service", "project: service, tenant: x")).starts_with("cloud.tenant: "));
    assert!(error(&GOOD.replace("postgres:", "mysql:")).starts_with("database.url: "));
    assert!(error(&GOOD.replace("https://kcs.example", "http://kcs.example")).starts_with("nodes.endpoint: "));
    assert!(error(&GOOD.replace("version: v1.36.3", "version: 1.36")).starts_with("versions[0].version: "));
    assert!(error(&format!("{GOOD}\nengine: {{workers: many}}")).starts_with("engine.workers: "));
    assert!(error(&format!("{GOOD}\nengine: {{sweep_minutes: 0}}")).starts_with("engine.sweep_minutes: "));
    assert!(error(&format!("{GOOD}\nproxies: {{trusted: [10.0.0.1]}}")).starts_with("proxies.trusted[0]: "));
    assert!(error(&format!("{GOOD}\nproxies: {{trusted: ['::/0']}}")).starts_with("proxies.trusted: "));
    assert!(error(&format!("{GOOD}\nproxies: {{header: x-real-ip}}")).starts_with("proxies.header: "));
    assert!(error(&format!("{GOOD}\naudit: {{retention_days: 0}}")).starts_with("audit.retention_days: "));
    assert!(error(&format!("{GOOD}\nmetrics: {{listen: here}}")).starts_with("metrics.listen: "));
    for taken in ["127.0.0.1:8080", "127.0.0.1:8443"] {
        assert!(error(&format!("{GOOD}\nmetrics: {{listen: '{taken}'}}")).starts_with("metrics.listen: "), "{taken}");
    }
    for (section, key) in [
        ("limits: {clusters_per_project: 0}", "limits.clusters_per_project: "),
        ("limits: {volumes_per_project: 0}", "limits.volumes_per_project: "),
        ("limits: {nodes_per_pool: 5001}", "limits.nodes_per_pool: "),
        ("limits: {gate_requests_per_minute: 1000001}", "limits.gate_requests_per_minute: "),
        ("limits: {streams_per_person: 0}", "limits.streams_per_person: "),
        ("limits: {streams_per_cluster: 100001}", "limits.streams_per_cluster: "),
        ("limits: {kubeconfig_days: 366}", "limits.kubeconfig_days: "),
        ("prices: {currency: ''}", "prices.currency: "),
        ("prices: {currency: EUR, load_balancer: -1}", "prices.load_balancer: "),
    ] {
        let said = error(&format!("{GOOD}\n{section}"));
        assert!(said.starts_with(key), "{said}");
    }
    for forward in ["ftp://siem.example", "https://user:secret@siem.example", "syslog+tcp://siem.example"] {
        let said = error(&format!("{GOOD}\naudit: {{forward: '{forward}'}}"));
        assert!(said.starts_with("audit.forward: ") && !said.contains("secret"), "{said}");
    }
}

#[test]
fn each_operator_grant_names_a_role_and_one_place() {
    let with = |grant: &str| format!("{GOOD}\naccess: {{operators: [{{role: admin, project: admin}}, {{{grant}}}]}}");
    for grant in ["role: admin, system: all", "role: admin, domain: default", "role: cloud_admin, project: ops"] {
        assert_eq!(load(&with(grant), &[]).unwrap().access.operators.len(), 2, "{grant}");
    }
    for (grant, key) in [
        ("role: admin", "access.operators[1]: "),
        ("role: admin, project: a, domain: b", "access.operators[1]: "),
        ("role: admin, project: a, system: all", "access.operators[1]: "),
        ("role: admin, domain: ''", "access.operators[1]: "),
        ("role: '', system: all", "access.operators[1]: role"),
        ("project: admin", "access.operators[1].role: "),
        ("role: admin, system: some", "access.operators[1].system: "),
        ("role: admin, system: all, user: ada", "access.operators[1].user: "),
    ] {
        let said = error(&with(grant));
        assert!(said.starts_with(key), "{grant}: {said}");
    }
    let by_environment = load(GOOD, &[("KCS_ACCESS__OPERATORS", "[{role: admin, system: all}]")]).unwrap();
    assert_eq!(by_environment.access.wide_scopes().len(), 1);
}

#[test]
fn keys_come_from_a_file_or_from_the_environment() {
    let key = "A".repeat(43) + "=";
    let both = format!("2026-11:{key},2026-05:{key}");
    let config = load(GOOD, &[("KCS_KEYS", &both)]).unwrap();
    let text = config.keys.as_ref().unwrap();
    assert_eq!(sealed::KeyRing::parse(text).unwrap().active(), "2026-11");
    assert!(!format!("{config:?}").contains(&key));
    for wrong in [format!("{GOOD}\nkeys: 'a:{key}'\nkeys_file: /etc/kcs/keys"), format!("{GOOD}\nkeys: 'a:short'")] {
        let said = error(&wrong);
        assert!(said.starts_with("keys: ") && !said.contains("short") && !said.contains(&key), "{said}");
    }
}

#[test]
fn a_vault_is_spoken_to_safely_or_not_at_all() {
    for (section, key) in [
        ("address: 'http://vault.example', token: t", "vault.address"),
        ("address: 'https://vault.example'", "vault.token"),
        ("address: 'https://vault.example', token: t, token_file: /t", "vault.token"),
        ("address: 'https://vault.example', token: t, key: '../sys/raw'", "vault.key"),
        ("address: 'https://vault.example', token: t, mount: 'a?b'", "vault.mount"),
    ] {
        let said = error(&format!("{GOOD}\nvault: {{{section}}}"));
        assert!(said.starts_with(key), "{said}");
    }
    let config = load(&format!("{GOOD}\nvault: {{address: 'http://127.0.0.1:8200'}}"), &[("KCS_VAULT__TOKEN", "12345")]).unwrap();
    assert_eq!(config.vault.unwrap().token.unwrap().expose_secret(), "12345");
}

#[test]
fn no_secret_is_shown() {
    assert!(!format!("{:?}", load(GOOD, &[]).unwrap()).contains("secret\""));
}

#[test]
fn the_example_is_valid() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../kcs.example.yaml");
    Config::load(Some(Path::new(example)), std::iter::empty()).unwrap();
}

#[test]
fn identity_providers_have_pages_of_keystones_where_browsers_reach_it() {
    let with =
        |more: &str| format!("{GOOD}\nfederation: {{providers: [{{id: corp, identity_provider: corp, protocol: openid, label: Corporate{more}}}]}}");
    let pages = |environment: &[(&str, &str)]| {
        let config = load(&with(""), environment).unwrap();
        config.federation.providers(&config.cloud.auth_url).into_iter().map(|p| p.page.to_string()).collect::<Vec<_>>()
    };
    let page = "v3/auth/OS-FEDERATION/identity_providers/corp/protocols/openid/websso";
    assert_eq!(pages(&[]), [format!("https://keystone.example/{page}")]);
    assert_eq!(pages(&[("KCS_FEDERATION__KEYSTONE_URL", "https://login.example/identity")]), [format!("https://login.example/identity/{page}")]);
    for (text, key) in [
        (with("").replace("id: corp,", "id: '',"), "federation.providers[0].id: "),
        (with("").replace("identity_provider: corp", "identity_provider: ../x"), "federation.providers[0].identity_provider: "),
        (with("").replace("protocol: openid", "protocol: '..'"), "federation.providers[0].protocol: "),
        (with("").replace("label: Corporate", "label: ' '"), "federation.providers[0].label: "),
        (with("}, {id: corp, identity_provider: b, protocol: openid, label: B"), "federation.providers[1].id: "),
        (with(", secret: x"), "federation.providers[0].secret: "),
    ] {
        assert!(error(&text).starts_with(key), "{key} {}", error(&text));
    }
}
