//! A cluster's API as far as the gate needs one: TLS under the cluster's own authority, and watches that go on until somebody ends them.

use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};
use futures::StreamExt;
use futures::stream::{once, pending};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sealed::ClusterPki;
use secrecy::ExposeSecret;
use time::OffsetDateTime;

pub struct ClusterApi {
    pub endpoint: String,
    pub pki: ClusterPki,
    server: actix_web::dev::ServerHandle,
}

impl ClusterApi {
    pub fn start() -> Self {
        let pki = ClusterPki::generate(OffsetDateTime::now_utc()).unwrap();
        let server = HttpServer::new(|| App::new().default_service(web::to(watch))).workers(1).disable_signals();
        let server = server.bind_rustls_0_23("127.0.0.1:0", tls(&pki)).unwrap();
        let endpoint = format!("https://{}", server.addrs()[0]);
        let running = server.run();
        let server = running.handle();
        actix_web::rt::spawn(running);
        Self { endpoint, pki, server }
    }
}

impl Drop for ClusterApi {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

/// One event, and then silence.
async fn watch() -> HttpResponse {
    let event = Bytes::from_static(b"{\"type\":\"BOOKMARK\"}\n");
    HttpResponse::Ok().content_type("application/json").streaming(once(async { Ok::<_, std::io::Error>(event) }).chain(pending()))
}

fn tls(pki: &ClusterPki) -> rustls::ServerConfig {
    let hour = time::Duration::hours(1);
    let certificate = pki.cluster.server_certificate(&[], &["127.0.0.1".parse().unwrap()], hour, OffsetDateTime::now_utc()).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(certificate.certificate_pem.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(certificate.key_pem.expose_secret().as_bytes()).unwrap();
    rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap()
}
