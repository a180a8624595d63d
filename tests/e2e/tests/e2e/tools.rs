//! Stock kubectl and helm as processes.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Below the cache.
const KUBECTL: &str = "v1.36.3/kubectl";

pub struct Tools {
    cache: PathBuf,
    kubeconfig: PathBuf,
    home: tempfile::TempDir,
}

pub struct Ran {
    pub ok: bool,
    pub out: String,
    pub err: String,
}

impl Tools {
    pub fn new(cache: &Path, kubeconfig: &Path) -> Self {
        Self { cache: cache.to_owned(), kubeconfig: kubeconfig.to_owned(), home: tempfile::tempdir().unwrap() }
    }

    fn command(&self, tool: &str, args: &[&str]) -> Command {
        let mut command = Command::new(self.cache.join(tool));
        command.args(args).env("KUBECONFIG", &self.kubeconfig).env("HOME", self.home.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, tool: &str, args: &[&str]) -> Ran {
        let output = self.command(tool, args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran { ok: output.status.success(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// kubectl, which may fail.
    pub fn try_kubectl(&self, args: &[&str]) -> Ran {
        self.run(KUBECTL, args)
    }

    /// kubectl, which must not; answers its output.
    pub fn kubectl(&self, args: &[&str]) -> String {
        let ran = self.try_kubectl(args);
        assert!(ran.ok, "kubectl {args:?}: {}{}", ran.out, ran.err);
        ran.out
    }

    /// Applies objects, which the cluster may refuse.
    pub fn try_apply(&self, objects: &[Value]) -> Ran {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string()).unwrap();
        self.try_kubectl(&["apply", "-f", file.path().to_str().unwrap()])
    }

    /// Applies objects.
    pub fn apply(&self, objects: &[Value]) {
        let ran = self.try_apply(objects);
        assert!(ran.ok, "kubectl apply: {}{}", ran.out, ran.err);
    }

    /// kubectl with more in its environment, which must not fail.
    pub fn kubectl_with(&self, environment: &[(&str, &str)], args: &[&str]) -> String {
        let mut command = self.command(KUBECTL, args);
        let output = command.envs(environment.iter().copied()).output().unwrap();
        assert!(output.status.success(), "kubectl {args:?} with {environment:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// As kubectl before 1.31 got into pods.
    pub fn kubectl_over_spdy(&self, args: &[&str]) -> String {
        self.kubectl_with(&[("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "false"), ("KUBECTL_PORT_FORWARD_WEBSOCKETS", "false")], args)
    }

    pub fn helm(&self, args: &[&str]) -> String {
        let ran = self.run("tools/helm", args);
        assert!(ran.ok, "helm {args:?}: {}{}", ran.out, ran.err);
        ran.out
    }

    /// kubectl in the background, its output piped.
    pub fn watch(&self, args: &[&str]) -> Child {
        self.command(KUBECTL, args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}
