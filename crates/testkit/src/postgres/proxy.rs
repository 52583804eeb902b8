//! A wire that can be cut: it stands between a store and its server, and fails where it is told to.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// What happens to a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtCommit {
    /// Before the server gets it: nothing is committed.
    Unsent,
    /// After the server answered, and before the client hears it.
    Unanswered,
    /// At once when it was sent; the server may still be at it.
    Underway,
    /// It is not: it is held back until it is let go.
    Held,
}

/// A wire to one server.
pub struct Proxy {
    port: u16,
    wire: Arc<Wire>,
    task: JoinHandle<()>,
}

struct Wire {
    plan: Mutex<Plan>,
    /// Rises when all connections are cut.
    cuts: watch::Sender<u64>,
    /// A commit that was held back may go on.
    let_go: Notify,
}

#[derive(Default)]
struct Plan {
    upstream: u16,
    refusing: bool,
    /// The next commit of a connection with this application name is cut so.
    commit: Option<(String, AtCommit)>,
}

impl Proxy {
    /// A wire to the server that listens on this port of loopback.
    pub async fn to(upstream: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let plan = Mutex::new(Plan { upstream, ..Plan::default() });
        let wire = Arc::new(Wire { plan, cuts: watch::Sender::new(0), let_go: Notify::new() });
        let task = tokio::spawn(serve(listener, Arc::clone(&wire)));
        Self { port, wire, task }
    }

    /// The port to connect to instead.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on the wire leads to another server; what is connected is cut.
    pub fn lead_to(&self, upstream: u16) {
        self.wire.plan().upstream = upstream;
        self.cut();
    }

    /// Cuts every connection.
    pub fn cut(&self) {
        self.wire.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Cuts every connection and takes no new ones.
    pub fn refuse(&self) {
        self.wire.plan().refusing = true;
        self.cut();
    }

    /// Takes new connections again.
    pub fn accept(&self) {
        self.wire.plan().refusing = false;
    }

    /// Cuts the connection with this application name at its next commit.
    pub fn cut_commit(&self, application: &str, at: AtCommit) {
        self.wire.plan().commit = Some((application.to_owned(), at));
    }

    /// Lets the commit go on that is held back, or that will be.
    pub fn let_go(&self) {
        self.wire.let_go.notify_one();
    }

    /// Whether a commit that was to be cut has not come yet.
    #[must_use]
    pub fn is_lurking(&self) -> bool {
        self.wire.plan().commit.is_some()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

impl Wire {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this frame of this application is the commit that is to be cut.
    fn cuts(&self, application: &str, frame: &Frame) -> Option<AtCommit> {
        let mut plan = self.plan();
        let at = plan.commit.as_ref().filter(|(name, _)| name == application).map(|it| it.1)?;
        frame.is_commit().then(|| plan.commit = None).map(|()| at)
    }
}

async fn serve(listener: TcpListener, wire: Arc<Wire>) {
    while let Ok((client, _)) = listener.accept().await {
        let (upstream, refusing) = {
            let plan = wire.plan();
            (plan.upstream, plan.refusing)
        };
        if refusing {
            continue;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", upstream)).await else { continue };
        let wire = Arc::clone(&wire);
        tokio::spawn(async move {
            let mut cuts = wire.cuts.subscribe();
            tokio::select! {
                _ = cuts.changed() => {}
                _ = carry(&wire, client, server) => {}
            }
        });
    }
}

/// Carries both ways until one end is gone or the wire is cut.
async fn carry(wire: &Wire, client: TcpStream, server: TcpStream) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let application = greet(&mut from_client, &mut to_server).await?;
    let there = async {
        loop {
            let frame = Frame::read(&mut from_client).await?;
            match wire.cuts(&application, &frame) {
                None => to_server.write_all(&frame.0).await?,
                Some(AtCommit::Held) => {
                    wire.let_go.notified().await;
                    to_server.write_all(&frame.0).await?;
                }
                Some(at) => return Ok::<_, std::io::Error>((frame, at)),
            }
        }
    };
    let (frame, at) = tokio::select! {
        cut = there => cut?,
        ended = copy(&mut from_server, &mut to_client) => return ended.map(drop),
    };
    if at != AtCommit::Unsent {
        to_server.write_all(&frame.0).await?;
    }
    if at == AtCommit::Unanswered {
        // Its end of the connection is the end of the commit, whatever else it still had to say.
        drop(to_client);
        to_server.write_all(b"X\0\0\0\x04").await?;
        from_server.read_to_end(&mut vec![]).await?;
    }
    Ok(())
}

/// Passes the first packet on, which has no kind; the application's name in it.
async fn greet(client: &mut OwnedReadHalf, server: &mut OwnedWriteHalf) -> std::io::Result<String> {
    let length = client.read_u32().await?;
    let mut packet = length.to_be_bytes().to_vec();
    packet.resize(length as usize, 0);
    client.read_exact(&mut packet[4..]).await?;
    server.write_all(&packet).await?;
    let mut words = packet[8..].split(|byte| *byte == 0);
    let name = words.by_ref().skip_while(|word| *word != b"application_name").nth(1);
    Ok(String::from_utf8_lossy(name.unwrap_or_default()).into_owned())
}

/// One message of the client, its kind and length included.
struct Frame(Vec<u8>);

impl Frame {
    async fn read(client: &mut OwnedReadHalf) -> std::io::Result<Self> {
        let kind = client.read_u8().await?;
        let length = client.read_u32().await?;
        let mut frame = vec![kind];
        frame.extend(length.to_be_bytes());
        frame.resize(1 + length as usize, 0);
        client.read_exact(&mut frame[5..]).await?;
        Ok(Self(frame))
    }

    fn is_commit(&self) -> bool {
        self.0[0] == b'Q' && &self.0[5..] == b"COMMIT\0"
    }
}
