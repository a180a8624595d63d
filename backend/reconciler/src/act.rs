//! Carries out actions: one call each, and the ledger row as it is afterwards. The rows were committed before; what is lost here is looked for.

use crate::delete::record_delete;
use crate::journal::JournalError;
use crate::observe::{leads_elsewhere, master_addresses, misleads, missing_rules};
use crate::rows::{cloud_id, description, marks, part_id};
use crate::rules::Groups;
use crate::world::World;
use cloud::compute::{NewServer, ServerStatus};
use cloud::error::CloudErrorKind;
use cloud::identity::ServiceUser;
use cloud::load_balancers::{NewLoadBalancer, NewMember};
use cloud::network::{Kind, NewPort, NewSubnet};
use cloud::volumes::NewVolume;
use cloud::{Cloud, CloudError, Outcome};
use domain::changes::{Change, Work};
use domain::codes::Code;
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};
use domain::needs::Machine;
use domain::nodes::{Fault, Node, NodeRole};
use domain::plan::{Action, MASTERS_GROUP, NEXT_CREDENTIAL, allowed_cidrs, data_volume_key, group_rows, node_key, security_group_key};
use std::time::Duration;

/// A node's bundle may be fetched this long after its server was asked for.
const BUNDLE_TTL: Duration = Duration::from_secs(15 * 60);
pub(crate) const API_PORT: u16 = 6443;
/// A call is begun only with this much of the lease left: longer than any call may take.
pub const CALL_LIMIT: Duration = Duration::from_secs(25);

/// Why a step made nothing.
pub enum Refusal {
    Cloud(CloudError),
    /// Found by ourselves before any call.
    Local(Fault),
    Journal(JournalError),
}

impl From<CloudError> for Refusal {
    fn from(error: CloudError) -> Self {
        Self::Cloud(error)
    }
}

impl From<JournalError> for Refusal {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Local(fault)
    }
}

type Made = Result<(String, Option<String>), Refusal>;

impl World<'_> {
    /// Does one action; answers what is to be recorded.
    pub async fn act(&self, work: &Work, action: Action) -> Result<Vec<Change>, JournalError> {
        if self.journal.lease_left() < CALL_LIMIT {
            return Err(JournalError::Fenced);
        }
        match action {
            Action::Create(row) => {
                let made = self.create(work, &row).await;
                record_create(row, made)
            }
            Action::Update(row) => match self.update(work, &row).await {
                Ok(()) => Ok(settled(row)),
                Err(refusal) => record_failure(row, refusal, None),
            },
            Action::Delete(row) => {
                let deleted = self.delete(work, &row).await;
                record_delete(row, deleted)
            }
            Action::Start(row) => {
                let started = self.power(work, &row, false).await;
                record_power(row, started)
            }
            Action::Reboot(row) => {
                let rebooted = self.power(work, &row, true).await;
                record_power(row, rebooted)
            }
            Action::SwitchCredential { next, old } => self.switch_credential(next, *old).await,
            Action::AdvanceKeys { from, at } => self.advance_keys(work, from, at).await.map(|()| Vec::new()),
            Action::EnsureAccess
            | Action::ApplyAddons
            | Action::RewriteSecrets(_)
            | Action::EnsureJoinToken(_)
            | Action::Drain(_)
            | Action::Release(_)
            | Action::ForgetNode(_) => {
                self.act_in_cluster(work, action).await?;
                Ok(Vec::new())
            }
        }
    }

    pub(crate) async fn cloud_of(&self, work: &Work) -> Result<Cloud, Refusal> {
        self.cloud(work.cluster.id)
            .await?
            .ok_or_else(|| Refusal::Local(local_fault(Code::CredentialInvalid, "the cluster has no cloud credential".to_owned(), "credential")))
    }

    async fn create(&self, work: &Work, row: &LedgerRow) -> Made {
        if row.kind == ResourceKind::ApplicationCredential {
            return self.create_credential(work, row).await;
        }
        let cloud = self.cloud_of(work).await?;
        let network = &work.cluster.spec.network;
        let need = |key: &str| {
            part_id(work, key)
                .map(str::to_owned)
                .ok_or_else(|| Refusal::Local(local_fault(Code::NetworkFailed, format!("{key} is not there"), &row.name)))
        };
        let id = |id: String| Ok((id, None));
        match row.kind {
            ResourceKind::Network => id(cloud.network.create_network(&row.name, &description(row)).await?),
            ResourceKind::Subnet => {
                let subnet = NewSubnet {
                    name: row.name.clone(),
                    description: description(row),
                    network_id: need("network")?,
                    cidr: network.node_cidr,
                    dns_servers: network.dns_servers.clone(),
                };
                id(cloud.network.create_subnet(&subnet).await?)
            }
            ResourceKind::Router => id(cloud.network.create_router(&row.name, &description(row), &network.external_network).await?),
            ResourceKind::RouterInterface => id(cloud.network.add_router_interface(&need("router")?, &need("subnet")?).await?),
            ResourceKind::SecurityGroup => id(cloud.network.create_security_group(&row.name, &description(row)).await?),
            ResourceKind::ServerGroup => id(cloud.compute.create_server_group(&row.name).await?),
            ResourceKind::LoadBalancer => {
                let service = balancing(&cloud, &row.name)?;
                let balancer = self.new_balancer(work, row, need("subnet")?);
                id(service.create_load_balancer(&balancer).await?)
            }
            ResourceKind::FloatingIp => {
                let (id, address) = cloud.network.create_floating_ip(&network.external_network, &description(row)).await?;
                Ok((id, Some(address)))
            }
            ResourceKind::Port => {
                let node = node_named(work, row)?;
                let port = NewPort {
                    name: row.name.clone(),
                    description: description(row),
                    network_id: need("network")?,
                    subnet_id: need("subnet")?,
                    security_group_ids: vec![need(security_group_key(node.role))?],
                };
                let (id, address) = cloud.network.create_port(&port).await?;
                Ok((id, Some(address)))
            }
            ResourceKind::Volume => id(self.create_volume(&cloud, work, row).await?),
            ResourceKind::Server => id(self.create_server(&cloud, work, row).await?),
            ResourceKind::ApplicationCredential => id(String::new()),
        }
    }

    async fn create_credential(&self, work: &Work, row: &LedgerRow) -> Made {
        let (identity, tenant) = (&self.services.identity, work.cluster.tenant.0.as_str());
        let create = |user: ServiceUser| async move { identity.create_application_credential(&user, tenant, &row.name, &description(row)).await };
        let made = self.as_service_user(work, create).await??;
        // The secret is shown once: it is stored before the row says the credential is known.
        if row.key == NEXT_CREDENTIAL {
            self.put_next_credential(&made).await?;
        } else {
            self.put_credential(&made).await?;
        }
        Ok((made.id, None))
    }

    async fn create_volume(&self, cloud: &Cloud, work: &Work, row: &LedgerRow) -> Result<String, Refusal> {
        let node = node_named(work, row)?;
        let machine = machine_of(work, node);
        let (size_gib, volume_type, image_id) = match row.data_volume() {
            None => (machine.root_volume_gib, machine.volume_type.map(str::to_owned), Some(self.image_of(cloud, work, machine.image).await?)),
            Some(name) => {
                let found = machine.data_volumes.iter().find(|v| v.name == name);
                let data = found.ok_or_else(|| local_fault(Code::VolumeFailed, format!("there is no data volume {name}"), &row.name))?;
                (data.size_gib, data.volume_type.clone(), None)
            }
        };
        let mut volume = NewVolume {
            name: row.name.clone(),
            size_gib,
            image_id,
            volume_type,
            zone: volume_zone(cloud, work, row, node.zone(machine.zones)).await?,
            metadata: marks(row),
        };
        match cloud.volumes.create_volume(&volume).await {
            // A type that is of other zones.
            Err(error) if error.kind == CloudErrorKind::Rejected && volume.zone.is_some() => {
                volume.zone = None;
                Ok(cloud.volumes.create_volume(&volume).await?)
            }
            made => Ok(made?),
        }
    }

    async fn create_server(&self, cloud: &Cloud, work: &Work, row: &LedgerRow) -> Result<String, Refusal> {
        let node = node_named(work, row)?;
        let machine = machine_of(work, node);
        let flavor = self.flavor(cloud, machine.flavor).await?;
        let part = |key: String| {
            cloud_id(work, &key)
                .map(str::to_owned)
                .ok_or_else(|| Refusal::Local(local_fault(Code::ServerFailed, format!("{key} is not there"), &row.name)))
        };
        self.pki(work.cluster.id).await?;
        // The first master's bundle holds the tokens of all nodes there are by then; a worker needs but its own.
        for joining in work.nodes.iter().filter(|n| node.role == NodeRole::Master || n.id == node.id) {
            self.join_token(joining.id).await?;
        }
        let token = sealed::Token::generate(sealed::TokenKind::Node).map_err(|e| local_fault(Code::Internal, e.to_string(), &row.name))?;
        self.journal.put_node_credential(node.id, token.hash.as_bytes(), BUNDLE_TTL).await?;
        let input = bootstrap::UserData {
            endpoint: &self.services.node_endpoint,
            ca_pem: &self.services.gate_ca_pem,
            token: &token.text,
            ssh_key: work.cluster.spec.public_key(machine.key_pair),
        };
        let user_data = bootstrap::user_data(&input).map_err(|e| Refusal::Local(local_fault(Code::BootstrapFailed, e.to_string(), &row.name)))?;
        let (volume_id, image_id) = if machine.root_volume_gib > 0 {
            (Some(part(node_key(ResourceKind::Volume, &node.name))?), None)
        } else {
            (None, Some(self.image_of(cloud, work, machine.image).await?))
        };
        let data = machine.data_volumes.iter().map(|v| part(data_volume_key(&node.name, &v.name)));
        let mut server = NewServer {
            name: row.name.clone(),
            flavor_id: flavor.id,
            port_id: part(node_key(ResourceKind::Port, &node.name))?,
            volume_id,
            image_id,
            data_volume_ids: data.collect::<Result<_, _>>()?,
            server_group_id: self.server_group(cloud, work, node).await?,
            zone: node.zone(machine.zones).map(str::to_owned),
            user_data,
            metadata: marks(row),
        };
        match cloud.compute.create_server(&server).await {
            // Others filled the group meanwhile: a node without company to avoid is better than none.
            Err(error) if error.kind == CloudErrorKind::Quota && server.server_group_id.is_some() && error.message.contains("group") => {
                server.server_group_id = None;
                Ok(cloud.compute.create_server(&server).await?)
            }
            made => Ok(made?),
        }
    }

    /// The group this server goes into: the masters' one; of a pool's, one with room. None: there is none with room, or the quota let none be made.
    async fn server_group(&self, cloud: &Cloud, work: &Work, node: &Node) -> Result<Option<String>, Refusal> {
        if node.role == NodeRole::Master {
            return Ok(cloud_id(work, MASTERS_GROUP).map(str::to_owned));
        }
        let shards: Vec<&str> = group_rows(&work.ledger, &node.pool).into_values().filter_map(|row| row.cloud_id.as_deref()).collect();
        if shards.is_empty() {
            return Ok(None);
        }
        let seen = cloud.compute.server_groups().await?;
        let most = work.cluster.spec.server_group_members as usize;
        let roomy: Vec<&str> = shards.into_iter().filter(|id| seen.iter().any(|g| g.id == *id && g.members.len() < most)).collect();
        // Those made at the same time spread over the groups there are.
        Ok((!roomy.is_empty()).then(|| roomy[node.ordinal as usize % roomy.len()].to_owned()))
    }

    fn new_balancer(&self, work: &Work, row: &LedgerRow, subnet: String) -> NewLoadBalancer {
        let member = |(name, address): (&str, &str)| NewMember { name: name.to_owned(), address: address.to_owned(), subnet_id: subnet.clone() };
        let api = &work.cluster.spec.api;
        NewLoadBalancer {
            name: row.name.clone(),
            description: description(row),
            vip_subnet_id: subnet.clone(),
            vip_address: former_address(work),
            port: API_PORT,
            members: master_addresses(work).into_iter().map(member).collect(),
            allowed_cidrs: allowed_cidrs(work, &self.services.egress),
            provider: api.provider.clone(),
            client_timeout_seconds: api.client_timeout_seconds,
            member_timeout_seconds: api.member_timeout_seconds,
        }
    }

    /// Mends what drifted; a name last, so that one which the cloud refuses keeps nothing else from being put right.
    async fn update(&self, work: &Work, row: &LedgerRow) -> Result<(), Refusal> {
        let cloud = self.cloud_of(work).await?;
        let Some(id) = row.cloud_id.as_deref() else { return Ok(()) };
        match row.kind {
            ResourceKind::Network => cloud.network.rename(Kind::Network, id, &row.name).await?,
            ResourceKind::SecurityGroup => {
                let (Some(master), Some(worker)) = (cloud_id(work, "security_group/master"), cloud_id(work, "security_group/worker")) else {
                    return Ok(());
                };
                let groups = Groups { master: master.to_owned(), worker: worker.to_owned() };
                let group = cloud.network.security_group(id).await?;
                cloud.network.add_rules(id, &missing_rules(work, &groups, &group)).await?;
                if group.name != row.name {
                    cloud.network.rename(Kind::SecurityGroup, id, &row.name).await?;
                }
            }
            ResourceKind::LoadBalancer => {
                let service = balancing(&cloud, &row.name)?;
                let Some(subnet) = part_id(work, "subnet") else { return Ok(()) };
                let wanted = self.new_balancer(work, row, subnet.to_owned());
                // One change at a time: the load balancer takes no other until it is ACTIVE again.
                let balancer = service.load_balancer(id).await?;
                let renamed = balancer.name != row.name;
                if !balancer.enabled {
                    service.enable(id).await?;
                } else if !service.complete(id, &wanted).await? {
                    let tree = service.tree(id, API_PORT).await?;
                    match &tree.pool_id {
                        Some(pool) if !renamed || misleads(work, &tree) => service.set_members(pool, API_PORT, &wanted.members).await?,
                        _ if renamed => service.rename(id, &row.name).await?,
                        _ => {}
                    }
                }
            }
            ResourceKind::Router => {
                let router = cloud.network.router(id).await?;
                if leads_elsewhere(work, &router) {
                    cloud.network.set_gateway(id, &work.cluster.spec.network.external_network).await?;
                }
                if router.name != row.name {
                    cloud.network.rename(Kind::Router, id, &row.name).await?;
                }
            }
            ResourceKind::Port => {
                let node = node_named(work, row)?;
                let Some(group) = cloud_id(work, security_group_key(node.role)) else { return Ok(()) };
                let mut groups = cloud.network.port(id).await?.security_group_ids;
                // Neutron refuses a group that is named twice: somebody may have put it back meanwhile.
                if !groups.iter().any(|has| has == group) {
                    groups.push(group.to_owned());
                    cloud.network.set_security_groups(id, &groups).await?;
                }
            }
            ResourceKind::Volume => {
                let node = node_named(work, row)?;
                let Some(server) = cloud_id(work, &node_key(ResourceKind::Server, &node.name)) else { return Ok(()) };
                let attached_to = cloud.volumes.volume(id).await?.attached_to;
                match attached_to.iter().find(|at| *at != server) {
                    // Whoever attached it to something else has to settle that.
                    Some(other) => {
                        return Err(local_fault(Code::InUse, format!("the volume {id} is attached to the server {other}"), &row.name).into());
                    }
                    None if attached_to.is_empty() => cloud.compute.attach_volume(server, id).await?,
                    // Somebody has put it back meanwhile.
                    None => {}
                }
            }
            ResourceKind::FloatingIp => {
                if let (Some(service), Some(balancer)) = (&cloud.load_balancers, cloud_id(work, "load_balancer")) {
                    let port = service.load_balancer(balancer).await?.vip_port_id;
                    cloud.network.associate_floating_ip(id, Some(&port)).await?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn power(&self, work: &Work, row: &LedgerRow, reboot: bool) -> Result<(), Refusal> {
        let Some(id) = row.cloud_id.as_deref() else { return Ok(()) };
        let cloud = self.cloud_of(work).await?;
        if reboot {
            // Nova asks a system to reboot only where it runs. One that is off, paused, suspended or in error it starts, where the reboot is a hard one.
            let hard = cloud.compute.server(id).await?.status != ServerStatus::Active;
            cloud.compute.reboot_server(id, hard).await?
        } else {
            cloud.compute.start_server(id).await?
        }
        Ok(())
    }
}

/// A fault found by ourselves, before any call.
pub(crate) fn local_fault(code: Code, message: String, object: &str) -> Fault {
    Fault { code, message, cloud_request_id: None, retryable: code.retryable(), object: Some(object.to_owned()) }
}

/// The address of the load balancer that was there before: certificates and kubeconfigs name it.
fn former_address(work: &Work) -> Option<String> {
    let former = work.ledger.iter().filter(|r| r.key == "load_balancer" && r.state == ResourceState::Gone && r.address.is_some());
    let last = former.max_by_key(|r| r.created_at)?;
    last.address.clone().filter(|_| work.nodes.iter().any(|n| n.joined_at.is_some()))
}

/// The zone for a volume of a node in this one: Nova may take none from elsewhere (`cross_az_attach`). None, and the cloud chooses: Cinder's zones are
/// others, or its own could not make the volume before.
async fn volume_zone(cloud: &Cloud, work: &Work, row: &LedgerRow, of_node: Option<&str>) -> Result<Option<String>, Refusal> {
    let Some(wanted) = of_node else { return Ok(None) };
    let broke = |former: &LedgerRow| former.fault.as_ref().is_some_and(|fault| fault.code == Code::VolumeFailed);
    if work.ledger.iter().any(|former| former.key == row.key && former.id != row.id && broke(former)) {
        return Ok(None);
    }
    let zones = match cloud.volumes.zones().await {
        Err(error) if matches!(error.kind, CloudErrorKind::Denied | CloudErrorKind::NotFound) => Vec::new(),
        zones => zones?,
    };
    Ok(zones.into_iter().find(|zone| zone.available && zone.name == wanted).map(|zone| zone.name))
}

/// What a node is made of, by its pool.
fn machine_of<'w>(work: &'w Work, node: &Node) -> Machine<'w> {
    let spec = &work.cluster.spec;
    let pool = spec.node_pools.iter().find(|p| p.name == node.pool && node.role == NodeRole::Worker);
    pool.map_or_else(|| Machine::of_control_plane(&spec.control_plane), Machine::of_pool)
}

fn node_named<'w>(work: &'w Work, row: &LedgerRow) -> Result<&'w Node, Refusal> {
    let found = work.nodes.iter().find(|n| row.node() == Some(n.name.as_str()));
    found.ok_or_else(|| Refusal::Local(local_fault(Code::ServerFailed, format!("there is no node {}", row.name), &row.name)))
}

pub(crate) fn balancing<'c>(cloud: &'c Cloud, name: &str) -> Result<&'c dyn cloud::load_balancers::LoadBalancers, Refusal> {
    let service = cloud.load_balancers.as_deref();
    service.ok_or_else(|| Refusal::Local(local_fault(Code::NoLoadBalancer, "the service catalogue has no load balancing".to_owned(), name)))
}

fn settled(mut row: LedgerRow) -> Vec<Change> {
    row.failures = 0;
    row.fault = None;
    vec![Change::Ledger(row)]
}

fn record_create(row: LedgerRow, made: Made) -> Result<Vec<Change>, JournalError> {
    match made {
        Ok((id, address)) => Ok(settled(LedgerRow { state: ResourceState::Known, cloud_id: Some(id), address, ..row })),
        Err(Refusal::Cloud(error)) if error.outcome == Outcome::Unknown => record_failure(row, Refusal::Cloud(error), None),
        Err(refusal) => record_failure(row, refusal, Some(ResourceState::Intended)),
    }
}

/// A power call whose outcome is not known counts as made: it is not to be made twice.
fn record_power(row: LedgerRow, done: Result<(), Refusal>) -> Result<Vec<Change>, JournalError> {
    let unknown = matches!(&done, Err(Refusal::Cloud(error)) if error.outcome == Outcome::Unknown);
    match done {
        Err(refusal) if !unknown => record_failure(row, refusal, None),
        _ => Ok(settled(row)),
    }
}

pub(crate) fn record_failure(mut row: LedgerRow, refusal: Refusal, state: Option<ResourceState>) -> Result<Vec<Change>, JournalError> {
    let fault = match refusal {
        Refusal::Journal(error) => return Err(error),
        Refusal::Cloud(error) => {
            tracing::warn!(cluster = %row.cluster, object = row.name, %error, request_id = error.request_id, "a cloud call failed");
            error.fault(&row.name)
        }
        Refusal::Local(fault) => fault,
    };
    row.state = state.unwrap_or(row.state);
    row.failures += 1;
    // Why an object was given up matters more than that its deletion is slow.
    let given_up = row.state == ResourceState::Deleting && row.fault.as_ref().is_some_and(|f| f.code != fault.code && f.code.status() != 409);
    if !given_up {
        row.fault = Some(fault);
    }
    Ok(vec![Change::Ledger(row)])
}
