//! Health checks of load balancers' members, as Octavia's HAProxy makes them.

use super::network::Network;
use crate::machines::Monitor;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, IpAddr, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use std::net::SocketAddrV4;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

/// What the checks so far say of a member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// None until the first check.
    pub up: Option<bool>,
    /// Checks in a row that contradict `up`.
    against: u32,
}

impl Health {
    /// The first check decides at once; after that it takes `rise` or `fall` in a row.
    pub fn after(self, ok: bool, monitor: &Monitor) -> Self {
        let needed = if ok { monitor.rise } else { monitor.fall };
        match self.up {
            Some(up) if up == ok => Self { up: Some(up), against: 0 },
            Some(up) if self.against + 1 < needed => Self { up: Some(up), against: self.against + 1 },
            _ => Self { up: Some(ok), against: 0 },
        }
    }
}

/// One check, from inside the network.
pub async fn check(network: &Network, member: SocketAddrV4, monitor: &Monitor) -> bool {
    let timeout = Duration::from_millis(monitor.timeout_ms.max(1));
    let attempt = async {
        let stream = network.connect(member, timeout).await.ok()?;
        match monitor.kind.as_str() {
            "HTTP" => answers_well(stream, member, &monitor.path).await,
            "HTTPS" => {
                let name = ServerName::IpAddress(IpAddr::from(std::net::IpAddr::V4(*member.ip())));
                let tls = connector()?.connect(name, stream).await.ok()?;
                answers_well(tls, member, &monitor.path).await
            }
            _ => Some(()),
        }
    };
    matches!(tokio::time::timeout(timeout, attempt).await, Ok(Some(())))
}

/// Octavia's default expectation: status 200.
async fn answers_well(mut stream: impl AsyncRead + AsyncWrite + Unpin, member: SocketAddrV4, path: &str) -> Option<()> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {member}\r\nUser-Agent: health-check\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut status = [0; 12]; // "HTTP/1.1 200"
    stream.read_exact(&mut status).await.ok()?;
    status.ends_with(b" 200").then_some(())
}

fn connector() -> Option<TlsConnector> {
    static CONFIG: LazyLock<Option<Arc<ClientConfig>>> = LazyLock::new(|| {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .ok()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth();
        Some(Arc::new(config))
    });
    CONFIG.clone().map(TlsConnector::from)
}

/// A health check asks whether a member answers, not who it is: Octavia does not verify certificates here either.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(&self, _: &[u8], _: &CertificateDer<'_>, _: &DigitallySignedStruct) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(&self, _: &[u8], _: &CertificateDer<'_>, _: &DigitallySignedStruct) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::Health;
    use crate::machines::Monitor;

    #[test]
    fn rises_and_falls_after_enough_checks_in_a_row() {
        let monitor = Monitor { kind: "TCP".to_owned(), path: String::new(), delay_ms: 1000, timeout_ms: 1000, rise: 2, fall: 3 };
        let seen = |checks: &[bool]| checks.iter().fold(Health::default(), |h, ok| h.after(*ok, &monitor)).up;
        assert_eq!(seen(&[]), None);
        assert_eq!(seen(&[true]), Some(true));
        assert_eq!(seen(&[false]), Some(false));
        assert_eq!(seen(&[false, true]), Some(false));
        assert_eq!(seen(&[false, true, true]), Some(true));
        assert_eq!(seen(&[true, false, false, true, false, false]), Some(true));
        assert_eq!(seen(&[true, false, false, false]), Some(false));
    }
}
