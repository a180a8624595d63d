//! Tags of networks, subnets, ports, routers, floating IPs and security groups.

use super::{Common, missing};
use crate::http::{Answer, Call, Failure, Reply, texts};
use crate::state::State;
use http::Method;
use serde_json::{Map, json};

fn common<'a>(state: &'a mut State, call: &Call<'_>, kind: &str, id: &str) -> Result<&'a mut Common, Failure> {
    let network = &mut state.network;
    let (found, name) = match kind {
        "networks" => (network.networks.get_mut(id).map(|r| &mut r.common), "Network"),
        "subnets" => (network.subnets.get_mut(id).map(|r| &mut r.common), "Subnet"),
        "ports" => (network.ports.get_mut(id).map(|r| &mut r.common), "Port"),
        "routers" => (network.routers.get_mut(id).map(|r| &mut r.common), "Router"),
        "floatingips" => (network.floating_ips.get_mut(id).map(|r| &mut r.common), "FloatingIP"),
        "security-groups" => (network.groups.get_mut(id).map(|r| &mut r.common), "SecurityGroup"),
        _ => return Err(Failure::no_route()),
    };
    found.filter(|c| call.actor.sees(&c.project_id)).ok_or_else(|| missing(name, id))
}

pub(super) fn serve(state: &mut State, call: &Call<'_>, kind: &str, id: &str, rest: &[&str]) -> Answer {
    let absent = |tag: &str| Failure::new(404, "TagNotFound", format!("Tag {tag} could not be found."));
    let reading = call.method == Method::GET || call.method == Method::HEAD;
    if !reading {
        call.writer("update_tags")?;
    }
    let tags = &mut common(state, call, kind, id)?.tags;
    match (call.method, rest) {
        (&Method::GET, []) => {}
        (&Method::PUT, []) => {
            let given = call.body.as_object().cloned().unwrap_or_else(Map::new);
            *tags = texts(&given, "tags");
        }
        (&Method::DELETE, []) => {
            tags.clear();
            return Ok(Reply::empty(204));
        }
        (_, [tag]) if reading => return if tags.iter().any(|t| t == tag) { Ok(Reply::empty(204)) } else { Err(absent(tag)) },
        (&Method::PUT, [tag]) => {
            if !tags.iter().any(|t| t == tag) {
                tags.push((*tag).to_owned());
            }
            return Ok(Reply::empty(201));
        }
        (&Method::DELETE, [tag]) => {
            let before = tags.len();
            tags.retain(|t| t != tag);
            return if tags.len() < before { Ok(Reply::empty(204)) } else { Err(absent(tag)) };
        }
        _ => return Err(Failure::no_route()),
    }
    Ok(Reply::json(200, json!({ "tags": tags })))
}
