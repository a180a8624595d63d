//! A list of everything of a kind, whatever its namespace: what of such a request is asked of each namespace when somebody sees some of them only.

use super::GatewayRequest;
use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method};

/// What goes to each namespace as it came. Neither `limit` nor `continue`: servers may answer with the whole, and do so here.
const QUERY: [&str; 4] = ["labelSelector", "fieldSelector", "timeoutSeconds", "includeObject"];
/// For which version of the cluster the answer is to be. Any other wish is met by the state of now.
const EXACT: &str = "resourceVersionMatch=Exact";
const JSON: &str = "application/json";

/// A list over all namespaces.
#[derive(Clone, Debug)]
pub struct Collection {
    /// `/api/v1`
    pub(super) base: String,
    /// `pods`
    pub(super) resource: String,
    pub(super) query: String,
    /// The forms of JSON that are asked for, in their order. None: only others are.
    pub(super) accept: Option<HeaderValue>,
    pub(super) agent: Option<HeaderValue>,
}

impl Collection {
    /// None: the request is something else, or would go on.
    pub(super) fn of(request: &GatewayRequest) -> Option<Self> {
        let query = request.query.as_deref().unwrap_or_default();
        if request.method != Method::GET || watches(query) {
            return None;
        }
        let inner = request.path.strip_prefix('/')?;
        let segments: Vec<&str> = inner.strip_suffix('/').unwrap_or(inner).split('/').collect();
        // As it came over the wire: what is encoded is no name of a kind.
        if !segments.iter().all(|segment| is_plain(segment)) {
            return None;
        }
        let (base, resource) = match segments.as_slice() {
            ["api", version, resource] => (format!("/api/{version}"), *resource),
            ["apis", group, version, resource] => (format!("/apis/{group}/{version}"), *resource),
            _ => return None,
        };
        let agent = request.headers.get(USER_AGENT).cloned();
        Some(Self { base, resource: resource.to_owned(), query: passed(query), accept: accepted(&request.headers), agent })
    }

    /// Of the namespaces themselves, which are in none.
    pub(super) fn is_of_namespaces(&self) -> bool {
        self.base == "/api/v1" && self.resource == "namespaces"
    }

    /// `apps/v1`
    pub(super) fn api_version(&self) -> &str {
        self.base.strip_prefix("/apis/").or_else(|| self.base.strip_prefix("/api/")).unwrap_or_default()
    }
}

fn is_plain(segment: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    segment.bytes().any(|b| b != b'.') && segment.bytes().all(plain)
}

/// As the API server reads a switch: whatever is not false is true.
fn watches(query: &str) -> bool {
    let said = query.split('&').find_map(|pair| match pair.split_once('=') {
        Some((name, value)) => (name == "watch").then_some(value),
        None => (pair == "watch").then_some(""),
    });
    said.is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
}

fn passed(query: &str) -> String {
    let exact = query.split('&').any(|pair| pair == EXACT);
    let passes = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        QUERY.contains(&name) || (exact && matches!(name, "resourceVersion" | "resourceVersionMatch"))
    };
    query.split('&').filter(passes).collect::<Vec<_>>().join("&")
}

fn accepted(headers: &HeaderMap) -> Option<HeaderValue> {
    let asked = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let asked: Vec<&str> = asked.map(str::trim).filter(|range| !range.is_empty()).collect();
    if asked.is_empty() {
        return Some(HeaderValue::from_static(JSON));
    }
    let json = asked.into_iter().filter_map(|range| match range.split(';').next().unwrap_or_default().trim() {
        JSON => Some(range),
        "application/*" | "*/*" => Some(JSON),
        _ => None,
    });
    let json = json.collect::<Vec<_>>().join(",");
    HeaderValue::from_str(&json).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn collection(method: &str, path: &str, accept: &str) -> Option<Collection> {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let mut request = GatewayRequest::new(method, path, query, Box::pin(futures::stream::empty())).unwrap();
        request.add_header("accept", accept.as_bytes());
        request.collection()
    }

    #[test]
    fn lists_over_all_namespaces_are_told_from_all_else() {
        for (path, base, resource, query) in [
            ("/api/v1/pods", "/api/v1", "pods", ""),
            ("/api/v1/pods/", "/api/v1", "pods", ""),
            ("/api/v1/pods?watch=false&limit=500&labelSelector=a%3Db", "/api/v1", "pods", "labelSelector=a%3Db"),
            ("/apis/apps/v1/deployments?continue=x&includeObject=None", "/apis/apps/v1", "deployments", "includeObject=None"),
            ("/apis/example.com/v1/things?resourceVersion=0", "/apis/example.com/v1", "things", ""),
            ("/api/v1/pods?resourceVersion=7&resourceVersionMatch=Exact", "/api/v1", "pods", "resourceVersion=7&resourceVersionMatch=Exact"),
        ] {
            let found = collection("GET", path, "").unwrap();
            assert_eq!((found.base.as_str(), found.resource.as_str(), found.query.as_str()), (base, resource, query), "{path}");
        }
        for path in [
            "/api/v1",
            "/version",
            "/api/v1/pods?watch=1",
            "/api/v1/pods?limit=1&watch",
            "/api/v1/pods?watch=yes",
            "/api/v1/watch/pods",
            "/api/v1/namespaces/web/pods",
            "/api/v1/nodes/n",
            "/api/v1/p%6fds",
            "/api/v1/..",
            "//v1/pods",
        ] {
            assert!(collection("GET", path, "").is_none(), "{path}");
        }
        assert!(collection("DELETE", "/api/v1/pods", "").is_none() && collection("HEAD", "/api/v1/pods", "").is_none());
    }

    #[test]
    fn of_the_forms_that_are_asked_for_those_of_json_are_kept() {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
        for (asked, kept) in [
            ("", Some("application/json")),
            ("application/vnd.kubernetes.protobuf, */*", Some("application/json")),
            ("application/vnd.kubernetes.protobuf,application/json;q=0.9", Some("application/json;q=0.9")),
            (format!("{table}, application/json").as_str(), Some(format!("{table},application/json").as_str())),
            ("application/vnd.kubernetes.protobuf", None),
            ("application/yaml", None),
        ] {
            let found = collection("GET", "/api/v1/pods", asked).unwrap().accept;
            assert_eq!(found.as_ref().map(|value| value.to_str().unwrap()), kept, "{asked}");
        }
    }
}
