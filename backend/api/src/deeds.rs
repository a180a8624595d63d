//! What a change in a cluster is about, for the audit log: the object that is made and the fields that a patch names, as far as request and answer say it
//! themselves. Names only and never a value, which may be a secret.

use futures::{StreamExt, stream};
use http::header::CONTENT_LENGTH;
use http::{Method, Response};
use kube_access::GatewayRequest;
use kube_access::gateway::{Body, BodyStream};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::time::Duration;

/// A body is looked at up to this size; a larger one goes through unseen.
const LOOK: usize = 64 << 10;
/// And if it comes within this time: nobody holds a line of the log up for longer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Fields that are told of a patch, and characters of a name.
const FIELDS: usize = 30;
const NAME: usize = 253;
/// What is known by the field within it.
const WITHIN: [&str; 3] = ["metadata", "spec", "status"];
/// What every patch has to say, whatever it changes.
const KIND: [&str; 2] = ["apiVersion", "kind"];
/// What of a query says to which objects something is done, and whether it is done at all.
const SELECTS: [&str; 3] = ["dryRun", "fieldSelector", "labelSelector"];

/// What a request says of itself.
#[derive(Debug, Default)]
pub struct Asked {
    pub detail: Map<String, Value>,
    /// It makes an object, and only the answer may say which.
    pub nameless: bool,
}

#[derive(Deserialize)]
struct Object {
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    name: Option<String>,
    generate_name: Option<String>,
}

/// What the body says; it goes on as it came.
pub async fn asked(outgoing: &mut GatewayRequest) -> Asked {
    let mut asked = Asked::default();
    if outgoing.creates() {
        let object = looked_at(outgoing).await.and_then(|body| serde_json::from_slice::<Object>(&body).ok());
        let metadata = object.map(|object| object.metadata).unwrap_or_default();
        let told = |name: Option<String>| name.map(|name| printable(&name, NAME)).filter(|name| !name.is_empty());
        match (told(metadata.name), told(metadata.generate_name)) {
            (Some(name), _) => drop(asked.detail.insert("object".to_owned(), name.into())),
            (None, generate) => {
                asked.nameless = true;
                asked.detail.extend(generate.map(|name| ("generate_name".to_owned(), name.into())));
            }
        }
    } else if outgoing.method == Method::PATCH
        && let Some(patch) = looked_at(outgoing).await.and_then(|body| serde_json::from_slice::<Value>(&body).ok())
    {
        let fields = fields(&patch);
        if fields.len() > FIELDS {
            asked.detail.insert("cut".to_owned(), serde_json::json!({ "fields": fields.len() }));
        }
        asked.detail.insert("fields".to_owned(), fields.into_iter().take(FIELDS).collect());
    }
    asked
}

/// To which of many objects something is done, and whether only to try it.
pub fn selected(query: Option<&str>) -> String {
    let query = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let told: Vec<String> = query.filter(|(key, _)| SELECTS.contains(&&**key)).map(|(key, value)| format!("{key}={value}")).collect();
    printable(&told.join("&"), usize::MAX)
}

/// The name of the object that an answer shows, if all of it has come.
pub fn made(answer: &Response<Body>) -> Option<String> {
    let object: Object = serde_json::from_slice(answer.body().seen()?).ok()?;
    object.metadata.name.map(|name| printable(&name, NAME)).filter(|name| !name.is_empty())
}

/// A row of the database holds no NUL, and a line of the log no line break.
fn printable(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

/// All of the body, where it is small and comes soon. Whatever has come of it is put back in front of the rest.
async fn looked_at(outgoing: &mut GatewayRequest) -> Option<Vec<u8>> {
    let length = outgoing.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > LOOK) {
        return None;
    }
    let mut body = std::mem::replace(&mut outgoing.body, Box::pin(stream::empty()));
    let (mut pieces, mut length, mut ended) = (Vec::new(), 0, false);
    let coming = async {
        while length <= LOOK && !ended {
            match body.next().await {
                Some(piece) => {
                    // What is broken ends there.
                    ended = piece.is_err();
                    length += piece.as_ref().map_or(LOOK + 1, |piece| piece.len());
                    pieces.push(piece);
                }
                None => ended = true,
            }
        }
    };
    let came = tokio::time::timeout(PATIENCE, coming).await.is_ok() && length <= LOOK;
    let whole = came.then(|| pieces.iter().flatten().flat_map(|piece| piece.iter().copied()).collect());
    let rest: BodyStream = if ended { Box::pin(stream::empty()) } else { body };
    outgoing.body = Box::pin(stream::iter(pieces).chain(rest));
    whole
}

/// What a patch names: one that is merged by its own form, a list of steps by where they lead.
fn fields(patch: &Value) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    match patch {
        Value::Object(patch) => {
            for (name, inner) in patch.iter().filter(|(name, _)| !KIND.contains(&name.as_str())) {
                match inner {
                    Value::Object(inner) if WITHIN.contains(&name.as_str()) => fields.extend(inner.keys().map(|key| field(name, Some(key.as_str())))),
                    _ => {
                        fields.insert(field(name, None));
                    }
                }
            }
        }
        Value::Array(steps) => {
            for path in steps.iter().flat_map(|step| [&step["path"], &step["from"]]).filter_map(Value::as_str) {
                let mut names = path.split('/').skip(1);
                fields.extend(names.next().map(|name| field(name, names.next().filter(|_| WITHIN.contains(&name)))));
            }
        }
        _ => {}
    }
    fields
}

fn field(name: &str, within: Option<&str>) -> String {
    let whole = within.map_or_else(|| name.to_owned(), |within| format!("{name}.{within}"));
    printable(&whole, NAME)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use actix_web::web::Bytes;
    use serde_json::json;

    fn named(patch: &Value) -> Vec<String> {
        fields(patch).into_iter().collect()
    }

    #[test]
    fn a_patch_is_told_by_the_fields_it_names_and_never_by_a_value() {
        let merge = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"labels": {"a": "b"}}, "data": {"password": "c2VjcmV0"}, "spec": {"replicas": 3}});
        assert_eq!(named(&merge), ["data", "metadata.labels", "spec.replicas"]);
        let steps = json!([
            {"op": "replace", "path": "/spec/replicas", "value": 3},
            {"op": "add", "path": "/data/password", "value": "c2VjcmV0"},
            {"op": "move", "from": "/metadata/annotations/x~1y", "path": "/spec/template/spec"},
            {"op": "test"},
        ]);
        assert_eq!(named(&steps), ["data", "metadata.annotations", "spec.replicas", "spec.template"]);
        assert_eq!(named(&json!("a text")), Vec::<String>::new());
    }

    #[test]
    fn of_a_query_only_what_selects_is_told() {
        assert_eq!(selected(Some("labelSelector=app%3Dweb%00&token=x&dryRun=All&limit=5")), "labelSelector=app=web&dryRun=All");
        assert_eq!(selected(None), "");
    }

    fn piece(bytes: Vec<u8>) -> std::io::Result<Bytes> {
        Ok(bytes.into())
    }

    /// A request with a body that comes in these pieces.
    fn request(method: &str, path: &str, pieces: Vec<Vec<u8>>) -> GatewayRequest {
        let body = stream::iter(pieces.into_iter().map(piece));
        GatewayRequest::new(method, path, None, Box::pin(body)).unwrap()
    }

    async fn body(request: GatewayRequest) -> Vec<u8> {
        request.body.map(|piece| piece.unwrap().to_vec()).concat().await
    }

    #[tokio::test]
    async fn a_body_goes_on_as_it_came_whether_it_was_looked_at_or_not() {
        let pods = "/api/v1/namespaces/default/pods";
        let small = vec![br#"{"metadata":{"na"#.to_vec(), br#"me":"web"},"spec":{}}"#.to_vec()];
        let mut create = request("POST", pods, small.clone());
        let said = asked(&mut create).await;
        assert_eq!((said.nameless, said.detail), (false, Map::from_iter([("object".to_owned(), json!("web"))])));
        assert_eq!(body(create).await, small.concat());
        let large = vec![small[0].clone(), vec![b' '; LOOK], small[1].clone()];
        for pieces in [large, vec![b"k8s\0\n\x0c".to_vec()], Vec::new()] {
            let mut create = request("POST", pods, pieces.clone());
            let said = asked(&mut create).await;
            assert!(said.nameless && said.detail.is_empty());
            assert_eq!(body(create).await, pieces.concat());
        }
        // The path says what it is about.
        let mut evict = request("POST", "/api/v1/namespaces/default/pods/web/eviction", small);
        assert!(!asked(&mut evict).await.nameless);
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_a_body_slowly_is_not_waited_for_and_loses_none_of_it() {
        let begun = stream::iter([piece(b"{".to_vec())]);
        let late = stream::once(async {
            tokio::time::sleep(2 * PATIENCE).await;
            piece(b"}".to_vec())
        });
        let mut create = GatewayRequest::new("POST", "/api/v1/namespaces", None, Box::pin(begun.chain(late))).unwrap();
        assert!(asked(&mut create).await.nameless);
        assert_eq!(body(create).await, b"{}");
    }

    #[tokio::test]
    async fn of_many_fields_some_are_told_and_how_many_there_were() {
        let patch = Value::Object((0..50).map(|number| (format!("field-{number:02}"), json!("c2VjcmV0"))).collect());
        let mut request = request("PATCH", "/api/v1/namespaces/default/pods/web", vec![patch.to_string().into_bytes()]);
        let said = asked(&mut request).await.detail;
        assert_eq!((said["fields"].as_array().unwrap().len(), &said["cut"]), (FIELDS, &json!({"fields": 50})));
        assert!(!Value::Object(said).to_string().contains("c2VjcmV0"));
    }
}
