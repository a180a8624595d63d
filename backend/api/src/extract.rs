//! Bodies and query parameters with precise errors: every refusal is a problem that names its field.

use crate::errors::Problem;
use actix_web::dev::Payload;
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpRequest};
use domain::codes::Code;
use futures::StreamExt;
use futures::future::{LocalBoxFuture, Ready, ready};
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// The largest JSON body taken.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// A JSON body, read when the handler asks: who may not do it at all is told so first.
pub struct Body<T> {
    bytes: Result<BytesMut, Problem>,
    body: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Body<T> {
    /// The body, and its bytes as they came.
    ///
    /// # Errors
    /// A problem that names the field.
    pub fn read(self) -> Result<(T, BytesMut), Problem> {
        let bytes = self.bytes?;
        Ok((parse(&bytes)?, bytes))
    }
}

impl<T> FromRequest for Body<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let json = is_json(request);
        let announced = announced_length(request);
        let payload = payload.take();
        Box::pin(async move {
            let bytes = if json { read(payload, announced, BODY_LIMIT).await } else { Err(Problem::new(Code::UnsupportedMedia)) };
            Ok(Self { bytes, body: PhantomData })
        })
    }
}

/// A small plain-text body, as nodes send them.
pub struct Text(pub String);

/// The largest text body taken.
pub const TEXT_LIMIT: usize = 32 * 1024;

impl FromRequest for Text {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let announced = announced_length(request);
        let payload = payload.take();
        Box::pin(async move {
            let bytes = read(payload, announced, TEXT_LIMIT).await?;
            Ok(Self(String::from_utf8_lossy(&bytes).into_owned()))
        })
    }
}

fn is_json(request: &HttpRequest) -> bool {
    let content_type = request.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().is_some_and(|t| t.trim().eq_ignore_ascii_case("application/json"))
}

fn announced_length(request: &HttpRequest) -> Option<usize> {
    request.headers().get("content-length")?.to_str().ok()?.parse().ok()
}

async fn read(mut payload: Payload, announced: Option<usize>, limit: usize) -> Result<BytesMut, Problem> {
    let too_large = || Problem::new(Code::BodyTooLarge).param("limit", limit);
    if announced.is_some_and(|length| length >= limit) {
        return Err(too_large());
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::field("(body)", "could not be read to its end"))?;
        if bytes.len() + chunk.len() >= limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Reads JSON; an error names the field.
///
/// # Errors
/// KCS-INPUT-001 with the dotted path of the field.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|e| Problem::field(field_before(bytes, e.valid_up_to()), "is not valid UTF-8"))?;
    let tree: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| Problem::field("(body)", format!("is not valid JSON: {}", without_position(&error.to_string()))))?;
    serde_path_to_error::deserialize(crate::json::Strict(tree)).map_err(|error| wrong(&error.path().to_string(), &error.inner().to_string()))
}

/// The last key before a position, for errors that no parser sees.
fn field_before(bytes: &[u8], position: usize) -> String {
    let before = String::from_utf8_lossy(&bytes[..position]);
    let mut keys = before.rmatch_indices("\":").filter_map(|(end, _)| before[..end].rfind('"').map(|start| before[start + 1..end].to_owned()));
    keys.next().unwrap_or_else(|| "(body)".to_owned())
}

fn without_position(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).to_owned()
}

fn wrong(path: &str, message: &str) -> Problem {
    let named = ["missing field `", "unknown field `"].iter().find_map(|start| message.strip_prefix(start)).and_then(|rest| rest.split('`').next());
    let field = match named {
        Some(name) if path == "." => name.to_owned(),
        Some(name) if path != name && !path.ends_with(&format!(".{name}")) => format!("{path}.{name}"),
        _ if path == "." => "(body)".to_owned(),
        _ => path.to_owned(),
    };
    let message = if message.starts_with("missing field") {
        "is missing".to_owned()
    } else if message.starts_with("unknown field") {
        "is not known".to_owned()
    } else if let Some((_, expected)) = message.rsplit_once(", expected ") {
        // What was given instead is not said again: it may be a secret of the wrong type.
        format!("must be {expected}")
    } else {
        message.to_owned()
    };
    Problem::field(field.chars().take(200).collect::<String>(), message.chars().take(500).collect::<String>())
}

/// Query parameters, read when the handler asks; unknown ones are refused.
pub struct QueryParams<T> {
    text: String,
    params: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> QueryParams<T> {
    /// The parameters. Empty ones count as not given: `?phase=` is what an empty filter of a form sends.
    ///
    /// # Errors
    /// A problem that names the parameter.
    pub fn read(&self) -> Result<T, Problem> {
        let pairs = url::form_urlencoded::parse(self.text.as_bytes()).filter(|(_, value)| !value.is_empty());
        if let Some((name, _)) = pairs.clone().find(|(_, value)| value.contains('\0')) {
            return Err(Problem::field(name.chars().take(200).collect::<String>(), "must not hold a NUL character"));
        }
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let reader = serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(text.as_bytes()));
        serde_path_to_error::deserialize(reader).map_err(|error| wrong(&error.path().to_string(), &error.inner().to_string()))
    }
}

impl<T> FromRequest for QueryParams<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self { text: request.query_string().to_owned(), params: PhantomData }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::clusters::{ClusterDeletion, ClusterRequest};

    fn field<T: DeserializeOwned>(body: &[u8]) -> String {
        parse::<T>(body).err().and_then(|p| p.field).unwrap_or_default()
    }

    #[test]
    fn every_wrong_body_names_its_field() {
        assert_eq!(field::<ClusterRequest>(b"{}"), "name");
        assert_eq!(field::<ClusterRequest>(b"{\"name\":1}"), "name");
        assert_eq!(field::<ClusterRequest>(b"{\"name\":\"a\",\"size\":1}"), "size");
        assert_eq!(field::<ClusterRequest>(b"{\"name\":\"a\xff\"}"), "name");
        assert_eq!(field::<ClusterRequest>(br#"{"name":"a\u0000"}"#), "name");
        assert_eq!(field::<ClusterRequest>(b"{"), "(body)");
        assert_eq!(field::<ClusterRequest>(b"[]"), "(body)");
        assert_eq!(field::<ClusterRequest>(b"{\"name\":\"a\"} x"), "(body)");
        assert_eq!(field::<ClusterRequest>(br#"{"name":"a","spec":{"control_plane":{"count":-1}}}"#), "spec.control_plane.count");
        assert_eq!(
            field::<ClusterRequest>(br#"{"name":"a","spec":{"node_pools":[{"name":"p","flavor":"f","count":1e99}]}}"#),
            "spec.node_pools[0].count"
        );
        assert_eq!(field::<ClusterRequest>(br#"{"name":"a","spec":{"node_pools":[{"name":"p","count":1}]}}"#), "spec.node_pools[0].flavor");
        assert_eq!(field::<ClusterRequest>(br#"{"name":"a","spec":{"network":{"pod_cidr":"10.0.0.0"}}}"#), "spec.network.pod_cidr");
        assert_eq!(field::<ClusterDeletion>(br#"{"confirm":"a","volumes":"burn"}"#), "volumes");
        assert_eq!(field::<ClusterRequest>(br#"{"name":"a","spec":[]}"#), "spec");
        assert_eq!(field::<ClusterRequest>(br#"{"name":"a","spec":{"network":[]}}"#), "spec.network");
        assert!(parse::<ClusterDeletion>(br#"{"confirm":"a","volumes":"keep"}"#).is_ok());
        assert!(parse::<ClusterDeletion>(br#"{"confirm":"a","volumes":{"x":"erase"}}"#).is_ok());
        assert_eq!(field::<ClusterRequest>(&[b'['; 200_000]), "(body)");
    }
    #[test]
    fn a_refusal_says_what_is_wanted_and_not_what_was_given() {
        let password = parse::<crate::session::SignIn>(br#"{"username":"a","password":9081726354}"#).err();
        let exposure = parse::<ClusterRequest>(br#"{"name":"a","spec":{"api":{"exposure":"hunter2, expected or not"}}}"#).err();
        for (problem, field, given) in [(password, "password", "9081726354"), (exposure, "spec.api.exposure", "hunter2")] {
            let said = format!("{problem:?}");
            assert!(said.contains("must be ") && said.contains(field) && !said.contains(given), "{said}");
        }
    }
}
