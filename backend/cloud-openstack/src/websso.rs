//! Signing in by browser through an identity provider that Keystone trusts (WebSSO).

use crate::catalog::Service;
use url::Url;

/// Keystone's page that leads to the provider. With `origin` in its query it sends the browser back there, with an unscoped token in a form.
#[must_use]
pub fn websso_url(auth_url: &Url, provider: &str, protocol: &str) -> Option<Url> {
    let mut url = Url::parse(&Service::Identity.root(auth_url.as_str())).ok()?;
    let path = ["auth", "OS-FEDERATION", "identity_providers", provider, "protocols", protocol, "websso"];
    url.path_segments_mut().ok()?.pop_if_empty().extend(path);
    Some(url)
}
