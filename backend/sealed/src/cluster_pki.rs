//! The certificate authorities of one cluster and its keys for service accounts and Secrets, made before its first server exists.

use crate::SealError;
use crate::authority::{Authority, ClientCertificate, certificate_error};
use crate::encryption::{EncryptionKeys, StoredKeys};
use rcgen::KeyPair;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// How long a cluster's authorities live.
const LIFETIME: Duration = Duration::days(3650);

/// All that kubeadm would otherwise make itself on the first master, and what it would leave out.
#[derive(Clone, Debug)]
pub struct ClusterPki {
    pub cluster: Authority,
    pub etcd: Authority,
    pub front_proxy: Authority,
    /// Signs the tokens of service accounts.
    pub service_account_key_pem: SecretString,
    pub service_account_public_pem: String,
    /// For Secrets in etcd.
    pub encryption: EncryptionKeys,
}

impl ClusterPki {
    pub fn generate(now: OffsetDateTime) -> Result<Self, SealError> {
        let service_account = KeyPair::generate().map_err(certificate_error)?;
        Ok(Self {
            cluster: Authority::generate("kubernetes", LIFETIME, now)?,
            etcd: Authority::generate("etcd-ca", LIFETIME, now)?,
            front_proxy: Authority::generate("front-proxy-ca", LIFETIME, now)?,
            service_account_public_pem: service_account.public_key_pem(),
            service_account_key_pem: SecretString::from(service_account.serialize_pem()),
            encryption: EncryptionKeys::generate()?,
        })
    }

    /// `sha256:<hex>`: what nodes pin the cluster's CA by when they join.
    pub fn ca_hash(&self) -> Result<String, SealError> {
        self.cluster.public_key_hash()
    }

    /// An identity in the cluster, made in memory and never stored.
    pub fn client_certificate(
        &self,
        common_name: &str,
        organization: Option<&str>,
        lifetime: Duration,
        now: OffsetDateTime,
    ) -> Result<ClientCertificate, SealError> {
        self.cluster.client_certificate(common_name, organization, lifetime, now)
    }

    /// As the store seals it.
    pub fn to_json(&self) -> Result<SecretString, SealError> {
        let stored = Stored {
            cluster: StoredAuthority::of(&self.cluster),
            etcd: StoredAuthority::of(&self.etcd),
            front_proxy: StoredAuthority::of(&self.front_proxy),
            service_account_key_pem: self.service_account_key_pem.expose_secret().to_owned(),
            service_account_public_pem: self.service_account_public_pem.clone(),
            encryption_key: StoredKeys::of(&self.encryption),
        };
        let json = serde_json::to_string(&stored).map_err(|_| SealError::Content("cluster PKI"))?;
        Ok(SecretString::from(json))
    }

    pub fn from_json(json: &SecretString) -> Result<Self, SealError> {
        let unreadable = || SealError::Content("cluster PKI");
        let stored: Stored = serde_json::from_str(json.expose_secret()).map_err(|_| unreadable())?;
        let encryption = match &stored.encryption_key {
            Some(keys) => keys.to_keys().ok_or_else(unreadable)?,
            None => EncryptionKeys::none(),
        };
        Ok(Self {
            cluster: stored.cluster.to_authority(),
            etcd: stored.etcd.to_authority(),
            front_proxy: stored.front_proxy.to_authority(),
            service_account_key_pem: SecretString::from(stored.service_account_key_pem.clone()),
            service_account_public_pem: stored.service_account_public_pem.clone(),
            encryption,
        })
    }
}

/// The stored form: plain text only between here and the key ring.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Stored {
    cluster: StoredAuthority,
    etcd: StoredAuthority,
    front_proxy: StoredAuthority,
    service_account_key_pem: String,
    service_account_public_pem: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encryption_key: Option<StoredKeys>,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct StoredAuthority {
    certificate_pem: String,
    key_pem: String,
}

impl StoredAuthority {
    fn of(authority: &Authority) -> Self {
        Self { certificate_pem: authority.certificate_pem.clone(), key_pem: authority.key_pem.expose_secret().to_owned() }
    }

    fn to_authority(&self) -> Authority {
        Authority { certificate_pem: self.certificate_pem.clone(), key_pem: SecretString::from(self.key_pem.clone()) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn a_pki_survives_storing_and_its_parts_differ() {
        let pki = ClusterPki::generate(OffsetDateTime::now_utc()).unwrap();
        let again = ClusterPki::from_json(&pki.to_json().unwrap()).unwrap();
        assert_eq!(again.ca_hash().unwrap(), pki.ca_hash().unwrap());
        assert_eq!(again.service_account_public_pem, pki.service_account_public_pem);
        assert_eq!(again.etcd.key_pem.expose_secret(), pki.etcd.key_pem.expose_secret());
        assert_ne!(pki.cluster.key_pem.expose_secret(), pki.etcd.key_pem.expose_secret());
        assert_ne!(pki.front_proxy.certificate_pem, pki.etcd.certificate_pem);
        let (key, kept) = (&pki.encryption.keys[0], &again.encryption.keys[0]);
        assert_eq!((&key.name, key.secret.expose_secret()), (&kept.name, kept.secret.expose_secret()));
        assert_eq!((again.encryption.keys.len(), again.encryption.generation), (1, 0));
        assert_eq!(STANDARD.decode(key.secret.expose_secret()).unwrap().len(), 32);
        assert!(!format!("{pki:?}").contains(key.secret.expose_secret()));
        assert!(!format!("{pki:?}").contains("PRIVATE KEY"));
        assert!(ClusterPki::from_json(&SecretString::from("{}")).is_err());
    }

    #[test]
    fn a_cluster_from_before_has_no_key_for_its_secrets_and_gets_none() {
        let pki = ClusterPki { encryption: EncryptionKeys::none(), ..ClusterPki::generate(OffsetDateTime::now_utc()).unwrap() };
        let json = pki.to_json().unwrap();
        assert!(!json.expose_secret().contains("encryption_key"));
        assert!(ClusterPki::from_json(&json).unwrap().encryption.keys.is_empty());
    }

    #[test]
    fn a_list_of_keys_that_cannot_be_read_is_no_cluster_without_keys() {
        let pki = ClusterPki::generate(OffsetDateTime::now_utc()).unwrap();
        let mut json: serde_json::Value = serde_json::from_str(pki.to_json().unwrap().expose_secret()).unwrap();
        json["encryption_key"] = serde_json::json!({"list_of_a_later_version": []});
        assert!(ClusterPki::from_json(&SecretString::from(json.to_string())).is_err());
    }
}
