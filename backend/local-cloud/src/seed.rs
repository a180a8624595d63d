//! What a new cloud holds: projects, people, roles, flavors, zones, volume types and the external network.

use crate::compute::Flavor;
use crate::identity::{DEFAULT_DOMAIN, Factors, Project, Role, User, digest, domains, passcodes};
use crate::network::{Common, Net, Subnet, security_groups};
use crate::state::State;
use crate::volumes::VolumeType;
use ipnet::Ipv4Net;
use std::collections::{BTreeSet, HashMap};

const MEMBER: [&str; 2] = ["member", "load-balancer_member"];
const ADMIN: [&str; 3] = ["admin", "member", "load-balancer_member"];

/// People of an identity provider: they have no password here.
pub(crate) const FEDERATED: [&str; 2] = ["sso-a", "sso-nowhere"];

/// Who needs the passcode of an authenticator besides the password.
pub(crate) const WITH_PASSCODE: &str = "totp-a";

/// (user, project, roles)
const PEOPLE: [(&str, &str, &[&str]); 13] = [
    ("kcs", "service", &ADMIN),
    ("member-a", "tenant-a", &MEMBER),
    ("reader-a", "tenant-a", &["reader"]),
    ("member-b", "tenant-b", &MEMBER),
    ("both", "tenant-a", &MEMBER),
    ("both", "tenant-b", &MEMBER),
    ("operator", "admin", &ADMIN),
    ("owner-a", "tenant-a", &["manager", "member", "reader"]),
    ("guest-a", "tenant-a", &["load-balancer_member"]),
    (WITH_PASSCODE, "tenant-a", &MEMBER),
    (FEDERATED[0], "tenant-a", &MEMBER),
    (FEDERATED[0], "tenant-b", &MEMBER),
    (FEDERATED[1], "tenant-a", &[]),
];

/// Name, vCPUs, MiB, GiB.
const FLAVORS: [(&str, u32, u32, u32); 5] =
    [("m1.tiny", 1, 512, 1), ("m1.small", 1, 2048, 20), ("m1.medium", 2, 4096, 40), ("m1.large", 4, 8192, 80), ("m1.impossible", 512, 4_194_304, 20)];

/// Fills a new cloud.
pub(crate) fn sow(state: &mut State, password: &str, public: Ipv4Net) {
    people(state, password);
    state.compute.zones = ["az1", "az2", "az3"].map(str::to_owned).to_vec();
    for (name, vcpus, ram, disk) in FLAVORS {
        let id = state.id();
        state.compute.flavors.insert(id.clone(), Flavor { id, name: name.into(), vcpus, ram, disk });
    }
    for name in ["standard", "ssd"] {
        let id = state.id();
        state.volumes.types.insert(id.clone(), VolumeType { id, name: name.into(), default: name == "standard" });
    }
    external_network(state, public);
    quotas(state);
}

fn people(state: &mut State, password: &str) {
    state.identity.domains = domains::first();
    for name in ["service", "admin", "tenant-a", "tenant-b"] {
        let id = state.hex_id();
        security_groups::default_group(state, &id);
        state.identity.projects.insert(id.clone(), Project { id, name: name.into(), description: String::new(), enabled: true });
    }
    for name in ["admin", "manager", "member", "reader", "load-balancer_member"] {
        let id = state.hex_id();
        state.identity.roles.insert(id.clone(), Role { id, name: name.into() });
    }
    for (user, project, roles) in PEOPLE {
        let user = match state.identity.users.values().find(|u| u.name == user) {
            Some(known) => known.id.clone(),
            None => {
                let id = state.hex_id();
                let factors = if user == WITH_PASSCODE { password_and_passcode(state) } else { Factors::default() };
                let password = digest(&if FEDERATED.contains(&user) { state.secret() } else { password.to_owned() });
                let domain_id = DEFAULT_DOMAIN.to_owned();
                let new = User { id: id.clone(), name: user.into(), domain_id, description: String::new(), enabled: true, password, factors };
                state.identity.users.insert(id.clone(), new);
                id
            }
        };
        let identity = &mut state.identity;
        let project = identity.projects.values().find(|p| p.name == project).map(|p| p.id.clone()).unwrap_or_default();
        for role in identity.roles.values().filter(|r| roles.contains(&r.name.as_str())) {
            identity.assignments.insert((project.clone(), user.clone(), role.id.clone()));
        }
    }
}

fn password_and_passcode(state: &mut State) -> Factors {
    // As many bytes as RFC 4226 recommends.
    let seed = passcodes::seed(&state.secret().as_bytes()[..20]);
    Factors { enabled: true, rules: vec![vec!["password".to_owned(), "totp".to_owned()]], seed: Some(seed) }
}

/// The demo accounts' password may have been changed between two runs.
pub(crate) fn set_passwords(state: &mut State, password: &str) {
    let password = digest(password);
    let ours = |user: &&mut User| PEOPLE.iter().any(|(name, ..)| *name == user.name) && !FEDERATED.contains(&user.name.as_str());
    for user in state.identity.users.values_mut().filter(ours) {
        user.password.clone_from(&password);
    }
}

fn project(state: &State, name: &str) -> String {
    state.identity.projects.values().find(|p| p.name == name).map(|p| p.id.clone()).unwrap_or_default()
}

fn external_network(state: &mut State, cidr: Ipv4Net) {
    let owner = project(state, "admin");
    let net = Net { common: Common::new(state, &owner, "public", ""), admin_state_up: true, shared: false, external: true, mtu: 1500 };
    let subnet = Subnet {
        common: Common::new(state, &owner, "public", ""),
        network_id: net.common.id.clone(),
        cidr,
        gateway: cidr.hosts().next(),
        enable_dhcp: false,
        dns_nameservers: Vec::new(),
        used: BTreeSet::new(),
        last: None,
    };
    state.network.subnets.insert(subnet.common.id.clone(), subnet);
    state.network.networks.insert(net.common.id.clone(), net);
}

/// The demo tenants have room for more than one cluster; other projects have the services' own defaults.
fn quotas(state: &mut State) {
    let table = |pairs: &[(&str, i64)]| -> HashMap<String, i64> { pairs.iter().map(|(name, limit)| ((*name).to_owned(), *limit)).collect() };
    for tenant in ["tenant-a", "tenant-b"] {
        let id = project(state, tenant);
        state.compute.quotas.insert(id.clone(), table(&[("instances", 40), ("cores", 96), ("ram", 262_144)]));
        state.volumes.quotas.insert(id.clone(), table(&[("volumes", 60), ("gigabytes", 4000)]));
        state.network.quotas.insert(id, table(&[("security_group", 40)]));
    }
}
