//! What a create waited for, told by those that were waited for: the cloud's own states, Kubernetes' own times, and the guests' last word.
//!
//! KCS waits while, in the local cloud, a server, a volume or a load balancer is on its way to a state (BUILD, creating, PENDING_*), and while a
//! guest is on its way from ACTIVE to the moment at which it has said that it is done and Kubernetes says that its node became Ready. All else
//! is KCS's own, its calls to the cloud included. Where a look can err, it errs against KCS: the cloud is looked at every 50 ms and was waited
//! for between two looks only if both saw it busy; Kubernetes' times have whole seconds and are taken as the second's beginning.

use crate::dev::{Dev, Person, client};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const LOOK: Duration = Duration::from_millis(50);

/// Seconds since 1970.
type Moment = f64;

/// A stretch of time.
type Span = (Moment, Moment);

/// What the cloud showed.
#[derive(Default)]
struct Seen {
    busy: Vec<Span>,
    /// When each server was first seen ACTIVE.
    active: BTreeMap<String, Moment>,
}

/// Looks at the cloud while a cluster is made.
pub struct Watch {
    begun: Moment,
    stop: oneshot::Sender<()>,
    seen: JoinHandle<Seen>,
}

impl Watch {
    /// Begins with the request.
    pub fn start(dev: &Dev) -> Self {
        let (stop, stopped) = oneshot::channel();
        let seen = tokio::spawn(look(format!("{}/_local/dump", dev.cloud_url()), stopped));
        Self { begun: now(), stop, seen }
    }

    /// The stretches in which nothing was waited for, in seconds from the beginning.
    pub async fn own(self, member: &Person, cluster: &str) -> Vec<Span> {
        let ended = now();
        self.stop.send(()).unwrap();
        let seen = self.seen.await.unwrap();
        let (ready, done) = (nodes_ready(member, cluster).await, guests_done(member, cluster).await);
        let guests = done.into_iter().filter_map(|(name, done)| Some((*seen.active.get(&name)?, done.max(*ready.get(&name)?))));
        let waits = seen.busy.into_iter().chain(guests).collect();
        rest((self.begun, ended), waits).into_iter().map(|(from, to)| (from - self.begun, to - self.begun)).collect()
    }
}

async fn look(url: String, mut stopped: oneshot::Receiver<()>) -> Seen {
    let (http, mut seen, mut since) = (client(), Seen::default(), None);
    while stopped.try_recv().is_err() {
        let (asked, dump) = (now(), http.get(&url).send().await.unwrap().json::<Value>().await.unwrap());
        let mut busy = false;
        for object in dump["objects"].as_array().unwrap() {
            let (status, name) = (object["status"].as_str().unwrap_or_default(), object["name"].as_str().unwrap());
            match object["kind"].as_str().unwrap() {
                "server" if status == "ACTIVE" => {
                    seen.active.entry(name.to_owned()).or_insert_with(now);
                }
                "server" => busy |= status == "BUILD",
                "volume" => busy |= !matches!(status, "available" | "in-use"),
                "load_balancer" => busy |= status.starts_with("PENDING"),
                _ => {}
            }
        }
        if busy {
            seen.busy.extend(since.map(|from| (from, asked)));
        }
        since = busy.then_some(asked);
        tokio::time::sleep(LOOK).await;
    }
    seen
}

/// When each node became Ready, by the cluster's own word.
async fn nodes_ready(member: &Person, cluster: &str) -> BTreeMap<String, Moment> {
    let nodes = member.http.get(format!("{}/k8s/clusters/{cluster}/api/v1/nodes", member.url)).send().await.unwrap();
    let nodes: Value = nodes.json().await.unwrap();
    let ready = |node: &Value| {
        let conditions = node["status"]["conditions"].as_array().unwrap();
        let ready = conditions.iter().find(|c| c["type"] == "Ready").unwrap();
        (node["metadata"]["name"].as_str().unwrap().to_owned(), moment(&ready["lastTransitionTime"]))
    };
    nodes["items"].as_array().unwrap().iter().map(ready).collect()
}

/// When each guest said that its bootstrap is done.
async fn guests_done(member: &Person, cluster: &str) -> BTreeMap<String, Moment> {
    let nodes = member.get(&format!("/clusters/{cluster}/nodes")).await;
    let done = |node: &Value| (node["name"].as_str().unwrap().to_owned(), moment(&node["bootstrap"]["at"]));
    nodes["items"].as_array().unwrap().iter().map(done).collect()
}

#[allow(clippy::cast_precision_loss)]
fn moment(text: &Value) -> Moment {
    let at = OffsetDateTime::parse(text.as_str().unwrap(), &Rfc3339).unwrap();
    at.unix_timestamp_nanos() as Moment / 1e9
}

/// What is left of a stretch without those that overlap it.
fn rest((begun, ended): Span, mut waits: Vec<Span>) -> Vec<Span> {
    waits.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut own, mut at) = (Vec::new(), begun);
    for (from, to) in waits {
        if from > at {
            own.push((at, from.min(ended)));
        }
        at = at.max(to);
    }
    if at < ended {
        own.push((at, ended));
    }
    own
}

fn now() -> Moment {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}
