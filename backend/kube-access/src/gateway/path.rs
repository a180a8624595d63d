//! The path of a request to a Kubernetes API, taken apart as the API server does it. What two readers could understand differently is refused.

use crate::KubeError;

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KubePath {
    /// `/version`, `/openapi/v3`, `/api`, `/apis/apps/v1`, ...
    NonResource,
    Resource(Resource),
}

/// One resource, or one object of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Empty: the core group.
    pub group: String,
    /// None: of no namespace, or of all.
    pub namespace: Option<String>,
    /// `pods`
    pub resource: String,
    /// Of the one object; None: all, or a watch in the old way.
    pub name: Option<String>,
    pub subresource: Option<String>,
}

impl KubePath {
    /// Checks and parses a path as it came over the wire.
    pub fn parse(raw: &str) -> Result<Self, KubeError> {
        let decoded = decode(raw)?;
        let inner = decoded.strip_prefix('/').ok_or(KubeError::Refused("the path must begin with /"))?;
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        let segments: Vec<&str> = if inner.is_empty() { Vec::new() } else { inner.split('/').collect() };
        if segments.iter().any(|s| s.is_empty() || *s == "." || *s == "..") {
            return Err(KubeError::Refused("the path has an empty or dot segment"));
        }
        let (group, rest) = match segments.as_slice() {
            ["api", _version, rest @ ..] => ("", rest),
            ["apis", group, _version, rest @ ..] => (*group, rest),
            _ => return Ok(Self::NonResource),
        };
        // `/api/v1/watch/...` is an old way to watch, `/api/v1/proxy/...` an old way to proxy.
        let (watched, rest) = match rest {
            ["watch", rest @ ..] => (true, rest),
            ["proxy", ..] => return Err(PROXY),
            rest => (false, rest),
        };
        let (namespace, rest) = match rest {
            ["namespaces", _, "status" | "finalize", ..] => (None, rest),
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some((*namespace).to_owned()), rest),
            rest => (None, rest),
        };
        let Some(resource) = rest.first() else {
            return Ok(Self::NonResource);
        };
        let name = rest.get(1).filter(|_| !watched).map(|s| (*s).to_owned());
        let subresource = rest.get(2).map(|s| (*s).to_owned());
        let parsed = Resource { group: group.to_owned(), namespace, resource: (*resource).to_owned(), name, subresource };
        if parsed.group.is_empty() && parsed.subresource.as_deref() == Some("proxy") {
            return Err(PROXY);
        }
        Ok(Self::Resource(parsed))
    }
}

/// Through a proxy of the API server one reaches whatever it reaches, and kubelets with its rights.
const PROXY: KubeError = KubeError::Forbidden("the proxies of nodes, services and pods are not open; use port-forward");

/// Decodes once; what would still be encoded, or changes the path's structure, is refused.
fn decode(raw: &str) -> Result<String, KubeError> {
    const ODD: KubeError = KubeError::Refused("the path has characters that are not allowed");
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            if !byte.is_ascii_graphic() || matches!(byte, b';' | b'\\' | b'?' | b'#') {
                return Err(ODD);
            }
            decoded.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(ODD);
        };
        let value = u8::try_from(high * 16 + low).map_err(|_| ODD)?;
        if value.is_ascii_control() || matches!(value, b'/' | b'.' | b';' | b'\\' | b'%' | b'?' | b'#') {
            return Err(ODD);
        }
        decoded.push(value);
    }
    String::from_utf8(decoded).map_err(|_| ODD)
}

/// Refuses a query that we would take apart into other words than the API server, or that it would drop words of.
pub fn check_query(raw: &str) -> Result<(), KubeError> {
    const ODD: KubeError = KubeError::Refused("the query has characters that are not allowed");
    let plain = raw.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b';' | b'\\' | b'#'));
    let encoded = raw.split('%').skip(1).all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()));
    if plain && encoded { Ok(()) } else { Err(ODD) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn resource(path: &str) -> (String, String, Option<String>) {
        match KubePath::parse(path).unwrap() {
            KubePath::Resource(r) => (r.group, r.resource, r.subresource),
            KubePath::NonResource => panic!("{path}"),
        }
    }

    #[test]
    fn paths_are_taken_apart_as_the_api_server_does() {
        let found = |group: &str, resource: &str, sub: Option<&str>| (group.to_owned(), resource.to_owned(), sub.map(str::to_owned));
        for (path, expected) in [
            ("/api/v1/pods", found("", "pods", None)),
            ("/api/v1/namespaces", found("", "namespaces", None)),
            ("/api/v1/namespaces/a", found("", "namespaces", None)),
            ("/api/v1/namespaces/a/finalize", found("", "namespaces", Some("finalize"))),
            ("/api/v1/namespaces/secrets/pods/exec", found("", "pods", None)),
            ("/api/v1/namespaces/a/pods/b/exec", found("", "pods", Some("exec"))),
            ("/api/v1/watch/namespaces/a/secrets/b", found("", "secrets", None)),
            ("/apis/apps/v1/namespaces/a/deployments/b/scale", found("apps", "deployments", Some("scale"))),
            ("/apis/example.com/v1/secrets", found("example.com", "secrets", None)),
            ("/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode", found("rbac.authorization.k8s.io", "clusterroles", None)),
        ] {
            assert_eq!(resource(path), expected, "{path}");
        }
        for path in ["/", "/version", "/api", "/api/v1", "/apis/apps/v1/", "/openapi/v3/apis/apps/v1", "/readyz/ping"] {
            assert_eq!(KubePath::parse(path).unwrap(), KubePath::NonResource, "{path}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for path in [
            "",
            "api/v1",
            "//api/v1",
            "/api//v1",
            "/api/v1/../secrets",
            "/api/v1/./pods",
            "/api/v1/pods/%2e%2e",
            "/api/v1/a%2Fb",
            "/api/v1/a%5cb",
            "/api/v1/a%00b",
            "/api/v1/a%252fb",
            "/api/v1/a;b",
            "/api/v1/a\\b",
            "/api/v1/a b",
            "/api/v1/a%",
            "/api/v1/a%2",
            "/api/v1/a%zz",
            "/api/v1/a%ff",
            "/api/v1/a\n",
            "/api/v1/\u{e4}",
            "/api/v1/a?b",
            "/api/v1/a#b",
            "/api/v1/a%3Bb",
            "/api/v1/pods//",
        ] {
            assert!(matches!(KubePath::parse(path), Err(KubeError::Refused(_))), "{path:?}");
        }
    }

    #[test]
    fn a_query_that_could_be_read_in_two_ways_is_refused() {
        for good in
            ["", "watch=1", "labelSelector=app%3Dweb%2Ctier%20in%20%28a%29", "command=sh&command=-c&command=a%3Bb%0Ac", "container=a:b", "x=%FF"]
        {
            assert!(check_query(good).is_ok(), "{good}");
        }
        for bad in ["a=1;b=2", "a=%", "a=%2", "a=%zz", "a= b", "a=\n", "a=\u{e4}", "a=#", "a=b\\c"] {
            assert!(check_query(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn proxies_are_closed() {
        for path in [
            "/api/v1/nodes/n/proxy",
            "/api/v1/nodes/n/proxy/run/x",
            "/api/v1/namespaces/a/pods/p/proxy",
            "/api/v1/namespaces/a/pods/https:p:443/proxy/x",
            "/api/v1/namespaces/a/services/s/proxy/",
            "/api/v1/proxy/namespaces/a/services/s",
            "/api/v1/namespaces/a/services/s/pro%78y",
        ] {
            assert!(matches!(KubePath::parse(path), Err(KubeError::Forbidden(_))), "{path}");
        }
    }
}
