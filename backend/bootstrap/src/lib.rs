//! What turns a server into a node: cloud-init user-data, the bootstrap script, and the bundle with its kubeadm configuration. Pure:
//! the same input gives the same bytes. User-data holds no secret but a one-time token; all others travel in the bundle.

mod additions;
pub mod addons;
mod api_audit;
pub mod bundle;
pub mod encryption;
pub mod kubeadm;
pub mod site;
pub mod user_data;
mod validate;

pub use bundle::{Action, BundleInput, Certificates, bundle};
pub use encryption::{Encryption, EncryptionKey};
pub use site::Disk;
pub use user_data::{UserData, user_data};

/// The Kubernetes label that says which pool a node belongs to.
pub const POOL_LABEL: &str = "kcs.io/pool";

/// Why no bootstrap can be made of an input.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// Text that would be unsafe or that Kubernetes would refuse: named, so that it is found before a server is made.
    #[error("{what} {value:?} is not valid")]
    Invalid { what: &'static str, value: String },
    #[error("the first master needs at least one join token")]
    NoJoinToken,
    #[error("user-data of {size} bytes is over the limit of {limit}")]
    TooLarge { size: usize, limit: usize },
    #[error("could not be written: {0}")]
    Write(String),
}
