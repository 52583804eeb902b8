//! The hot queries walk an index and stop: shown by their plans, and counted in steps of SQLite's machine,
//! which are the same on every computer.

use std::sync::{Arc, Mutex};

use consign_ledger::delegation::status::Status;
use consign_ledger::query::{COUNT_MAX, EventQuery, Filter, Lane, Place, PruneQuery, StatusFilter};
use consign_ledger::{AgentId, Cascade, DelegationId, Time};
use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use crate::failure::Trouble;
use crate::open::MIGRATIONS;
use crate::{read, write};

const NOW: Time = Time(1_000_000_000);
const MANY: i64 = 1_000_000;
const FEW: i64 = 10_000;

/// So many delegations in progress, none of them due, each with an event; every hundredth is a child of the
/// first, every tenth has ended and left a message. In place of an ended one, each hundredth waits in the queue of
/// callee-50, and each hundredth is held by callee-60. But for one that is queued, what has ended is all that
/// caller-0 and callee-0 ever had.
fn in_flight(rows: i64) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    for (_, sql) in MIGRATIONS {
        connection.execute_batch(sql).unwrap();
    }
    let fill = format!(
        "CREATE TEMP TABLE n AS WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {rows})
             SELECT i FROM c;
         INSERT INTO delegations (num, delegation_id, caller_id, callee_id, status, attempt, max_attempts, epoch, held,
             queued_at, clocks_from, last_heartbeat, deadline, on_not_started, priority, notify_stuck,
             notify_recovered, cancel_children, parent_id, depth, fingerprint, late_count, version, created_at,
             updated_at, finished_at, last_act_kind, last_act_role, claim_id)
         SELECT i, printf('%08x-%d', i * 2654435761 % 4294967296, i), 'caller-' || (i % 10), 'callee-' || (i % 100),
             CASE WHEN i % 100 = 50 THEN 'queued' WHEN i % 100 = 60 OR i % 10 <> 0 THEN 'in_progress'
                  ELSE 'completed' END, 1, 1, 0, i % 100 = 60, i, i, i, {now} + 1000 + i, 'stuck', i % 3, 0, 0, 0,
             iif(i % 100 = 1 AND i > 1, (SELECT printf('%08x-%d', 2654435761 % 4294967296, 1)), NULL), 1, zeroblob(16), 0, 1,
             i, i, iif(i % 10 = 0 AND i % 100 NOT IN (50, 60), i, NULL), 'started', 'callee',
             iif(i % 100 = 60, 'claim-' || (i / 1000), NULL) FROM n;
         UPDATE delegations SET caller_id = 'caller-0', callee_id = 'callee-0', status = 'queued' WHERE num = 11;
         INSERT INTO tasks (num, form, preview) SELECT i, 'text', 'task ' || i FROM n;
         INSERT INTO watch (num, epoch, attempt, alive_at, clocks_from, check_at, deadline)
         SELECT i, 0, 1, i, i, {now} + i % 600000, {now} + 1000 + i FROM n WHERE i % 10 <> 0;
         UPDATE watch SET epoch = NULL WHERE num = 11;
         INSERT INTO events (seq, num, kind, attempt, at, role, to_status)
         SELECT i, i, 'created', 1, i, 'caller', 'queued' FROM n;
         UPDATE delegations SET verdict_seq = num WHERE finished_at IS NOT NULL;
         INSERT INTO messages (agent_id, seq) SELECT 'caller-0', i FROM n WHERE i % 10 = 0;
         INSERT INTO callee_tallies (callee_id, status, count)
         SELECT callee_id, status, count(*) FROM delegations WHERE finished_at IS NULL GROUP BY callee_id, status;",
        now = NOW.0
    );
    connection.execute_batch(&fill).unwrap();
    connection
}

/// A place in the middle of all lists.
const LATER: Place = Place { created_at: Time(5000), num: 5000 };

type Query = (&'static str, fn(&Connection) -> Result<usize, Trouble>);

fn first() -> DelegationId {
    DelegationId::new("9e3779b1-1").unwrap()
}

fn agent(id: &str) -> AgentId {
    AgentId::new(id).unwrap()
}

fn page(connection: &Connection, filter: Filter) -> Result<usize, Trouble> {
    Ok(read::list(connection, &Filter { limit: 50, ..filter })?.items.len())
}

/// A count that ends soon.
fn count(connection: &Connection, sql: &str, agent: &str) -> Result<usize, Trouble> {
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row((agent, 20), |row| row.get(0))?)
}

/// What is asked often, and what each must find at least, so that no plan is praised for an empty answer.
const HOT: &[Query] = &[
    ("find", |c| Ok(usize::from(read::find(c, &first())?.is_some()))),
    ("due by deadline", |c| Ok(1 + read::due(c, Lane::Deadline, NOW, None, 1000)?.len())),
    ("due by check", |c| Ok(1 + read::due(c, Lane::Check, NOW, Some((Time(5), 5)), 1000)?.len())),
    ("some are due", |c| Ok(read::due(c, Lane::Check, NOW + 10, None, 5)?.len())),
    ("earliest due", |c| Ok(usize::from(read::earliest_due(c)?.is_some()))),
    ("beat", |c| {
        let mut statement = c.prepare_cached(write::MATCH)?;
        Ok(statement.query_map((first().as_str(), 0), |_| Ok(()))?.count())
    }),
    ("list all", |c| page(c, Filter::default())),
    ("list by caller", |c| {
        page(c, Filter { caller: Some(agent("caller-3")), ..Filter::default() })
    }),
    ("list by callee", |c| {
        page(c, Filter { callee: Some(agent("callee-3")), ..Filter::default() })
    }),
    ("list by parent", |c| page(c, Filter { parent: Some(first()), ..Filter::default() })),
    ("list by status", |c| {
        page(c, Filter { status: Some(StatusFilter::Is(Status::Completed)), ..Filter::default() })
    }),
    ("list in flight", |c| {
        page(c, Filter { status: Some(StatusFilter::InFlight), ..Filter::default() })
    }),
    ("list by time", |c| {
        page(
            c,
            Filter {
                created_after: Some(Time(10)),
                created_before: Some(Time(5000)),
                ..Filter::default()
            },
        )
    }),
    ("list by a rare prefix", |c| {
        page(c, Filter { id_prefix: Some("9e3779b1".to_owned()), ..Filter::default() })
    }),
    ("list a later page", |c| page(c, Filter { before: Some(LATER), ..Filter::default() })),
    ("events of one", |c| {
        let query = EventQuery { delegation_id: Some(first()), after: 0, limit: 50 };
        Ok(read::events(c, &query)?.events.len())
    }),
    ("events of all", |c| {
        let query = EventQuery { delegation_id: None, after: 5000, limit: 50 };
        Ok(read::events(c, &query)?.events.len())
    }),
    ("claimable", |c| {
        let mut statement = c.prepare_cached(write::CLAIMABLE)?;
        let mut queue = statement.query(("callee-50", NOW.0))?;
        let first = (0..20).map_while(|_| queue.next().transpose().map(|it| it.map(drop)));
        Ok(first.collect::<Result<Vec<_>, _>>()?.len())
    }),
    ("held under a claim", |c| {
        let mut statement = c.prepare_cached(write::HELD_UNDER)?;
        Ok(statement.query_map(("callee-60", "claim-7", 100), |_| Ok(()))?.count())
    }),
    ("what an agent holds", |c| count(c, write::HELD, "callee-60")),
    ("what waits for an agent", |c| {
        Ok(usize::try_from(read::work(c, &agent("callee-50"))?[Status::Queued.index()])
            .unwrap_or(0))
    }),
    ("late results", |c| Ok(1 + read::late_results(c, &first())?.len())),
    ("cascades", |c| Ok(1 + read::cascades(c, 10)?.len())),
    ("children in flight", |c| {
        let cascade = Cascade { num: 1, delegation_id: first(), through: i64::MAX };
        Ok(read::children_in_flight(c, &cascade, 20)?.len())
    }),
    ("stats", |c| Ok(read::stats(c)?.0.len())),
    ("what may go", |c| Ok(read::prunable(c, &OVER)?.prunable.len())),
    ("what is tied to one", |c| Ok(1 + usize::from(read::ties(c, &first())?.is_some()))),
    ("a record", |c| Ok(1 + usize::from(read::agent_record(c, &agent("callee-3"))?.is_some()))),
    ("how far an inbox goes", |c| {
        Ok(usize::try_from(read::inbox_state(c, &agent("caller-0"))?.1).unwrap_or(0))
    }),
    ("listening", |c| Ok(1 + read::listening(c, NOW)?.gaps_since(NOW).count())),
];

/// All that ended.
const OVER: PruneQuery = PruneQuery {
    any_before: Some(Time(i64::MAX)),
    acknowledged_before: None,
    after: Some((Time(20), 20)),
    limit: 50,
};

/// What is counted of an agent: more of it costs more, up to a bound.
const BOUNDED: &[Query] = &[
    ("an agent", |c| {
        let found = read::agent(c, &agent("callee-3"))?;
        Ok(found.map_or(0, |(health, ended)| usize::from(health.in_flight > 100) + ended.len()))
    }),
    ("an agent for whom all is over", |c| {
        Ok(read::agent(c, &agent("callee-0"))?.map_or(0, |(_, ended)| ended.len()))
    }),
    ("an agent with many messages", |c| {
        Ok(usize::from(read::agent(c, &agent("caller-0"))?.is_some()))
    }),
];

/// How many steps of SQLite's machine the query takes.
fn steps(connection: &mut Connection, query: &Query) -> u64 {
    let count = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&count);
    let step = move || {
        *counter.lock().unwrap() += 1;
        false
    };
    connection.progress_handler(1, Some(step)).unwrap();
    let found = query.1(connection).unwrap();
    connection.progress_handler(1, None::<fn() -> bool>).unwrap();
    assert!(found > 0, "{} found nothing", query.0);
    *count.lock().unwrap()
}

/// The plans of the statements that the query runs.
fn plans(connection: &mut Connection, query: &Query) -> Vec<String> {
    let statements = Arc::new(Mutex::new(vec![]));
    let seen = Arc::clone(&statements);
    let note = move |event: TraceEvent<'_>| {
        if let TraceEvent::Stmt(_, sql) = event {
            seen.lock().unwrap().push(sql.to_owned());
        }
    };
    connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(note)).unwrap();
    query.1(connection).unwrap();
    connection.trace_v2(TraceEventCodes::empty(), None::<fn(TraceEvent<'_>)>).unwrap();
    let statements = statements.lock().unwrap();
    statements.iter().flat_map(|sql| explain(connection, sql)).collect()
}

fn explain(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut lines = statement.raw_query();
    let mut plan = vec![];
    while let Some(line) = lines.next().unwrap() {
        plan.push(line.get("detail").unwrap());
    }
    plan
}

/// Tables that stay small whatever is in flight.
fn reads_much(plan: &str) -> bool {
    let small = ["tallies", "cascades", "c", "gaps", "mark", "page"];
    let scanned = plan.strip_prefix("SCAN ").map(|rest| rest.split(' ').next().unwrap_or(rest));
    plan.contains("TEMP B-TREE")
        || scanned.is_some_and(|table| !small.contains(&table) && !walks_in_order(plan))
}

/// A page that begins at the newest row walks the table itself, backwards, and stops at its limit; the steps
/// show that it does.
fn walks_in_order(plan: &str) -> bool {
    ["SCAN d", "SCAN a"].contains(&plan)
        || plan.contains("USING INDEX")
        || plan.contains("USING COVERING INDEX")
        || plan.contains("CONSTANT ROW")
        || plan.starts_with("SCAN (subquery")
}

#[test]
fn every_hot_query_walks_an_index_analysed_or_not() {
    let mut connection = in_flight(FEW);
    for analysed in [false, true] {
        if analysed {
            connection.execute_batch("ANALYZE").unwrap();
        }
        for query in HOT {
            for plan in plans(&mut connection, query) {
                // What these sort is bounded: a few thousand ids, ten late results, the gaps since a moment.
                let sorts_few = ["list by a rare prefix", "late results", "listening"]
                    .contains(&query.0)
                    && plan.contains("TEMP B-TREE");
                assert!(
                    !reads_much(&plan) || sorts_few,
                    "{} (analysed: {analysed}): {plan}",
                    query.0
                );
            }
        }
    }
}

#[test]
fn no_hot_query_costs_more_for_a_million_in_flight() {
    let (mut few, mut many) = (in_flight(FEW), in_flight(MANY));
    for query in HOT {
        let (small, large) = (steps(&mut few, query), steps(&mut many, query));
        assert!(
            large <= small + small / 2 + 100,
            "{}: {small} steps for ten thousand, {large} for a million",
            query.0
        );
    }
}

#[test]
fn what_is_counted_of_an_agent_ends_at_a_bound() {
    let mut connection = in_flight(MANY);
    for query in BOUNDED {
        for plan in plans(&mut connection, query) {
            assert!(!reads_much(&plan), "{}: {plan}", query.0);
        }
        // Two counts at most come to their bound, and ten thousand of its newest are looked at.
        let steps = steps(&mut connection, query);
        assert!(steps < 30 * COUNT_MAX, "{}: {steps} steps", query.0);
    }
}

/// Of those that beat, only the narrow row is looked at.
#[test]
fn the_few_in_flight_that_do_not_beat_are_found_by_narrow_rows() {
    let mut connection = in_flight(100 * FEW);
    let queued: Query = ("queued", |c| {
        let status = Some(StatusFilter::Is(Status::Queued));
        page(c, Filter { status, ..Filter::default() })
    });
    let (steps, beating) = (steps(&mut connection, &queued), 90 * FEW.unsigned_abs());
    assert!(steps < 4 * beating, "{steps} steps past {beating} that beat");
}

/// Of what ended, only the index entry and the place of the missing watch row are looked at.
#[test]
fn what_an_agent_has_in_flight_is_found_by_narrow_rows() {
    fn list(c: &Connection, status: StatusFilter) -> Result<usize, Trouble> {
        page(
            c,
            Filter { caller: Some(agent("caller-0")), status: Some(status), ..Filter::default() },
        )
    }
    let mut connection = in_flight(100 * FEW);
    let ended = 10 * FEW.unsigned_abs();
    let queries: [Query; 2] = [
        ("all in flight", |c| list(c, StatusFilter::InFlight)),
        ("queued", |c| list(c, StatusFilter::Is(Status::Queued))),
    ];
    for query in &queries {
        let steps = steps(&mut connection, query);
        assert!(steps < 12 * ended, "{}: {steps} steps past {ended} that ended", query.0);
    }
}

#[test]
fn a_large_fleet_is_sampled_and_a_small_one_counted() {
    let (mut few, mut many) = (in_flight(FEW), in_flight(MANY));
    let fleet = |connection: &Connection| read::fleet(connection, Time(FEW), 20);
    let beating = 9 * u64::try_from(FEW).unwrap() / 10 - 1;
    assert_eq!(fleet(&few).unwrap().beating, beating);
    // The youngest ten thousand beat within the last half threshold of ten seconds.
    assert_eq!(fleet(&few).unwrap().heard_lately, beating);
    let sampled = fleet(&many).unwrap();
    assert_eq!(sampled.beating, 20_480);
    let census: Query =
        ("fleet", |c| Ok(usize::try_from(read::fleet(c, NOW, 600)?.beating).unwrap()));
    let (small, large) = (steps(&mut few, &census), steps(&mut many, &census));
    assert!(large < small * 3, "{small} steps for ten thousand, {large} for a million");
}

#[test]
fn no_hot_query_is_planned_anew_at_every_call() {
    let connection = in_flight(100);
    crate::open::plan_once(&connection).unwrap();
    let sql = format!("SELECT {} FROM {} WHERE d.num = ?1", read::COLUMNS, read::ROW_FROM);
    for num in 1..10 {
        let mut statement = connection.prepare_cached(&sql).unwrap();
        assert_eq!(statement.query_map([num], |_| Ok(())).unwrap().count(), 1);
        assert_eq!(statement.get_status(rusqlite::StatementStatus::RePrepare), 0);
    }
}

#[test]
fn a_fleet_with_sparse_numbers_is_counted() {
    let connection = in_flight(1000);
    connection.execute_batch("UPDATE watch SET num = num + 100000000 WHERE num > 1").unwrap();
    assert_eq!(read::fleet(&connection, NOW, 600).unwrap().beating, 899);
}
