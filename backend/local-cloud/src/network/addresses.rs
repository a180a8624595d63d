//! Giving out addresses of subnets and taking them back.

use super::Subnet;
use crate::http::Failure;
use crate::state::State;
use std::net::Ipv4Addr;

/// First and last address that may be given out.
pub(super) fn pool(subnet: &Subnet) -> (Ipv4Addr, Ipv4Addr) {
    let network = u32::from(subnet.cidr.network());
    let broadcast = u32::from(subnet.cidr.broadcast());
    let mut first = Ipv4Addr::from(network.saturating_add(1).min(broadcast));
    if subnet.gateway == Some(first) {
        first = Ipv4Addr::from(u32::from(first).saturating_add(1).min(broadcast));
    }
    (first, Ipv4Addr::from(broadcast.saturating_sub(1).max(network)))
}

/// The next free address behind the last one given out; None: the subnet is full.
fn next_free(subnet: &Subnet) -> Option<Ipv4Addr> {
    let (first, last) = pool(subnet);
    let (first, last) = (u32::from(first), u32::from(last));
    let start = subnet.last.map_or(first, |l| u32::from(l).saturating_add(1));
    let free = |raw: &u32| {
        let ip = Ipv4Addr::from(*raw);
        subnet.gateway != Some(ip) && !subnet.used.contains(&ip)
    };
    (start..=last).find(free).or_else(|| (first..=last).find(free)).map(Ipv4Addr::from)
}

/// Takes the asked or the next free address of a subnet.
pub(crate) fn take(state: &mut State, subnet_id: &str, asked: Option<Ipv4Addr>) -> Result<Ipv4Addr, Failure> {
    let subnet = state.network.subnets.get_mut(subnet_id).ok_or_else(|| super::missing("Subnet", subnet_id))?;
    let ip = match asked {
        Some(ip) if !subnet.cidr.contains(&ip) => {
            return Err(Failure::new(400, "InvalidIpForSubnet", format!("IP address {ip} is not a valid IP for the specified subnet.")));
        }
        Some(ip) if subnet.used.contains(&ip) => {
            let message = format!("IP address {ip} already allocated in subnet {subnet_id}");
            return Err(Failure::new(409, "IpAddressAlreadyAllocated", message));
        }
        Some(ip) => ip,
        None => next_free(subnet).ok_or_else(|| {
            let message = format!("No more IP addresses available on network {}.", subnet.network_id);
            Failure::new(409, "IpAddressGenerationFailure", message)
        })?,
    };
    subnet.used.insert(ip);
    if asked.is_none() {
        subnet.last = Some(ip);
    }
    Ok(ip)
}

pub(crate) fn give_back(state: &mut State, subnet_id: &str, ip: Ipv4Addr) {
    if let Some(subnet) = state.network.subnets.get_mut(subnet_id) {
        subnet.used.remove(&ip);
    }
}

/// The subnet that addresses of an external network come from.
pub(crate) fn subnet_of(state: &State, network_id: &str) -> Option<String> {
    state.network.subnets.values().find(|s| s.network_id == network_id).map(|s| s.common.id.clone())
}
