//! Faults of the local cloud as the adapter tells them: what is known of the outcome is true, and what is said is the cloud's.

use crate::contract::local::Local;
use cloud::Cloud;
use cloud::compute::NewServer;
use cloud::error::{CloudErrorKind as Kind, Outcome};
use cloud::identity::Identity;
use cloud::volumes::{NewVolume, VolumeStatus};
use cloud_openstack::{Config, OpenStack};
use domain::codes::Code;
use local_cloud::{Effect, FaultRule, LocalCloud, LocalCloudConfig, Service, Time};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const PASSWORD: &str = "faults";

fn cloud() -> (LocalCloud, OpenStack) {
    let config = LocalCloudConfig { time: Time::Stepped, seed: Some(7), password: PASSWORD.into(), ..LocalCloudConfig::default() };
    let local = LocalCloud::new(config);
    let config = Config {
        auth_url: format!("{}/identity/v3", local.base_url()).parse().unwrap(),
        region: None,
        service_password: PASSWORD.to_owned().into(),
        ..crate::scripted::config()
    };
    let openstack = OpenStack::new(config, Arc::new(Local(local.clone())));
    (local, openstack)
}

/// A cloud as a tenant's engine sees it.
async fn engine() -> (LocalCloud, Cloud) {
    let (local, openstack) = cloud();
    let project = local.project_id("tenant-a").unwrap();
    let user = openstack.ensure_service_user("kcs-tenant-a", &project).await.unwrap();
    let credential = openstack.create_application_credential(&user, &project, "engine", "mark").await.unwrap();
    (local, openstack.as_credential(&credential))
}

fn new_volume(name: &str) -> NewVolume {
    NewVolume { name: name.into(), size_gib: 1, image_id: None, volume_type: None, zone: None, metadata: BTreeMap::from([("k".into(), name.into())]) }
}

#[tokio::test]
async fn a_lost_answer_and_a_500_that_was_done_are_unknown_and_the_object_is_found() {
    for effect in [Effect::AnswerLost, Effect::DoneBut { status: 500 }] {
        let (local, cloud) = engine().await;
        local.inject(FaultRule::new(effect.clone()).on(Service::Network, "POST", "/networks$"));
        let error = cloud.network.create_network("n", "mark").await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::Unavailable, Outcome::Unknown), "{effect:?}");
        assert_eq!(cloud.network.networks_by_name("n").await.unwrap().len(), 1, "{effect:?}");
    }
}

#[tokio::test]
async fn a_reset_and_a_cloud_that_is_down_did_nothing() {
    let (local, cloud) = engine().await;
    local.inject(FaultRule::new(Effect::Reset).on(Service::Network, "POST", "/networks$"));
    let error = cloud.network.create_network("n", "mark").await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Unavailable, Outcome::NotDone));
    local.inject(FaultRule::new(Effect::CloudDown { seconds: 300 }));
    for _ in 0..3 {
        let error = cloud.network.create_network("n", "mark").await.unwrap_err();
        assert_eq!((error.kind, error.outcome, error.code()), (Kind::Unavailable, Outcome::NotDone, Code::CloudUnavailable));
    }
    local.advance(Duration::from_secs(301));
    assert!(cloud.network.networks_by_name("n").await.unwrap().is_empty());
    cloud.network.create_network("n", "mark").await.unwrap();
}

#[tokio::test]
async fn tokens_that_end_midway_are_replaced_unseen() {
    let (local, cloud) = engine().await;
    cloud.network.create_network("before", "mark").await.unwrap();
    local.inject(FaultRule::new(Effect::TokensExpire));
    cloud.network.create_network("after", "mark").await.unwrap();
    assert_eq!(cloud.network.networks_by_name("after").await.unwrap().len(), 1);
}

#[tokio::test]
async fn each_services_quota_is_a_quota() {
    let (local, cloud) = engine().await;
    let full = |service, resource: &str| local.inject(FaultRule::new(Effect::Quota { resource: resource.into() }).on(service, "POST", "."));
    full(Service::Network, "network");
    full(Service::BlockStorage, "volumes");
    full(Service::Compute, "server_groups");
    full(Service::LoadBalancer, "load_balancer");
    let balancer = cloud::load_balancers::NewLoadBalancer {
        name: "lb".into(),
        description: String::new(),
        vip_subnet_id: "s".into(),
        vip_address: None,
        port: 6443,
        members: vec![],
        allowed_cidrs: vec![],
        provider: None,
        client_timeout_seconds: 3600,
        member_timeout_seconds: 3600,
    };
    let errors = [
        cloud.network.create_network("n", "").await.unwrap_err(),
        cloud.volumes.create_volume(&new_volume("v")).await.unwrap_err(),
        cloud.compute.create_server_group("g").await.unwrap_err(),
        cloud.load_balancers.as_ref().unwrap().create_load_balancer(&balancer).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind, error.outcome, error.code()), (Kind::Quota, Outcome::NotDone, Code::Quota), "{error}");
        assert!(error.request_id.is_some() && !error.message.is_empty());
    }
}

#[tokio::test]
async fn an_object_that_fails_says_why() {
    let (local, cloud) = engine().await;
    local.inject(FaultRule::new(Effect::Error { text: "No valid host was found.".into() }).on(Service::Compute, "POST", "/servers$"));
    let image = cloud.images.images().await.unwrap().remove(0).id;
    let volume = NewVolume { size_gib: 20, image_id: Some(image), ..new_volume("root") };
    let volume = cloud.volumes.create_volume(&volume).await.unwrap();
    local.advance(Duration::from_secs(60));
    assert_eq!(cloud.volumes.volume(&volume).await.unwrap().status, VolumeStatus::Available);
    let network = cloud.network.create_network("n", "").await.unwrap();
    let subnet = cloud::network::NewSubnet {
        name: "s".into(),
        description: String::new(),
        network_id: network.clone(),
        cidr: "10.0.0.0/24".parse().unwrap(),
        dns_servers: vec![],
    };
    let subnet_id = cloud.network.create_subnet(&subnet).await.unwrap();
    let port = cloud::network::NewPort { name: "p".into(), description: String::new(), network_id: network, subnet_id, security_group_ids: vec![] };
    let (port_id, _) = cloud.network.create_port(&port).await.unwrap();
    let flavor_id = cloud.compute.flavors().await.unwrap().remove(0).id;
    let server = NewServer {
        name: "s".into(),
        flavor_id,
        port_id,
        volume_id: Some(volume),
        image_id: None,
        data_volume_ids: vec![],
        server_group_id: None,
        zone: None,
        user_data: String::new().into(),
        metadata: BTreeMap::new(),
    };
    let id = cloud.compute.create_server(&server).await.unwrap();
    local.advance(Duration::from_secs(60));
    let failed = cloud.compute.server(&id).await.unwrap();
    assert_eq!((failed.status, failed.fault.as_deref()), (cloud::compute::ServerStatus::Error, Some("No valid host was found.")));
}
