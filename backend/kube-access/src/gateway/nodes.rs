//! What people change of a node: whether new pods may come to it, its labels and its taints.

use super::{Gateway, Impersonation, Reach};
use crate::KubeError;
use crate::engine::{MERGE, segment};
use domain::clusters::TaintEffect;
use domain::marks::NodeMarks;
use http::{HeaderMap, Method};
use k8s_openapi::api::core::v1::{NodeSpec, Taint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde_json::json;

/// Taints are a list that is written as a whole: where somebody else wrote it meanwhile it is read again, so often.
const ATTEMPTS: usize = 3;

/// As much of a node as a change of its taints begins with.
#[derive(Deserialize)]
struct Seen {
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: NodeSpec,
}

impl Gateway {
    /// Opens a node to new pods or closes it, as the person.
    pub async fn set_schedulable(&self, who: &Impersonation, node: &str, schedulable: bool) -> Result<(), KubeError> {
        self.write(who, Method::PATCH, &path(node), MERGE, &json!({ "spec": { "unschedulable": !schedulable } })).await
    }

    /// Sets labels and taints of a node and takes some away, as the person. Both are changed, or none.
    pub async fn mark_node(&self, who: &Impersonation, node: &str, marks: &NodeMarks) -> Result<(), KubeError> {
        let (path, mut patch) = (path(node), json!({ "metadata": { "labels": marks.labels } }));
        if marks.taints.is_empty() && marks.remove_taints.is_empty() {
            return self.write(who, Method::PATCH, &path, MERGE, &patch).await;
        }
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let mut headers = HeaderMap::new();
            who.set(&mut headers, &Reach::Cluster)?;
            let seen: Seen = self.channel.get(&path, headers).await?;
            patch["metadata"]["resourceVersion"] = json!(seen.metadata.resource_version);
            patch["spec"]["taints"] = json!(taints(seen.spec.taints.unwrap_or_default(), marks));
            match self.write(who, Method::PATCH, &path, MERGE, &patch).await {
                Err(KubeError::Status { status: 409, .. }) if left > 0 => (),
                done => return done,
            }
        }
    }
}

fn path(node: &str) -> String {
    format!("/api/v1/nodes/{}", segment(node))
}

/// The taints there are to be.
fn taints(mut taints: Vec<Taint>, marks: &NodeMarks) -> Vec<Taint> {
    let is = |taint: &Taint, key: &str, effect: TaintEffect| taint.key == key && taint.effect == effect.as_str();
    taints.retain(|taint| !marks.remove_taints.iter().any(|gone| is(taint, &gone.key, gone.effect)));
    for wanted in &marks.taints {
        let value = Some(wanted.value.clone()).filter(|value| !value.is_empty());
        match taints.iter().position(|taint| is(taint, &wanted.key, wanted.effect)) {
            Some(at) => taints[at].value = value,
            None => taints.push(Taint { key: wanted.key.clone(), value, effect: wanted.effect.as_str().to_owned(), time_added: None }),
        }
    }
    taints
}
