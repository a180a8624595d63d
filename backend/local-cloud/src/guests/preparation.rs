//! The recipe that prepares the Kubernetes binaries, running in the background.

use crate::process;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;

/// A running recipe; dropping it ends it and everything it started.
pub struct Preparation {
    leader: u32,
}

impl Preparation {
    pub fn start(recipe: &Path, kubernetes_dir: &Path, log: &Path) -> Result<Self, String> {
        let file = File::create(log).map_err(|e| format!("{}: {e}", log.display()))?;
        let errors = file.try_clone().map_err(|e| e.to_string())?;
        let mut command = Command::new("setpriv");
        command
            .args([OsStr::new("--pdeathsig"), OsStr::new("TERM"), OsStr::new("bash"), recipe.as_os_str()])
            .env("KCS_KUBERNETES_CACHE", kubernetes_dir)
            .stdin(Stdio::null())
            .stdout(Stdio::from(file))
            .stderr(Stdio::from(errors))
            .process_group(0);
        let (sender, receiver) = mpsc::channel();
        let log = log.to_owned();
        // A thread of its own: the signal of `--pdeathsig` comes when the thread that started the process ends.
        std::thread::spawn(move || match command.spawn() {
            Ok(mut child) => {
                let _ = sender.send(Ok(child.id()));
                if !child.wait().is_ok_and(|status| status.success()) {
                    tracing::error!("the Kubernetes binaries could not be prepared: {}", process::last_line(&log));
                }
            }
            Err(e) => drop(sender.send(Err(format!("setpriv: {e}")))),
        });
        let leader = receiver.recv().map_err(|e| e.to_string())??;
        Ok(Self { leader })
    }
}

impl Drop for Preparation {
    fn drop(&mut self) {
        process::kill_group(self.leader);
    }
}
