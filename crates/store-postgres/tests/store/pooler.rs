//! A pooler in transaction mode, as small as one can be: clients take turns in its few sessions, transaction by
//! transaction.

use std::sync::Arc;

use consign_testkit::postgres::Database;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// The protocol's version 3.0.
const VERSION: u32 = 196_608;

pub(crate) struct Pooler {
    url: String,
    task: JoinHandle<()>,
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The sessions that are free, the one longest free first.
struct Pool {
    free: Mutex<UnboundedReceiver<UnixStream>>,
    back: UnboundedSender<UnixStream>,
    /// How the server greeted the first session, for every client.
    greeting: Vec<u8>,
}

impl Pooler {
    pub(crate) async fn before(database: &Database, sessions: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (back, free) = unbounded_channel();
        let mut greeting = vec![];
        for _ in 0..sessions {
            let (session, words) = session(database).await;
            back.send(session).unwrap();
            greeting = words;
        }
        let pool = Arc::new(Pool { free: Mutex::new(free), back, greeting });
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, Arc::clone(&pool)));
            }
        });
        let url =
            format!("postgres://consign@127.0.0.1:{port}/{}?sslmode=disable", database.name());
        Self { url, task }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }
}

/// A session with the server, and how it was greeted.
async fn session(database: &Database) -> (UnixStream, Vec<u8>) {
    let mut server = UnixStream::connect(database.socket()).await.unwrap();
    let words = format!("user\0consign\0database\0{}\0\0", database.name());
    let mut packet = u32::try_from(words.len() + 8).unwrap().to_be_bytes().to_vec();
    packet.extend(VERSION.to_be_bytes());
    packet.extend(words.as_bytes());
    server.write_all(&packet).await.unwrap();
    let greeting = until_ready(&mut server).await.unwrap().0;
    (server, greeting)
}

async fn message(from: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let kind = from.read_u8().await?;
    let length = from.read_u32().await?;
    let mut message = vec![kind];
    message.extend(length.to_be_bytes());
    message.resize(1 + length as usize, 0);
    from.read_exact(&mut message[5..]).await?;
    Ok(message)
}

/// What the server says until it is ready, and whether it then is outside of any transaction.
async fn until_ready(server: &mut UnixStream) -> std::io::Result<(Vec<u8>, bool)> {
    let mut said = vec![];
    loop {
        let message = message(server).await?;
        said.extend(&message);
        if message[0] == b'Z' {
            return Ok((said, message[5] == b'I'));
        }
    }
}

async fn serve(mut client: TcpStream, pool: Arc<Pool>) -> std::io::Result<()> {
    let length = client.read_u32().await?;
    client.read_exact(&mut vec![0; length as usize - 4]).await?;
    client.write_all(&pool.greeting).await?;
    loop {
        let mut asked = message(&mut client).await?;
        let mut session = pool.free.lock().await.recv().await.expect("the pool has its own end");
        loop {
            session.write_all(&asked).await?;
            if matches!(asked[0], b'Q' | b'S') {
                let (said, is_free) = until_ready(&mut session).await?;
                client.write_all(&said).await?;
                if is_free {
                    break;
                }
            }
            asked = message(&mut client).await?;
        }
        pool.back.send(session).expect("the pool has the other end");
    }
}
