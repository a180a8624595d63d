//! A proxy on loopback in front of the local cloud that does to calls what networks and gateways do to them.

use bytes::Bytes;
use http::{Method, Request, Response};
use local_cloud::LocalCloud;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What happens to one call.
#[derive(Clone, Debug)]
pub enum Deed {
    /// The cloud answers.
    Pass,
    /// The connection is cut, and the cloud hears nothing.
    Cut,
    /// The cloud hears nothing; this is the answer: status, a header, body.
    Instead(u16, (&'static str, &'static str), &'static str),
    /// The cloud does it; the connection is cut before the answer.
    DoneThenCut,
    /// The cloud does it; this is the answer.
    DoneBut(u16, (&'static str, &'static str), &'static str),
    /// The cloud does it; the answer ends in the middle, and says that it is whole.
    DoneThenHalf,
    /// The cloud does it; the answer comes a byte at a time.
    DoneThenTrickle(Duration),
}

type Plan = Box<dyn Fn(&Seen) -> Deed + Send + Sync>;

/// A call as the proxy saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: Method,
    pub path: String,
}

pub struct FaultProxy {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    plan: Arc<Mutex<Plan>>,
}

impl FaultProxy {
    /// Stands before the cloud that `cloud` makes for the proxy's own URL.
    pub async fn before(cloud: impl FnOnce(&str) -> LocalCloud) -> (Self, LocalCloud) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let cloud = cloud(&url);
        let pass: Plan = Box::new(|_| Deed::Pass);
        let (seen, plan) = (Arc::new(Mutex::default()), Arc::new(Mutex::new(pass)));
        let (inner, log, plans) = (cloud.clone(), Arc::clone(&seen), Arc::clone(&plan));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, inner.clone(), log.clone(), plans.clone()));
            }
        });
        (Self { url, seen, plan }, cloud)
    }

    /// From now on calls meet this.
    pub fn plan(&self, plan: impl Fn(&Seen) -> Deed + Send + Sync + 'static) {
        *self.plan.lock().unwrap() = Box::new(plan);
    }

    /// The calls whose path contains this.
    pub fn seen(&self, part: &str) -> usize {
        self.seen.lock().unwrap().iter().filter(|s| s.path.contains(part)).count()
    }
}

async fn serve(mut stream: TcpStream, cloud: LocalCloud, log: Arc<Mutex<Vec<Seen>>>, plan: Arc<Mutex<Plan>>) {
    while let Some(request) = read(&mut stream).await {
        let seen = Seen { method: request.method().clone(), path: request.uri().path().to_owned() };
        log.lock().unwrap().push(seen.clone());
        let deed = (plan.lock().unwrap())(&seen);
        if !perform(&mut stream, &cloud, request, deed).await {
            return;
        }
    }
}

/// False: the connection is over.
async fn perform(stream: &mut TcpStream, cloud: &LocalCloud, request: Request<Bytes>, deed: Deed) -> bool {
    let built = |status: u16, (name, value): (&str, &str), body: &'static str| {
        Response::builder().status(status).header(name, value).body(Bytes::from_static(body.as_bytes())).unwrap()
    };
    match deed {
        Deed::Cut => false,
        Deed::Pass => write(stream, &cloud.handle(request)).await,
        Deed::Instead(status, header, body) => write(stream, &built(status, header, body)).await,
        Deed::DoneThenCut => {
            drop(cloud.handle(request));
            false
        }
        Deed::DoneBut(status, header, body) => {
            drop(cloud.handle(request));
            write(stream, &built(status, header, body)).await
        }
        Deed::DoneThenHalf => {
            let mut answer = cloud.handle(request);
            let half = answer.body().slice(..answer.body().len() / 2);
            *answer.body_mut() = half;
            write(stream, &answer).await
        }
        Deed::DoneThenTrickle(pause) => {
            for byte in bytes_of(&cloud.handle(request)) {
                if stream.write_all(&[byte]).await.is_err() {
                    return false;
                }
                tokio::time::sleep(pause).await;
            }
            true
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request<Bytes>> {
    let mut all = Vec::new();
    let head = loop {
        if let Some(at) = all.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut all).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(all[..head].to_vec()).ok()?;
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ');
    let mut builder = Request::builder().method(first.next()?).uri(first.next()?);
    let mut length = 0;
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().ok()?;
        }
        builder = builder.header(name, value);
    }
    while all.len() < head + length {
        if stream.read_buf(&mut all).await.ok()? == 0 {
            return None;
        }
    }
    builder.body(Bytes::from(all[head..head + length].to_vec())).ok()
}

fn bytes_of(answer: &Response<Bytes>) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {} {}\r\n", answer.status().as_u16(), answer.status().canonical_reason().unwrap_or(""));
    for (name, value) in answer.headers().iter().filter(|(name, _)| *name != "content-length") {
        text += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    if answer.status() != 204 {
        text += &format!("content-length: {}\r\n", answer.body().len());
    }
    let mut all = (text + "\r\n").into_bytes();
    all.extend_from_slice(answer.body());
    all
}

async fn write(stream: &mut TcpStream, answer: &Response<Bytes>) -> bool {
    stream.write_all(&bytes_of(answer)).await.is_ok()
}
