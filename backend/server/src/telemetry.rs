//! The log (text or JSON, each line with its request's or operation's id) and the figures for Prometheus.

use crate::config::{Log, LogFormat};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::path::Path;
use std::sync::Arc;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("log.level: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    #[error("the log could not be set up: {0}")]
    Log(#[from] Box<dyn std::error::Error + Send + Sync>),
    #[error("the figures could not be set up: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

/// The filter, with the libraries capped that would write headers (and so tokens) at the levels for finding faults.
fn filter(level: &str) -> Result<EnvFilter, TelemetryError> {
    let mut filter = EnvFilter::try_new(level)?;
    if filter.max_level_hint() > Some(LevelFilter::INFO) {
        for (target, cap) in cloud_openstack::LOG_CAPS {
            filter = filter.add_directive(format!("{target}={cap}").parse()?);
        }
    }
    Ok(filter)
}

/// Starts the log. Lines go to standard error.
pub fn log(settings: &Log) -> Result<(), TelemetryError> {
    let filter = filter(&settings.level)?;
    let plain = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.format {
        LogFormat::Json => plain.json().flatten_event(true).with_current_span(true).try_init()?,
        LogFormat::Pretty => plain.with_target(false).compact().try_init()?,
    }
    Ok(())
}

/// Upper bounds in seconds of the figures that are times: from a look at the database to a slow call of a cloud.
const SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// Starts the recorder of figures. Times are histograms: those of several processes can be added.
pub fn metrics() -> Result<PrometheusHandle, TelemetryError> {
    Ok(PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?.install_recorder()?)
}

/// The log of `kcs dev`: everything of interest into a file, errors on the terminal. `KCS_LOG__LEVEL` sets what is of interest.
pub fn dev_log(file: &Path) -> Result<(), TelemetryError> {
    let level = std::env::var("KCS_LOG__LEVEL").unwrap_or_else(|_| "info".to_owned());
    let file = std::fs::File::options().create(true).append(true).open(file).map_err(|e| TelemetryError::Log(e.into()))?;
    let into_file = fmt::layer().with_ansi(false).with_target(false).with_writer(Arc::new(file)).with_filter(filter(&level)?);
    let on_terminal = fmt::layer().with_target(false).compact().without_time().with_writer(std::io::stderr).with_filter(LevelFilter::ERROR);
    tracing_subscriber::registry().with(into_file).with(on_terminal).try_init().map_err(|e| TelemetryError::Log(e.into()))
}
