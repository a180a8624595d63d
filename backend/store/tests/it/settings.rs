//! Settings of the installation: one revision after the other, none lost, and a secret that opens in its place and for its address only.

use crate::support::operator;
use domain::codes::Code;
use domain::installation::{AUTHORIZATION, InstallationSettings};
use sealed::KeyRing;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sqlx::ConnectOptions;
use std::sync::Arc;
use std::time::Duration;
use store::test_support::Database;
use store::{
    AuthorizationChange, ChangeNotice, ForwardAuthorization, NewSettings, PageRequest, RequestContext, Rewrapped, SettingsRecord, Store, StoreError,
};

const ORIGIN: &str = "https://siem.example:443";

fn set(document: Value) -> InstallationSettings {
    serde_json::from_value(document).unwrap()
}

fn pools(most: u32) -> InstallationSettings {
    set(json!({"limits": {"nodes_per_pool": most}}))
}

fn secret(text: &str) -> AuthorizationChange {
    AuthorizationChange::Set(ForwardAuthorization { origin: ORIGIN.to_owned(), secret: text.into() })
}

async fn save(store: &Store, from: i64, settings: InstallationSettings, authorization: AuthorizationChange) -> Result<SettingsRecord, StoreError> {
    let boss = operator();
    let new = NewSettings { from, settings, authorization, comment: format!("after {from}") };
    store.settings_save(boss.operator().unwrap(), &boss, new, RequestContext::default()).await
}

/// The authorization that is set now, with where it may be sent to.
async fn kept(store: &Store) -> Option<(String, String)> {
    let (_, given) = store.settings().await.unwrap();
    given.map(|given| (given.origin, given.secret.expose_secret().to_owned()))
}

#[tokio::test]
async fn each_revision_is_made_from_the_newest_and_what_changes_nothing_is_none() {
    use AuthorizationChange::Keep;
    let database = Database::new().await;
    let store = database.store().await;
    assert_eq!(store.settings().await.unwrap().0, SettingsRecord::default());
    assert_eq!(save(&store, 0, InstallationSettings::default(), Keep).await.unwrap().revision, 0, "nothing was set");
    let first = save(&store, 0, pools(5), Keep).await.unwrap();
    assert_eq!((first.revision, first.changed_by.as_str(), first.comment.as_str()), (1, "member-of-admin", "after 0"));
    let mark = first.marks["limits.nodes_per_pool"].clone();
    assert_eq!((mark.by.as_str(), Some(mark.at)), ("member-of-admin", first.changed_at));
    assert!(matches!(save(&store, 0, pools(6), Keep).await, Err(StoreError::Refused(Code::Conflict))));
    assert_eq!(save(&store, 0, pools(5), Keep).await.unwrap(), first, "the same sent again is no conflict and no revision");
    let both = set(json!({"limits": {"nodes_per_pool": 5, "kubeconfig_days": 7}}));
    let second = save(&store, 1, both, Keep).await.unwrap();
    assert_eq!(second.marks["limits.nodes_per_pool"], mark, "it was not this one that set it");
    assert_eq!(store.settings().await.unwrap().0, second);

    let at_once = futures::future::join_all((10..16).map(|most| save(&store, 2, pools(most), Keep))).await;
    let (made, refused): (Vec<_>, Vec<_>) = at_once.into_iter().partition(Result::is_ok);
    assert_eq!((made.len(), refused.len()), (1, 5), "{refused:?}");
    assert!(refused.into_iter().all(|one| matches!(one, Err(StoreError::Refused(Code::Conflict)))));
    let newest = store.settings().await.unwrap().0;
    assert_eq!((newest.revision, newest.marks.len()), (3, 1));
}

#[tokio::test]
async fn versions_and_templates_come_back_as_they_were_set_and_are_in_the_history_whole() {
    use AuthorizationChange::Keep;
    let database = Database::new().await;
    let store = database.store().await;
    let spec = json!({"version": "v1.36.3", "node_pools": [{"name": "default", "flavor": "m", "count": 1}]});
    let template = json!({"id": "dev", "name": "Small", "name_zh": "小型", "description": "", "description_zh": "", "spec": spec});
    let offered = |support: &str| {
        let versions = json!([{"version": "v1.36.3", "support": support, "image": "kcs-node-v1.36.3"}]);
        set(json!({"versions": versions, "templates": [template]}))
    };
    let first = save(&store, 0, offered("current"), Keep).await.unwrap();
    assert_eq!(first.settings, offered("current"));
    assert_eq!(first.marks.keys().collect::<Vec<_>>(), ["templates", "versions"]);
    assert_eq!(save(&store, 0, offered("current"), Keep).await.unwrap(), first, "the same again");
    save(&store, 1, offered("hidden"), Keep).await.unwrap();
    assert_eq!(store.settings().await.unwrap().0.settings, offered("hidden"));
    let scope = operator().operator().unwrap();
    let told = store.settings_history(scope, PageRequest { limit: 0, cursor: None }).await.unwrap();
    let change = json!(told.items[0].differences);
    assert_eq!((change.as_array().unwrap().len(), &change[0]["key"]), (1, &json!("versions")));
    let support = |side: &str| change[0][side][0]["support"].clone();
    assert_eq!((support("before"), support("after")), (json!("current"), json!("hidden")));
}

#[tokio::test]
async fn the_history_says_what_each_revision_changed_and_cannot_be_changed() {
    use AuthorizationChange::{Keep, Remove};
    let database = Database::new().await;
    let store = database.store().await;
    let forward = || set(json!({"limits": {"nodes_per_pool": 5}, "audit": {"forward": "https://siem.example/in?token=hidden"}}));
    save(&store, 0, pools(5), Keep).await.unwrap();
    save(&store, 1, forward(), secret("one")).await.unwrap();
    save(&store, 2, forward(), secret("two")).await.unwrap();
    save(&store, 3, InstallationSettings::default(), Remove).await.unwrap();
    let scope = operator().operator().unwrap();
    let page = |limit, cursor| store.settings_history(scope, PageRequest { limit, cursor });
    let first = page(3, None).await.unwrap();
    let rest = page(3, first.next_cursor.clone()).await.unwrap();
    assert_eq!((first.total, rest.next_cursor.as_deref()), (Some(4), None));
    let told: Vec<_> = first.items.iter().chain(&rest.items).map(|one| (one.record.revision, json!(one.differences))).collect();
    let there = json!({"key": AUTHORIZATION, "before": true, "after": true});
    let address = json!("https://siem.example/in?token=hidden");
    assert_eq!(
        told,
        [
            (
                4,
                json!([{"key": "limits.nodes_per_pool", "before": 5}, {"key": "audit.forward", "before": address}, {"key": AUTHORIZATION, "before": true}])
            ),
            (3, json!([there])),
            (2, json!([{"key": "audit.forward", "after": address}, {"key": AUTHORIZATION, "after": true}])),
            (1, json!([{"key": "limits.nodes_per_pool", "after": 5}])),
        ]
    );
    assert!(matches!(page(1, Some("x".to_owned())).await, Err(StoreError::BadCursor)));
    let mut raw = database.options().connect.connect().await.unwrap();
    for statement in ["UPDATE settings SET comment = ''", "DELETE FROM settings", "TRUNCATE settings"] {
        assert!(sqlx::query(statement).execute(&mut raw).await.is_err(), "{statement}");
    }
    let lines: Vec<Value> =
        sqlx::query_scalar("SELECT detail FROM audit WHERE action = 'settings_update' ORDER BY id").fetch_all(&mut raw).await.unwrap();
    assert_eq!(lines[0], json!({"before": {}, "after": {"limits.nodes_per_pool": 5}, "reason": "after 0"}));
    assert_eq!(lines[1]["after"], json!({"audit.forward": "https://siem.example/…", AUTHORIZATION: true}));
    assert!(lines.len() == 4 && !json!(lines).to_string().contains("hidden"));
}

#[tokio::test]
async fn the_authorization_is_kept_sealed_for_its_address_until_it_is_removed() {
    use AuthorizationChange::{Keep, Remove};
    let database = Database::new().await;
    let store = database.store().await;
    let forward = |path: &str| set(json!({"audit": {"forward": format!("https://siem.example/{path}")}}));
    let set = save(&store, 0, forward("a"), secret("Bearer one")).await.unwrap();
    assert!(set.authorized && set.marks.contains_key(AUTHORIZATION));
    let one = Some((ORIGIN.to_owned(), "Bearer one".to_owned()));
    assert_eq!(kept(&store).await, one);
    save(&store, 1, forward("b"), Keep).await.unwrap();
    assert_eq!(kept(&store).await, one, "it stays when it is not spoken of");
    // Whoever writes to the database moves nothing that opens.
    database.execute("UPDATE secrets SET kind = 'elsewhere' WHERE kind = 'forward_authorization'").await;
    assert_eq!((kept(&store).await, store.settings().await.unwrap().0.authorized), (None, true));
    database.execute("UPDATE secrets SET kind = 'forward_authorization' WHERE kind = 'elsewhere'").await;

    // Changes of keys reach it.
    let new = Arc::new(KeyRing::generate().unwrap());
    let text = format!("{}{}", new.to_text().expose_secret(), database.keys.to_text().expose_secret());
    let ring = Arc::new(KeyRing::parse(&SecretString::from(text)).unwrap());
    let changed = Store::connect(&database.options(), ring).await.unwrap();
    let mut turn = changed.rewrap_claim(Duration::from_secs(60)).await.unwrap().unwrap();
    while matches!(changed.rewrap_batch(&mut turn).await.unwrap(), Rewrapped::Rows(_)) {}
    let after = Store::connect(&database.options(), new).await.unwrap();
    assert_eq!(kept(&after).await, one);

    let removed = save(&after, 2, forward("b"), Remove).await.unwrap();
    assert!(!removed.authorized && !removed.marks.contains_key(AUTHORIZATION));
    assert_eq!(kept(&after).await, None);
    let mut raw = database.options().connect.connect().await.unwrap();
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM secrets WHERE kind = 'forward_authorization'").fetch_one(&mut raw).await.unwrap();
    assert_eq!(left, 0, "nothing of it is left");
    assert_eq!(save(&after, 3, forward("b"), Remove).await.unwrap().revision, 3, "there is nothing to remove");
}

#[tokio::test]
async fn every_process_is_told_of_a_new_revision() {
    let database = Database::new().await;
    let (store, other) = (database.store().await, database.store().await);
    let mut changes = other.changes();
    // It listens once it has said so.
    assert_eq!(changes.recv().await.unwrap(), ChangeNotice::Resync);
    save(&store, 0, pools(5), AuthorizationChange::Keep).await.unwrap();
    assert_eq!(changes.recv().await.unwrap(), ChangeNotice::Settings);
}
