//! What `clouds.yaml` files give, merged.
#![allow(clippy::unwrap_used)]
use super::*;

const FILE: &str = "
clouds:
  base: &base
    region_name: RegionOne
    auth: &auth {auth_url: 'http://127.0.0.1:5000/v3', username: admin, password: x, project_name: admin, user_domain_name: Default}
  kcs:
    <<: *base
    auth: {<<: *auth, username: kcs, project_name: service}
";

#[test]
fn an_entry_may_share_parts_with_another() {
    let found = read("kcs", FILE).unwrap();
    for (key, value) in [("auth_url", "http://127.0.0.1:5000/v3"), ("user_name", "kcs"), ("project", "service"), ("region", "RegionOne")] {
        assert_eq!(found[key], Value::from(value), "{key}");
    }
}

#[test]
fn what_is_missing_is_named() {
    assert!(read("other", FILE).unwrap_err().to_string().contains("no cloud \"other\""));
    let error = read("kcs", "clouds: {kcs: {auth: {username: kcs}}}").unwrap_err().to_string();
    assert!(error.contains("clouds.kcs.auth.auth_url is missing"), "{error}");
}
