//! What API servers are told besides what kubeadm tells them: flags, and directories of their masters. kubeadm keeps in a cluster what its API servers are to be
//! told for as long as it lives; what came later, each master that joins is told by a patch.

use crate::BootstrapError;
use crate::kubeadm::json;
use serde::Serialize;
use serde_json::Value;

/// Where kubeadm finds patches.
pub const PATCHES: &str = "/etc/kcs/patches";

/// One thing that API servers are told.
pub struct Addition {
    /// Names and values.
    pub flags: &'static [(&'static str, &'static str)],
    pub mounts: &'static [Mount],
    /// Where its patch lies, in `PATCHES`: from the name kubeadm reads what is patched, and how.
    pub file: &'static str,
}

/// A directory of the master that the API server's pod sees, too.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mount {
    name: &'static str,
    host_path: &'static str,
    mount_path: &'static str,
    read_only: bool,
    path_type: &'static str,
}

impl Mount {
    /// One that the bundle fills.
    pub const fn read(name: &'static str, path: &'static str) -> Self {
        Self { name, host_path: path, mount_path: path, read_only: true, path_type: "Directory" }
    }

    /// One that the API server fills.
    pub const fn write(name: &'static str, path: &'static str) -> Self {
        Self { name, host_path: path, mount_path: path, read_only: false, path_type: "DirectoryOrCreate" }
    }
}

impl Addition {
    /// What is to be changed of the API server's manifest, as kubeadm lays it down.
    pub fn patch(&self) -> Result<String, BootstrapError> {
        let add = |path: &str, value: Value| serde_json::json!({"op": "add", "path": path, "value": value});
        let mut patch: Vec<Value> =
            self.flags.iter().map(|(name, value)| add("/spec/containers/0/command/-", Value::String(format!("--{name}={value}")))).collect();
        for mount in self.mounts {
            let mounted = serde_json::json!({"name": mount.name, "mountPath": mount.mount_path, "readOnly": mount.read_only});
            let volume = serde_json::json!({"name": mount.name, "hostPath": {"path": mount.host_path, "type": mount.path_type}});
            patch.extend([add("/spec/containers/0/volumeMounts/-", mounted), add("/spec/volumes/-", volume)]);
        }
        Ok(json(&patch)? + "\n")
    }
}
