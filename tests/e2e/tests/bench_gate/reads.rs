//! One object and lists.

use crate::figures::{Measured, Meter, Report, Times, forget_peak, peak};
use crate::ways::{Way, Ways};
use futures::StreamExt;
use serde_json::json;
use std::time::{Duration, Instant};

const MANY: usize = 5_000;
/// Each way has its turn so often: what the machine does otherwise meets all of them.
const TURNS: usize = 8;
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// The time until the whole answer is here.
async fn read(way: &Way, path: &str, accept: &str, encoding: &str) -> Duration {
    let begun = Instant::now();
    let answer = way.get(path).header("accept", accept).header("accept-encoding", encoding).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{} {path}", way.name);
    let mut body = answer.bytes_stream();
    while let Some(piece) = body.next().await {
        piece.unwrap();
    }
    begun.elapsed()
}

async fn measure(ways: &Ways, path: &str, accept: &str, encoding: &str, each_turn: usize) -> Measured {
    let mut measured = Measured::default();
    for turn in 0..=TURNS {
        for (number, way) in ways.all().into_iter().enumerate() {
            let meter = Meter::start(ways);
            let mut times = Times::default();
            for _ in 0..each_turn {
                times.add(read(way, path, accept, encoding).await);
            }
            // The first turn warms connections and caches.
            if turn > 0 {
                measured.add(number, times, &meter);
            }
        }
    }
    measured
}

pub async fn one_object(ways: &Ways, report: &mut Report) {
    let measured = measure(ways, "/api/v1/namespaces/kube-system/configmaps/kubeadm-config", "application/json", "identity", 100).await;
    report.rows("get one object", measured);
}

/// Pods that nobody places.
pub async fn fill(ways: &Ways) {
    let direct = &ways.direct;
    let namespace = json!({"metadata": {"name": "many"}});
    let made = direct.send(reqwest::Method::POST, "/api/v1/namespaces", "application/json", &namespace).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let account = "/api/v1/namespaces/many/serviceaccounts/default";
    let found = crate::dev::wait_for("the account of the namespace", Duration::from_secs(30), async || {
        direct.get(account).send().await.ok().filter(|answer| answer.status() == 200)
    });
    found.await.expect("no service account");
    let pods = (0..MANY).map(|number| async move {
        let pod = json!({
            "metadata": {"name": format!("pod-{number:05}"), "labels": {"app": "many", "number": number.to_string()}},
            "spec": {
                "schedulingGates": [{"name": "kcs.example/never"}],
                "containers": [{"name": "main", "image": "registry.example/shop/web:1.2.3", "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}}}],
            },
        });
        let made = direct.send(reqwest::Method::POST, "/api/v1/namespaces/many/pods", "application/json", &pod).send().await.unwrap();
        // To its end, or the stream would be reset.
        let (status, words) = (made.status(), made.text().await.unwrap());
        assert_eq!(status, 201, "{words}");
    });
    futures::stream::iter(pods).buffer_unordered(16).collect::<Vec<()>>().await;
}

pub async fn lists(ways: &Ways, report: &mut Report) {
    for (count, each_turn) in [(500, 6), (MANY, 2)] {
        for (form, accept) in [("JSON", "application/json"), ("protobuf", PROTOBUF)] {
            for encoding in ["identity", "gzip"] {
                let before = forget_peak(ways.kcs_process);
                let path = format!("/api/v1/namespaces/many/pods?limit={count}");
                let measured = measure(ways, &path, accept, encoding, each_turn).await;
                let what = format!("list {count} pods, {form}, {encoding}");
                report.rows(&what, measured);
                report.memory(&what, before, peak(ways.kcs_process));
            }
        }
    }
}
