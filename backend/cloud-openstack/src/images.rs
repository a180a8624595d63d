//! Glance: node images.

use crate::call::Call;
use crate::catalog::Service::Image as IMAGE;
use crate::identity::Scoped;
use crate::lenient::or_default;
use async_trait::async_trait;
use cloud::Result;
use cloud::images::{Image, Images};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Text attributes of Glance's own; the others are properties.
const OWN: [&str; 13] = [
    "checksum",
    "container_format",
    "created_at",
    "disk_format",
    "file",
    "locations",
    "os_hash_algo",
    "os_hash_value",
    "owner",
    "schema",
    "self",
    "stores",
    "updated_at",
];

#[derive(Deserialize)]
struct ImageView {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default)]
    status: String,
    #[serde(default, deserialize_with = "or_default")]
    min_disk: u32,
    #[serde(default, deserialize_with = "or_default")]
    min_ram: u32,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default, deserialize_with = "or_default")]
    visibility: String,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

impl From<ImageView> for Image {
    fn from(view: ImageView) -> Self {
        let property = |(key, value): (String, Value)| match value {
            Value::String(text) if !OWN.contains(&key.as_str()) => Some((key, text)),
            _ => None,
        };
        Self {
            id: view.id,
            name: view.name,
            status: view.status,
            min_disk_gib: view.min_disk,
            min_ram_mib: view.min_ram,
            size_bytes: view.size,
            visibility: view.visibility,
            properties: view.rest.into_iter().filter_map(property).collect(),
        }
    }
}

#[async_trait]
impl Images for Scoped {
    async fn images(&self) -> Result<Vec<Image>> {
        let images: Vec<ImageView> = self.0.list(Call::get(IMAGE, "list images", &["images"]), "images").await?;
        Ok(images.into_iter().map(Image::from).collect())
    }

    async fn images_by_name(&self, name: &str) -> Result<Vec<Image>> {
        // Glance takes a value with `:` or `,` in it for an operator; in quotes it is taken as it is.
        let quoted = if name.contains([':', ',']) { format!("in:\"{name}\"") } else { name.to_owned() };
        let call = Call::get(IMAGE, "find image", &["images"]).query("name", quoted);
        let images: Vec<ImageView> = self.0.list(call, "images").await?;
        Ok(images.into_iter().filter(|image| image.name == name).map(Image::from).collect())
    }
}
