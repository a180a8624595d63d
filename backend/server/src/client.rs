//! The small client in the same program: it signs in through the browser, keeps what it got, and hands it to kubectl.

mod address;
mod api;
mod browser;
pub mod credential;
mod credentials;
pub mod kubeconfig;
pub mod login;
pub mod logout;
