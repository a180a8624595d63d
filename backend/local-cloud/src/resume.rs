//! After a start with records of an earlier run: guests ended with the process, so what was on is booted again, and what was begun is done again.

use crate::compute::servers;
use crate::jobs::Job;
use crate::state::{State, Timer};

pub(crate) fn resume(state: &mut State) {
    state.job(Job::Balance);
    let ids: Vec<String> = state.compute.servers.keys().cloned().collect();
    for id in ids {
        if state.has_timer(&Timer::ServerGone(id.clone())) || state.has_timer(&Timer::ServerBuilt(id.clone())) {
            continue;
        }
        let Some(server) = state.compute.servers.get_mut(&id) else { continue };
        match (server.task.as_deref(), server.status.as_str()) {
            (Some("deleting"), _) => servers::gone(state, &id),
            (_, "BUILD") => servers::built(state, &id),
            (Some("powering-off"), _) => {
                server.task = None;
                server.status = "SHUTOFF".into();
            }
            // As a host that was switched on again: off until its guest is up.
            (Some("powering-on" | "rebooting_hard"), _) | (_, "ACTIVE" | "REBOOT" | "HARD_REBOOT") => {
                server.status = "SHUTOFF".into();
                server.task = Some("powering-on".into());
                state.job(Job::Start(id));
            }
            _ => {}
        }
    }
}
