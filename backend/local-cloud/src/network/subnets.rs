//! Subnets. IPv4 only: the machines behind this cloud have no IPv6 networks.

use super::networks::usable;
use super::{Common, addresses, invalid, known, missing, own, own_mut, quotas, required, resource, wrapped};
use crate::http::{Answer, Call, Failure, Reply, number, texts, truth};
use crate::state::State;
use crate::table::page;
use http::Method;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Subnet {
    pub common: Common,
    pub network_id: String,
    pub cidr: Ipv4Net,
    pub gateway: Option<Ipv4Addr>,
    pub enable_dhcp: bool,
    pub dns_nameservers: Vec<String>,
    /// Addresses given out.
    pub used: BTreeSet<Ipv4Addr>,
    /// The last address given out: the next search begins behind it, so that an address is not reused at once.
    pub last: Option<Ipv4Addr>,
}
resource!(Subnet, "network_id" => network_id);

const ATTRIBUTES: [&str; 10] = [
    "network_id",
    "cidr",
    "ip_version",
    "gateway_ip",
    "enable_dhcp",
    "dns_nameservers",
    "allocation_pools",
    "host_routes",
    "service_types",
    "segment_id",
];

fn view(subnet: &Subnet) -> Value {
    let (first, last) = addresses::pool(subnet);
    subnet.common.fill(json!({
        "network_id": subnet.network_id, "cidr": subnet.cidr.to_string(), "ip_version": 4, "gateway_ip": subnet.gateway,
        "enable_dhcp": subnet.enable_dhcp, "dns_nameservers": subnet.dns_nameservers, "host_routes": [], "service_types": [],
        "allocation_pools": [{"start": first, "end": last}], "ipv6_address_mode": null, "ipv6_ra_mode": null, "subnetpool_id": null,
        "segment_id": null, "dns_publish_fixed_ip": false, "router:external": false,
    }))
}

fn visible(state: &State, call: &Call<'_>, subnet: &Subnet) -> bool {
    call.actor.sees(&subnet.common.project_id) || state.network.networks.get(&subnet.network_id).is_some_and(|n| n.shared)
}

pub(super) fn serve(state: &mut State, call: &Call<'_>) -> Answer {
    match (call.method, call.path) {
        (&Method::GET, [_]) => page(call, "subnets", state.network.subnets.values().filter(|s| visible(state, call, s)), view),
        (&Method::GET, [_, id]) => {
            let subnet = state.network.subnets.get(*id).filter(|s| visible(state, call, s)).ok_or_else(|| missing("Subnet", id))?;
            Ok(wrapped(200, "subnet", view(subnet)))
        }
        (&Method::POST, [_]) => create(state, call),
        (&Method::PUT, [_, id]) => update(state, call, id),
        (&Method::DELETE, [_, id]) => delete(state, call, id),
        _ => Err(Failure::no_route()),
    }
}

fn create(state: &mut State, call: &Call<'_>) -> Answer {
    call.writer("create_subnet")?;
    let given = call.object("subnet")?;
    known(given, &ATTRIBUTES)?;
    let network_id = required(given, "network_id")?.to_owned();
    usable(state, call, &network_id)?;
    own(&state.network.networks, call, "Network", &network_id)?;
    if number(given, "ip_version", 4)? != 4 {
        return Err(invalid("ip_version", "only 4 is served"));
    }
    let text = required(given, "cidr")?;
    let cidr: Ipv4Net =
        text.parse().map_err(|_| Failure::new(400, "InvalidInput", format!("Invalid input for operation: {text} is not in a CIDR format.")))?;
    if cidr.trunc() != cidr {
        return Err(invalid("cidr", &format!("'{text}' isn't a recognized IP subnet cidr, '{}' is recommended", cidr.trunc())));
    }
    let siblings = state.network.subnets.values().filter(|s| s.network_id == network_id);
    if siblings.clone().any(|s| s.cidr.contains(&cidr) || cidr.contains(&s.cidr)) {
        let message =
            format!("Invalid input for operation: Requested subnet with cidr: {cidr} for network: {network_id} overlaps with another subnet.");
        return Err(Failure::new(400, "InvalidInput", message));
    }
    let gateway = gateway(given, cidr)?;
    let enable_dhcp = truth(given, "enable_dhcp", true)?;
    let common = Common::from_call(state, call, given)?;
    quotas::check(state, &common.project_id, "subnet", 1)?;
    let dns_nameservers = texts(given, "dns_nameservers");
    let subnet = Subnet { common, network_id, cidr, gateway, enable_dhcp, dns_nameservers, used: BTreeSet::new(), last: None };
    let body = view(&subnet);
    state.network.subnets.insert(subnet.common.id.clone(), subnet);
    Ok(wrapped(201, "subnet", body))
}

/// The gateway asked for; none when null; the first address when not said.
fn gateway(given: &Map<String, Value>, cidr: Ipv4Net) -> Result<Option<Ipv4Addr>, Failure> {
    match given.get("gateway_ip") {
        None => Ok(cidr.hosts().next()),
        Some(Value::Null) => Ok(None),
        Some(Value::String(s)) => match s.parse::<Ipv4Addr>() {
            Ok(ip) if cidr.contains(&ip) => Ok(Some(ip)),
            _ => Err(invalid("gateway_ip", &format!("'{s}' is not a valid IP address of the subnet"))),
        },
        Some(other) => Err(invalid("gateway_ip", &format!("'{other}' is not a valid IP address"))),
    }
}

fn update(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("update_subnet")?;
    let given = call.object("subnet")?;
    if given.contains_key("cidr") {
        return Err(Failure::bad("Cannot update read-only attribute cidr"));
    }
    known(given, &ATTRIBUTES)?;
    let now = state.clock.seconds_z();
    let subnet = own_mut(&mut state.network.subnets, call, "Subnet", id)?;
    subnet.common.update(given, &now)?;
    subnet.enable_dhcp = truth(given, "enable_dhcp", subnet.enable_dhcp)?;
    if given.contains_key("dns_nameservers") {
        subnet.dns_nameservers = texts(given, "dns_nameservers");
    }
    Ok(wrapped(200, "subnet", view(subnet)))
}

fn delete(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("delete_subnet")?;
    own(&state.network.subnets, call, "Subnet", id)?;
    if state.network.ports.values().any(|p| p.fixed_ips.iter().any(|f| f.subnet_id == id)) {
        let message = format!("Unable to complete operation on subnet {id}: One or more ports have an IP allocation from this subnet.");
        return Err(Failure::new(409, "SubnetInUse", message));
    }
    state.network.subnets.shift_remove(id);
    Ok(Reply::empty(204))
}
