//! The certificate authority of KCS's own TLS listener ("gate"): nodes and kubeconfigs pin it. Replicas share one by configuration.

use crate::SealError;
use crate::authority::{Authority, ServerCertificate};
use crate::key_ring::{file_error, write_private};
use secrecy::SecretString;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

const LIFETIME: Duration = Duration::days(3650);
/// A certificate is made anew at every start; a process that runs longer than this needs one.
const SERVER_LIFETIME: Duration = Duration::days(397);

/// The authority of the listener.
#[derive(Clone, Debug)]
pub struct Gate {
    authority: Authority,
}

impl Gate {
    /// Uses the authority in `certificate` and `key`, PEM files an operator made or an earlier start left.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, SealError> {
        let certificate_pem = fs::read_to_string(certificate).map_err(|e| file_error(certificate, e))?;
        let key_pem = Zeroizing::new(fs::read_to_string(key).map_err(|e| file_error(key, e))?);
        Ok(Self { authority: Authority { certificate_pem, key_pem: SecretString::from(key_pem.to_string()) } })
    }

    /// Loads `gate-ca.crt` and `gate-ca.key` of `directory`, or makes them.
    pub fn load_or_create(directory: &Path, now: OffsetDateTime) -> Result<Self, SealError> {
        use secrecy::ExposeSecret;
        let (certificate, key) = (directory.join("gate-ca.crt"), directory.join("gate-ca.key"));
        // The certificate is written last: a start that was cut short between the two begins again.
        if certificate.exists() {
            return Self::load(&certificate, &key);
        }
        let authority = Authority::generate("KCS gate", LIFETIME, now)?;
        write_private(&key, authority.key_pem.expose_secret())?;
        write_private(&certificate, &authority.certificate_pem)?;
        Ok(Self { authority })
    }

    /// PEM of the CA, for kubeconfigs and user-data.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.authority.certificate_pem
    }

    /// The listener's certificate.
    pub fn server_certificate(&self, names: &[String], addresses: &[IpAddr], now: OffsetDateTime) -> Result<ServerCertificate, SealError> {
        self.authority.server_certificate(names, addresses, SERVER_LIFETIME, now)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_authority_stays_the_same_over_starts() {
        let dir = tempfile::tempdir().unwrap();
        let now = OffsetDateTime::now_utc();
        let first = Gate::load_or_create(dir.path(), now).unwrap();
        let second = Gate::load_or_create(dir.path(), now).unwrap();
        assert_eq!(first.ca_pem(), second.ca_pem());
        second.server_certificate(&["localhost".to_owned()], &["127.0.0.1".parse().unwrap()], now).unwrap();
    }
}
