//! The OpenAPI 3.1 document, made from the routes, with what all operations share added in one place.

use crate::errors::Problem;
use actix_web::App;
use std::sync::OnceLock;
use utoipa::openapi::path::{HttpMethod, Operation, Parameter};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response};
use utoipa::{OpenApi, PartialSchema, ToSchema};
use utoipa_actix_web::AppExt;

#[derive(OpenApi)]
#[openapi(
    info(title = "Kubernetes Container Service", description = "Managed Kubernetes clusters on OpenStack. Errors are application/problem+json with a stable code. Lists page by cursor. Long changes answer 202 with an operation whose progress streams as server-sent events."),
    tags(
        (name = "session", description = "Signing in, projects"), (name = "catalogue", description = "What clusters can be built from"),
        (name = "clusters", description = "Clusters"), (name = "nodes", description = "Node pools and nodes"),
        (name = "operations", description = "Long changes, live"), (name = "kubeconfigs", description = "Access for kubectl"),
        (name = "kubernetes", description = "What runs in a cluster"), (name = "tokens", description = "API tokens"), (name = "members", description = "Who may do what in the project"), (name = "quota", description = "What the project may have"), (name = "events", description = "Changes live"), (name = "audit", description = "Who did what"),
        (name = "announcements", description = "What operators tell everybody"), (name = "admin", description = "Operators only"), (name = "node", description = "Called by nodes while they start"),
        (name = "health", description = "Whether it lives and is ready"), (name = "docs", description = "This document")
    )
)]
struct Base;

/// The whole document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let (_, mut document) = App::new().into_utoipa_app().openapi(Base::openapi()).configure(crate::routes::routes).split_for_parts();
    let components = document.components.get_or_insert_default();
    components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    let mut schemas = Vec::new();
    Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
    for (name, scheme) in security_schemes() {
        components.add_security_scheme(name, scheme);
    }
    for (path, item) in &mut document.paths.paths {
        let operations = [
            (HttpMethod::Get, &mut item.get),
            (HttpMethod::Post, &mut item.post),
            (HttpMethod::Put, &mut item.put),
            (HttpMethod::Patch, &mut item.patch),
            (HttpMethod::Delete, &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                complete(path, !matches!(method, HttpMethod::Get), operation);
            }
        }
    }
    document
}

/// The document as committed.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn json() -> Result<String, serde_json::Error> {
    document().to_pretty_json().map(|text| text + "\n")
}

/// The methods there are at a path; empty: there is no such route.
#[must_use]
pub fn methods_at(path: &str) -> &'static [&'static str] {
    static ROUTES: OnceLock<Vec<(Vec<String>, Vec<&'static str>)>> = OnceLock::new();
    let routes = ROUTES.get_or_init(|| {
        let methods = |item: &utoipa::openapi::PathItem| {
            let there = [("GET", &item.get), ("POST", &item.post), ("PUT", &item.put), ("PATCH", &item.patch), ("DELETE", &item.delete)];
            there.into_iter().filter(|(_, operation)| operation.is_some()).map(|(name, _)| name).collect()
        };
        let segments = |path: &str| path.split('/').map(str::to_owned).collect();
        document().paths.paths.iter().map(|(path, item)| (segments(path), methods(item))).collect()
    });
    let matches = |pattern: &[String]| {
        let mut given = path.split('/');
        let fits = pattern.iter().all(|part| given.next().is_some_and(|segment| part == segment || (part.starts_with('{') && !segment.is_empty())));
        fits && given.next().is_none()
    };
    routes.iter().find(|(pattern, _)| matches(pattern)).map_or(&[], |(_, methods)| methods)
}

fn security_schemes() -> [(&'static str, SecurityScheme); 5] {
    let key = |name: &str, text: &str| ApiKeyValue::with_description(name, text);
    [
        (
            "session",
            SecurityScheme::ApiKey(ApiKey::Cookie(key(
                "__Host-kcs_session",
                "Browser session, from POST /api/v1/session; without TLS its name is kcs_session",
            ))),
        ),
        ("csrf", SecurityScheme::ApiKey(ApiKey::Header(key("X-CSRF-Token", "The session's csrf_token, with every write")))),
        ("keystone", SecurityScheme::ApiKey(ApiKey::Header(key("X-Auth-Token", "A Keystone token scoped to a project")))),
        ("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer))),
        ("node_token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer))),
    ]
}

/// Security and error answers of one operation, where its own attributes say nothing.
fn complete(path: &str, write: bool, operation: &mut Operation) {
    if operation.security.is_none() {
        let session = SecurityRequirement::new("session", Vec::<String>::new());
        let session = if write { session.add("csrf", Vec::<String>::new()) } else { session };
        operation.security =
            Some(vec![session, SecurityRequirement::new("keystone", Vec::<String>::new()), SecurityRequirement::new("token", Vec::<String>::new())]);
    }
    let public = operation.security.as_ref().is_some_and(|list| list.iter().all(|r| *r == SecurityRequirement::default()));
    let mut errors = vec![("default", "Any other error")];
    if !public || operation.operation_id.as_deref().is_some_and(|id| id.starts_with("session_create")) {
        errors.push(("401", "Not signed in, or the session has expired"));
        errors.push(("403", "The role does not allow it"));
        errors.push(("429", "Too many requests"));
    }
    if path.contains('{') {
        errors.push(("404", "There is no such object, or it is another tenant's"));
    }
    if operation.request_body.is_some() || operation.parameters.as_ref().is_some_and(|p| !p.is_empty()) {
        errors.push(("400", "A field is wrong: `field` and `errors` name it"));
    }
    if operation.request_body.is_some() {
        errors.extend([("413", "The body is too large"), ("415", "The body is not JSON")]);
    }
    if write && !public {
        errors.push(("409", "The state of things stands against it"));
    }
    let takes_key = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(known) if known.name == "Idempotency-Key");
    if operation.parameters.iter().flatten().any(takes_key) {
        errors.push(("422", "The Idempotency-Key was used with another request"));
    }
    for (status, description) in errors {
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(problem_response(description)));
    }
}

fn problem_response(description: &str) -> Response {
    let schema = RefOr::Ref(Ref::from_schema_name(Problem::name()));
    Response::builder().description(description).content("application/problem+json", Content::new(Some(schema))).build()
}
