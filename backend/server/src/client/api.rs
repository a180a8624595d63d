//! Calls to the API of a KCS.

use super::address::Address;
use reqwest::{Certificate, Client, Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_secs(30);
/// No answer that is asked for here is larger.
const LONGEST: usize = 4 * 1024 * 1024;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// KCS said no.
    #[error("{detail} ({code}). {remedy}")]
    Refused { status: u16, code: String, detail: String, remedy: String },
    /// No answer, or not one of KCS's.
    #[error("{0}")]
    NoAnswer(String),
}

impl CallError {
    /// The code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            Self::NoAnswer(_) => None,
        }
    }
}

#[derive(Deserialize)]
struct Refusal {
    code: String,
    detail: String,
    remedy: String,
}

/// One KCS.
pub struct Api {
    http: Client,
    address: Address,
}

fn no_answer(address: &Address, error: &reqwest::Error) -> CallError {
    // The innermost cause is the one that helps: "connection refused", "invalid peer certificate".
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    CallError::NoAnswer(format!("{address} does not answer: {cause}"))
}

impl Api {
    /// `ca_pem`: certificates trusted instead of the public ones.
    ///
    /// # Errors
    /// When these are none.
    pub fn new(address: Address, ca_pem: Option<&str>) -> Result<Self, CallError> {
        // A token must not go where a redirect points.
        let mut builder = Client::builder().redirect(reqwest::redirect::Policy::none()).connect_timeout(CONNECT).timeout(WHOLE);
        builder = builder.user_agent(concat!("kcs/", env!("CARGO_PKG_VERSION")));
        // What is on this machine is not behind a proxy.
        if address.as_str().starts_with("http:") {
            builder = builder.no_proxy();
        }
        if let Some(pem) = ca_pem {
            let certificates = Certificate::from_pem_bundle(pem.as_bytes()).map_err(|e| CallError::NoAnswer(format!("CA file: {e}")))?;
            builder = certificates.into_iter().fold(builder.tls_built_in_root_certs(false), reqwest::ClientBuilder::add_root_certificate);
        }
        let http = builder.build().map_err(|error| no_answer(&address, &error))?;
        Ok(Self { http, address })
    }

    /// One call to a path below `/api/v1`; what is answered with nothing is null.
    ///
    /// # Errors
    /// What KCS said, or that it did not answer.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        token: Option<&SecretString>,
        body: Option<&Value>,
    ) -> Result<T, CallError> {
        let mut request = self.http.request(method, format!("{}/api/v1{path}", self.address));
        if let Some(token) = token {
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let lost = |error| no_answer(&self.address, &error);
        let mut answer = request.send().await.map_err(lost)?;
        let status = answer.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(lost)? {
            if bytes.len() + chunk.len() > LONGEST {
                return Err(self.strange(status));
            }
            bytes.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            let Refusal { code, detail, remedy } = serde_json::from_slice(&bytes).map_err(|_| self.strange(status))?;
            return Err(CallError::Refused { status: status.as_u16(), code, detail, remedy });
        }
        let text = if bytes.is_empty() { b"null".as_slice() } else { &bytes };
        serde_json::from_slice(text).map_err(|_| self.strange(status))
    }

    fn strange(&self, status: StatusCode) -> CallError {
        CallError::NoAnswer(format!("{} does not answer as a KCS does ({status})", self.address))
    }
}
