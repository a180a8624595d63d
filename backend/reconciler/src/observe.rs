//! Looks at the cloud and the cluster: one list for each kind and project (`lists`), all at the same time, and a call for a row only where its list leaves
//! it out (`unlisted`).

use crate::act::API_PORT;
use crate::glance;
use crate::journal::JournalError;
use crate::kubernetes::KubernetesError;
use crate::lists::{Freshness, Lists};
use crate::rows::{CLUSTER, RESOURCE, cloud_id};
use crate::rules::{self, Groups};
use crate::unlisted;
use crate::world::World;
use cloud::compute::{Server, ServerStatus};
use cloud::identity::ServiceUser;
use cloud::load_balancers::{LoadBalancer, Provisioning, Tree};
use cloud::network::{Direction, Peer, Port, Router, Rule, SecurityGroup};
use cloud::volumes::{Volume, VolumeStatus};
use cloud::{Cloud, CloudError};
use domain::changes::Work;
use domain::clusters::{AddedRule, RuleDirection};
use domain::codes::Code;
use domain::ids::{NodeId, ResourceId};
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};
use domain::names;
use domain::nodes::{Node, NodeIntent, NodeRole};
use domain::plan::{Kubernetes, KubernetesView, Look, Object, ObjectState, Observed, allowed_cidrs, masters_too_many, node_key, security_group_key};
use domain::tenants::ProjectState;
use ipnet::Ipv4Net;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// The cluster's API gets this long to answer a pass.
const API_PATIENCE: Duration = Duration::from_secs(4);
/// So many rules of others are shown.
const ADDED_RULES: usize = 100;

/// What was seen of the cloud.
struct Sight {
    looks: BTreeMap<ResourceKind, Look>,
    /// None: blind.
    added_rules: Option<Vec<AddedRule>>,
}

impl World<'_> {
    /// One whole look: a shared one where that will do.
    pub async fn observe(&self, work: &Work) -> Result<Observed, JournalError> {
        let now = self.now;
        let mut looks = BTreeMap::new();
        let (mut inside, mut added_rules) = (None, None);
        let cloud = self.cloud(work.cluster.id).await?;
        if let Some(cloud) = &cloud {
            Sight { looks, added_rules } = self.look_at_cloud(work, cloud, now).await;
            inside = self.look_inside(work, cloud, &mut looks).await;
        }
        // The cloud no longer knows who asks: is the credential still there?
        let doubted = looks.values().any(|l| matches!(l, Look::Blind(fault) if fault.code == Code::CredentialInvalid));
        looks.insert(ResourceKind::ApplicationCredential, self.look_at_credential(work, doubted).await?);
        let project = self.look_at_project(work, &looks, now).await;
        let kubernetes = self.look_at_kubernetes(work).await?;
        let serving = match &cloud {
            // Whether a master may leave hangs on it.
            Some(cloud) if masters_too_many(work) > 0 => serving_masters(work, cloud).await,
            // A cluster that does not answer us may answer its load balancer. That is only shown, and may be so for hours.
            Some(cloud) if matches!(kubernetes, Kubernetes::Unreachable(_)) => {
                self.services.memory.serving(work.cluster.id, now, serving_masters(work, cloud)).await
            }
            _ => None,
        };
        let encryption = self.look_at_keys(work).await?;
        Ok(Observed { looks, kubernetes, inside, encryption, serving, added_rules, project })
    }

    /// How the tenant's project stands, where the cloud refuses who looks. While nobody answers, what was said last counts: all that hangs on it is waiting.
    async fn look_at_project(&self, work: &Work, looks: &BTreeMap<ResourceKind, Look>, now: OffsetDateTime) -> Option<ProjectState> {
        // Where there is no project any more, a service user cannot be put into it: that is no refusal of a credential.
        let refused = |look: &Look| matches!(look, Look::Blind(fault) if matches!(fault.code, Code::CredentialInvalid | Code::CloudRejected));
        let (memory, tenant) = (&self.services.memory, &work.cluster.tenant);
        if !looks.values().any(refused) {
            // Nobody is refused in a project that is closed: what was said of it before is over.
            memory.forget_project(tenant);
            return None;
        }
        if memory.asks_about(tenant, now) {
            match self.services.identity.project_state(&tenant.0).await {
                Ok(state) => memory.note_project(tenant, state),
                Err(error) => tracing::warn!(project = %tenant, %error, "the cloud does not say whether a project is still there"),
            }
        }
        memory.project(tenant)
    }

    async fn look_at_cloud(&self, work: &Work, cloud: &Cloud, now: OffsetDateTime) -> Sight {
        let look = async |after| {
            let lists = self.services.memory.estate.lists(&work.cluster.tenant, cloud, Freshness { now, after });
            Eye { cloud, lists, work, egress: &self.services.egress }.look().await
        };
        let begun = Instant::now();
        if glance::settled(work, now) {
            let shared = look(None).await;
            if glance::unremarkable(work, &shared.looks) {
                return shared;
            }
        }
        let mut sight = look(Some(begun)).await;
        unlisted::ask_for(work, cloud, &mut sight.looks).await;
        sight
    }

    /// A credential that is recorded and in use is proved by the other looks; only doubtful and dying ones are listed.
    async fn look_at_credential(&self, work: &Work, doubted: bool) -> Result<Look, JournalError> {
        let kind = ResourceKind::ApplicationCredential;
        let rows: Vec<_> = work.ledger.iter().filter(|r| r.kind == kind && r.state != ResourceState::Gone).collect();
        if rows.is_empty() {
            return Ok(Look::Seen(Vec::new()));
        }
        if !doubted && work.cluster.delete_requested_at.is_none() && rows.iter().all(|r| r.state == ResourceState::Known) {
            let assumed = rows.iter().filter_map(|r| Some(object(r.cloud_id.clone()?, &r.name, Some(r.id), ObjectState::Ready)));
            return Ok(Look::Seen(assumed.collect()));
        }
        let (identity, tenant) = (&self.services.identity, work.cluster.tenant.0.as_str());
        let list = |user: ServiceUser| async move { identity.application_credentials(&user, tenant).await };
        Ok(match self.as_service_user(work, list).await? {
            Ok(list) => Look::Seen(
                list.into_iter()
                    .map(|(id, name, description)| object(id, &name, owner(work, &description), ObjectState::Ready))
                    .filter(|o| o.owner.is_some())
                    .collect(),
            ),
            Err(error) => blind(&error),
        })
    }

    async fn look_at_kubernetes(&self, work: &Work) -> Result<Kubernetes, JournalError> {
        let has_master = work.nodes.iter().any(|n| n.role == NodeRole::Master && cloud_id(work, &node_key(ResourceKind::Server, &n.name)).is_some());
        if !has_master || work.cluster.delete_requested_at.is_some() {
            return Ok(Kubernetes::NotTried);
        }
        let Some(target) = self.target(work).await? else { return Ok(Kubernetes::NotTried) };
        let answer = tokio::time::timeout(API_PATIENCE, self.services.kubernetes.nodes(&target)).await;
        let was_up = work.nodes.iter().any(|n| n.joined_at.is_some());
        Ok(match answer {
            Ok(Ok(nodes)) => {
                let addons = self.look_at_addons(work, &target).await?;
                Kubernetes::Reachable(KubernetesView { nodes, addons, ..self.services.memory.view(work, self.now) })
            }
            // Before it ever answered it is not down, only not there yet; but where nothing is dialled, nothing will answer.
            Ok(Err(error)) if was_up || matches!(error, KubernetesError::NeverDialled(_)) => Kubernetes::Unreachable(error.to_string()),
            Err(_) if was_up => Kubernetes::Unreachable(format!("no answer within {} s", API_PATIENCE.as_secs())),
            Ok(Err(_)) | Err(_) => Kubernetes::NotTried,
        })
    }
}

/// A look at the cloud with the cluster's credential.
struct Eye<'a> {
    cloud: &'a Cloud,
    lists: Lists<'a>,
    work: &'a Work,
    egress: &'a [Ipv4Net],
}

/// What the ledger knows of the objects of a kind: those with an id by it, and the names of all.
#[derive(Default)]
struct Known<'a> {
    by_id: BTreeMap<&'a str, &'a LedgerRow>,
    names: BTreeSet<&'a str>,
}

impl<'a> Eye<'a> {
    async fn look(&self) -> Sight {
        let (network, subnet, router, ports, groups, server_groups, balancers, floating, volumes, servers) = futures::join!(
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
        let (ports, interfaces) = ports;
        let (groups, added_rules) = groups;
        let (balancers, vip_port) = balancers;
        let floating = associate(floating, vip_port.as_deref());
        let volumes = self.attach(volumes, &servers);
        use ResourceKind::{FloatingIp, LoadBalancer, Network, Port, Router, RouterInterface, SecurityGroup, Server, ServerGroup, Subnet, Volume};
        let looks = [
            (Network, network),
            (Subnet, subnet),
            (Router, router),
            (Port, ports),
            (RouterInterface, interfaces),
            (SecurityGroup, groups),
            (ServerGroup, server_groups),
            (LoadBalancer, balancers),
            (FloatingIp, floating),
            (Volume, volumes),
            (Server, servers),
        ];
        Sight { looks: looks.into(), added_rules }
    }

    /// Nothing of this kind was ever asked for: nothing can be there.
    fn never(&self, kind: ResourceKind) -> bool {
        !self.work.ledger.iter().any(|r| r.kind == kind)
    }

    fn owner(&self, mark: &str) -> Option<ResourceId> {
        owner(self.work, mark)
    }

    fn known(&self, kind: ResourceKind) -> Known<'a> {
        let mut known = Known::default();
        // What programs in the cluster made is looked for otherwise.
        for row in self.work.ledger.iter().filter(|r| r.kind == kind && !r.made_inside()) {
            known.names.insert(row.name.as_str());
            known.by_id.extend(row.cloud_id.as_deref().map(|id| (id, row)));
        }
        known
    }

    /// An object of a kind that is looked for by its name; None: it is not ours. One that somebody gave another is known by its id, and has drifted.
    fn named(&self, known: &Known<'_>, id: &str, name: &str, mark: &str) -> Option<Object> {
        let recorded = known.by_id.get(id);
        let drift = recorded.is_some_and(|row| row.name != name);
        let ours = recorded.is_some() || known.names.contains(name);
        ours.then(|| Object { drift, ..object(id.to_owned(), name, self.owner(mark), ObjectState::Ready) })
    }

    async fn networks(&self) -> Look {
        if self.never(ResourceKind::Network) {
            return Look::Seen(Vec::new());
        }
        let known = self.known(ResourceKind::Network);
        match self.lists.networks().await {
            Ok(list) => Look::Seen(list.iter().filter_map(|n| self.named(&known, &n.id, &n.name, &n.description)).collect()),
            Err(error) => blind(&error),
        }
    }

    /// Ids of every network this cluster had that may still be there.
    fn network_ids(&self) -> Vec<&str> {
        let live = self.work.ledger.iter().filter(|r| r.kind == ResourceKind::Network && r.state != ResourceState::Gone);
        live.filter_map(|r| r.cloud_id.as_deref()).collect()
    }

    /// Where this cluster's ports may be: in its own network, or in the one it was put into.
    fn port_networks(&self) -> Vec<&str> {
        let existing = self.work.cluster.spec.network.existing.as_ref().map(|e| e.network_id.as_str());
        self.network_ids().into_iter().chain(existing.filter(|_| !self.never(ResourceKind::Port))).collect()
    }

    async fn subnets(&self) -> Look {
        let mut objects = Vec::new();
        for network in self.network_ids() {
            match self.lists.subnets_of(network).await {
                Ok(list) => objects.extend(list.into_iter().map(|s| object(s.id, &s.name, self.owner(&s.description), ObjectState::Ready))),
                Err(error) if error.is_not_found() => {}
                Err(error) => return blind(&error),
            }
        }
        Look::Seen(objects)
    }

    async fn routers(&self) -> Look {
        if self.never(ResourceKind::Router) {
            return Look::Seen(Vec::new());
        }
        let known = self.known(ResourceKind::Router);
        match self.lists.routers().await {
            Ok(list) => Look::Seen(
                list.iter()
                    .filter_map(|r| {
                        let found = self.named(&known, &r.id, &r.name, &r.description)?;
                        let address = r.external_addresses.first().map(ToString::to_string);
                        Some(Object { address, drift: found.drift || leads_elsewhere(self.work, r), ..found })
                    })
                    .collect(),
            ),
            Err(error) => blind(&error),
        }
    }

    /// The ports on our network: ours, and the router's on our subnet.
    async fn ports(&self) -> (Look, Look) {
        let (mut ours, mut interfaces) = (Vec::new(), Vec::new());
        for network in self.port_networks() {
            match self.lists.ports_of(network).await {
                Ok(list) => {
                    for port in list {
                        interfaces.extend(self.interface(&port));
                        let owner = self.owner(&port.description);
                        let drift = owner.is_some_and(|row| self.out_of_group(row, &port.security_group_ids));
                        ours.push(Object { address: port.address, drift, ..object(port.id, &port.name, owner, ObjectState::Ready) });
                    }
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => return (blind(&error), blind(&error)),
            }
        }
        (Look::Seen(ours), Look::Seen(interfaces))
    }

    /// The node that a row belongs to.
    fn node_of(&self, row: ResourceId) -> Option<(&LedgerRow, &Node)> {
        let row = self.work.ledger.iter().find(|r| r.id == row)?;
        Some((row, self.work.nodes.iter().find(|n| row.node() == Some(n.name.as_str()))?))
    }

    /// Whether a node's port is not in its node's group any more. Other groups that somebody put it into are left alone.
    fn out_of_group(&self, row: ResourceId, groups: &[String]) -> bool {
        let wanted = self.node_of(row).and_then(|(_, node)| cloud_id(self.work, security_group_key(node.role)));
        wanted.is_some_and(|wanted| !groups.iter().any(|id| id == wanted))
    }

    fn interface(&self, port: &Port) -> Option<Object> {
        let routers = self.work.ledger.iter().filter(|r| r.kind == ResourceKind::Router && r.cloud_id.as_deref() == Some(port.device_id.as_str()));
        let row = self
            .work
            .ledger
            .iter()
            .filter(|r| r.kind == ResourceKind::RouterInterface)
            .max_by_key(|r| (r.state != ResourceState::Gone, r.created_at))?;
        (routers.count() > 0 && port.device_owner.starts_with("network:"))
            .then(|| object(port.id.clone(), &row.name, Some(row.id), ObjectState::Ready))
    }

    /// Security groups of ours, and the rules in them that are not.
    async fn security_groups(&self) -> (Look, Option<Vec<AddedRule>>) {
        let groups = match (cloud_id(self.work, "security_group/master"), cloud_id(self.work, "security_group/worker")) {
            (Some(master), Some(worker)) => Some(Groups { master: master.to_owned(), worker: worker.to_owned() }),
            _ => None,
        };
        let (mut objects, mut added) = (Vec::new(), Vec::new());
        if self.never(ResourceKind::SecurityGroup) {
            return (Look::Seen(objects), Some(added));
        }
        let list = match self.lists.security_groups().await {
            Ok(list) => list,
            Err(error) => return (blind(&error), None),
        };
        let known = self.known(ResourceKind::SecurityGroup);
        for group in list.iter() {
            let Some(found) = self.named(&known, &group.id, &group.name, &group.description) else { continue };
            if let Some(ids) = groups.as_ref().filter(|ids| [&ids.master, &ids.worker].contains(&&group.id)) {
                added.extend(added_rules(self.work, ids, group));
            }
            // Without the other group its rules cannot be written: not whole yet.
            let lacking = groups.as_ref().is_some_and(|ids| !missing_rules(self.work, ids, group).is_empty());
            let state = if groups.is_some() { ObjectState::Ready } else { ObjectState::Pending };
            objects.push(Object { drift: found.drift || lacking, state, ..found });
        }
        added.sort_unstable();
        added.truncate(ADDED_RULES);
        (Look::Seen(objects), Some(added))
    }

    /// Server groups carry no mark of ours; their names hold the cluster's id.
    async fn server_groups(&self) -> Look {
        if self.never(ResourceKind::ServerGroup) {
            return Look::Seen(Vec::new());
        }
        let newest = |name: &str| {
            let rows = self.work.ledger.iter().filter(|r| r.kind == ResourceKind::ServerGroup && r.name == name);
            rows.max_by_key(|r| (r.state != ResourceState::Gone, r.created_at)).map(|r| r.id)
        };
        match self.lists.server_groups().await {
            Ok(list) => Look::Seen(
                list.into_iter()
                    .filter_map(|g| {
                        let by_id = self.work.ledger.iter().find(|r| r.cloud_id.as_deref() == Some(g.id.as_str())).map(|r| r.id);
                        let owner = by_id.or_else(|| newest(&g.name))?;
                        Some(object(g.id, &g.name, Some(owner), ObjectState::Ready))
                    })
                    .collect(),
            ),
            Err(error) => blind(&error),
        }
    }

    /// Load balancers of ours, and the port of the live one's VIP.
    async fn load_balancers(&self) -> (Look, Option<String>) {
        let (Some(service), false) = (&self.cloud.load_balancers, self.never(ResourceKind::LoadBalancer)) else {
            return (Look::Seen(Vec::new()), None);
        };
        let list = match self.lists.load_balancers(service.as_ref()).await {
            Ok(list) => list,
            Err(error) => return (blind(&error), None),
        };
        let (known, current) = (self.known(ResourceKind::LoadBalancer), cloud_id(self.work, "load_balancer"));
        let (mut objects, mut vip_port) = (Vec::new(), None);
        for balancer in list.iter() {
            let Some(found) = self.named(&known, &balancer.id, &balancer.name, &balancer.description) else { continue };
            let mut drift = found.drift;
            if current == Some(balancer.id.as_str()) {
                vip_port = Some(balancer.vip_port_id.clone());
                if balancer.provisioning == Provisioning::Active {
                    match self.lists.tree(service.as_ref(), &balancer.id).await {
                        Ok(tree) => drift |= !balancer.enabled || self.tree_drifted(&tree),
                        Err(error) => return (blind(&error), None),
                    }
                }
            }
            objects.push(Object { drift, state: balancer_state(balancer), address: Some(balancer.vip_address.clone()), ..found });
        }
        (Look::Seen(objects), vip_port)
    }

    fn tree_drifted(&self, tree: &Tree) -> bool {
        let api = &self.work.cluster.spec.api;
        let allowed = allowed_cidrs(self.work, self.egress);
        let listening = tree.listener.is_as(&allowed, api.client_timeout_seconds, api.member_timeout_seconds);
        let whole = tree.listener_id.is_some() && tree.pool_id.is_some() && tree.monitor_id.is_some();
        !listening || !whole || !tree.pool_enabled || misleads(self.work, tree)
    }

    /// Floating IPs of ours by mark, or by id where somebody wrote another description, with the ports they lead to.
    async fn floating_ips(&self) -> Result<Vec<(Object, Option<String>)>, CloudError> {
        if self.never(ResourceKind::FloatingIp) {
            return Ok(Vec::new());
        }
        let (list, known) = (self.lists.floating_ips().await?, self.known(ResourceKind::FloatingIp));
        let seen = list.iter().filter_map(|ip| {
            let marked = |id: ResourceId| self.work.ledger.iter().find(|r| r.id == id && r.kind == ResourceKind::FloatingIp);
            let row = self.owner(&ip.description).and_then(marked).or_else(|| known.by_id.get(ip.id.as_str()).copied())?;
            let found = object(ip.id.clone(), &row.name, Some(row.id), ObjectState::Ready);
            Some((Object { address: Some(ip.address.clone()), ..found }, ip.port_id.clone()))
        });
        Ok(seen.collect())
    }

    /// Volumes of ours by mark, or by id where somebody took it away, with the servers they are attached to.
    async fn volumes(&self) -> Result<Vec<(Object, Vec<String>)>, CloudError> {
        if self.never(ResourceKind::Volume) {
            return Ok(Vec::new());
        }
        let (list, known) = (self.lists.volumes().await?, self.known(ResourceKind::Volume));
        let cluster = self.work.cluster.id.to_string();
        let seen = list.iter().filter_map(|v| {
            let recorded = known.by_id.get(v.id.as_str()).map(|row| row.id);
            let ours = recorded.is_some() || v.metadata.get(CLUSTER) == Some(&cluster);
            ours.then(|| (object(v.id.clone(), &v.name, owner_in(&v.metadata).or(recorded), volume_state(v)), v.attached_to.clone()))
        });
        Ok(seen.collect())
    }

    /// A data volume that is not at its node's server lacks its attachment.
    fn attach(&self, found: Result<Vec<(Object, Vec<String>)>, CloudError>, servers: &Look) -> Look {
        match found {
            Ok(list) => Look::Seen(list.into_iter().map(|(o, at)| Object { drift: self.detached(&o, &at, servers), ..o }).collect()),
            Err(error) => blind(&error),
        }
    }

    /// Said only of nodes that have joined, are to stay, and whose servers are there: with others volumes come and go.
    fn detached(&self, volume: &Object, at: &[String], servers: &Look) -> bool {
        let (Look::Seen(servers), Some((row, node))) = (servers, volume.owner.and_then(|row| self.node_of(row))) else { return false };
        let stays = node.joined_at.is_some() && node.intent == NodeIntent::Keep && row.data_volume().is_some();
        let server = self.work.live(&node_key(ResourceKind::Server, &node.name)).filter(|r| stays && r.state == ResourceState::Known);
        let Some(server) = server.and_then(|r| r.cloud_id.as_deref()) else { return false };
        let stands = servers.iter().any(|s| s.id == server && matches!(s.state, ObjectState::Ready | ObjectState::Off));
        stands && !at.iter().any(|id| id == server)
    }

    async fn servers(&self) -> Look {
        if self.never(ResourceKind::Server) {
            return Look::Seen(Vec::new());
        }
        let cluster = self.work.cluster.id.to_string();
        match self.lists.servers(&names::node_prefix(self.work.cluster.id)).await {
            Ok(list) => Look::Seen(
                list.into_iter()
                    .filter(|s| s.metadata.get(CLUSTER) == Some(&cluster))
                    .filter_map(|s| {
                        let state = server_state(&s)?;
                        let owner = owner_in(&s.metadata);
                        Some(object(s.id, &s.name, owner, state))
                    })
                    .collect(),
            ),
            Err(error) => blind(&error),
        }
    }
}

/// The masters that the load balancer finds answering, as it says now; None: it cannot be told.
async fn serving_masters(work: &Work, cloud: &Cloud) -> Option<Vec<NodeId>> {
    let service = cloud.load_balancers.as_ref()?;
    let tree =
        service.tree(cloud_id(work, "load_balancer")?, API_PORT).await.inspect_err(|error| tracing::warn!(%error, "load balancer members")).ok()?;
    // One that has checked nobody yet, or does not check, says nothing of anybody.
    if !tree.members.iter().any(|m| matches!(m.operating.as_str(), "ONLINE" | "ERROR")) {
        return None;
    }
    let online = |address: &str| tree.members.iter().any(|m| m.address == address && m.operating == "ONLINE");
    let masters = master_addresses(work).into_iter().filter(|(_, address)| online(address));
    Some(masters.filter_map(|(name, _)| work.nodes.iter().find(|n| n.name == name)).map(|n| n.id).collect())
}

/// A floating IP that is not at the load balancer's port lacks its association.
fn associate(found: Result<Vec<(Object, Option<String>)>, CloudError>, vip_port: Option<&str>) -> Look {
    match found {
        Ok(list) => Look::Seen(list.into_iter().map(|(o, port)| Object { drift: vip_port.is_some() && port.as_deref() != vip_port, ..o }).collect()),
        Err(error) => blind(&error),
    }
}

/// Whether a load balancer leads to others than the masters of now, or not to all of them.
pub(crate) fn misleads(work: &Work, tree: &Tree) -> bool {
    let have: BTreeSet<(&str, u16)> = tree.members.iter().map(|m| (m.address.as_str(), m.port)).collect();
    let want: BTreeSet<(&str, u16)> = master_addresses(work).into_iter().map(|(_, address)| (address, API_PORT)).collect();
    have != want || !tree.members.iter().all(|m| m.enabled)
}

/// Whether a router leads to another external network than it should, or to none.
pub(crate) fn leads_elsewhere(work: &Work, router: &Router) -> bool {
    router.external_network_id.as_deref() != Some(work.cluster.spec.network.external_network.as_str())
}

/// Rules of ours that a group lacks. Rules of others in it are left alone.
#[must_use]
pub fn missing_rules(work: &Work, ids: &Groups, group: &SecurityGroup) -> Vec<Rule> {
    let have: BTreeSet<&Rule> = group.rules.iter().collect();
    wanted_rules(work, ids, group).into_iter().filter(|r| !have.contains(r)).collect()
}

fn wanted_rules(work: &Work, ids: &Groups, group: &SecurityGroup) -> Vec<Rule> {
    let network = &work.cluster.spec.network;
    if group.id == ids.master { rules::master(ids, network) } else { rules::worker(ids, network) }
}

/// Rules of others in a group of ours, as they are shown.
fn added_rules(work: &Work, ids: &Groups, group: &SecurityGroup) -> Vec<AddedRule> {
    let ours = wanted_rules(work, ids, group);
    let ipv4 = group.rules.iter().filter(|rule| !ours.contains(rule)).map(|rule| (4, rule));
    let all = ipv4.chain(group.ipv6_rules.iter().map(|rule| (6, rule)));
    let shown = all.filter(|(_, rule)| !rules::is_neutrons(rule)).map(|(ip_version, rule)| AddedRule {
        group: group.name.clone(),
        direction: if rule.direction == Direction::Ingress { RuleDirection::Ingress } else { RuleDirection::Egress },
        ip_version,
        protocol: rule.protocol.clone(),
        first_port: rule.ports.map(|(first, _)| first),
        last_port: rule.ports.map(|(_, last)| last),
        peer: match &rule.peer {
            Peer::Anyone => None,
            Peer::Cidr(peer) | Peer::Group(peer) => Some(peer.clone()),
        },
    });
    shown.collect()
}

/// (name, address) of the masters that should be behind the load balancer.
#[must_use]
pub fn master_addresses(work: &Work) -> Vec<(&str, &str)> {
    let masters = work.nodes.iter().filter(|n| n.role == NodeRole::Master && n.intent == NodeIntent::Keep);
    masters.filter_map(|n| Some((n.name.as_str(), work.live(&node_key(ResourceKind::Port, &n.name))?.address.as_deref()?))).collect()
}

/// None: it is as good as gone.
pub(crate) fn server_state(server: &Server) -> Option<ObjectState> {
    Some(match &server.status {
        ServerStatus::Active => ObjectState::Ready,
        ServerStatus::Shutoff => ObjectState::Off,
        ServerStatus::Error => ObjectState::Failed(server.fault.clone().unwrap_or_else(|| format!("server {} is in status ERROR", server.id))),
        ServerStatus::Deleted => return None,
        ServerStatus::Build | ServerStatus::Other(_) => ObjectState::Pending,
    })
}

pub(crate) fn volume_state(volume: &Volume) -> ObjectState {
    match &volume.status {
        VolumeStatus::Available | VolumeStatus::InUse => ObjectState::Ready,
        VolumeStatus::Error => ObjectState::Failed(format!("volume {} is in status error", volume.id)),
        _ => ObjectState::Pending,
    }
}

pub(crate) fn balancer_state(balancer: &LoadBalancer) -> ObjectState {
    match balancer.provisioning {
        Provisioning::Active => ObjectState::Ready,
        Provisioning::Pending | Provisioning::Deleting => ObjectState::Pending,
        Provisioning::Error => ObjectState::Failed(format!("the load balancer {} is in provisioning status ERROR", balancer.id)),
    }
}

pub(crate) fn object(id: String, name: &str, owner: Option<ResourceId>, state: ObjectState) -> Object {
    Object { id, name: name.to_owned(), owner, state, address: None, drift: false }
}

/// The row that a description's mark names, if it is a mark of this cluster.
fn owner(work: &Work, description: &str) -> Option<ResourceId> {
    names::marked(description).filter(|(cluster, _)| *cluster == work.cluster.id).map(|(_, resource)| resource)
}

fn owner_in(metadata: &BTreeMap<String, String>) -> Option<ResourceId> {
    metadata.get(RESOURCE)?.parse().ok()
}

pub(crate) fn blind(error: &CloudError) -> Look {
    Look::Blind(error.fault(error.service))
}
