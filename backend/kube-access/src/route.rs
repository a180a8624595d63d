//! The way to a cluster's API: straight, or through a proxy that reaches networks which have no way in from outside.

use crate::destinations::Destinations;
use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioIo;
use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;
use std::task::{Context, Poll};
use tokio::net::TcpStream;
use tower_service::Service;

/// How a private API is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Route {
    /// This machine has a route into the clusters' networks.
    #[default]
    Direct,
    /// `http://host:port`: a proxy that takes CONNECT.
    HttpConnect(Uri),
    /// `socks5://host:port`
    Socks5(Uri),
}

/// The text names no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be direct, http://host:port or socks5://host:port")]
pub struct RouteError;

impl FromStr for Route {
    type Err = RouteError;
    fn from_str(text: &str) -> Result<Self, RouteError> {
        if text == "direct" {
            return Ok(Self::Direct);
        }
        let uri: Uri = text.parse().map_err(|_| RouteError)?;
        let plain = uri.authority().is_some_and(|a| a.port().is_some() && !a.as_str().contains('@')) && matches!(uri.path(), "" | "/");
        match uri.scheme_str() {
            Some("http") if plain => Ok(Self::HttpConnect(uri)),
            Some("socks5") if plain => Ok(Self::Socks5(uri)),
            _ => Err(RouteError),
        }
    }
}

type BoxError = Box<dyn StdError + Send + Sync>;

/// Opens the TCP connection, whichever way, and only to where a cluster's API may be at that moment.
#[derive(Clone)]
pub(crate) struct RouteConnector {
    route: Route,
    destinations: Destinations,
    http: HttpConnector,
}

impl RouteConnector {
    pub fn new(route: &Route, destinations: &Destinations) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        Self { route: route.clone(), destinations: destinations.clone(), http }
    }
}

impl Service<Uri> for RouteConnector {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.http.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        // Where the cloud is may have become known, or have changed, since the channel was made.
        if let Some(Err(no)) = to.authority().map(|authority| self.destinations.check(authority)) {
            return Box::pin(async move { Err(BoxError::from(no)) });
        }
        let mut http = self.http.clone();
        match self.route.clone() {
            Route::Direct => Box::pin(async move { Ok(http.call(to).await?) }),
            Route::HttpConnect(proxy) => Box::pin(async move { Ok(Tunnel::new(proxy, http).call(to).await?) }),
            Route::Socks5(proxy) => Box::pin(async move { Ok(SocksV5::new(proxy, http).call(to).await?) }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_route_is_direct_or_a_proxy_without_a_password() {
        assert_eq!("direct".parse(), Ok(Route::Direct));
        assert_eq!("http://10.0.0.1:3128".parse(), Ok(Route::HttpConnect("http://10.0.0.1:3128".parse().unwrap())));
        assert_eq!("socks5://bastion:1080".parse(), Ok(Route::Socks5("socks5://bastion:1080".parse().unwrap())));
        for bad in ["", "bastion", "https://a:1", "http://a", "http://u:p@a:1", "socks5://a:1/x"] {
            assert_eq!(bad.parse::<Route>(), Err(RouteError), "{bad}");
        }
    }
}
