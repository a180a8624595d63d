//! Cinder: volumes, types, limits.

use super::bench::{Bench, PROJECT};
use super::stage::Stage;
use serde_json::{Value, json};

const NONE: &str = "00000000-0000-4000-8000-000000000000";

pub async fn replay(bench: &Bench, stage: &Stage) {
    let (cinder, member) = ("block-storage", &stage.member);
    let types = bench.get(member, cinder, "/types").await;
    bench.check("volume types", &types, 200, "volume_types.0.id:s volume_types.0.name:s volume_types.0.is_public:b");
    let default = bench.get(member, cinder, "/types/default").await;
    bench.check("the default volume type", &default, 200, "volume_type.id:s volume_type.name=standard");
    let zones = bench.get(member, cinder, "/os-availability-zone").await;
    bench.check("zones of volumes", &zones, 200, "availabilityZoneInfo.0.zoneName:s availabilityZoneInfo.0.zoneState.available:b");
    let limits = bench.get(member, cinder, "/limits").await;
    bench.check("limits", &limits, 200, "limits.absolute.maxTotalVolumes:n limits.absolute.totalVolumesUsed=0 limits.absolute.maxTotalVolumeGigabytes:n limits.absolute.totalGigabytesUsed=0");

    let image = bench.get(member, "image", "/images?name=kcs-node-v1.36.3").await.text_at("images.0.id");
    let make = |size: u32| json!({"volume": {"name": stage.name("volume"), "size": size, "imageRef": image, "volume_type": "ssd", "metadata": {"kcs_cluster": stage.tag}}});
    let made = bench.post(member, cinder, "/volumes", make(10)).await;
    bench.check("create volume", &made, 202, "@x-openstack-request-id volume.id:s volume.name:s volume.status=creating volume.size=10 volume.metadata.kcs_cluster:s volume.attachments:a volume.volume_type=ssd volume.availability_zone:s");
    let path = format!("/volumes/{}", made.text_at("volume.id"));
    let settled = bench.settles("volume", member, cinder, &path, "volume.status", &["creating", "downloading", "available"]).await;
    if let Some(settled) = settled {
        bench.check(
            "a volume from an image",
            &settled,
            200,
            "volume.bootable=true volume.volume_image_metadata.image_id:s volume.created_at:s volume.attachments:a volume.size=10",
        );
    }
    let filter: String = url::form_urlencoded::byte_serialize(json!({"kcs_cluster": stage.tag}).to_string().as_bytes()).collect();
    let found = bench.get(member, cinder, &format!("/volumes/detail?metadata={filter}&limit=500")).await;
    bench.check("find by metadata", &found, 200, "volumes.0.id:s volumes.0.metadata.kcs_cluster:s");
    bench.holds("one volume", found.body["volumes"].as_array().is_some_and(|v| v.len() == 1));
    let other: String = url::form_urlencoded::byte_serialize(br#"{"kcs_cluster":"none"}"#).collect();
    let none = bench.get(member, cinder, &format!("/volumes/detail?metadata={other}")).await;
    bench.holds("none by other metadata", none.body["volumes"].as_array().is_some_and(Vec::is_empty));
    let page = bench.get(member, cinder, "/volumes/detail?limit=1").await;
    bench.check("a page", &page, 200, "volumes.0.id:s volumes_links.0.rel=next volumes_links.0.href~marker=");

    bench.check(
        "a stranger does not see it",
        &bench.get(&stage.stranger, cinder, &path).await,
        404,
        "itemNotFound.code=404 itemNotFound.message~could_not_be_found",
    );
    bench.check("nobody", &bench.ask(None, "GET", cinder, "/volumes", None).await, 401, "error.code=401");
    let bad = json!({"volume": {"size": 1, "imageRef": NONE}});
    bench.check("from no image", &bench.post(member, cinder, "/volumes", bad).await, 400, "badRequest.code=400 badRequest.message:s");
    let bad = json!({"volume": {"size": 1, "volume_type": "none"}});
    bench.check("of no type", &bench.post(member, cinder, "/volumes", bad).await, 404, "itemNotFound.message~could_not_be_found");
    let small = bench.post(member, cinder, "/volumes", make(9)).await;
    bench.check("smaller than its image asks for", &small, 400, "badRequest.code=400 badRequest.message~smaller_than_the_image_mindisk_size");
    let bad = json!({"volume": {"size": -1}});
    bench.check("of no size", &bench.post(member, cinder, "/volumes", bad).await, 400, "badRequest.code=400");
    let over = bench.post(member, cinder, "/volumes", make(5_000)).await;
    bench.check("over the quota", &over, 413, "overLimit.code=413 overLimit.message~exceeds_allowed_gigabytes_quota @retry-after");

    quotas_of_types(bench, stage).await;
    reserved(bench, stage, made.text_at("volume.id")).await;

    bench.check("delete volume", &bench.delete(member, cinder, &path).await, 202, "");
    bench.vanishes("volume", member, cinder, &path, "volume.status", &["deleting"]).await;
    bench.check("delete it again", &bench.delete(member, cinder, &path).await, 404, "itemNotFound.code=404");
}

/// A volume that a server reserved which was never built: it is deleted only once its attachment is.
async fn quotas_of_types(bench: &Bench, stage: &Stage) {
    let (cinder, path) = ("block-storage", format!("/os-quota-sets/{}", stage.member.project_id));
    let told = bench.get(&stage.member, cinder, &format!("{path}?usage=True")).await;
    let details = "quota_set.volumes.limit:n quota_set.volumes.in_use:n quota_set.volumes.reserved:n quota_set.per_volume_gigabytes.limit:n";
    bench.check("quotas", &told, 200, &format!("{details} quota_set.volumes_standard.limit:n quota_set.gigabytes_standard.limit:n"));
    let set = async |limit: i64| bench.put(&stage.admin, cinder, &path, json!({"quota_set": {"gigabytes_standard": limit}})).await;
    bench.check("the admin sets that of a type", &set(0).await, 200, "");
    let over = bench.post(&stage.member, cinder, "/volumes", json!({"volume": {"size": 1, "volume_type": "standard"}})).await;
    bench.check("over the quota of its type", &over, 413, "overLimit.code=413 overLimit.message~exceeds_allowed_gigabytes");
    bench.check("back to none", &set(-1).await, 200, "");
}

async fn reserved(bench: &Bench, stage: &Stage, volume: String) {
    let member = &stage.member;
    let ask = async |method: &str, path: &str, body: Option<Value>| {
        let url = format!("{}{path}", bench.root("block-storage").replace(PROJECT, &member.project_id));
        bench.send(method, &url, Some(&member.token), &[("openstack-api-version", "volume 3.27")], body).await
    };
    let listing = format!("/attachments?volume_id={volume}");
    let none = ask("GET", &listing, None).await;
    bench.check("nobody holds it", &none, 200, "attachments:a");
    bench.holds("no attachment yet", none.body["attachments"].as_array().is_some_and(Vec::is_empty));
    let body = json!({"attachment": {"volume_uuid": volume, "instance_uuid": NONE}});
    let made = ask("POST", "/attachments", Some(body)).await;
    bench.check("reserve it", &made, 200, "attachment.id:s attachment.status=reserved attachment.volume_id:s attachment.instance:s");
    let held = ask("GET", &listing, None).await;
    bench.check("who holds it", &held, 200, "attachments.0.id:s attachments.0.instance:s attachments.0.status=reserved attachments.0.volume_id:s");
    let path = format!("/volumes/{volume}");
    let now = ask("GET", &path, None).await;
    bench.check("it is reserved", &now, 200, "volume.status=reserved volume.attachments:a");
    bench.holds("nobody has it yet", now.body["volume"]["attachments"].as_array().is_some_and(Vec::is_empty));
    bench.check("delete it while it is reserved", &ask("DELETE", &path, None).await, 400, "badRequest.message~must_be_available");
    let attachment = format!("/attachments/{}", made.text_at("attachment.id"));
    bench.check("let it go", &ask("DELETE", &attachment, None).await, 200, "attachments:a");
    bench.check("let it go again", &ask("DELETE", &attachment, None).await, 404, "itemNotFound.code=404");
    bench.check("it is free", &ask("GET", &path, None).await, 200, "volume.status=available");
}
