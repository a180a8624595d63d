//! The listeners: plain HTTP for browsers (behind whatever ends their TLS), our own TLS for kubectl and nodes, and one for the figures.

use crate::spdy::Connection;
use crate::{console, framing, security_headers};
use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_server::{Server, ServerBuilder};
use actix_service::{ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_tls::accept::TlsError;
use actix_tls::accept::rustls_0_23::{Acceptor, TlsStream};
use actix_web::App;
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::web::{self, Data};
use api::peers::OverTls;
use api::state::State;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sealed::Gate;
use secrecy::ExposeSecret;
use std::error::Error;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncWrite};
use tracing_actix_web::TracingLogger;

/// Where to listen and by which names others reach us over TLS.
pub struct Listen {
    pub http: TcpListener,
    pub tls: TcpListener,
    pub figures: Option<TcpListener>,
    pub names: Vec<String>,
    pub addresses: Vec<IpAddr>,
}

impl Listen {
    /// Takes both addresses, or says which one is not to be had.
    ///
    /// # Errors
    /// The address and the reason.
    pub fn bind(http: SocketAddr, tls: SocketAddr) -> Result<(TcpListener, TcpListener), String> {
        Ok((take(http)?, take(tls)?))
    }
}

/// Takes an address.
///
/// # Errors
/// The address and the reason.
pub fn take(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).map_err(|e| format!("cannot listen on {address}: {e}"))
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

/// What is behind both listeners.
fn app(
    state: Data<State>,
) -> App<impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<impl MessageBody>, Error = actix_web::Error, InitError = ()>> {
    App::new()
        .app_data(state)
        .configure(api::routes::configure)
        .default_service(web::to(console::serve))
        .wrap(from_fn(api::refusals::middleware))
        .wrap(from_fn(api::origins::middleware))
        .wrap(from_fn(framing::middleware))
        .wrap(from_fn(security_headers::middleware))
        .wrap(from_fn(api::request_id::middleware))
        .wrap(TracingLogger::<api::trace::RequestSpan>::new())
}

/// HTTP on connections of either kind.
fn http<T: AsyncRead + AsyncWrite + Unpin + 'static>(
    state: Data<State>,
    tls: bool,
    at: SocketAddr,
) -> impl ServiceFactory<(Connection<T>, Option<SocketAddr>), Config = (), Response = (), Error = DispatchError, InitError = ()> {
    let stopping = state.stopping.clone();
    let app = map_config(app(state), |()| AppConfig::default()).map_err(|error: actix_web::Error| error.error_response());
    HttpService::build()
        .keep_alive(Duration::from_secs(75))
        .client_request_timeout(Duration::from_secs(15))
        .client_disconnect_timeout(Duration::from_secs(1))
        // Who says no more has gone: otherwise a watch in which nothing happens would stay open, here and in the cluster, for as long as streams may last.
        .h1_allow_half_closed(false)
        .local_addr(at)
        .on_connect_ext(move |io: &Connection<T>, data| {
            data.insert(io.hang_up());
            data.insert(io.ending());
            if tls {
                data.insert(OverTls);
            }
        })
        .graceful_shutdown_signal(move || stopping.clone().cancelled_owned())
        .h1(app)
}

/// Whose connection it is. The head of an answer and its body are two packets; the second must not wait until the first is acknowledged.
fn accepted(io: &TcpStream) -> Option<SocketAddr> {
    drop(io.set_nodelay(true));
    io.peer_addr().ok()
}

/// Serves plain HTTP on one listener more.
///
/// # Errors
/// When the listener is not usable.
pub fn plain(builder: ServerBuilder, listener: TcpListener, state: &Data<State>) -> std::io::Result<ServerBuilder> {
    let (at, state) = (listener.local_addr()?, state.clone());
    builder.listen("http", listener, move || {
        let begin = fn_service(|io: TcpStream| async move {
            let peer = accepted(&io);
            Ok::<_, DispatchError>((Connection::new(io), peer))
        });
        begin.and_then(http(state.clone(), false, at))
    })
}

/// Serves HTTP over our own TLS on one listener more.
fn over_tls(builder: ServerBuilder, listener: TcpListener, state: &Data<State>, config: rustls::ServerConfig) -> std::io::Result<ServerBuilder> {
    let (at, state) = (listener.local_addr()?, state.clone());
    builder.listen("https", listener, move || {
        let accept = Acceptor::new(config.clone()).map_init_err(|_| ()).map_err(TlsError::into_service_error);
        let begin = fn_service(|io: TlsStream<TcpStream>| async move {
            let peer = accepted(io.get_ref().0);
            Ok::<_, TlsError<std::io::Error, DispatchError>>((Connection::new(io), peer))
        });
        accept.and_then(begin).and_then(http(state.clone(), true, at).map_err(TlsError::Service))
    })
}

/// Serves the figures, and nothing else, on one listener more.
///
/// # Errors
/// When the listener is not usable.
pub fn figures(builder: ServerBuilder, listener: TcpListener, state: &Data<State>) -> std::io::Result<ServerBuilder> {
    let state = state.clone();
    builder.listen("figures", listener, move || {
        let app = App::new().app_data(state.clone()).service(api::health::metrics_get).wrap(from_fn(security_headers::middleware));
        let app = map_config(app, |()| AppConfig::default()).map_err(|error: actix_web::Error| error.error_response());
        HttpService::build().h1(app).tcp()
    })
}

/// Threads that serve requests.
pub fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8)
}

/// Starts serving. Await it; stop it by its handle.
///
/// # Errors
/// When the certificate cannot be made or a listener not be used.
pub fn start(listen: Listen, gate: &Gate, state: &Data<State>) -> Result<Server, Box<dyn Error>> {
    let tls = tls(gate, &listen.names, &listen.addresses)?;
    let builder = Server::build()
        .workers(workers())
        // Streams (watch, logs, events) hold connections open.
        .max_concurrent_connections(20_000)
        .shutdown_timeout(5)
        .disable_signals();
    let builder = over_tls(plain(builder, listen.http, state)?, listen.tls, state, tls)?;
    Ok(match listen.figures {
        Some(listener) => figures(builder, listener, state)?,
        None => builder,
    }
    .run())
}
