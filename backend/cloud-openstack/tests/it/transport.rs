//! The real transport, against sockets on loopback.

use bytes::Bytes;
use cloud_openstack::{ReqwestTransport, Transport};
use http::Request;
use std::io::Write;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers each connection with `answer`, after reading something.
async fn server(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(&answer).await;
        }
    });
    url
}

fn request(url: &str) -> Request<Bytes> {
    Request::post(url).body(Bytes::new()).unwrap()
}

#[tokio::test]
async fn a_refused_connection_was_not_sent_and_a_reset_one_may_have_been() {
    let transport = ReqwestTransport::new(None).unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refused = transport.send(request(&format!("http://{closed}/"))).await.unwrap_err();
    assert!(!refused.sent, "{refused}");
    let reset = transport.send(request(&server(Vec::new()).await)).await.unwrap_err();
    assert!(reset.sent, "{reset}");
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"server\"".to_vec();
    assert!(transport.send(request(&server(cut).await)).await.unwrap_err().sent);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let answer = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_vec();
    let transport = ReqwestTransport::new(None).unwrap();
    assert_eq!(transport.send(request(&server(answer).await)).await.unwrap().status(), 302);
}

#[tokio::test]
async fn an_answer_too_large_is_not_swallowed() {
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 17825792\r\n\r\n".to_vec();
    answer.resize(answer.len() + 17_825_792, b'x');
    let error = ReqwestTransport::new(None).unwrap().send(request(&server(answer).await)).await.unwrap_err();
    assert!(error.sent && error.message.contains("16 MiB"), "{error}");
}

#[test]
fn a_ca_file_must_hold_certificates() {
    assert!(ReqwestTransport::new(Some(std::path::Path::new("/nonexistent"))).is_err());
    let mut empty = tempfile::NamedTempFile::new().unwrap();
    writeln!(empty, "nothing").unwrap();
    assert!(ReqwestTransport::new(Some(empty.path())).is_err());
}

/// A TLS server whose certificate, for this name and until then, is signed by the authority whose PEM is answered.
async fn tls_server(name: &str, until: i32) -> (String, String) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let pem = authority.self_signed(&key).unwrap().pem();
    let mut leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    leaf.not_after = rcgen::date_time_ymd(until, 1, 1);
    let leaf_key = KeyPair::generate().unwrap();
    let certificate = leaf.signed_by(&leaf_key, &Issuer::new(authority, key)).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(leaf_key.serialize_der()).unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    (url, pem)
}

#[tokio::test]
async fn case_14_a_certificate_that_cannot_be_believed_is_refused_and_the_reason_said() {
    let trusting = |pem: &str| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(pem.as_bytes()).unwrap();
        ReqwestTransport::new(Some(file.path())).unwrap()
    };
    let (url, good) = tls_server("127.0.0.1", 2090).await;
    assert_eq!(trusting(&good).send(request(&url)).await.unwrap().status(), 200);
    let (expired_url, expired) = tls_server("127.0.0.1", 2020).await;
    let (other_url, other) = tls_server("keystone.example.org", 2090).await;
    for (transport, url, why) in [
        (trusting(&expired), expired_url, "it has expired"),
        (trusting(&other), other_url, "it is for another name"),
        (trusting(&other), url.clone(), "none of the trusted authorities has signed it"),
        (ReqwestTransport::new(None).unwrap(), url, "none of the trusted authorities has signed it"),
    ] {
        let error = transport.send(request(&url)).await.unwrap_err();
        assert!(!error.sent && error.message.contains("certificate is refused") && error.message.contains(why), "{error}");
    }
}

/// Answers well, but hangs up without a word on every other request; says how many it has read.
async fn fickle() -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let read = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = read.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request).await;
            if count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) % 2 == 1 {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
            }
        }
    });
    (url, read)
}

#[tokio::test]
async fn a_read_whose_connection_is_lost_is_read_once_more_and_a_change_never() {
    let transport = ReqwestTransport::new(None).unwrap();
    let (url, read) = fickle().await;
    assert!(transport.send(request(&url)).await.unwrap_err().sent);
    assert_eq!(read.load(std::sync::atomic::Ordering::SeqCst), 1, "a change that was lost may have been done");
    let (url, read) = fickle().await;
    assert_eq!(transport.send(Request::get(&url).body(Bytes::new()).unwrap()).await.unwrap().status(), 200);
    assert_eq!(read.load(std::sync::atomic::Ordering::SeqCst), 2);
    assert!(transport.send(Request::get(server(Vec::new()).await).body(Bytes::new()).unwrap()).await.unwrap_err().sent, "but not for ever");
}

/// Answers the first request of each connection, once three of them are there, and hangs up at the second.
async fn weary() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let three = std::sync::Arc::new(tokio::sync::Barrier::new(3));
    tokio::spawn(async move {
        let mut connections = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            connections += 1;
            let three = (connections <= 3).then(|| three.clone());
            tokio::spawn(async move {
                let mut request = [0; 4_096];
                let _ = stream.read(&mut request).await;
                if let Some(three) = three {
                    three.wait().await;
                }
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
                let _ = stream.read(&mut request).await;
            });
        }
    });
    url
}

#[tokio::test]
async fn a_read_does_not_meet_one_closed_connection_after_the_other() {
    let transport = ReqwestTransport::new(None).unwrap();
    let url = weary().await;
    let read = || transport.send(Request::get(&url).body(Bytes::new()).unwrap());
    let kept = tokio::join!(read(), read(), read());
    assert!(kept.0.is_ok() && kept.1.is_ok() && kept.2.is_ok());
    assert_eq!(read().await.unwrap().status(), 200);
}
