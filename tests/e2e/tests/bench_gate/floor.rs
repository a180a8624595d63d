//! The floor: the least that a gate for many people can do, with TLS on both sides, made of the libraries that KCS is made of. One connection to the API for each
//! connection of a client's, bodies and upgrades handed on as they come. It asks nobody, checks nothing and writes nothing down, but says of each request whom it is
//! made for, with a certificate that may do nothing else, as KCS's own: the API looks at both, and at that person's rights. As an administrator it would be spared
//! all this, and all people would be one. What it takes above the direct way is what a second connection over TLS and those looks cost on this machine, whoever
//! writes the gate; what KCS takes above it is what its own rules cost.
//!
//! Its threads are the bench's own: as many as KCS has for requests, each with a runtime, and counted by themselves.

use crate::figures::Counted;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::upgrade::{OnUpgrade, on};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// It ends with the bench's runtime.
pub struct Floor {
    pub port: u16,
    pub threads: Counted,
}

/// Both sides of it.
#[derive(Clone)]
struct Sides {
    accept: TlsAcceptor,
    connect: TlsConnector,
    api: SocketAddr,
    /// What says whom requests are made for.
    person: Arc<HeaderMap>,
}

type Upstream = Arc<Mutex<SendRequest<Incoming>>>;
/// A client's connection, which is of no runtime yet.
type Accepted = std::net::TcpStream;

impl Floor {
    /// Starts it in front of an API, for one person.
    pub async fn start(api: SocketAddr, server: ServerConfig, client: ClientConfig, person: HeaderMap) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sides = Sides { accept: Arc::new(server).into(), connect: Arc::new(client).into(), api, person: Arc::new(person) };
        let (say, said) = mpsc::channel();
        let threads = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8);
        let workers: Vec<_> = (0..threads).map(|_| worker(sides.clone(), say.clone())).collect();
        let threads = Counted(said.iter().take(threads).collect());
        tokio::spawn(share(listener, workers));
        Self { port, threads }
    }
}

/// Gives each connection to the next thread, as KCS's server does. The threads end with this.
async fn share(listener: TcpListener, workers: Vec<UnboundedSender<Accepted>>) {
    for worker in workers.iter().cycle() {
        let (socket, _) = listener.accept().await.unwrap();
        socket.set_nodelay(true).unwrap();
        worker.send(socket.into_std().unwrap()).unwrap();
    }
}

/// A thread, which says first where its processor time stands.
fn worker(sides: Sides, say: mpsc::Sender<String>) -> UnboundedSender<Accepted> {
    let (give, given) = unbounded_channel();
    std::thread::spawn(move || {
        let thread = std::fs::read_link("/proc/thread-self").unwrap();
        say.send(format!("/proc/{}/stat", thread.display())).unwrap();
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work(sides, given));
    });
    give
}

async fn work(sides: Sides, mut given: UnboundedReceiver<Accepted>) {
    while let Some(socket) = given.recv().await {
        let (sides, socket) = (sides.clone(), TcpStream::from_std(socket).unwrap());
        tokio::spawn(async move {
            // A client that leaves is no news.
            let _ = serve(sides, socket).await;
        });
    }
}

async fn serve(sides: Sides, socket: TcpStream) -> Result<(), Box<dyn Error + Send + Sync>> {
    let client = sides.accept.accept(socket).await?;
    let upstream: Upstream = Arc::new(Mutex::new(dial(&sides).await?));
    let person = sides.person;
    let service = service_fn(move |request: Request<Incoming>| pass(request, person.clone(), upstream.clone()));
    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(client), service).with_upgrades().await?;
    Ok(())
}

async fn dial(sides: &Sides) -> Result<SendRequest<Incoming>, Box<dyn Error + Send + Sync>> {
    let socket = TcpStream::connect(sides.api).await?;
    socket.set_nodelay(true)?;
    let api = sides.connect.connect(ServerName::from(sides.api.ip()), socket).await?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(api)).await?;
    tokio::spawn(connection.with_upgrades());
    Ok(sender)
}

async fn pass(mut request: Request<Incoming>, person: Arc<HeaderMap>, upstream: Upstream) -> hyper::Result<Response<Incoming>> {
    for (name, value) in person.iter() {
        request.headers_mut().insert(name, value.clone());
    }
    let ours = on(&mut request);
    let mut upstream = upstream.lock().await;
    upstream.ready().await?;
    let mut answer = upstream.send_request(request).await?;
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        let theirs = on(&mut answer);
        tokio::spawn(async move {
            let _ = tunnel(ours, theirs).await;
        });
    }
    Ok(answer)
}

async fn tunnel(ours: OnUpgrade, theirs: OnUpgrade) -> std::io::Result<()> {
    let (ours, theirs) = tokio::try_join!(ours, theirs).map_err(std::io::Error::other)?;
    tokio::io::copy_bidirectional(&mut TokioIo::new(ours), &mut TokioIo::new(theirs)).await.map(drop)
}
