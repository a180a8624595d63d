//! User-data: what it holds, how large it is, and that it holds no secret but the token.

use crate::Fixture;
use bootstrap::{BootstrapError, UserData, user_data};
use secrecy::{ExposeSecret, SecretString};
use serde_yaml_ng::Value;

#[test]
fn it_is_a_small_cloud_config_with_one_secret() {
    let fixture = Fixture::new();
    let token = SecretString::from("kcs_node_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let text = user_data(&UserData { endpoint: "https://198.18.0.1:8443/", ca_pem: &fixture.certificate, token: &token, ssh_key: None }).unwrap();
    let text = text.expose_secret();
    assert!(text.starts_with("#cloud-config\n"));
    assert!(text.len() < 12 * 1024, "{}", text.len());
    assert!(!text.contains("PRIVATE KEY"));
    assert_eq!(text.matches("kcs_node_A").count(), 1);
    let config: Value = serde_yaml_ng::from_str(text).unwrap();
    let files: Vec<_> = config["write_files"]
        .as_sequence()
        .unwrap()
        .iter()
        .map(|file| (file["path"].as_str().unwrap(), file["permissions"].as_str().unwrap()))
        .collect();
    assert_eq!(
        files,
        [("/etc/kcs/endpoint", "0644"), ("/etc/kcs/ca.crt", "0644"), ("/etc/kcs/authorization", "0600"), ("/usr/local/sbin/kcs-bootstrap", "0700"),]
    );
    // Quoted: YAML 1.1 reads 0700 as the number 448.
    assert!(text.contains("permissions: '0700'"));
    assert_eq!(config["runcmd"][0][0], Value::from("/usr/local/sbin/kcs-bootstrap"));
    assert_eq!(config["write_files"][0]["content"], Value::from("https://198.18.0.1:8443\n"));
}

#[test]
fn what_is_too_large_for_nova_is_refused() {
    let input = UserData { endpoint: "https://kcs", ca_pem: &"x".repeat(17_000), token: &SecretString::from("t"), ssh_key: None };
    assert!(matches!(user_data(&input), Err(BootstrapError::TooLarge { .. })));
}

#[test]
fn a_public_key_lets_its_owner_in_and_none_lets_nobody_in() {
    let fixture = Fixture::new();
    let text = |ssh_key| {
        let input = UserData { endpoint: "https://kcs", ca_pem: &fixture.certificate, token: &SecretString::from("t"), ssh_key };
        user_data(&input).unwrap().expose_secret().to_owned()
    };
    let config: Value = serde_yaml_ng::from_str(&text(Some("ssh-ed25519 AAAA me@there"))).unwrap();
    assert_eq!(config["ssh_authorized_keys"][0], Value::from("ssh-ed25519 AAAA me@there"));
    assert!(!text(None).contains("ssh_authorized_keys"));
}

#[test]
fn nobody_signs_in_to_a_node_by_password() {
    let fixture = Fixture::new();
    for ssh_key in [None, Some("ssh-ed25519 AAAA me@there")] {
        let input = UserData { endpoint: "https://kcs", ca_pem: &fixture.certificate, token: &SecretString::from("t"), ssh_key };
        let config: Value = serde_yaml_ng::from_str(user_data(&input).unwrap().expose_secret()).unwrap();
        assert_eq!(config["ssh_pwauth"], Value::from(false), "an image's own password would be good");
        for gives_one in ["password", "chpasswd", "users", "user"] {
            assert!(config.get(gives_one).is_none(), "{gives_one}");
        }
    }
}
