//! The contract: one list of interactions, replayed against the local cloud in every run and against real OpenStack services by
//! `tests/openstack/contract.sh`. Both must give the statuses, fields, error bodies and transitions it says.

mod bench;
mod compute;
mod identity;
mod images;
mod load_balancers;
pub mod local;
mod network;
mod port;
mod stage;
mod volumes;

use bench::Bench;
use local_cloud::{Delays, LocalCloud, LocalCloudConfig};
use stage::Stage;
use std::sync::Arc;
use std::time::Duration;

async fn replay(bench: Bench, password: &str) {
    let stage = Stage::set(&bench, password).await;
    identity::replay(&bench, &stage).await;
    images::replay(&bench, &stage).await;
    network::replay(&bench, &stage).await;
    volumes::replay(&bench, &stage).await;
    compute::replay(&bench, &stage).await;
    load_balancers::replay(&bench, &stage).await;
    port::replay(&bench, &stage).await;
    stage.strike(&bench).await;
    bench.conclude();
}

#[tokio::test]
async fn the_local_cloud_keeps_the_contract() {
    // Long enough to be seen.
    let short = Duration::from_millis(100);
    let delays = Delays { server_build: short, server_action: short, server_delete: short, volume: short, ..Delays::default() };
    let config = LocalCloudConfig { password: "contract".into(), delays, ..LocalCloudConfig::default() };
    let cloud = LocalCloud::new(config);
    let auth_url = format!("{}/identity/v3", cloud.base_url());
    replay(Bench::new(Arc::new(local::Local(cloud)), &auth_url), "contract").await;
}

#[tokio::test]
#[ignore = "needs real OpenStack services: run tests/openstack/contract.sh"]
async fn openstack_keeps_the_contract() {
    let url = std::env::var("KCS_CONTRACT_CLOUD_URL").expect("KCS_CONTRACT_CLOUD_URL: the Keystone of the real services");
    let password = std::env::var("KCS_CONTRACT_PASSWORD").expect("KCS_CONTRACT_PASSWORD: the service account's password");
    let transport = Arc::new(cloud_openstack::ReqwestTransport::new(None).unwrap());
    replay(Bench::new(transport, &url), &password).await;
}
