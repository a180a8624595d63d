//! What each service of the cloud does, in the same process and in stepped time.

mod compute;
mod faults;
mod identity;
mod lab;
mod load_balancers;
mod machines;
mod network;
mod state;
mod volumes;
