//! The journal in memory: the same rules as the store's (fence, uniqueness, atomic commits), without a disk, so that runs are cheap.

use async_trait::async_trait;
use domain::changes::{Change, Work};
use domain::ids::NodeId;
use domain::ledger::ResourceState;
use domain::members::NamespaceAccess;
use reconciler::journal::{Journal, JournalError, Owner};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What survives a crash.
pub struct Db {
    pub work: Work,
    pub secrets: BTreeMap<(Owner, String), SecretString>,
    pub gone: bool,
    /// The only fence that may write.
    pub fence: u64,
    pub commits: u64,
}

/// One engine's claim.
#[derive(Clone)]
pub struct MemoryJournal {
    pub db: Arc<Mutex<Db>>,
    pub fence: u64,
}

impl MemoryJournal {
    pub fn claim(db: &Arc<Mutex<Db>>) -> Self {
        let mut inner = db.lock().unwrap();
        inner.fence += 1;
        Self { db: db.clone(), fence: inner.fence }
    }

    fn held(&self) -> Result<std::sync::MutexGuard<'_, Db>, JournalError> {
        let db = self.db.lock().unwrap();
        if db.fence == self.fence { Ok(db) } else { Err(JournalError::Fenced) }
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn load(&self) -> Result<Work, JournalError> {
        Ok(self.held()?.work.clone())
    }

    async fn commit(&self, changes: &[Change]) -> Result<(), JournalError> {
        let mut db = self.held()?;
        db.commits += 1;
        for change in changes {
            apply(&mut db, change);
        }
        Ok(())
    }

    async fn secret(&self, owner: Owner, name: &str) -> Result<Option<SecretString>, JournalError> {
        let found = self.held()?.secrets.get(&(owner, name.to_owned())).cloned();
        // An answer takes its way: meanwhile others go on.
        tokio::task::yield_now().await;
        Ok(found)
    }

    async fn put_secret(&self, owner: Owner, name: &str, value: &SecretString) -> Result<(), JournalError> {
        self.held()?.secrets.insert((owner, name.to_owned()), value.clone());
        Ok(())
    }

    async fn keep_secret(&self, owner: Owner, name: &str, fresh: &SecretString) -> Result<SecretString, JournalError> {
        Ok(self.held()?.secrets.entry((owner, name.to_owned())).or_insert_with(|| fresh.clone()).clone())
    }

    async fn put_node_credential(&self, _: NodeId, _: &[u8; 32], _: Duration) -> Result<(), JournalError> {
        self.held().map(|_| ())
    }

    async fn namespace_access(&self) -> Result<NamespaceAccess, JournalError> {
        Ok(NamespaceAccess::default())
    }

    fn lease_left(&self) -> Duration {
        if self.held().is_ok() { Duration::from_secs(45) } else { Duration::ZERO }
    }
}

fn apply(db: &mut Db, change: &Change) {
    let work = &mut db.work;
    match change {
        Change::Status(status) => work.cluster.status = status.clone(),
        Change::ObservedGeneration(generation) => {
            assert!(*generation >= work.cluster.observed_generation && *generation <= work.cluster.generation, "generations run backwards");
            work.cluster.observed_generation = *generation;
        }
        Change::Ledger(row) => {
            let twin = |r: &domain::ledger::LedgerRow| r.key == row.key && r.id != row.id && r.state != ResourceState::Gone;
            assert!(row.state == ResourceState::Gone || !work.ledger.iter().any(twin), "two live rows of {}", row.key);
            match work.ledger.iter_mut().find(|r| r.id == row.id) {
                Some(old) => *old = row.clone(),
                None => work.ledger.push(row.clone()),
            }
        }
        Change::Node(node) => match work.nodes.iter_mut().find(|n| n.id == node.id) {
            Some(old) => {
                // What the node's own calls have noted.
                let given = (old.bootstrap.clone(), old.key_generation, old.api_audit);
                *old = node.clone();
                (old.bootstrap, old.key_generation, old.api_audit) = given;
            }
            None => work.nodes.push(node.clone()),
        },
        Change::NodeGone(id) => {
            work.nodes.retain(|n| n.id != *id);
            db.secrets.retain(|(owner, _), _| *owner != Owner::Node(*id));
        }
        Change::Operation(operation) => work.operation = Some(operation.clone()),
        Change::OperationBegun(operation) => {
            assert!(work.operation.as_ref().is_none_or(|o| o.state.ended()), "two operations under way");
            work.operation = Some(operation.clone());
            work.cluster.operation = Some(operation.id);
        }
        Change::ClusterGone => {
            db.secrets.retain(|(owner, _), _| *owner == Owner::Tenant);
            db.gone = true;
        }
    }
}
