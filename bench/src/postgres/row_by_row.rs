//! The baseline on PostgreSQL: every row in flight is read; for each offender its status is read, then it is updated,
//! each in a durable transaction of its own. No event, no message, no watch row, no count.

use std::thread;

use consign_ledger::delegation::status::Status;
use consign_ledger::query::StatusFilter;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::{Client, Row, Statement};

use super::database::session;
use crate::Outcome;
use crate::stopwatch::Stopwatch;

/// A service that sweeps row by row.
///
/// On a thread of its own, with all that it reads: it leaves a million small pieces of memory behind, and whoever asks
/// the same part of the allocator for a larger piece next would pay for putting them together.
pub(crate) struct RowByRow {
    passes: mpsc::Sender<(i64, oneshot::Sender<Outcome<Pass>>)>,
}

/// How many a pass ended, and in how many milliseconds.
type Pass = (usize, f64);

struct Service {
    client: Client,
    threshold_ms: i64,
    in_flight: Statement,
    status: Statement,
    update: Statement,
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
    /// Over the database at `url`.
    pub(crate) fn over(url: String, threshold_s: u32) -> Outcome<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (passes, mut passes_in) = mpsc::channel::<(_, oneshot::Sender<_>)>(1);
        thread::spawn(move || {
            runtime.block_on(async move {
                let mut service = Service::over(&url, threshold_s).await;
                while let Some((now, done)) = passes_in.recv().await {
                    let _nobody_waits = done.send(match &mut service {
                        Ok(service) => service.pass(now).await,
                        Err(why) => Err(why.to_string().into()),
                    });
                }
            });
        });
        Ok(Self { passes })
    }

    /// One pass, when the clock says `now`.
    pub(crate) async fn pass(&self, now: i64) -> Outcome<Pass> {
        let (done, pass) = oneshot::channel();
        self.passes.send((now, done)).await.map_err(|_| "the row-by-row service is gone")?;
        pass.await?
    }
}

impl Service {
    async fn over(url: &str, threshold_s: u32) -> Outcome<Self> {
        let client = session(url).await?;
        client.batch_execute("SET synchronous_commit = on").await?;
        let quoted = |status: Status| format!("'{status}'");
        let statuses: Vec<String> = StatusFilter::InFlight.statuses().map(quoted).collect();
        let in_flight = client
            .prepare(&format!(
                "SELECT delegation_id, deadline, last_heartbeat, caller_id, callee_id, status, error_detail, attempt,
                        created_at, updated_at
                 FROM delegations WHERE status IN ({})",
                statuses.join(", ")
            ))
            .await?;
        let status =
            client.prepare("SELECT status FROM delegations WHERE delegation_id = $1").await?;
        let update = client
            .prepare(
                "UPDATE delegations SET status = $2, error_detail = $3, finished_at = $4, updated_at = $4
                 WHERE delegation_id = $1",
            )
            .await?;
        let patience = i64::from(threshold_s) * 1000;
        Ok(Self { client, threshold_ms: patience, in_flight, status, update })
    }

    async fn pass(&self, now: i64) -> Outcome<Pass> {
        let (watch, mut ended) = (Stopwatch::start(), 0);
        for row in self.rows().await? {
            if now > row.deadline {
                ended += self.fail(&row.id, now).await?;
            } else if row.last_heartbeat.is_some_and(|at| now - at > self.threshold_ms) {
                return Err("nobody should be silent here".into());
            }
        }
        Ok((ended, watch.ms()))
    }

    async fn rows(&self) -> Outcome<Vec<Record>> {
        let read = |row: &Row| {
            Ok(Record {
                id: row.try_get(0)?,
                deadline: row.try_get(1)?,
                last_heartbeat: row.try_get(2)?,
                _who: (row.try_get(3)?, row.try_get(4)?),
                _status: row.try_get(5)?,
                _error_detail: row.try_get(6)?,
                _attempt: row.try_get(7)?,
                _times: (row.try_get(8)?, row.try_get(9)?),
            })
        };
        self.client.query(&self.in_flight, &[]).await?.iter().map(read).collect()
    }

    async fn fail(&self, id: &str, now: i64) -> Outcome<usize> {
        let row = self.client.query_one(&self.status, &[&id]).await?;
        if !Status::parse(row.try_get(0)?).is_some_and(Status::in_flight) {
            return Ok(0);
        }
        let detail = "deadline exceeded by sweeper";
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&id, &Status::Failed.as_str(), &detail, &now];
        Ok(usize::try_from(self.client.execute(&self.update, &values).await?)?)
    }
}
