//! Serves connections: HTTP/1.1, and none that may be silent for ever.
//!
//! What a request means is the door's; here is only how many connections there may be, and how long one may take to
//! say what it wants.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use consign_api_http::limits::{HEAD_BYTES_MAX, HEAD_S_MAX, UNREAD_S_MAX};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_io_timeout::TimeoutStream;

/// How often it is said, at most, that there are too many connections.
const SAID_EACH: Duration = Duration::from_mins(1);

/// Places for connections. Who finds none waits where the system lets connections wait, until one ends.
pub(crate) struct Places {
    free: Arc<Semaphore>,
    said: Option<Instant>,
}

/// Accepts and serves until it is told to stop, then lets running requests finish.
pub(crate) async fn serve(
    mut listener: impl Listener,
    mut places: Places,
    router: Router,
    stop: impl Future,
) {
    let (mut stop, running) = (pin!(stop), GracefulShutdown::new());
    loop {
        let next = async {
            let place = places.next().await;
            (listener.accept().await, place)
        };
        tokio::select! {
            biased;
            _ = &mut stop => break,
            ((stream, _), place) = next => {
                let (router, running) = (router.clone(), running.watcher());
                tokio::spawn(async move {
                    serve_one(stream, router, running).await;
                    drop(place);
                });
            }
        }
    }
    drop(listener);
    running.shutdown().await;
}

impl Places {
    pub(crate) fn new(connections_max: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(connections_max)), said: None }
    }

    /// The next free place; without one, it is waited for, and said.
    async fn next(&mut self) -> OwnedSemaphorePermit {
        if self.free.available_permits() == 0 && self.said.is_none_or(|at| at.elapsed() > SAID_EACH)
        {
            self.said = Some(Instant::now());
            tracing::warn!(
                "all connections that may be open are in use, and further ones wait; allow more open files (ulimit -n)"
            );
        }
        Arc::clone(&self.free).acquire_owned().await.expect("nobody closes it")
    }
}

async fn serve_one(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    router: Router,
    running: Watcher,
) {
    // Who asks and does not read would keep its answer in our memory for as long as it likes.
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(Duration::from_secs(UNREAD_S_MAX)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // It runs again after each answer, so it ends idle connections, too.
        .header_read_timeout(Duration::from_secs(HEAD_S_MAX))
        .max_header_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(router));
    if let Err(error) = running.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;
    use tokio::time::sleep;

    use super::*;

    /// Connections that the servers here may have at once.
    const CONNECTIONS_MAX: usize = 3;
    /// More bytes than the system takes for a reader who does not read.
    const LONG: usize = 64 << 20;
    const REQUEST: &str = "GET /quick HTTP/1.1\r\nhost: localhost\r\n\r\n";

    /// A server with a quick answer and a slow one, and how to stop it.
    async fn server() -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let slow = async || {
            sleep(Duration::from_secs(2 * HEAD_S_MAX)).await;
            "late"
        };
        let router = Router::new()
            .route("/quick", get(async || "soon"))
            .route("/slow", get(slow))
            .route("/long", get(async || "x".repeat(LONG)));
        let (stop, stopped) = oneshot::channel();
        (
            address,
            stop,
            tokio::spawn(serve(listener, Places::new(CONNECTIONS_MAX), router, stopped)),
        )
    }

    /// All that is answered until the connection ends, and after how many seconds it does.
    async fn said(stream: &mut TcpStream) -> (String, u64) {
        let (begun, mut said) = (Instant::now(), String::new());
        stream.read_to_string(&mut said).await.unwrap();
        (said, begun.elapsed().as_secs())
    }

    async fn connected(address: SocketAddr, sent: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        stream
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_says_nothing_or_never_ends_its_head_is_closed() {
        let (address, _stop, _serving) = server().await;
        for begin in ["", "GET", "GET /quick HTTP/1.1\r\nhost: loc"] {
            let mut stream = connected(address, begin).await;
            assert_eq!(said(&mut stream).await, (String::new(), HEAD_S_MAX), "{begin:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_a_head_drop_by_drop_gains_no_time() {
        let (address, _stop, _serving) = server().await;
        let (mut answers, mut requests) =
            connected(address, "GET / HTTP/1.1\r\n").await.into_split();
        let dripping = tokio::spawn(async move {
            while requests.write_all(b"x: y\r\n").await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        });
        let (begun, mut said) = (Instant::now(), vec![]);
        drop(answers.read_to_end(&mut said).await);
        assert_eq!((said.as_slice(), begun.elapsed().as_secs()), (&b""[..], HEAD_S_MAX));
        dripping.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_is_closed_after_its_last_answer() {
        let (address, _stop, _serving) = server().await;
        let mut stream = connected(address, REQUEST).await;
        sleep(Duration::from_secs(HEAD_S_MAX - 5)).await;
        stream.write_all(REQUEST.as_bytes()).await.unwrap();
        let (said, after_s) = said(&mut stream).await;
        assert_eq!((said.matches("soon").count(), after_s), (2, HEAD_S_MAX));
    }

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_place_waits_until_a_connection_ends() {
        let (address, _stop, _serving) = server().await;
        let mut idle = vec![];
        for _ in 0..CONNECTIONS_MAX {
            idle.push(connected(address, "").await);
        }
        sleep(Duration::from_secs(1)).await;
        let mut late =
            connected(address, &REQUEST.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n")).await;
        let (said, after_s) = said(&mut late).await;
        assert!(said.ends_with("soon"), "{said}");
        assert_eq!(after_s, HEAD_S_MAX - 1, "when the first idle one was closed");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_reads_is_given_up() {
        let (address, _stop, _serving) = server().await;
        for (reads_after_s, whole) in [(UNREAD_S_MAX / 2, true), (UNREAD_S_MAX * 2, false)] {
            let close = REQUEST.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
            let mut stream = connected(address, &close.replace("quick", "long")).await;
            sleep(Duration::from_secs(reads_after_s)).await;
            let mut read = vec![];
            drop(stream.read_to_end(&mut read).await);
            assert_eq!(read.len() > LONG, whole, "{} after {reads_after_s} s", read.len());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_waits_for_its_answer_is_not_idle() {
        let (address, _stop, _serving) = server().await;
        let mut stream = connected(address, &REQUEST.replace("quick", "slow")).await;
        let (said, after_s) = said(&mut stream).await;
        assert!(said.ends_with("late"), "{said}");
        assert_eq!(after_s, 3 * HEAD_S_MAX);
    }

    #[tokio::test]
    async fn a_head_that_is_too_long_or_is_none_is_refused_and_the_connection_closed() {
        let (address, _stop, _serving) = server().await;
        let header =
            |bytes: usize| REQUEST.replace("host:", &format!("x: {}\r\nhost:", "y".repeat(bytes)));
        for (sent, status) in [
            (header(HEAD_BYTES_MAX), "431"),
            (REQUEST.replace("quick", &"q".repeat(HEAD_BYTES_MAX)), "431"),
            (REQUEST.replace("host", &format!("{}host", "x: y\r\n".repeat(100))), "431"),
            (REQUEST.replace("HTTP/1.1", "HTTP/9"), "400"),
            (REQUEST.replace("host", "ho st"), "400"),
            ("\u{0}".repeat(8), "400"),
        ] {
            // What is sent beyond the bound would reset the connection, perhaps before its answer is read.
            let sent = &sent[..sent.len().min(HEAD_BYTES_MAX)];
            let mut stream = connected(address, sent).await;
            let (said, _) = said(&mut stream).await;
            assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {said}");
        }
        let mut stream = connected(address, &header(HEAD_BYTES_MAX - 100)).await;
        stream
            .write_all(REQUEST.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n").as_bytes())
            .await
            .unwrap();
        assert_eq!(said(&mut stream).await.0.matches("soon").count(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_idle_connections_and_lets_requests_finish() {
        let (address, stop, serving) = server().await;
        let mut idle = connected(address, REQUEST).await;
        let mut busy = connected(address, &REQUEST.replace("quick", "slow")).await;
        sleep(Duration::from_secs(1)).await;
        stop.send(()).unwrap();
        assert_eq!(said(&mut idle).await.1, 0);
        assert!(said(&mut busy).await.0.ends_with("late"));
        serving.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
}
