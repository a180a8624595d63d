//! Cinder's own side of who holds a volume (microversion 3.27): a reservation is made before a server takes the volume, and goes with it.

use super::volume::{self, Volume};
use crate::http::{Answer, Call, Failure, Reply, text_or_empty};
use crate::state::State;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Attachment {
    pub id: String,
    pub server_id: String,
    pub device: String,
    pub host: String,
    /// None: reserved only.
    pub attached_at: Option<String>,
}

impl Attachment {
    pub(super) fn reservation(id: String, server: &str) -> Self {
        Self { id, server_id: server.to_owned(), device: String::new(), host: String::new(), attached_at: None }
    }
}

fn view(volume: &Volume, attachment: &Attachment) -> Value {
    let status = if attachment.attached_at.is_some() { "attached" } else { "reserved" };
    json!({"id": attachment.id, "volume_id": volume.id, "instance": attachment.server_id, "status": status})
}

pub(super) fn serve(state: &mut State, call: &Call<'_>, rest: &[&str]) -> Answer {
    if call.minor < 27 {
        return Err(Failure::no_route());
    }
    match (call.method, rest) {
        (&Method::GET, []) => Ok(list(state, call)),
        (&Method::POST, []) => create(state, call),
        (&Method::DELETE, [id]) => delete(state, call, id),
        _ => Err(Failure::no_route()),
    }
}

fn list(state: &State, call: &Call<'_>) -> Reply {
    let wanted = |v: &&Volume| call.actor.sees(&v.project_id) && call.query("volume_id").is_none_or(|id| id == v.id);
    let all: Vec<Value> = state.volumes.volumes.values().filter(wanted).flat_map(|v| v.attachments.iter().map(move |a| view(v, a))).collect();
    Reply::json(200, json!({ "attachments": all }))
}

/// A reservation, as Nova makes it before it builds.
fn create(state: &mut State, call: &Call<'_>) -> Answer {
    call.writer("volume:attachment_create")?;
    let given = call.object("attachment")?;
    let (volume_id, server) = (text_or_empty(given, "volume_uuid"), text_or_empty(given, "instance_uuid"));
    volume::reserve(state, call, &volume_id, &server)?;
    let volume = volume::own(state, call, &volume_id)?;
    let made = volume.attachments.last().map(|a| view(volume, a));
    Ok(Reply::json(200, json!({ "attachment": made })))
}

/// Refused while Nova still has the server (CVE-2023-2088).
fn delete(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("volume:attachment_delete")?;
    let holds = |v: &&Volume| call.actor.sees(&v.project_id) && v.attachments.iter().any(|a| a.id == id);
    let missing = || Failure::missing(format!("Volume attachment could not be found with filter: attachment_id = {id}."));
    let volume = state.volumes.volumes.values().find(holds).ok_or_else(missing)?;
    let holder = volume.attachments.iter().find(|a| a.id == id).map(|a| a.server_id.clone()).unwrap_or_default();
    let volume = volume.id.clone();
    if state.compute.servers.get(&holder).is_some_and(|s| s.disks.iter().any(|d| d.volume_id == volume)) {
        return Err(Failure::conflict(format!("Detach volume from instance {holder} using the Compute API")));
    }
    volume::detach(state, &volume);
    Ok(Reply::json(200, json!({ "attachments": [] })))
}
