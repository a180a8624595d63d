//! Headers are rebuilt, never passed through: from an allow-list, without those that `Connection` names, and our own set last.

use super::{Impersonation, Reach};
use crate::KubeError;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, DATE, ETAG,
    IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE, USER_AGENT, VARY, WARNING, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// What a request may carry to a cluster.
const REQUEST: [HeaderName; 9] =
    [ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, USER_AGENT];
const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");
/// What a request for an upgrade carries besides.
const UPGRADE_REQUEST: [HeaderName; 5] =
    [SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_EXTENSIONS, STREAM_PROTOCOL];
/// What an answer may carry back.
const RESPONSE: [HeaderName; 12] = [
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    DATE,
    ETAG,
    LAST_MODIFIED,
    RETRY_AFTER,
    VARY,
    WARNING,
    HeaderName::from_static("audit-id"),
    HeaderName::from_static("x-kubernetes-pf-flowschema-uid"),
    HeaderName::from_static("x-kubernetes-pf-prioritylevel-uid"),
];
/// Types of content that Kubernetes' API answers with, none of which a browser shows as a page or runs as a script.
const DATA: [&str; 13] = [
    "application/json",
    "application/yaml",
    "application/cbor",
    "application/cbor-seq",
    "application/vnd.kubernetes.protobuf",
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v3.v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v3@v1.0+protobuf",
    // Keys of service accounts' tokens, figures, profiles.
    "application/jwk-set+json",
    "application/openmetrics-text",
    "application/octet-stream",
    "text/plain",
];
const UPGRADE_RESPONSE: [HeaderName; 4] = [SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_EXTENSIONS, STREAM_PROTOCOL];
/// WebSocket subprotocols that are credentials, and none of the cluster's: browsers, which set no header with a socket, hand tokens over by them.
const TOKEN_PROTOCOLS: [&str; 2] = ["base64url.bearer.authorization.k8s.io.", CSRF_PROTOCOL];
/// The subprotocol by which one of our own pages says its CSRF token with a socket.
pub const CSRF_PROTOCOL: &str = "csrf.kcs.";

/// The protocol an upgrade is asked for, if it is one that Kubernetes speaks. Who wants the connection to end wants none; whoever decided on the request before
/// took it so.
pub fn upgrade_of(headers: &HeaderMap) -> Option<&'static str> {
    let named = |word: &str| connection_options(headers).any(|option| option.eq_ignore_ascii_case(word));
    if !named("upgrade") || named("close") {
        return None;
    }
    let protocol = headers.get(UPGRADE)?.to_str().ok()?;
    ["websocket", "SPDY/3.1"].into_iter().find(|known| known.eq_ignore_ascii_case(protocol.trim()))
}

/// The headers sent to the cluster, with a request that reaches so far.
pub fn for_cluster(from: &HeaderMap, upgrade: Option<&'static str>, who: &Impersonation, reach: &Reach) -> Result<HeaderMap, KubeError> {
    let mut to = allowed(from, &REQUEST);
    if let Some(protocol) = upgrade {
        to.remove(CONTENT_LENGTH);
        let extra = allowed(from, &UPGRADE_REQUEST);
        to.extend(extra);
        drop_token_protocols(&mut to)?;
        to.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        to.insert(UPGRADE, HeaderValue::from_static(protocol));
    }
    who.set(&mut to, reach)?;
    Ok(to)
}

/// The headers sent back. Whoever gets a `document` may keep it, and asks each time whether it is still the same; all else stays in no cache. What the cluster says of
/// that is not asked: Kubernetes lets a browser keep secrets, and a hostile one would have others keep them, too.
pub fn for_client(status: StatusCode, from: &HeaderMap, document: bool) -> HeaderMap {
    let mut to = allowed(from, &RESPONSE);
    to.insert(CACHE_CONTROL, HeaderValue::from_static(if document { "private, no-cache" } else { "no-store" }));
    // A log or an object of a tenant must never run as a page of ours, or as a script of one. A 304 speaks of a body the client has: a type said here would
    // take the place of that body's own in the client's cache.
    if status == StatusCode::NOT_MODIFIED {
        to.remove(CONTENT_TYPE);
    } else if !is_data(&to) {
        to.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    to.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    to.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'"));
    to
}

/// The headers of an answer that switches protocols.
pub fn for_tunnel(from: &HeaderMap, protocol: &'static str) -> HeaderMap {
    let mut to = allowed(from, &UPGRADE_RESPONSE);
    to.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    to.insert(UPGRADE, HeaderValue::from_static(protocol));
    to
}

/// Whether the content is said to be of one type that is data to a browser, whatever its parameters. Of several, in one header or in more, a browser takes the last.
fn is_data(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(one), None) = (types.next(), types.next()) else { return false };
    let Ok(one) = one.to_str() else { return false };
    let kind = one.split(';').next().unwrap_or_default().trim();
    !one.contains(',') && DATA.iter().any(|data| data.eq_ignore_ascii_case(kind))
}

fn allowed(from: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    let hop: Vec<String> = connection_options(from).map(str::to_ascii_lowercase).collect();
    from.iter()
        .filter(|(name, _)| names.contains(name) && !hop.iter().any(|h| h == name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .fold(HeaderMap::new(), |mut map, (name, value)| {
            map.append(name, value);
            map
        })
}

/// What the `Connection` headers name.
fn connection_options(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',').map(str::trim))
}

fn drop_token_protocols(headers: &mut HeaderMap) -> Result<(), KubeError> {
    let kept: Vec<String> = headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(',').map(str::trim))
        .filter(|protocol| !TOKEN_PROTOCOLS.iter().any(|token| protocol.starts_with(token)) && !protocol.is_empty())
        .map(str::to_owned)
        .collect();
    headers.remove(SEC_WEBSOCKET_PROTOCOL);
    if !kept.is_empty() {
        let value = HeaderValue::from_str(&kept.join(", ")).map_err(|_| KubeError::Refused("a header is not valid"))?;
        headers.insert(SEC_WEBSOCKET_PROTOCOL, value);
    }
    Ok(())
}
