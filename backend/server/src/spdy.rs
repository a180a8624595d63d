//! Connections that begin with a request for SPDY, by which kubectl before 1.31 and older client libraries get into pods. The HTTP server hands the raw bytes
//! after a head on where a WebSocket is asked for only, so such a head gets one more line, `Upgrade: websocket`, as the least wanted protocol. A client could have
//! written that itself: nothing is decided here. Who it is, what they may and what is written down is found out where every other request's is. And the end of
//! connections on which something was cut, or followed their last request.

use crate::framing::Ending;
use api::gate::PREFIX;
use api::streams::HangUp;
use bytes::{Buf, BytesMut};
use httparse::{EMPTY_HEADER, Request, Status};
use std::io::{ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::WaitForCancellationFutureOwned;

/// A longer head is not looked at any further.
const HEAD: usize = 32 * 1024;
const HEADERS: usize = 96;
const LINE: &[u8] = b"Upgrade: websocket\r\n";

/// A connection of a client's. All but the head of its first request goes through untouched.
pub struct Connection<T> {
    io: T,
    stage: Stage,
    hang_up: HangUp,
    over: Pin<Box<WaitForCancellationFutureOwned>>,
    ending: Ending,
}

enum Stage {
    /// The first head is not whole.
    Collecting(BytesMut),
    /// What was collected goes to the reader.
    Giving(BytesMut),
    Through,
}

impl<T> Connection<T> {
    pub fn new(io: T) -> Self {
        let hang_up = HangUp::default();
        Self { io, stage: Stage::Collecting(BytesMut::new()), over: Box::pin(hang_up.done()), hang_up, ending: Ending::default() }
    }

    /// For whoever answers, to end it.
    pub fn hang_up(&self) -> HangUp {
        self.hang_up.clone()
    }

    /// For whoever takes its requests, to say which one is the last.
    pub fn ending(&self) -> Ending {
        self.ending.clone()
    }

    /// What waits for the client; once somebody has hung up it waits no longer.
    fn patient<R>(&mut self, cx: &mut Context<'_>, waiting: Poll<Result<R>>) -> Poll<Result<R>> {
        if waiting.is_pending() && self.over.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(ErrorKind::ConnectionAborted.into()));
        }
        waiting
    }
}

enum Seen {
    Part,
    /// A head that asks for SPDY; where its empty line begins.
    Spdy(usize),
    Other,
}

fn look(bytes: &[u8]) -> Seen {
    let mut headers = [EMPTY_HEADER; HEADERS];
    let mut request = Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(Status::Complete(end)) if asks(&request) => Seen::Spdy(end - if bytes[..end].ends_with(b"\r\n") { 2 } else { 1 }),
        Ok(Status::Partial) if bytes.len() < HEAD && request.path.is_none_or(|path| path.starts_with(PREFIX)) => Seen::Part,
        _ => Seen::Other,
    }
}

fn asks(request: &Request<'_, '_>) -> bool {
    let values = |name: &'static str| request.headers.iter().filter(move |h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value.trim_ascii());
    let mut protocols = values("upgrade");
    request.path.is_some_and(|path| path.starts_with(PREFIX))
        && values("connection").any(|value| value.split(|byte| *byte == b',').any(|option| option.trim_ascii().eq_ignore_ascii_case(b"upgrade")))
        && protocols.next().is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"SPDY/3.1"))
        && protocols.next().is_none()
}

impl<T: AsyncRead + Unpin> AsyncRead for Connection<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let this = &mut *self;
        loop {
            match &mut this.stage {
                Stage::Collecting(head) => {
                    let mut piece = [0; 4096];
                    let mut piece = ReadBuf::new(&mut piece);
                    ready!(Pin::new(&mut this.io).poll_read(cx, &mut piece))?;
                    head.extend_from_slice(piece.filled());
                    // Nothing more comes: the reader sees that itself.
                    let seen = if piece.filled().is_empty() { Seen::Other } else { look(head) };
                    if let Seen::Spdy(at) = seen {
                        let rest = head.split_off(at);
                        head.extend_from_slice(LINE);
                        head.unsplit(rest);
                    }
                    if !matches!(seen, Seen::Part) {
                        this.stage = Stage::Giving(std::mem::take(head));
                    }
                }
                Stage::Giving(head) if !head.is_empty() => {
                    let count = head.len().min(to.remaining());
                    to.put_slice(&head[..count]);
                    head.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Stage::Giving(_) => this.stage = Stage::Through,
                Stage::Through => {
                    let read = Pin::new(&mut this.io).poll_read(cx, to);
                    // That nothing was read says that nothing more comes.
                    return if read.is_pending() { this.over.as_mut().poll(cx).map(Ok) } else { read };
                }
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Connection<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.patient(cx, written)
    }
    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, pieces: &[IoSlice<'_>]) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, pieces);
        self.patient(cx, written)
    }
    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        ready!(self.patient(cx, flushed))?;
        if !self.ending.passed() {
            return Poll::Ready(Ok(()));
        }
        // The HTTP server flushes after all that it has to write: the last answer is out.
        ready!(Pin::new(&mut self.io).poll_shutdown(cx))?;
        Poll::Ready(Err(ErrorKind::ConnectionAborted.into()))
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let shut = Pin::new(&mut self.io).poll_shutdown(cx);
        self.patient(cx, shut)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    /// What the HTTP server reads of what a client sends in such pieces.
    async fn read(sent: &[u8], piece: usize) -> Vec<u8> {
        let (mut client, server) = duplex(piece);
        let mut read = Vec::new();
        let mut connection = Connection::new(server);
        let write = async {
            client.write_all(sent).await.unwrap();
            drop(client);
        };
        tokio::join!(write, async { connection.read_to_end(&mut read).await.unwrap() });
        read
    }

    fn head(path: &str, lines: &str) -> Vec<u8> {
        format!("POST {path} HTTP/1.1\r\nHost: kcs\r\n{lines}\r\n").into_bytes()
    }

    const EXEC: &str = "/k8s/clusters/1/api/v1/namespaces/a/pods/p/exec?command=ls";
    const SPDY: &str = "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n";

    #[tokio::test]
    async fn a_head_that_asks_for_spdy_gets_one_line_more_and_nothing_else_changes() {
        for piece in [1, 7, 4096] {
            let mut sent = head(EXEC, SPDY);
            let mut expected = sent[..sent.len() - 2].to_vec();
            expected.extend_from_slice(b"Upgrade: websocket\r\n\r\n");
            // What follows is never looked at, whatever it looks like.
            for bytes in [&mut sent, &mut expected] {
                bytes.extend_from_slice(b"\x80\x03\0\x01 raw");
                bytes.extend_from_slice(&head(EXEC, SPDY));
            }
            assert_eq!(read(&sent, piece).await, expected, "{piece}");
        }
        let bare = b"POST /k8s/clusters/1/x HTTP/1.1\nHost: kcs\nConnection: keep-alive, upgrade\nUpgrade: spdy/3.1\n\nraw";
        let expected = b"POST /k8s/clusters/1/x HTTP/1.1\nHost: kcs\nConnection: keep-alive, upgrade\nUpgrade: spdy/3.1\nUpgrade: websocket\r\n\nraw";
        assert_eq!(read(bare, 16).await, expected);
    }

    #[tokio::test]
    async fn everything_else_goes_through_as_it_came() {
        let long = format!("X-Long: {}\r\n{SPDY}", "a".repeat(HEAD));
        let many: String = (0..HEADERS).map(|n| format!("X-{n}: a\r\n")).collect();
        let second = [head("/version", ""), head(EXEC, SPDY)].concat();
        for sent in [
            head("/api/v1/clusters", SPDY),
            head(EXEC, "Upgrade: SPDY/3.1\r\n"),
            head(EXEC, "Connection: Upgrade\r\nUpgrade: websocket\r\n"),
            head(EXEC, "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nUpgrade: websocket\r\n"),
            head(EXEC, "Connection: Upgrade\r\nUpgrade: SPDY/3\r\n"),
            head(EXEC, &long),
            head(EXEC, &(many + SPDY)),
            second,
            b"not http at all\r\n\r\n".to_vec(),
            b"POST /k8s/clusters/1/x HTTP/1.1\r\nHost: k".to_vec(),
            Vec::new(),
        ] {
            assert_eq!(read(&sent, 64).await, sent, "{}", String::from_utf8_lossy(&sent));
        }
    }

    #[tokio::test]
    async fn a_connection_that_was_hung_up_ends_after_what_has_come() {
        let (mut client, server) = duplex(64);
        let mut connection = Connection::new(server);
        let sent = head("/", "");
        client.write_all(&sent).await.unwrap();
        connection.hang_up().now();
        let mut read = Vec::new();
        tokio::time::timeout(Duration::from_secs(60), connection.read_to_end(&mut read)).await.expect("it goes on").unwrap();
        assert_eq!(read, sent);
    }

    #[tokio::test]
    async fn nothing_waits_for_a_client_that_was_hung_up_on_and_reads_nothing() {
        let (_client, server) = duplex(8);
        let mut connection = Connection::new(server);
        let hang_up = connection.hang_up();
        let both = async { tokio::join!(connection.write_all(&[0; 64]), async { hang_up.now() }) };
        let (written, ()) = tokio::time::timeout(Duration::from_secs(60), both).await.expect("it waits for ever");
        assert_eq!(written.unwrap_err().kind(), ErrorKind::ConnectionAborted);
    }

    #[tokio::test]
    async fn a_connection_on_which_something_followed_the_last_request_ends_after_what_was_written() {
        let (mut client, server) = duplex(64);
        let mut connection = Connection::new(server);
        let ending = connection.ending();
        assert!(ending.takes(false) && ending.takes(true));
        connection.write_all(b"the last ").await.unwrap();
        connection.flush().await.unwrap();
        assert!(!ending.takes(false), "it is one request more");
        connection.write_all(b"answer").await.unwrap();
        assert!(connection.flush().await.is_err(), "it goes on");
        let mut read = Vec::new();
        client.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"the last answer");
    }
}
