//! Opening the database: one that answers, is new enough, is ours, and is no pooler.

use consign_ledger::Time;

use crate::connect::{Connection, Connector, Part};
use crate::failure::Trouble;
use crate::migrate::bring_up_to_date;
use crate::open_error::{OpenError, explain};

/// The oldest server that is understood.
const SERVER_VERSION_MIN: i32 = 140_000;

/// A ledger that is ours.
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    /// The number of this process among the replicas.
    pub(crate) replica_id: i32,
    /// The last moment that was written down.
    pub(crate) latest: Time,
    /// What the server's clock said.
    pub(crate) server_ms: i64,
}

pub(crate) async fn open(connector: &Connector) -> Result<Opened, OpenError> {
    let other = |trouble: Trouble| explain(connector, &trouble);
    let connection = connector.connect(Part::Append, None).await.map_err(other)?;
    inspect(connector, &connection).await?;
    refuse_poolers(connector, &connection).await?;
    bring_up_to_date(connector, &connection).await?;
    let replica_id = replica_id(&connection).await.map_err(other)?;
    let (latest, server_ms) = moments(&connection).await.map_err(other)?;
    Ok(Opened { connection, replica_id, latest, server_ms })
}

/// Looks at the database as [`open`] does, and brings its schema up to date. How many migrations ran.
pub(crate) async fn migrate(connector: &Connector) -> Result<usize, OpenError> {
    let connection = connector.connect(Part::Append, None).await;
    let connection = connection.map_err(|trouble| explain(connector, &trouble))?;
    inspect(connector, &connection).await?;
    refuse_poolers(connector, &connection).await?;
    bring_up_to_date(connector, &connection).await
}

/// A number of its own for this process; it is registered when it first says that it listens.
async fn replica_id(connection: &Connection) -> Result<i32, Trouble> {
    let sql = "SELECT nextval('replica_ids')::integer";
    Ok(connection.query_one(sql, &[]).await?.try_get(0)?)
}

/// The last moment that was written down, and what the server's clock says.
pub(crate) async fn moments(connection: &Connection) -> Result<(Time, i64), Trouble> {
    let sql = "SELECT greatest(coalesce((SELECT max(heard_until) FROM replicas), 0),
                               coalesce((SELECT at FROM events ORDER BY seq DESC LIMIT 1), 0)),
                      floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let row = connection.query_one(sql, &[]).await?;
    Ok((Time(row.try_get(0)?), row.try_get(1)?))
}

/// Reads back what the server is and what the session was told.
pub(crate) async fn inspect(
    connector: &Connector,
    connection: &Connection,
) -> Result<(), OpenError> {
    let place = connector.address.place();
    let sql = "SELECT current_setting('server_version_num')::integer, current_setting('server_version'),
                      pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean,
                      current_setting('synchronous_commit'), current_setting('default_transaction_isolation'),
                      current_setting('statement_timeout'), current_setting('fsync')::boolean,
                      current_setting('server_encoding')";
    let row = connection.query_one(sql, &[]).await;
    let row = row.map_err(|error| explain(connector, &error.into()))?;
    if row.get::<_, i32>(0) < SERVER_VERSION_MIN {
        return Err(OpenError::ServerTooOld { place, found: row.get(1) });
    }
    if row.get(2) {
        return Err(OpenError::ReadOnly { place });
    }
    if row.get::<_, &str>(7) != "UTF8" {
        let database = connector.address.database().to_owned();
        return Err(OpenError::Encoding { database, encoding: row.get(7) });
    }
    for (at, setting, wanted) in [
        (3, "synchronous_commit", &["on", "remote_apply"][..]),
        (4, "default_transaction_isolation", &["read committed"]),
    ] {
        let value: String = row.get(at);
        if !wanted.contains(&value.as_str()) {
            return Err(OpenError::Unsafe { place, setting, value, wanted: wanted[0] });
        }
    }
    if row.get::<_, String>(5) != "10s" {
        // What the session was told a moment ago is gone: the next statement reached another session.
        return Err(OpenError::Pooler { place });
    }
    if !row.get::<_, bool>(6) {
        tracing::warn!("PostgreSQL runs with fsync = off: a power cut can destroy the ledger");
    }
    Ok(())
}

/// Two clients of a transaction pooler that take turns meet in one session, or one client meets two.
pub(crate) async fn refuse_poolers(
    connector: &Connector,
    first: &Connection,
) -> Result<(), OpenError> {
    match shares_sessions(connector, first).await {
        Ok(false) => Ok(()),
        Ok(true) => Err(OpenError::Pooler { place: connector.address.place() }),
        Err(trouble) => Err(explain(connector, &trouble)),
    }
}

async fn shares_sessions(connector: &Connector, first: &Connection) -> Result<bool, Trouble> {
    let second = connector.connect(Part::Upkeep, None).await?;
    let mine = pid(first).await?;
    // Held open, so that it keeps the session that it got.
    second.batch_execute("BEGIN").await?;
    if pid(&second).await? == mine {
        return Ok(true);
    }
    let still_mine = pid(first).await?;
    second.batch_execute("ROLLBACK").await?;
    Ok(still_mine != mine)
}

async fn pid(connection: &Connection) -> Result<i32, Trouble> {
    let messages = connection.simple_query("SELECT pg_backend_pid()").await?;
    let pid = messages.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
        _ => None,
    });
    pid.ok_or_else(|| Trouble::Unconnected("it has no process number".to_owned()))
}
