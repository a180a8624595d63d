//! Every object of the cloud in one list, for tests that ask what is left.

use crate::cloud::LocalCloud;
use crate::network::Common;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// An object a project can own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DumpObject {
    pub kind: &'static str,
    pub id: String,
    pub name: String,
    /// Id of its project; empty: none.
    pub project: String,
    pub status: Option<String>,
    /// Its description, or its metadata whose keys begin with `kcs_`.
    pub mark: Option<String>,
}

fn neutron(kind: &'static str, common: &Common, status: Option<&str>) -> DumpObject {
    DumpObject {
        kind,
        id: common.id.clone(),
        name: common.name.clone(),
        project: common.project_id.clone(),
        status: status.map(str::to_owned),
        mark: said(&common.description),
    }
}

fn said(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn metadata(metadata: &BTreeMap<String, String>) -> Option<String> {
    let marks: Vec<String> = metadata.iter().filter(|(key, _)| key.starts_with("kcs_")).map(|(key, value)| format!("{key}={value}")).collect();
    (!marks.is_empty()).then(|| marks.join(" "))
}

impl LocalCloud {
    /// Names of the servers that are ACTIVE.
    #[must_use]
    pub fn active_servers(&self) -> BTreeSet<String> {
        self.inner.lock().compute.servers.values().filter(|s| s.status == "ACTIVE").map(|s| s.name.clone()).collect()
    }

    /// All objects; security groups' rules and what is under load balancers go with their owners and are not listed.
    #[must_use]
    pub fn dump(&self) -> Vec<DumpObject> {
        let state = self.inner.lock();
        let (net, identity) = (&state.network, &state.identity);
        let plain = |kind, id: &str, name: &str, project: &str, status: Option<&str>, mark| DumpObject {
            kind,
            id: id.to_owned(),
            name: name.to_owned(),
            project: project.to_owned(),
            status: status.map(str::to_owned),
            mark,
        };
        let mut all: Vec<DumpObject> = Vec::new();
        all.extend(identity.users.values().map(|u| plain("user", &u.id, &u.name, "", None, said(&u.description))));
        all.extend(identity.credentials.values().map(|c| plain("application_credential", &c.id, &c.name, &c.project_id, None, said(&c.description))));
        all.extend(net.networks.values().map(|n| neutron("network", &n.common, None)));
        all.extend(net.subnets.values().map(|s| neutron("subnet", &s.common, None)));
        all.extend(net.routers.values().map(|r| neutron("router", &r.common, None)));
        all.extend(net.ports.values().map(|p| neutron("port", &p.common, Some(&p.status))));
        all.extend(net.floating_ips.values().map(|f| neutron("floating_ip", &f.common, None)));
        all.extend(net.groups.values().map(|g| neutron("security_group", &g.common, None)));
        all.extend(state.compute.groups.values().map(|g| plain("server_group", &g.id, &g.name, &g.project_id, None, None)));
        all.extend(state.compute.servers.values().map(|s| plain("server", &s.id, &s.name, &s.project_id, Some(&s.status), metadata(&s.metadata))));
        all.extend(state.volumes.volumes.values().map(|v| plain("volume", &v.id, &v.name, &v.project_id, Some(&v.status), metadata(&v.metadata))));
        all.extend(state.volumes.snapshots.values().map(|s| plain("snapshot", &s.id, &s.name, &s.project_id, Some(&s.status), None)));
        all.extend(state.load_balancers.balancers.values().map(|b| {
            let common = &b.common;
            plain("load_balancer", &common.id, &common.name, &common.project_id, Some(common.status.word()), said(&common.description))
        }));
        all
    }
}
