//! Where a cluster's API may be: addresses only, never names that could lead elsewhere later, and none of KCS's own or of the cloud's inside.

use crate::KubeError;
use http::uri::Authority;
use ipnet::IpNet;
use std::net::IpAddr;

/// Ranges in which no cluster's API is, whatever the cloud says: this machine, links (and what clouds tell their servers there), nobody, everybody.
const NEVER: [&str; 10] = [
    "0.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "fe80::/10",
    "ff00::/8",
    // Leads to the ranges above where a network translates addresses.
    "64:ff9b::/96",
];

/// What may be dialled.
#[derive(Clone, Debug, Default)]
pub struct Destinations {
    allowed: Vec<IpNet>,
    denied: Vec<IpNet>,
}

impl Destinations {
    /// Besides what is denied always: `denied`, except what is in `allowed`.
    #[must_use]
    pub fn new(allowed: Vec<IpNet>, denied: Vec<IpNet>) -> Self {
        Self { allowed, denied }
    }

    /// Whether a connection to this authority may be opened. A literal address is what is connected to: there is nothing to look up.
    pub(crate) fn check(&self, authority: &Authority) -> Result<(), KubeError> {
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let no = || KubeError::Destination(host.chars().take(100).collect());
        let address: IpAddr = host.parse().map_err(|_| no())?;
        // `::ffff:127.0.0.1` is 127.0.0.1.
        let address = address.to_canonical();
        let within = |ranges: &[IpNet]| ranges.iter().any(|range| range.contains(&address));
        let never = || NEVER.iter().filter_map(|range| range.parse::<IpNet>().ok()).any(|range| range.contains(&address));
        if within(&self.allowed) || !(never() || within(&self.denied)) { Ok(()) } else { Err(no()) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn may(destinations: &Destinations, authority: &str) -> bool {
        destinations.check(&authority.parse().unwrap()).is_ok()
    }

    #[test]
    fn no_clusters_api_is_on_this_machine_on_a_link_or_under_a_name() {
        let usual = Destinations::default();
        for good in ["203.0.113.7:6443", "10.6.0.5:6443", "192.168.1.1:6443", "[2001:db8::1]:6443"] {
            assert!(may(&usual, good), "{good}");
        }
        for bad in [
            "127.0.0.1:6443",
            "127.8.9.1:6443",
            "0.0.0.0:6443",
            "169.254.169.254:80",
            "224.0.0.1:6443",
            "255.255.255.255:6443",
            "[::1]:6443",
            "[::]:6443",
            "[fe80::1]:6443",
            "[ff02::1]:6443",
            "[::ffff:127.0.0.1]:6443",
            "[::ffff:169.254.169.254]:80",
            "[64:ff9b::7f00:1]:6443",
            "localhost:6443",
            "keystone.internal:5000",
            "2130706433:6443",
            "0x7f000001:6443",
            "127.1:6443",
        ] {
            assert!(!may(&usual, bad), "{bad}");
        }
    }

    #[test]
    fn operators_deny_and_allow_ranges_of_their_own() {
        let ranges = |text: &str| vec![text.parse().unwrap()];
        let own = Destinations::new(ranges("127.30.0.0/16"), ranges("10.0.0.0/8"));
        assert!(may(&own, "127.30.0.9:6443") && !may(&own, "127.0.0.1:6443"));
        assert!(!may(&own, "10.6.0.5:6443") && may(&own, "203.0.113.7:6443"));
        assert!(!may(&own, "[::ffff:10.6.0.5]:6443"));
    }
}
