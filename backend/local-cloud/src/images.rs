//! Glance v2: images that servers boot from. Node images are as ready as the machines say.

use crate::http::{Answer, Call, Failure, Reply};
use crate::state::State;
use crate::table::{Resource, Table, next_link, page};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Property of a node image: the Kubernetes version it carries.
pub(crate) const VERSION_PROPERTY: &str = "kcs_kubernetes_version";
/// Property of a node image that is being prepared: per cent.
const PROGRESS_PROPERTY: &str = "kcs_progress";

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Image {
    pub id: String,
    pub name: String,
    pub status: String,
    pub owner: String,
    pub min_disk: u32,
    pub min_ram: u32,
    pub size: Option<u64>,
    pub properties: BTreeMap<String, String>,
    pub created_at: String,
    pub updated_at: String,
}

impl Resource for Image {
    fn id(&self) -> &str {
        &self.id
    }
    fn project(&self) -> &str {
        &self.owner
    }
    fn text(&self, field: &str) -> Option<&str> {
        match field {
            "id" => Some(&self.id),
            "name" => Some(&self.name),
            "status" => Some(&self.status),
            _ => None,
        }
    }
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Images {
    pub images: Table<Image>,
}

fn view(image: &Image) -> Value {
    let id = &image.id;
    let mut body = json!({
        "id": id, "name": image.name, "status": image.status, "visibility": "public", "owner": image.owner, "size": image.size,
        "virtual_size": null, "min_disk": image.min_disk, "min_ram": image.min_ram, "disk_format": "raw", "container_format": "bare",
        "checksum": null, "os_hash_algo": null, "os_hash_value": null, "os_hidden": false, "protected": false, "tags": [],
        "created_at": image.created_at, "updated_at": image.updated_at, "self": format!("/v2/images/{id}"),
        "file": format!("/v2/images/{id}/file"), "schema": "/v2/schemas/image", "locations": [],
    });
    if let Value::Object(map) = &mut body {
        map.extend(image.properties.iter().map(|(key, value)| (key.clone(), json!(value))));
    }
    body
}

pub(crate) fn serve(state: &State, call: &Call<'_>) -> Answer {
    match (call.method, call.path) {
        (&Method::GET, ["images"]) => list(state, call),
        (&Method::GET, ["images", id]) => {
            let missing = || Failure::missing(format!("No image found with ID {id}"));
            Ok(Reply::json(200, view(state.images.images.get(*id).ok_or_else(missing)?)))
        }
        (_, ["images", ..]) => Err(Failure::forbidden("You are not authorized to complete this action.")),
        _ => Err(Failure::no_route()),
    }
}

/// Glance pages with a path of its own: `next`.
fn list(state: &State, call: &Call<'_>) -> Answer {
    let mut reply = page(call, "images", state.images.images.values(), view)?;
    if let Some(Value::Object(body)) = &mut reply.body {
        body.insert("schema".into(), json!("/v2/schemas/images"));
        body.insert("first".into(), json!("/v2/images"));
        if body.remove("images_links").is_some() {
            let last = body.get("images").and_then(|i| i.as_array()?.last()?.get("id")?.as_str().map(str::to_owned)).unwrap_or_default();
            let next = next_link(call, &last);
            let query = next.split_once('?').map_or("", |(_, q)| q);
            body.insert("next".into(), json!(format!("/v2/images?{query}")));
        }
    }
    Ok(reply)
}

/// Takes over what the machines say of their node images: (version, per cent, ready).
pub(crate) fn refresh(state: &mut State, versions: &[(String, u8, bool)]) -> bool {
    let mut changed = false;
    for (version, progress, ready) in versions {
        let name = format!("kcs-node-{version}");
        let id = match state.images.images.values().find(|i| i.name == name) {
            Some(image) => image.id.clone(),
            None => make(state, &name, 10, BTreeMap::from([(VERSION_PROPERTY.to_owned(), version.clone())])),
        };
        let now = state.clock.seconds_z();
        let Some(image) = state.images.images.get_mut(&id) else { continue };
        let progress = (!ready).then(|| progress.to_string());
        let status = if *ready { "active" } else { "queued" };
        if image.status != status || image.properties.get(PROGRESS_PROPERTY) != progress.as_ref() {
            status.clone_into(&mut image.status);
            image.size = ready.then_some(2 << 30);
            image.updated_at = now;
            image.properties.remove(PROGRESS_PROPERTY);
            image.properties.extend(progress.map(|p| (PROGRESS_PROPERTY.to_owned(), p)));
            changed = true;
        }
    }
    changed
}

/// A public image, active from the start.
pub(crate) fn make(state: &mut State, name: &str, min_disk: u32, properties: BTreeMap<String, String>) -> String {
    let now = state.clock.seconds_z();
    let owner = state.identity.projects.values().next().map(|p| p.id.clone()).unwrap_or_default();
    let image = Image {
        id: state.id(),
        name: name.to_owned(),
        status: "active".into(),
        owner,
        min_disk,
        min_ram: 512,
        size: Some(2 << 30),
        properties,
        created_at: now.clone(),
        updated_at: now,
    };
    let id = image.id.clone();
    state.images.images.insert(id.clone(), image);
    id
}
