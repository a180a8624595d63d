//! Objects of somebody else, put there behind the services' backs: what must survive whatever a test does.

use crate::cloud::LocalCloud;
use crate::compute::ServerGroup;
use crate::compute::servers::{Interface, Server};
use crate::network::ports::{self, ServicePort};
use crate::network::{Common, Group, Net, Router, Subnet, addresses, security_groups};
use crate::state::State;
use crate::volumes::Volume;
use ipnet::Ipv4Net;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

impl LocalCloud {
    /// Gives a project one object of each kind with exactly this name and no mark.
    pub fn add_foreign(&self, project: &str, name: &str) {
        self.inner.change(|state| add(state, project, name));
    }

    /// Puts a port of somebody else's on a network; answers its id, empty when the network has no subnet.
    #[must_use]
    pub fn add_foreign_port(&self, network: &str) -> String {
        self.inner.change(|state| {
            let project = state.network.networks.get(network).map(|n| n.common.project_id.clone()).unwrap_or_default();
            port(state, &project, "foreign", network, "").unwrap_or_default()
        })
    }

    pub fn remove_foreign_port(&self, id: &str) {
        self.inner.change(|state| ports::remove(state, id));
    }
}

fn port(state: &mut State, project: &str, name: &str, network: &str, device: &str) -> Option<String> {
    let subnet = addresses::subnet_of(state, network)?;
    let group = security_groups::default_group(state, project);
    let device_owner = if device.is_empty() { "" } else { "compute:az1" };
    let wanted = ServicePort {
        project,
        name,
        network_id: network,
        subnet_id: &subnet,
        address: None,
        device_id: device,
        device_owner,
        security_groups: vec![group],
    };
    ports::make(state, wanted).ok()
}

fn add(state: &mut State, project: &str, name: &str) {
    let net = Net { common: Common::new(state, project, name, ""), admin_state_up: true, shared: false, external: false, mtu: 1450 };
    let network = net.common.id.clone();
    state.network.networks.insert(network.clone(), net);
    if let Ok(cidr) = Ipv4Net::new(Ipv4Addr::new(10, 99, 0, 0), 24) {
        let subnet = Subnet {
            common: Common::new(state, project, name, ""),
            network_id: network.clone(),
            cidr,
            gateway: cidr.hosts().next(),
            enable_dhcp: true,
            dns_nameservers: Vec::new(),
            used: BTreeSet::new(),
            last: None,
        };
        state.network.subnets.insert(subnet.common.id.clone(), subnet);
    }
    let router = Router { common: Common::new(state, project, name, ""), admin_state_up: true, external_network: None, gateway_port: None };
    state.network.routers.insert(router.common.id.clone(), router);
    let group = Group { common: Common::new(state, project, name, "") };
    state.network.groups.insert(group.common.id.clone(), group);
    let id = state.id();
    let group =
        ServerGroup { id: id.clone(), name: name.into(), policy: "soft-anti-affinity".into(), project_id: project.into(), user_id: String::new() };
    state.compute.groups.insert(id, group);
    volume(state, project, name);
    let id = state.id();
    let interface = port(state, project, name, &network, &id).map(|port_id| Interface { port_id, ours: false });
    server(state, project, name, id, interface);
}

fn volume(state: &mut State, project: &str, name: &str) {
    let (id, now) = (state.id(), state.clock.micros());
    let volume = Volume {
        id: id.clone(),
        name: name.into(),
        description: None,
        project_id: project.into(),
        user_id: String::new(),
        size: 1,
        status: "available".into(),
        zone: state.compute.zones.first().cloned().unwrap_or_default(),
        volume_type: "standard".into(),
        metadata: BTreeMap::new(),
        image: None,
        snapshot_id: None,
        source_id: None,
        attachments: Vec::new(),
        created_at: now.clone(),
        updated_at: now,
        stuck: false,
        failing: false,
    };
    state.volumes.volumes.insert(id, volume);
}

fn server(state: &mut State, project: &str, name: &str, id: String, interface: Option<Interface>) {
    let now = state.clock.seconds_z();
    let flavor = state.compute.flavors.values().next().map(|f| f.id.clone()).unwrap_or_default();
    let server = Server {
        id: id.clone(),
        name: name.into(),
        description: None,
        project_id: project.into(),
        user_id: String::new(),
        // Off: nothing of it need be booted.
        status: "SHUTOFF".into(),
        task: None,
        flavor_id: flavor,
        image_id: None,
        zone: state.compute.zones.first().cloned().unwrap_or_default(),
        metadata: BTreeMap::new(),
        tags: Vec::new(),
        interfaces: interface.into_iter().collect(),
        disks: Vec::new(),
        group: None,
        key_name: None,
        user_data: None,
        fault: None,
        created: now.clone(),
        updated: now,
        launched: None,
        doomed: None,
        stuck: false,
    };
    state.compute.servers.insert(id, server);
}
