//! Actions on a server: start, stop, pause, suspend, reboot, its console log.

use super::servers::{fail, own, own_mut};
use crate::http::{Answer, Call, Failure, Later, Reply, number};
use crate::jobs::Job;
use crate::state::{State, Timer};
use serde_json::{Value, json};

pub(super) fn serve(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    own(state, call, id)?;
    let body = call.body.as_object().ok_or_else(|| Failure::bad("There is no such action"))?;
    let action = body.keys().next().map(String::as_str).unwrap_or_default();
    match action {
        "os-start" => {
            demand(state, call, id, "start", &["SHUTOFF"])?;
            begin(state, call, id, "powering-on", Timer::ServerStarted(id.to_owned()), Job::Start(id.to_owned()))
        }
        "os-stop" => {
            demand(state, call, id, "stop", &["ACTIVE", "ERROR"])?;
            begin(state, call, id, "powering-off", Timer::ServerStopped(id.to_owned()), Job::Stop(id.to_owned()))
        }
        "pause" => rest(state, call, id, "pause", "ACTIVE", "PAUSED"),
        "unpause" => rest(state, call, id, "unpause", "PAUSED", "ACTIVE"),
        "suspend" => rest(state, call, id, "suspend", "ACTIVE", "SUSPENDED"),
        "resume" => rest(state, call, id, "resume", "SUSPENDED", "ACTIVE"),
        "reboot" => reboot(state, call, id),
        "os-getConsoleOutput" => console(state, call, id),
        "os-resetState" => reset_state(state, call, id),
        _ => Err(Failure::bad(format!("There is no such action: {action}"))),
    }
}

fn demand(state: &State, call: &Call<'_>, id: &str, action: &str, allowed: &[&str]) -> Result<(), Failure> {
    call.writer(&format!("os_compute_api:servers:{action}"))?;
    let server = own(state, call, id)?;
    if let Some(task) = &server.task {
        return Err(Failure::conflict(format!("Cannot '{action}' instance {id} while it is in task_state {task}")));
    }
    if allowed.contains(&server.status.as_str()) {
        return Ok(());
    }
    let vm_state = match server.status.as_str() {
        "SHUTOFF" => "stopped",
        "BUILD" => "building",
        "PAUSED" => "paused",
        "SUSPENDED" => "suspended",
        "ERROR" => "error",
        _ => "active",
    };
    Err(Failure::conflict(format!("Cannot '{action}' instance {id} while it is in vm_state {vm_state}")))
}

/// Sets the task going: the machines' work, or only time.
fn begin(state: &mut State, call: &Call<'_>, id: &str, task: &str, timer: Timer, job: Job) -> Answer {
    own_mut(state, call, id)?.task = Some(task.to_owned());
    if state.real_machines {
        state.job(job);
    } else {
        state.after(state.delays.server_action, timer);
    }
    Ok(Reply::empty(202))
}

/// Guests know no such rest: this is for servers that are none.
fn rest(state: &mut State, call: &Call<'_>, id: &str, action: &str, from: &str, to: &str) -> Answer {
    if state.real_machines {
        return Err(Failure::bad(format!("There is no such action: {action}")));
    }
    demand(state, call, id, action, &[from])?;
    to.clone_into(&mut own_mut(state, call, id)?.status);
    Ok(Reply::empty(202))
}

/// Softly what runs only; hard whatever was built. One that did not run keeps its status until it does.
fn reboot(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    let kind = call.body.pointer("/reboot/type").and_then(Value::as_str).unwrap_or_default().to_ascii_uppercase();
    let (hard, status, task) = match kind.as_str() {
        "HARD" => (true, "HARD_REBOOT", "rebooting_hard"),
        "SOFT" => (false, "REBOOT", "rebooting"),
        _ => return Err(Failure::bad(format!("Invalid input for field/attribute type. Value: {kind}. '{kind}' is not one of ['HARD', 'SOFT']"))),
    };
    let from: &[&str] = if hard { &["ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED", "ERROR"] } else { &["ACTIVE"] };
    demand(state, call, id, "reboot", from)?;
    let server = own_mut(state, call, id)?;
    if server.status == "ACTIVE" {
        status.clone_into(&mut server.status);
    }
    begin(state, call, id, task, Timer::ServerRebooted(id.to_owned()), Job::Reboot { server: id.to_owned(), hard })
}

fn console(state: &State, call: &Call<'_>, id: &str) -> Answer {
    let empty = serde_json::Map::new();
    let given = call.body.get("os-getConsoleOutput").and_then(Value::as_object).unwrap_or(&empty);
    let lines = number(given, "length", -1)?;
    let mut reply = Reply::json(200, json!({"output": ""}));
    if state.real_machines {
        reply.later = Some(Later::Console { server: id.to_owned(), lines: usize::try_from(lines).ok() });
    }
    Ok(reply)
}

fn reset_state(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.admin("os_compute_api:os-admin-actions:reset_state")?;
    let wanted = call.body.pointer("/os-resetState/state").and_then(Value::as_str).unwrap_or("error");
    let status = if wanted == "active" { "ACTIVE" } else { "ERROR" };
    let server = own_mut(state, call, id)?;
    server.task = None;
    status.clone_into(&mut server.status);
    Ok(Reply::empty(202))
}

/// Ends a task in a status. A failure leaves the status as it was and is noted.
fn end(state: &mut State, id: &str, status: &str, result: Result<(), String>) {
    let now = state.clock.seconds_z();
    let Some(server) = state.compute.servers.get_mut(id) else { return };
    let rebooting = server.task.as_deref().is_some_and(|task| task.starts_with("rebooting"));
    if server.task.as_deref() != Some("deleting") {
        server.task = None;
    }
    match result {
        Ok(()) => {
            status.clone_into(&mut server.status);
            server.fault = None;
            server.touch(now);
        }
        Err(text) if rebooting => fail(state, id, &text),
        Err(text) => tracing::warn!(server = id, error = %text, "the machine did not obey"),
    }
}

pub(crate) fn started(state: &mut State, id: &str, result: Result<(), String>) {
    end(state, id, "ACTIVE", result);
}

pub(crate) fn stopped(state: &mut State, id: &str, result: Result<(), String>) {
    end(state, id, "SHUTOFF", result);
}

pub(crate) fn rebooted(state: &mut State, id: &str, result: Result<(), String>) {
    end(state, id, "ACTIVE", result);
}

/// A guest that died by itself: the hypervisor tells Nova, which notes it.
pub(crate) fn died(state: &mut State, id: &str) {
    if state.compute.servers.get(id).is_some_and(|s| s.status == "ACTIVE" && s.task.is_none()) {
        end(state, id, "SHUTOFF", Ok(()));
    }
}
