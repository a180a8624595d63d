//! What the engine applied in the clusters' APIs. All clusters get the same add-ons: each object is kept once for all, and of a cluster only which
//! of them it has, some bytes; lists are written once and given to every cluster that has the same.

use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// The label of everything that add-ons are made of. Nothing else is kept: tokens and access rules are never asked for.
const LABEL: &str = "kcs.io/addon";
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";
const BEGUN: &str = "2026-01-01T00:00:00Z";

/// Where a request leads.
pub struct Place {
    /// Without the namespace: `/apis/apps/v1/daemonsets`.
    pub collection: String,
    pub namespace: Option<String>,
    pub name: Option<String>,
}

/// As the first cluster applied it, with what an API server and controllers add.
struct Object {
    collection: String,
    namespace: String,
    name: String,
    value: Value,
}

/// What a cluster has, a bit for each object; and which of it was made the default class.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Held {
    there: u128,
    default: u128,
}

/// A list: of what, whether only the metadata, and what is in it.
type Listed = (String, bool, Held);

#[derive(Default)]
pub struct Objects {
    all: Vec<Object>,
    /// By network.
    clusters: HashMap<String, Held>,
    lists: HashMap<Listed, Arc<str>>,
}

impl Place {
    pub fn of(path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let root = if parts.first() == Some(&"api") { 2 } else { 3 };
        let (root, rest) = parts.split_at(root.min(parts.len()));
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some((*namespace).to_owned()), rest),
            _ => (None, rest),
        };
        let collection = root.iter().chain(rest.first()).map(|part| format!("/{part}")).collect();
        Self { collection, namespace, name: rest.get(1).map(|name| (*name).to_owned()) }
    }

    /// The kind of a list in which there is nothing that would say it.
    fn kind(&self) -> &'static str {
        match self.collection.rsplit('/').next() {
            Some("namespaces") => "Namespace",
            Some("pods") => "Pod",
            Some("storageclasses") => "StorageClass",
            Some("volumeattachments") => "VolumeAttachment",
            _ => "",
        }
    }
}

impl Objects {
    /// Takes a server-side apply, or the choice of a default class; whatever else is written is forgotten.
    pub fn patch(&mut self, cluster: &str, place: &Place, body: &Value) {
        if body["metadata"]["labels"].get(LABEL).is_some() {
            let number = self.number(place, body);
            self.held(cluster).there |= 1 << number;
        } else if body["metadata"]["annotations"].get(DEFAULT_CLASS).is_some()
            && let Some(number) = self.find(place)
        {
            self.held(cluster).default |= 1 << number;
        }
    }

    /// What the cluster has of a collection; `selector` is the name of a label or `name=value`.
    pub fn list(&mut self, cluster: &str, place: &Place, selector: Option<&str>, metadata_only: bool) -> Arc<str> {
        let held = *self.held(cluster);
        let within = |object: &Object| {
            object.collection == place.collection
                && place.namespace.as_ref().is_none_or(|namespace| *namespace == object.namespace)
                && selector.is_none_or(|selector| carries(&object.value, selector))
        };
        let numbers = self.all.iter().enumerate().filter(|(_, object)| within(object)).map(|(number, _)| number);
        let mask: u128 = numbers.fold(0, |mask, number| mask | (1 << number));
        let shown = Held { there: held.there & mask, default: held.default & mask };
        let written = self.lists.entry((place.collection.clone(), metadata_only, shown));
        written.or_insert_with(|| write(&self.all, place, metadata_only, shown)).clone()
    }

    fn held(&mut self, cluster: &str) -> &mut Held {
        self.clusters.entry(cluster.to_owned()).or_default()
    }

    fn find(&self, place: &Place) -> Option<usize> {
        let (namespace, name) = (place.namespace.as_deref().unwrap_or_default(), place.name.as_deref());
        self.all.iter().position(|o| o.collection == place.collection && o.namespace == namespace && Some(o.name.as_str()) == name)
    }

    /// Its place among all, which it gets when the first cluster applies it.
    fn number(&mut self, place: &Place, body: &Value) -> usize {
        if let Some(number) = self.find(place) {
            return number;
        }
        let number = self.all.len();
        assert!(number < 128, "add-ons of more than 128 objects");
        self.all.push(Object {
            collection: place.collection.clone(),
            namespace: place.namespace.clone().unwrap_or_default(),
            name: place.name.clone().unwrap_or_default(),
            value: complete(body, number),
        });
        number
    }
}

fn has(mask: u128, number: usize) -> bool {
    mask & (1 << number) != 0
}

fn carries(value: &Value, selector: &str) -> bool {
    let labels = &value["metadata"]["labels"];
    match selector.split_once('=') {
        Some((label, wanted)) => labels[label] == wanted,
        None => labels.get(selector).is_some(),
    }
}

/// As an API server gives it back and its controllers have made it: everything runs.
fn complete(body: &Value, number: usize) -> Value {
    let mut value = body.clone();
    if value["kind"] == "Secret"
        && let Some(fields) = value.as_object_mut()
    {
        fields.retain(|name, _| name != "data" && name != "stringData");
    }
    let managed = json!({
        "manager": "kcs", "operation": "Apply", "apiVersion": body["apiVersion"], "time": BEGUN, "fieldsType": "FieldsV1", "fieldsV1": fields(&value),
    });
    value["metadata"]["uid"] = json!(format!("00000000-0000-4000-8000-{number:012}"));
    value["metadata"]["resourceVersion"] = json!((number + 100).to_string());
    value["metadata"]["creationTimestamp"] = json!(BEGUN);
    value["metadata"]["managedFields"] = json!([managed]);
    let status = match body["kind"].as_str() {
        Some("Deployment") => {
            let replicas = body["spec"]["replicas"].as_u64().unwrap_or(1);
            json!({"replicas": replicas, "readyReplicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas})
        }
        Some("DaemonSet") => json!({"desiredNumberScheduled": 1, "currentNumberScheduled": 1, "numberReady": 1, "updatedNumberScheduled": 1}),
        _ => return value,
    };
    value["metadata"]["generation"] = json!(1);
    value["status"] = status;
    value["status"]["observedGeneration"] = json!(1);
    value
}

/// Which fields somebody wrote, as `managedFields` names them.
fn fields(value: &Value) -> Value {
    match value {
        Value::Object(inner) => inner.iter().map(|(name, value)| (format!("f:{name}"), fields(value))).collect::<Map<_, _>>().into(),
        _ => json!({}),
    }
}

fn write(all: &[Object], place: &Place, metadata_only: bool, shown: Held) -> Arc<str> {
    let mut items = Vec::new();
    for (number, object) in all.iter().enumerate().filter(|(number, _)| has(shown.there, *number)) {
        let mut value = object.value.clone();
        if has(shown.default, number) {
            value["metadata"]["annotations"][DEFAULT_CLASS] = json!("true");
        }
        items.push(if metadata_only { json!({"metadata": value["metadata"]}) } else { value });
    }
    let kind = match items.first().and_then(|item| item["kind"].as_str()) {
        _ if metadata_only => "PartialObjectMetadataList".to_owned(),
        Some(kind) => format!("{kind}List"),
        None => format!("{}List", place.kind()),
    };
    let version = place.collection.trim_start_matches("/apis/").trim_start_matches("/api/").rsplit_once('/').map_or("v1", |(version, _)| version);
    let version = if metadata_only { "meta.k8s.io/v1" } else { version };
    json!({"kind": kind, "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": items}).to_string().into()
}
