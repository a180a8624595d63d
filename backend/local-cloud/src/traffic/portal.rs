//! The process inside a network's namespaces: first process (PID 1) of the network, and the hands of the local cloud in it.
//!
//! It opens sockets there and passes their descriptors out: a socket stays in the network namespace it was made in, so the local
//! cloud itself accepts and carries the traffic and no byte is copied twice. Requests come as datagrams over its standard
//! input, a Unix socket; when the local cloud ends, however it ends, the portal sees the end of the stream and ends too, and with
//! it everything in the network.

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recvmsg, sendmsg};
use serde::{Deserialize, Serialize};
use std::io::{IoSlice, IoSliceMut, Write as _};
use std::mem::MaybeUninit;
use std::net::{SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Longest message either way.
pub const MESSAGE_BYTES: usize = 32 << 10;

#[derive(Serialize, Deserialize)]
pub struct Request {
    pub id: u64,
    pub what: What,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Connect and pass the connection out.
    Connect { to: SocketAddrV4, timeout_ms: u64 },
    /// Listen and pass the listener out.
    Listen { at: SocketAddrV4 },
    /// Lines for `ip -batch`; each may fail when it starts with `?`.
    Ip { lines: Vec<String> },
}

#[derive(Serialize, Deserialize)]
pub struct Reply {
    pub id: u64,
    pub error: Option<String>,
}

/// Sends one message, with at most one descriptor.
pub fn send(socket: BorrowedFd<'_>, message: &[u8], descriptor: Option<BorrowedFd<'_>>) -> rustix::io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = descriptor.map(|d| [d]);
    if let Some(descriptors) = &descriptors {
        control.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    sendmsg(socket, &[IoSlice::new(message)], &mut control, SendFlags::NOSIGNAL).map(|_| ())
}

/// Receives one message; None at the end of the stream.
pub fn receive(socket: BorrowedFd<'_>) -> rustix::io::Result<Option<(Vec<u8>, Option<OwnedFd>)>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut message = vec![0; MESSAGE_BYTES];
    let received = loop {
        match recvmsg(socket, &mut [IoSliceMut::new(&mut message)], &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            other => break other?,
        }
    };
    if received.bytes == 0 {
        return Ok(None);
    }
    message.truncate(received.bytes);
    let descriptor = control.drain().find_map(|m| match m {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    Ok(Some((message, descriptor)))
}

/// The hidden subcommand `portal`: serves until the local cloud is gone.
pub fn portal_main() -> ExitCode {
    let socket = Arc::new(std::io::stdin());
    if reply(socket.as_fd(), 0, Ok(None)).is_err() {
        return ExitCode::from(2); // not started by the local cloud
    }
    loop {
        let Ok(Some((message, _))) = receive(socket.as_fd()) else {
            return ExitCode::SUCCESS;
        };
        let Ok(request) = serde_json::from_slice::<Request>(&message) else {
            return ExitCode::FAILURE;
        };
        let socket = Arc::clone(&socket);
        std::thread::spawn(move || {
            let outcome = serve(request.what);
            let _ = reply(socket.as_fd(), request.id, outcome);
        });
    }
}

fn serve(what: What) -> Result<Option<OwnedFd>, String> {
    match what {
        What::Connect { to, timeout_ms } => {
            TcpStream::connect_timeout(&to.into(), Duration::from_millis(timeout_ms.max(1))).map(|s| Some(s.into())).map_err(|e| e.to_string())
        }
        What::Listen { at } => TcpListener::bind(at).map(|l| Some(l.into())).map_err(|e| e.to_string()),
        What::Ip { lines } => ip(&lines).map(|()| None),
    }
}

fn ip(lines: &[String]) -> Result<(), String> {
    for line in lines {
        let (line, may_fail) = line.strip_prefix('?').map_or((line.as_str(), false), |l| (l, true));
        let mut child = Command::new("ip")
            .args(["-batch", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| format!("ip: {e}"))?;
        if let Some(mut input) = child.stdin.take() {
            writeln!(input, "{line}").map_err(|e| format!("ip: {e}"))?;
        }
        let output = child.wait_with_output().map_err(|e| format!("ip: {e}"))?;
        if !output.status.success() && !may_fail {
            return Err(format!("ip {line}: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
    }
    Ok(())
}

fn reply(socket: BorrowedFd<'_>, id: u64, outcome: Result<Option<OwnedFd>, String>) -> Result<(), String> {
    let (descriptor, error) = match outcome {
        Ok(descriptor) => (descriptor, None),
        Err(error) => (None, Some(error)),
    };
    let message = serde_json::to_vec(&Reply { id, error }).map_err(|e| e.to_string())?;
    send(socket, &message, descriptor.as_ref().map(AsFd::as_fd)).map_err(|e| e.to_string())
}
