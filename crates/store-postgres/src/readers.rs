//! A few connections that only read.

use consign_ledger::Failure;
use deadpool_postgres::Pool;

use crate::connect::Connection;
use crate::failure::Trouble;

/// The reading connections of one process.
pub(crate) struct Readers(Pool);

impl Readers {
    /// Runs `read` on a connection of its own.
    pub(crate) async fn ask<T>(
        &self,
        read: impl AsyncFnOnce(&Connection) -> Result<T, Trouble>,
    ) -> Result<T, Failure> {
        let connection = self.0.get().await.map_err(|why| Trouble::Unconnected(why.to_string()))?;
        Ok(read(&connection).await?)
    }
}
