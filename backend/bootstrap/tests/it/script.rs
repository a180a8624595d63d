//! The script's behaviour, with stand-ins for curl, kubeadm and systemctl in a directory that plays `/`.

use crate::{Fixture, unpack};
use bootstrap::bundle;
use secrecy::ExposeSecret;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Command;

const SCRIPT: &str = include_str!("../../src/kcs-bootstrap.sh");

/// Notes its arguments, answers with the next line of `answers` (`<path> <status>`, the last one for ever), hands out the bundle,
/// and finds the cluster's address signed when it looks for the third time.
const CURL: &str = r#"#!/bin/bash
out= write= data= url=${!#}
for argument; do
    [ "$previous" = --output ] && out=$argument
    [ "$previous" = --write-out ] && write=1
    [ "$previous" = --data-binary ] && data=$argument
    previous=$argument
done
echo "$*" >>@ROOT@/curl.log
case $url in */cluster-info) [ "$(grep -c cluster-info @ROOT@/curl.log)" -lt 3 ] || echo '"jws-kubeconfig-abcdef": "x"'; exit ;; esac
path=/${url#https://*/}
case $data in @*) cat "${data#@}" >"@ROOT@/sent.${path##*/}" ;; esac
status=$(grep "^$path " @ROOT@/answers | head -1 | cut -d' ' -f2)
[ "$(grep -c "^$path " @ROOT@/answers)" -lt 2 ] || sed -i "0,\#^$path #{\#^$path #d}" @ROOT@/answers
[ "$status" != 000 ] || exit 7
[ -z "$out" ] || [ "$status" != 200 ] || [ "${path##*/}" != bundle ] || cat @ROOT@/bundle >"$out"
[ -z "$write" ] || printf %s "$status"
"#;

struct Machine {
    root: tempfile::TempDir,
    _containerd: UnixListener,
}

impl Machine {
    fn new(answers: &str, kubeadm: &str) -> Self {
        let fixture = Fixture::new();
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        for directory in ["etc/kcs", "var/log", "run/containerd", "bin"] {
            fs::create_dir_all(path(directory)).unwrap();
        }
        let containerd = UnixListener::bind(path("run/containerd/containerd.sock")).unwrap();
        fs::write(path("etc/kcs/endpoint"), "https://kcs:8443\n").unwrap();
        fs::write(path("etc/kcs/authorization"), "Authorization: Bearer kcs_node_SECRET\n").unwrap();
        fs::write(path("bundle"), bundle(&fixture.worker()).unwrap().expose_secret()).unwrap();
        fs::write(path("answers"), answers).unwrap();
        let place = root.path().display().to_string();
        let script = SCRIPT
            .replace("/etc/kcs", &format!("{place}/etc/kcs"))
            .replace("/var/log", &format!("{place}/var/log"))
            .replace("/run/containerd", &format!("{place}/run/containerd"))
            .replace("--directory /", &format!("--directory {place}"))
            .replace("sleep 2", "sleep 0.01")
            .replace("sleep 0.5", "sleep 0.01");
        let machine = Self { root, _containerd: containerd };
        machine.command("kcs-bootstrap", &script);
        machine.command("curl", &CURL.replace("@ROOT@", &place));
        machine.command("kubeadm", &format!("#!/bin/bash\necho \"$*\" >>{place}/kubeadm.log\n{kubeadm}\n"));
        for nothing in ["systemctl", "modprobe", "sysctl", "swapoff"] {
            machine.command(nothing, "#!/bin/sh\n");
        }
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn command(&self, name: &str, text: &str) {
        let file = self.path("bin").join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn boot(&self) -> bool {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let script = self.path("bin/kcs-bootstrap");
        Command::new(script).env("PATH", path).output().unwrap().status.success()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn calls(&self, path: &str) -> usize {
        self.read("curl.log").lines().filter(|line| line.ends_with(path)).count()
    }
}

const ALL_WELL: &str = "/node/v1/bundle 200\n/node/v1/progress 204\n/node/v1/done 204\n/node/v1/failed 204\n";

#[test]
fn it_joins_reports_and_leaves_no_secret() {
    let machine = Machine::new(ALL_WELL, "exit 0");
    assert!(machine.boot(), "{}", machine.read("var/log/kcs-bootstrap.log"));
    assert!(machine.read("kubeadm.log").starts_with("join --config"));
    assert_eq!((machine.calls("/bundle"), machine.calls("/done"), machine.calls("/failed")), (1, 1, 0));
    assert_eq!(machine.calls("/progress"), 2);
    assert_eq!(machine.calls("/cluster-info"), 3, "until the cluster's address is signed");
    assert!(machine.path("etc/kcs/done").exists());
    for secret in ["kubeadm.yaml", "authorization", "bundle.tar", "report"] {
        assert!(!machine.path("etc/kcs").join(secret).exists(), "{secret}");
    }
    // The token is in no command line.
    assert!(!machine.read("curl.log").contains("SECRET"));
    let unpacked = unpack(&bundle(&Fixture::new().worker()).unwrap());
    assert_eq!(machine.read("etc/sysctl.d/90-kubernetes.conf"), unpacked["etc/sysctl.d/90-kubernetes.conf"].text);
}

#[test]
fn a_node_that_is_done_is_left_alone() {
    let machine = Machine::new(ALL_WELL, "exit 0");
    assert!(machine.boot());
    assert!(machine.boot());
    assert_eq!((machine.calls("/bundle"), machine.read("kubeadm.log").lines().count()), (1, 1));
}

#[test]
fn it_waits_for_a_kcs_that_does_not_answer() {
    let answers = format!("/node/v1/bundle 000\n/node/v1/bundle 503\n{ALL_WELL}/node/v1/done 000\n/node/v1/done 204\n");
    let machine = Machine::new(&answers, "exit 0");
    assert!(machine.boot());
    assert_eq!(machine.calls("/bundle"), 3);
}

#[test]
fn a_bundle_refused_is_not_asked_for_again() {
    let machine = Machine::new(&ALL_WELL.replace("bundle 200", "bundle 410"), "exit 0");
    assert!(!machine.boot());
    assert_eq!((machine.calls("/bundle"), machine.calls("/failed")), (1, 1));
    assert!(machine.read("sent.failed").contains("KCS refuses (HTTP 410)"));
    assert!(!machine.path("kubeadm.log").exists());
}

#[test]
fn a_failure_is_told_with_its_last_lines_and_without_tokens() {
    let kubeadm = "seq 100; echo token abcdef.0123456789abcdef and kcs_node_SECRET; echo 'error: no way' >&2; exit 3";
    let machine = Machine::new(ALL_WELL, kubeadm);
    assert!(!machine.boot());
    let sent = machine.read("sent.failed");
    assert!(sent.contains("error: no way") && sent.contains("token [token] and [token]"), "{sent}");
    assert!(!sent.contains("0123456789abcdef") && !sent.contains("\n7\n"), "{sent}");
    assert_eq!(sent.lines().count(), 50);
    assert!(!machine.path("etc/kcs/done").exists());
    assert!(!machine.path("etc/kcs/kubeadm.yaml").exists());
}

#[test]
fn a_container_keeps_the_paths_of_disks_on_its_root_and_waits_for_none() {
    let boot = |path: &str| {
        let machine = Machine::new(ALL_WELL, "exit 0");
        let place = machine.path(path);
        fs::write(machine.path("etc/kcs/disks"), format!("0f1e {}\n", place.display())).unwrap();
        fs::write(machine.path("file"), "").unwrap();
        machine.command("systemd-detect-virt", "#!/bin/sh\n");
        machine.command("lsblk", "#!/bin/sh\nexit 1\n");
        machine.command("sleep", &format!("#!/bin/sh\necho \"$1\" >>{}\n", machine.path("sleep.log").display()));
        (machine.boot(), place.is_dir(), machine)
    };
    let (well, made, machine) = boot("data/one");
    assert!(well && made, "{}", machine.read("var/log/kcs-bootstrap.log"));
    assert!(!machine.read("sleep.log").lines().any(|seconds| seconds == "1"));
    // A path that cannot be made is a failure, and told.
    let (well, made, machine) = boot("file/two");
    assert!(!well && !made && machine.read("sent.failed").contains("file/two"), "{}", machine.read("sent.failed"));
}
