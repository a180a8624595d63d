//! A cluster has one set of authorities, however many of its servers ask for it first.

use crate::lab::Lab;
use crate::memory::MemoryJournal;
use reconciler::journal::{Journal, Owner, secret};
use reconciler::world::World;
use secrecy::ExposeSecret;

#[tokio::test]
async fn those_who_ask_at_once_get_the_same_ones_and_these_are_kept() {
    let lab = Lab::new(1, 1, 2);
    lab.db.lock().unwrap().secrets.clear();
    let journal = MemoryJournal::claim(&lab.db);
    let world = World { services: &lab.services, journal: &journal, now: lab.now() };
    let cluster = lab.work().cluster.id;
    let asked = futures::future::try_join_all((0..3).map(|_| world.pki(cluster))).await.unwrap();
    let kept = journal.secret(Owner::Cluster, secret::PKI).await.unwrap().unwrap();
    for one in asked.into_iter().chain([world.pki(cluster).await.unwrap()]) {
        assert!(one.to_json().unwrap().expose_secret() == kept.expose_secret());
    }
}
