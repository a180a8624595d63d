//! Load balancers: real connections to real members.

use super::lab::{answering, boot, eventually, floating, frontend, get, lab, result};
use local_cloud::machines::Machines as _;
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

#[test]
fn forwards_in_turn_and_drops_dead_members() {
    let Some(lab) = lab("forwards", vec![]) else { return };
    let machines = lab.machines();
    machines.boot(&boot("one", "net", [10, 0, 0, 5], &answering("one", 8000))).unwrap();
    machines.boot(&boot("two", "net", [10, 0, 0, 6], &answering("two", 8000))).unwrap();
    let outside = floating(1);
    let both = frontend("listener", "net", [10, 0, 0, 10], Some(outside), &[("m1", [10, 0, 0, 5]), ("m2", [10, 0, 0, 6])]);
    machines.balance(std::slice::from_ref(&both));
    eventually("both members are up", || machines.member_up("m1") == Some(true) && machines.member_up("m2") == Some(true));
    assert_eq!(machines.traffic_faults(), []);
    let seen: BTreeSet<_> = (0..4).filter_map(|_| get(outside)).collect();
    assert_eq!(seen, BTreeSet::from(["one".to_owned(), "two".to_owned()]));

    // Inside, at the VIP.
    let ask = "#!/bin/sh\ncurl -s --max-time 5 http://10.0.0.10:8000/ >/root/seen\n";
    machines.boot(&boot("client", "net", [10, 0, 0, 7], ask)).unwrap();
    eventually("asked", || result(&lab, "client").is_some());
    assert!(["one", "two"].contains(&lab.file("client", "home/seen").unwrap().as_str()));

    // Open connections to a member that dies are cut, and it gets no new ones.
    let mut open: Vec<_> = (0..2).map(|_| TcpStream::connect(outside).unwrap()).collect();
    for stream in &mut open {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut first = [0; 8];
        stream.read_exact(&mut first).unwrap();
    }
    machines.crash("one").unwrap();
    eventually("the dead member is down", || machines.member_up("m1") == Some(false));
    let ended = open.into_iter().filter(|stream| {
        stream.set_read_timeout(Some(std::time::Duration::from_secs(2))).unwrap();
        let mut rest = Vec::new();
        let mut stream = stream;
        stream.read_to_end(&mut rest).is_ok()
    });
    assert_eq!(ended.count(), 1);
    for _ in 0..6 {
        assert_eq!(get(outside).unwrap(), "two");
    }
    machines.start("one").unwrap();

    // A removed load balancer answers nowhere.
    machines.balance(&[]);
    eventually("the floating address is closed", || TcpStream::connect(outside).is_err());
    assert_eq!(machines.member_up("m1"), None);
}

#[test]
fn a_floating_address_comes_and_goes_without_touching_the_members() {
    let Some(lab) = lab("floating", vec![]) else { return };
    let machines = lab.machines();
    machines.boot(&boot("one", "net", [10, 0, 0, 5], &answering("one", 8000))).unwrap();
    let without = frontend("listener", "net", [10, 0, 0, 10], None, &[("m1", [10, 0, 0, 5])]);
    machines.balance(std::slice::from_ref(&without));
    eventually("the member is up", || machines.member_up("m1") == Some(true));
    let outside = floating(2);
    let mut with = without.clone();
    with.floating = Some(outside);
    machines.balance(std::slice::from_ref(&with));
    assert_eq!(machines.member_up("m1"), Some(true));
    eventually("answers", || get(outside).as_deref() == Some("one"));
    let mut closed = with.clone();
    closed.allowed_cidrs = vec!["192.0.2.0/24".parse().unwrap()];
    machines.balance(std::slice::from_ref(&closed));
    assert_eq!(get(outside), None);
    machines.balance(std::slice::from_ref(&without));
    eventually("closed", || TcpStream::connect(outside).is_err());
}

#[test]
fn idle_connections_are_cut_and_a_bound_address_is_told() {
    let Some(lab) = lab("idle", vec![]) else { return };
    let machines = lab.machines();
    machines.boot(&boot("one", "net", [10, 0, 0, 5], &answering("one", 8000))).unwrap();
    let (outside, taken) = (floating(3), floating(4));
    let _occupied = std::net::TcpListener::bind(taken).unwrap();
    let mut idle = frontend("idle", "net", [10, 0, 0, 10], Some(outside), &[("m1", [10, 0, 0, 5])]);
    idle.client_timeout_ms = 300;
    let mut bound = frontend("bound", "net", [10, 0, 0, 11], Some(taken), &[]);
    bound.monitor = None;
    machines.balance(&[idle, bound]);
    eventually("the member is up", || machines.member_up("m1") == Some(true));
    let mut stream = TcpStream::connect(outside).unwrap();
    let mut rest = Vec::new();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    assert_eq!(stream.read_to_end(&mut rest).unwrap(), 0);
    eventually("told", || machines.traffic_faults().iter().any(|(l, why)| l == "bound" && why.contains("cannot be bound")));
}
