//! Running one command in a container, for its output: Kubernetes' exec over a WebSocket.

use super::{Engine, segment};
use crate::KubeError;
use crate::channel::full;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::StreamExt;
use http::header::{CONNECTION, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderValue, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use std::time::Duration;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

/// A command of ours is short.
const PATIENCE: Duration = Duration::from_secs(15);
/// The longest output that is read.
const OUTPUT: usize = 1 << 20;
const PROTOCOLS: &str = "v5.channel.k8s.io, v4.channel.k8s.io";
/// The first byte of each message says which stream it belongs to.
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const OUTCOME: u8 = 3;

/// How a command ended, as the API server says.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Outcome {
    status: String,
    message: String,
}

impl Engine {
    /// What the command wrote; an error says what it complained of.
    pub(super) async fn run(&self, pod: &str, container: &str, command: &[&str]) -> Result<Vec<u8>, KubeError> {
        let run = self.run_in(pod, container, command);
        tokio::time::timeout(PATIENCE, run).await.unwrap_or(Err(KubeError::Timeout(PATIENCE)))
    }

    async fn run_in(&self, pod: &str, container: &str, command: &[&str]) -> Result<Vec<u8>, KubeError> {
        let words: String = command.iter().map(|word| format!("&command={}", segment(word))).collect();
        let path =
            format!("/api/v1/namespaces/kube-system/pods/{}/exec?container={}&stdout=true&stderr=true{words}", segment(pod), segment(container));
        let mut request = Request::new(full(Bytes::new()));
        *request.uri_mut() = path.parse().map_err(|_| KubeError::Refused("the command is not valid"))?;
        let key = STANDARD.encode(rand_key());
        let key = HeaderValue::from_str(&key).map_err(|e| KubeError::Access(e.to_string()))?;
        let headers = request.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOLS));
        headers.insert(SEC_WEBSOCKET_KEY, key);
        let response = self.channel.send(request).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(KubeError::BadAnswer(format!("exec was answered with {}", response.status())));
        }
        let upgraded = hyper::upgrade::on(response).await.map_err(|e| KubeError::Unreachable(e.to_string()))?;
        read(WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, None).await).await
    }
}

async fn read<S>(mut stream: WebSocketStream<S>) -> Result<Vec<u8>, KubeError>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let (mut output, mut complaints, mut outcome) = (Vec::new(), Vec::new(), None);
    while let Some(message) = stream.next().await {
        let piece = match message {
            Ok(Message::Binary(piece)) => piece,
            Ok(Message::Close(_)) | Err(_) => break,
            Ok(_) => continue,
        };
        match piece.split_first() {
            Some((&STDOUT, bytes)) => output.extend_from_slice(bytes),
            Some((&STDERR, bytes)) => complaints.extend_from_slice(bytes),
            Some((&OUTCOME, bytes)) => {
                outcome = serde_json::from_slice::<Outcome>(bytes).ok();
                break;
            }
            _ => {}
        }
        if output.len() + complaints.len() > OUTPUT {
            return Err(KubeError::BadAnswer("a command wrote too much".to_owned()));
        }
    }
    match outcome {
        Some(outcome) if outcome.status == "Success" => Ok(output),
        Some(outcome) => {
            let words: String = String::from_utf8_lossy(&complaints).trim().chars().take(1_000).collect();
            Err(KubeError::BadAnswer(format!("{}: {words}", outcome.message)))
        }
        None => Err(KubeError::Unreachable("the connection broke before the command ended".to_owned())),
    }
}

/// The key only proves that the other side speaks WebSocket; a connection is ours already.
fn rand_key() -> [u8; 16] {
    *uuid::Uuid::now_v7().as_bytes()
}
