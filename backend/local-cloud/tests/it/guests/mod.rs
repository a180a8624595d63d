//! Guests, networks and load balancers as the cloud drives them: real namespaces, real processes, real traffic.

mod control_plane;
mod lab;
mod servers;
mod traffic;
