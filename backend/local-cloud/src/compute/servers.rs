//! Servers: listing, deleting, metadata, and the way from BUILD to ACTIVE or ERROR and to gone.

use super::{server_create, server_view};
use crate::http::{Answer, Call, Failure, Reply, text};
use crate::jobs::Job;
use crate::machines::Boot;
use crate::network::{self, ports};
use crate::state::{State, Timer};
use crate::table::{Resource, envelope, window};
use crate::volumes::{self, volume};
use http::Method;
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Fault {
    pub code: u16,
    pub message: String,
    pub created: String,
}

/// A port of a server; Nova deletes those it has made itself.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Interface {
    pub port_id: String,
    pub ours: bool,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Disk {
    pub volume_id: String,
    pub device: String,
    pub delete_on_termination: bool,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Server {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub project_id: String,
    pub user_id: String,
    /// Nova's status: BUILD, ACTIVE, SHUTOFF, REBOOT, ERROR.
    pub status: String,
    pub task: Option<String>,
    pub flavor_id: String,
    pub image_id: Option<String>,
    pub zone: String,
    pub metadata: BTreeMap<String, String>,
    pub tags: Vec<String>,
    pub interfaces: Vec<Interface>,
    pub disks: Vec<Disk>,
    pub group: Option<String>,
    pub key_name: Option<String>,
    /// Base64.
    pub user_data: Option<String>,
    pub fault: Option<Fault>,
    pub created: String,
    pub updated: String,
    pub launched: Option<String>,
    /// What the build will end in, when not in ACTIVE: a fault text.
    pub doomed: Option<String>,
    /// Injected: it stays in BUILD.
    pub stuck: bool,
}

impl Resource for Server {
    fn id(&self) -> &str {
        &self.id
    }
    fn project(&self) -> &str {
        &self.project_id
    }
    fn text(&self, field: &str) -> Option<&str> {
        (field == "name").then_some(&self.name)
    }
}

impl Server {
    pub(super) fn host(&self) -> String {
        format!("compute-{}", self.zone)
    }

    pub(super) fn touch(&mut self, now: String) {
        self.updated = now;
    }
}

pub(super) fn serve(state: &mut State, call: &Call<'_>, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (&Method::GET, []) => list(state, call, |s| server_view::short(call, s)),
        (&Method::GET, ["detail"]) => {
            let floating = server_view::floating(state);
            list(state, call, |s| server_view::view(state, &floating, call, s))
        }
        (&Method::POST, []) => server_create::create(state, call),
        (&Method::GET, [id]) => {
            Ok(Reply::json(200, json!({"server": server_view::view(state, &server_view::floating(state), call, own(state, call, id)?)})))
        }
        (&Method::PUT, [id]) => update(state, call, id),
        (&Method::DELETE, [id]) => delete(state, call, id),
        (&Method::GET, [id, "metadata"]) => Ok(Reply::json(200, json!({"metadata": own(state, call, id)?.metadata}))),
        (&Method::POST | &Method::PUT, [id, "metadata"]) => set_metadata(state, call, id),
        (&Method::DELETE, [id, "metadata", key]) => {
            call.writer("os_compute_api:server-metadata:delete")?;
            let removed = own_mut(state, call, id)?.metadata.remove(*key);
            removed.map(|_| Reply::empty(204)).ok_or_else(|| Failure::missing("Metadata item was not found"))
        }
        (&Method::GET, [id, "tags"]) if call.minor >= 26 => Ok(Reply::json(200, json!({"tags": own(state, call, id)?.tags}))),
        _ => Err(Failure::no_route()),
    }
}

pub(super) fn own<'a>(state: &'a State, call: &Call<'_>, id: &str) -> Result<&'a Server, Failure> {
    let missing = || Failure::missing(format!("Instance {id} could not be found."));
    state.compute.servers.get(id).filter(|s| call.actor.sees(&s.project_id)).ok_or_else(missing)
}

pub(super) fn own_mut<'a>(state: &'a mut State, call: &Call<'_>, id: &str) -> Result<&'a mut Server, Failure> {
    own(state, call, id)?;
    state.compute.servers.get_mut(id).ok_or_else(Failure::no_route)
}

/// Nova's filter by name is a regular expression found anywhere; plain anchored names need no engine.
enum NameFilter {
    Exact(String),
    Prefix(String),
    Pattern(Box<Regex>),
}

impl NameFilter {
    fn new(text: &str) -> Result<Self, Failure> {
        let plain = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if let Some(rest) = text.strip_prefix('^') {
            if let Some(name) = rest.strip_suffix('$').filter(|name| plain(name)) {
                return Ok(Self::Exact(name.to_owned()));
            }
            if plain(rest) {
                return Ok(Self::Prefix(rest.to_owned()));
            }
        }
        let pattern = Regex::new(text).map_err(|_| Failure::bad(format!("Invalid filter field: name: {text}")))?;
        Ok(Self::Pattern(Box::new(pattern)))
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(wanted) => wanted == name,
            Self::Prefix(prefix) => name.starts_with(prefix),
            Self::Pattern(pattern) => pattern.is_match(name),
        }
    }
}

fn list(state: &State, call: &Call<'_>, view: impl Fn(&Server) -> Value) -> Answer {
    let name = call.query("name").map(NameFilter::new).transpose()?;
    let truthy = |v: &str| v != "0" && !v.eq_ignore_ascii_case("false");
    let all = call.actor.admin && call.query("all_tenants").is_some_and(truthy);
    let wanted = |s: &&Server| {
        (all || s.project_id == call.actor.project_id)
            && name.as_ref().is_none_or(|n| n.matches(&s.name))
            && call.query("status").is_none_or(|status| status.eq_ignore_ascii_case(&s.status))
            && call.query("project_id").is_none_or(|project| project == s.project_id)
            && call.query("tags").is_none_or(|tags| tags.split(',').all(|t| s.tags.iter().any(|own| own == t)))
    };
    // Newest first, as Nova sorts.
    let (listed, more) = window(call, state.compute.servers.values().rev().filter(wanted), |s| Ok(Some(view(s))))?;
    Ok(Reply::json(200, envelope(call, "servers", listed, more)))
}

fn update(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("os_compute_api:servers:update")?;
    let given = call.object("server")?;
    let now = state.clock.seconds_z();
    let server = own_mut(state, call, id)?;
    if let Some(name) = text(given, "name") {
        server_create::check_name(name)?.clone_into(&mut server.name);
    }
    server.touch(now);
    let server = own(state, call, id)?;
    Ok(Reply::json(200, json!({"server": server_view::view(state, &server_view::floating(state), call, server)})))
}

fn set_metadata(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("os_compute_api:server-metadata:update_all")?;
    call.object("metadata")?;
    let given = volumes::metadata(call.body.as_object().ok_or_else(Failure::no_route)?, "metadata")?;
    let server = own_mut(state, call, id)?;
    if call.method == Method::PUT {
        server.metadata.clear();
    }
    server.metadata.extend(given);
    Ok(Reply::json(200, json!({"metadata": server.metadata})))
}

fn delete(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("os_compute_api:servers:delete")?;
    let now = state.clock.seconds_z();
    let server = own_mut(state, call, id)?;
    if server.task.as_deref() == Some("deleting") {
        return Ok(Reply::empty(204));
    }
    server.task = Some("deleting".into());
    server.touch(now);
    match &call.fault {
        Some(crate::faults::ObjectFault::Stuck) => {}
        Some(crate::faults::ObjectFault::Error(text)) => fail(state, id, text),
        None => state.after(state.delays.server_delete, Timer::ServerGone(id.to_owned())),
    }
    Ok(Reply::empty(204))
}

/// The time for a build is over: the host was found or not; the guest boots.
pub(crate) fn built(state: &mut State, id: &str) {
    let Some(server) = state.compute.servers.get(id).filter(|s| s.status == "BUILD" && !s.stuck && s.task.as_deref() != Some("deleting")).cloned()
    else {
        return;
    };
    if let Some(text) = &server.doomed {
        return fail(state, id, text);
    }
    for disk in &server.disks {
        volume::attach(state, &disk.volume_id, id, &disk.device, &server.host());
    }
    if !state.real_machines {
        return active(state, id);
    }
    match boot(state, &server) {
        Ok(boot) => state.job(Job::Boot(Box::new(boot))),
        Err(text) => fail(state, id, &text),
    }
}

/// What the machines need to know of a server.
fn boot(state: &State, server: &Server) -> Result<Boot, String> {
    use base64::Engine as _;
    let port = server.interfaces.first().and_then(|i| state.network.ports.get(&i.port_id)).ok_or("the server has no port")?;
    let fixed = port.fixed_ips.first().ok_or("the port has no address")?;
    let subnet = state.network.subnets.get(&fixed.subnet_id).ok_or("the port's subnet is gone")?;
    let flavor = state.compute.flavors.get(&server.flavor_id).ok_or("the flavor is gone")?;
    let user_data = server.user_data.as_deref().map(|text| base64::engine::general_purpose::STANDARD.decode(text));
    let from_volume =
        server.disks.first().and_then(|d| state.volumes.volumes.get(&d.volume_id)?.image.as_ref()?.get(crate::images::VERSION_PROPERTY));
    let from_image = server.image_id.as_ref().and_then(|id| state.images.images.get(id)?.properties.get(crate::images::VERSION_PROPERTY));
    Ok(Boot {
        server: server.id.clone(),
        name: server.name.clone(),
        network: port.network_id.clone(),
        subnet: subnet.cidr,
        gateway: subnet.gateway.ok_or("the subnet has no gateway")?,
        address: fixed.ip_address,
        mac: port.mac_address.clone(),
        vcpus: flavor.vcpus,
        ram_mib: flavor.ram,
        user_data: user_data.transpose().map_err(|e| e.to_string())?,
        kubernetes_version: from_volume.or(from_image).cloned(),
    })
}

/// The machines have booted it, or not.
pub(crate) fn booted(state: &mut State, id: &str, result: Result<(), String>) {
    if state.compute.servers.get(id).is_none_or(|s| s.status != "BUILD") {
        return;
    }
    match result {
        Ok(()) => active(state, id),
        Err(text) => fail(state, id, &format!("Build of instance {id} aborted: {text}")),
    }
}

fn active(state: &mut State, id: &str) {
    let now = state.clock.seconds_z();
    let Some(server) = state.compute.servers.get_mut(id) else { return };
    server.status = "ACTIVE".into();
    server.launched = Some(now.trim_end_matches('Z').to_owned() + ".000000");
    server.touch(now);
    let ports: Vec<String> = server.interfaces.iter().map(|i| i.port_id.clone()).collect();
    for port in ports {
        ports::set_status(state, &port, "ACTIVE");
    }
}

pub(super) fn fail(state: &mut State, id: &str, text: &str) {
    let now = state.clock.seconds_z();
    let Some(server) = state.compute.servers.get_mut(id) else { return };
    server.status = "ERROR".into();
    server.task = None;
    server.fault = Some(Fault { code: 500, message: text.to_owned(), created: now.clone() });
    server.touch(now);
}

/// The time for a delete is over: the machines forget it first.
pub(crate) fn gone(state: &mut State, id: &str) {
    if state.real_machines {
        state.job(Job::Delete(id.to_owned()));
    } else {
        deleted(state, id, Ok(()));
    }
}

/// The machines have forgotten it: ports are freed, volumes go or stay as they were told.
pub(crate) fn deleted(state: &mut State, id: &str, result: Result<(), String>) {
    if let Err(text) = result {
        return fail(state, id, &text);
    }
    let Some(server) = state.compute.servers.shift_remove(id) else { return };
    for interface in &server.interfaces {
        let bound = state.network.ports.get(&interface.port_id).is_some_and(|p| p.device_id == id);
        if interface.ours {
            ports::remove(state, &interface.port_id);
        } else if bound {
            network::ports::unbind(state, &interface.port_id);
        }
    }
    for disk in &server.disks {
        volume::detach(state, &disk.volume_id);
        if disk.delete_on_termination {
            volume::start_delete(state, &disk.volume_id);
        }
    }
}
