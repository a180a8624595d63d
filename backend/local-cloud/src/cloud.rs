//! The cloud as its callers hold it: one state behind a lock, the machines beside it, and a clock that drives both.

use crate::clock::{Delays, Time, millis};
use crate::dispatch::{Done, dispatch};
use crate::faults::{ActiveFault, FaultRule};
use crate::http::{Later, Service};
use crate::identity::passcodes;
use crate::machines::Machines;
use crate::network::ports;
use crate::no_machines::NoMachines;
use crate::state::{CallKey, State};
use crate::{compute, control, images, jobs, resume, seed, websso};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use ipnet::Ipv4Net;
use serde_json::json;
use std::collections::HashMap;
use std::io::{self, Write as _};
use std::net::Ipv4Addr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// How often the machines are asked how they are.
const WATCH: Duration = Duration::from_secs(1);

/// How a cloud is set up.
pub struct LocalCloudConfig {
    pub time: Time,
    /// Repeats identifiers, addresses and tokens.
    pub seed: Option<u64>,
    /// Of every demo account and of the service account `kcs`.
    pub password: String,
    pub token_seconds: u64,
    pub delays: Delays,
    /// Octavia's providers; the first is its default. What ovn refuses is refused behind it.
    pub providers: Vec<&'static str>,
    /// Range of the external network's floating IPs: loopback addresses, so that the machine itself can dial them.
    pub public: Ipv4Net,
    /// Where clients reach it, without a slash at the end; [`LocalCloud::serve`] sets it.
    pub base_url: String,
    /// What stands behind servers and load balancers; None: nothing, states change with time.
    pub machines: Option<Arc<dyn Machines>>,
    /// Where the cloud's objects are kept, so that they outlive the process; only in [`Time::Auto`].
    pub state_file: Option<PathBuf>,
}

impl Default for LocalCloudConfig {
    fn default() -> Self {
        Self {
            time: Time::Auto,
            seed: None,
            password: "local".into(),
            token_seconds: 4 * 3600,
            delays: Delays::default(),
            providers: vec!["amphora", "octavia"],
            public: Ipv4Net::new_assert(Ipv4Addr::new(127, 30, 0, 0), 16),
            base_url: "http://local-cloud".into(),
            machines: None,
            state_file: None,
        }
    }
}

/// The connection broke before the answer; `done` says whether the call had been carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection was lost")]
pub struct ConnectionLost {
    pub done: bool,
}

/// Lets the clock's thread sleep until something is due.
#[derive(Default)]
struct Wake {
    ended: Mutex<bool>,
    bell: Condvar,
}

pub(crate) struct Inner {
    state: Mutex<State>,
    pub machines: Arc<dyn Machines>,
    pub queues: jobs::Queues,
    state_file: Option<PathBuf>,
    unsaved: AtomicBool,
    /// One writer of the state file at a time.
    saving: Mutex<()>,
    wake: Arc<Wake>,
}

impl Inner {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and starts the work that follows from it.
    pub(crate) fn change<R>(self: &Arc<Self>, change: impl FnOnce(&mut State) -> R) -> R {
        let (result, jobs) = {
            let mut state = self.lock();
            catch_up(&mut state);
            let result = change(&mut state);
            (result, std::mem::take(&mut state.jobs))
        };
        self.unsaved.store(true, Ordering::Relaxed);
        self.save_changes();
        jobs::start(self, jobs);
        self.wake.bell.notify_all();
        result
    }

    /// Fires what is due; answers how long until the next.
    fn tick(self: &Arc<Self>) -> Duration {
        let (wait, jobs, fired) = {
            let mut state = self.lock();
            let fired = catch_up(&mut state);
            let now = state.clock.now_ms();
            let wait = state.next_due_ms().map(|due| Duration::from_millis(due.saturating_sub(now)));
            (wait, std::mem::take(&mut state.jobs), fired)
        };
        if fired {
            self.unsaved.store(true, Ordering::Relaxed);
            self.save_changes();
        }
        jobs::start(self, jobs);
        wait.unwrap_or(WATCH).min(WATCH)
    }

    /// Takes over from the machines how images, servers and members are. `dead` are servers found off last time.
    fn watch(self: &Arc<Self>, dead: &mut HashMap<String, String>) {
        let (servers, members, real) = {
            let state = self.lock();
            let servers: Vec<(String, String)> = state
                .compute
                .servers
                .values()
                .filter(|s| s.status == "ACTIVE" && s.task.is_none())
                .map(|s| (s.id.clone(), s.updated.clone()))
                .collect();
            (servers, state.load_balancers.members.keys().cloned().collect::<Vec<_>>(), state.real_machines)
        };
        if !real {
            return;
        }
        let versions = self.machines.images();
        let off: HashMap<String, String> = servers.into_iter().filter(|(id, _)| !self.machines.running(id)).collect();
        let health: HashMap<String, bool> = members.into_iter().filter_map(|id| self.machines.member_up(&id).map(|up| (id, up))).collect();
        // Twice off without a change in between: it died by itself and is not just being rebooted.
        let died: Vec<String> = off.iter().filter(|(id, updated)| dead.get(*id) == Some(updated)).map(|(id, _)| id.clone()).collect();
        *dead = off;
        let mut state = self.lock();
        let mut changed = images::refresh(&mut state, &versions);
        for id in died {
            compute::actions::died(&mut state, &id);
            changed = true;
        }
        state.load_balancers.health = health;
        drop(state);
        if changed {
            self.unsaved.store(true, Ordering::Relaxed);
        }
    }

    /// Writes down what has changed: before an answer leaves and before the machines begin, so that a kill loses nothing that was said.
    fn save_changes(&self) {
        let Some(file) = &self.state_file else { return };
        let _one = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        if self.unsaved.swap(false, Ordering::Relaxed)
            && let Err(error) = self.save(file)
        {
            self.unsaved.store(true, Ordering::Relaxed);
            tracing::warn!(%error, file = %file.display(), "the local cloud's state could not be saved");
        }
    }

    /// Writes everything down; the file is whole at any moment.
    fn save(&self, file: &Path) -> io::Result<()> {
        let bytes = serde_json::to_vec(&*self.lock())?;
        let new = file.with_extension("new");
        let mut out = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?; // it holds tokens and user-data
        out.write_all(&bytes)?;
        std::fs::rename(&new, file)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        *self.wake.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.wake.bell.notify_all();
        self.save_changes();
    }
}

/// In wall time, whatever has become due is done before anything else. Stepped time waits to be told.
fn catch_up(state: &mut State) -> bool {
    let now = state.clock.now_ms();
    state.time == Time::Auto && state.settle(now)
}

/// Drives a cloud in wall time until it is dropped.
fn run_clock(inner: &Weak<Inner>, wake: &Wake) {
    let mut dead = HashMap::new();
    let mut since_watch = WATCH;
    loop {
        let Some(strong) = inner.upgrade() else { return };
        let wait = strong.tick();
        if since_watch >= WATCH {
            strong.watch(&mut dead);
            strong.save_changes();
            since_watch = Duration::ZERO;
        }
        drop(strong);
        let ended = wake.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if *ended {
            return;
        }
        let begun = std::time::Instant::now();
        drop(wake.bell.wait_timeout(ended, wait.max(Duration::from_millis(1))));
        since_watch += begun.elapsed();
    }
}

/// A cloud; clones share it.
#[derive(Clone)]
pub struct LocalCloud {
    pub(crate) inner: Arc<Inner>,
}

impl LocalCloud {
    /// A cloud with its demo projects, or as it was left in the state file. An unreadable state file is put aside.
    #[must_use]
    pub fn new(config: LocalCloudConfig) -> Self {
        let kept = config.state_file.as_deref().filter(|file| file.exists()).and_then(|file| match read(file) {
            Ok(state) => Some(state),
            Err(error) => {
                tracing::warn!(%error, file = %file.display(), "the local cloud's state cannot be read and is put aside");
                let _ = std::fs::rename(file, file.with_extension("unreadable"));
                None
            }
        });
        Self::with(config, kept)
    }

    /// A cloud as [`Self::save`] wrote it down.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn load(config: LocalCloudConfig, file: &Path) -> io::Result<Self> {
        let state = read(file)?;
        Ok(Self::with(config, Some(state)))
    }

    /// Writes everything down.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, file: &Path) -> io::Result<()> {
        self.inner.save(file)
    }

    fn with(config: LocalCloudConfig, kept: Option<State>) -> Self {
        let real = config.machines.is_some();
        let machines = config.machines.unwrap_or_else(|| Arc::new(NoMachines));
        let found = kept.is_some();
        let mut state = kept.unwrap_or_else(|| State::new(config.time, config.delays, config.token_seconds, String::new(), config.seed));
        state.base_url = config.base_url;
        state.real_machines = real;
        state.delays = config.delays;
        state.load_balancers.providers = config.providers;
        state.token_seconds = config.token_seconds;
        if found {
            seed::set_passwords(&mut state, &config.password);
        } else {
            seed::sow(&mut state, &config.password, config.public);
        }
        images::refresh(&mut state, &machines.images());
        let wake = Arc::new(Wake::default());
        let auto = state.time == Time::Auto;
        let inner = Arc::new(Inner {
            state: Mutex::new(state),
            machines,
            queues: jobs::Queues::default(),
            state_file: config.state_file,
            unsaved: AtomicBool::new(true),
            saving: Mutex::default(),
            wake: Arc::clone(&wake),
        });
        if found && real {
            inner.change(resume::resume);
        }
        if auto {
            let weak = Arc::downgrade(&inner);
            std::thread::spawn(move || run_clock(&weak, &wake));
        }
        Self { inner }
    }

    /// Answers a request; a lost connection becomes 502.
    #[must_use]
    pub fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.handle_faulty(request).unwrap_or_else(|_| {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        })
    }

    /// Answers a request, or loses the connection when a fault says so. Delays are not waited for here.
    ///
    /// # Errors
    /// The connection is lost.
    // By value: this is what a transport has in hand.
    #[allow(clippy::needless_pass_by_value)]
    pub fn handle_faulty(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ConnectionLost> {
        self.answer(&request).map(|done| done.response)
    }

    pub(crate) fn answer(&self, request: &Request<Bytes>) -> Result<Done, ConnectionLost> {
        if let Some(path) = request.uri().path().strip_prefix("/_local/") {
            return Ok(Done { response: control::serve(self, path, request), later: None, delay_ms: 0 });
        }
        if websso::is_page(request.uri().path()) {
            return Ok(Done { response: websso::serve(self, request), later: None, delay_ms: 0 });
        }
        let (fired, done, jobs) = {
            let mut state = self.inner.lock();
            let fired = catch_up(&mut state);
            (fired, dispatch(&mut state, request), std::mem::take(&mut state.jobs))
        };
        let changes = fired || !matches!(*request.method(), Method::GET | Method::HEAD);
        if changes {
            self.inner.unsaved.store(true, Ordering::Relaxed);
            self.inner.save_changes();
        }
        jobs::start(&self.inner, jobs);
        if changes {
            self.inner.wake.bell.notify_all();
        }
        let mut done = done?;
        if let Some(Later::Console { server, lines }) = done.later.take() {
            *done.response.body_mut() = Bytes::from(json!({"output": self.console(&server, lines)}).to_string());
        }
        Ok(done)
    }

    /// The last lines of a server's console log.
    fn console(&self, server: &str, lines: Option<usize>) -> String {
        let log = self.inner.machines.console(server);
        let Some(lines) = lines else { return log };
        let kept: Vec<&str> = log.lines().rev().take(lines).collect();
        kept.into_iter().rev().fold(String::new(), |text, line| text + line + "\n")
    }

    /// Lets stepped time pass.
    pub fn advance(&self, by: Duration) {
        self.inner.change(|state| {
            let until = state.clock.now_ms().saturating_add(millis(by));
            state.settle(until);
        });
    }

    /// The cloud's time, in milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.inner.lock().clock.now_ms()
    }

    /// Where clients reach it.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.inner.lock().base_url.clone()
    }

    /// The seed of a user's authenticator, in base 32; None: they have none.
    #[must_use]
    pub fn passcode_seed(&self, user: &str) -> Option<String> {
        self.inner.lock().identity.users.values().find(|u| u.name == user)?.factors.seed.clone()
    }

    /// What a user's authenticator shows now.
    #[must_use]
    pub fn passcode(&self, user: &str) -> Option<String> {
        passcodes::shown(&self.passcode_seed(user)?, self.now_ms())
    }

    /// Lets sign-ins by an identity provider lead back to this address.
    pub fn trust_dashboard(&self, address: impl Into<String>) {
        self.inner.lock().dashboards.push(address.into());
    }

    #[must_use]
    pub fn project_id(&self, name: &str) -> Option<String> {
        self.inner.lock().identity.projects.values().find(|p| p.name == name).map(|p| p.id.clone())
    }

    /// Has calls meet a fault.
    ///
    /// # Errors
    /// When the rule's path is no regular expression.
    pub fn try_inject(&self, rule: FaultRule) -> Result<(), String> {
        let fault = ActiveFault::new(rule).map_err(|e| e.to_string())?;
        self.inner.lock().faults.push(fault);
        Ok(())
    }

    /// Has calls meet a fault. A rule whose path is no regular expression meets none, and is logged.
    pub fn inject(&self, rule: FaultRule) {
        if let Err(error) = self.try_inject(rule) {
            tracing::error!(%error, "a fault rule was refused");
        }
    }

    /// Leaves a service out of the catalogue, as a cloud that does not have it.
    pub fn hide(&self, service: Service) {
        self.inner.lock().hidden.push(service);
    }

    pub fn clear_faults(&self) {
        let mut state = self.inner.lock();
        state.faults.clear();
        state.down_until_ms = 0;
    }

    /// How often a path was called; identifiers are written `{id}`: `/compute/v2.1/servers/{id}`.
    #[must_use]
    pub fn calls(&self, service: Service, method: &str, path: &str) -> u64 {
        let key = CallKey { service, method: method.to_owned(), path: path.to_owned() };
        self.inner.lock().calls.get(&key).copied().unwrap_or(0)
    }
}

/// A state that was written down, with what is found by more than is written.
fn read(file: &Path) -> io::Result<State> {
    let mut state: State = serde_json::from_slice(&std::fs::read(file)?)?;
    ports::enter_all(&mut state.network);
    Ok(state)
}
