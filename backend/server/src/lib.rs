//! The program `kcs`: its subcommands, its configuration, and how the parts are put together.

pub mod check_cloud;
pub mod cli;
pub mod clouds_yaml;
pub mod config;
pub mod console;
pub mod dev;
pub mod dev_config;
pub mod health;
pub mod listeners;
pub mod local;
pub mod progress;
pub mod serve;
pub mod shutdown;
pub mod telemetry;
