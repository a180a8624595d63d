//! The only way into a cluster's Kubernetes API. Two identities, both certificates made in memory: the engine, which administers, and the
//! gateway, which may do nothing but impersonate the person a request is for. Answers of a tenant's API server are not trusted: sizes and
//! times are bounded, redirects are errors, and its certificate must be signed by the cluster's own authority, for the name of an API server.

mod channel;
mod clients;
mod destinations;
pub mod engine;
mod error;
pub mod gateway;
mod own_connection;
pub mod reads;
mod route;

use domain::members::Inside;

pub use clients::{ClusterTarget, KubeAccess};
pub use destinations::Destinations;
pub use engine::Engine;
pub use error::KubeError;
pub use gateway::{Access, Gateway, GatewayRequest, Group, Impersonation, Reach};
pub use own_connection::OwnConnection;
pub use reads::Reads;
pub use route::{Route, RouteError};

/// The name that kubeadm gives every API server, in clusters of any age. Certificates are checked for it, and not for the address that was dialled: that is
/// another one once somebody has deleted the floating IP, and the certificates of masters that were there before do not have it.
pub const API_SERVER: &str = "kubernetes";
/// The group of members in a cluster.
pub const MEMBER_GROUP: &str = "kcs:member";
/// The group of readers in a cluster.
pub const READER_GROUP: &str = "kcs:reader";
/// The group of people who were given some namespaces only: it may do nothing by itself.
pub const GUEST_GROUP: &str = "kcs:guest";
/// Who the gateway is in a cluster: user, group and role of the same name.
pub const GATEWAY: &str = "kcs:gateway";
/// Who the engine is in a cluster.
pub const ENGINE: &str = "kcs:engine";
/// The extra field with a person's name, beside the user name, which is an id.
pub const NAME_EXTRA: &str = "kcs/name";

/// Before the id of a person whose name would be one of ours.
const PERSON: &str = "person:";
/// Before the id of a person who came with what was narrowed to namespaces.
const NARROWED: &str = "narrowed:";

/// The name by which a cluster knows a person, by Keystone's id. Where people come from a directory, ids are what that calls them: one may be `gateway`. What clusters
/// let the gateway do stays the gateway's; no two people have one name.
fn user_name(id: &str) -> String {
    let plain = format!("kcs:{id}");
    let taken = plain == GATEWAY || plain == ENGINE || id.starts_with(PERSON) || id.starts_with(NARROWED);
    if taken { format!("kcs:{PERSON}{id}") } else { plain }
}

/// The name of a person who came with what was narrowed to namespaces. What a cluster's rules give people by their own names, KCS's and the tenant's, it does not give by
/// this one: it may be more than what was left.
fn narrowed_name(id: &str) -> String {
    format!("kcs:{NARROWED}{id}")
}

/// The group of those who came with what was narrowed to this namespace, among others perhaps, and do so much there.
fn namespace_group(namespace: &str, inside: Inside) -> String {
    let word = match inside {
        Inside::Looks => "looks",
        Inside::Runs => "runs",
        Inside::Changes => "changes",
    };
    format!("kcs:{word}:{namespace}")
}
