//! A certificate authority (ECDSA P-256) and the certificates it signs.

use crate::SealError;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use time::{Duration, OffsetDateTime};

/// Certificates begin this long before they are made: clocks of nodes differ.
const BACK_DATED: Duration = Duration::minutes(15);

/// A CA: certificate and key, as PEM.
#[derive(Clone, Debug)]
pub struct Authority {
    pub certificate_pem: String,
    pub key_pem: SecretString,
}

/// A client's certificate: who it is, until when.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    pub certificate_pem: String,
    pub key_pem: SecretString,
    pub not_after: OffsetDateTime,
}

/// A server's certificate.
#[derive(Clone, Debug)]
pub struct ServerCertificate {
    pub certificate_pem: String,
    pub key_pem: SecretString,
    pub not_after: OffsetDateTime,
}

impl ClientCertificate {
    /// SHA-256 of the certificate, in hex: a cluster's audit log says it of each call that came with it.
    pub fn fingerprint(&self) -> Result<String, SealError> {
        let (_, pem) = x509_parser::pem::parse_x509_pem(self.certificate_pem.as_bytes()).map_err(certificate_error)?;
        Ok(hex::encode(Sha256::digest(&pem.contents)))
    }
}

impl Authority {
    /// A new self-signed CA that can sign certificates of clients and servers, but no further CA.
    pub fn generate(common_name: &str, lifetime: Duration, now: OffsetDateTime) -> Result<Self, SealError> {
        let key = KeyPair::generate().map_err(certificate_error)?;
        let mut params = params(common_name, None, now, lifetime);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        let certificate = params.self_signed(&key).map_err(certificate_error)?;
        Ok(Self { certificate_pem: certificate.pem(), key_pem: SecretString::from(key.serialize_pem()) })
    }

    /// A client certificate; Kubernetes takes the common name for the user and the organisation for a group.
    pub fn client_certificate(
        &self,
        common_name: &str,
        organization: Option<&str>,
        lifetime: Duration,
        now: OffsetDateTime,
    ) -> Result<ClientCertificate, SealError> {
        let params = params(common_name, organization, now, lifetime);
        let not_after = params.not_after;
        let (certificate_pem, key_pem) = self.sign(params, ExtendedKeyUsagePurpose::ClientAuth)?;
        Ok(ClientCertificate { certificate_pem, key_pem, not_after })
    }

    /// A server certificate for these names and addresses.
    pub fn server_certificate(
        &self,
        names: &[String],
        addresses: &[IpAddr],
        lifetime: Duration,
        now: OffsetDateTime,
    ) -> Result<ServerCertificate, SealError> {
        let common_name = names.first().cloned().unwrap_or_else(|| "kcs".to_owned());
        let mut params = params(&common_name, None, now, lifetime);
        for name in names {
            let name = name.clone().try_into().map_err(certificate_error)?;
            params.subject_alt_names.push(SanType::DnsName(name));
        }
        let addresses = addresses.iter().copied().map(SanType::IpAddress);
        params.subject_alt_names.extend(addresses);
        let not_after = params.not_after;
        let (certificate_pem, key_pem) = self.sign(params, ExtendedKeyUsagePurpose::ServerAuth)?;
        Ok(ServerCertificate { certificate_pem, key_pem, not_after })
    }

    /// `sha256:<hex>` of the public key, which kubeadm pins the CA by.
    pub fn public_key_hash(&self) -> Result<String, SealError> {
        let (_, pem) = x509_parser::pem::parse_x509_pem(self.certificate_pem.as_bytes()).map_err(certificate_error)?;
        let certificate = pem.parse_x509().map_err(certificate_error)?;
        let digest = Sha256::digest(certificate.tbs_certificate.subject_pki.raw);
        Ok(format!("sha256:{}", hex::encode(digest)))
    }

    fn sign(&self, mut params: CertificateParams, usage: ExtendedKeyUsagePurpose) -> Result<(String, SecretString), SealError> {
        let ca_key = KeyPair::from_pem(self.key_pem.expose_secret()).map_err(certificate_error)?;
        let issuer = Issuer::from_ca_cert_pem(&self.certificate_pem, ca_key).map_err(certificate_error)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(certificate_error)?;
        let certificate = params.signed_by(&key, &issuer).map_err(certificate_error)?;
        Ok((certificate.pem(), SecretString::from(key.serialize_pem())))
    }
}

fn params(common_name: &str, organization: Option<&str>, now: OffsetDateTime, lifetime: Duration) -> CertificateParams {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    if let Some(organization) = organization {
        name.push(DnType::OrganizationName, organization);
    }
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    params.not_before = now - BACK_DATED;
    params.not_after = now + lifetime;
    params
}

pub(crate) fn certificate_error(error: impl std::fmt::Display) -> SealError {
    SealError::Certificate(error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Write;
    use std::process::Command;

    fn authority() -> Authority {
        Authority::generate("kubernetes", Duration::days(3650), OffsetDateTime::now_utc()).unwrap()
    }

    #[test]
    fn a_client_certificate_names_user_and_group_and_is_signed_by_the_authority() {
        let now = OffsetDateTime::now_utc();
        let ca = authority();
        let client = ca.client_certificate("kcs:engine", Some("system:masters"), Duration::hours(1), now).unwrap();
        let (_, ca_pem) = x509_parser::pem::parse_x509_pem(ca.certificate_pem.as_bytes()).unwrap();
        let ca_certificate = ca_pem.parse_x509().unwrap();
        let (_, pem) = x509_parser::pem::parse_x509_pem(client.certificate_pem.as_bytes()).unwrap();
        let certificate = pem.parse_x509().unwrap();
        certificate.verify_signature(Some(ca_certificate.public_key())).unwrap();
        assert!(certificate.subject().to_string().contains("kcs:engine"));
        assert!(certificate.subject().to_string().contains("system:masters"));
        assert!(!certificate.is_ca());
        assert!(ca_certificate.is_ca());
        let usage = certificate.extended_key_usage().unwrap().unwrap();
        assert!(usage.value.client_auth && !usage.value.server_auth);
        assert_eq!(certificate.validity().not_after.timestamp(), client.not_after.unix_timestamp());
        assert!(certificate.validity().not_before.timestamp() < now.unix_timestamp());
    }

    #[test]
    fn a_server_certificate_has_its_names_and_addresses() {
        let server = authority()
            .server_certificate(&["localhost".to_owned()], &["198.18.0.1".parse().unwrap()], Duration::days(1), OffsetDateTime::now_utc())
            .unwrap();
        let (_, pem) = x509_parser::pem::parse_x509_pem(server.certificate_pem.as_bytes()).unwrap();
        let names = pem.parse_x509().unwrap().subject_alternative_name().unwrap().unwrap().value.general_names.len();
        assert_eq!(names, 2);
        let bad = ["h\u{e4}".to_owned()];
        assert!(authority().server_certificate(&bad, &[], Duration::days(1), OffsetDateTime::now_utc()).is_err());
    }

    #[test]
    fn the_public_key_hash_is_the_one_openssl_computes() {
        let ca = authority();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ca.crt");
        std::fs::write(&file, &ca.certificate_pem).unwrap();
        let script = "openssl x509 -in \"$0\" -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -r";
        let Ok(output) = Command::new("bash").args(["-c", script]).arg(&file).output() else {
            // Straight to the stream: what `eprintln!` says is shown of failed tests only.
            writeln!(std::io::stderr(), "SKIPPED: no bash or openssl").unwrap();
            return;
        };
        let digest = String::from_utf8(output.stdout).unwrap();
        let expected = format!("sha256:{}", digest.split_whitespace().next().unwrap());
        assert_eq!(ca.public_key_hash().unwrap(), expected);
    }

    #[test]
    fn keys_are_never_printed() {
        let ca = authority();
        assert!(!format!("{ca:?}").contains("PRIVATE KEY"));
    }
}
