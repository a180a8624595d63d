//! Cinder: volumes, volume types, limits.

use crate::call::Call;
use crate::catalog::Service::BlockStorage as VOLUME;
use crate::compute::Zones;
use crate::identity::Scoped;
use crate::lenient::{limit, or_default};
use async_trait::async_trait;
use cloud::Result;
use cloud::compute::{Limit, Zone};
use cloud::error::CloudErrorKind;
use cloud::volumes::{NewVolume, Snapshot, Volume, VolumeAttachment, VolumeLimits, VolumeStatus, VolumeType, Volumes};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct TypeView {
    id: String,
    name: String,
    is_public: Option<bool>,
    #[serde(rename = "os-volume-type-access:is_public")]
    access: Option<bool>,
}

#[derive(Deserialize)]
struct TypeBody {
    volume_type: TypeView,
}

#[derive(Deserialize)]
struct VolumeBody {
    volume: VolumeView,
}

#[derive(Deserialize)]
struct MadeVolume {
    volume: Identified,
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

#[derive(Deserialize)]
struct VolumeView {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    size: u32,
    #[serde(default, deserialize_with = "or_default")]
    metadata: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "or_default")]
    attachments: Vec<Attachment>,
}

#[derive(Deserialize)]
struct SnapshotView {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    volume_id: String,
    #[serde(default)]
    size: u32,
}

#[derive(Deserialize)]
struct Attachment {
    server_id: Option<String>,
}

#[derive(Deserialize)]
struct AttachmentView {
    id: String,
    instance: Option<String>,
}

#[derive(Deserialize)]
struct Limits {
    limits: Absolute,
}

#[derive(Deserialize)]
struct Absolute {
    absolute: BTreeMap<String, i64>,
}

#[derive(Deserialize)]
struct QuotaSet {
    quota_set: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct QuotaDetail {
    limit: i64,
    #[serde(default)]
    in_use: i64,
    #[serde(default)]
    reserved: i64,
}

impl QuotaDetail {
    fn limit(&self) -> Limit {
        Limit { used: u64::try_from(self.in_use + self.reserved).unwrap_or(0), limit: limit(self.limit) }
    }
}

impl Scoped {
    /// Every quota by its name, those of volume types, too. None where the policy does not let us ask.
    async fn quota_set(&self, project_id: &str) -> Result<BTreeMap<String, QuotaDetail>> {
        let call = Call::get(VOLUME, "read quotas", &["os-quota-sets", project_id]).query("usage", "True");
        match self.0.json::<QuotaSet>(&call).await {
            // The project's id is among them.
            Ok(set) => Ok(set.quota_set.into_iter().filter_map(|(name, detail)| Some((name, serde_json::from_value(detail).ok()?))).collect()),
            Err(error) if matches!(error.kind, CloudErrorKind::NotFound | CloudErrorKind::Denied) => Ok(BTreeMap::new()),
            Err(error) => Err(error),
        }
    }
}

impl From<VolumeView> for Volume {
    fn from(view: VolumeView) -> Self {
        Self {
            id: view.id,
            name: view.name,
            status: status(&view.status),
            size_gib: view.size,
            metadata: view.metadata,
            attached_to: view.attachments.into_iter().filter_map(|a| a.server_id).collect(),
        }
    }
}

fn status(word: &str) -> VolumeStatus {
    match word {
        "creating" => VolumeStatus::Creating,
        "downloading" => VolumeStatus::Downloading,
        "available" => VolumeStatus::Available,
        "in-use" => VolumeStatus::InUse,
        "deleting" => VolumeStatus::Deleting,
        "error" => VolumeStatus::Error,
        other => VolumeStatus::Other(other.to_owned()),
    }
}

#[async_trait]
impl Volumes for Scoped {
    async fn volume_types(&self) -> Result<Vec<VolumeType>> {
        let types: Vec<TypeView> = self.0.list(Call::get(VOLUME, "list volume types", &["types"]), "volume_types").await?;
        let default = match self.0.json::<TypeBody>(&Call::get(VOLUME, "read default volume type", &["types", "default"])).await {
            Ok(body) => Some(body.volume_type.id),
            Err(e) if e.is_not_found() => None,
            Err(e) => return Err(e),
        };
        let of = |view: TypeView| VolumeType {
            default: default.as_deref() == Some(view.id.as_str()),
            public: view.is_public.or(view.access).unwrap_or(true),
            id: view.id,
            name: view.name,
        };
        // Cinder's own placeholder for volumes without a type.
        Ok(types.into_iter().filter(|t| t.name != "__DEFAULT__").map(of).collect())
    }

    async fn zones(&self) -> Result<Vec<Zone>> {
        Ok(self.0.json::<Zones>(&Call::get(VOLUME, "list zones of volumes", &["os-availability-zone"])).await?.listed())
    }

    async fn volumes(&self) -> Result<Vec<Volume>> {
        let volumes: Vec<VolumeView> = self.0.list(Call::get(VOLUME, "list all volumes", &["volumes", "detail"]), "volumes").await?;
        Ok(volumes.into_iter().map(Volume::from).collect())
    }

    async fn volumes_by_metadata(&self, key: &str, value: &str) -> Result<Vec<Volume>> {
        // Cinder reads the filter as a dictionary of Python's, of which this JSON is one.
        let filter = json!({ key: value }).to_string();
        let call = Call::get(VOLUME, "list volumes", &["volumes", "detail"]).query("metadata", filter);
        let volumes: Vec<VolumeView> = self.0.list(call, "volumes").await?;
        Ok(volumes.into_iter().filter(|v| v.metadata.get(key).is_some_and(|v| v == value)).map(Volume::from).collect())
    }

    async fn volume(&self, id: &str) -> Result<Volume> {
        Ok(self.0.json::<VolumeBody>(&Call::get(VOLUME, "read volume", &["volumes", id])).await?.volume.into())
    }

    async fn create_volume(&self, volume: &NewVolume) -> Result<String> {
        let mut body = json!({"name": volume.name, "size": volume.size_gib, "metadata": volume.metadata});
        let optional = [("imageRef", &volume.image_id), ("volume_type", &volume.volume_type), ("availability_zone", &volume.zone)];
        for (key, value) in optional {
            if let Some(value) = value {
                body[key] = Value::from(value.as_str());
            }
        }
        let call = Call::post(VOLUME, "create volume", &["volumes"], json!({"volume": body}));
        Ok(self.0.json::<MadeVolume>(&call).await?.volume.id)
    }

    async fn delete_volume(&self, id: &str) -> Result<()> {
        self.0.done(&Call::delete(VOLUME, "delete volume", &["volumes", id])).await
    }

    async fn erase_volume(&self, id: &str) -> Result<()> {
        self.0.done(&Call::delete(VOLUME, "erase volume", &["volumes", id]).query("cascade", "true")).await
    }

    async fn volume_attachments(&self, volume: &str) -> Result<Vec<VolumeAttachment>> {
        let call = Call::get(VOLUME, "list volume attachments", &["attachments"]).query("volume_id", volume);
        let all: Vec<AttachmentView> = self.0.list(call, "attachments").await?;
        Ok(all.into_iter().map(|a| VolumeAttachment { id: a.id, server_id: a.instance }).collect())
    }

    async fn delete_volume_attachment(&self, id: &str) -> Result<()> {
        self.0.done(&Call::delete(VOLUME, "delete volume attachment", &["attachments", id])).await
    }

    async fn snapshots(&self) -> Result<Vec<Snapshot>> {
        let all: Vec<SnapshotView> = self.0.list(Call::get(VOLUME, "list snapshots", &["snapshots"]), "snapshots").await?;
        Ok(all.into_iter().map(|s| Snapshot { id: s.id, name: s.name, volume_id: s.volume_id, size_gib: s.size }).collect())
    }

    async fn delete_snapshot(&self, id: &str) -> Result<()> {
        self.0.done(&Call::delete(VOLUME, "delete snapshot", &["snapshots", id])).await
    }

    async fn limits(&self, project_id: &str) -> Result<VolumeLimits> {
        let limits = Call::get(VOLUME, "read limits", &["limits"]);
        let (body, set) = futures::try_join!(self.0.json::<Limits>(&limits), self.quota_set(project_id))?;
        let absolute = body.limits.absolute;
        let allowed = |key: &str| absolute.get(key).copied().and_then(limit);
        let pair = |used: &str, max: &str| Limit { used: allowed(used).unwrap_or(0), limit: allowed(max) };
        let of_types = set.iter().filter(|(name, _)| name.starts_with("volumes_") || name.starts_with("gigabytes_"));
        let of_types = of_types.map(|(name, detail)| (name.clone(), detail.limit())).filter(|(_, one)| one.limit.is_some());
        Ok(VolumeLimits {
            volumes: pair("totalVolumesUsed", "maxTotalVolumes"),
            gigabytes: pair("totalGigabytesUsed", "maxTotalVolumeGigabytes"),
            of_types: of_types.collect(),
            largest_gib: set.get("per_volume_gigabytes").and_then(|detail| detail.limit().limit),
        })
    }
}
