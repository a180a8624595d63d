//! Where the cloud is and who KCS is in it.

use secrecy::SecretString;
use url::Url;

/// Which of a service's endpoints are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interface {
    #[default]
    Public,
    Internal,
    Admin,
}

impl Interface {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Admin => "admin",
        }
    }
}

/// Where the cloud is and who KCS is in it. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Config {
    /// Keystone, with or without `/v3`.
    pub auth_url: Url,
    /// None: the first region of the catalogue that has the service.
    pub region: Option<String>,
    pub interface: Interface,
    /// The service account: an administrator that makes service users and gives them their roles.
    pub service_username: String,
    pub service_password: SecretString,
    /// Project the service account works in.
    pub service_project: String,
    /// Name of the domain of the service account and its project.
    pub service_domain: String,
    /// Name of the domain the service users of tenants are made in.
    pub tenant_domain: String,
    /// Octavia's provider; None: the cloud's default. `ovn` takes other balancing and monitoring.
    pub load_balancer_provider: Option<String>,
}
