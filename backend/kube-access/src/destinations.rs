//! Where a cluster's API may be: addresses only, never names that could lead elsewhere later, and none of KCS's own or of the cloud's inside. A tenant
//! chooses the ranges of their networks, and so could have us call whom they cannot reach.

use crate::KubeError;
use http::uri::Authority;
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::{Arc, PoisonError, RwLock};

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

/// Addresses that nobody has (RFC 5737, RFC 3849).
const NOBODYS: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))];

/// What may be dialled. Clones know the same.
#[derive(Clone, Debug, Default)]
pub struct Destinations {
    allowed: Vec<IpNet>,
    denied: Vec<IpNet>,
    /// Where the cloud's services and what else KCS stands on are now.
    away: Arc<RwLock<BTreeSet<IpAddr>>>,
}

impl Destinations {
    /// Besides what is denied always: `denied`, except what is in `allowed`.
    #[must_use]
    pub fn new(allowed: Vec<IpNet>, denied: Vec<IpNet>) -> Self {
        Self { allowed, denied, away: Arc::default() }
    }

    /// At these addresses, in place of those said before, no cluster's API is either.
    pub fn keep_away(&self, addresses: BTreeSet<IpAddr>) {
        *self.away.write().unwrap_or_else(PoisonError::into_inner) = addresses;
    }

    /// Whether a cluster's API may be at an address.
    #[must_use]
    pub fn may_be(&self, address: IpAddr) -> bool {
        // `::ffff:127.0.0.1` is 127.0.0.1.
        let address = address.to_canonical();
        let within = |ranges: &[IpNet]| ranges.iter().any(|range| range.contains(&address));
        let never = || NEVER.iter().filter_map(|range| range.parse::<IpNet>().ok()).any(|range| range.contains(&address));
        let away = || self.away.read().unwrap_or_else(PoisonError::into_inner).contains(&address);
        within(&self.allowed) || !(never() || within(&self.denied) || away() || is_own(address, binds))
    }

    /// Whether a connection to this authority may be opened. A literal address is what is connected to: there is nothing to look up.
    pub(crate) fn check(&self, authority: &Authority) -> Result<(), KubeError> {
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let no = || KubeError::Destination(host.chars().take(100).collect());
        let address: IpAddr = host.parse().map_err(|_| no())?;
        if self.may_be(address) { Ok(()) } else { Err(no()) }
    }
}

/// Whether an address is one of this machine's own: only those can be bound to. Where anything can (net.ipv4.ip_nonlocal_bind), that says nothing.
fn is_own(address: IpAddr, binds: impl Fn(IpAddr) -> bool) -> bool {
    binds(address) && !NOBODYS.into_iter().any(|nobodys| nobodys.is_ipv4() == address.is_ipv4() && binds(nobodys))
}

fn binds(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
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
    fn no_clusters_api_is_where_kcs_or_the_cloud_is_unless_that_is_allowed() {
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<BTreeSet<IpAddr>>();
        let own = Destinations::new(vec!["203.0.113.9/32".parse().unwrap()], Vec::new());
        own.clone().keep_away(addresses(&["203.0.113.7", "203.0.113.9", "2001:db8::7"]));
        for bad in ["203.0.113.7:6443", "[::ffff:203.0.113.7]:6443", "[2001:db8::7]:6443"] {
            assert!(!may(&own, bad), "{bad}");
        }
        assert!(may(&own, "203.0.113.8:6443") && may(&own, "203.0.113.9:6443"));
        own.keep_away(addresses(&["203.0.113.8"]));
        assert!(!may(&own, "203.0.113.8:6443") && may(&own, "203.0.113.7:6443"));
    }

    #[test]
    fn an_address_of_our_own_interfaces_is_told_by_being_bound_to() {
        let [four, six]: [IpAddr; 2] = ["10.6.0.5", "2001:db8::5"].map(|text| text.parse().unwrap());
        for own in [four, six] {
            assert!(is_own(own, |address| address == own) && !is_own(own, |_| false));
            assert!(!is_own(own, |_| true), "anything can be bound to");
            assert!(is_own(own, |address| address == own || address.is_ipv4() != own.is_ipv4()), "of the other kind only");
        }
        assert!(binds(IpAddr::V4(Ipv4Addr::LOCALHOST)));
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
