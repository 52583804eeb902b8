//! Connections: each is set up the same way, and named by what it is for.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::ClientWrapper;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Config, Socket};

use crate::failure::Trouble;
use crate::open_error::OpenError;
use crate::tls::{self, Tls};
use crate::url::Address;

/// A connection with its prepared statements.
pub(crate) type Connection = ClientWrapper;

/// How long a new connection may take, all hosts and its set-up included.
const READY_MAX: Duration = Duration::from_secs(8);

/// What a connection is for; `pg_stat_activity` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Append,
    Beat,
    Upkeep,
    Read,
    Listen,
    /// For whoever looks from outside, beside the servers.
    Look,
}

/// Makes connections to one database.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) address: Address,
    tls: Tls,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Append => "consign append",
            Self::Beat => "consign beat",
            Self::Upkeep => "consign upkeep",
            Self::Read => "consign read",
            Self::Listen => "consign listen",
            Self::Look => "consign look",
        }
    }

    /// What the session is told. A reader is cut off sooner; a writer plans each statement once.
    pub(crate) fn settings(self) -> String {
        let (statement_s, plan) = match self {
            Self::Read => (2, "auto"),
            _ => (10, "force_generic_plan"),
        };
        format!(
            "SET statement_timeout = '{statement_s}s';
             SET lock_timeout = '2s';
             SET idle_in_transaction_session_timeout = '5s';
             SET default_transaction_isolation = 'read committed';
             SET plan_cache_mode = '{plan}';
             SET enable_seqscan = off;
             SET jit = off;
             SET tcp_keepalives_idle = 5;
             SET tcp_keepalives_interval = 2;
             SET tcp_keepalives_count = 3;
             SELECT set_config('synchronous_commit', 'on', false)
             WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')"
        )
    }
}

impl Connector {
    pub(crate) fn new(url: &str) -> Result<Self, OpenError> {
        let address = Address::parse(url)?;
        let tls = tls::connector(&address.trust).map_err(OpenError::Certificates)?;
        Ok(Self { address, tls })
    }

    /// A connection that is set up. `bell` is rung at every notification.
    pub(crate) async fn connect(
        &self,
        part: Part,
        bell: Option<Arc<Notify>>,
    ) -> Result<Connection, Trouble> {
        let ready = async {
            let mut config: Config = self.address.config.clone();
            config.application_name(part.name());
            let (client, connection) = config.connect(self.tls.clone()).await?;
            let task = tokio::spawn(serve(connection, bell));
            let connection = ClientWrapper::new(client, task);
            connection.batch_execute(&part.settings()).await?;
            Ok(connection)
        };
        // Boxed, because it is large, rare, and within the future of every read.
        timeout(READY_MAX, Box::pin(ready)).await.unwrap_or(Err(Trouble::Late))
    }
}

/// Moves what the connection says and hears, until it ends.
async fn serve<T>(mut connection: tokio_postgres::Connection<Socket, T>, bell: Option<Arc<Notify>>)
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        match (message, &bell) {
            (Ok(AsyncMessage::Notification(_)), Some(bell)) => bell.notify_one(),
            (Ok(_), _) => {}
            (Err(error), _) => {
                tracing::debug!(%error, "a connection to PostgreSQL ended");
                break;
            }
        }
    }
    drop(connection);
    if let Some(bell) = bell {
        // Whoever waits for the bell must see that nobody rings it any more.
        bell.notify_one();
    }
}
