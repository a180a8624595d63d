//! Errors as `application/problem+json` (RFC 9457): a stable code, the field, the remedy, the request id and the cloud's own.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpResponse, ResponseError};
use auth::Forbidden;
use cloud::CloudError;
use domain::codes::Code;
use domain::tenants::Shortage;
use sealed::SealError;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt;
use store::StoreError;

/// One thing wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// Dotted path: `spec.node_pools[0].count`.
    pub field: String,
    /// What is wrong with it, in English.
    pub message: String,
    /// What the code means here, if it is not KCS-INPUT-001.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
}

/// An error answer.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// `/problems/<code>`
    pub r#type: String,
    pub title: String,
    pub status: u16,
    /// This occurrence, in English.
    pub detail: String,
    /// Stable; the console has a text for each in every language.
    pub code: Code,
    /// Values for that text.
    #[schema(value_type = BTreeMap<String, Object>)]
    pub params: BTreeMap<String, serde_json::Value>,
    /// The first field that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// All fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// What to do about it, in English.
    pub remedy: String,
    /// Id of this request in our log.
    pub request_id: String,
    /// The cloud's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_request_id: Option<String>,
    /// Seconds to wait, sent as Retry-After.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

/// What handlers answer.
pub type Answer<T = HttpResponse> = Result<T, Problem>;

impl Problem {
    /// The problem of a code; `detail` is the code's title until said otherwise.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self {
            r#type: format!("/problems/{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            detail: code.title().to_owned(),
            code,
            params: BTreeMap::new(),
            field: None,
            errors: Vec::new(),
            retryable: code.retryable(),
            remedy: code.remedy().to_owned(),
            request_id: String::new(),
            cloud_message: None,
            cloud_request_id: None,
            retry_after: None,
        }
    }

    /// A missing object, which is also what a foreign one looks like.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Code::NotFound)
    }

    /// One wrong field.
    #[must_use]
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldError { field: field.into(), message: message.into(), code: None }])
    }

    /// Wrong fields; the first decides the code.
    #[must_use]
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let first = errors.first().cloned();
        let mut problem = Self::new(first.as_ref().and_then(|e| e.code).unwrap_or(Code::InvalidInput));
        if let Some(first) = first {
            problem.detail = format!("{}: {}", first.field, first.message);
            problem.field = Some(first.field);
        }
        problem.errors = errors;
        problem
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    #[must_use]
    pub fn param(mut self, key: &str, value: impl Into<serde_json::Value>) -> Self {
        self.params.insert(key.to_owned(), value.into());
        self
    }

    #[must_use]
    pub fn at(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self.errors = vec![FieldError { field: field.to_owned(), message: self.detail.clone(), code: Some(self.code) }];
        self
    }

    /// An error of ours nobody is told the inside of: it goes to the log, the user gets the request id.
    #[must_use]
    pub fn internal(cause: impl fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::new(Code::Internal)
    }
}

impl From<CloudError> for Problem {
    fn from(error: CloudError) -> Self {
        let mut problem = Self::new(error.code());
        problem.detail = format!("{} ({})", problem.title, error.service);
        problem = problem.param("svc", error.service);
        if let cloud::error::CloudErrorKind::RateLimited(seconds) = error.kind {
            problem.retry_after = Some(u64::from(seconds));
        }
        problem.cloud_message = Some(error.message);
        problem.cloud_request_id = error.request_id;
        problem
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::not_found(),
            StoreError::BadCursor => Self::field("cursor", "is not one of ours"),
            StoreError::Refused(code) => Self::new(code),
            StoreError::Short(shortage) => shortage.into(),
            StoreError::Unavailable(_) => {
                tracing::error!(error = ?error, "the database does not answer");
                Self::new(Code::StoreUnavailable)
            }
            StoreError::Unexpected(_) | StoreError::Broken(_) => Self::internal(error),
        }
    }
}

impl From<Shortage> for Problem {
    fn from(shortage: Shortage) -> Self {
        let mut problem = Self::new(shortage.code()).detail(shortage.message());
        problem.params = shortage.params().as_object().cloned().unwrap_or_default().into_iter().collect();
        problem
    }
}

impl From<Forbidden> for Problem {
    fn from(refusal: Forbidden) -> Self {
        let problem = Self::new(refusal.code());
        match refusal {
            Forbidden::Role { permission, needed } => problem.param("permission", json!(permission)).param("role", json!(needed)),
            Forbidden::Narrowed { permission } => problem.param("permission", json!(permission)),
            Forbidden::OperatorsOnly => problem,
        }
    }
}

impl From<SealError> for Problem {
    fn from(error: SealError) -> Self {
        Self::internal(error)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut problem = self.clone();
        problem.request_id = crate::request_id::current();
        let mut builder = HttpResponse::build(self.status_code());
        builder.insert_header((header::CONTENT_TYPE, "application/problem+json")).insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(seconds) = self.retry_after {
            builder.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        builder.body(serde_json::to_vec(&problem).unwrap_or_default())
    }
}
