//! What the machines must forward: every listener of every settled load balancer, with its floating address.

use super::{Balancer, Listener, Status};
use crate::machines::{Backend, Frontend, Monitor};
use crate::state::State;
use std::net::{Ipv4Addr, SocketAddrV4};

/// All traffic there should be.
pub(crate) fn frontends(state: &State) -> Vec<Frontend> {
    let octavia = &state.load_balancers;
    let serving = |l: &&Listener| l.common.admin_state_up && !matches!(l.common.status, Status::PendingCreate | Status::PendingDelete);
    let one = |listener: &Listener| {
        let balancer = octavia.balancers.get(&listener.common.balancer)?;
        let alive = balancer.common.admin_state_up && !matches!(balancer.common.status, Status::PendingCreate | Status::PendingDelete);
        alive.then(|| frontend(state, balancer, listener))?
    };
    octavia.listeners.values().filter(serving).filter_map(one).collect()
}

fn frontend(state: &State, balancer: &Balancer, listener: &Listener) -> Option<Frontend> {
    let subnet = state.network.subnets.get(&balancer.vip_subnet_id)?;
    let floating = state.network.floating_ips.values().find(|f| f.port_id.as_deref() == Some(&balancer.vip_port_id)).map(|f| f.address);
    let pool = listener.default_pool.clone().unwrap_or_default();
    let octavia = &state.load_balancers;
    let used = |m: &&super::Member| m.pool == pool && m.weight > 0 && m.common.admin_state_up && m.common.status != Status::PendingDelete;
    let members = octavia.members.values().filter(used);
    let milliseconds = |n: i64| u64::try_from(n).unwrap_or_default();
    Some(Frontend {
        listener: listener.common.id.clone(),
        network: balancer.vip_network_id.clone(),
        subnet: subnet.cidr,
        gateway: subnet.gateway.unwrap_or(Ipv4Addr::UNSPECIFIED),
        vip: SocketAddrV4::new(balancer.vip_address, listener.port),
        floating: floating.map(|ip| SocketAddrV4::new(ip, listener.port)),
        allowed_cidrs: listener.allowed_cidrs.iter().filter_map(|c| c.parse().ok()).collect(),
        members: members.map(|m| Backend { member: m.common.id.clone(), address: SocketAddrV4::new(m.address, m.port) }).collect(),
        monitor: octavia.monitors.values().find(|m| m.pool == pool && m.common.admin_state_up).map(|m| Monitor {
            kind: m.kind.clone(),
            path: m.url_path.clone().unwrap_or_else(|| "/".into()),
            delay_ms: milliseconds(m.delay * 1000),
            timeout_ms: milliseconds(m.timeout * 1000),
            rise: u32::try_from(m.max_retries).unwrap_or(1),
            fall: u32::try_from(m.max_retries_down).unwrap_or(3),
        }),
        client_timeout_ms: milliseconds(listener.timeout_client_data),
        member_timeout_ms: milliseconds(listener.timeout_member_data),
    })
}
