//! The console's files, from the binary: compressed, cached for ever where the name carries a hash, and the page itself for every
//! address the console makes up.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use domain::codes::Code;
use std::collections::HashMap;
use std::sync::OnceLock;

/// (path, content, gzip where it is smaller)
type Embedded = (&'static str, &'static [u8], Option<&'static [u8]>);

include!(concat!(env!("OUT_DIR"), "/console_files.rs"));

struct File {
    content: &'static [u8],
    compressed: Option<&'static [u8]>,
    tag: String,
    content_type: &'static str,
    /// The name changes with the content.
    immutable: bool,
}

fn files() -> &'static HashMap<&'static str, File> {
    static TABLE: OnceLock<HashMap<&'static str, File>> = OnceLock::new();
    TABLE.get_or_init(|| FILES.iter().map(|(path, content, compressed)| (*path, file(path, content, *compressed))).collect())
}

fn file(path: &'static str, content: &'static [u8], compressed: Option<&'static [u8]>) -> File {
    use sha2::{Digest, Sha256};
    let tag = Sha256::digest(content).iter().take(12).map(|byte| format!("{byte:02x}")).collect::<String>();
    File { content, compressed, tag: format!("\"{tag}\""), content_type: content_type(path), immutable: path.starts_with("/assets/") }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Answers everything that no route does.
pub async fn serve(request: HttpRequest) -> Result<HttpResponse, api::errors::Problem> {
    let path = request.path();
    let ours = ["/api", "/k8s", "/node"].iter().any(|p| path == *p || path.starts_with(&format!("{p}/")));
    if ours {
        let methods = api::openapi::methods_at(path);
        if methods.is_empty() {
            return Err(api::errors::Problem::not_found());
        }
        let mut answer = api::errors::Problem::new(Code::MethodNotAllowed).error_response();
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_str(&methods.join(", ")).unwrap_or(HeaderValue::from_static("GET")));
        return Ok(answer);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(api::errors::Problem::new(Code::MethodNotAllowed));
    }
    let table = files();
    let last = path.rsplit('/').next().unwrap_or_default();
    let found = match table.get(path) {
        Some(file) => file,
        // A page of the console's own; a missing asset is not one.
        None if !last.contains('.') => table.get("/index.html").ok_or_else(api::errors::Problem::not_found)?,
        None => return Err(api::errors::Problem::not_found()),
    };
    Ok(answer(found, request.headers()))
}

fn answer(file: &File, headers: &HeaderMap) -> HttpResponse {
    let has = |name: header::HeaderName, word: &str| headers.get(name).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains(word));
    let cache = if file.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    let common = [(header::ETAG, file.tag.as_str()), (header::CACHE_CONTROL, cache), (header::VARY, "Accept-Encoding")];
    let mut builder = if has(header::IF_NONE_MATCH, &file.tag) { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    for (name, value) in common {
        builder.insert_header((name, value));
    }
    if has(header::IF_NONE_MATCH, &file.tag) {
        return builder.finish();
    }
    builder.content_type(file.content_type);
    match file.compressed {
        Some(compressed) if has(header::ACCEPT_ENCODING, "gzip") => {
            builder.insert_header((header::CONTENT_ENCODING, HeaderValue::from_static("gzip")));
            builder.body(compressed)
        }
        _ => builder.body(file.content),
    }
}
