//! Where a request comes from: the client's address, and the scheme and the host it used. What proxies say of that is believed only of proxies that the operator
//! named; everybody else's words are as good as none.

use crate::state::State;
use actix_web::HttpRequest;
use actix_web::http::header::{FORWARDED, HOST, HeaderMap, HeaderName, X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO};
use actix_web::web::Data;
use ipnet::IpNet;
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};

/// The proxies in front of the listeners.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxies {
    /// Where they are.
    #[serde(default)]
    pub trusted: Vec<IpNet>,
    /// How they say where a request comes from. The other way is not read: they pass on what a client made up.
    #[serde(default)]
    pub header: ProxyHeader,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyHeader {
    /// `X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host`
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239)
    Forwarded,
}

/// What was found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Peer {
    address: Option<IpAddr>,
    scheme: Option<String>,
    host: Option<String>,
}

/// What one proxy wrote of the one before it.
#[derive(Clone, Debug, Default)]
struct Hop {
    address: Option<IpAddr>,
    scheme: Option<String>,
    host: Option<String>,
}

impl Proxies {
    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|range| range.contains(&address))
    }

    /// From the nearest on, each says who came to it, and is believed because the one after it is; the first who is no proxy of ours is the client.
    fn look(&self, connected: Option<IpAddr>, headers: &HeaderMap) -> Peer {
        let mut peer = Peer { address: connected.map(|address| address.to_canonical()), ..Peer::default() };
        let mut hops = match self.header {
            ProxyHeader::XForwardedFor => by_x_forwarded(headers),
            ProxyHeader::Forwarded => by_forwarded(headers),
        };
        while peer.address.is_some_and(|address| self.trusts(address)) {
            let Some(hop) = hops.pop() else { break };
            peer.scheme = hop.scheme.or(peer.scheme);
            peer.host = hop.host.or(peer.host);
            // A name that is hidden or no address ends what is known: the proxy that wrote it is the nearest there is.
            let Some(address) = hop.address else { break };
            peer.address = Some(address);
        }
        peer
    }
}

/// All values of a header, in order, without spaces.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    headers.get_all(name).filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim).collect()
}

/// Scheme and host are said once for all, by the nearest proxy last.
fn by_x_forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let last = |name: &HeaderName| list(headers, name).pop().map(str::to_owned);
    let mut hops: Vec<Hop> = list(headers, &X_FORWARDED_FOR).into_iter().map(|text| Hop { address: address(text), ..Hop::default() }).collect();
    // A proxy may say no more than by which scheme it was asked.
    if hops.is_empty() {
        hops.push(Hop::default());
    }
    if let Some(nearest) = hops.last_mut() {
        (nearest.scheme, nearest.host) = (last(&X_FORWARDED_PROTO), last(&X_FORWARDED_HOST));
    }
    hops
}

fn by_forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let hop = |element: &str| {
        let mut hop = Hop::default();
        for (name, value) in element.split(';').filter_map(|pair| pair.split_once('=')) {
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "for" => hop.address = address(value),
                "proto" => hop.scheme = Some(value.to_owned()),
                "host" => hop.host = Some(value.to_owned()),
                _ => (),
            }
        }
        hop
    };
    list(headers, &FORWARDED).into_iter().map(hop).collect()
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let parsed = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    parsed.map(|address| address.to_canonical())
}

fn look(request: &HttpRequest) -> Peer {
    let connected = request.peer_addr().map(|socket| socket.ip());
    match request.app_data::<Data<State>>() {
        Some(state) => state.settings.proxies.look(connected, request.headers()),
        None => Proxies::default().look(connected, request.headers()),
    }
}

/// The client's address; empty where there is none.
#[must_use]
pub fn source(request: &HttpRequest) -> String {
    look(request).address.map(|address| address.to_string()).unwrap_or_default()
}

/// The name by which the client asked for us.
#[must_use]
pub fn host(request: &HttpRequest) -> String {
    let asked = || request.headers().get(HOST).and_then(|value| value.to_str().ok()).map(str::to_owned);
    look(request).host.or_else(asked).unwrap_or_default()
}

/// Data of a connection: it came to our own TLS listener.
#[derive(Clone, Copy, Debug)]
pub struct OverTls;

/// Whether the request came over TLS, to us or to what stands before us. Who comes by the name of the console, which is reached over TLS, did.
#[must_use]
pub fn secure(request: &HttpRequest) -> bool {
    let by_name = || {
        let origin = format!("https://{}", host(request));
        request.app_data::<Data<State>>().is_some_and(|state| state.settings.origins.contains(&origin))
    };
    request.conn_data::<OverTls>().is_some() || look(request).scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")) || by_name()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn proxies(header: ProxyHeader) -> Proxies {
        Proxies { trusted: ["10.0.0.0/8", "fd00::/8"].map(|range| range.parse().unwrap()).to_vec(), header }
    }

    fn seen(header: ProxyHeader, connected: &str, lines: &[(HeaderName, &str)]) -> (String, Option<String>, Option<String>) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        let peer = proxies(header).look(Some(connected.parse().unwrap()), &headers);
        (peer.address.unwrap().to_string(), peer.scheme, peer.host)
    }

    #[test]
    fn only_proxies_that_were_named_say_who_came_to_them() {
        let for_ = |connected: &str, values: &[&str]| {
            let lines: Vec<_> = values.iter().map(|value| (X_FORWARDED_FOR, *value)).collect();
            seen(ProxyHeader::XForwardedFor, connected, &lines).0
        };
        // Of a client itself nothing is believed.
        assert_eq!(for_("198.51.100.7", &["203.0.113.9"]), "198.51.100.7");
        assert_eq!(for_("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(for_("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        // What the client made up comes before what the proxy saw.
        assert_eq!(for_("10.0.0.1", &["127.0.0.1, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(for_("10.0.0.1", &["10.0.0.9", "203.0.113.9"]), "203.0.113.9");
        assert_eq!(for_("10.0.0.1", &["1.1.1.1, 203.0.113.9, 10.0.0.2"]), "203.0.113.9");
        assert_eq!(for_("::ffff:10.0.0.1", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(for_("fd00::1", &["[2001:db8::1]:4711"]), "2001:db8::1");
        // What is no address hides who is behind it; what comes before it is not believed.
        assert_eq!(for_("10.0.0.1", &["203.0.113.9, unknown"]), "10.0.0.1");
        assert_eq!(for_("10.0.0.1", &["203.0.113.9, "]), "10.0.0.1");
        assert_eq!(for_("10.0.0.1", &["203.0.113.9, unknown, 10.0.0.2"]), "10.0.0.2");
    }

    #[test]
    fn forwarded_is_read_where_it_was_chosen_and_the_other_way_is_not() {
        let element = "for=\"[2001:db8::1]:4711\";proto=https;host=kcs.example.org";
        let found = |address: &str| (address.to_owned(), Some("https".to_owned()), Some("kcs.example.org".to_owned()));
        assert_eq!(seen(ProxyHeader::Forwarded, "10.0.0.1", &[(FORWARDED, element)]), found("2001:db8::1"));
        assert_eq!(seen(ProxyHeader::Forwarded, "10.0.0.1", &[(FORWARDED, "for=1.1.1.1"), (FORWARDED, element)]), found("2001:db8::1"));
        assert_eq!(
            seen(ProxyHeader::Forwarded, "10.0.0.1", &[(FORWARDED, "For=203.0.113.9;Proto=https;Host=kcs.example.org, for=10.0.0.2")]),
            found("203.0.113.9")
        );
        assert_eq!(seen(ProxyHeader::Forwarded, "10.0.0.1", &[(FORWARDED, "for=1.1.1.1, for=_hidden")]).0, "10.0.0.1");
        assert_eq!(seen(ProxyHeader::Forwarded, "198.51.100.7", &[(FORWARDED, element)]), ("198.51.100.7".to_owned(), None, None));
        assert_eq!(
            seen(ProxyHeader::Forwarded, "10.0.0.1", &[(X_FORWARDED_FOR, "1.1.1.1"), (X_FORWARDED_PROTO, "https")]),
            ("10.0.0.1".to_owned(), None, None)
        );
        assert_eq!(seen(ProxyHeader::XForwardedFor, "10.0.0.1", &[(FORWARDED, element)]), ("10.0.0.1".to_owned(), None, None));
    }

    #[test]
    fn scheme_and_host_are_the_nearest_proxys_to_say() {
        let lines = [(X_FORWARDED_FOR, "203.0.113.9"), (X_FORWARDED_PROTO, "http, https"), (X_FORWARDED_HOST, "evil.example, kcs.example.org")];
        let expected = |address: &str| (address.to_owned(), Some("https".to_owned()), Some("kcs.example.org".to_owned()));
        assert_eq!(seen(ProxyHeader::XForwardedFor, "10.0.0.1", &lines), expected("203.0.113.9"));
        assert_eq!(seen(ProxyHeader::XForwardedFor, "10.0.0.1", &lines[1..]), expected("10.0.0.1"));
        assert_eq!(seen(ProxyHeader::XForwardedFor, "198.51.100.7", &lines), ("198.51.100.7".to_owned(), None, None));
    }
}
