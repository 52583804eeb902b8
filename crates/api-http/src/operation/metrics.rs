//! Metrics: what whoever watches this server from outside wants to know.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use consign_ledger::delegation::listening::GapCause;
use consign_ledger::delegation::status::Status;
use consign_ledger::query::{Measure, float};
use consign_ledger::{Failure, Reader, Store, Time};
use tokio::time::timeout;

use crate::app::App;
use crate::exposition;
use crate::params::{NoParams, Query};
use crate::problem::Problem;

/// How long the store may take for all that it is asked, before the rest is told without it.
const STORE_WITHIN: Duration = Duration::from_secs(3);

/// Get the metrics
///
/// In Prometheus' text format, of this server and of the ledger that it serves. Where the store does not answer in
/// time, `consign_store_up` is 0 and what only the store knows is missing.
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "server",
    responses((status = OK, description = "The metrics", body = String, content_type = "text/plain"))
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    Query(NoParams {}): Query<NoParams>,
) -> Result<Response, Problem> {
    let asked = timeout(STORE_WITHIN, of_the_store(app.ledger.reader())).await;
    let told = match asked {
        Ok(Ok(told)) => Some(told),
        Ok(Err(failure)) => {
            tracing::warn!(%failure, "metrics are told without what only the store knows");
            None
        }
        Err(_) => None,
    };
    let up = if told.is_some() { 1.0 } else { 0.0 };
    let waiting = float(app.follower.waiting() as u64);
    let mut measures = vec![
        Measure::gauge("store_up", "Whether the store answered for these metrics", up),
        Measure::gauge("waiting_requests", "Requests that wait for something", waiting),
    ];
    measures.extend(app.ledger.measures());
    measures.extend(app.sweeper.measures());
    measures.extend(told.into_iter().flatten());
    let text = exposition::text(measures).map_err(|_| Problem::internal())?;
    Ok(([(CONTENT_TYPE, exposition::CONTENT_TYPE)], text).into_response())
}

/// A few reads, each of which costs the same however large the ledger is.
async fn of_the_store(reader: &impl Reader) -> Result<Vec<Measure>, Failure> {
    let stats = reader.stats().await?;
    let delegations = "How many delegations have this status";
    let count = |status: &Status| {
        Measure::gauge("delegations", delegations, float(stats.of(*status)))
            .of("status", status.as_str())
    };
    let mut measures: Vec<Measure> = Status::ALL.iter().map(count).collect();
    let (earliest, listening) =
        (reader.earliest_due().await?, reader.listening(Time(i64::MAX)).await?);
    let now = reader.reading().await?.now;
    let since = |moment: Option<Time>| moment.map_or(0, |moment| now.since_ms(moment).max(0));
    let brake = listening.gaps_since(Time(i64::MIN)).find(|gap| gap.cause == GapCause::Brake);
    let held_ms = brake.map_or(0, |gap| gap.to.since_ms(now).max(0));
    measures.extend([
        seconds("due_lag_seconds", "For how long the earliest due time is over", since(earliest)),
        seconds(
            "deaf_seconds",
            "How long ago all heartbeats were heard, at the server that is furthest behind",
            since(listening.heard_until()),
        ),
        seconds(
            "brake_seconds",
            "For how long the brake still holds the silence verdicts",
            held_ms,
        ),
    ]);
    measures.extend(reader.measures().await?);
    Ok(measures)
}

#[expect(clippy::cast_precision_loss, reason = "a span of time is far from 2^53 milliseconds")]
fn seconds(name: &'static str, help: &'static str, ms: i64) -> Measure {
    Measure::gauge(name, help, ms as f64 / 1000.0)
}
