//! The whole system from outside: `kcs dev` as a process, its API by HTTP, stock kubectl and helm, a real browser. One file a story.
//!
//! The stories need Kubernetes' binaries and Linux namespaces. Where one is missing the story says `SKIPPED: <reason>`, which `make test` counts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod addons;
mod api_audit;
mod browser;
mod control_plane;
mod dev;
mod encryption;
mod etcd;
mod faults;
mod guests;
mod lost_worker;
mod main_job;
mod replicas;
mod story;
mod tools;
mod verbs;
