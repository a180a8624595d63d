//! The program `kcs`: its subcommands, its configuration, and how the parts are put together.

pub mod audit;
pub mod audit_anchor;
pub mod audit_commands;
pub mod check_cloud;
pub mod cli;
pub mod client;
pub mod clouds_yaml;
pub mod config;
pub mod console;
pub mod dev;
pub mod dev_config;
pub mod federation;
pub mod framing;
pub mod health;
pub mod host;
pub mod keys;
pub mod listeners;
pub mod local;
pub mod progress;
pub mod security_headers;
pub mod serve;
pub mod shutdown;
pub mod spdy;
pub mod surroundings;
pub mod telemetry;
pub mod vault;
