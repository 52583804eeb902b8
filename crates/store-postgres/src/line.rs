//! One connection that writes, for one purpose: taken by one transaction at a time, made anew when it is lost.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

use crate::connect::{Connection, Connector, Part};
use crate::failure::Trouble;

/// How long one transaction may last, its way there and back included; the server's own bounds are shorter.
const TRANSACTION_MAX: Duration = Duration::from_secs(15);
/// The pauses between the first tries to connect; whoever comes after them is told at once.
const PAUSES_MS: [u64; 3] = [50, 200, 500];
/// After so many failed tries, the database is left alone for this long.
const QUIET: Duration = Duration::from_millis(500);

pub(crate) struct Line {
    connector: Arc<Connector>,
    part: Part,
    /// What each new connection is told before it writes.
    greeting: String,
    slot: Mutex<Slot>,
}

#[derive(Default)]
struct Slot {
    connection: Option<Connection>,
    /// When connecting failed last, and why.
    failed: Option<(Instant, String)>,
}

impl Line {
    pub(crate) fn new(connector: Arc<Connector>, part: Part) -> Self {
        Self { connector, part, greeting: String::new(), slot: Mutex::default() }
    }

    /// With a connection that is there already.
    pub(crate) fn with(mut self, first: Connection) -> Self {
        self.slot.get_mut().connection = Some(first);
        self
    }

    pub(crate) fn greeting(mut self, greeting: String) -> Self {
        self.greeting = greeting;
        self
    }

    /// Runs `write`, which ends its own transaction where it succeeds. Where it does not, or where nobody waits
    /// for it any more, the transaction is rolled back, if need be by giving up the connection.
    pub(crate) async fn run<T>(
        &self,
        write: impl AsyncFnOnce(&Connection) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let mut slot = self.slot.lock().await;
        let connection = match slot.connection.take().filter(|connection| !connection.is_closed()) {
            Some(connection) => connection,
            None => self.connect(&mut slot).await?,
        };
        let written = timeout(TRANSACTION_MAX, write(&connection)).await;
        match written {
            Ok(Ok(answer)) => {
                slot.connection = Some(connection);
                Ok(answer)
            }
            Ok(Err(trouble)) => {
                if !trouble.ends_the_session() && rolled_back(&connection).await {
                    slot.connection = Some(connection);
                }
                Err(trouble)
            }
            // Whether COMMIT was among what was sent, nobody knows here.
            Err(_) => Err(Trouble::LateCommit),
        }
    }

    async fn connect(&self, slot: &mut Slot) -> Result<Connection, Trouble> {
        if let Some((at, why)) = &slot.failed
            && at.elapsed() < QUIET
        {
            return Err(Trouble::Unconnected(why.clone()));
        }
        let mut pauses = PAUSES_MS.iter();
        loop {
            let trouble = match self.greeted().await {
                Ok(connection) => {
                    slot.failed = None;
                    return Ok(connection);
                }
                Err(trouble) => trouble,
            };
            let Some(ms) = pauses.next() else {
                slot.failed = Some((Instant::now(), trouble.to_string()));
                return Err(Trouble::Unconnected(trouble.to_string()));
            };
            sleep(Duration::from_millis(*ms)).await;
        }
    }

    async fn greeted(&self) -> Result<Connection, Trouble> {
        let connection = self.connector.connect(self.part, None).await?;
        let greeting = timeout(TRANSACTION_MAX, connection.batch_execute(&self.greeting)).await;
        greeting.map_err(|_| Trouble::Late)??;
        Ok(connection)
    }
}

async fn rolled_back(connection: &Connection) -> bool {
    timeout(TRANSACTION_MAX, connection.batch_execute("ROLLBACK")).await.is_ok_and(|it| it.is_ok())
}
