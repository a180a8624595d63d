//! Programs that wait to be signed in: how many there may be, of a network and of everybody.

use sealed::TokenHash;
use store::test_support::Database;
use store::{DevicePoll, NewDeviceSignIn, Store};
use time::Duration;

/// The hash of what a program shows.
fn shown(name: &str) -> TokenHash {
    TokenHash::of(&format!("shown by {name}"))
}

async fn begin(store: &Store, name: &str, source: &str, network: &str) -> bool {
    let new = NewDeviceSignIn {
        device_hash: TokenHash::of(name),
        user_hash: shown(name),
        client_name: "kcs".into(),
        host_name: name.into(),
        source: source.into(),
        network: network.into(),
        lifetime: Duration::minutes(10),
    };
    store.device_begin(new).await.unwrap()
}

#[tokio::test]
async fn of_one_network_so_many_wait_and_no_more_whatever_their_addresses() {
    let database = Database::new().await;
    let store = database.store().await;
    for n in 0..50 {
        assert!(begin(&store, &format!("host-{n}"), &format!("2001:db8::{n:x}"), "2001:db8::").await, "{n}");
    }
    assert!(!begin(&store, "one more", "2001:db8::ffff", "2001:db8::").await);
    assert!(begin(&store, "elsewhere", "2001:db8:0:1::1", "2001:db8:0:1::").await);
    // What an older program wrote down is counted by its address.
    database.execute("UPDATE device_sign_ins SET network = NULL, source = '192.0.2.1' WHERE network = '2001:db8::'").await;
    assert!(begin(&store, "one more", "2001:db8::ffff", "2001:db8::").await);
    assert!(!begin(&store, "another", "192.0.2.1", "192.0.2.1").await);
}

#[tokio::test]
async fn whoever_asks_without_end_gives_way_to_others() {
    let database = Database::new().await;
    let store = database.store().await;
    // The first has been waiting for longest; an answered one of the others has been for longer still.
    assert!(begin(&store, "patient", "198.51.100.1", "198.51.100.1").await);
    assert!(begin(&store, "answered", "192.0.2.0", "192.0.2.0").await);
    database
        .execute(
            "UPDATE device_sign_ins SET created_at = now() - interval '9 minutes';
             UPDATE device_sign_ins SET allowed = false WHERE host_name = 'answered';
             INSERT INTO device_sign_ins (device_hash, user_hash, client_name, host_name, source, network, created_at, expires_at)
             SELECT sha256(convert_to('device ' || n, 'UTF8')), sha256(convert_to('user ' || n, 'UTF8')), 'kcs', 'host-' || n, '192.0.2.' || n % 20,
                    '192.0.2.' || n % 20, now() - interval '1 minute', now() + interval '9 minutes'
             FROM generate_series(1, 998) AS n",
        )
        .await;
    // Twenty addresses have all there may be, but for one; they go on asking, from others as well.
    for n in 0..30 {
        assert!(begin(&store, &format!("new-{n}"), "203.0.113.1", "203.0.113.1").await, "{n}");
    }
    for n in 0..30 {
        assert!(begin(&store, &format!("newer-{n}"), "203.0.113.2", "203.0.113.2").await, "{n}");
    }
    assert_eq!(store.device_asked(shown("patient")).await.unwrap().host_name, "patient");
    assert_eq!(store.device_asked(shown("new-0")).await.unwrap().host_name, "new-0");
    assert!(matches!(store.device_poll(TokenHash::of("answered"), Duration::ZERO).await.unwrap(), DevicePoll::Denied));
    // No more than there may be: each was made room for.
    database.execute("DO $$ BEGIN ASSERT (SELECT count(*) FROM device_sign_ins) = 1000; END $$").await;
}
