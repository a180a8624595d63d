//! Nova: servers, server groups, flavors, zones, limits.

use crate::call::Call;
use crate::catalog::Service::Compute as COMPUTE;
use crate::error;
use crate::identity::Scoped;
use crate::lenient::{limit, moment, or_default};
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloud::Result;
use cloud::compute::{Compute, ComputeLimits, Flavor, KeyPair, Limit, NewServer, Server, ServerGroup, ServerStatus, Zone};
use cloud::error::CloudErrorKind;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Nova's limit on user data in base64.
const USER_DATA_LIMIT: usize = 65_535;

#[derive(Deserialize)]
struct FlavorView {
    id: String,
    name: String,
    vcpus: u32,
    ram: u32,
    disk: u32,
    #[serde(rename = "os-flavor-access:is_public")]
    public: Option<bool>,
}

/// As Nova and Cinder list theirs.
#[derive(Deserialize)]
pub(crate) struct Zones {
    #[serde(rename = "availabilityZoneInfo")]
    zones: Vec<ZoneView>,
}

impl Zones {
    pub(crate) fn listed(self) -> Vec<Zone> {
        self.zones.into_iter().map(|zone| Zone { name: zone.name, available: zone.state.available }).collect()
    }
}

#[derive(Deserialize)]
struct ZoneView {
    #[serde(rename = "zoneName")]
    name: String,
    #[serde(rename = "zoneState")]
    state: ZoneState,
}

#[derive(Deserialize)]
struct ZoneState {
    available: bool,
}

#[derive(Deserialize)]
struct Limits {
    limits: Absolute,
}

#[derive(Deserialize)]
struct Absolute {
    absolute: BTreeMap<String, i64>,
}

#[derive(Deserialize)]
struct ServerBody {
    server: ServerView,
}

#[derive(Deserialize)]
struct ServerView {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    status: String,
    #[serde(default, deserialize_with = "or_default")]
    metadata: BTreeMap<String, String>,
    fault: Option<FaultView>,
    #[serde(rename = "OS-EXT-AZ:availability_zone")]
    zone: Option<String>,
    created: Option<String>,
}

#[derive(Deserialize)]
struct FaultView {
    #[serde(default, deserialize_with = "or_default")]
    message: String,
}

#[derive(Deserialize)]
struct MadeServer {
    server: Identified,
}

#[derive(Deserialize)]
struct MadeGroup {
    server_group: Identified,
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

#[derive(Deserialize)]
struct GroupView {
    id: String,
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    members: Vec<String>,
}

#[derive(Deserialize)]
struct KeyPairEntry {
    keypair: KeyPairView,
}

#[derive(Deserialize)]
struct KeyPairView {
    name: String,
    public_key: String,
}

#[derive(Deserialize)]
struct Console {
    output: String,
}

impl From<ServerView> for Server {
    fn from(view: ServerView) -> Self {
        Self {
            id: view.id,
            name: view.name,
            status: status(&view.status),
            metadata: view.metadata,
            fault: view.fault.map(|fault| crate::message::shorten(&fault.message)).filter(|message| !message.is_empty()),
            zone: view.zone.filter(|zone| !zone.is_empty()),
            created_at: view.created.as_deref().and_then(moment),
        }
    }
}

fn status(word: &str) -> ServerStatus {
    match word {
        "BUILD" => ServerStatus::Build,
        "ACTIVE" => ServerStatus::Active,
        "SHUTOFF" => ServerStatus::Shutoff,
        "ERROR" => ServerStatus::Error,
        // Kept by the cloud for a while, to be reclaimed by an administrator; no list shows it.
        "DELETED" | "SOFT_DELETED" => ServerStatus::Deleted,
        other => ServerStatus::Other(other.to_owned()),
    }
}

/// `prefix` as the beginning of a name in Nova's filter, which is a regular expression of the database's.
fn beginning(prefix: &str) -> String {
    let mut pattern = String::from("^");
    for c in prefix.chars() {
        if !(c.is_alphanumeric() || matches!(c, '-' | '_')) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

fn new_server(server: &NewServer, user_data: &str) -> Value {
    let volumes = server.volume_id.iter().map(|id| (id, true)).chain(server.data_volume_ids.iter().map(|id| (id, false)));
    let mut devices: Vec<Value> = volumes
        .map(|(id, root)| {
            let mut device = json!({"uuid": id, "source_type": "volume", "destination_type": "volume", "delete_on_termination": true});
            device["boot_index"] = if root { json!(0) } else { json!(-1) };
            device
        })
        .collect();
    if let (None, Some(image)) = (&server.volume_id, &server.image_id) {
        let root = json!({"boot_index": 0, "uuid": image, "source_type": "image", "destination_type": "local", "delete_on_termination": true});
        devices.insert(0, root);
    }
    let mut body = json!({
        "name": server.name,
        "flavorRef": server.flavor_id,
        "networks": [{"port": server.port_id}],
        "block_device_mapping_v2": devices,
        "config_drive": true,
        "user_data": user_data,
        "metadata": server.metadata,
    });
    if let (None, Some(image)) = (&server.volume_id, &server.image_id) {
        body["imageRef"] = json!(image);
    }
    if let Some(zone) = &server.zone {
        body["availability_zone"] = json!(zone);
    }
    let mut request = json!({"server": body});
    if let Some(group) = &server.server_group_id {
        request["os:scheduler_hints"] = json!({"group": group});
    }
    request
}

impl Scoped {
    async fn act(&self, operation: &'static str, id: &str, action: Value) -> Result<()> {
        self.0.done(&Call::post(COMPUTE, operation, &["servers", id, "action"], action)).await
    }
}

#[async_trait]
impl Compute for Scoped {
    async fn flavors(&self) -> Result<Vec<Flavor>> {
        let flavors: Vec<FlavorView> = self.0.list(Call::get(COMPUTE, "list flavors", &["flavors", "detail"]), "flavors").await?;
        let flavor =
            |f: FlavorView| Flavor { id: f.id, name: f.name, vcpus: f.vcpus, ram_mib: f.ram, disk_gib: f.disk, public: f.public.unwrap_or(true) };
        Ok(flavors.into_iter().map(flavor).collect())
    }

    async fn zones(&self) -> Result<Vec<Zone>> {
        Ok(self.0.json::<Zones>(&Call::get(COMPUTE, "list zones", &["os-availability-zone"])).await?.listed())
    }

    async fn limits(&self) -> Result<ComputeLimits> {
        let body: Limits = self.0.json(&Call::get(COMPUTE, "read limits", &["limits"])).await?;
        let absolute = body.limits.absolute;
        let allowed = |key: &str| absolute.get(key).copied().and_then(limit);
        let pair = |used: &str, max: &str| Limit { used: allowed(used).unwrap_or(0), limit: allowed(max) };
        Ok(ComputeLimits {
            instances: pair("totalInstancesUsed", "maxTotalInstances"),
            vcpus: pair("totalCoresUsed", "maxTotalCores"),
            ram_mib: pair("totalRAMUsed", "maxTotalRAMSize"),
            server_groups: pair("totalServerGroupsUsed", "maxServerGroups"),
            server_group_members: allowed("maxServerGroupMembers"),
        })
    }

    async fn servers(&self, prefix: &str) -> Result<Vec<Server>> {
        let call = Call::get(COMPUTE, "list servers", &["servers", "detail"]).query("name", beginning(prefix));
        let servers: Vec<ServerView> = self.0.list(call, "servers").await?;
        Ok(servers.into_iter().filter(|s| s.name.starts_with(prefix)).map(Server::from).collect())
    }

    async fn server(&self, id: &str) -> Result<Server> {
        let body: ServerBody = self.0.json(&Call::get(COMPUTE, "read server", &["servers", id])).await?;
        Ok(body.server.into())
    }

    async fn create_server(&self, server: &NewServer) -> Result<String> {
        let user_data = STANDARD.encode(server.user_data.expose_secret());
        let call = Call::post(COMPUTE, "create server", &["servers"], new_server(server, &user_data));
        if user_data.len() > USER_DATA_LIMIT {
            let message = format!("the user data is {} bytes in base64; Nova takes {USER_DATA_LIMIT}", user_data.len());
            return Err(error::unsent(&call, CloudErrorKind::Rejected, &message));
        }
        Ok(self.0.json::<MadeServer>(&call).await?.server.id)
    }

    async fn delete_server(&self, id: &str) -> Result<()> {
        self.0.done(&Call::delete(COMPUTE, "delete server", &["servers", id])).await
    }

    async fn start_server(&self, id: &str) -> Result<()> {
        self.act("start server", id, json!({"os-start": null})).await
    }

    async fn stop_server(&self, id: &str) -> Result<()> {
        self.act("stop server", id, json!({"os-stop": null})).await
    }

    async fn reboot_server(&self, id: &str, hard: bool) -> Result<()> {
        let kind = if hard { "HARD" } else { "SOFT" };
        self.act("reboot server", id, json!({"reboot": {"type": kind}})).await
    }

    async fn attach_volume(&self, server_id: &str, volume_id: &str) -> Result<()> {
        let body = json!({"volumeAttachment": {"volumeId": volume_id}});
        self.0.done(&Call::post(COMPUTE, "attach volume", &["servers", server_id, "os-volume_attachments"], body)).await
    }

    async fn console_output(&self, id: &str, lines: u32) -> Result<String> {
        let action = json!({"os-getConsoleOutput": {"length": lines}});
        let call = Call::post(COMPUTE, "read console log", &["servers", id, "action"], action).reading();
        Ok(self.0.json::<Console>(&call).await?.output)
    }

    async fn key_pairs(&self) -> Result<Vec<KeyPair>> {
        let all: Vec<KeyPairEntry> = self.0.list(Call::get(COMPUTE, "list key pairs", &["os-keypairs"]), "keypairs").await?;
        Ok(all.into_iter().map(|e| KeyPair { name: e.keypair.name, public_key: e.keypair.public_key }).collect())
    }

    async fn server_groups(&self) -> Result<Vec<ServerGroup>> {
        let call = Call::get(COMPUTE, "list server groups", &["os-server-groups"]);
        let groups: Vec<GroupView> = self.0.list_by_offset(call, "server_groups").await?;
        Ok(groups.into_iter().map(|g| ServerGroup { id: g.id, name: g.name, members: g.members }).collect())
    }

    async fn create_server_group(&self, name: &str) -> Result<String> {
        let body = json!({"server_group": {"name": name, "policy": "soft-anti-affinity"}});
        let call = Call::post(COMPUTE, "create server group", &["os-server-groups"], body);
        Ok(self.0.json::<MadeGroup>(&call).await?.server_group.id)
    }

    async fn server_group(&self, id: &str) -> Result<()> {
        self.0.done(&Call::get(COMPUTE, "read server group", &["os-server-groups", id])).await
    }

    async fn delete_server_group(&self, id: &str) -> Result<()> {
        self.0.done(&Call::delete(COMPUTE, "delete server group", &["os-server-groups", id])).await
    }
}
