//! The address of a KCS, as people give it and as credentials are kept under.

use std::fmt;
use std::str::FromStr;
use url::{Host, Url};

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Address {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|_| "give an address such as https://kcs.example.org".to_owned())?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
        if !bare {
            return Err("give scheme, host and port only: https://kcs.example.org".to_owned());
        }
        match url.scheme() {
            "https" => {}
            // A token must not cross a network in the clear.
            "http" if on_this_machine(&url) => {}
            _ => return Err("use https; http is for this machine only".to_owned()),
        }
        Ok(Self(url.origin().ascii_serialization()))
    }
}

fn on_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_sent_in_the_clear() {
        let good = |text: &str| text.parse::<Address>().map(|address| address.0);
        assert_eq!(good("https://KCS.example.org:443/"), Ok("https://kcs.example.org".to_owned()));
        assert_eq!(good("http://127.0.0.1:8080"), Ok("http://127.0.0.1:8080".to_owned()));
        assert_eq!(good("http://[::1]:8080/"), Ok("http://[::1]:8080".to_owned()));
        for bad in [
            "kcs.example.org",
            "http://kcs.example.org",
            "http://localhost.evil.example",
            "ftp://127.0.0.1",
            "https://u:p@kcs",
            "https://kcs/a",
            "https://kcs/?a",
        ] {
            assert!(good(bad).is_err(), "{bad}");
        }
    }
}
