//! The two listeners: plain HTTP for browsers (behind whatever ends their TLS), and our own TLS for kubectl and nodes.

use crate::console;
use actix_web::dev::Server;
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};
use api::state::State;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sealed::Gate;
use secrecy::ExposeSecret;
use std::error::Error;
use std::net::{IpAddr, SocketAddr, TcpListener};
use time::OffsetDateTime;
use tracing_actix_web::TracingLogger;

/// Where to listen and by which names others reach us over TLS.
pub struct Listen {
    pub http: TcpListener,
    pub tls: TcpListener,
    pub names: Vec<String>,
    pub addresses: Vec<IpAddr>,
}

impl Listen {
    /// Takes both addresses, or says which one is not to be had.
    ///
    /// # Errors
    /// The address and the reason.
    pub fn bind(http: SocketAddr, tls: SocketAddr) -> Result<(TcpListener, TcpListener), String> {
        let take = |address: SocketAddr| TcpListener::bind(address).map_err(|e| format!("cannot listen on {address}: {e}"));
        Ok((take(http)?, take(tls)?))
    }
}

fn tls(gate: &Gate, names: &[String], addresses: &[IpAddr]) -> Result<rustls::ServerConfig, Box<dyn Error>> {
    let pair = gate.server_certificate(names, addresses, OffsetDateTime::now_utc())?;
    let chain = CertificateDer::pem_slice_iter(pair.certificate_pem.as_bytes()).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(pair.key_pem.expose_secret().as_bytes())?;
    // HTTP/1.1 only: kubectl's upgrades (exec, port-forward) need it.
    let mut config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Starts serving. Await it; stop it by its handle.
///
/// # Errors
/// When the certificate cannot be made or a listener not be used.
pub fn start(listen: Listen, gate: &Gate, state: Data<State>) -> Result<Server, Box<dyn Error>> {
    let tls = tls(gate, &listen.names, &listen.addresses)?;
    let server = HttpServer::new(move || {
        let headers = console::SECURITY_HEADERS.into_iter().fold(DefaultHeaders::new(), |headers, pair| headers.add(pair));
        App::new()
            .app_data(state.clone())
            .configure(api::routes::configure)
            .default_service(web::to(console::serve))
            .wrap(headers)
            .wrap(from_fn(api::request_id::middleware))
            .wrap(TracingLogger::<api::trace::RequestSpan>::new())
    })
    .workers(std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8))
    // Streams (watch, logs, events) hold connections open.
    .max_connections(20_000)
    .keep_alive(std::time::Duration::from_secs(75))
    .client_request_timeout(std::time::Duration::from_secs(15))
    .shutdown_timeout(5)
    .disable_signals()
    .listen(listen.http)?
    .listen_rustls_0_23(listen.tls, tls)?;
    Ok(server.run())
}
