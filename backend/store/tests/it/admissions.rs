//! What processes remember of kubeconfigs: they ask the database no more, and let nobody in whom an answered call has shut out.

use crate::support::{create, issue, member, person};
use auth::{Actor, KubeconfigRevoke, KubeconfigRevokeAll, MembersManage};
use domain::permissions::Role;
use sealed::TokenHash;
use sqlx::{ConnectOptions, Connection, PgConnection};
use std::time::Duration;
use store::test_support::Database;
use store::{ChangeNotice, ClusterRecord, KubeconfigRecord, RequestContext, Store, StoreError};

/// Two processes on one database, and a cluster.
struct Two {
    database: Database,
    here: Store,
    there: Store,
    owner: Actor,
    cluster: ClusterRecord,
    own: PgConnection,
}

impl Two {
    async fn new() -> Self {
        let database = Database::new().await;
        let (here, there, owner) = (database.store().await, database.store().await, member("a"));
        let cluster = create(&here, &owner, "x").await;
        let own = database.options().connect.connect().await.unwrap();
        Self { database, here, there, owner, cluster, own }
    }

    async fn issue(&self) -> (KubeconfigRecord, TokenHash) {
        issue(&self.here, &self.owner, &self.cluster).await
    }

    async fn revoke(&self, kubeconfig: &KubeconfigRecord) {
        let permit = self.owner.may::<KubeconfigRevoke>(kubeconfig).unwrap();
        self.here.kubeconfig_revoke(permit, RequestContext::default()).await.unwrap();
    }

    /// A process that renews no lease, and hears nothing, holds one for a moment.
    async fn somebody_is_silent(&mut self) {
        let lease = "INSERT INTO access_leases VALUES (gen_random_uuid(), clock_timestamp() + interval '700 ms', 0)";
        sqlx::query(lease).execute(&mut self.own).await.unwrap();
    }

    /// Whether all leases are over.
    async fn over(&mut self) -> bool {
        sqlx::query_scalar("SELECT bool_and(until <= clock_timestamp()) FROM access_leases").fetch_one(&mut self.own).await.unwrap()
    }

    /// Waits until as many processes may remember as there are.
    async fn leases(&mut self, count: i64) {
        let leases = "SELECT count(*) FROM access_leases WHERE until > clock_timestamp()";
        while sqlx::query_scalar::<_, i64>(leases).fetch_one(&mut self.own).await.unwrap() < count {
            tokio::task::yield_now().await;
        }
    }

    /// Both processes know the token without the database.
    async fn both_remember(&mut self, token: TokenHash) {
        for store in [&self.here, &self.there] {
            assert!(lets_in(store, token).await);
        }
        self.leases(2).await;
        for store in [&self.here, &self.there] {
            assert!(lets_in(store, token).await);
        }
        let locked = self.database.lock("kubeconfigs").await;
        for store in [&self.here, &self.there] {
            assert!(tokio::time::timeout(Duration::from_secs(2), lets_in(store, token)).await.expect("the database is asked"));
        }
        locked.release().await;
    }
}

/// Asked again where a connection had been cut: who uses it first finds that out.
async fn lets_in(store: &Store, token: TokenHash) -> bool {
    loop {
        match store.kubeconfig_by_token(token).await {
            Err(StoreError::Unavailable(_)) => tokio::task::yield_now().await,
            answer => return answer.unwrap().is_some(),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_remembered_is_let_in_by_no_process_once_a_revocation_is_answered() {
    let mut two = Two::new().await;
    let (kubeconfig, token) = two.issue().await;
    two.both_remember(token).await;
    two.revoke(&kubeconfig).await;
    assert!(!lets_in(&two.there, token).await && !lets_in(&two.here, token).await);
    // Again and again, while the other process is asked all the time.
    for round in 0..100 {
        let (kubeconfig, token) = two.issue().await;
        assert!(lets_in(&two.there, token).await);
        let asking = {
            let there = two.there.clone();
            tokio::spawn(async move { while lets_in(&there, token).await {} })
        };
        two.revoke(&kubeconfig).await;
        assert!(!lets_in(&two.there, token).await, "round {round}");
        asking.await.unwrap();
    }
}

#[tokio::test]
async fn a_revocation_waits_for_a_process_that_is_silent_until_its_lease_is_over() {
    let mut two = Two::new().await;
    let (kubeconfig, _) = two.issue().await;
    two.somebody_is_silent().await;
    two.revoke(&kubeconfig).await;
    assert!(two.over().await);
}

#[tokio::test]
async fn who_revokes_what_is_revoked_already_waits_as_well() {
    let mut two = Two::new().await;
    let (kubeconfig, _) = two.issue().await;
    two.revoke(&kubeconfig).await;
    // As if whoever revoked it first was waiting still.
    two.somebody_is_silent().await;
    two.revoke(&kubeconfig).await;
    assert!(two.over().await);
    two.somebody_is_silent().await;
    let permit = two.owner.may::<KubeconfigRevokeAll>(&two.cluster).unwrap();
    assert_eq!(two.here.kubeconfig_revoke_all(permit, None, RequestContext::default()).await.unwrap(), 0);
    assert!(two.over().await);
    two.somebody_is_silent().await;
    let owner = person("a", Role::Owner);
    let permit = owner.may::<MembersManage>(&owner.project).unwrap();
    assert_eq!(two.here.kubeconfig_revoke_of(permit, owner.user.id.clone(), RequestContext::default()).await.unwrap(), 0);
    assert!(two.over().await);
}

#[tokio::test]
async fn a_process_that_ends_in_order_holds_nobody_up() {
    let mut two = Two::new().await;
    let (_, token) = two.issue().await;
    two.both_remember(token).await;
    for (store, left) in [(&two.there, 1), (&two.here, 0)] {
        store.close().await;
        let leases = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM access_leases WHERE until > clock_timestamp()");
        assert!(leases.fetch_one(&mut two.own).await.unwrap() <= left);
    }
}

#[tokio::test]
async fn calls_to_forget_that_come_in_another_order_than_they_were_drawn_in_hold_nobody_up() {
    let mut two = Two::new().await;
    let (_, token) = two.issue().await;
    two.both_remember(token).await;
    let mut told = [two.here.changes(), two.there.changes()];
    let mut drawn = [0_i64; 2];
    for number in &mut drawn {
        *number = sqlx::query_scalar("SELECT nextval('access_changes')").fetch_one(&mut two.own).await.unwrap();
    }
    // The last notice is there when those before it have been obeyed.
    let calls =
        "SELECT pg_notify('kcs_access', $2::bigint::text), pg_notify('kcs_access', $1::bigint::text), pg_notify('kcs_changes', '\"Settings\"')";
    sqlx::query(calls).bind(drawn[0]).bind(drawn[1]).execute(&mut two.own).await.unwrap();
    for told in &mut told {
        while told.recv().await.unwrap() != ChangeNotice::Settings {}
    }
    let obeyed = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM access_leases WHERE heard >= $1").bind(drawn[1]);
    assert!(obeyed.fetch_one(&mut two.own).await.unwrap() >= 2, "whoever drew the later number waits on");
}

#[tokio::test]
async fn a_process_that_lost_its_connection_remembers_nothing_of_before() {
    let mut two = Two::new().await;
    let (kubeconfig, token) = two.issue().await;
    two.both_remember(token).await;
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for _ in 0..3 {
        sqlx::query(cut).execute(&mut two.own).await.unwrap();
        // Past the store: nobody calls out, so that only the loss itself can have them forget.
        sqlx::raw_sql(
            "ALTER TABLE kubeconfigs DISABLE TRIGGER USER; UPDATE kubeconfigs SET revoked_at = now(); ALTER TABLE kubeconfigs ENABLE TRIGGER USER",
        )
        .execute(&mut two.own)
        .await
        .unwrap();
        for store in [&two.here, &two.there] {
            while lets_in(store, token).await {
                tokio::task::yield_now().await;
            }
        }
        sqlx::raw_sql("UPDATE kubeconfigs SET revoked_at = NULL").execute(&mut two.own).await.unwrap();
        two.both_remember(token).await;
    }
    two.revoke(&kubeconfig).await;
    assert!(!lets_in(&two.there, token).await);
}

#[tokio::test]
async fn whatever_may_shut_somebody_out_is_noticed_and_nothing_else_is() {
    let mut two = Two::new().await;
    two.issue().await;
    let before = "INSERT INTO roles (id, tenant_id, name, permissions, changed_by) VALUES (gen_random_uuid(), 'a', 'r', '[]', 'x');
                  INSERT INTO members (tenant_id, user_id, user_name, user_domain, role, changed_by) VALUES ('a', 'u', 'u', 'd', 'guest', 'x');
                  INSERT INTO member_places (tenant_id, user_id, cluster_id, role) SELECT 'a', 'u', id, 'reader' FROM clusters";
    sqlx::raw_sql(before).execute(&mut two.own).await.unwrap();
    for (statement, noticed) in [
        ("UPDATE kubeconfigs SET revoked_at = now()", true),
        ("UPDATE kubeconfigs SET expires_at = now()", true),
        ("UPDATE kubeconfigs SET narrowing = '{\"namespaces\": []}'", true),
        ("UPDATE kubeconfigs SET roles = '[]'", true),
        ("UPDATE kubeconfigs SET user_id = 'other'", true),
        ("UPDATE kubeconfigs SET checked_at = now() - interval '5 minutes'", true),
        ("DELETE FROM kubeconfigs", true),
        ("INSERT INTO members (tenant_id, user_id, user_name, user_domain, role, changed_by) VALUES ('a', 'v', 'v', 'd', 'guest', 'x')", true),
        ("UPDATE members SET role = 'reader'", true),
        ("DELETE FROM members", true),
        ("INSERT INTO member_places (tenant_id, user_id, cluster_id, namespace, role) SELECT 'a', 'u', id, 'n', 'reader' FROM clusters", true),
        ("UPDATE member_places SET role = 'member'", true),
        ("DELETE FROM member_places", true),
        ("UPDATE roles SET permissions = '[\"x\"]'", true),
        ("DELETE FROM roles", true),
        ("UPDATE tenants SET name = 'other'", true),
        ("UPDATE clusters SET deleted_at = now()", true),
        ("UPDATE clusters SET status = status || '{\"api_endpoint\": \"https://192.0.2.1\"}'", true),
        ("UPDATE clusters SET spec = jsonb_set(spec, '{api,exposure}', '\"private\"')", true),
        ("UPDATE kubeconfigs SET last_used_at = now(), checked_at = now() + interval '1 second'", false),
        ("UPDATE tenants SET name = name", false),
        ("UPDATE clusters SET status = status || '{\"message\": \"x\"}', generation = generation + 1", false),
    ] {
        let mut transaction = two.own.begin().await.unwrap();
        sqlx::query(statement).execute(&mut *transaction).await.unwrap();
        let said = sqlx::query_scalar::<_, Option<String>>("SELECT current_setting('kcs.access_changed', true)");
        assert_eq!(said.fetch_one(&mut *transaction).await.unwrap().as_deref() == Some("yes"), noticed, "{statement}");
        transaction.rollback().await.unwrap();
    }
}
