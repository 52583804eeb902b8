//! The baseline: the sweep as it is usually written.
//!
//! It reads every row in flight; for each offender it reads the status, then updates it, each in a durable
//! transaction of its own. It is given less to do than the ledger: no event, no message, no watch row, no
//! count, and it reads its rows without task, result and preview.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use consign_ledger::delegation::status::Status;
use consign_ledger::query::StatusFilter;
use rusqlite::{Connection, params};

use crate::Outcome;
use crate::stopwatch::Stopwatch;

/// A service that sweeps row by row, over a copy of a ledger's file.
///
/// On a thread of its own: it leaves a million small pieces of memory behind, and whoever asks the same part of the
/// allocator for a larger piece next would pay for putting them together.
pub(crate) struct RowByRow {
    passes: SyncSender<i64>,
    done: Receiver<Outcome<Pass>>,
}

/// What a pass did.
pub(crate) struct Pass {
    pub(crate) ended: usize,
    pub(crate) ms: f64,
}

struct Service {
    connection: Connection,
    threshold_ms: i64,
}

/// A row as such a service holds it.
struct Record {
    id: String,
    deadline: i64,
    last_heartbeat: Option<i64>,
    _who: (String, String),
    _status: String,
    _error_detail: Option<String>,
    _attempt: i64,
    _times: (i64, i64),
}

impl RowByRow {
    /// With the same settings as the ledger's own connection.
    pub(crate) fn open(path: &Path, threshold_s: u32) -> Outcome<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "cache_size", -65_536)?;
        let service = Service { connection, threshold_ms: i64::from(threshold_s) * 1000 };
        let (passes, passes_in) = sync_channel(0);
        let (done_out, done) = sync_channel(0);
        thread::spawn(move || {
            passes_in.into_iter().try_for_each(|now| done_out.send(service.timed_pass(now)))
        });
        Ok(Self { passes, done })
    }

    /// One pass, when the clock says `now`.
    pub(crate) fn pass(&self, now: i64) -> Outcome<Pass> {
        self.passes.send(now)?;
        self.done.recv()?
    }
}

impl Service {
    fn timed_pass(&self, now: i64) -> Outcome<Pass> {
        let watch = Stopwatch::start();
        let ended = self.pass(now)?;
        Ok(Pass { ended, ms: watch.ms() })
    }

    fn pass(&self, now: i64) -> Outcome<usize> {
        let mut ended = 0;
        for row in self.in_flight()? {
            if now > row.deadline {
                ended += self.fail(&row.id, now)?;
            } else if row.last_heartbeat.is_some_and(|at| now - at > self.threshold_ms) {
                return Err("nobody should be silent here".into());
            }
        }
        Ok(ended)
    }

    fn in_flight(&self) -> Outcome<Vec<Record>> {
        let quoted = |status: Status| format!("'{status}'");
        let statuses: Vec<String> = StatusFilter::InFlight.statuses().map(quoted).collect();
        let sql = format!(
            "SELECT delegation_id, deadline, last_heartbeat, caller_id, callee_id, status, error_detail, attempt,
                    created_at, updated_at
             FROM delegations WHERE status IN ({})",
            statuses.join(", ")
        );
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Record {
                id: row.get(0)?,
                deadline: row.get(1)?,
                last_heartbeat: row.get(2)?,
                _who: (row.get(3)?, row.get(4)?),
                _status: row.get(5)?,
                _error_detail: row.get(6)?,
                _attempt: row.get(7)?,
                _times: (row.get(8)?, row.get(9)?),
            })
        };
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
    }

    fn fail(&self, id: &str, now: i64) -> Outcome<usize> {
        let read = "SELECT status FROM delegations WHERE delegation_id = ?1";
        let status: String =
            self.connection.prepare_cached(read)?.query_row([id], |row| row.get(0))?;
        if !Status::parse(&status).is_some_and(Status::in_flight) {
            return Ok(0);
        }
        let update = "UPDATE delegations SET status = ?2, error_detail = ?3, finished_at = ?4, updated_at = ?4
                      WHERE delegation_id = ?1";
        let detail = "deadline exceeded by sweeper";
        let values = params![id, Status::Failed.as_str(), detail, now];
        Ok(self.connection.prepare_cached(update)?.execute(values)?)
    }
}
