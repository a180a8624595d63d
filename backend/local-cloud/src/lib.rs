//! An OpenStack in one process on loopback, for development and tests.

mod guests;
pub mod machines;
mod process;
mod traffic;

pub use guests::{GuestConfig, GuestMachines, VERSIONS as GUEST_KUBERNETES_VERSIONS};
pub use traffic::portal_main;
