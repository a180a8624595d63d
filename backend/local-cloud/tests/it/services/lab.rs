//! A stepped cloud and people in it who ask it things.

use bytes::Bytes;
use http::{Method, Request};
use local_cloud::{ConnectionLost, LocalCloud, LocalCloudConfig, Time};
use serde_json::{Value, json};
use std::time::Duration;

pub const PASSWORD: &str = "stepped";

pub struct Reply {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Reply {
    /// A text inside the body, by JSON pointer.
    pub fn at(&self, pointer: &str) -> String {
        let found = self.body.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("no text at {pointer} in {} {}", self.status, self.text)).to_owned()
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

/// Somebody with a token.
#[derive(Clone)]
pub struct Person {
    pub cloud: LocalCloud,
    pub token: String,
    pub project: String,
    pub user: String,
}

pub fn config(seed: u64) -> LocalCloudConfig {
    LocalCloudConfig { time: Time::Stepped, seed: Some(seed), password: PASSWORD.into(), ..LocalCloudConfig::default() }
}

pub fn cloud() -> LocalCloud {
    LocalCloud::new(config(7))
}

pub fn send(cloud: &LocalCloud, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Result<Reply, ConnectionLost> {
    let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(format!("http://local-cloud{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let bytes = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let response = cloud.handle_faulty(request.body(bytes).unwrap())?;
    let (parts, bytes) = response.into_parts();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null), text })
}

pub fn password_auth(user: &str, password: &str, scope: &Value) -> Value {
    let user = json!({"name": user, "domain": {"name": "Default"}, "password": password});
    json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}})
}

pub fn sign_in(cloud: &LocalCloud, user: &str, project: &str) -> Person {
    let scope = json!({"project": {"name": project, "domain": {"id": "default"}}});
    let reply = send(cloud, "POST", "/identity/v3/auth/tokens", &[], &password_auth(user, PASSWORD, &scope)).unwrap().is(201);
    Person {
        cloud: cloud.clone(),
        token: reply.headers["x-subject-token"].to_str().unwrap().to_owned(),
        project: reply.at("/token/project/id"),
        user: reply.at("/token/user/id"),
    }
}

/// Subnet and network of a new network with a route to the outside.
pub struct Place {
    pub network: String,
    pub subnet: String,
    pub router: String,
}

impl Person {
    pub fn try_ask(&self, method: &str, path: &str, body: &Value) -> Result<Reply, ConnectionLost> {
        let headers = [("x-auth-token", self.token.as_str()), ("openstack-api-version", "compute 2.67")];
        send(&self.cloud, method, path, &headers, body)
    }

    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Reply {
        self.try_ask(method, path, body).unwrap()
    }

    pub fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &Value::Null)
    }

    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.ask("POST", path, body)
    }

    pub fn put(&self, path: &str, body: &Value) -> Reply {
        self.ask("PUT", path, body)
    }

    pub fn delete(&self, path: &str) -> Reply {
        self.ask("DELETE", path, &Value::Null)
    }

    pub fn pass(&self, seconds: u64) {
        self.cloud.advance(Duration::from_secs(seconds));
    }

    pub fn external(&self) -> String {
        self.get("/network/v2.0/networks?router:external=True").at("/networks/0/id")
    }

    pub fn place(&self) -> Place {
        let network = self.post("/network/v2.0/networks", &json!({"network": {"name": "net"}})).is(201).at("/network/id");
        let subnet = json!({"subnet": {"network_id": network, "ip_version": 4, "cidr": "10.6.0.0/24"}});
        let subnet = self.post("/network/v2.0/subnets", &subnet).is(201).at("/subnet/id");
        let router = json!({"router": {"name": "r", "external_gateway_info": {"network_id": self.external()}}});
        let router = self.post("/network/v2.0/routers", &router).is(201).at("/router/id");
        self.put(&format!("/network/v2.0/routers/{router}/add_router_interface"), &json!({"subnet_id": subnet})).is(200);
        Place { network, subnet, router }
    }

    /// (id, address)
    pub fn port(&self, place: &Place) -> (String, String) {
        let reply = self.post("/network/v2.0/ports", &json!({"port": {"network_id": place.network}})).is(201);
        (reply.at("/port/id"), reply.at("/port/fixed_ips/0/ip_address"))
    }

    pub fn image(&self) -> String {
        self.get("/image/v2/images?name=kcs-node-v1.36.3").is(200).at("/images/0/id")
    }

    /// A volume from the node image, available.
    pub fn root_volume(&self) -> String {
        let wanted = json!({"volume": {"name": "root", "size": 20, "imageRef": self.image(), "metadata": {"owner": "x"}}});
        let id = self.post(&self.volume_path("/volumes"), &wanted).is(202).at("/volume/id");
        self.pass(1);
        id
    }

    pub fn volume_path(&self, rest: &str) -> String {
        format!("/volume/v3/{}{rest}", self.project)
    }

    pub fn flavor(&self, name: &str) -> String {
        let flavors = self.get("/compute/v2.1/flavors").is(200);
        let found = flavors.body["flavors"].as_array().unwrap().iter().find(|f| f["name"] == name).unwrap().clone();
        found["id"].as_str().unwrap().to_owned()
    }

    pub fn server_body(&self, name: &str, flavor: &str, port: &str, volume: &str) -> Value {
        let disk = json!({"boot_index": 0, "uuid": volume, "source_type": "volume", "destination_type": "volume", "delete_on_termination": true});
        json!({"server": {"name": name, "flavorRef": self.flavor(flavor), "networks": [{"port": port}], "block_device_mapping_v2": [disk],
            "metadata": {"kcs_cluster": "c"}}})
    }

    /// A server on a port and a volume of its own: (server, port, volume).
    pub fn server(&self, place: &Place, name: &str) -> (String, String, String) {
        let (port, _) = self.port(place);
        let volume = self.root_volume();
        let body = self.server_body(name, "m1.small", &port, &volume);
        let server = self.post("/compute/v2.1/servers", &body).is(202).at("/server/id");
        (server, port, volume)
    }

    pub fn server_status(&self, id: &str) -> String {
        self.get(&format!("/compute/v2.1/servers/{id}")).is(200).at("/server/status")
    }
}
