//! Looking at processes and ending them, by way of `/proc` and signals.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

/// The first child of a process.
pub fn only_child(pid: u32) -> Option<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// A namespace's first process as seen by the processes one namespace further out.
pub fn pid_inside(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let pids: Vec<&str> = status.lines().find_map(|l| l.strip_prefix("NSpid:"))?.split_whitespace().collect();
    pids.get(pids.len().checked_sub(2)?)?.parse().ok()
}

/// A handle on a process that cannot come to mean another one when the number is used again.
pub fn handle(pid: u32) -> Option<OwnedFd> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

pub fn signal(handle: &OwnedFd, signal: Signal) {
    let _ = pidfd_send_signal(handle, signal); // an error says that it has ended already
}

/// Waits until a process has ended, but no longer than the limit.
pub fn wait_end(handle: BorrowedFd<'_>, limit: Duration) {
    let limit = Timespec::try_from(limit).ok();
    let _ = poll(&mut [PollFd::from_borrowed_fd(handle, PollFlags::IN)], limit.as_ref());
}

/// Whether a process has ended.
pub fn ended(handle: BorrowedFd<'_>) -> bool {
    poll(&mut [PollFd::from_borrowed_fd(handle, PollFlags::IN)], Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

pub fn kill(pid: u32) {
    if let Some(handle) = handle(pid) {
        signal(&handle, Signal::KILL);
    }
}

/// Kills a process and all of its group, whose leader it is.
pub fn kill_group(leader: u32) {
    if let Some(pid) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process_group(pid, Signal::KILL);
    }
}

/// The last line of a log, for an error.
pub fn last_line(log: &Path) -> String {
    let text = std::fs::read(log).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default();
    text.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("no reason given").to_owned()
}
