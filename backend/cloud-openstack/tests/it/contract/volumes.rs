//! Cinder: volumes, types, limits.

use super::bench::Bench;
use super::stage::Stage;
use serde_json::json;

const NONE: &str = "00000000-0000-4000-8000-000000000000";

pub async fn replay(bench: &Bench, stage: &Stage) {
    let (cinder, member) = ("block-storage", &stage.member);
    let types = bench.get(member, cinder, "/types").await;
    bench.check("volume types", &types, 200, "volume_types.0.id:s volume_types.0.name:s volume_types.0.is_public:b");
    let default = bench.get(member, cinder, "/types/default").await;
    bench.check("the default volume type", &default, 200, "volume_type.id:s volume_type.name=standard");
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

    bench.check("delete volume", &bench.delete(member, cinder, &path).await, 202, "");
    bench.vanishes("volume", member, cinder, &path, "volume.status", &["deleting"]).await;
    bench.check("delete it again", &bench.delete(member, cinder, &path).await, 404, "itemNotFound.code=404");
}
