//! Cinder and Glance: volumes made of images, snapshots, quotas.

use super::lab::{Person, cloud, sign_in};
use serde_json::json;
use std::time::Duration;

fn member() -> Person {
    sign_in(&cloud(), "member-a", "tenant-a")
}

#[test]
fn a_volume_of_an_image_is_downloaded_and_then_available() {
    let member = member();
    let wanted = json!({"volume": {"name": "root", "size": 20, "imageRef": member.image(), "metadata": {"kcs_cluster": "c", "kcs_resource": "r"}}});
    let made = member.post(&member.volume_path("/volumes"), &wanted).is(202);
    let path = member.volume_path(&format!("/volumes/{}", made.at("/volume/id")));
    let mut seen = vec![made.at("/volume/status")];
    while seen.last().unwrap() != "available" {
        member.cloud.advance(Duration::from_millis(200));
        seen.push(member.get(&path).at("/volume/status"));
    }
    assert_eq!(seen, ["creating", "downloading", "available"]);
    assert_eq!(member.get(&path).at("/volume/volume_image_metadata/kcs_kubernetes_version"), "v1.36.3");
    let mine = member.get(&member.volume_path("/volumes/detail?metadata=%7B%27kcs_cluster%27%3A%20%27c%27%7D")).is(200);
    assert_eq!(mine.body["volumes"].as_array().unwrap().len(), 1);
    let none = member.get(&member.volume_path("/volumes/detail?metadata=%7B%27kcs_cluster%27%3A%20%27d%27%7D")).is(200);
    assert_eq!(none.body["volumes"].as_array().unwrap().len(), 0);
    member.delete(&path).is(202);
    assert_eq!(member.get(&path).at("/volume/status"), "deleting");
    member.pass(1);
    member.get(&path).is(404);
}

#[test]
fn a_volume_smaller_than_its_image_or_of_an_unknown_type_is_refused() {
    let member = member();
    let path = member.volume_path("/volumes");
    member.post(&path, &json!({"volume": {"size": 1, "imageRef": member.image()}})).is(400);
    member.post(&path, &json!({"volume": {"size": 0}})).is(400);
    member.post(&path, &json!({"volume": {"size": 1, "volume_type": "gold"}})).is(404);
    member.post(&path, &json!({"volume": {"size": 1, "availability_zone": "az9"}})).is(400);
    assert_eq!(member.get(&member.volume_path("/types/default")).at("/volume_type/name"), "standard");
}

#[test]
fn gigabytes_run_out_in_cinders_words() {
    let member = member();
    let admin = sign_in(&member.cloud, "kcs", "service");
    let quotas = format!("/volume/v3/{}/os-quota-sets/{}", admin.project, member.project);
    admin.put(&quotas, &json!({"quota_set": {"gigabytes": 10}})).is(200);
    member.post(&member.volume_path("/volumes"), &json!({"volume": {"size": 8}})).is(202);
    let over = member.post(&member.volume_path("/volumes"), &json!({"volume": {"size": 8}})).is(413);
    assert!(over.at("/overLimit/message").contains("exceeds allowed gigabytes quota"));
    let limits = member.get(&member.volume_path("/limits"));
    assert_eq!(limits.body["limits"]["absolute"]["totalGigabytesUsed"], 8);
}

#[test]
fn a_snapshot_keeps_its_volume() {
    let member = member();
    let volume = member.root_volume();
    let snapshot = json!({"snapshot": {"volume_id": volume, "name": "s"}});
    let id = member.post(&member.volume_path("/snapshots"), &snapshot).is(202).at("/snapshot/id");
    member.pass(1);
    assert_eq!(member.get(&member.volume_path(&format!("/snapshots/{id}"))).at("/snapshot/status"), "available");
    member.delete(&member.volume_path(&format!("/volumes/{volume}"))).is(400);
    member.delete(&member.volume_path(&format!("/snapshots/{id}"))).is(202);
    member.pass(1);
    member.delete(&member.volume_path(&format!("/volumes/{volume}"))).is(202);
}

#[test]
fn images_are_found_by_name_with_their_properties_at_the_top() {
    let member = member();
    let found = member.get("/image/v2/images?name=kcs-node-v1.35.4").is(200);
    assert_eq!(found.body["images"].as_array().unwrap().len(), 1);
    assert_eq!(found.at("/images/0/kcs_kubernetes_version"), "v1.35.4");
    assert_eq!(found.at("/images/0/status"), "active");
    let missing = member.get("/image/v2/images/00000000-0000-0000-0000-000000000000").is(404);
    assert!(missing.text.starts_with("<html>"), "Glance answers errors with a page");
}
