//! A few connections that only read.

use std::sync::Arc;
use std::time::Duration;

use consign_ledger::Failure;
use deadpool::managed::{Manager, Metrics, Pool, PoolError, RecycleError, RecycleResult};
use tokio::time::timeout;

use crate::connect::{Connection, Connector, Part};
use crate::failure::Trouble;

/// Reading connections of one process.
const READERS: usize = 6;
/// How long a reader may wait for a connection that is free.
const FREE_MAX: Duration = Duration::from_secs(2);
/// How long one read may last, its way there and back included.
const READ_MAX: Duration = Duration::from_secs(4);

/// The reading connections of one process.
pub(crate) struct Readers(Pool<Source>);

struct Source(Arc<Connector>);

impl Manager for Source {
    type Type = Connection;
    type Error = Trouble;

    async fn create(&self) -> Result<Connection, Trouble> {
        self.0.connect(Part::Read, None).await
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<Trouble> {
        if connection.is_closed() {
            return Err(RecycleError::message("closed"));
        }
        Ok(())
    }
}

impl Readers {
    pub(crate) fn new(connector: Arc<Connector>) -> Self {
        let pool = Pool::builder(Source(connector)).max_size(READERS);
        Self(pool.build().expect("a pool without time-outs of its own needs no runtime"))
    }

    /// Runs `read` on a connection of its own.
    pub(crate) async fn ask<T>(
        &self,
        read: impl AsyncFnOnce(&Connection) -> Result<T, Trouble>,
    ) -> Result<T, Failure> {
        let connection = timeout(FREE_MAX, self.0.get()).await.map_err(|_| Trouble::Busy)?;
        let connection = connection.map_err(|why| match why {
            PoolError::Backend(trouble) => trouble,
            other => Trouble::Unconnected(other.to_string()),
        })?;
        if let Ok(answer) = timeout(READ_MAX, read(&connection)).await {
            return Ok(answer?);
        }
        // What is still on its way would be in the way of the next read.
        drop(deadpool::managed::Object::take(connection));
        Err(Trouble::Late.into())
    }
}
