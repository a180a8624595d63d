//! Making a volume: empty, from an image, from a snapshot or from another volume.

use super::volume::{Volume, own, view};
use super::{metadata, quotas, snapshots, types, zones};
use crate::faults::ObjectFault;
use crate::http::{Answer, Call, Failure, Reply, number, text};
use crate::state::{State, Timer};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Where a new volume's contents come from.
#[derive(Default)]
struct Source {
    image: Option<BTreeMap<String, String>>,
    snapshot: Option<String>,
    volume: Option<String>,
    least_size: i64,
}

pub(super) fn create(state: &mut State, call: &Call<'_>) -> Answer {
    call.writer("volume:create")?;
    let given = call.object("volume")?;
    let source = source(state, call, given)?;
    let size = number(given, "size", source.least_size)?;
    if size < 1 {
        return Err(Failure::bad(format!("Invalid input received: Volume size '{size}' must be an integer and greater than 0")));
    }
    if size < source.least_size {
        return Err(too_small(size, &source));
    }
    let name = text(given, "name").unwrap_or_default();
    if name.chars().count() > 255 {
        return Err(Failure::bad(format!("Invalid input for field/attribute name. Value: {name}. '{name}' is too long")));
    }
    let zone = zone(state, given)?;
    let volume_type = types::find(state, text(given, "volume_type"))?;
    let metadata = metadata(given, "metadata")?;
    quotas::check(state, &call.actor.project_id, size, &volume_type)?;
    let now = state.clock.micros();
    let volume = Volume {
        id: state.id(),
        name: name.to_owned(),
        description: text(given, "description").map(str::to_owned),
        project_id: call.actor.project_id.clone(),
        user_id: call.actor.user_id.clone(),
        size,
        status: "creating".into(),
        zone,
        volume_type,
        metadata,
        image: source.image,
        snapshot_id: source.snapshot,
        source_id: source.volume,
        attachments: Vec::new(),
        created_at: now.clone(),
        updated_at: now,
        stuck: matches!(call.fault, Some(ObjectFault::Stuck)),
        failing: matches!(call.fault, Some(ObjectFault::Error(_))),
    };
    let body = view(call, &volume);
    state.after(state.delays.volume, Timer::VolumeStep(volume.id.clone()));
    state.volumes.volumes.insert(volume.id.clone(), volume);
    Ok(Reply::json(202, json!({ "volume": body })))
}

fn too_small(size: i64, source: &Source) -> Failure {
    let least = source.least_size;
    if source.image.is_some() && source.snapshot.is_none() && source.volume.is_none() {
        return Failure::bad(format!("Invalid input received: Volume size {size}GB cannot be smaller than the image minDisk size {least}GB."));
    }
    Failure::bad(format!("Invalid input received: Volume size '{size}'GB must be larger than or equal to the source's size {least}GB."))
}

fn source(state: &State, call: &Call<'_>, given: &Map<String, Value>) -> Result<Source, Failure> {
    if let Some(id) = text(given, "imageRef").or_else(|| text(given, "image_id")) {
        let invalid = || Failure::bad("Invalid image identifier or unable to access requested image.");
        let image = state.images.images.get(id).ok_or_else(invalid)?;
        if image.status != "active" {
            return Err(Failure::bad(format!("Invalid input received: Image {id} is not active.")));
        }
        let mut properties = image.properties.clone();
        properties.insert("image_id".into(), id.to_owned());
        properties.insert("image_name".into(), image.name.clone());
        return Ok(Source { image: Some(properties), least_size: i64::from(image.min_disk), ..Source::default() });
    }
    if let Some(id) = text(given, "snapshot_id") {
        let snapshot = snapshots::own(state, call, id)?;
        let image = state.volumes.volumes.get(&snapshot.volume_id).and_then(|v| v.image.clone());
        return Ok(Source { image, snapshot: Some(id.to_owned()), volume: None, least_size: snapshot.size });
    }
    if let Some(id) = text(given, "source_volid") {
        let volume = own(state, call, id)?;
        return Ok(Source { image: volume.image.clone(), snapshot: None, volume: Some(id.to_owned()), least_size: volume.size });
    }
    Ok(Source::default())
}

fn zone(state: &State, given: &Map<String, Value>) -> Result<String, Failure> {
    let zones = zones(state);
    match text(given, "availability_zone") {
        None => Ok(zones.first().cloned().unwrap_or_else(|| "nova".into())),
        Some(zone) if zones.iter().any(|z| z == zone) => Ok(zone.to_owned()),
        Some(zone) => Err(Failure::bad(format!("Availability zone '{zone}' is invalid."))),
    }
}
