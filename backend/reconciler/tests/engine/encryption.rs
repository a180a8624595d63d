//! The key that encrypts a cluster's Secrets takes another's place wherever the engine dies meanwhile. At every step (I9 of the lab) whatever an API server
//! writes all others read, and at the end nothing is written with any key but the new one.

use crate::lab::{Cut, Lab};
use domain::codes::Code;
use domain::nodes::NodeRole;
use domain::operations::{OperationState, StepKey};
use domain::wishes::Wish;
use reconciler::journal::{Owner, secret};
use sealed::{ClusterPki, EncryptionKeys, KeyStage};
use std::collections::BTreeSet;
use time::Duration;

async fn running(seed: u64, masters: u32) -> Lab {
    let mut lab = Lab::new(seed, masters, 1);
    lab.made().await;
    lab
}

fn rotate(lab: &Lab) {
    lab.wish(&Wish::EncryptionKeyRotate);
}

fn names(lab: &Lab) -> Vec<String> {
    lab.keys().keys.iter().map(|key| key.name.clone()).collect()
}

/// Goes on until the list is this one.
async fn until(lab: &mut Lab, generation: u32) {
    for _ in 0..2000 {
        if lab.keys().generation == generation {
            return;
        }
        lab.step().await;
    }
    panic!("{:#?}", lab.operation());
}

#[tokio::test]
async fn a_new_key_takes_the_old_ones_place_in_three_rounds_of_masters() {
    for (seed, masters) in [(400, 1), (401, 3)] {
        let mut lab = running(seed, masters).await;
        let old = names(&lab);
        let before: BTreeSet<String> = lab.names(NodeRole::Master).into_iter().collect();
        let workers = lab.names(NodeRole::Worker);
        rotate(&lab);
        lab.made().await;
        assert_eq!((lab.keys().generation, names(&lab).len()), (3, 1));
        assert_ne!(names(&lab), old);
        let last = lab.work().nodes.iter().filter(|n| n.role == NodeRole::Master).map(|n| n.ordinal).max();
        assert_eq!(last, Some(4 * masters - 1), "three rounds, and nobody more often");
        assert!(lab.names(NodeRole::Master).iter().all(|name| !before.contains(name)));
        assert_eq!(lab.names(NodeRole::Worker), workers);
        lab.deleted().await;
    }
}

#[tokio::test]
async fn a_cluster_from_before_there_were_keys_gets_its_first_in_two_rounds() {
    let mut lab = Lab::new(402, 1, 1);
    {
        let mut db = lab.db.lock().unwrap();
        let place = (Owner::Cluster, secret::PKI.to_owned());
        let pki = ClusterPki::from_json(&db.secrets[&place]).unwrap();
        let plain = ClusterPki { encryption: EncryptionKeys::none(), ..pki };
        db.secrets.insert(place, plain.to_json().unwrap());
    }
    lab.made().await;
    assert!(lab.in_cluster.lock().unwrap().secrets.values().all(Option::is_none));
    rotate(&lab);
    lab.made().await;
    let keys = lab.keys();
    assert_eq!((keys.generation, keys.stage, keys.keys.len(), keys.added_later), (2, KeyStage::Settled, 1, true));
    // Whoever joins later is told in the same way, and the next change is one from key to key.
    lab.wish(&Wish::ControlPlaneResize { count: 3 });
    lab.made().await;
    assert!(lab.work().nodes.iter().all(|n| n.role == NodeRole::Worker || n.key_generation == 2));
    rotate(&lab);
    lab.made().await;
    assert_eq!(lab.keys().generation, 5);
    lab.deleted().await;
}

#[tokio::test]
async fn whichever_call_the_engine_dies_at_the_key_is_changed() {
    let mut counted = running(403, 1).await;
    counted.cut(None);
    rotate(&counted);
    counted.made().await;
    let calls = counted.fate.lock().unwrap().calls;
    assert!(calls > 20);
    for call in (1..=calls).step_by(2) {
        let mut lab = running(403, 1).await;
        rotate(&lab);
        let cuts = [Cut::Before(call), Cut::After(call), Cut::Lost(call)];
        lab.cut(Some(cuts[usize::try_from(call).unwrap() % cuts.len()]));
        lab.made().await;
        assert_eq!(lab.keys().generation, 3, "cut at call {call}");
    }
}

#[tokio::test]
async fn an_engine_that_dies_before_all_secrets_are_written_anew_begins_with_them_again() {
    let mut lab = running(404, 1).await;
    rotate(&lab);
    until(&mut lab, 2).await;
    lab.in_cluster.lock().unwrap().refusing = Some("the Secret a/b was not taken back: 403 Forbidden".into());
    lab.watch(Duration::minutes(20)).await;
    assert_eq!((lab.keys().generation, lab.operation().state), (2, OperationState::Running), "the old key is still wanted");
    let step = lab.operation().steps.into_iter().find(|s| s.key == StepKey::SecretsRewritten).unwrap();
    assert_eq!(step.fault.map(|f| f.code), Some(Code::SecretsRefused));
    lab.restart();
    lab.in_cluster.lock().unwrap().refusing = None;
    lab.made().await;
    assert_eq!(lab.keys().generation, 3);
}

#[tokio::test]
async fn a_master_that_is_lost_in_the_middle_comes_back_with_the_list_of_now() {
    for (seed, lost_at) in [(405, 1), (406, 2), (407, 3)] {
        let mut lab = running(seed, 3).await;
        rotate(&lab);
        until(&mut lab, lost_at).await;
        let lost = lab.names(NodeRole::Master)[1].clone();
        lab.lose_server(&lost);
        lab.made().await;
        assert!(!lab.names(NodeRole::Master).contains(&lost));
        assert_eq!(lab.keys().generation, 3);
    }
}

#[tokio::test]
async fn a_cluster_is_deleted_from_the_middle_of_it() {
    for generation in 1..=3 {
        let mut lab = running(408, 1).await;
        rotate(&lab);
        until(&mut lab, generation).await;
        for _ in 0..5 {
            lab.step().await;
        }
        lab.deleted().await;
    }
}

#[tokio::test]
async fn what_failed_half_way_is_finished_by_whoever_asks_again() {
    let mut lab = running(409, 1).await;
    rotate(&lab);
    until(&mut lab, 2).await;
    let between = names(&lab);
    {
        let mut db = lab.db.lock().unwrap();
        let operation = db.work.operation.as_mut().unwrap();
        (operation.state, operation.finished_at) = (OperationState::Failed, Some(lab.now()));
    }
    // Meanwhile anything else may be asked for: masters that join have the list of now.
    lab.wish(&Wish::ControlPlaneResize { count: 3 });
    lab.made().await;
    assert_eq!(names(&lab), between);
    rotate(&lab);
    lab.made().await;
    assert_eq!((lab.keys().generation, names(&lab)), (3, vec![between[0].clone()]), "no third key");
    lab.deleted().await;
}
