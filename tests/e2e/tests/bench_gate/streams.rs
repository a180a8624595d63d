//! What stays open: watches, commands, a log.

use crate::dev::wait_for;
use crate::figures::{Measured, Meter, Report, Times, forget_peak, peak};
use crate::ways::{Way, Ways};
use futures::StreamExt;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

const WATCHES: usize = 200;
/// Over all watches.
const EVENTS_A_SECOND: usize = 1_000;
const SECONDS: usize = 20;
const COMMANDS: usize = 25;
/// Bytes of a log's line, as long as those of programs that log in JSON: a kubelet hands each on by itself.
const LINE: usize = 1_000;
/// Bytes of all lines; in the node's file there are times beside them.
const LOG: usize = 100_000_000;
const READINGS: usize = 5;
const MAP: &str = "/api/v1/namespaces/default/configmaps/bench";

/// From the write to the event, each watch and each write.
pub async fn watches(ways: &Ways, report: &mut Report) {
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bench"}, "data": {"at": "0"}});
    let made = ways.direct.send(reqwest::Method::POST, "/api/v1/namespaces/default/configmaps", "application/json", &map).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let mut measured = Measured::default();
    let before = forget_peak(ways.kcs_process);
    for (number, way) in ways.all().into_iter().enumerate() {
        let (times, meter) = watch(ways, way).await;
        measured.add(number, times, &meter);
    }
    report.rows("200 watches, 1,000 events/s", measured);
    report.memory("200 watches, 1,000 events/s", before, peak(ways.kcs_process));
}

async fn watch(ways: &Ways, way: &Way) -> (Times, Meter) {
    let epoch = Instant::now();
    let (seen, mut all) = mpsc::unbounded_channel::<Option<Duration>>();
    let path = "/api/v1/namespaces/default/configmaps?watch=true&fieldSelector=metadata.name%3Dbench";
    let mut readers = Vec::new();
    for _ in 0..WATCHES {
        let answer = way.get_alone(path).header("accept", "application/json").send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", way.name);
        readers.push(tokio::spawn(follow(answer, epoch, seen.clone())));
    }
    // Each watch begins with the object as it is.
    for _ in 0..WATCHES {
        assert!(all.recv().await.unwrap().is_none());
    }
    let meter = Meter::start(ways);
    let writes = SECONDS * EVENTS_A_SECOND / WATCHES;
    let mut beat = tokio::time::interval(Duration::from_secs(1) * u32::try_from(WATCHES).unwrap() / u32::try_from(EVENTS_A_SECOND).unwrap());
    for _ in 0..writes {
        beat.tick().await;
        let patch = json!({"data": {"at": epoch.elapsed().as_micros().to_string()}});
        let done = ways.direct.send(reqwest::Method::PATCH, MAP, "application/merge-patch+json", &patch).send().await.unwrap();
        assert_eq!(done.status(), 200);
    }
    let mut times = Times::default();
    for _ in 0..writes * WATCHES {
        times.add(all.recv().await.unwrap().expect("a delay"));
    }
    for reader in readers {
        reader.abort();
    }
    let reset = json!({"data": {"at": "0"}});
    ways.direct.send(reqwest::Method::PATCH, MAP, "application/merge-patch+json", &reset).send().await.unwrap();
    (times, meter)
}

/// Says of each event how late it is; of the object as it was, nothing.
async fn follow(answer: reqwest::Response, epoch: Instant, seen: mpsc::UnboundedSender<Option<Duration>>) {
    let (mut body, mut unread) = (answer.bytes_stream(), Vec::new());
    while let Some(Ok(piece)) = body.next().await {
        unread.extend_from_slice(&piece);
        while let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
            let event: Value = serde_json::from_slice(&unread[..end]).unwrap();
            unread.drain(..=end);
            let at: u64 = event["object"]["data"]["at"].as_str().unwrap().parse().unwrap();
            let late = (at > 0).then(|| epoch.elapsed().saturating_sub(Duration::from_micros(at)));
            let _ = seen.send(late);
        }
    }
}

/// From the request to the command's own answer, a new connection to the pod each time.
pub async fn commands(ways: &Ways, report: &mut Report) {
    let pod = run_a_pod(&ways.direct).await;
    let mut measured = Measured::default();
    for turn in 0..=COMMANDS {
        for (number, way) in ways.all().into_iter().enumerate() {
            let meter = Meter::start(ways);
            let begun = Instant::now();
            let said = command(way, &pod, &["echo", "hello"]).await;
            assert_eq!(said.trim_ascii_end(), b"hello", "{}", way.name);
            if turn > 0 {
                measured.add(number, Times::one(begun.elapsed()), &meter);
            }
        }
    }
    report.rows("a command in a pod", measured);
}

/// All of a log of 100 MB.
pub async fn log(ways: &Ways, report: &mut Report) {
    let pod = run_a_pod(&ways.direct).await;
    fill_log(&ways.direct, &pod).await;
    let mut measured = Measured::default();
    let before = forget_peak(ways.kcs_process);
    for _ in 0..READINGS {
        for (number, way) in ways.all().into_iter().enumerate() {
            let meter = Meter::start(ways);
            measured.add(number, whole_log(way, &pod).await, &meter);
        }
    }
    report.rows("a log of 100 MB", measured);
    report.memory("a log of 100 MB", before, peak(ways.kcs_process));
}

/// Writes the log of a container that was there before, which the stand-in for nodes shows and, unlike the one of the container that runs, leaves as it is.
async fn fill_log(direct: &Way, pod: &str) {
    let (file, lines) = ("/var/log/sample.previous.log", LOG / LINE);
    let line = format!("2026-01-01T00:00:00.000000000Z stdout F {}", "a line of a log ".repeat(LINE).split_at(LINE - 1).0);
    let size = (line.len() + 1) * lines;
    let written = command(direct, pod, &["sh", "-c", &format!("yes '{line}' | head -n {lines} > {file}; wc -c < {file}")]).await;
    assert_eq!(String::from_utf8_lossy(&written).trim(), size.to_string());
}

async fn whole_log(way: &Way, pod: &str) -> Times {
    let begun = Instant::now();
    let answer = way.get_alone(&format!("/api/v1/namespaces/default/pods/{pod}/log?previous=true")).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", way.name);
    let (mut body, mut length) = (answer.bytes_stream(), 0);
    while let Some(piece) = body.next().await {
        length += piece.unwrap().len();
    }
    assert_eq!(length, LOG, "{}: it broke off", way.name);
    Times::one(begun.elapsed())
}

async fn run_a_pod(direct: &Way) -> String {
    let pod = json!({"metadata": {"name": "bench"}, "spec": {"containers": [{"name": "main", "image": "busybox"}]}});
    let made = direct.send(reqwest::Method::POST, "/api/v1/namespaces/default/pods", "application/json", &pod).send().await.unwrap();
    assert!(matches!(made.status().as_u16(), 201 | 409), "{}", made.text().await.unwrap());
    let running = wait_for("the pod", Duration::from_secs(60), async || {
        let pod: Value = direct.get("/api/v1/namespaces/default/pods/bench").send().await.ok()?.json().await.ok()?;
        (pod["status"]["phase"] == "Running").then_some(())
    });
    running.await.expect("the pod does not run");
    "bench".to_owned()
}

/// What a command wrote, by Kubernetes' exec over a WebSocket.
async fn command(way: &Way, pod: &str, words: &[&str]) -> Vec<u8> {
    let words: String = words.iter().fold(String::new(), |all, word| all + "&command=" + &percent(word));
    let path = format!("/api/v1/namespaces/default/pods/{pod}/exec?container=main&stdout=true&stderr=true{words}");
    let answer = way.get_alone(&path).header("connection", "Upgrade").header("upgrade", "websocket").header("sec-websocket-version", "13");
    let answer = answer.header("sec-websocket-key", "a2NzIGJlbmNoIG9mIGdhdGU=").header("sec-websocket-protocol", "v5.channel.k8s.io");
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.status(), 101, "{}", way.name);
    let mut socket = WebSocketStream::from_raw_socket(answer.upgrade().await.unwrap(), Role::Client, None).await;
    let mut said = Vec::new();
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Binary(piece) = message {
            match piece.split_first() {
                Some((1, bytes)) => said.extend_from_slice(bytes),
                Some((3, _)) => break,
                _ => {}
            }
        }
    }
    let _ = socket.close(None).await;
    said
}

fn percent(word: &str) -> String {
    reqwest::Url::parse_with_params("http://localhost/", [("w", word)]).unwrap().query().unwrap().trim_start_matches("w=").to_owned()
}
