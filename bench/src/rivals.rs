//! Other ways to answer: doing nothing, and one update for each heartbeat.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as UrlPath, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, post};
use rusqlite::{Connection, params};
use tokio::net::TcpListener;

use crate::Outcome;
use crate::stopwatch::{Stopwatch, wall_ms};

const ROUTE: &str = "/v1/delegations/{id}/heartbeat";
/// As long as the real answer.
const ANSWER: &str = r#"{"current_status":"in_progress","attempt":1,"deadline":"2026-01-01T00:00:00.000Z","stop":false,"why":null}"#;
const CREATE: &str = "/v1/delegations";
const COMPLETE: &str = "/v1/delegations/{id}/complete";
/// How long the real answers to these are, and how they end.
const CREATED: (usize, &str) = (1117, r#"","replayed":false}"#);
const COMPLETED: (usize, &str) = (1231, r#"","changed":true,"kept_as_late":false}"#);
/// Rows of one transaction of the bare statement.
const BARE_BATCH: usize = 1000;

/// Serves what loads send one by one, and does nothing.
pub(crate) async fn nothing() -> Outcome<()> {
    let router = Router::new()
        .route(ROUTE, post(async |_body: Bytes| answer()))
        .route(CREATE, pretending(CREATED))
        .route(COMPLETE, pretending(COMPLETED));
    serve(router).await
}

/// Answers with so many bytes that end in these.
fn pretending((bytes, end): (usize, &str)) -> MethodRouter {
    let begin = r#"{"delegation":""#;
    let filling = "-".repeat(bytes.saturating_sub(begin.len() + end.len()));
    let body = Bytes::from(format!("{begin}{filling}{end}"));
    post(async move |_body: Bytes| ([(CONTENT_TYPE, "application/json")], body))
}

/// Serves heartbeats with one update each, in a transaction of its own, no more durable than ours: written,
/// and not flushed.
pub(crate) async fn update_each(file: &Path) -> Outcome<()> {
    let connection = Arc::new(Mutex::new(open(file)?));
    serve(Router::new().route(ROUTE, post(update_one)).with_state(connection)).await
}

async fn update_one(
    State(connection): State<Arc<Mutex<Connection>>>,
    UrlPath(id): UrlPath<String>,
    _body: Bytes,
) -> impl IntoResponse {
    let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
    beat(&connection, &id).expect("the rows were there at the start, and nobody else has the file");
    answer()
}

fn answer() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], ANSWER)
}

async fn serve(router: Router) -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listens on http://{} .", listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}

/// The heartbeat's statement by itself, a thousand in each transaction, for so long. Rows a second.
pub(crate) fn bare_statement(file: &Path, ids: &[&str], seconds: u64) -> Outcome<f64> {
    let mut connection = open(file)?;
    let (mut rows, watch) = (0_u32, Stopwatch::start());
    for batch in ids.chunks(BARE_BATCH).cycle() {
        let transaction = connection.transaction()?;
        batch.iter().try_for_each(|id| beat(&transaction, id))?;
        transaction.commit()?;
        rows += u32::try_from(batch.len())?;
        if watch.elapsed().as_secs() >= seconds {
            break;
        }
    }
    Ok(f64::from(rows) / watch.seconds())
}

fn open(file: &Path) -> Outcome<Connection> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    Ok(connection)
}

fn beat(connection: &Connection, id: &str) -> Outcome<()> {
    let sql = "UPDATE watch SET alive_at = max(alive_at, ?1)
               WHERE num = (SELECT num FROM delegations WHERE delegation_id = ?2) AND epoch = 0";
    match connection.prepare_cached(sql)?.execute(params![wall_ms(), id])? {
        1 => Ok(()),
        _ => Err(format!("{id} is not in progress").into()),
    }
}
