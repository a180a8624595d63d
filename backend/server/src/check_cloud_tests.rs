//! What the checks of a cloud say.
#![allow(clippy::unwrap_used)]
use super::*;

fn version() -> CatalogueVersion {
    CatalogueVersion { version: "v1.36.3".to_owned(), support: Support::Current, image: "node".to_owned() }
}

fn image(name: &str, status: &str, holds: &str) -> Image {
    let properties = [(VERSION_PROPERTY.to_owned(), holds.to_owned())].into();
    Image {
        id: name.to_owned(),
        name: name.to_owned(),
        status: status.to_owned(),
        min_disk_gib: 10,
        min_ram_mib: 512,
        size_bytes: None,
        visibility: "public".to_owned(),
        properties,
    }
}

#[test]
fn an_image_must_be_there_once_active_and_say_what_it_holds() {
    let good = image("node", "active", "v1.36.3");
    assert_eq!(judge_image(&version(), std::slice::from_ref(&good)).level, Level::Ok);
    for bad in [vec![], vec![image("other", "active", "v1.36.3")], vec![good.clone(), good.clone()], vec![image("node", "queued", "v1.36.3")]] {
        assert_eq!(judge_image(&version(), &bad).level, Level::Missing, "{bad:?}");
    }
    let wrong = judge_image(&version(), &[image("node", "active", "v1.35.4")]);
    assert_eq!(wrong.level, Level::Missing);
    assert!(wrong.remedy.contains("kcs_kubernetes_version=v1.36.3"), "{}", wrong.remedy);
}

#[test]
fn an_old_version_without_an_image_is_no_reason_to_fail() {
    let old = CatalogueVersion { support: Support::Deprecated, ..version() };
    assert_eq!(judge_image(&old, &[]).level, Level::Warning);
}

#[test]
fn what_stands_behind_load_balancers_is_said_as_far_as_octavia_tells() {
    let said = |named: Option<&str>, offered: &[&str]| {
        let offered: Vec<String> = offered.iter().map(|name| (*name).to_owned()).collect();
        let line = providers_line(named, &offered);
        (line.level, line.remedy.contains("is not checked here"), line.remedy.contains("Name cloud.load_balancer_provider"))
    };
    let both = ["amphora", "ovn"];
    assert_eq!(said(None, &["amphora", "octavia"]), (Level::Ok, false, false));
    assert_eq!(said(Some("amphora"), &both), (Level::Ok, false, false));
    assert_eq!(said(Some("f5"), &both), (Level::Missing, false, false));
    assert_eq!(said(Some("ovn"), &both), (Level::Warning, true, false));
    assert_eq!(said(None, &["ovn"]), (Level::Warning, true, false));
    assert_eq!(said(None, &both), (Level::Warning, false, true));
}

#[test]
fn zones_that_volumes_do_not_have_are_said() {
    let zones = |names: &[&str]| names.iter().map(|name| Zone { name: (*name).to_owned(), available: *name != "away" }).collect::<Vec<_>>();
    let level = |servers: &[&str], volumes: &[&str]| judge_zones(&zones(servers), &zones(volumes)).level;
    assert_eq!(level(&["az1", "away"], &["az1", "az2"]), Level::Ok);
    assert_eq!(level(&["az1", "az2"], &["nova"]), Level::Warning);
    assert!(judge_zones(&zones(&["az1"]), &zones(&["nova"])).remedy.contains("cross_az_attach"));
}

#[test]
fn the_service_account_must_be_an_administrator() {
    assert_eq!(service_roles("kcs", "service", &["admin".to_owned()]).level, Level::Ok);
    let plain = service_roles("kcs", "service", &["member".to_owned()]);
    assert_eq!(plain.level, Level::Missing);
    assert!(plain.remedy.contains("--user kcs --project service admin"), "{}", plain.remedy);
}

#[test]
fn operators_whom_the_service_account_cannot_see_are_told() {
    let system = WideScope::System;
    assert_eq!(operators(&system, Ok(Vec::new())).level, Level::Ok);
    let denied = CloudError {
        kind: CloudErrorKind::Denied,
        outcome: cloud::Outcome::NotDone,
        service: "identity",
        operation: "list role assignments",
        message: "You are not authorized".to_owned(),
        status: Some(403),
        request_id: None,
    };
    let line = operators(&system, Err(denied));
    assert_eq!((line.level, line.what.as_str()), (Level::Missing, "operators of the system"));
    assert!(line.remedy.contains("access.operators"), "{}", line.remedy);
}

#[test]
fn a_quota_with_no_room_for_a_small_cluster_is_told() {
    let limit = |used, limit| Limit { used, limit };
    assert_eq!(quota("ports", &limit(7, None), 6).level, Level::Ok);
    assert_eq!(quota("ports", &limit(4, Some(10)), 6).level, Level::Ok);
    assert_eq!(quota("ports", &limit(5, Some(10)), 6).level, Level::Warning);
    assert_eq!(quota("ports", &limit(12, Some(10)), 6).level, Level::Warning);
}
