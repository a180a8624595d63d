//! Snapshots of volumes.

use super::{metadata, quotas, volume};
use crate::http::{Answer, Call, Failure, Reply, text, text_or_empty, truth};
use crate::state::{State, Timer};
use crate::table::{Resource, page};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub project_id: String,
    pub volume_id: String,
    pub size: i64,
    pub status: String,
    pub metadata: BTreeMap<String, String>,
    pub created_at: String,
}

impl Resource for Snapshot {
    fn id(&self) -> &str {
        &self.id
    }
    fn project(&self) -> &str {
        &self.project_id
    }
    fn text(&self, field: &str) -> Option<&str> {
        match field {
            "name" => Some(&self.name),
            "status" => Some(&self.status),
            "volume_id" => Some(&self.volume_id),
            "project_id" => Some(&self.project_id),
            _ => None,
        }
    }
}

fn view(snapshot: &Snapshot) -> Value {
    json!({"id": snapshot.id, "name": snapshot.name, "description": snapshot.description, "volume_id": snapshot.volume_id,
        "size": snapshot.size, "status": snapshot.status, "metadata": snapshot.metadata, "created_at": snapshot.created_at,
        "updated_at": snapshot.created_at, "os-extended-snapshot-attributes:project_id": snapshot.project_id,
        "os-extended-snapshot-attributes:progress": if snapshot.status == "available" { "100%" } else { "0%" }})
}

pub(super) fn own<'a>(state: &'a State, call: &Call<'_>, id: &str) -> Result<&'a Snapshot, Failure> {
    let missing = || Failure::missing(format!("Snapshot {id} could not be found."));
    state.volumes.snapshots.get(id).filter(|s| call.actor.sees(&s.project_id)).ok_or_else(missing)
}

pub(super) fn serve(state: &mut State, call: &Call<'_>, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (&Method::GET, [] | ["detail"]) => page(call, "snapshots", state.volumes.snapshots.values().filter(|s| call.actor.sees(&s.project_id)), view),
        (&Method::GET, [id]) => Ok(Reply::json(200, json!({"snapshot": view(own(state, call, id)?)}))),
        (&Method::POST, []) => create(state, call),
        (&Method::DELETE, [id]) => delete(state, call, id),
        _ => Err(Failure::no_route()),
    }
}

fn create(state: &mut State, call: &Call<'_>) -> Answer {
    call.writer("volume:create_snapshot")?;
    let given = call.object("snapshot")?;
    let volume_id = text_or_empty(given, "volume_id");
    let source = volume::own(state, call, &volume_id)?;
    let allowed = source.status == "available" || (source.status == "in-use" && truth(given, "force", call.minor >= 66)?);
    if !allowed {
        return Err(Failure::bad(format!("Invalid volume: Volume {volume_id} status must be available, but current status is: {}.", source.status)));
    }
    let size = source.size;
    let metadata = metadata(given, "metadata")?;
    quotas::check_snapshots(state, &call.actor.project_id, size)?;
    let snapshot = Snapshot {
        id: state.id(),
        name: text_or_empty(given, "name"),
        description: text(given, "description").map(str::to_owned),
        project_id: call.actor.project_id.clone(),
        volume_id,
        size,
        status: "creating".into(),
        metadata,
        created_at: state.clock.micros(),
    };
    let body = view(&snapshot);
    state.after(state.delays.volume, Timer::SnapshotReady(snapshot.id.clone()));
    state.volumes.snapshots.insert(snapshot.id.clone(), snapshot);
    Ok(Reply::json(202, json!({ "snapshot": body })))
}

fn delete(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("volume:delete_snapshot")?;
    own(state, call, id)?;
    if let Some(snapshot) = state.volumes.snapshots.get_mut(id) {
        snapshot.status = "deleting".into();
    }
    state.after(state.delays.volume, Timer::SnapshotGone(id.to_owned()));
    Ok(Reply::empty(202))
}

pub(crate) fn ready(state: &mut State, id: &str) {
    if let Some(snapshot) = state.volumes.snapshots.get_mut(id).filter(|s| s.status == "creating") {
        snapshot.status = "available".into();
    }
}

pub(crate) fn gone(state: &mut State, id: &str) {
    state.volumes.snapshots.shift_remove(id);
}
