//! The section `federation` of the configuration: identity providers that Keystone trusts, and that people may sign in with.

use crate::config::{ConfigError, wrong};
use api::federation::Provider;
use serde::Deserialize;
use url::Url;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederationConfig {
    /// Keystone as browsers reach it, if that is not `cloud.auth_url`.
    #[serde(default)]
    pub keystone_url: Option<Url>,
    #[serde(default)]
    pub providers: Vec<ProviderConfig>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    pub id: String,
    /// Keystone's names of the two.
    pub identity_provider: String,
    pub protocol: String,
    /// What the button says.
    pub label: String,
    #[serde(default)]
    pub label_zh: Option<String>,
}

impl FederationConfig {
    /// # Errors
    /// The first key that is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        let plain =
            |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) && !text.trim_matches('.').is_empty();
        if self.keystone_url.as_ref().is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
            return Err(wrong("federation.keystone_url", "must be an http or https URL"));
        }
        for (index, provider) in self.providers.iter().enumerate() {
            let key = |part: &str| format!("federation.providers[{index}].{part}");
            for (part, text) in [("id", &provider.id), ("identity_provider", &provider.identity_provider), ("protocol", &provider.protocol)] {
                if !plain(text) {
                    return Err(wrong(&key(part), "must be of letters, digits and . _ -"));
                }
            }
            if provider.label.trim().is_empty() {
                return Err(wrong(&key("label"), "must say what the button says"));
            }
            if self.providers[..index].iter().any(|other| other.id == provider.id) {
                return Err(wrong(&key("id"), "is there twice"));
            }
        }
        Ok(())
    }

    /// The providers with their pages of Keystone's, which is at `auth_url` unless browsers reach it elsewhere.
    #[must_use]
    pub fn providers(&self, auth_url: &Url) -> Vec<Provider> {
        let keystone = self.keystone_url.as_ref().unwrap_or(auth_url);
        let provider = |of: &ProviderConfig| {
            let page = cloud_openstack::websso_url(keystone, &of.identity_provider, &of.protocol)?;
            Some(Provider { id: of.id.clone(), label: of.label.clone(), label_zh: of.label_zh.clone().unwrap_or_else(|| of.label.clone()), page })
        };
        self.providers.iter().filter_map(provider).collect()
    }
}
