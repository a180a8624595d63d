//! Glance: reading images.

use super::bench::Bench;
use super::stage::Stage;

pub async fn replay(bench: &Bench, stage: &Stage) {
    let all = bench.get(&stage.member, "image", "/images?limit=1").await;
    bench.check(
        "list images",
        &all,
        200,
        "images.0.id:s images.0.name:s images.0.status=active images.0.min_disk:n images.0.min_ram:n images.0.visibility:s",
    );
    bench.holds("there is a next page", all.body["next"].as_str().is_some_and(|next| next.starts_with("/v2/images?") && next.contains("marker=")));
    let next = all.body["next"].as_str().unwrap_or("/v2/images").trim_start_matches("/v2").to_owned();
    let second = bench.get(&stage.member, "image", &next).await;
    bench.check("the next page", &second, 200, "images.0.id:s");
    bench.holds("it is another", second.body["images"][0]["id"] != all.body["images"][0]["id"]);
    let named = bench.get(&stage.member, "image", "/images?name=kcs-node-v1.36.3").await;
    bench.check(
        "find an image",
        &named,
        200,
        "images.0.name=kcs-node-v1.36.3 images.0.kcs_kubernetes_version=v1.36.3 images.0.min_disk=10 images.0.min_ram=512",
    );
    let none = bench.get(&stage.member, "image", "/images?name=none").await;
    bench.check("find none", &none, 200, "images:a");
    bench.holds("none", none.body["images"].as_array().is_some_and(Vec::is_empty));
    let missing = bench.get(&stage.member, "image", "/images/00000000-0000-4000-8000-000000000000").await;
    bench.check("no such image", &missing, 404, "message~no_image_found_with_id code~404_not_found title~not_found");
    let anonymous = bench.ask(None, "GET", "image", "/images", None).await;
    bench.check("nobody", &anonymous, 401, "");
}
