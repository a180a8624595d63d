//! The cloud as a whole: runs repeat, states are kept, ports and control calls work from outside.

use super::lab::{PASSWORD, cloud, config, send, sign_in};
use local_cloud::LocalCloud;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

fn a_run(seed: u64) -> Vec<String> {
    let member = sign_in(&LocalCloud::new(config(seed)), "member-a", "tenant-a");
    let place = member.place();
    member.server(&place, "a");
    member.pass(1);
    member.cloud.dump().into_iter().map(|o| format!("{} {} {} {:?}", o.kind, o.id, o.name, o.status)).collect()
}

#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(a_run(1), a_run(1));
    assert_ne!(a_run(1), a_run(2));
}

#[test]
fn a_saved_cloud_goes_on_where_it_was() {
    let directory = std::env::temp_dir().join(format!("local-cloud-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("cloud.json");
    let member = sign_in(&cloud(), "member-a", "tenant-a");
    let place = member.place();
    let (server, port, _) = member.server(&place, "a");
    member.cloud.save(&file).unwrap();
    let again = LocalCloud::load(config(7), &file).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(again.dump(), member.cloud.dump());
    let member = super::lab::Person { cloud: again, ..member };
    assert_eq!(member.server_status(&server), "BUILD");
    member.pass(1);
    assert_eq!(member.server_status(&server), "ACTIVE");
    let (_, address) = member.port(&place);
    assert_eq!(address, "10.6.0.3");
    let server_address = member.get(&format!("/network/v2.0/ports/{port}")).at("/port/fixed_ips/0/ip_address");
    let balancer = super::load_balancers::balancer("api", &place.subnet, &[&server_address]);
    let made = member.post("/load-balancer/v2/lbaas/loadbalancers", &balancer).is(201).at("/loadbalancer/id");
    member.pass(1);
    member.post(&format!("/compute/v2.1/servers/{server}/action"), &json!({"os-stop": null})).is(202);
    member.pass(1);
    let tree = member.get(&format!("/load-balancer/v2/lbaas/loadbalancers/{made}/status")).is(200);
    let status = tree.at("/statuses/loadbalancer/listeners/0/pools/0/members/0/operating_status");
    assert_eq!(status, "ERROR", "whose address it is, is known of what was there before");
}

#[test]
fn foreign_objects_are_everything_a_tenant_may_have_of_its_own() {
    let cloud = cloud();
    let project = cloud.project_id("tenant-a").unwrap();
    let before = cloud.dump();
    cloud.add_foreign(&project, "kcs-like");
    let new: Vec<_> = cloud.dump().into_iter().filter(|o| !before.contains(o)).collect();
    for kind in ["network", "subnet", "port", "router", "security_group", "server", "volume"] {
        assert!(new.iter().any(|o| o.kind == kind), "no {kind}");
    }
    assert!(new.iter().all(|o| o.project == project || o.kind == "port"));
}

#[test]
fn control_is_refused_to_pages_of_a_browser() {
    let cloud = cloud();
    let dump = send(&cloud, "GET", "/_local/dump", &[], &Value::Null).unwrap().is(200);
    assert!(dump.body["objects"].as_array().unwrap().len() > 3);
    send(&cloud, "GET", "/_local/dump", &[("origin", "http://evil")], &Value::Null).unwrap().is(403);
    let fault = json!({"service": "network", "method": "POST", "effect": {"kind": "status", "status": 503}});
    send(&cloud, "POST", "/_local/faults", &[], &fault).unwrap().is(201);
    send(&cloud, "POST", "/_local/faults", &[], &json!({"effect": {"kind": "explode"}})).unwrap().is(400);
    send(&cloud, "POST", "/_local/faults", &[], &json!({"path": "(", "effect": {"kind": "reset"}})).unwrap().is(400);
    let member = sign_in(&cloud, "member-a", "tenant-a");
    member.post("/network/v2.0/networks", &json!({"network": {}})).is(503);
}

#[test]
fn on_a_port_it_answers_and_a_reset_closes_the_connection() {
    let cloud = cloud();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = cloud.clone();
    let (tell, told) = std::sync::mpsc::channel();
    let server = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = served.serve(listener).unwrap();
            tell.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    let handle = told.recv().unwrap();
    let ask = |path: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text); // a reset is an error or the end
        text
    };
    let root = ask("/identity/");
    assert!(root.starts_with("HTTP/1.1 300"), "{root}");
    assert!(root.contains(&format!("http://{address}/identity/v3")), "{root}");
    cloud.inject(local_cloud::FaultRule::new(local_cloud::Effect::Reset));
    assert_eq!(ask("/identity/"), "");
    assert!(ask("/compute/").starts_with("HTTP/1.1 200"));
    actix_web::rt::System::new().block_on(handle.stop(false));
    server.join().unwrap();
}

#[test]
fn passwords_and_secrets_are_kept_as_digests() {
    let directory = std::env::temp_dir().join(format!("local-cloud-secrets-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("cloud.json");
    let member = sign_in(&cloud(), "member-a", "tenant-a");
    let path = format!("/identity/v3/users/{}/application_credentials", member.user);
    let secret = member.post(&path, &json!({"application_credential": {"name": "engine"}})).is(201).at("/application_credential/secret");
    member.cloud.save(&file).unwrap();
    let kept = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    assert!(!kept.contains(&secret));
    assert!(!kept.contains(&format!("\"{PASSWORD}\"")));
}
