//! Processes of simulated guests, reached from the machine that they run on.

use std::path::Path;
use std::process::Command;

/// Sends a signal to a program of a node: `STOP`, and it hangs with all its connections open; `CONT`, and it goes on.
pub fn signal(node: &str, program: &str, name: &str) {
    let found = processes(node, program);
    assert!(!found.is_empty(), "no {program} runs on {node}");
    assert!(Command::new("kill").arg(format!("-{name}")).args(&found).status().unwrap().success());
}

/// Those of this name whose root is the node's.
fn processes(node: &str, program: &str) -> Vec<String> {
    let all = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let is = |pid: &String| {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let first = String::from_utf8_lossy(command.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned();
        let host = || std::fs::read_to_string(format!("/proc/{pid}/root/etc/hostname")).unwrap_or_default();
        Path::new(&first).file_name().is_some_and(|name| name == program) && host().trim() == node
    };
    all.filter(|name| name.bytes().all(|b| b.is_ascii_digit())).filter(is).collect()
}
