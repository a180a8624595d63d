//! Guests, networks and load balancers as the cloud drives them: real namespaces, real processes, real traffic.

mod lab;
mod servers;
mod traffic;
