//! Neutron: networks, subnets, routers, ports, floating IPs, security groups, quotas.

use crate::call::Call;
use crate::catalog::Service::Network as NETWORK;
use crate::identity::Scoped;
use crate::network_views::{
    AvailabilityBody, FloatingIpView, GroupView, NetView, PortView, Quotas, RouterBody, RouterView, SubnetView, normal, rule_body,
};
use async_trait::async_trait;
use cloud::Result;
use cloud::error::CloudErrorKind;
use cloud::network::{FloatingIp, Kind, Net, Network, NetworkLimits, NewPort, NewSubnet, Port, Router, Rule, SecurityGroup, Subnet};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What is made, under whichever key Neutron names it.
#[derive(Deserialize)]
struct Made {
    #[serde(alias = "network", alias = "subnet", alias = "router", alias = "security_group")]
    object: Identified,
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

#[derive(Deserialize)]
struct PortBody {
    port: PortView,
}

#[derive(Deserialize)]
struct MadeFloatingIp {
    floatingip: FloatingIpView,
}

#[derive(Deserialize)]
struct GroupBody {
    security_group: GroupView,
}

#[derive(Deserialize)]
struct Interface {
    port_id: String,
}

impl Scoped {
    async fn named<T: DeserializeOwned>(&self, operation: &'static str, path: &'static str, key: &'static str, name: &str) -> Result<Vec<T>> {
        self.0.list(Call::get(NETWORK, operation, &[path]).query("name", name), key).await
    }

    async fn made(&self, operation: &'static str, path: &'static str, body: Value) -> Result<String> {
        Ok(self.0.json::<Made>(&Call::post(NETWORK, operation, &[path], body)).await?.object.id)
    }

    async fn gone(&self, operation: &'static str, path: &'static str, id: &str) -> Result<()> {
        self.0.done(&Call::delete(NETWORK, operation, &[path, id])).await
    }

    async fn post_rules(&self, group_id: &str, rules: &[Rule]) -> Result<()> {
        let rules: Vec<Value> = rules.iter().map(|rule| rule_body(group_id, rule)).collect();
        let body = json!({"security_group_rules": rules});
        self.0.done(&Call::post(NETWORK, "add security group rules", &["security-group-rules"], body)).await
    }

    /// The router's port on the subnet, if it has one.
    async fn router_port(&self, router_id: &str, subnet_id: &str) -> Result<Option<String>> {
        let call = Call::get(NETWORK, "list router ports", &["ports"]).query("device_id", router_id);
        let ports: Vec<PortView> = self.0.list(call, "ports").await?;
        let mut ports = ports.into_iter().map(Port::from);
        Ok(ports.find(|port| port.device_id == router_id && port.subnet_ids.iter().any(|id| id == subnet_id)).map(|port| port.id))
    }
}

/// Where objects of a kind are, and what a body calls one.
fn place(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Network => ("networks", "network"),
        Kind::Subnet => ("subnets", "subnet"),
        Kind::Router => ("routers", "router"),
        Kind::Port => ("ports", "port"),
        Kind::SecurityGroup => ("security-groups", "security_group"),
        Kind::FloatingIp => ("floatingips", "floatingip"),
    }
}

#[async_trait]
impl Network for Scoped {
    async fn find(&self, kind: Kind, id: &str) -> Result<()> {
        let (path, _) = place(kind);
        self.0.done(&Call::get(NETWORK, "read object", &[path, id]).query("fields", "id")).await
    }

    async fn rename(&self, kind: Kind, id: &str, name: &str) -> Result<()> {
        let (path, key) = place(kind);
        let body = json!({ key: { "name": name } });
        self.0.done(&Call::put(NETWORK, "rename object", &[path, id], Some(body))).await
    }

    async fn networks_by_name(&self, name: &str) -> Result<Vec<Net>> {
        let all: Vec<NetView> = self.named("find network", "networks", "networks", name).await?;
        Ok(all.into_iter().filter(|n| n.name == name).map(Net::from).collect())
    }

    async fn external_networks(&self) -> Result<Vec<Net>> {
        let call = Call::get(NETWORK, "list external networks", &["networks"]).query("router:external", "true");
        let all: Vec<NetView> = self.0.list(call, "networks").await?;
        Ok(all.into_iter().filter(|n| n.external == Some(true)).map(Net::from).collect())
    }

    async fn networks(&self) -> Result<Vec<Net>> {
        let all: Vec<NetView> = self.0.list(Call::get(NETWORK, "list networks", &["networks"]), "networks").await?;
        Ok(all.into_iter().filter(|n| n.external != Some(true)).map(Net::from).collect())
    }

    async fn create_network(&self, name: &str, description: &str) -> Result<String> {
        self.made("create network", "networks", json!({"network": {"name": name, "description": description}})).await
    }

    async fn delete_network(&self, id: &str) -> Result<()> {
        self.gone("delete network", "networks", id).await
    }

    async fn subnets_of(&self, network_id: &str) -> Result<Vec<Subnet>> {
        let call = Call::get(NETWORK, "list subnets", &["subnets"]).query("network_id", network_id);
        let all: Vec<SubnetView> = self.0.list(call, "subnets").await?;
        Ok(all.into_iter().filter(|s| s.network_id == network_id).map(Subnet::from).collect())
    }

    async fn subnets(&self) -> Result<Vec<Subnet>> {
        let all: Vec<SubnetView> = self.0.list(Call::get(NETWORK, "list subnets", &["subnets"]).query("ip_version", "4"), "subnets").await?;
        Ok(all.into_iter().map(Subnet::from).collect())
    }

    async fn create_subnet(&self, subnet: &NewSubnet) -> Result<String> {
        let body = json!({
            "name": subnet.name, "description": subnet.description, "network_id": subnet.network_id,
            "ip_version": 4, "cidr": subnet.cidr.to_string(), "dns_nameservers": subnet.dns_servers,
        });
        self.made("create subnet", "subnets", json!({"subnet": body})).await
    }

    async fn delete_subnet(&self, id: &str) -> Result<()> {
        self.gone("delete subnet", "subnets", id).await
    }

    async fn routers(&self) -> Result<Vec<Router>> {
        let all: Vec<RouterView> = self.0.list(Call::get(NETWORK, "list routers", &["routers"]), "routers").await?;
        Ok(all.into_iter().map(Router::from).collect())
    }

    async fn routers_by_name(&self, name: &str) -> Result<Vec<Router>> {
        let all: Vec<RouterView> = self.named("find router", "routers", "routers", name).await?;
        Ok(all.into_iter().filter(|r| r.name == name).map(Router::from).collect())
    }

    async fn router(&self, id: &str) -> Result<Router> {
        Ok(self.0.json::<RouterBody>(&Call::get(NETWORK, "read router", &["routers", id])).await?.router.into())
    }

    async fn ports_of_device(&self, device_id: &str) -> Result<Vec<Port>> {
        let call = Call::get(NETWORK, "list ports of a device", &["ports"]).query("device_id", device_id);
        let all: Vec<PortView> = self.0.list(call, "ports").await?;
        Ok(all.into_iter().map(Port::from).filter(|p| p.device_id == device_id).collect())
    }

    async fn create_router(&self, name: &str, description: &str, external_network_id: &str) -> Result<String> {
        let gateway = json!({"network_id": external_network_id});
        let router = json!({"name": name, "description": description, "external_gateway_info": gateway});
        self.made("create router", "routers", json!({"router": router})).await
    }

    async fn set_gateway(&self, router_id: &str, external_network_id: &str) -> Result<()> {
        let body = json!({"router": {"external_gateway_info": {"network_id": external_network_id}}});
        self.0.done(&Call::put(NETWORK, "set router gateway", &["routers", router_id], Some(body))).await
    }

    async fn delete_router(&self, id: &str) -> Result<()> {
        self.gone("delete router", "routers", id).await
    }

    async fn add_router_interface(&self, router_id: &str, subnet_id: &str) -> Result<String> {
        let path = ["routers", router_id, "add_router_interface"];
        let call = Call::put(NETWORK, "add router interface", &path, Some(json!({"subnet_id": subnet_id})));
        match self.0.json::<Interface>(&call).await {
            Ok(interface) => Ok(interface.port_id),
            // It may be there already, from a call whose answer was lost.
            Err(e) if matches!(e.kind, CloudErrorKind::Rejected | CloudErrorKind::Conflict) => self.router_port(router_id, subnet_id).await?.ok_or(e),
            Err(e) => Err(e),
        }
    }

    async fn remove_router_interface(&self, router_id: &str, subnet_id: &str) -> Result<()> {
        let path = ["routers", router_id, "remove_router_interface"];
        self.0.done(&Call::put(NETWORK, "remove router interface", &path, Some(json!({"subnet_id": subnet_id})))).await
    }

    async fn security_group(&self, id: &str) -> Result<SecurityGroup> {
        let call = Call::get(NETWORK, "read security group", &["security-groups", id]);
        Ok(self.0.json::<GroupBody>(&call).await?.security_group.into())
    }

    async fn security_groups(&self) -> Result<Vec<SecurityGroup>> {
        let mut call = Call::get(NETWORK, "list security groups", &["security-groups"]);
        for field in ["id", "name", "description"] {
            call = call.query("fields", field);
        }
        let all: Vec<GroupView> = self.0.list(call, "security_groups").await?;
        Ok(all.into_iter().map(SecurityGroup::from).collect())
    }

    async fn security_groups_with_rules(&self) -> Result<Vec<SecurityGroup>> {
        let call = Call::get(NETWORK, "list security groups with rules", &["security-groups"]);
        let all: Vec<GroupView> = self.0.list(call, "security_groups").await?;
        Ok(all.into_iter().map(SecurityGroup::from).collect())
    }

    async fn create_security_group(&self, name: &str, description: &str) -> Result<String> {
        let body = json!({"security_group": {"name": name, "description": description}});
        self.made("create security group", "security-groups", body).await
    }

    async fn delete_security_group(&self, id: &str) -> Result<()> {
        self.gone("delete security group", "security-groups", id).await
    }

    async fn add_rules(&self, group_id: &str, rules: &[Rule]) -> Result<()> {
        if rules.is_empty() {
            return Ok(());
        }
        // One that exists refuses the whole call: then those that are missing are added, and if somebody else adds them too, one by one.
        match self.post_rules(group_id, rules).await {
            Err(e) if e.kind == CloudErrorKind::Conflict => {}
            done => return done,
        }
        let group = self.security_group(group_id).await?;
        let missing: Vec<Rule> = rules.iter().filter(|rule| !group.rules.contains(&normal(rule))).cloned().collect();
        for rule in missing {
            match self.post_rules(group_id, std::slice::from_ref(&rule)).await {
                Err(e) if e.kind == CloudErrorKind::Conflict => {}
                done => done?,
            }
        }
        Ok(())
    }

    async fn ports(&self) -> Result<Vec<Port>> {
        let all: Vec<PortView> = self.0.list(Call::get(NETWORK, "list all ports", &["ports"]), "ports").await?;
        Ok(all.into_iter().map(Port::from).collect())
    }

    async fn ports_of(&self, network_id: &str) -> Result<Vec<Port>> {
        let call = Call::get(NETWORK, "list ports", &["ports"]).query("network_id", network_id);
        let all: Vec<PortView> = self.0.list(call, "ports").await?;
        Ok(all.into_iter().filter(|p| p.network_id == network_id).map(Port::from).collect())
    }

    async fn port(&self, id: &str) -> Result<Port> {
        Ok(self.0.json::<PortBody>(&Call::get(NETWORK, "read port", &["ports", id])).await?.port.into())
    }

    async fn create_port(&self, port: &NewPort) -> Result<(String, String)> {
        let body = json!({
            "name": port.name, "description": port.description, "network_id": port.network_id,
            "fixed_ips": [{"subnet_id": port.subnet_id}], "security_groups": port.security_group_ids,
        });
        let call = Call::post(NETWORK, "create port", &["ports"], json!({"port": body}));
        let made = Port::from(self.0.json::<PortBody>(&call).await?.port);
        Ok((made.id, made.address.unwrap_or_default()))
    }

    async fn set_security_groups(&self, port_id: &str, group_ids: &[String]) -> Result<()> {
        let path = ["ports", port_id];
        let put = |port: Value| Call::put(NETWORK, "set security groups", &path, Some(json!({ "port": port })));
        match self.0.done(&put(json!({"security_groups": group_ids}))).await {
            // Somebody has switched port security off: the port takes groups only together with it, and who may not switch it on is told so.
            Err(e) if matches!(e.kind, CloudErrorKind::Rejected | CloudErrorKind::Conflict) => {
                self.0.done(&put(json!({"security_groups": group_ids, "port_security_enabled": true}))).await
            }
            done => done,
        }
    }

    async fn delete_port(&self, id: &str) -> Result<()> {
        self.gone("delete port", "ports", id).await
    }

    async fn floating_ips_by_description(&self, description: &str) -> Result<Vec<FloatingIp>> {
        let call = Call::get(NETWORK, "find floating IP", &["floatingips"]).query("description", description);
        let all: Vec<FloatingIpView> = self.0.list(call, "floatingips").await?;
        Ok(all.into_iter().filter(|f| f.description == description).map(FloatingIp::from).collect())
    }

    async fn floating_ips(&self) -> Result<Vec<FloatingIp>> {
        let all: Vec<FloatingIpView> = self.0.list(Call::get(NETWORK, "list floating IPs", &["floatingips"]), "floatingips").await?;
        Ok(all.into_iter().map(FloatingIp::from).collect())
    }

    async fn create_floating_ip(&self, external_network_id: &str, description: &str) -> Result<(String, String)> {
        let body = json!({"floatingip": {"floating_network_id": external_network_id, "description": description}});
        let call = Call::post(NETWORK, "create floating IP", &["floatingips"], body);
        let made = FloatingIp::from(self.0.json::<MadeFloatingIp>(&call).await?.floatingip);
        Ok((made.id, made.address))
    }

    async fn associate_floating_ip(&self, id: &str, port_id: Option<&str>) -> Result<()> {
        let body = json!({"floatingip": {"port_id": port_id}});
        self.0.done(&Call::put(NETWORK, "associate floating IP", &["floatingips", id], Some(body))).await
    }

    async fn delete_floating_ip(&self, id: &str) -> Result<()> {
        self.gone("delete floating IP", "floatingips", id).await
    }

    async fn addresses_left(&self, network_id: &str) -> Result<Option<u64>> {
        let call = Call::get(NETWORK, "count free addresses", &["network-ip-availabilities", network_id]);
        match self.0.json::<AvailabilityBody>(&call).await {
            Ok(body) => Ok(Some(body.left())),
            // Neutron's own policy lets administrators ask, and tells others that there is nothing.
            Err(error) if matches!(error.kind, CloudErrorKind::NotFound | CloudErrorKind::Denied) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn limits(&self, project_id: &str) -> Result<NetworkLimits> {
        let call = Call::get(NETWORK, "read quotas", &["quotas", project_id, "details.json"]);
        Ok(self.0.json::<Quotas>(&call).await?.limits())
    }
}
