//! Volumes: their life from `creating` to gone, metadata, and being attached by Nova.

use super::attachments::Attachment;
use super::{create, metadata};
use crate::http::{Answer, Call, Failure, Reply, number, text, truth};
use crate::state::{State, Timer};
use crate::table::{Resource, page};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub project_id: String,
    pub user_id: String,
    pub size: i64,
    pub status: String,
    pub zone: String,
    pub volume_type: String,
    pub metadata: BTreeMap<String, String>,
    /// Properties of the image it was made from.
    pub image: Option<BTreeMap<String, String>>,
    pub snapshot_id: Option<String>,
    pub source_id: Option<String>,
    pub attachments: Vec<Attachment>,
    pub created_at: String,
    pub updated_at: String,
    /// Injected: it never leaves its state, or ends in `error`.
    pub stuck: bool,
    pub failing: bool,
}

impl Resource for Volume {
    fn id(&self) -> &str {
        &self.id
    }
    fn project(&self) -> &str {
        &self.project_id
    }
    fn text(&self, field: &str) -> Option<&str> {
        match field {
            "id" => Some(&self.id),
            "name" => Some(&self.name),
            "status" => Some(&self.status),
            "project_id" => Some(&self.project_id),
            _ => None,
        }
    }
}

fn links(call: &Call<'_>, volume: &Volume) -> Value {
    let href = format!("{}/{}/volumes/{}", call.root, volume.project_id, volume.id);
    json!([{"rel": "self", "href": href}, {"rel": "bookmark", "href": href}])
}

pub(super) fn view(call: &Call<'_>, volume: &Volume) -> Value {
    let attachments: Vec<Value> = volume
        .attachments
        .iter()
        .filter(|a| a.attached_at.is_some())
        .map(|a| {
            json!({"id": volume.id, "attachment_id": a.id, "volume_id": volume.id, "server_id": a.server_id, "device": a.device,
                "host_name": a.host, "attached_at": a.attached_at})
        })
        .collect();
    let mut body = json!({
        "id": volume.id, "name": volume.name, "description": volume.description, "size": volume.size, "status": volume.status,
        "availability_zone": volume.zone, "bootable": if volume.image.is_some() { "true" } else { "false" }, "encrypted": false,
        "metadata": volume.metadata, "volume_type": volume.volume_type, "snapshot_id": volume.snapshot_id, "source_volid": volume.source_id,
        "attachments": attachments, "created_at": volume.created_at, "updated_at": volume.updated_at, "user_id": volume.user_id,
        "multiattach": false, "replication_status": null, "consistencygroup_id": null, "migration_status": null,
        "os-vol-tenant-attr:tenant_id": volume.project_id, "links": links(call, volume),
    });
    if let Some(image) = &volume.image {
        body["volume_image_metadata"] = json!(image);
    }
    body
}

pub(super) fn serve(state: &mut State, call: &Call<'_>, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (&Method::GET, []) => page(call, "volumes", listed(state, call), |v| json!({"id": v.id, "name": v.name, "links": links(call, v)})),
        (&Method::GET, ["detail"]) => page(call, "volumes", listed(state, call), |v| view(call, v)),
        (&Method::POST, []) => create::create(state, call),
        (&Method::GET, [id]) => Ok(Reply::json(200, json!({"volume": view(call, own(state, call, id)?)}))),
        (&Method::PUT, [id]) => update(state, call, id),
        (&Method::DELETE, [id]) => delete(state, call, id),
        (&Method::POST, [id, "action"]) => action(state, call, id),
        (&Method::GET, [id, "metadata"]) => Ok(Reply::json(200, json!({"metadata": own(state, call, id)?.metadata}))),
        (&Method::POST | &Method::PUT, [id, "metadata"]) => set_metadata(state, call, id),
        _ => Err(Failure::no_route()),
    }
}

fn listed<'a>(state: &'a State, call: &'a Call<'_>) -> impl Iterator<Item = &'a Volume> {
    let all = call.actor.admin && call.query("all_tenants").is_some_and(|v| v != "0" && !v.eq_ignore_ascii_case("false"));
    state.volumes.volumes.values().filter(move |v| all || v.project_id == call.actor.project_id)
}

pub(crate) fn own<'a>(state: &'a State, call: &Call<'_>, id: &str) -> Result<&'a Volume, Failure> {
    let missing = || Failure::missing(format!("Volume {id} could not be found."));
    state.volumes.volumes.get(id).filter(|v| call.actor.sees(&v.project_id)).ok_or_else(missing)
}

fn own_mut<'a>(state: &'a mut State, call: &Call<'_>, id: &str) -> Result<&'a mut Volume, Failure> {
    own(state, call, id)?;
    state.volumes.volumes.get_mut(id).ok_or_else(Failure::no_route)
}

fn update(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("volume:update")?;
    let given = call.object("volume")?;
    let changed = metadata(given, "metadata")?;
    let now = state.clock.micros();
    let volume = own_mut(state, call, id)?;
    if let Some(name) = text(given, "name") {
        name.clone_into(&mut volume.name);
    }
    if let Some(description) = text(given, "description") {
        volume.description = Some(description.to_owned());
    }
    if given.contains_key("metadata") {
        volume.metadata = changed;
    }
    volume.updated_at = now;
    Ok(Reply::json(200, json!({"volume": view(call, volume)})))
}

/// POST adds, PUT replaces.
fn set_metadata(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("volume:update_volume_metadata")?;
    call.object("metadata")?;
    let given = metadata(call.body.as_object().ok_or_else(Failure::no_route)?, "metadata")?;
    let volume = own_mut(state, call, id)?;
    if call.method == Method::PUT {
        volume.metadata.clear();
    }
    volume.metadata.extend(given);
    Ok(Reply::json(200, json!({"metadata": volume.metadata})))
}

fn delete(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("volume:delete")?;
    let status = own(state, call, id)?.status.clone();
    let cascade = call.query("cascade").is_some_and(|v| v.eq_ignore_ascii_case("true"));
    let snapshots: Vec<String> = state.volumes.snapshots.values().filter(|s| s.volume_id == id).map(|s| s.id.clone()).collect();
    let deletable = matches!(status.as_str(), "available" | "error" | "error_restoring" | "error_extending" | "error_managing");
    if !deletable || (!snapshots.is_empty() && !cascade) {
        return Err(Failure::bad(
            "Invalid volume: Volume status must be available or error or error_restoring or error_extending or error_managing and must not be \
             migrating, attached, belong to a group, have snapshots, awaiting a transfer, or be disassociated from snapshots after volume transfer.",
        ));
    }
    for snapshot in snapshots {
        super::snapshots::gone(state, &snapshot);
    }
    start_delete(state, id);
    if let Some(fault) = &call.fault {
        let status = if matches!(fault, crate::faults::ObjectFault::Stuck) { "deleting" } else { "error_deleting" };
        if let Some(volume) = state.volumes.volumes.get_mut(id) {
            volume.stuck = true;
            status.clone_into(&mut volume.status);
        }
    }
    Ok(Reply::empty(202))
}

/// Begins a volume's end; also what Nova asks for when a server goes that was to take its volume along.
pub(crate) fn start_delete(state: &mut State, id: &str) {
    if let Some(volume) = state.volumes.volumes.get_mut(id) {
        volume.status = "deleting".into();
        volume.attachments.clear();
        state.after(state.delays.volume, Timer::VolumeGone(id.to_owned()));
    }
}

pub(crate) fn gone(state: &mut State, id: &str) {
    if state.volumes.volumes.get(id).is_some_and(|v| !v.stuck) {
        state.volumes.volumes.shift_remove(id);
    }
}

/// `creating` → (`downloading` →) `available`, or `error`.
pub(crate) fn step(state: &mut State, id: &str) {
    let now = state.clock.micros();
    let Some(volume) = state.volumes.volumes.get_mut(id).filter(|v| !v.stuck) else { return };
    volume.updated_at = now;
    let next = match volume.status.as_str() {
        "creating" if volume.failing => "error",
        "creating" if volume.image.is_some() && volume.source_id.is_none() && volume.snapshot_id.is_none() => "downloading",
        "creating" | "downloading" => "available",
        "extending" if volume.attachments.is_empty() => "available",
        "extending" => "in-use",
        _ => return,
    };
    next.clone_into(&mut volume.status);
    if next == "downloading" {
        state.after(state.delays.volume, Timer::VolumeStep(id.to_owned()));
    }
}

fn action(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("volume_extension:volume_actions")?;
    let volume = own(state, call, id)?;
    let empty = serde_json::Map::new();
    let given = |key: &str| call.body.get(key).map(|v| v.as_object().unwrap_or(&empty));
    if let Some(given) = given("os-extend") {
        let size = number(given, "new_size", 0)?;
        if size <= volume.size {
            return Err(Failure::bad(format!(
                "Invalid input received: New size for extend must be greater than current size. (current: {}, extended: {size}).",
                volume.size
            )));
        }
        if volume.status != "available" && (volume.status != "in-use" || call.minor < 42) {
            return Err(Failure::bad(format!(
                "Invalid volume: Volume {id} status must be '{{'available'}}' to extend, currently {}.",
                volume.status
            )));
        }
        super::quotas::check_gigabytes(state, &call.actor.project_id, size - volume.size)?;
        let volume = own_mut(state, call, id)?;
        volume.size = size;
        volume.status = "extending".into();
        state.after(state.delays.volume, Timer::VolumeStep(id.to_owned()));
        return Ok(Reply::empty(202));
    }
    if let Some(given) = given("os-reset_status") {
        call.admin("volume_extension:volume_admin_actions:reset_status")?;
        let status = text(given, "status").unwrap_or("available").to_owned();
        let volume = own_mut(state, call, id)?;
        volume.status = status;
        volume.stuck = false;
        return Ok(Reply::empty(202));
    }
    if let Some(given) = given("os-set_bootable") {
        let bootable = truth(given, "bootable", true)?;
        let volume = own_mut(state, call, id)?;
        volume.image = bootable.then(|| volume.image.take().unwrap_or_default());
        return Ok(Reply::empty(200));
    }
    Err(Failure::bad("There is no such action"))
}

/// Takes a volume for a server; refused unless it is available.
pub(crate) fn reserve(state: &mut State, call: &Call<'_>, id: &str, server: &str) -> Result<(), Failure> {
    let status = &own(state, call, id)?.status;
    if status != "available" {
        let message = format!("Invalid volume: Volume {id} status must be available or downloading to reserve, but the current status is {status}.");
        return Err(Failure::bad(message));
    }
    let reservation = Attachment::reservation(state.id(), server);
    let volume = own_mut(state, call, id)?;
    volume.status = "reserved".into();
    volume.attachments = vec![reservation];
    Ok(())
}

pub(crate) fn attach(state: &mut State, id: &str, server: &str, device: &str, host: &str) {
    let now = state.clock.micros();
    if let Some(volume) = state.volumes.volumes.get_mut(id) {
        volume.status = "in-use".into();
        volume.updated_at.clone_from(&now);
        for attachment in volume.attachments.iter_mut().filter(|a| a.server_id == server) {
            device.clone_into(&mut attachment.device);
            host.clone_into(&mut attachment.host);
            attachment.attached_at = Some(now.clone());
        }
    }
}

pub(crate) fn detach(state: &mut State, id: &str) {
    if let Some(volume) = state.volumes.volumes.get_mut(id) {
        volume.status = "available".into();
        volume.attachments.clear();
    }
}
