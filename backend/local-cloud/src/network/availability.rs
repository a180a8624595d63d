//! How many addresses a network has, and has given out: for administrators, as Neutron's own policy has it, and to others as if it were not there.

use super::{addresses, missing};
use crate::http::{Answer, Call, Failure, Reply};
use crate::state::State;
use serde_json::{Value, json};

pub(super) fn serve(state: &State, call: &Call<'_>, id: &str) -> Answer {
    if !call.actor.admin {
        return Err(Failure::new(404, "HTTPNotFound", "The resource could not be found."));
    }
    let net = state.network.networks.get(id).ok_or_else(|| missing("Network", id))?;
    let (mut total, mut used, mut subnets) = (0, 0, Vec::<Value>::new());
    for subnet in state.network.subnets.values().filter(|s| s.network_id == id) {
        let (first, last) = addresses::pool(subnet);
        let all = u64::from(u32::from(last).saturating_sub(u32::from(first))) + 1;
        let taken = subnet.used.len() as u64;
        (total, used) = (total + all, used + taken);
        subnets.push(json!({
            "subnet_id": subnet.common.id, "subnet_name": subnet.common.name, "cidr": subnet.cidr.to_string(), "ip_version": 4,
            "total_ips": all, "used_ips": taken,
        }));
    }
    let body = json!({
        "network_id": id, "network_name": net.common.name, "project_id": net.common.project_id, "tenant_id": net.common.project_id,
        "total_ips": total, "used_ips": used, "subnet_ip_availability": subnets,
    });
    Ok(Reply::json(200, json!({ "network_ip_availability": body })))
}
