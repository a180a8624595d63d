//! Scheduling: the zone a server goes to. Each zone has one host of a fixed size.

use super::{Flavor, groups};
use crate::state::State;

/// What a host offers to one server; used space is not counted.
const HOST_VCPUS: u32 = 64;
const HOST_RAM_MIB: u32 = 262_144;

/// A zone for the server, or None: no valid host.
pub(super) fn zone(state: &State, flavor: &Flavor, asked: Option<&str>, group: Option<&str>) -> Option<String> {
    if flavor.vcpus > HOST_VCPUS || flavor.ram > HOST_RAM_MIB {
        return None;
    }
    let group = group.and_then(|id| state.compute.groups.get(id));
    let servers = &state.compute.servers;
    let in_group =
        |zone: &str| group.map_or(0, |g| groups::members(state, &g.id).filter_map(|id| servers.get(id)).filter(|s| s.zone == zone).count());
    let zones = state.compute.zones.iter().filter(|zone| asked.is_none_or(|asked| asked == *zone));
    let allowed = zones.filter(|zone| match group.map(|g| g.policy.as_str()) {
        Some("anti-affinity") => in_group(zone) == 0,
        Some("affinity") => in_group(zone) > 0 || group.is_some_and(|g| groups::members(state, &g.id).next().is_none()),
        _ => true,
    });
    let crowded = group.is_some_and(|g| g.policy == "soft-affinity");
    let weight = |zone: &&String| {
        let mates = in_group(zone);
        let all = servers.values().filter(|s| s.zone == **zone).count();
        (if crowded { usize::MAX - mates } else { mates }, all)
    };
    allowed.min_by_key(weight).cloned()
}
