//! A cloud in wall time with machines behind it: what they are told, and what their answers and their deaths become.

use super::lab::{PASSWORD, Person, config, sign_in};
use local_cloud::machines::{Boot, Frontend, Machines};
use local_cloud::{Delays, LocalCloud, LocalCloudConfig, Time};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Machines that remember what they were told.
#[derive(Default)]
struct Told {
    boots: Vec<Boot>,
    calls: Vec<String>,
    on: BTreeSet<String>,
    frontends: Vec<Frontend>,
    refuse: bool,
    up: bool,
}

#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Told>>);

impl Recorder {
    fn note(&self, what: &str, server: &str, on: bool) {
        let mut told = self.0.lock().unwrap();
        told.calls.push(format!("{what} {server}"));
        if on {
            told.on.insert(server.to_owned());
        } else {
            told.on.remove(server);
        }
    }

    fn told(&self, call: &str) -> bool {
        self.0.lock().unwrap().calls.iter().any(|c| c == call)
    }
}

impl Machines for Recorder {
    fn boot(&self, boot: &Boot) -> Result<(), String> {
        if self.0.lock().unwrap().refuse {
            return Err("no room".into());
        }
        self.0.lock().unwrap().boots.push(boot.clone());
        self.note("boot", &boot.server, true);
        Ok(())
    }
    fn start(&self, server: &str) -> Result<(), String> {
        self.note("start", server, true);
        Ok(())
    }
    fn stop(&self, server: &str) -> Result<(), String> {
        self.note("stop", server, false);
        Ok(())
    }
    fn crash(&self, server: &str) -> Result<(), String> {
        self.note("crash", server, false);
        Ok(())
    }
    fn reboot(&self, server: &str, _: bool) -> Result<(), String> {
        self.note("reboot", server, true);
        Ok(())
    }
    fn delete(&self, server: &str) -> Result<(), String> {
        self.note("delete", server, false);
        Ok(())
    }
    fn running(&self, server: &str) -> bool {
        self.0.lock().unwrap().on.contains(server)
    }
    fn console(&self, _: &str) -> String {
        "one\ntwo\nthree\n".into()
    }
    fn balance(&self, frontends: &[Frontend]) {
        self.0.lock().unwrap().frontends = frontends.to_vec();
    }
    fn member_up(&self, _: &str) -> Option<bool> {
        Some(self.0.lock().unwrap().up)
    }
    fn network_down(&self, network: &str) {
        self.note("network_down", network, false);
    }
    fn images(&self) -> Vec<(String, u8, bool)> {
        vec![("v1.36.3".into(), 100, true), ("v1.35.4".into(), 40, false)]
    }
}

fn wait(what: &str, done: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < until, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn soon() -> Delays {
    let soon = Duration::from_millis(10);
    Delays { server_build: soon, server_action: soon, server_delete: soon, volume: soon, load_balancer: soon }
}

fn real(machines: &Recorder, state_file: Option<PathBuf>) -> LocalCloud {
    let machines: Arc<dyn Machines> = Arc::new(machines.clone());
    LocalCloud::new(LocalCloudConfig { time: Time::Auto, delays: soon(), machines: Some(machines), state_file, ..config(3) })
}

/// A server in wall time.
fn server(member: &Person, name: &str) -> (super::lab::Place, String) {
    let place = member.place();
    let (port, _) = member.port(&place);
    let wanted = json!({"volume": {"name": "root", "size": 20, "imageRef": member.image()}});
    let volume = member.post(&member.volume_path("/volumes"), &wanted).is(202).at("/volume/id");
    let path = member.volume_path(&format!("/volumes/{volume}"));
    wait("the volume", || member.get(&path).at("/volume/status") == "available");
    let mut body = member.server_body(name, "m1.small", &port, &volume);
    body["server"]["user_data"] = json!("I2Nsb3VkLWNvbmZpZw==");
    let id = member.post("/compute/v2.1/servers", &body).is(202).at("/server/id");
    (place, id)
}

#[test]
fn a_server_is_booted_watched_stopped_and_forgotten() {
    let machines = Recorder::default();
    let member = sign_in(&real(&machines, None), "member-a", "tenant-a");
    let (place, id) = server(&member, "cp-1");
    wait("ACTIVE", || member.server_status(&id) == "ACTIVE");
    {
        let told = machines.0.lock().unwrap();
        let boot = &told.boots[0];
        assert_eq!((boot.name.as_str(), boot.network.as_str(), boot.vcpus), ("cp-1", place.network.as_str(), 1));
        assert_eq!(boot.address.to_string(), "10.6.0.2");
        assert_eq!(boot.user_data.as_deref(), Some(b"#cloud-config".as_slice()));
        assert_eq!(boot.kubernetes_version.as_deref(), Some("v1.36.3"));
    }
    let log = member.post(&format!("/compute/v2.1/servers/{id}/action"), &json!({"os-getConsoleOutput": {"length": 2}})).is(200);
    assert_eq!(log.at("/output"), "two\nthree\n");
    machines.0.lock().unwrap().on.clear();
    wait("the death to be noticed", || member.server_status(&id) == "SHUTOFF");
    member.post(&format!("/compute/v2.1/servers/{id}/action"), &json!({"os-start": null})).is(202);
    wait("ACTIVE again", || member.server_status(&id) == "ACTIVE");
    member.delete(&format!("/compute/v2.1/servers/{id}")).is(204);
    wait("its end", || member.get(&format!("/compute/v2.1/servers/{id}")).status == 404);
    assert!(machines.told(&format!("delete {id}")));
    wait("the network to fall silent", || machines.told(&format!("network_down {}", place.network)));
}

#[test]
fn a_machine_that_does_not_boot_is_novas_fault() {
    let machines = Recorder::default();
    machines.0.lock().unwrap().refuse = true;
    let member = sign_in(&real(&machines, None), "member-a", "tenant-a");
    let (_, id) = server(&member, "cp-1");
    wait("ERROR", || member.server_status(&id) == "ERROR");
    assert!(member.get(&format!("/compute/v2.1/servers/{id}")).at("/server/fault/message").ends_with("no room"));
}

#[test]
fn traffic_follows_the_load_balancer_and_its_floating_ip() {
    let machines = Recorder::default();
    let member = sign_in(&real(&machines, None), "member-a", "tenant-a");
    let place = member.place();
    let pool = json!({"protocol": "TCP", "lb_algorithm": "ROUND_ROBIN", "members": [{"address": "10.6.0.9", "protocol_port": 6443}],
        "healthmonitor": {"type": "HTTPS", "url_path": "/readyz", "delay": 5, "timeout": 4, "max_retries": 1}});
    let listener = json!({"protocol": "TCP", "protocol_port": 6443, "default_pool": pool, "timeout_client_data": 3_600_000});
    let wanted = json!({"loadbalancer": {"name": "api", "vip_subnet_id": place.subnet, "listeners": [listener]}});
    let made = member.post("/load-balancer/v2/lbaas/loadbalancers", &wanted).is(201);
    let (id, port) = (made.at("/loadbalancer/id"), made.at("/loadbalancer/vip_port_id"));
    wait("a frontend", || !machines.0.lock().unwrap().frontends.is_empty());
    let floating = json!({"floatingip": {"floating_network_id": member.external(), "port_id": port}});
    let address = member.post("/network/v2.0/floatingips", &floating).is(201).at("/floatingip/floating_ip_address");
    wait("the floating address", || {
        let told = machines.0.lock().unwrap();
        told.frontends.first().and_then(|f| f.floating).is_some_and(|a| a.to_string() == format!("{address}:6443"))
    });
    {
        let told = machines.0.lock().unwrap();
        let frontend = &told.frontends[0];
        assert_eq!(frontend.members[0].address.to_string(), "10.6.0.9:6443");
        assert_eq!((frontend.client_timeout_ms, frontend.monitor.as_ref().unwrap().path.as_str()), (3_600_000, "/readyz"));
    }
    let path = format!("/load-balancer/v2/lbaas/loadbalancers/{id}");
    wait("ERROR", || member.get(&path).at("/loadbalancer/operating_status") == "ERROR");
    machines.0.lock().unwrap().up = true;
    wait("ONLINE", || member.get(&path).at("/loadbalancer/operating_status") == "ONLINE");
    member.delete(&format!("{path}?cascade=true")).is(204);
    wait("no traffic", || machines.0.lock().unwrap().frontends.is_empty());
}

#[test]
fn what_was_answered_is_known_after_a_kill_and_servers_start_again() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cloud.json");
    let first = Recorder::default();
    let cloud = real(&first, Some(file.clone()));
    let member = sign_in(&cloud, "member-a", "tenant-a");
    let (_, id) = server(&member, "cp-1");
    wait("ACTIVE", || member.server_status(&id) == "ACTIVE");
    let network = member.post("/network/v2.0/networks", &json!({"network": {"name": "last word"}})).is(201).at("/network/id");
    // As after kill -9: the file as it is at this moment.
    let copy = directory.path().join("copy.json");
    std::fs::copy(&file, &copy).unwrap();
    let second = Recorder::default();
    let again = real(&second, Some(copy));
    let member = sign_in(&again, "member-a", "tenant-a");
    assert_eq!(member.get(&format!("/network/v2.0/networks/{network}")).is(200).at("/network/name"), "last word");
    wait("the server to be started", || second.told(&format!("start {id}")));
    wait("ACTIVE", || member.server_status(&id) == "ACTIVE");
    assert!(!std::fs::read_to_string(&file).unwrap().contains(&format!("\"{PASSWORD}\"")));
}

#[test]
fn an_image_that_is_being_prepared_says_how_far_it_is() {
    let member = sign_in(&real(&Recorder::default(), None), "member-a", "tenant-a");
    let image = member.get("/image/v2/images?name=kcs-node-v1.35.4").is(200);
    assert_eq!((image.at("/images/0/status").as_str(), image.at("/images/0/kcs_progress").as_str()), ("queued", "40"));
    let volume = json!({"volume": {"size": 20, "imageRef": image.at("/images/0/id")}});
    member.post(&member.volume_path("/volumes"), &volume).is(400);
}
