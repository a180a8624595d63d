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
