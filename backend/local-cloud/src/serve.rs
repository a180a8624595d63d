//! The cloud on a port.

use crate::cloud::LocalCloud;
use actix_web::dev::Server;
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use http::{Request, Response};
use std::io;
use std::net::{Shutdown, TcpListener};
use std::os::fd::AsFd as _;
use std::time::Duration;

/// More than any service takes; user-data has its own limit.
const MOST_BODY: usize = 8 << 20;

/// A connection's socket, so that it can be broken before an answer is written.
struct Line(std::net::TcpStream);

impl LocalCloud {
    /// Puts the cloud on a port of loopback. The server runs when it is polled; its handle stops it.
    ///
    /// # Errors
    /// When the port cannot be listened at.
    pub fn serve(&self, listener: TcpListener) -> io::Result<Server> {
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the local cloud answers on loopback only"));
        }
        self.inner.lock().base_url = format!("http://{address}");
        let cloud = web::Data::new(self.clone());
        let app = move || App::new().app_data(cloud.clone()).app_data(web::PayloadConfig::new(MOST_BODY)).default_service(web::to(answer));
        let server = HttpServer::new(app).workers(1).shutdown_timeout(1).disable_signals().on_connect(|connection, extensions| {
            let line = connection.downcast_ref::<TcpStream>().and_then(|stream| stream.as_fd().try_clone_to_owned().ok());
            if let Some(line) = line {
                extensions.insert(Line(line.into()));
            }
        });
        Ok(server.listen(listener)?.run())
    }
}

async fn answer(cloud: web::Data<LocalCloud>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let mut builder = Request::builder().method(request.method().as_str()).uri(request.uri().to_string());
    for (name, value) in request.headers() {
        builder = builder.header(name.as_str(), value.as_bytes());
    }
    let Ok(call) = builder.body(body) else { return HttpResponse::BadRequest().finish() };
    // A console log or a control call may wait for the machines.
    match web::block(move || cloud.answer(&call)).await {
        Ok(Ok(done)) => {
            if done.delay_ms > 0 {
                actix_web::rt::time::sleep(Duration::from_millis(done.delay_ms)).await;
            }
            reply(&done.response)
        }
        Ok(Err(_)) => {
            if let Some(line) = request.conn_data::<Line>() {
                let _ = line.0.shutdown(Shutdown::Both); // an error: the client was quicker
            }
            HttpResponse::BadGateway().finish()
        }
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

fn reply(response: &Response<bytes::Bytes>) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(response.status().as_u16());
    let mut builder = HttpResponse::build(status.unwrap_or(actix_web::http::StatusCode::INTERNAL_SERVER_ERROR));
    for (name, value) in response.headers() {
        builder.append_header((name.as_str(), value.as_bytes()));
    }
    builder.body(response.body().clone())
}
