//! An OpenStack in one process on loopback, for development and tests.
//!
//! [`LocalCloud`] answers requests by itself, without a network; [`LocalCloud::serve`] puts it on a port. What its servers and load
//! balancers really do is up to [`machines::Machines`].

mod clock;
mod cloud;
mod compute;
mod control;
mod dispatch;
mod dump;
mod faults;
mod foreign;
mod guests;
mod http;
mod identity;
mod images;
mod jobs;
mod load_balancers;
pub mod machines;
mod network;
mod no_machines;
mod process;
mod resume;
mod seed;
mod serve;
mod state;
mod table;
mod traffic;
mod versions;
mod volumes;
mod websso;

pub use clock::{Delays, Time};
pub(crate) use cloud::Inner;
pub use cloud::{ConnectionLost, LocalCloud, LocalCloudConfig};
pub use dump::DumpObject;
pub use faults::{Effect, FaultRule};
pub use guests::{FullGuests, GuestConfig, GuestMachines, VERSIONS as GUEST_KUBERNETES_VERSIONS, kubernetes_dir};
pub use http::Service;
pub use no_machines::NoMachines;
pub use state::CallKey;
pub use traffic::portal_main;
