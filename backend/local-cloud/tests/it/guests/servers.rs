//! Servers: user-data, power, isolation, nothing left behind.

use super::lab::{boot, eventually, lab, leftovers, network_namespaces, result};
use local_cloud::GuestMachines;
use local_cloud::machines::Machines as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};

#[test]
fn user_data_runs_once_and_reaches_the_machine_outside() {
    let outside = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = outside.local_addr().unwrap().port();
    let Some(lab) = lab("user-data", vec![port]) else { return };
    let answering = std::thread::spawn(move || {
        let (mut client, _) = outside.accept().unwrap();
        let mut request = [0; 1024];
        let _ = client.read(&mut request).unwrap();
        client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\noutside").unwrap();
    });
    let user_data = format!(
        "#cloud-config\nwrite_files: [{{path: /etc/kcs/name, content: aGVsbG8K, encoding: b64}}]\n\
         runcmd:\n- curl -sS --max-time 10 http://198.18.0.1:{port}/ >/root/answer\n- [sh, -c, 'echo ran >>/root/runs; hostname; whoami']\n"
    );
    let machines = lab.machines();
    machines.boot(&boot("Web_Server 1", "net", [10, 0, 0, 5], &user_data)).unwrap();
    eventually("user-data has run", || result(&lab, "Web_Server 1").is_some());
    assert_eq!(result(&lab, "Web_Server 1").unwrap(), "0", "{}", machines.console("Web_Server 1"));
    answering.join().unwrap();
    assert_eq!(lab.file("Web_Server 1", "etc/kcs/name").unwrap(), "hello\n");
    assert_eq!(lab.file("Web_Server 1", "home/answer").unwrap(), "outside");
    eventually("the console shows the login prompt", || machines.console("Web_Server 1").contains("web-server-1 login:"));
    let console = machines.console("Web_Server 1");
    assert!(console.contains("eth0: 10.0.0.5/24") && console.contains("\nweb-server-1\nroot\n"), "{console}");

    machines.reboot("Web_Server 1", true).unwrap();
    machines.reboot("Web_Server 1", false).unwrap();
    assert!(machines.running("Web_Server 1"));
    assert_eq!(lab.file("Web_Server 1", "home/runs").unwrap(), "ran\n");
}

#[test]
fn failing_user_data_is_told_on_the_console() {
    let Some(lab) = lab("failing", vec![]) else { return };
    lab.machines().boot(&boot("s", "net", [10, 0, 0, 5], "#!/bin/sh\necho before; exit 3\n")).unwrap();
    eventually("user-data has ended", || result(&lab, "s").is_some());
    assert_eq!(result(&lab, "s").unwrap(), "1");
    eventually("console", || lab.machines().console("s").contains("part-001 failed with exit status 3"));
}

#[test]
fn networks_do_not_see_each_other() {
    let Some(lab) = lab("isolation", vec![]) else { return };
    let answer = super::lab::answering("one", 8000);
    lab.machines().boot(&boot("one", "net-1", [10, 0, 0, 5], &answer)).unwrap();
    let ask = "#!/bin/bash\nfor _ in $(seq 50); do curl -s --max-time 1 http://10.0.0.5:8000/ && break; sleep 0.1; done >/root/seen\n";
    lab.machines().boot(&boot("same", "net-1", [10, 0, 0, 6], ask)).unwrap();
    eventually("asked", || result(&lab, "same").is_some());
    assert_eq!(lab.file("same", "home/seen").unwrap(), "one");
    // The same addresses in another network are other machines.
    let ask = "#!/bin/bash\ncurl -s --max-time 2 http://10.0.0.5:8000/ >/root/seen\ncurl -s --max-time 2 http://127.0.0.1:8000/ >>/root/seen\n";
    lab.machines().boot(&boot("other", "net-2", [10, 0, 0, 6], ask)).unwrap();
    eventually("asked", || result(&lab, "other").is_some());
    assert_eq!(lab.file("other", "home/seen").unwrap(), "");
}

#[test]
fn power_and_deletion_leave_nothing_behind() {
    let before = network_namespaces();
    let Some(lab) = lab("power", vec![]) else { return };
    let machines = lab.machines();
    machines.boot(&boot("a", "net", [10, 0, 0, 5], "#!/bin/sh\necho kept >/root/file\n")).unwrap();
    machines.boot(&boot("b", "net", [10, 0, 0, 6], "#!/bin/sh\n")).unwrap();
    eventually("user-data", || result(&lab, "a").is_some());
    machines.stop("a").unwrap();
    assert!(!machines.running("a") && machines.running("b"));
    machines.stop("a").unwrap();
    machines.start("a").unwrap();
    machines.start("a").unwrap();
    assert!(machines.running("a"));
    assert_eq!(lab.file("a", "home/file").unwrap(), "kept\n");
    machines.crash("b").unwrap();
    assert!(!machines.running("b"));
    machines.delete("a").unwrap();
    machines.delete("b").unwrap();
    machines.delete("never-seen").unwrap();
    assert!(machines.start("a").is_err());
    machines.network_down("net");
    assert_eq!(leftovers(&lab.config.state_dir), Vec::<String>::new());
    assert_eq!(std::fs::read_dir(lab.config.state_dir.join("servers")).unwrap().count(), 0);
    let after = network_namespaces();
    eventually("no network namespace of ours is left", || after.difference(&before).all(|ns| !network_namespaces().contains(ns)));
}

#[test]
fn servers_are_found_again_after_the_local_cloud_was_gone() {
    let Some(mut lab) = lab("again", vec![]) else { return };
    lab.machines().boot(&boot("a", "net", [10, 0, 0, 5], "#!/bin/sh\necho x >>/root/runs\n")).unwrap();
    eventually("user-data", || result(&lab, "a").is_some());
    lab.machines = None;
    assert_eq!(leftovers(&lab.config.state_dir), Vec::<String>::new());
    lab.machines = Some(GuestMachines::new(lab.config.clone()).unwrap());
    assert!(!lab.machines().running("a"));
    lab.machines().start("a").unwrap();
    assert!(lab.machines().running("a"));
    assert_eq!(lab.file("a", "home/runs").unwrap(), "x\n");
}

#[test]
fn a_version_without_binaries_does_not_boot() {
    let Some(lab) = lab("unprepared", vec![]) else { return };
    let mut boot = boot("a", "net", [10, 0, 0, 5], "#!/bin/sh\n");
    boot.kubernetes_version = Some("v1.2.3".to_owned());
    assert!(lab.machines().boot(&boot).unwrap_err().contains("still being prepared"));
}
