//! Postgres: everything that is remembered. One file a noun; every query is checked against the schema at compile time, every statement about
//! a tenant's things carries the tenant. Reads take a `Scope`, writes a `Permit`; the engine's writes take a fenced `Claim`.

mod audit;
mod bundles;
mod changes;
mod clusters;
pub mod embedded;
mod engine;
mod error;
mod idempotency;
mod kubeconfigs;
mod ledger;
mod migrations;
mod nodes;
mod operations;
mod orphans;
mod pages;
mod pool;
mod promises;
mod secrets;
mod sessions;
mod templates;
#[cfg(feature = "test-support")]
pub mod test_support;
mod wishes;

pub use audit::{AuditEntry, RequestContext};
pub use changes::{ChangeNotice, WakeUp};
pub use clusters::{ClusterFilter, ClusterRecord, ClusterSort, CreatedCluster, NewCluster};
pub use engine::Claim;
pub use error::{CommitError, StoreError};
pub use idempotency::Idempotency;
pub use kubeconfigs::{KubeconfigRecord, KubeconfigUse, NewKubeconfig};
pub use nodes::{BundleFetch, NodeRecord};
pub use operations::{OperationFilter, OperationRecord};
pub use orphans::{OrphanRecord, OrphansSeen, Turn};
pub use pages::{Page, PageRequest};
pub use pool::{Store, StoreOptions};
pub use promises::QuotaRoom;
pub use secrets::SecretOwner;
pub use sessions::{NewSession, SessionRecord};
pub use templates::{TemplateRecord, TemplateText};
pub use wishes::NodeVerb;
