//! What in a whole project carries a mark of ours, or a cluster's name for its controllers, whichever cluster's: one list for each kind. What cannot be
//! read is told apart from what is not there.

use crate::lists::Lists;
use crate::rows::{CLUSTER, RESOURCE};
use cloud::load_balancers::LoadBalancer;
use cloud::network::{FloatingIp, SecurityGroup};
use cloud::volumes::Volume;
use cloud::{Cloud, CloudError};
use domain::ids::{ClusterId, ResourceId, TenantId};
use domain::ledger::ResourceKind;
use domain::names;
use domain::orphans::Marked;
use std::collections::{BTreeMap, BTreeSet};

/// A look through a project.
#[derive(Debug, Default)]
pub(crate) struct ProjectLook {
    pub marked: Vec<Marked>,
    /// Kinds whose list was read to its end.
    pub whole: Vec<ResourceKind>,
    pub blind: Vec<(ResourceKind, CloudError)>,
}

/// (id, name, description) of the service user's application credentials.
pub(crate) type Credentials = Result<Vec<(String, String, String)>, CloudError>;

/// A project, and with whose eyes it is looked at.
pub(crate) struct Project<'a> {
    pub tenant: &'a TenantId,
    pub credentials: Credentials,
    pub cloud: &'a Cloud,
    pub lists: Lists<'a>,
}

type Found = Result<Vec<Marked>, CloudError>;

impl Project<'_> {
    pub async fn look(&self) -> ProjectLook {
        use ResourceKind::{
            ApplicationCredential, FloatingIp, LoadBalancer, Network, Port, Router, SecurityGroup, Server, ServerGroup, Subnet, Volume,
        };
        let (networks, subnets, routers, ports, groups, server_groups, balancers, addresses, volumes, servers) = futures::join!(
            self.networks(),
            self.subnets(),
            self.routers(),
            self.ports(),
            self.security_groups(),
            self.server_groups(),
            self.load_balancers(),
            self.floating_ips(),
            self.volumes(),
            self.servers(),
        );
        let mut look = ProjectLook::default();
        for (kind, found) in [
            (Network, Some(networks)),
            (Subnet, Some(subnets)),
            (Router, Some(routers)),
            (Port, Some(ports)),
            (SecurityGroup, Some(groups)),
            (ServerGroup, Some(server_groups)),
            (LoadBalancer, balancers),
            (FloatingIp, Some(addresses)),
            (Volume, Some(volumes)),
            (Server, Some(servers)),
            (ApplicationCredential, Some(self.credentials())),
        ] {
            match found {
                Some(Ok(marked)) => {
                    look.whole.push(kind);
                    look.marked.extend(marked);
                }
                Some(Err(error)) => look.blind.push((kind, error)),
                None => {}
            }
        }
        look
    }

    /// Ids of the project's own networks: lists show those that are shared with it, too.
    async fn own_networks(&self) -> Result<BTreeSet<String>, CloudError> {
        Ok(self.lists.networks().await?.iter().filter(|n| n.project_id == self.tenant.0).map(|n| n.id.clone()).collect())
    }

    async fn networks(&self) -> Found {
        let list = self.lists.networks().await?;
        let own = list.iter().filter(|n| n.project_id == self.tenant.0);
        Ok(own.filter_map(|n| described(ResourceKind::Network, &n.id, &n.name, &n.description)).collect())
    }

    async fn subnets(&self) -> Found {
        let (own, list) = (self.own_networks().await?, self.lists.subnets().await?);
        let here = list.iter().filter(|s| own.contains(&s.network_id));
        Ok(here.filter_map(|s| described(ResourceKind::Subnet, &s.id, &s.name, &s.description)).collect())
    }

    async fn routers(&self) -> Found {
        let list = self.lists.routers().await?;
        Ok(list.iter().filter_map(|r| described(ResourceKind::Router, &r.id, &r.name, &r.description)).collect())
    }

    async fn ports(&self) -> Found {
        let list = self.lists.ports().await?;
        Ok(list.iter().filter_map(|p| described(ResourceKind::Port, &p.id, &p.name, &p.description)).collect())
    }

    async fn security_groups(&self) -> Found {
        let list = self.lists.security_groups().await?;
        let kind = ResourceKind::SecurityGroup;
        let inside = |g: &SecurityGroup| inside(kind, &g.id, &g.name, names::service_group(&g.description));
        Ok(list.iter().filter_map(|g| described(kind, &g.id, &g.name, &g.description).or_else(|| inside(g))).collect())
    }

    async fn server_groups(&self) -> Found {
        let list = self.lists.all_server_groups().await?;
        let ours = list.iter().filter_map(|g| Some((g, names::server_group(&g.name)?)));
        Ok(ours
            .map(|(g, cluster)| Marked { kind: ResourceKind::ServerGroup, cloud_id: g.id.clone(), name: g.name.clone(), cluster, resource: None })
            .collect())
    }

    /// None: the cloud has no load balancing, and nothing is known of what it once had.
    async fn load_balancers(&self) -> Option<Found> {
        let service = self.cloud.load_balancers.as_deref()?;
        let list = self.lists.load_balancers(service).await;
        let kind = ResourceKind::LoadBalancer;
        let inside = |b: &LoadBalancer| inside(kind, &b.id, &b.name, names::service_balancer(&b.name));
        Some(list.map(|list| list.iter().filter_map(|b| described(kind, &b.id, &b.name, &b.description).or_else(|| inside(b))).collect()))
    }

    async fn floating_ips(&self) -> Found {
        let list = self.lists.floating_ips().await?;
        let kind = ResourceKind::FloatingIp;
        let inside = |ip: &FloatingIp| inside(kind, &ip.id, &ip.address, names::service_address(&ip.description));
        Ok(list.iter().filter_map(|ip| described(kind, &ip.id, &ip.address, &ip.description).or_else(|| inside(ip))).collect())
    }

    async fn volumes(&self) -> Found {
        let list = self.lists.volumes().await?;
        let kind = ResourceKind::Volume;
        let cluster = |v: &Volume| v.metadata.get(names::VOLUME_CLUSTER).and_then(|tag| names::tagged(tag));
        Ok(list.iter().filter_map(|v| tagged(kind, &v.id, &v.name, &v.metadata).or_else(|| inside(kind, &v.id, &v.name, cluster(v)))).collect())
    }

    async fn servers(&self) -> Found {
        let list = self.lists.all_servers().await?;
        Ok(list.iter().filter_map(|s| tagged(ResourceKind::Server, &s.id, &s.name, &s.metadata)).collect())
    }

    fn credentials(&self) -> Found {
        let list = self.credentials.as_ref().map_err(Clone::clone)?;
        Ok(list.iter().filter_map(|(id, name, description)| described(ResourceKind::ApplicationCredential, id, name, description)).collect())
    }
}

fn marked(kind: ResourceKind, id: &str, name: &str, (cluster, resource): (ClusterId, ResourceId)) -> Marked {
    Marked { kind, cloud_id: id.to_owned(), name: name.to_owned(), cluster, resource: Some(resource) }
}

/// What a program in a cluster made.
fn inside(kind: ResourceKind, id: &str, name: &str, cluster: Option<ClusterId>) -> Option<Marked> {
    Some(Marked { kind, cloud_id: id.to_owned(), name: name.to_owned(), cluster: cluster?, resource: None })
}

fn described(kind: ResourceKind, id: &str, name: &str, description: &str) -> Option<Marked> {
    Some(marked(kind, id, name, names::marked(description)?))
}

fn tagged(kind: ResourceKind, id: &str, name: &str, metadata: &BTreeMap<String, String>) -> Option<Marked> {
    let mark = (metadata.get(CLUSTER)?.parse().ok()?, metadata.get(RESOURCE)?.parse().ok()?);
    Some(marked(kind, id, name, mark))
}
