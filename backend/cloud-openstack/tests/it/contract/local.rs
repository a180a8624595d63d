//! The local cloud in the same process, as a transport.

use async_trait::async_trait;
use bytes::Bytes;
use cloud_openstack::{Transport, TransportError};
use http::{Request, Response};
use local_cloud::LocalCloud;

pub struct Local(pub LocalCloud);

#[async_trait]
impl Transport for Local {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        self.0.handle_faulty(request).map_err(|lost| TransportError { sent: lost.done, message: lost.to_string() })
    }
}
