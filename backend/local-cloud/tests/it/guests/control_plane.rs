//! A real control plane in a guest: kubeadm, a health-checked API behind the load balancer, power off and on.

use super::lab::{boot, eventually, floating, frontend, lab, result, skipped};
use local_cloud::machines::{Machines as _, Monitor};
use std::process::Command;

const VERSION: &str = "v1.36.3";

#[test]
fn kubeadm_makes_a_master_that_survives_power_off() {
    const NAME: &str = "control-plane";
    let Some(lab) = lab(NAME, vec![]) else { return };
    let machines = lab.machines();
    if !machines.images().contains(&(VERSION.to_owned(), 100, true)) {
        return skipped(NAME, "the Kubernetes binaries are not prepared");
    }
    let outside = floating(5);
    let mut api = frontend("api", "net", [10, 0, 0, 10], Some(outside), &[("m1", [10, 0, 0, 5])]);
    api.vip.set_port(6443);
    api.members.iter_mut().for_each(|m| m.address.set_port(6443));
    api.monitor = Some(Monitor { kind: "HTTPS".to_owned(), path: "/readyz".to_owned(), delay_ms: 1000, timeout_ms: 2000, rise: 1, fall: 2 });
    machines.balance(std::slice::from_ref(&api));
    let mut master = boot(
        "master",
        "net",
        [10, 0, 0, 5],
        &format!(
            "#!/bin/bash\nset -e\ncat >/root/kubeadm.yaml <<YAML\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n\
             kubernetesVersion: {VERSION}\ncontrolPlaneEndpoint: 10.0.0.10:6443\napiServer: {{certSANs: [10.0.0.10, {}]}}\nYAML\n\
             kubeadm init --config /root/kubeadm.yaml\n",
            outside.ip()
        ),
    );
    master.kubernetes_version = Some(VERSION.to_owned());
    machines.boot(&master).unwrap();
    eventually("kubeadm has ended", || result(&lab, "master").is_some());
    assert_eq!(result(&lab, "master").unwrap(), "0", "{}", machines.console("master"));
    let kubeconfig = lab.config.state_dir.join("kubeconfig");
    let admin = lab.file("master", "etc/kubernetes/admin.conf").unwrap();
    std::fs::write(&kubeconfig, admin.replace("10.0.0.10:6443", &outside.to_string())).unwrap();
    let kubectl = |arguments: &[&str]| {
        let output = Command::new(lab.config.kubernetes_dir.join(VERSION).join("kubectl"))
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .args(["--request-timeout", "5s"])
            .args(arguments)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let ready = || kubectl(&["get", "node", "master", "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}"]) == "True";
    eventually("the node is Ready", ready);
    assert_eq!(kubectl(&["get", "node", "master", "-o", "jsonpath={.status.capacity.cpu} {.status.capacity.memory}"]), "2 2Gi");
    kubectl(&["create", "configmap", "kept", "--from-literal=a=b"]);

    machines.stop("master").unwrap();
    eventually("the load balancer takes the master out", || machines.member_up("m1") == Some(false));
    machines.start("master").unwrap();
    eventually("the API is back with its data", || kubectl(&["get", "configmap", "kept", "-o", "jsonpath={.data.a}"]) == "b");
}
