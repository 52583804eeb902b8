//! What is measured of the database: what keeps it from cleaning up, and whether heartbeats stay within their pages.
//!
//! All of it is in PostgreSQL's memory, or a size of a file: a look costs the same for a million rows.

use consign_ledger::query::Measure;
use tokio_postgres::Row;

use crate::connect::Connection;
use crate::failure::Trouble;

/// Who may keep old versions of rows alive: a session by its snapshot or its own number, a prepared transaction, a
/// replication slot; but for autovacuum, which ends by itself. How many transactions ago each began, and how many seconds, as far as that is known.
///
/// Of other users' sessions only those are seen that this user may look at: see `pg_monitor`.
pub(crate) const HOLDERS: &str = "
    SELECT 'session' AS holder, pid::text AS name, coalesce(application_name, '') AS what,
           greatest(age(backend_xid), age(backend_xmin))::bigint AS transactions,
           extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds
    FROM pg_stat_activity
    WHERE (datname = current_database() AND backend_type <> 'autovacuum worker' OR backend_type = 'walsender')
      AND pid <> pg_backend_pid()
      AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL)
    UNION ALL
    SELECT 'prepared', gid, owner::text, age(transaction)::bigint,
           extract(epoch FROM clock_timestamp() - prepared)::float8
    FROM pg_prepared_xacts WHERE database = current_database()
    UNION ALL
    SELECT 'slot', slot_name::text, coalesce(slot_type, ''), age(xmin)::bigint, NULL
    FROM pg_replication_slots WHERE xmin IS NOT NULL";

const WATCH: &str = "
    SELECT pg_relation_size(relid), pg_indexes_size(relid), n_live_tup, n_dead_tup, n_tup_upd, n_tup_hot_upd
    FROM pg_stat_user_tables WHERE relid = 'watch'::regclass";

pub(crate) async fn measures(connection: &Connection) -> Result<Vec<Measure>, Trouble> {
    let mut measures = oldest(connection).await?;
    let statement = connection.prepare_cached(WATCH).await?;
    if let Some(row) = connection.query_opt(&statement, &[]).await? {
        measures.extend(of_watch(&row)?);
    }
    Ok(measures)
}

async fn oldest(connection: &Connection) -> Result<Vec<Measure>, Trouble> {
    let sql = format!(
        "SELECT coalesce(max(transactions) FILTER (WHERE holder = 'session'), 0)::float8,
                coalesce(max(transactions) FILTER (WHERE holder = 'prepared'), 0)::float8,
                coalesce(max(transactions) FILTER (WHERE holder = 'slot'), 0)::float8,
                coalesce(max(seconds) FILTER (WHERE holder = 'session'), 0)::float8,
                coalesce(max(seconds) FILTER (WHERE holder = 'prepared'), 0)::float8
         FROM ({HOLDERS}) AS holders"
    );
    let statement = connection.prepare_cached(&sql).await?;
    let row = connection.query_one(&statement, &[]).await?;
    let measure = |(at, which): (usize, &'static str)| {
        let measure = if at < 3 {
            Measure::gauge(
                "postgres_oldest_transactions",
                "How many transactions ago whoever keeps PostgreSQL from cleaning up began, at most",
                row.try_get(at)?,
            )
        } else {
            Measure::gauge(
                "postgres_oldest_seconds",
                "How many seconds ago whoever keeps PostgreSQL from cleaning up began, at most",
                row.try_get(at)?,
            )
        };
        Ok(measure.of("holder", which))
    };
    ["session", "prepared", "slot", "session", "prepared"]
        .into_iter()
        .enumerate()
        .map(measure)
        .collect()
}

fn of_watch(row: &Row) -> Result<Vec<Measure>, Trouble> {
    let count = |at| row.try_get::<_, i64>(at).map(i64::unsigned_abs);
    let gauge = |name, help, at| {
        Ok::<_, Trouble>(Measure::gauge(name, help, consign_ledger::query::float(count(at)?)))
    };
    let bytes = "How large the table of what is watched is, and its indexes";
    let rows = "Versions of rows in the table of what is watched, as PostgreSQL estimates them";
    let updates = "Updates of what is watched since the statistics were reset, and those that stayed within their page";
    Ok(vec![
        gauge("postgres_watch_bytes", bytes, 0)?.of("part", "table"),
        gauge("postgres_watch_bytes", bytes, 1)?.of("part", "indexes"),
        gauge("postgres_watch_rows", rows, 2)?.of("state", "live"),
        gauge("postgres_watch_rows", rows, 3)?.of("state", "dead"),
        gauge("postgres_watch_updates", updates, 4)?.of("kind", "all"),
        gauge("postgres_watch_updates", updates, 5)?.of("kind", "hot"),
    ])
}
