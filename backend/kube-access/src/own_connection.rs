//! A connection to a cluster's API that one request has for itself. It can be made before the request may be sent: a handshake with our own certificate says
//! nothing of whom it is for, or what.

use crate::KubeError;
use crate::channel::{Connector, RequestBody, access, unanswered};
use http::header::HOST;
use http::uri::Authority;
use http::{HeaderValue, Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use std::future::poll_fn;
use tower_service::Service;

/// Nothing was sent on it yet. It ends with its request, or when this is dropped before.
#[derive(Debug)]
pub struct OwnConnection {
    requests: SendRequest<RequestBody>,
    host: HeaderValue,
}

impl OwnConnection {
    pub(crate) async fn open(mut connector: Connector, to: Uri) -> Result<Self, KubeError> {
        let host = HeaderValue::from_str(to.authority().map_or("", Authority::as_str)).map_err(access)?;
        poll_fn(|context| connector.poll_ready(context)).await.map_err(|e| unanswered(&*e))?;
        let io = connector.call(to).await.map_err(|e| unanswered(&*e))?;
        let (requests, connection) = handshake(io).await.map_err(|e| unanswered(&e))?;
        // How it ends is told to whoever sends the request.
        tokio::spawn(connection.with_upgrades());
        Ok(Self { requests, host })
    }

    /// Sends a request whose URI is path and query only; the answer's body is still to be read.
    pub(crate) async fn send(mut self, mut request: Request<RequestBody>) -> Result<Response<Incoming>, KubeError> {
        request.headers_mut().insert(HOST, self.host);
        self.requests.send_request(request).await.map_err(|e| unanswered(&e))
    }
}
