//! What bounds a pass: the rows that it writes, by bare statements in as few transactions, and nothing else. Nothing is
//! loaded, nothing is decided, nobody is told.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::Outcome;
use crate::stopwatch::Stopwatch;

/// Rows of one transaction: as many as a pass has.
const BATCH: usize = consign_ledger::SWEEP_BATCH_MAX;

/// The statements of a pass over deadlines, over a copy of a ledger's file.
pub(crate) struct Bare {
    connection: Connection,
}

impl Bare {
    /// With the same settings as the ledger's own connection.
    pub(crate) fn open(path: &Path) -> Outcome<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "cache_size", -(128 << 10))?;
        Ok(Self { connection })
    }

    /// Ends so many that are overdue when the clock says `now`. In how many milliseconds.
    pub(crate) fn pass(&mut self, now: i64, ends: usize) -> Outcome<f64> {
        let watch = Stopwatch::start();
        let due = self.due(now)?;
        for nums in due.chunks(BATCH) {
            let transaction =
                self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            end(&transaction, nums, now)?;
            transaction.commit()?;
        }
        let ms = watch.ms();
        // Between two passes, as the ledger does it: so the next one writes over the same WAL.
        self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        if due.len() == ends {
            Ok(ms)
        } else {
            Err(format!("{} of {ends} were ended by bare statements", due.len()).into())
        }
    }

    fn due(&self, now: i64) -> Outcome<Vec<i64>> {
        let sql = "SELECT num FROM watch WHERE deadline < ?1 ORDER BY deadline, num";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_map([now], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }
}

/// The delegation's row, its watch row with its indexes, its event with its index, its message; the counts.
fn end(transaction: &Transaction<'_>, nums: &[i64], now: i64) -> Outcome<()> {
    let count = i64::try_from(nums.len())?;
    let numbers =
        "UPDATE numbers SET last = last + ?1 WHERE kind = 'event' RETURNING last - ?1 + 1";
    let first: i64 = transaction.query_row(numbers, [count], |row| row.get(0))?;
    let mut caller =
        transaction.prepare_cached("SELECT caller_id FROM delegations WHERE num = ?1")?;
    let mut fail = transaction.prepare_cached(
        "UPDATE delegations SET status = 'failed', error_detail = 'deadline exceeded by sweeper',
             failure = 'deadline_exceeded', version = version + 1, updated_at = ?2, finished_at = ?2,
             last_act_kind = 'failed', last_act_role = 'sweeper'
         WHERE num = ?1",
    )?;
    let mut unwatch = transaction.prepare_cached("DELETE FROM watch WHERE num = ?1")?;
    let mut event = transaction.prepare_cached(
        "INSERT INTO events (seq, num, kind, attempt, at, role, from_status, to_status, reason, data)
         VALUES (?1, ?2, 'failed', 1, ?3, 'sweeper', 'in_progress', 'failed', 'deadline exceeded by sweeper',
                 '{\"failure\":\"deadline_exceeded\"}')",
    )?;
    let mut message =
        transaction.prepare_cached("INSERT INTO messages (agent_id, seq) VALUES (?1, ?2)")?;
    for (num, seq) in nums.iter().zip(first..) {
        let agent: String = caller.query_row([num], |row| row.get(0))?;
        fail.execute([*num, now])?;
        unwatch.execute([num])?;
        event.execute([seq, *num, now])?;
        message.execute(params![agent, seq])?;
    }
    for (status, change) in [("in_progress", -count), ("failed", count)] {
        let sql = "UPDATE tallies SET count = count + ?1 WHERE status = ?2";
        transaction.prepare_cached(sql)?.execute(params![change, status])?;
    }
    Ok(())
}
