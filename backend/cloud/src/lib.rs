//! The port to a cloud: one trait for each service, their types, one error. Adapters implement it; the engine and the API call it.
//!
//! Every call has a deadline of the adapter's and answers a [`CloudError`] that says whether the outcome is known.

pub mod compute;
pub mod error;
pub mod identity;
pub mod images;
pub mod load_balancers;
pub mod network;
pub mod volumes;

pub use error::{CloudError, Outcome};

use std::sync::Arc;

/// All services as seen by one scoped identity.
#[derive(Clone)]
pub struct Cloud {
    pub compute: Arc<dyn compute::Compute>,
    pub network: Arc<dyn network::Network>,
    pub volumes: Arc<dyn volumes::Volumes>,
    pub images: Arc<dyn images::Images>,
    /// None where the cloud has no load balancing service; to a cluster's credential that is an error of each call.
    pub load_balancers: Option<Arc<dyn load_balancers::LoadBalancers>>,
}

/// Answers of the port.
pub type Result<T> = std::result::Result<T, CloudError>;

/// What a service answered that a cloud may do without; None: the cloud's catalogue has none.
///
/// # Errors
/// Every other failure.
pub fn if_there<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Err(error) if error.is_no_such_service() => Ok(None),
        answer => answer.map(Some),
    }
}
