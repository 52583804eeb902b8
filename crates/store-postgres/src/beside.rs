//! A session beside the servers of a ledger, for whoever looks at it and changes nothing.

use crate::connect::{Connection, Connector, Part};
use crate::migrate::{MIGRATIONS, understood, version};
use crate::open_error::{OpenError, explain};

/// A session in a database that has a ledger in it, as new as this program.
pub(crate) async fn beside(url: &str) -> Result<Connection, OpenError> {
    let connector = Connector::new(url)?;
    let (connection, done) = look(&connector).await?;
    if done == MIGRATIONS.len() {
        return Ok(connection);
    }
    let database = connector.address.database().to_owned();
    Err(match done {
        0 => OpenError::NoLedger { database },
        found => OpenError::TooOld { database, found, known: MIGRATIONS.len() },
    })
}

/// A session in a database, and how many migrations that has seen.
pub(crate) async fn look(connector: &Connector) -> Result<(Connection, usize), OpenError> {
    let explained = |trouble| explain(connector, &trouble);
    let connection = connector.connect(Part::Look, None).await.map_err(explained)?;
    let found = version(&connection).await.map_err(explained)?;
    let done = understood(connector, found)?;
    Ok((connection, done))
}
