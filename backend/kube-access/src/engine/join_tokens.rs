//! Bootstrap tokens: what lets one new node in, for an hour.

use super::{Engine, segment};
use crate::KubeError;
use sealed::JoinToken;
use secrecy::ExposeSecret;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

impl Engine {
    /// Makes the token, or prolongs it.
    pub async fn ensure_join_token(&self, token: &JoinToken, expires_at: OffsetDateTime) -> Result<(), KubeError> {
        let expiration = expires_at
            .replace_nanosecond(0)
            .map_err(|e| KubeError::Access(e.to_string()))?
            .format(&Rfc3339)
            .map_err(|e| KubeError::Access(e.to_string()))?;
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "bootstrap.kubernetes.io/token",
            "metadata": {"name": name(token), "namespace": "kube-system"},
            "stringData": {
                "token-id": token.id(),
                "token-secret": token.secret().expose_secret(),
                "expiration": expiration,
                "usage-bootstrap-authentication": "true",
                "usage-bootstrap-signing": "true",
                "auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token",
            },
        });
        self.apply(&path(token), &secret).await
    }
}

fn name(token: &JoinToken) -> String {
    format!("bootstrap-token-{}", token.id())
}

fn path(token: &JoinToken) -> String {
    format!("/api/v1/namespaces/kube-system/secrets/{}", segment(&name(token)).replace("%2D", "-"))
}
