//! Making a server: everything is checked first, then the port and the volume are taken, then it is built.

use super::servers::{Disk, Interface, Server};
use super::{Flavor, groups, place, quotas};
use crate::faults::ObjectFault;
use crate::http::{Answer, Call, Failure, Reply, text, texts, truth};
use crate::network::ports::{self, ServicePort};
use crate::network::security_groups;
use crate::state::{State, Timer};
use crate::volumes::{metadata, volume};
use base64::Engine as _;
use serde_json::{Map, Value, json};

/// Longest user data, in base64.
const USER_DATA_MOST: usize = 65_535;
const NO_VALID_HOST: &str = "No valid host was found. There are not enough hosts available.";

pub(super) fn check_name(name: &str) -> Result<&str, Failure> {
    if name.trim().is_empty() || name.chars().count() > 255 {
        return Err(Failure::bad(format!("Invalid input for field/attribute name. Value: {name}. '{name}' is too long or too short")));
    }
    Ok(name)
}

/// Where a server is to be tied to.
enum Nic {
    Port(String),
    Network(String),
}

pub(super) fn create(state: &mut State, call: &Call<'_>) -> Answer {
    call.writer("os_compute_api:servers:create")?;
    let given = call.object("server")?;
    let name = text(given, "name").ok_or_else(|| Failure::bad("Invalid input for field/attribute server. 'name' is a required property"))?;
    let name = check_name(name)?.to_owned();
    let flavor = flavor(state, given)?;
    let user_data = user_data(given)?;
    let metadata = metadata(given, "metadata")?;
    quotas::check_metadata(state, &call.actor.project_id, metadata.len())?;
    let zone_asked = zone(state, given)?;
    let group = group(state, call)?;
    let image_id = text(given, "imageRef").filter(|id| !id.is_empty()).map(str::to_owned);
    let disks = disks(state, call, given, image_id.as_deref(), &flavor)?;
    let nics = nics(state, call, given)?;
    quotas::check_server(state, &call.actor.project_id, &flavor)?;
    let zone = place::zone(state, &flavor, zone_asked.as_deref(), group.as_deref());
    let doomed = match &call.fault {
        Some(ObjectFault::Error(text)) => Some(text.clone()),
        _ => zone.is_none().then(|| NO_VALID_HOST.to_owned()),
    };
    let id = state.id();
    for disk in &disks {
        volume::reserve(state, call, &disk.volume_id, &id).map_err(|f| Failure::bad(format!("Block Device Mapping is Invalid: {}", f.message)))?;
    }
    let now = state.clock.seconds_z();
    let zone = zone.or(zone_asked).unwrap_or_default();
    let interfaces = tie(state, call, &id, &zone, nics)?;
    let server = Server {
        id: id.clone(),
        name,
        description: text(given, "description").filter(|_| call.minor >= 19).map(str::to_owned),
        project_id: call.actor.project_id.clone(),
        user_id: call.actor.user_id.clone(),
        status: "BUILD".into(),
        task: None,
        flavor_id: flavor.id,
        image_id,
        zone,
        metadata,
        tags: if call.minor >= 52 { texts(given, "tags") } else { Vec::new() },
        interfaces,
        disks,
        group,
        key_name: text(given, "key_name").map(str::to_owned),
        user_data,
        fault: None,
        created: now.clone(),
        updated: now,
        launched: None,
        doomed,
        stuck: matches!(call.fault, Some(ObjectFault::Stuck)),
    };
    state.compute.servers.insert(id.clone(), server);
    state.after(state.delays.server_build, Timer::ServerBuilt(id.clone()));
    let href = format!("{}/servers/{id}", call.root);
    let links = json!([{"rel": "self", "href": href}, {"rel": "bookmark", "href": href}]);
    let password = state.secret();
    let body =
        json!({"id": id, "links": links, "OS-DCF:diskConfig": "MANUAL", "security_groups": [{"name": "default"}], "adminPass": &password[..12]});
    let mut reply = Reply::json(202, json!({ "server": body }));
    reply.headers.push(("location", href));
    Ok(reply)
}

fn flavor(state: &State, given: &Map<String, Value>) -> Result<Flavor, Failure> {
    let asked = given.get("flavorRef").map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
    let asked = asked.ok_or_else(|| Failure::bad("Invalid input for field/attribute server. 'flavorRef' is a required property"))?;
    state.compute.flavors.get(&asked).cloned().ok_or_else(|| Failure::bad(format!("Flavor {asked} could not be found.")))
}

fn user_data(given: &Map<String, Value>) -> Result<Option<String>, Failure> {
    let Some(data) = text(given, "user_data") else { return Ok(None) };
    let invalid = |why: &str| Failure::bad(format!("Invalid input for field/attribute user_data. {why}"));
    if data.len() > USER_DATA_MOST {
        return Err(invalid(&format!("Value is too long: at most {USER_DATA_MOST} characters")));
    }
    base64::engine::general_purpose::STANDARD.decode(data).map_err(|_| invalid("Value is not a 'base64'"))?;
    Ok(Some(data.to_owned()))
}

fn zone(state: &State, given: &Map<String, Value>) -> Result<Option<String>, Failure> {
    match text(given, "availability_zone") {
        None => Ok(None),
        Some(zone) if state.compute.zones.iter().any(|z| z == zone) => Ok(Some(zone.to_owned())),
        Some(_) => Err(Failure::bad("The requested availability zone is not available")),
    }
}

/// The group named in the scheduler hints, if it has room.
fn group(state: &State, call: &Call<'_>) -> Result<Option<String>, Failure> {
    let hints = call.body.get("os:scheduler_hints").or_else(|| call.body.get("OS-SCH-HNT:scheduler_hints"));
    let Some(id) = hints.and_then(|h| h.get("group")).and_then(Value::as_str) else { return Ok(None) };
    groups::own(state, call, id).ok_or_else(|| Failure::bad(format!("Instance group {id} could not be found.")))?;
    quotas::check_group_members(state, &call.actor.project_id, groups::members(state, id).count())?;
    Ok(Some(id.to_owned()))
}

/// The volumes a server takes; an image, or a volume to boot from, there must be.
fn disks(state: &State, call: &Call<'_>, given: &Map<String, Value>, image: Option<&str>, flavor: &Flavor) -> Result<Vec<Disk>, Failure> {
    let invalid = |why: String| Failure::bad(format!("Block Device Mapping is Invalid: {why}"));
    let mut disks = Vec::new();
    for mapping in given.get("block_device_mapping_v2").and_then(Value::as_array).into_iter().flatten() {
        let Some(mapping) = mapping.as_object() else { return Err(invalid("not an object".into())) };
        match text(mapping, "source_type") {
            Some("volume") => {
                let id = text(mapping, "uuid").unwrap_or_default();
                volume::own(state, call, id).map_err(|_| invalid(format!("failed to get volume {id}.")))?;
                let letter = char::from(b'a' + u8::try_from(disks.len().min(25)).unwrap_or(25));
                let delete_on_termination = truth(mapping, "delete_on_termination", false)?;
                disks.push(Disk { volume_id: id.to_owned(), device: format!("/dev/vd{letter}"), delete_on_termination });
            }
            Some("image") if text(mapping, "destination_type") == Some("local") => {}
            other => return Err(invalid(format!("source type {} is not served by this cloud", other.unwrap_or("(none)")))),
        }
    }
    match image {
        Some(id) => {
            let found = state.images.images.get(id).ok_or_else(|| Failure::bad("Invalid imageRef provided."))?;
            if found.status != "active" {
                return Err(Failure::bad(format!("Image {id} is not active.")));
            }
            if flavor.disk == 0 {
                return Err(Failure::forbidden("Only volume-backed servers are allowed for flavors with zero disk."));
            }
        }
        None if disks.is_empty() => return Err(Failure::bad("Invalid imageRef provided.")),
        None => {}
    }
    Ok(disks)
}

fn nics(state: &State, call: &Call<'_>, given: &Map<String, Value>) -> Result<Vec<Nic>, Failure> {
    let asked = match given.get("networks") {
        Some(Value::Array(list)) => list,
        Some(Value::String(s)) if s == "none" && call.minor >= 37 => return Ok(Vec::new()),
        Some(Value::String(s)) if s == "auto" && call.minor >= 37 => return Ok(own_network(state, call)),
        None if call.minor < 37 => return Ok(own_network(state, call)),
        _ => return Err(Failure::bad("Invalid input for field/attribute server. 'networks' is a required property")),
    };
    let one = |nic: &Value| match (nic["port"].as_str(), nic["uuid"].as_str()) {
        (Some(port), _) => free_port(state, call, port).map(Nic::Port),
        (None, Some(network)) => {
            let found = state.network.networks.get(network).filter(|n| n.shared || call.actor.sees(&n.common.project_id));
            found.map(|n| Nic::Network(n.common.id.clone())).ok_or_else(|| Failure::bad(format!("Network {network} could not be found.")))
        }
        _ => Err(Failure::bad("Invalid input for field/attribute networks.")),
    };
    asked.iter().map(one).collect()
}

fn own_network(state: &State, call: &Call<'_>) -> Vec<Nic> {
    let own = state.network.networks.values().find(|n| n.common.project_id == call.actor.project_id && !n.external);
    own.map(|n| Nic::Network(n.common.id.clone())).into_iter().collect()
}

/// A port that is bound already fences off a second server.
fn free_port(state: &State, call: &Call<'_>, id: &str) -> Result<String, Failure> {
    let port = state.network.ports.get(id).filter(|p| call.actor.sees(&p.common.project_id));
    let port = port.ok_or_else(|| Failure::bad(format!("Port {id} could not be found.")))?;
    if !port.device_id.is_empty() {
        return Err(Failure::conflict(format!("Port {id} is still in use.")));
    }
    if port.fixed_ips.is_empty() {
        return Err(Failure::bad(format!("Port {id} requires a FixedIP in order to be used.")));
    }
    Ok(id.to_owned())
}

/// Binds ports, or makes them on the networks asked for.
fn tie(state: &mut State, call: &Call<'_>, server: &str, zone: &str, nics: Vec<Nic>) -> Result<Vec<Interface>, Failure> {
    let owner = format!("compute:{zone}");
    let mut interfaces = Vec::new();
    for nic in nics {
        interfaces.push(match nic {
            Nic::Port(port_id) => {
                ports::bind(state, &port_id, server, &owner, &format!("compute-{zone}"));
                Interface { port_id, ours: false }
            }
            Nic::Network(network_id) => Interface { port_id: make_port(state, call, server, &owner, &network_id)?, ours: true },
        });
    }
    Ok(interfaces)
}

/// A port of Nova's own making.
pub(super) fn make_port(state: &mut State, call: &Call<'_>, server: &str, owner: &str, network_id: &str) -> Result<String, Failure> {
    let no_subnet = || Failure::bad(format!("Network {network_id} requires a subnet in order to boot instances on."));
    let subnet_id = crate::network::addresses::subnet_of(state, network_id).ok_or_else(no_subnet)?;
    let group = security_groups::default_group(state, &call.actor.project_id);
    let wanted = ServicePort {
        project: &call.actor.project_id,
        name: "",
        network_id,
        subnet_id: &subnet_id,
        address: None,
        device_id: server,
        device_owner: owner,
        security_groups: vec![group],
    };
    ports::make(state, wanted).map_err(|f| if f.kind == "OverQuota" { Failure::forbidden("Maximum number of ports exceeded") } else { f })
}
