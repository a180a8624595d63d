//! The command line.

use crate::config::Config;
use crate::{audit_commands, check_cloud, client, dev, keys, serve, telemetry};
use clap::{Parser, Subcommand};
use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use store::AuditEnd;

#[derive(Parser)]
#[command(name = "kcs", version, about = "Kubernetes Container Service: managed Kubernetes clusters on OpenStack")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API, the console and the engine: needs a Postgres and a cloud
    Serve(ConfigFile),
    /// Everything on this machine for development: a private Postgres, a local cloud, the console
    Dev(dev::Options),
    /// Bring the database's schema up to date; `kcs serve` does so at its start, too
    Migrate(ConfigFile),
    /// Print the OpenAPI document
    Openapi,
    /// Check the configuration and say what is wrong with it
    CheckConfig(ConfigFile),
    /// Look after the audit log
    #[command(subcommand)]
    Audit(Audit),
    /// Look after the keys that seal secrets
    #[command(subcommand)]
    Keys(Keys),
    /// Check a cloud for what KCS needs of it and say what is missing
    CheckCloud(check_cloud::Options),
    /// Sign in to a KCS in the browser, for kubectl and this program
    Login(client::login::Options),
    /// Revoke and forget what `kcs login` got
    Logout(client::logout::Options),
    /// Print a kubeconfig that holds no secret: kubectl asks `kcs credential`
    Kubeconfig(client::kubeconfig::Options),
    /// Called by kubectl: print the token of `kcs login` as an ExecCredential
    Credential(client::credential::Options),
    /// Started by the local cloud in each network
    #[command(hide = true)]
    Portal,
}

#[derive(Subcommand)]
enum Audit {
    /// Compare every line with its seal and say what was changed, removed, moved or put in
    Verify {
        #[command(flatten)]
        file: ConfigFile,
        /// Where the log ended once (SEQ:MAC), as the log of a process or a line that was handed on says: what it held then it must hold still
        #[arg(long, value_name = "SEQ:MAC")]
        since: Option<AuditEnd>,
    },
    /// Go on with a log that is not whole, as it is: after a backup was put back, or once it is known what happened. It is written into the log itself
    Accept {
        #[command(flatten)]
        file: ConfigFile,
        /// Why: it is in the log
        #[arg(long)]
        reason: String,
    },
}

#[derive(Subcommand)]
enum Keys {
    /// Say which keys there are, how many secrets are sealed with each, and what to do next
    Status(ConfigFile),
}

#[derive(clap::Args)]
struct ConfigFile {
    /// Configuration file; the environment (KCS_…) wins over it
    #[arg(long, env = "KCS_CONFIG")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    fn load(&self) -> Result<Config, Box<dyn Error>> {
        Ok(Config::load(self.config.as_deref(), std::env::vars())?)
    }
}

/// Runs the command given.
#[must_use]
pub fn main() -> ExitCode {
    let command = Cli::parse().command;
    if let Command::Portal = command {
        return local_cloud::portal_main();
    }
    // Two providers of cryptography in one program and none chosen would end the first TLS connection in a panic.
    drop(rustls::crypto::ring::default_provider().install_default());
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "kcs: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Serve(file) => {
            let config = file.load()?;
            telemetry::log(&config.log)?;
            runtime(serve::serve(config))
        }
        Command::Dev(options) => runtime(dev::dev(options)),
        Command::Migrate(file) => {
            let config = file.load()?;
            telemetry::log(&config.log)?;
            runtime(serve::migrate(config))
        }
        Command::Openapi => say(&api::openapi::json()?),
        Command::CheckConfig(file) => {
            file.load()?;
            say("The configuration is valid.\n")
        }
        Command::Audit(Audit::Verify { file, since }) => runtime(audit_commands::verify(file.load()?, since)),
        Command::Audit(Audit::Accept { file, reason }) => runtime(audit_commands::accept(file.load()?, reason)),
        Command::Keys(Keys::Status(file)) => runtime(keys::status(file.load()?)),
        Command::CheckCloud(options) => runtime(check_cloud::check_cloud(options)),
        Command::Login(options) => runtime(client::login::login(options)),
        Command::Logout(options) => runtime(client::logout::logout(options)),
        Command::Kubeconfig(options) => runtime(client::kubeconfig::kubeconfig(options)),
        Command::Credential(options) => client::credential::credential(&options),
        Command::Portal => Ok(()),
    }
}

/// Prints an answer.
pub(crate) fn say(text: &str) -> Result<(), Box<dyn Error>> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

/// Runs a future on the threads of one runtime that also knows actix.
fn runtime(future: impl Future<Output = Result<(), Box<dyn Error>>>) -> Result<(), Box<dyn Error>> {
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = actix_web::rt::System::with_tokio_rt(|| {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap_or_else(|_| std::process::exit(1))
    })
    .block_on(async {
        let _entered = threads.handle().clone();
        crate::serve::ENGINE_RUNTIME.set(threads.handle().clone()).ok();
        future.await
    });
    threads.shutdown_timeout(std::time::Duration::from_secs(5));
    result
}
