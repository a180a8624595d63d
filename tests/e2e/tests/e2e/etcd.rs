//! What the etcd of a guest says of itself, and what it has on its disk, read past every API: the entries of its log are as the API server sent them.

use crate::tools::{Ran, Tools};
use std::path::{Path, PathBuf};

/// Field 2 (the value) of a put request, after field 1 (the key).
const VALUE: u8 = 0x12;

/// etcdctl beside the etcd of a master.
pub fn try_etcdctl(tools: &Tools, master: &str, words: &[&str]) -> Ran {
    let (pod, pki) = (format!("etcd-{master}"), "/etc/kubernetes/pki/etcd");
    let files = [format!("--cacert={pki}/ca.crt"), format!("--cert={pki}/server.crt"), format!("--key={pki}/server.key")];
    let mut command = vec!["exec", "-n", "kube-system", &pod, "-c", "etcd", "--", "etcdctl", "--endpoints=https://127.0.0.1:2379"];
    command.extend(files.iter().map(String::as_str));
    command.extend(words);
    tools.try_kubectl(&command)
}

/// The same, which must succeed; answers its output.
pub fn etcdctl(tools: &Tools, master: &str, words: &[&str]) -> String {
    let ran = try_etcdctl(tools, master, words);
    assert!(ran.ok, "etcdctl {words:?}: {}{}", ran.out, ran.err);
    ran.out
}

/// The values written under a key, in all clusters of a state directory.
pub fn stored_values(state: &Path, key: &str) -> Vec<Vec<u8>> {
    let mut logs = Vec::new();
    find_logs(state, &mut logs);
    assert!(!logs.is_empty(), "no log of etcd under {}", state.display());
    logs.iter().flat_map(|log| values(&std::fs::read(log).unwrap(), key.as_bytes())).collect()
}

fn find_logs(directory: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries.filter(|e| e.file_type().is_ok_and(|t| !t.is_symlink())) {
        let path = entry.path();
        if path.is_dir() {
            find_logs(&path, found);
        } else if path.extension().is_some_and(|e| e == "wal") && path.parent().is_some_and(|p| p.ends_with("member/wal")) {
            found.push(path);
        }
    }
}

/// Each place where the key is followed by a value.
fn values(log: &[u8], key: &[u8]) -> Vec<Vec<u8>> {
    let after = log.windows(key.len()).enumerate().filter(|(_, window)| *window == key).map(|(at, _)| &log[at + key.len()..]);
    after.filter_map(|rest| value(rest.strip_prefix(&[VALUE])?)).collect()
}

/// A length as a varint, then as many bytes.
fn value(bytes: &[u8]) -> Option<Vec<u8>> {
    let digits = bytes.iter().take(5).position(|b| b & 0x80 == 0)? + 1;
    let length = bytes[..digits].iter().rev().fold(0_usize, |sum, b| sum << 7 | usize::from(b & 0x7f));
    bytes[digits..].get(..length).map(<[u8]>::to_vec)
}
