//! Who acts, what they may see, what they may do. `Actor` → `Scope` → `Permit` are proofs: only this crate makes scopes and permits, the
//! store's reads take a scope and its writes a permit, so a handler that forgets to ask does not compile. Pure: no I/O, no clock of its own.
//!
//! A permit cannot be made by hand, nor one action's permit be used for another:
//!
//! ```compile_fail
//! use auth::{ClusterDelete, Permit};
//! fn forge(actor: auth::Actor, id: domain::ids::ClusterId) -> Permit<ClusterDelete> {
//!     Permit { actor, id, action: std::marker::PhantomData }
//! }
//! ```
//!
//! ```compile_fail
//! fn other(permit: auth::Permit<auth::NodePoolResize>) -> auth::Permit<auth::ClusterDelete> {
//!     permit
//! }
//! ```
//!
//! Nor can a scope, least of all an operator's:
//!
//! ```compile_fail
//! let scope = auth::Scope { reach: None, clusters: None };
//! ```
//!
//! ```compile_fail
//! let scope = auth::OperatorScope(());
//! ```

mod actor;
mod forbidden;
mod narrowing;
mod permit;
mod policy;
mod rights;
mod roles;
mod scope;

pub use actor::{Actor, Project, User, Via};
pub use forbidden::Forbidden;
pub use narrowing::Narrowing;
pub use permit::{Action, Permit, Resource};
pub use policy::{
    ClusterCreate, ClusterDelete, ClusterRepair, ClusterUpdate, ControlPlaneResize, KubeconfigIssue, KubeconfigRevoke, KubeconfigRevokeAll,
    KubernetesExec, KubernetesWrite, MembersManage, NodeOperate, NodePoolCreate, NodePoolDelete, NodePoolResize, OperationCancel, OperationRetry,
    QuotaRequest, TemplateChange, TemplateCreate, TokenCreate, TokenRevoke,
};
pub use rights::{Grade, Place, Rights, Sight};
pub use roles::{Grants, OperatorGrant, OperatorPlace, RoleNames};
pub use scope::{OperatorScope, Scope};
