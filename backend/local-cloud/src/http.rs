//! A call as handlers see it, its answer, and the error body each service would write.

use crate::faults::ObjectFault;
use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The services of the cloud, by their type in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    Identity,
    Compute,
    Network,
    BlockStorage,
    Image,
    LoadBalancer,
}

impl Service {
    pub const ALL: [Self; 6] = [Self::Identity, Self::Compute, Self::Network, Self::BlockStorage, Self::Image, Self::LoadBalancer];

    /// First segment of its URLs.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Compute => "compute",
            Self::Network => "network",
            Self::BlockStorage => "volume",
            Self::Image => "image",
            Self::LoadBalancer => "load-balancer",
        }
    }

    pub(crate) fn of_prefix(prefix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.prefix() == prefix)
    }
}

/// Who calls, from the token.
#[derive(Clone, Debug, Default)]
pub(crate) struct Actor {
    pub user_id: String,
    /// Empty: the token is unscoped.
    pub project_id: String,
    pub admin: bool,
    /// May change things in the project.
    pub writer: bool,
    /// May change load balancers: Octavia asks for a role of its own.
    pub balancer: bool,
}

impl Actor {
    pub(crate) fn sees(&self, project_id: &str) -> bool {
        self.admin || self.project_id == project_id
    }
}

/// One request, routed to a service.
pub(crate) struct Call<'a> {
    pub service: Service,
    pub method: &'a Method,
    /// Path segments below the version.
    pub path: &'a [&'a str],
    /// Where the caller reaches this cloud.
    pub origin: String,
    /// Absolute URL of the resource, without query.
    pub url: String,
    /// The service's own versioned root, for links.
    pub root: String,
    pub query: Vec<(String, String)>,
    pub headers: &'a HeaderMap,
    pub body: Value,
    pub token: Option<String>,
    pub actor: Actor,
    /// Minor microversion of Nova or Cinder.
    pub minor: u32,
    /// What an injected fault does to the object this call makes or changes.
    pub fault: Option<ObjectFault>,
}

impl Call<'_> {
    pub(crate) fn query(&self, key: &str) -> Option<&str> {
        self.query.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// The object under `key` of the body.
    pub(crate) fn object(&self, key: &str) -> Result<&Map<String, Value>, Failure> {
        match self.body.get(key) {
            Some(Value::Object(map)) => Ok(map),
            _ => Err(self.bad_body(key)),
        }
    }

    fn bad_body(&self, key: &str) -> Failure {
        match self.service {
            Service::Network => Failure::new(400, "HTTPBadRequest", format!("Bad request: Resource body required (expected '{key}')")),
            Service::Compute | Service::BlockStorage => {
                Failure::bad(format!("Invalid input for field/attribute {key}. '{key}' is a required property"))
            }
            _ => Failure::bad(format!("Expecting to find {key} in request body.")),
        }
    }

    /// Refuses callers who may only look.
    pub(crate) fn writer(&self, rule: &str) -> Result<(), Failure> {
        if self.actor.admin || self.actor.writer {
            return Ok(());
        }
        Err(match self.service {
            Service::Network => Failure::new(403, "PolicyNotAuthorized", format!("(rule:{rule} and (rule:{rule})) is disallowed by policy")),
            Service::LoadBalancer => Failure::forbidden("Policy does not allow this request to be performed."),
            _ => Failure::forbidden(format!("Policy doesn't allow {rule} to be performed.")),
        })
    }

    /// Refuses everybody but the admin.
    pub(crate) fn admin(&self, rule: &str) -> Result<(), Failure> {
        if self.actor.admin {
            return Ok(());
        }
        Err(match self.service {
            Service::Network => Failure::new(403, "PolicyNotAuthorized", format!("rule:{rule} is disallowed by policy")),
            Service::Identity => Failure::forbidden(format!("You are not authorized to perform the requested action: {rule}.")),
            _ => Failure::forbidden(format!("Policy doesn't allow {rule} to be performed.")),
        })
    }
}

/// What must still be fetched from the machines once the cloud's lock is released.
#[derive(Clone, Debug)]
pub(crate) enum Later {
    Console { server: String, lines: Option<usize> },
}

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub body: Option<Value>,
    pub headers: Vec<(&'static str, String)>,
    pub later: Option<Later>,
}

impl Reply {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { status, body: Some(body), headers: Vec::new(), later: None }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, body: None, headers: Vec::new(), later: None }
    }
}

/// A refusal; each service words it in its own form.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub status: u16,
    /// Neutron's error type.
    pub kind: &'static str,
    pub message: String,
}

impl Failure {
    pub(crate) fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into() }
    }
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, "HTTPBadRequest", message)
    }
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, "HTTPForbidden", message)
    }
    pub(crate) fn missing(message: impl Into<String>) -> Self {
        Self::new(404, "HTTPNotFound", message)
    }
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, "HTTPConflict", message)
    }
    /// No such URL.
    pub(crate) fn no_route() -> Self {
        Self::new(404, "HTTPNotFound", "The resource could not be found.")
    }
    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "HTTPUnauthorized", "The request you have made requires authentication.")
    }
}

pub(crate) type Answer = Result<Reply, Failure>;

/// Words of an HTTP status, as WebOb writes them.
fn title(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()).unwrap_or("Error")
}

fn nova_word(status: u16) -> &'static str {
    match status {
        400 => "badRequest",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "itemNotFound",
        405 => "badMethod",
        409 => "conflictingRequest",
        413 | 429 => "overLimit",
        415 => "badMediaType",
        501 => "notImplemented",
        503 => "serviceUnavailable",
        _ => "computeFault",
    }
}

/// The body a service gives with an error: JSON, or Glance's page of HTML for those who do not ask for JSON.
fn error_body(service: Service, failure: &Failure, asks_json: bool) -> (String, &'static str) {
    let Failure { status, kind, message } = failure;
    // Every service but Keystone leaves 401 to the same middleware.
    let keystone = || json!({"error": {"code": status, "message": message, "title": title(*status)}});
    let body = match service {
        Service::Identity => keystone(),
        _ if *status == 401 => keystone(),
        Service::Compute | Service::BlockStorage => {
            let mut inner = json!({"code": status, "message": message});
            if *status == 413 {
                inner["retryAfter"] = json!("0");
            }
            json!({ nova_word(*status): inner })
        }
        Service::Network => json!({"NeutronError": {"type": kind, "message": message, "detail": ""}}),
        Service::LoadBalancer => {
            let code = if *status >= 500 { "Server" } else { "Client" };
            json!({"faultcode": code, "faultstring": message, "debuginfo": null})
        }
        Service::Image if asks_json => {
            json!({"message": format!("{message}<br /><br />\n\n\n"), "code": format!("{status} {}", title(*status)), "title": title(*status)})
        }
        Service::Image => return (glance_page(*status, message), "text/html; charset=UTF-8"),
    };
    (body.to_string(), "application/json")
}

fn glance_page(status: u16, message: &str) -> String {
    let title = title(status);
    format!(
        "<html>\n <head>\n  <title>{status} {title}</title>\n </head>\n <body>\n  <h1>{status} {title}</h1>\n  {message}<br /><br />\n\n\n </body>\n</html>"
    )
}

/// Puts an answer into HTTP, with the request id's headers.
pub(crate) fn respond(service: Service, answer: Result<Reply, Failure>, request_id: &str, asks_json: bool) -> Response<Bytes> {
    let (status, body, content_type, headers) = match answer {
        Ok(reply) => (reply.status, reply.body.and_then(|b| serde_json::to_vec(&b).ok()), "application/json", reply.headers),
        Err(failure) => {
            // Cinder tells those over their quota that they may come again at once.
            let headers = if failure.status == 413 && service == Service::BlockStorage { vec![("retry-after", "0".to_owned())] } else { Vec::new() };
            let (body, content_type) = error_body(service, &failure, asks_json);
            (failure.status, Some(body.into_bytes()), content_type, headers)
        }
    };
    let mut builder = Response::builder().status(status).header("x-openstack-request-id", request_id);
    if matches!(service, Service::Compute | Service::BlockStorage) {
        builder = builder.header("x-compute-request-id", request_id);
    }
    if body.is_some() {
        builder = builder.header("content-type", content_type);
    }
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    builder.body(Bytes::from(body.unwrap_or_default())).unwrap_or_else(|_| {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

/// Decodes a query string.
pub(crate) fn parse_query(query: Option<&str>) -> Vec<(String, String)> {
    query.map_or_else(Vec::new, |q| url::form_urlencoded::parse(q.as_bytes()).into_owned().collect())
}

/// A text attribute.
pub(crate) fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

/// A text attribute, or empty.
pub(crate) fn text_or_empty(object: &Map<String, Value>, key: &str) -> String {
    text(object, key).unwrap_or_default().to_owned()
}

/// A list of texts; absent: empty.
pub(crate) fn texts(object: &Map<String, Value>, key: &str) -> Vec<String> {
    object.get(key).and_then(Value::as_array).map_or_else(Vec::new, |list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// A number, also when written as text; absent or null: the default.
pub(crate) fn number(object: &Map<String, Value>, key: &str, default: i64) -> Result<i64, Failure> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(default),
        Some(Value::Number(n)) if n.is_i64() => Ok(n.as_i64().unwrap_or(default)),
        Some(Value::String(s)) if s.parse::<i64>().is_ok() => Ok(s.parse().unwrap_or(default)),
        Some(other) => Err(Failure::bad(format!("Invalid input for {key}. '{other}' is not an integer."))),
    }
}

/// A truth value; absent or null: the default.
pub(crate) fn truth(object: &Map<String, Value>, key: &str, default: bool) -> Result<bool, Failure> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(default),
        Some(Value::Bool(b)) => Ok(*b),
        Some(Value::String(s)) if s.eq_ignore_ascii_case("true") => Ok(true),
        Some(Value::String(s)) if s.eq_ignore_ascii_case("false") => Ok(false),
        Some(other) => Err(Failure::bad(format!("Invalid input for {key}. Reason: '{other}' is not a valid boolean value."))),
    }
}
