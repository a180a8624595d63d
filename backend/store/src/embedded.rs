//! A private PostgreSQL for development and tests: the system's own binaries, an unprivileged user, a Unix socket, its own data directory.
//! It ends with this process, however that ends, and recovers at the next start.

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long it may take to come up, recovery after a crash included.
const PATIENCE: Duration = Duration::from_secs(60);
const USER: &str = "kcs";
/// Names of socket files are limited to 107 bytes by the kernel.
const LONGEST_SOCKET: usize = 80;

/// A running server; stopped by `stop`, or with the process.
#[derive(Debug)]
pub struct Postgres {
    binaries: PathBuf,
    data: PathBuf,
    sockets: PathBuf,
    password: String,
    /// Set once the server's process is no more.
    ended: Arc<AtomicBool>,
}

/// Starts the server of this directory, made at the first time.
pub async fn start(directory: &Path) -> Result<Postgres> {
    start_with(directory, &[]).await
}

/// With further settings, `name=value`.
pub(crate) async fn start_with(directory: &Path, settings: &'static [&'static str]) -> Result<Postgres> {
    let begun = Instant::now();
    loop {
        let directory = directory.to_owned();
        let postgres = tokio::task::spawn_blocking(move || launch(&directory, settings)).await.map_err(Error::other)??;
        match postgres.ready().await {
            // Processes of a server that was killed hold its memory for a moment; until then the next one gives up at once.
            Err(_) if postgres.ended.load(Ordering::SeqCst) && begun.elapsed() < PATIENCE => tokio::time::sleep(Duration::from_millis(200)).await,
            result => return result.map(|()| postgres),
        }
    }
}

/// Stops a server that an earlier process left behind in this directory, if there is one.
pub async fn stop_left_over(directory: &Path) -> Result<()> {
    let data = directory.join("data");
    tokio::task::spawn_blocking(move || if data.join("postmaster.pid").exists() { stop(&binaries()?, &data) } else { Ok(()) })
        .await
        .map_err(Error::other)?
}

impl Postgres {
    /// `postgres://` URL of the database `kcs`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(USER)
    }

    pub(crate) fn url_of(&self, database: &str) -> String {
        let socket: String = self
            .sockets
            .to_string_lossy()
            .bytes()
            .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
            .collect();
        format!("postgres://{USER}:{}@{socket}/{database}", self.password)
    }

    /// Ends it in order: connections are cut, everything is written.
    pub async fn stop(self) -> Result<()> {
        tokio::task::spawn_blocking(move || stop(&self.binaries, &self.data)).await.map_err(Error::other)?
    }

    /// Makes and starts another server, in this directory, that follows this one without being waited for.
    #[cfg(feature = "test-support")]
    pub(crate) async fn follower(&self, directory: &Path, settings: &'static [&'static str]) -> Result<Self> {
        let (binaries, data, sockets, password) = (self.binaries.clone(), self.data.clone(), self.sockets.clone(), self.password.clone());
        let target = directory.to_owned();
        let copy = move || {
            std::fs::create_dir_all(&target)?;
            let target = target.canonicalize()?;
            hand_over(&target, &socket_folder(&target)?)?;
            let mut command = unprivileged(&binaries.join("pg_basebackup"), false);
            command.env("PGPASSWORD", password).arg("-h").arg(&sockets).args(["-U", USER, "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]);
            command.arg("-D").arg(target.join("data"));
            run(command)?;
            std::fs::copy(data.with_file_name("password"), target.join("password")).map(drop)
        };
        tokio::task::spawn_blocking(copy).await.map_err(Error::other)??;
        start_with(directory, settings).await
    }

    async fn ready(&self) -> Result<()> {
        let options: PgConnectOptions = self.url_of("postgres").parse().map_err(Error::other)?;
        let start = Instant::now();
        loop {
            match options.connect().await {
                Ok(mut connection) => {
                    let found =
                        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM pg_database WHERE datname = 'kcs'").fetch_one(&mut connection).await;
                    if found.map_err(Error::other)? == 0 {
                        sqlx::raw_sql("CREATE DATABASE kcs").execute(&mut connection).await.map_err(Error::other)?;
                    }
                    return connection.close().await.map_err(Error::other);
                }
                Err(error) if start.elapsed() > PATIENCE || self.ended.load(Ordering::SeqCst) => {
                    let log = std::fs::read_to_string(self.data.with_file_name("log")).unwrap_or_default();
                    let tail: Vec<&str> = log.lines().rev().take(5).collect();
                    return Err(Error::other(format!("Postgres does not come up: {error}; its log ends: {}", tail.join(" | "))));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

/// The newest installed server, 15 or later.
fn binaries() -> Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten() {
        let folder = entry.path().join("bin");
        if let Some(version) = entry.file_name().to_str().and_then(|n| n.parse().ok())
            && folder.join("postgres").exists()
        {
            found.push((version, folder));
        }
    }
    if let Some(folder) = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).find(|f| f.join("postgres").exists()) {
        found.push((15, folder));
    }
    let newest = found.into_iter().filter(|(version, _)| *version >= 15).max();
    // Where the server leads to, its other programs are, too.
    newest
        .and_then(|(_, folder)| folder.join("postgres").canonicalize().ok()?.parent().map(Path::to_owned))
        .ok_or_else(|| Error::new(ErrorKind::NotFound, "no PostgreSQL server 15 or later is installed (Debian package postgresql)"))
}

fn root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0)
}

/// A command as the server's user: oneself, or where one is root the user `postgres`, for the server refuses root.
fn unprivileged(program: &Path, dies_with_us: bool) -> Command {
    let mut command = Command::new("setpriv");
    if root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    if dies_with_us {
        command.arg("--pdeathsig=INT");
    }
    command.arg("--").arg(program).stdin(Stdio::null()).current_dir("/");
    command
}

fn run(mut command: Command) -> Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::other(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim())))
}

fn launch(directory: &Path, settings: &[&str]) -> Result<Postgres> {
    let binaries = binaries()?;
    std::fs::create_dir_all(directory)?;
    let directory = directory.canonicalize()?;
    let (data, password_file) = (directory.join("data"), directory.join("password"));
    let sockets = socket_folder(&directory)?;
    hand_over(&directory, &sockets)?;
    if data.join("postmaster.pid").exists() {
        stop(&binaries, &data)?;
    }
    if !data.join("PG_VERSION").exists() {
        initialise(&binaries, &directory, &password_file)?;
    }
    let password = std::fs::read_to_string(&password_file)?.trim().to_owned();
    let log = std::fs::File::options().create(true).append(true).open(directory.join("log"))?;
    let mut command = unprivileged(&binaries.join("postgres"), true);
    command.arg("-D").arg(&data).arg("-k").arg(&sockets).args(["-c", "listen_addresses=", "-c", "max_connections=200"]);
    for setting in settings {
        command.args(["-c", setting]);
    }
    command.stdout(log.try_clone()?).stderr(log);
    // In a process group of its own: Ctrl-C in a terminal is ours to answer, in order.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let ended = spawn_for_life(command)?;
    Ok(Postgres { binaries, data, sockets, password, ended })
}

/// The kernel's "end with your parent" counts the parent's thread: this one lives as long as the child does, and then sets what it returns.
fn spawn_for_life(mut command: Command) -> Result<Arc<AtomicBool>> {
    let ended = Arc::new(AtomicBool::new(false));
    let sets = ended.clone();
    let (tell, told) = std::sync::mpsc::channel::<Result<()>>();
    std::thread::Builder::new().name("postgres".to_owned()).spawn(move || {
        let child: Result<Child> = command.spawn();
        match child {
            Ok(mut child) => {
                drop(tell.send(Ok(())));
                drop(child.wait());
                sets.store(true, Ordering::SeqCst);
            }
            Err(error) => drop(tell.send(Err(error))),
        }
    })?;
    told.recv().map_err(Error::other)??;
    Ok(ended)
}

fn socket_folder(directory: &Path) -> Result<PathBuf> {
    let beside = directory.join("socket");
    if beside.as_os_str().len() <= LONGEST_SOCKET {
        std::fs::create_dir_all(&beside)?;
        return Ok(beside);
    }
    let mut name = 0_u64;
    for byte in directory.to_string_lossy().bytes() {
        name = name.wrapping_mul(31).wrapping_add(u64::from(byte));
    }
    let elsewhere = std::env::temp_dir().join(format!("kcs-postgres-{name:x}"));
    std::fs::create_dir_all(&elsewhere)?;
    Ok(elsewhere)
}

/// Lets the server's user reach and own what is its.
fn hand_over(directory: &Path, sockets: &Path) -> Result<()> {
    if !root() {
        return Ok(());
    }
    let mut command = Command::new("chown");
    command.args(["postgres:postgres"]).arg(directory).arg(sockets);
    run(command)?;
    // The state directory itself is ours: others may pass through it, not read it.
    if let Some(above) = directory.parent() {
        let mode = std::fs::metadata(above)?.permissions().mode();
        std::fs::set_permissions(above, std::fs::Permissions::from_mode(mode | 0o011))?;
    }
    let mut test = unprivileged(Path::new("test"), false);
    test.arg("-w").arg(directory);
    run(test).map_err(|_| {
        Error::new(ErrorKind::PermissionDenied, format!("the user postgres cannot reach {}: choose another state directory", directory.display()))
    })
}

fn initialise(binaries: &Path, directory: &Path, password_file: &Path) -> Result<()> {
    let data = directory.join("data");
    // A first time that was interrupted.
    if data.exists() {
        std::fs::remove_dir_all(&data)?;
    }
    std::fs::write(password_file, sealed::Token::generate(sealed::TokenKind::Session).map(|t| secret(&t)).map_err(Error::other)?)?;
    std::fs::set_permissions(password_file, std::fs::Permissions::from_mode(0o600))?;
    if root() {
        let mut command = Command::new("chown");
        command.arg("postgres:postgres").arg(password_file);
        run(command)?;
    }
    let mut command = unprivileged(&binaries.join("initdb"), false);
    command.arg("-D").arg(&data).args(["--username", USER, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]);
    command.arg("--pwfile").arg(password_file);
    run(command)
}

fn secret(token: &sealed::Token) -> String {
    use secrecy::ExposeSecret;
    token.text.expose_secret().chars().filter(char::is_ascii_alphanumeric).collect()
}

fn stop(binaries: &Path, data: &Path) -> Result<()> {
    let running = || {
        let mut command = unprivileged(&binaries.join("pg_ctl"), false);
        command.arg("status").arg("-D").arg(data);
        run(command).is_ok()
    };
    if !running() {
        return Ok(());
    }
    let mut command = unprivileged(&binaries.join("pg_ctl"), false);
    command.arg("stop").arg("-D").arg(data).args(["-m", "fast", "-w", "-t", "30"]);
    // It may have ended by itself in between.
    run(command).or_else(|error| if running() { Err(error) } else { Ok(()) })
}
