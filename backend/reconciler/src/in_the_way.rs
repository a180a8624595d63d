//! What stands in the way of a deletion: where the cloud does not let go of a network, a subnet, a router's interface or a security group, the ports of
//! others that use it are named with its refusal.

use crate::lists::{Freshness, Lists};
use crate::rows::cloud_id;
use crate::world::World;
use cloud::network::Port;
use cloud::{Cloud, CloudError};
use domain::changes::Work;
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};
use domain::names;
use std::collections::BTreeSet;

/// So many ports are named, each with so much of its owner and of its name, after so much of the cloud's words: a fault has 2,000 characters at most.
const NAMED: usize = 5;
const NAME: usize = 60;
const WORDS: usize = 1_000;

/// Owners of ports that Neutron takes away itself: they keep nothing.
const NEUTRONS: [&str; 3] = ["network:dhcp", "network:distributed", "network:floatingip_agent_gateway"];

impl World<'_> {
    /// The refusal, and what is in the way. The ports are those that the pass has looked at.
    pub(crate) async fn with_ports(&self, work: &Work, cloud: &Cloud, row: &LedgerRow, refused: CloudError) -> CloudError {
        let lists = self.services.memory.estate.lists(&work.cluster.tenant, cloud, Freshness { now: self.now, after: None });
        let mut ports = match using(work, row, &lists).await {
            Ok(ports) => ports,
            Err(error) => {
                tracing::warn!(cluster = %row.cluster, object = row.name, %error, "what keeps it cannot be told");
                return refused;
            }
        };
        ports.retain(|port| !NEUTRONS.contains(&port.device_owner.as_str()) && !ours(work, port));
        if ports.is_empty() {
            return refused;
        }
        ports.sort_by(|one, other| one.id.cmp(&other.id));
        let named: Vec<String> = ports.iter().take(NAMED).map(said).collect();
        let more = if ports.len() > NAMED { format!("; and {} more", ports.len() - NAMED) } else { String::new() };
        let words: String = refused.message.trim_end_matches('.').chars().take(WORDS).collect();
        let message = format!("{words}. In the way: {}{more}", named.join("; "));
        CloudError { message, ..refused }
    }
}

/// All ports that use a row's object.
async fn using(work: &Work, row: &LedgerRow, lists: &Lists<'_>) -> Result<Vec<Port>, CloudError> {
    use ResourceKind::{Network, RouterInterface, SecurityGroup, Subnet};
    if !matches!(row.kind, Network | Subnet | RouterInterface | SecurityGroup) {
        return Ok(Vec::new());
    }
    let ports = lists.ports().await?;
    // A router's interface is kept by the floating IPs behind it alone.
    let floating: BTreeSet<String> = match row.kind {
        RouterInterface => lists.floating_ips().await?.iter().filter_map(|ip| ip.port_id.clone()).collect(),
        _ => BTreeSet::new(),
    };
    let id = row.cloud_id.as_deref();
    let subnet = if row.kind == RouterInterface { cloud_id(work, "subnet") } else { id };
    let on_subnet = |port: &Port| port.subnet_ids.iter().any(|on| Some(on.as_str()) == subnet);
    let uses = |port: &Port| match row.kind {
        Network => Some(port.network_id.as_str()) == id,
        Subnet => on_subnet(port),
        RouterInterface => on_subnet(port) && floating.contains(&port.id),
        _ => port.security_group_ids.iter().any(|group| Some(group.as_str()) == id),
    };
    Ok(ports.iter().filter(|port| uses(port)).cloned().collect())
}

/// Whether a port carries the cluster's mark, or is or belongs to an object that it has.
fn ours(work: &Work, port: &Port) -> bool {
    let marked = names::marked(&port.description).is_some_and(|(cluster, _)| cluster == work.cluster.id);
    let live = |id: &str| work.ledger.iter().any(|row| row.state != ResourceState::Gone && row.cloud_id.as_deref() == Some(id));
    marked || live(&port.id) || live(&port.device_id)
}

/// A port with its owner and its name, as far as it has them.
fn said(port: &Port) -> String {
    let short = |text: &str| text.chars().filter(|c| !c.is_control()).take(NAME).collect::<String>();
    let about: Vec<String> = [short(&port.device_owner), short(&port.name)].into_iter().filter(|word| !word.is_empty()).collect();
    if about.is_empty() { format!("port {}", port.id) } else { format!("port {} ({})", port.id, about.join(", ")) }
}
