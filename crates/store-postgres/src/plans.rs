//! The hot queries walk an index and stop: shown by the plans that PostgreSQL ran, and counted in pages looked at.
//!
//! At a million rows that were never analysed, and again once they are: a plan must not hang on statistics.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use consign_ledger::delegation::status::Status;
use consign_ledger::query::{
    AgentsQuery, COUNT_MAX, EventQuery, Filter, InboxQuery, Lane, Place, PruneQuery, StatusFilter,
    float,
};
use consign_ledger::{AgentId, Cascade, DelegationId, Time};
use consign_testkit::postgres::Database;
use serde_json::Value;
use tokio_postgres::{AsyncMessage, NoTls};

use crate::connect::{Connection, Part};
use crate::failure::Trouble;
use crate::migrate::MIGRATIONS;
use crate::{read, write};

const NOW: Time = Time(1_000_000_000);
const MANY: i64 = 1_000_000;
const FEW: i64 = 10_000;
/// A prepared statement is planned for its values five times, then perhaps once and for all.
const CALLS: usize = 7;
/// A row that is found by descents of its own costs so many at most, where the newer versions of PostgreSQL find those
/// of a small table in fewer descents altogether.
const PAGES_PER_ROW: f64 = 20.0;

/// A database whose every plan is written down.
struct Spied {
    connection: Connection,
    plans: Arc<Mutex<Vec<Value>>>,
    _database: Database,
}

impl Spied {
    /// So many delegations in progress, none of them due, each with an event; every hundredth is a child of the
    /// first, every tenth has ended and left a message. In place of an ended one, each hundredth waits in the queue
    /// of callee-50, and each hundredth is held by callee-60. But for one that is queued, what has ended is all that
    /// caller-0 and callee-0 ever had.
    async fn in_flight(rows: i64) -> Self {
        let database = Database::empty().await;
        let (client, mut connection) =
            tokio_postgres::connect(&database.url(), NoTls).await.unwrap();
        let plans = Arc::new(Mutex::new(vec![]));
        let heard = Arc::clone(&plans);
        let task = tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await
            {
                if let AsyncMessage::Notice(notice) = message
                    && let Some((_, plan)) = notice.message().split_once("plan:\n")
                {
                    heard.lock().unwrap().push(serde_json::from_str(plan).unwrap());
                }
            }
        });
        let connection = Connection::new(client, task);
        for (_, sql) in MIGRATIONS {
            connection.batch_execute(sql).await.unwrap();
        }
        connection.batch_execute(&fill(rows)).await.unwrap();
        let spy = "LOAD 'auto_explain'; SET auto_explain.log_level = notice; SET auto_explain.log_format = json;
                   SET auto_explain.log_analyze = on; SET auto_explain.log_buffers = on;
                   SET auto_explain.log_timing = off; SET auto_explain.log_min_duration = 0";
        connection.batch_execute(spy).await.unwrap();
        Self { connection, plans, _database: database }
    }

    async fn act_as(&self, part: Part) {
        let patient = format!("{}; SET statement_timeout = 0", part.settings());
        self.connection.batch_execute(&patient).await.unwrap();
    }

    async fn analyse(&self) {
        self.connection.batch_execute("ANALYZE").await.unwrap();
    }

    /// The plans of the last of several calls, and how much it found.
    async fn plans(&self, query: &Query) -> (Vec<Value>, usize) {
        let mut found = 0;
        for _ in 0..CALLS {
            self.plans.lock().unwrap().clear();
            found = query.1(&self.connection).await.unwrap();
            assert!(found > 0, "{} found nothing", query.0);
        }
        (std::mem::take(&mut *self.plans.lock().unwrap()), found)
    }
}

fn fill(rows: i64) -> String {
    let now = NOW.0;
    // What PostgreSQL does by itself in the background would make one run differ from the next.
    let still = ["delegations", "watch", "tasks", "events", "messages"]
        .map(|table| format!("ALTER TABLE {table} SET (autovacuum_enabled = off);"))
        .concat();
    format!(
        "{still}
         INSERT INTO delegations (num, delegation_id, caller_id, callee_id, status, attempt, max_attempts, epoch, held,
             queued_at, clocks_from, last_heartbeat, deadline, on_not_started, priority, notify_stuck,
             notify_recovered, cancel_children, parent_id, depth, fingerprint, late_count, version, created_at,
             updated_at, finished_at, last_act_kind, last_act_role, claim_id)
         SELECT i, md5(i::text) || '-' || i, 'caller-' || (i % 10), 'callee-' || (i % 100),
             CASE WHEN i % 100 = 50 THEN 'queued' WHEN i % 100 = 60 OR i % 10 <> 0 THEN 'in_progress'
                  ELSE 'completed' END, 1, 1, 0, i % 100 = 60, i, i, i,
             {now} + 1000 + i, 'stuck', i % 3, false, false, false,
             CASE WHEN i % 100 = 1 AND i > 1 THEN md5('1') || '-1' END, 1, decode(repeat('00', 16), 'hex'), 0, 1, i * 100,
             i, CASE WHEN i % 10 = 0 AND i % 100 NOT IN (50, 60) THEN i END, 'started', 'callee',
             CASE WHEN i % 100 = 60 THEN 'claim-' || (i / 1000) END FROM generate_series(1, {rows}) AS i;
         UPDATE delegations SET caller_id = 'caller-0', callee_id = 'callee-0', status = 'queued' WHERE num = 11;
         INSERT INTO tasks (num, form, preview)
         SELECT i, 'text', 'task ' || i FROM generate_series(1, {rows}) AS i;
         INSERT INTO watch (num, epoch, attempt, alive_at, clocks_from, check_at, deadline)
         SELECT i, 0, 1, i, i, {now} + i % 600000, {now} + 1000 + i
         FROM generate_series(1, {rows}) AS i WHERE i % 10 <> 0;
         INSERT INTO events (seq, num, kind, attempt, at, role, to_status)
         SELECT i, i, 'created', 1, i, 'caller', 'queued' FROM generate_series(1, {rows}) AS i;
         INSERT INTO messages (agent_id, seq)
         SELECT 'caller-' || (i / 10 % 1000), i FROM generate_series(1, {rows}) AS i WHERE i % 10 = 0;"
    )
}

pub(crate) type Found<'c> = Pin<Box<dyn Future<Output = Result<usize, Trouble>> + 'c>>;
pub(crate) type Query = (&'static str, fn(&Connection) -> Found<'_>);

fn first() -> DelegationId {
    DelegationId::new("c4ca4238a0b923820dcc509a6f75849b-1").unwrap()
}

fn agent(id: &str) -> AgentId {
    AgentId::new(id).unwrap()
}

async fn page(connection: &Connection, filter: Filter) -> Result<usize, Trouble> {
    Ok(read::list(connection, &Filter { limit: 50, ..filter }).await?.items.len())
}

fn caller(id: &str) -> Filter {
    Filter { caller: Some(agent(id)), ..Filter::default() }
}

fn callee(id: &str) -> Filter {
    Filter { callee: Some(agent(id)), ..Filter::default() }
}

/// A place in the middle of all lists.
const LATER: Place = Place { created_at: Time(500_000), num: 5000 };

const IN_FLIGHT: Option<StatusFilter> = Some(StatusFilter::InFlight);

macro_rules! queries {
    ($($name:literal: $c:ident => $found:expr;)*) => {
        &[$(($name, |$c| Box::pin(async move { Ok($found) }))),*]
    };
}
pub(crate) use queries;

/// What is asked often, and what each must find at least, so that no plan is praised for an empty answer.
const HOT: &[Query] = queries! {
    "find": c => usize::from(read::find(c, &first()).await?.is_some());
    "find by number": c => read::delegations(c, &[1, 500, 7000]).await?.len();
    "due by deadline": c => 1 + read::due(c, Lane::Deadline, NOW, None, 1000).await?.len();
    "due by check": c => 1 + read::due(c, Lane::Check, NOW, Some((Time(5), 5)), 1000).await?.len();
    "some are due": c => read::due(c, Lane::Check, NOW + 10, None, 5).await?.len();
    "earliest due": c => usize::from(read::earliest_due(c).await?.is_some());
    "list all": c => page(c, Filter::default()).await?;
    "list by caller": c => page(c, caller("caller-3")).await?;
    "list by callee": c => page(c, callee("callee-3")).await?;
    "list by parent": c => page(c, Filter { parent: Some(first()), ..Filter::default() }).await?;
    "list by parent in flight": c => {
        page(c, Filter { parent: Some(first()), status: IN_FLIGHT, ..Filter::default() }).await?
    };
    "list by status": c => {
        let status = Some(StatusFilter::Is(Status::Completed));
        page(c, Filter { status, ..Filter::default() }).await?
    };
    "list in flight": c => page(c, Filter { status: IN_FLIGHT, ..Filter::default() }).await?;
    // Of all that this agent ever asked for, and of all that is in flight, next to nothing.
    "list what a caller has in flight": c => {
        page(c, Filter { status: IN_FLIGHT, ..caller("caller-0") }).await?
    };
    "list what a callee has in flight": c => {
        page(c, Filter { status: IN_FLIGHT, ..callee("callee-0") }).await?
    };
    "list what a caller has queued": c => {
        let status = Some(StatusFilter::Is(Status::Queued));
        page(c, Filter { status, ..caller("caller-0") }).await?
    };
    "list by time": c => {
        let (created_after, created_before) = (Some(Time(1000)), Some(Time(500_000)));
        page(c, Filter { created_after, created_before, ..Filter::default() }).await?
    };
    "list by a rare prefix": c => {
        page(c, Filter { id_prefix: Some("c4ca4".to_owned()), ..Filter::default() }).await?
    };
    "list a later page": c => page(c, Filter { before: Some(LATER), ..Filter::default() }).await?;
    "list a later page of a caller": c => {
        page(c, Filter { before: Some(LATER), ..caller("caller-3") }).await?
    };
    "list what a callee got in a while": c => {
        let (created_after, created_before) = (Some(Time(1000)), Some(Time(500_000)));
        page(c, Filter { created_after, created_before, ..callee("callee-3") }).await?
    };
    "events of one": c => {
        let query = EventQuery { delegation_id: Some(first()), after: 0, limit: 50 };
        read::events(c, &query).await?.events.len()
    };
    "events of all": c => {
        let query = EventQuery { delegation_id: None, after: 5000, limit: 50 };
        read::events(c, &query).await?.events.len()
    };
    "late results": c => 1 + read::late_results(c, &first()).await?.len();
    "a page of messages": c => {
        let query = InboxQuery { agent_id: agent("caller-0"), after: Some(7), limit: 1 };
        read::inbox(c, &query).await?.messages.len()
    };
    "cascades": c => 1 + read::cascades(c, 10).await?.len();
    "children in flight": c => {
        let cascade = Cascade { num: 1, delegation_id: first(), through: i64::MAX };
        read::children_in_flight(c, &cascade, 20).await?.len()
    };
    "stats": c => read::stats(c).await?.0.len();
    "what may go": c => read::prunable(c, &OVER).await?.prunable.len();
    "what is tied to one": c => 1 + read::ties(c, &[first().as_str()]).await?.len();
    "a record": c => 1 + read::agent_records(c, &["callee-3"], &[]).await?.len();
    "how far an inbox goes": c => read::inbox_states(c, &["caller-3"]).await?.len();
    "listening": c => 1 + read::listening(c, NOW).await?.gaps_since(NOW).count();
};

/// All that ended.
const OVER: PruneQuery = PruneQuery {
    any_before: Some(Time(i64::MAX)),
    acknowledged_before: None,
    after: Some((Time(20), 20)),
    limit: 50,
};

/// What is counted of an agent, or of five: more of it costs more, up to a bound.
const BOUNDED: &[Query] = queries! {
    "an agent": c => {
        let found = read::agent(c, &agent("callee-3")).await?;
        found.map_or(0, |(health, ended)| usize::from(health.in_flight > 100) + ended.len())
    };
    "an agent for whom all is over": c => {
        read::agent(c, &agent("callee-0")).await?.map_or(0, |(_, ended)| ended.len())
    };
    "agents": c => {
        let query = AgentsQuery { after: Some(agent("callee-5")), limit: 5 };
        read::agents(c, &query).await?.agents.len()
    };
};

/// The nodes of a plan, the outermost first.
fn nodes(plan: &Value) -> Vec<&Value> {
    let node = plan.get("Plan").unwrap_or(plan);
    let below = node.get("Plans").and_then(Value::as_array).into_iter().flatten().flat_map(nodes);
    std::iter::once(node).chain(below).collect()
}

/// Not a whole number everywhere: later versions tell the average of all turns.
fn number(node: &Value, name: &str) -> f64 {
    node.get(name).and_then(Value::as_f64).unwrap_or_default()
}

/// Pages that the statement looked at, in memory or on disk.
fn pages(plan: &Value) -> f64 {
    let outermost = nodes(plan)[0];
    number(outermost, "Shared Hit Blocks") + number(outermost, "Shared Read Blocks")
}

/// Rows that a node met, kept or thrown away, in all its turns.
fn met(node: &Value) -> f64 {
    let kept = number(node, "Actual Rows") + number(node, "Rows Removed by Filter");
    kept * number(node, "Actual Loops").max(1.0)
}

/// Tables that stay small whatever is in flight.
const SMALL: [&str; 5] = ["tallies", "cascades", "gaps", "replicas", "numbers"];

/// What is wrong with a node of a plan for a page of fifty, whatever it cost this time.
fn complaint(node: &Value) -> Option<String> {
    let kind = node["Node Type"].as_str()?;
    let table = node.get("Relation Name").and_then(Value::as_str).unwrap_or_default();
    let reads_all = kind == "Seq Scan" && !SMALL.contains(&table);
    (reads_all || met(node) > 10_000.0).then(|| format!("{kind} {table} met {} rows", met(node)))
}

#[tokio::test]
async fn every_hot_query_walks_an_index_and_costs_the_same_for_a_million_analysed_or_not() {
    let (few, many) = (Spied::in_flight(FEW).await, Spied::in_flight(MANY).await);
    let mut complaints = vec![];
    for analysed in [false, true] {
        if analysed {
            many.analyse().await;
            few.analyse().await;
        }
        let reads = HOT.iter().map(|query| (Part::Read, query));
        for (part, query) in reads.chain(write::HOT.iter().map(|query| (Part::Append, query))) {
            few.act_as(part).await;
            many.act_as(part).await;
            let ((small, _), (large, found)) = (few.plans(query).await, many.plans(query).await);
            assert!(!large.is_empty(), "{}: no plan was heard of", query.0);
            let what = format!("{} (analysed: {analysed})", query.0);
            for node in large.iter().flat_map(nodes) {
                complaints.extend(complaint(node).map(|why| format!("{what}: {why}")));
            }
            let cost = |plans: &[Value]| plans.iter().map(pages).sum::<f64>();
            let (small, large) = (cost(&small), cost(&large));
            let enough = (small * 1.5 + 100.0).max(PAGES_PER_ROW * float(found as u64));
            if large > enough {
                complaints
                    .push(format!("{what}: {small} pages for ten thousand, {large} for a million"));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[tokio::test]
async fn what_is_counted_of_an_agent_ends_at_a_bound() {
    let many = Spied::in_flight(MANY).await;
    let mut complaints = vec![];
    for analysed in [false, true] {
        if analysed {
            many.analyse().await;
        }
        many.act_as(Part::Read).await;
        for query in BOUNDED {
            let (plans, _) = many.plans(query).await;
            let most = 5.0 * f64::from(u32::try_from(COUNT_MAX).unwrap());
            for node in plans.iter().flat_map(nodes) {
                if node["Node Type"] == "Seq Scan" || met(node) > most {
                    complaints.push(format!("{} (analysed: {analysed}): {node}", query.0));
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[tokio::test]
async fn a_large_fleet_is_sampled_and_a_small_one_counted() {
    let (few, many) = (Spied::in_flight(FEW).await, Spied::in_flight(MANY / 10).await);
    let counted = read::fleet(&few.connection, Time(FEW), 20).await.unwrap();
    assert_eq!(counted.beating, 9 * FEW.unsigned_abs() / 10);
    // All of them beat within the last half threshold of ten seconds.
    assert_eq!(counted.heard_lately, 9 * FEW.unsigned_abs() / 10);
    let sampled = read::fleet(&many.connection, Time(FEW), 20).await.unwrap();
    // As many as were counted, and ten at almost each of 1024 places.
    assert!((20_000..=20_480).contains(&sampled.beating), "{sampled:?}");
    let sparse = "UPDATE watch SET num = num + 100000000 WHERE num > 1";
    few.connection.batch_execute(sparse).await.unwrap();
    assert_eq!(
        read::fleet(&few.connection, NOW, 600).await.unwrap().beating,
        9 * FEW.unsigned_abs() / 10
    );
}

/// More than one slice of it.
#[tokio::test]
async fn what_is_armed_beyond_a_threshold_is_walked_in_slices_to_its_end() {
    let many = Spied::in_flight(MANY / 10).await;
    let (mut found, mut slices, mut next) = (0, 0, Some(0));
    while let Some(after) = next {
        let (armed, end) =
            read::armed_beyond(&many.connection, 1, after, usize::MAX).await.unwrap();
        (found, slices, next) = (found + armed.len(), slices + 1, end);
    }
    // All but those that have ended. The last slice is empty.
    assert_eq!((found, slices), (90_000, 3));
}
