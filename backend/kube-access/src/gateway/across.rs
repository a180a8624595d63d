//! Lists over all namespaces for somebody who sees some of them only. An API server decides by the namespace that a path names, and refuses them the whole: each is
//! asked for by itself, as the person, and what comes is put together.

use super::collection::Collection;
use super::joined::{Lists, joined};
use super::{Answer, Body, BodyStream, Gateway, HEAD, Impersonation, Reach, answer, body, headers, path};
use crate::KubeError;
use crate::channel::{Channel, access};
use crate::engine::segment;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::pin::pin;

/// Namespaces asked for at the same time.
const AT_ONCE: usize = 8;
/// The largest namespace that is shown, and what all of a list may have: they are held until the last has come.
const NAMESPACE: usize = 1 << 20;
const NAMESPACES: usize = 8 << 20;

impl Gateway {
    /// The answer to such a list, of these namespaces. None: what is asked for is in no namespace.
    pub async fn across(&self, who: &Impersonation, names: Vec<String>, list: Collection) -> Result<Option<Answer>, KubeError> {
        path::check_query(&list.query)?;
        let Some(accept) = list.accept.clone() else {
            return Ok(Some(not_acceptable()));
        };
        let mut asked = HeaderMap::from_iter([(ACCEPT, accept)]);
        asked.extend(list.agent.clone().map(|agent| (USER_AGENT, agent)));
        let headers = headers::for_cluster(&asked, None, who, &Reach::Cluster)?;
        let asker = Asker { channel: self.channel.clone(), who: who.clone(), headers };
        if list.is_of_namespaces() {
            return asker.namespaces(names, &list).await.map(Some);
        }
        match self.kind(who, &list).await? {
            Some(kind) => asker.objects(names, &list, &kind).await.map(Some),
            None => Ok(None),
        }
    }

    /// What the objects of a list are; None: nothing that is in namespaces.
    async fn kind(&self, who: &Impersonation, list: &Collection) -> Result<Option<String>, KubeError> {
        #[derive(Deserialize)]
        struct Resources {
            resources: Option<Vec<Resource>>,
        }
        #[derive(Deserialize)]
        struct Resource {
            name: String,
            namespaced: bool,
            kind: String,
        }
        let mut headers = HeaderMap::new();
        who.set(&mut headers, &Reach::Nothing)?;
        match self.channel.get::<Resources>(&list.base, headers).await {
            Ok(found) => {
                let mut all = found.resources.unwrap_or_default().into_iter();
                Ok(all.find(|resource| resource.namespaced && resource.name == list.resource).map(|resource| resource.kind))
            }
            // There is no such group, or they may not know of it.
            Err(KubeError::Status { status: 403 | 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Asks for parts of a list.
#[derive(Clone)]
struct Asker {
    channel: Channel,
    who: Impersonation,
    headers: HeaderMap,
}

/// A namespace, and where a part of the list is that is of it.
type Asked = (String, String);

/// What a part came to.
enum Part<T> {
    Good(T),
    /// The namespace is not there yet or not any more, or its rules let the person see nothing of the kind.
    Nothing,
    /// The cluster says something else: that goes for the whole.
    Else(Answer),
}

impl Asker {
    async fn ask(&self, (namespace, path): &Asked) -> Result<Part<Response<Incoming>>, KubeError> {
        let mut request = Request::new(());
        *request.uri_mut() = path.parse().map_err(|_| KubeError::Refused("the query is not valid"))?;
        *request.headers_mut() = self.headers.clone();
        self.who.set(request.headers_mut(), &Reach::Namespace(namespace.clone()))?;
        let response = tokio::time::timeout(HEAD, self.channel.look(request)).await.unwrap_or(Err(KubeError::Timeout(HEAD)))?;
        Ok(match response.status() {
            StatusCode::OK => Part::Good(response),
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Part::Nothing,
            _ => Part::Else(answer(response, None, false).await?),
        })
    }

    /// The whole of a small part.
    async fn read(&self, asked: &Asked) -> Result<Part<Bytes>, KubeError> {
        let response = match self.ask(asked).await? {
            Part::Good(response) => response,
            Part::Nothing => return Ok(Part::Nothing),
            Part::Else(answer) => return Ok(Part::Else(answer)),
        };
        let body = tokio::time::timeout(HEAD, Limited::new(response.into_body(), NAMESPACE).collect()).await;
        let body = body.map_err(|_| KubeError::Timeout(HEAD))?.map_err(|e| KubeError::BadAnswer(e.to_string()))?;
        Ok(Part::Good(body.to_bytes()))
    }

    /// The objects of a kind. The first list alone sets the resourceVersion of all: the others are asked for after it, and are no older.
    async fn objects(self, names: Vec<String>, list: &Collection, kind: &str) -> Result<Answer, KubeError> {
        let path = |name: &String| {
            let path = format!("{}/namespaces/{}/{}", list.base, segment(name), list.resource);
            (name.clone(), if list.query.is_empty() { path } else { format!("{path}?{}", list.query) })
        };
        let mut parts = names.iter().map(path).collect::<Vec<_>>().into_iter();
        let first = loop {
            let Some(part) = parts.next() else {
                let empty = json!({"kind": format!("{kind}List"), "apiVersion": list.api_version(), "metadata": {}, "items": []});
                return Ok(said(StatusCode::OK, empty.to_string()));
            };
            match self.ask(&part).await? {
                Part::Good(response) => break response,
                Part::Nothing => (),
                Part::Else(answer) => return Ok(answer),
            }
        };
        let (head, begun) = first.into_parts();
        let others = stream::iter(parts).map(move |part| {
            let asker = self.clone();
            async move {
                match asker.ask(&part).await? {
                    Part::Good(response) => Ok(Some(pieces(response.into_body()))),
                    Part::Nothing => Ok(None),
                    // The beginning has gone out: it breaks off.
                    Part::Else(_) => Err(KubeError::BadAnswer("a list that is refused in one namespace and not in another".to_owned())),
                }
            }
        });
        let others: Lists = others.buffered(AT_ONCE).boxed();
        let mut whole = Response::new(body::together(joined(pieces(begun), others)).await);
        *whole.headers_mut() = headers::for_client(StatusCode::OK, &head.headers, false);
        for of_one in [CONTENT_LENGTH, ETAG, LAST_MODIFIED] {
            whole.headers_mut().remove(of_one);
        }
        Ok(Answer::Response(whole))
    }

    /// The namespaces themselves, each by its name. What they were made at is no place from which a watch could go on: their list has no resourceVersion.
    async fn namespaces(mut self, names: Vec<String>, list: &Collection) -> Result<Answer, KubeError> {
        if list.query.contains("Selector=") {
            return Err(KubeError::Refused("namespaces are listed without selectors for who sees some of them only"));
        }
        if let Some(asked) = self.headers.get(ACCEPT).and_then(|asked| asked.to_str().ok()) {
            let of_one = asked.replace("PartialObjectMetadataList", "PartialObjectMetadata");
            self.headers.insert(ACCEPT, HeaderValue::from_str(&of_one).map_err(access)?);
        }
        let query = if list.query.is_empty() { String::new() } else { format!("?{}", list.query) };
        let parts: Vec<Asked> = names.iter().map(|name| (name.clone(), format!("/api/v1/namespaces/{}{query}", segment(name)))).collect();
        let mut coming = pin!(stream::iter(&parts).map(|part| self.read(part)).buffered(AT_ONCE));
        let (mut bodies, mut length) = (Vec::new(), 0);
        while let Some(one) = coming.try_next().await? {
            match one {
                Part::Good(body) => {
                    length += body.len();
                    if length > NAMESPACES {
                        return Err(KubeError::BadAnswer("too much about namespaces".to_owned()));
                    }
                    bodies.push(body);
                }
                Part::Nothing => (),
                Part::Else(answer) => return Ok(answer),
            }
        }
        let text = of_namespaces(&bodies).map_err(|e| KubeError::BadAnswer(e.to_string()))?;
        Ok(said(StatusCode::OK, text))
    }
}

/// As much of a namespace, or of a table with one, as matters for a list of them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    kind: String,
    api_version: String,
    #[serde(borrow, default)]
    column_definitions: Option<&'a RawValue>,
    #[serde(borrow, default)]
    rows: Option<Vec<&'a RawValue>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Whole<'a> {
    kind: String,
    api_version: String,
    metadata: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    column_definitions: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<&'a RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<&'a RawValue>>,
}

fn of_namespaces(bodies: &[Bytes]) -> serde_json::Result<String> {
    let mut shown: Vec<Shown<'_>> = bodies.iter().map(|body| serde_json::from_slice(body)).collect::<Result<_, _>>()?;
    let (kind, api_version) = shown.first().map_or(("Namespace", "v1"), |first| (first.kind.as_str(), first.api_version.as_str()));
    let (kind, api_version, metadata) = (kind.to_owned(), api_version.to_owned(), json!({}));
    let whole = if kind == "Table" {
        let rows = shown.iter_mut().flat_map(|one| one.rows.take().unwrap_or_default()).collect();
        Whole { column_definitions: shown[0].column_definitions, rows: Some(rows), items: None, kind, api_version, metadata }
    } else {
        let items: Vec<&RawValue> = bodies.iter().map(|body| serde_json::from_slice(body)).collect::<Result<_, _>>()?;
        Whole { column_definitions: None, rows: None, items: Some(items), kind: format!("{kind}List"), api_version, metadata }
    };
    serde_json::to_string(&whole)
}

fn pieces(body: Incoming) -> BodyStream {
    Box::pin(body.into_data_stream().map(|piece| piece.map_err(std::io::Error::other)))
}

/// An answer in JSON that is ours.
fn said(status: StatusCode, text: String) -> Answer {
    let json = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let mut response = Response::new(Body::from(Bytes::from(text)));
    (*response.status_mut(), *response.headers_mut()) = (status, headers::for_client(status, &json, false));
    Answer::Response(response)
}

fn not_acceptable() -> Answer {
    let message = "only the following media types are accepted for a list over the namespaces of one's own: application/json";
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": "NotAcceptable", "code": 406});
    said(StatusCode::NOT_ACCEPTABLE, status.to_string())
}
