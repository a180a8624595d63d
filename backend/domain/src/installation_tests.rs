//! Tests of what counts for the installation: what is set wins over the configuration, stays within bounds, and is told apart from what was.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::installation_checks::{AuthorizationWish, Seen, checks};
use crate::preflight::{Check, CheckLevel, Facts, FlavorFact, ImageFact};
use crate::tenants::TenantTerms;
use crate::test_support::spec;
use crate::versions::Support;

fn versions(names: &[&str]) -> Vec<CatalogueVersion> {
    let offered = |name: &&str| CatalogueVersion { version: (*name).to_owned(), support: Support::Current, image: format!("kcs-node-{name}") };
    names.iter().map(offered).collect()
}

fn configured() -> Installation {
    Installation {
        of_projects: [(Limited::Clusters, 20), (Limited::Vcpus, 64)].into(),
        nodes_per_pool: 100,
        nodes_per_cluster: 500,
        kubeconfig_days: 30,
        versions: versions(&["v1.36.3", "v1.35.4"]),
        templates: Vec::new(),
        prices: None,
        retention_days: Some(365),
        forward: Some(Url::parse("https://siem.example/in?token=t").unwrap()),
    }
}

fn set(text: &str) -> InstallationSettings {
    serde_json::from_str(text).unwrap()
}

fn fields(text: &str) -> Vec<String> {
    configured().with(&set(text)).wrong().into_iter().map(|v| v.field).collect()
}

#[test]
fn what_is_set_wins_and_null_is_not_the_same_as_nothing() {
    assert_eq!(configured().with(&set("{}")), configured());
    let now = configured().with(&set(r#"{"limits":{"clusters_per_project":null,"nodes_per_project":9,"nodes_per_pool":7},
            "prices":{"currency":"EUR","flavors":{"m":0.05}},"audit":{"retention_days":null,"forward":null}}"#));
    assert_eq!(now.of_projects, [(Limited::Nodes, 9), (Limited::Vcpus, 64)].into());
    assert_eq!((now.spec_limits().nodes_per_pool, now.spec_limits().nodes, now.kubeconfig_longest()), (7, 500, 30 * 24 * 3600));
    assert_eq!((now.retention_days, now.forward.is_none()), (None, true));
    assert_eq!(now.prices.unwrap().currency, "EUR");
    let offered = json!({"versions": versions(&["v1.36.3"]), "templates": [template("dev", None)]});
    let now = configured().with(&set(&offered.to_string()));
    assert_eq!((now.versions, now.templates), (versions(&["v1.36.3"]), vec![template("dev", None)]), "the whole list, not what is added to it");
    for wrong in [r#"{"versions":null}"#, r#"{"templates":null}"#, r#"{"versions":[{"version":"v1.36.3","support":"old","image":"i"}]}"#] {
        assert!(serde_json::from_str::<InstallationSettings>(wrong).is_err(), "{wrong}");
    }
    for wrong in [r#"{"limits":{"nodes_per_pool":null}}"#, r#"{"limits":{"pods":1}}"#, r#"{"audit":{"forward":"siem"}}"#, r#"{"log":{}}"#] {
        assert!(serde_json::from_str::<InstallationSettings>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_stored_comes_back_as_it_was() {
    let text = r#"{"limits":{"clusters_per_project":null,"kubeconfig_days":3},"prices":null,"audit":{"forward":"syslog+tcp://siem.example:6514"}}"#;
    let stored = serde_json::to_value(set(text)).unwrap();
    assert_eq!(stored, serde_json::from_str::<Value>(text).unwrap());
    assert_eq!(serde_json::from_value::<InstallationSettings>(stored).unwrap(), set(text));
    let offered = json!({"versions": versions(&["v1.36.3"]), "templates": [template("dev", Some("v1.36.3"))]}).to_string();
    let stored = serde_json::to_value(set(&offered)).unwrap();
    assert_eq!(serde_json::from_value::<InstallationSettings>(stored).unwrap(), set(&offered));
}

#[test]
fn every_key_is_known_by_its_name_in_the_configuration() {
    assert_eq!(configured().values().into_keys().collect::<std::collections::BTreeSet<_>>(), KEYS.into());
    let values = set(r#"{"limits":{"memory_gib_per_project":1},"audit":{"retention_days":null}}"#).values();
    assert_eq!(values, [("audit.retention_days", Value::Null), ("limits.memory_gib_per_project", json!(1))].into());
}

#[test]
fn what_is_out_of_bounds_is_named_by_its_key() {
    for (text, wrong) in [
        (r#"{"limits":{"clusters_per_project":0}}"#, "limits.clusters_per_project"),
        (r#"{"limits":{"clusters_per_project":100001}}"#, "limits.clusters_per_project"),
        (r#"{"limits":{"volume_gib_per_project":0}}"#, "limits.volume_gib_per_project"),
        (r#"{"limits":{"nodes_per_pool":5001}}"#, "limits.nodes_per_pool"),
        (r#"{"limits":{"nodes_per_cluster":0}}"#, "limits.nodes_per_cluster"),
        (r#"{"limits":{"kubeconfig_days":366}}"#, "limits.kubeconfig_days"),
        (r#"{"audit":{"retention_days":36501}}"#, "audit.retention_days"),
        (r#"{"audit":{"forward":"ftp://siem.example"}}"#, "audit.forward"),
        (r#"{"audit":{"forward":"https://user:secret@siem.example"}}"#, "audit.forward"),
        (r#"{"audit":{"forward":"syslog+udp://siem.example"}}"#, "audit.forward"),
        (r#"{"versions":[]}"#, "versions"),
        (r#"{"versions":[{"version":"1.36","support":"current","image":"i"}]}"#, "versions[0].version"),
        (r#"{"prices":{"currency":""}}"#, "prices.currency"),
        (r#"{"prices":{"currency":"EUR","flavors":{"":1}}}"#, "prices.flavors"),
    ] {
        assert_eq!(fields(text), [wrong], "{text}");
    }
    assert_eq!(
        fields(r#"{"limits":{"clusters_per_project":100000,"nodes_per_pool":5000,"kubeconfig_days":1},"audit":{"retention_days":1}}"#),
        [""; 0]
    );
}

/// A template that asks for this version.
fn template(id: &str, version: Option<&str>) -> Template {
    serde_json::from_value(json!({
        "id": id, "name": "Small", "name_zh": "Small", "description": "", "description_zh": "",
        "spec": version.map_or_else(|| json!({}), |version| json!({ "version": version })),
    }))
    .unwrap()
}

#[test]
fn what_is_offered_is_named_by_its_place_where_it_is_wrong() {
    let wrong = |versions: Vec<CatalogueVersion>, templates: Vec<Template>| {
        let all = Installation { versions, templates, ..configured() }.wrong();
        all.into_iter().map(|violation| violation.field).collect::<Vec<_>>()
    };
    let without_image = CatalogueVersion { image: String::new(), ..versions(&["v1.36.3"]).remove(0) };
    assert_eq!(wrong(versions(&["v1.36.3", "v1.35.4"]), vec![template("dev", None), template("old-1", Some("v1.35.4"))]), [""; 0]);
    assert_eq!(wrong(Vec::new(), Vec::new()), ["versions"]);
    assert_eq!(wrong(versions(&["v1.36.3", "1.36", "v1.036.3"]), Vec::new()), ["versions[1].version", "versions[2].version"]);
    assert_eq!(wrong(versions(&["v1.36.3", "v1.36.3"]), Vec::new()), ["versions[1].version"]);
    assert_eq!(wrong(vec![without_image], Vec::new()), ["versions[0].image"]);
    let offered = || versions(&["v1.36.3"]);
    assert_eq!(wrong(offered(), vec![template("Dev", None), template("", None)]), ["templates[0].id", "templates[1].id"]);
    assert_eq!(wrong(offered(), vec![template("dev", None), template("dev", Some("v1.35.4"))]), ["templates[1].id", "templates[1].spec.version"]);
    assert_eq!(wrong(offered(), vec![Template { own: true, ..template("dev", None) }]), ["templates[0].own"]);
    let many: Vec<_> = (0..101).map(|index| template(&format!("t{index}"), None)).collect();
    assert_eq!(wrong(offered(), many), ["templates"]);
}

#[test]
fn an_address_is_shown_without_what_may_be_a_secret() {
    let of = |text: &str| (origin(&Url::parse(text).unwrap()), shown(&Url::parse(text).unwrap()));
    assert_eq!(of("https://siem.example/in?token=t"), ("https://siem.example:443".into(), "https://siem.example/…".into()));
    assert_eq!(of("http://[::1]:8080/"), ("http://[::1]:8080".into(), "http://[::1]:8080".into()));
    assert_eq!(of("syslog+tcp://siem.example:6514"), ("syslog+tcp://siem.example:6514".into(), "syslog+tcp://siem.example:6514".into()));
    assert_eq!(configured().values()[FORWARD], "https://siem.example/…");
}

#[test]
fn differences_and_marks_follow_what_is_set() {
    let (one, other) =
        (set(r#"{"limits":{"nodes_per_pool":5},"audit":{"forward":null}}"#), set(r#"{"audit":{"forward":"https://siem.example/path"}}"#));
    let found = one.differences(&other);
    let sides: Vec<_> = found.iter().map(|d| (d.key.as_str(), d.before.clone(), d.after.clone())).collect();
    assert_eq!(sides, [("limits.nodes_per_pool", Some(json!(5)), None), (FORWARD, Some(Value::Null), Some(json!("https://siem.example/path")))]);
    let told = json!({"before": {"limits.nodes_per_pool": 5, FORWARD: "none"}, "after": {FORWARD: "https://siem.example/…"}});
    assert_eq!(words(&found), told);
    assert!(one.differences(&one).is_empty());
    let mark = |by: &str| Mark { by: by.to_owned(), at: OffsetDateTime::UNIX_EPOCH };
    let first = marked(Marks::new(), &InstallationSettings::default().differences(&one), &mark("ada"));
    let second = marked(first.clone(), &found, &mark("bob"));
    assert_eq!(first.keys().collect::<Vec<_>>(), [FORWARD, "limits.nodes_per_pool"]);
    assert_eq!(second, [(FORWARD.to_owned(), mark("bob"))].into());
}

/// What is not well, by key, level and field.
fn found(text: &str, authorization: AuthorizationWish<'_>, seen: &Seen) -> Vec<(String, CheckLevel, String)> {
    let all = checks(&configured(), &configured().with(&set(text)), authorization, seen);
    let word = |check: Check| (check.key, check.level, check.field.unwrap_or_default());
    all.into_iter().filter(|check| check.level != CheckLevel::Ok).map(word).collect()
}

#[test]
fn whoever_has_more_than_a_new_limit_is_counted_unless_their_own_terms_say_otherwise() {
    let own = TenantTerms { limits: [(Limited::Vcpus, None)].into(), ..TenantTerms::default() };
    let has = |vcpus| [(Limited::Clusters, 1), (Limited::Vcpus, vcpus)].into();
    let tenants = vec![(TenantTerms::default(), has(40)), (own, has(60)), (TenantTerms::default(), has(8))];
    let seen = Seen { tenants, clusters: vec![spec(3, 4), spec(1, 2)], offered: None };
    let warned = |text: &str| found(text, AuthorizationWish::Nothing, &seen).into_iter().map(|(_, _, field)| field).collect::<Vec<_>>();
    assert_eq!(warned(r#"{"limits":{"vcpus_per_project":32}}"#), ["limits.vcpus_per_project"]);
    assert_eq!(warned(r#"{"limits":{"vcpus_per_project":40}}"#), [""; 0]);
    assert_eq!(warned(r#"{"limits":{"vcpus_per_project":null,"nodes_per_project":1}}"#), [""; 0]);
    assert_eq!(warned(r#"{"limits":{"nodes_per_pool":3,"nodes_per_cluster":6}}"#), ["limits.nodes_per_pool", "limits.nodes_per_cluster"]);
    let all = checks(&configured(), &configured().with(&set(r#"{"limits":{"vcpus_per_project":32}}"#)), AuthorizationWish::Nothing, &seen);
    let limits = all.iter().find(|check| check.key == "limits").unwrap();
    assert_eq!((&limits.params["over"], &limits.params["limit"]), (&json!(1), &json!(32)), "the one with a limit of its own is not touched");
}

/// What a small cloud has.
fn cloud() -> Facts {
    let image = |version: &&str| ImageFact {
        name: format!("kcs-node-{version}"),
        status: "active".to_owned(),
        min_disk_gib: 10,
        min_ram_mib: 1024,
        kubernetes_version: Some((*version).to_owned()),
        progress: None,
    };
    Facts {
        images: ["v1.36.3", "v1.35.4"].iter().map(image).collect(),
        flavors: vec![FlavorFact { name: "m".to_owned(), vcpus: 2, ram_mib: 4096, disk_gib: 40 }],
        volume_types: vec!["ssd".to_owned()],
        external_networks: vec!["public".to_owned()],
        load_balancing: true,
        block_storage: true,
        ..Facts::default()
    }
}

#[test]
fn a_version_that_clusters_have_may_be_hidden_and_not_removed() {
    let seen = Seen { clusters: vec![spec(1, 1), spec(1, 2)], offered: Some(cloud()), ..Seen::default() };
    let of = |offered: Vec<CatalogueVersion>, seen: &Seen| found(&json!({ "versions": offered }).to_string(), AuthorizationWish::Nothing, seen);
    let check = |level, field: &str| vec![("versions".to_owned(), level, field.to_owned())];
    assert_eq!(of(versions(&["v1.35.4"]), &seen), check(CheckLevel::Blocked, "versions"));
    let all = checks(&configured(), &Installation { versions: versions(&["v1.35.4"]), ..configured() }, AuthorizationWish::Nothing, &seen);
    let in_use = all.iter().find(|check| check.key == "versions").unwrap();
    assert_eq!((in_use.code, &in_use.params["version"], &in_use.params["over"]), (Some(Code::VersionInUse), &json!("v1.36.3"), &json!(2)));
    let nothing: [(String, CheckLevel, String); 0] = [];
    assert_eq!(of(versions(&["v1.36.3"]), &seen), nothing, "nobody has the other one");
    let mut hidden = versions(&["v1.36.3", "v1.35.4"]);
    hidden[0].support = Support::Hidden;
    assert_eq!(of(hidden.clone(), &seen), nothing);
    let more = [hidden.clone(), versions(&["v1.37.0"])].concat();
    assert_eq!(of(more, &seen), check(CheckLevel::Warning, "versions[2].image"), "it may come yet");
    let other = CatalogueVersion { image: "kcs-node-v1.35.4".to_owned(), ..hidden.remove(0) };
    assert_eq!(of([vec![other], hidden].concat(), &seen), check(CheckLevel::Warning, "versions[0].image"), "it holds another version");
    assert_eq!(of(versions(&["v1.36.3"]), &Seen::default()), check(CheckLevel::Warning, "versions"), "the cloud did not say");
}

#[test]
fn a_template_of_which_no_cluster_can_be_made_is_named_with_what_is_wrong() {
    let seen = Seen { offered: Some(cloud()), ..Seen::default() };
    let text = |spec: Value, versions: Vec<CatalogueVersion>| {
        let template = Template { spec: serde_json::from_value(spec).unwrap(), ..template("dev", None) };
        json!({ "versions": versions, "templates": [template] }).to_string()
    };
    let of = |spec: Value| found(&text(spec, versions(&["v1.36.3", "v1.35.4"])), AuthorizationWish::Nothing, &seen);
    let check = |level, field: &str| vec![("templates".to_owned(), level, format!("templates[0].spec.{field}"))];
    let nothing: [(String, CheckLevel, String); 0] = [];
    assert_eq!(of(json!({})), nothing);
    let large = json!({"node_pools": [{"name": "default", "flavor": "l", "count": 2, "volume_type": "ssd"}]});
    assert_eq!(of(large), check(CheckLevel::Warning, "node_pools[0].flavor"));
    assert_eq!(of(json!({"control_plane": {"volume_type": "gold"}})), check(CheckLevel::Warning, "control_plane.volume_type"));
    assert_eq!(of(json!({"control_plane": {"count": 2}})), check(CheckLevel::Blocked, "control_plane.count"));
    let mut hidden = versions(&["v1.36.3", "v1.35.4"]);
    hidden[1].support = Support::Hidden;
    let named = found(&text(json!({"version": "v1.35.4"}), hidden), AuthorizationWish::Nothing, &seen);
    assert_eq!(named, check(CheckLevel::Warning, "version"));
    let broken = text(json!({"control_plane": {"count": 2}}), versions(&["v1.36.3", "v1.35.4"]));
    let silent = found(&broken, AuthorizationWish::Nothing, &Seen::default());
    let not_compared = ("templates".to_owned(), CheckLevel::Warning, "templates".to_owned());
    assert_eq!(silent, [check(CheckLevel::Blocked, "control_plane.count"), vec![not_compared]].concat(), "rules need no cloud");
    let all = checks(&configured(), &configured().with(&set(&broken)), AuthorizationWish::Nothing, &seen);
    let told = all.iter().find(|check| check.key == "templates").unwrap();
    assert_eq!((told.message.as_str(), &told.params["template"]), ("must be 1, 3 or 5", &json!("dev")));
}

#[test]
fn a_template_of_the_configuration_whose_version_is_not_set_stands_against_nothing_but_a_change_of_either() {
    let file = Installation { templates: vec![template("dev", None), template("old", Some("v1.35.4"))], ..configured() };
    let before = file.with(&set(&json!({"versions": versions(&["v1.36.3"])}).to_string()));
    let blocked = |mut more: Value| {
        if more.get("versions").is_none() {
            more["versions"] = json!(versions(&["v1.36.3"]));
        }
        let after = file.with(&set(&more.to_string()));
        let all = checks(&before, &after, AuthorizationWish::Nothing, &Seen::default());
        all.into_iter().filter(|check| check.level == CheckLevel::Blocked).filter_map(|check| check.field).collect::<Vec<_>>()
    };
    assert_eq!(blocked(json!({"limits": {"kubeconfig_days": 7}, "prices": {"currency": "EUR"}})), [""; 0]);
    assert_eq!(blocked(json!({"limits": {"kubeconfig_days": 0}})), ["limits.kubeconfig_days"], "what is given must be right");
    assert_eq!(blocked(json!({"versions": versions(&["v1.36.3", "v1.37.0"])})), ["templates[1].spec.version"]);
    assert_eq!(blocked(json!({"templates": [template("old", Some("v1.35.4"))]})), ["templates[0].spec.version"]);
    assert_eq!(blocked(json!({"templates": [template("dev", None)]})), [""; 0]);
}

#[test]
fn prices_are_compared_with_what_the_cloud_has() {
    let seen = Seen { offered: Some(cloud()), ..Seen::default() };
    let fields = |text: &str, seen: &Seen| found(text, AuthorizationWish::Nothing, seen).into_iter().map(|(_, _, field)| field).collect::<Vec<_>>();
    let list = |flavor: &str, volume: &str| {
        format!(r#"{{"prices":{{"currency":"EUR","flavors":{{"{flavor}":1}},"volume_gib":{{"default":1,"{volume}":1}}}}}}"#)
    };
    assert_eq!(fields(&list("m", "ssd"), &seen), [""; 0]);
    assert_eq!(fields(&list("l", "gold"), &seen), ["prices.flavors", "prices.volume_gib"]);
    assert_eq!(fields(&list("m", "ssd"), &Seen::default()), ["prices"], "the cloud did not say");
    assert_eq!(fields("{}", &Seen::default()), [""; 0]);
}

#[test]
fn what_is_lost_or_read_by_others_is_said_and_an_authorization_goes_nowhere_else() {
    use AuthorizationWish::{Give, Keep, Nothing, Remove};
    use CheckLevel::{Blocked, Warning};
    let one = |text: &str, wish| found(text, wish, &Seen::default()).into_iter().map(|(key, level, _)| (key, level)).collect::<Vec<_>>();
    let nothing: [(String, CheckLevel); 0] = [];
    let (forward, retention) = ("audit_forward".to_owned(), "audit_retention".to_owned());
    assert_eq!(one(r#"{"audit":{"retention_days":30}}"#, Nothing), [(retention, Warning)]);
    assert_eq!(one(r#"{"audit":{"retention_days":null}}"#, Nothing), nothing);
    assert_eq!(one(r#"{"audit":{"forward":null}}"#, Nothing), [(forward.clone(), Warning)]);
    assert_eq!(one(r#"{"audit":{"forward":"syslog+tcp://siem.example:514"}}"#, Nothing), [(forward.clone(), Warning)]);
    let here = "https://siem.example:443";
    assert_eq!(one(r#"{"audit":{"forward":"https://siem.example/other"}}"#, Keep(here)), nothing);
    for elsewhere in ["https://siem.example:8443/in", "https://other.example/in"] {
        let text = format!(r#"{{"audit":{{"forward":"{elsewhere}"}}}}"#);
        assert_eq!(one(&text, Keep(here)), [(forward.clone(), Blocked)], "{elsewhere}");
        assert_eq!([one(&text, Give), one(&text, Remove)].concat(), nothing, "{elsewhere}");
    }
    let by_syslog = one(r#"{"audit":{"forward":"syslog+tcp://siem.example:514"}}"#, Give);
    assert_eq!(by_syslog, [(forward.clone(), Blocked), (forward, Warning)]);
}
