//! Work for the machines behind the cloud: done on threads of their own, in order for each server, never while the cloud's lock is held.

use crate::machines::Boot;
use crate::{Inner, compute, load_balancers};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// One thing to be done by the machines.
#[derive(Clone, Debug)]
pub(crate) enum Job {
    Boot(Box<Boot>),
    Start(String),
    Stop(String),
    Reboot {
        server: String,
        hard: bool,
    },
    Delete(String),
    /// Load balancers or floating IPs changed: recompute all traffic.
    Balance,
    NetworkDown(String),
}

impl Job {
    /// Jobs with the same key run one after the other.
    fn key(&self) -> String {
        match self {
            Self::Boot(boot) => boot.server.clone(),
            Self::Start(server) | Self::Stop(server) | Self::Reboot { server, .. } | Self::Delete(server) => server.clone(),
            Self::Balance | Self::NetworkDown(_) => String::new(),
        }
    }
}

/// Queues by key; a key present means that a thread works on it.
#[derive(Default)]
pub(crate) struct Queues(Mutex<HashMap<String, VecDeque<Job>>>);

impl Queues {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, VecDeque<Job>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues the job; true: the caller must start a thread for the key.
    fn push(&self, key: &str, job: Job) -> bool {
        let mut queues = self.lock();
        if let Some(queue) = queues.get_mut(key) {
            let repeated = matches!(job, Job::Balance) && queue.iter().any(|j| matches!(j, Job::Balance));
            if !repeated {
                queue.push_back(job);
            }
            return false;
        }
        queues.insert(key.to_owned(), VecDeque::from([job]));
        true
    }

    fn pop(&self, key: &str) -> Option<Job> {
        let mut queues = self.lock();
        let job = queues.get_mut(key).and_then(VecDeque::pop_front);
        if job.is_none() {
            queues.remove(key);
        }
        job
    }
}

/// Starts the jobs that the state has collected.
pub(crate) fn start(inner: &Arc<Inner>, jobs: Vec<Job>) {
    for job in jobs {
        let key = job.key();
        if inner.queues.push(&key, job) {
            let inner = Arc::clone(inner);
            std::thread::spawn(move || {
                while let Some(job) = inner.queues.pop(&key) {
                    run(&inner, job);
                }
            });
        }
    }
}

/// Does one job and records its end.
fn run(inner: &Arc<Inner>, job: Job) {
    let machines = &inner.machines;
    match job {
        Job::Boot(boot) => {
            let result = machines.boot(&boot);
            inner.change(|state| compute::servers::booted(state, &boot.server, result));
        }
        Job::Start(server) => {
            let result = machines.start(&server);
            inner.change(|state| compute::actions::started(state, &server, result));
        }
        Job::Stop(server) => {
            let result = machines.stop(&server);
            inner.change(|state| compute::actions::stopped(state, &server, result));
        }
        Job::Reboot { server, hard } => {
            let result = machines.reboot(&server, hard);
            inner.change(|state| compute::actions::rebooted(state, &server, result));
        }
        Job::Delete(server) => {
            let result = machines.delete(&server);
            inner.change(|state| compute::servers::deleted(state, &server, result));
        }
        Job::Balance => {
            let frontends = load_balancers::traffic::frontends(&inner.lock());
            machines.balance(&frontends);
        }
        Job::NetworkDown(network) => machines.network_down(&network),
    }
}
