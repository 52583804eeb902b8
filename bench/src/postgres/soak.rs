//! The soak: heartbeats at a steady rate for minutes, with passes that re-arm the living and mark the silent, and verdicts
//! all the while. In the middle a reader holds a snapshot for a minute. What PostgreSQL says of the table that every
//! heartbeat updates is looked at every few seconds, printed, and judged at the end.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_postgres::Client;

use super::database::Postgres;
use crate::Outcome;
use crate::args::Plan;
use crate::child::Server;
use crate::disk::fdatasyncs_per_s;
use crate::line::{Goal, Line, Rounds, Unit};
use crate::load::{Connection, post, scrape};
use crate::stopwatch::Stopwatch;

const DATABASE: &str = "soak";
const FLEET: usize = 50_000;
/// Each of the fleet beats about every ten seconds.
const BEATS_PER_S: usize = 5000;
const BEATS_PER_REQUEST: usize = 100;
const SENDERS: usize = 5;
/// Each of the fleet is looked at about once a minute.
const THRESHOLD_S: u32 = 60;
/// Every second so many are delegated and begin; a few of them fall silent; they are completed later.
const CHURN: usize = 20;
const SILENT: usize = 5;
const SILENT_AFTER_S: u32 = 5;
const COMPLETED_AFTER_S: usize = 30;
const LOOK_EVERY_S: u64 = 5;
/// The first updates after all began at once find no room yet.
const WARM_UP_S: f64 = 60.0;
/// By so much PostgreSQL's counts are behind.
const LAG_S: f64 = 1.0;
/// The fleet began at once, so it is re-armed in waves, and in one of these what a pass has counted and PostgreSQL has
/// not yet is thousands of updates. Between two waves fewer than so many are re-armed from one look to the next.
const CALM: f64 = 500.0;
/// Of the updates that heartbeats made, so many in a hundred at least must have stayed within their page.
const HOT_PERCENT_MIN: f64 = 99.9;

/// What is seen in one look.
#[derive(Clone, Copy, Debug)]
struct Look {
    at_s: f64,
    updates: f64,
    hot: f64,
    /// The table, and its indexes.
    bytes: f64,
    index_bytes: f64,
    dead: f64,
    /// Heartbeats that a watch row answered, and what passes changed of what is indexed: re-armings and marks.
    beats: f64,
    swept: f64,
    /// Since when somebody holds a snapshot, in seconds, as the metrics say.
    held_s: f64,
}

pub(crate) async fn measure(plan: &Plan, postgres: &Postgres) -> Outcome<Vec<Line>> {
    postgres.make(DATABASE).await?;
    let server = Server::consign_at(&postgres.url(DATABASE), THRESHOLD_S)?;
    let ids: Vec<String> = (0..FLEET).map(|nth| format!("steady-{nth:05}")).collect();
    eprintln!("delegating and starting {FLEET} ...");
    let mut connection = Connection::open(server.address).await?;
    for ids in ids.chunks(1000) {
        begin(&mut connection, server.address, ids, 0).await?;
    }
    let disk = fdatasyncs_per_s(&plan.dir)?;
    let (stop, stopped) = watch::channel(false);
    let mut tasks = vec![tokio::spawn(churn(server.address, stopped.clone()))];
    for nth in 0..SENDERS {
        let ids = ids.iter().skip(nth * BEATS_PER_REQUEST);
        let mine: Vec<String> = ids.cloned().collect();
        tasks.push(tokio::spawn(beat(server.address, mine, stopped.clone())));
    }
    let held = Held::of(plan.soak_seconds);
    let holding = tokio::spawn(hold(postgres.session(DATABASE).await?, held));
    let looks = look_on(&server, &postgres.session(DATABASE).await?, plan.soak_seconds).await?;
    stop.send(true)?;
    holding.await??;
    for task in tasks {
        task.await??;
    }
    judge(&looks, held, disk)
}

/// When the snapshot is held, in seconds since the beginning.
#[derive(Clone, Copy)]
struct Held {
    from_s: f64,
    to_s: f64,
}

impl Held {
    /// A minute in the middle, or a part of a short soak.
    fn of(soak_s: u64) -> Self {
        let whole = Duration::from_secs(soak_s).as_secs_f64();
        let (from_s, length_s) = (whole * 0.4, (whole * 0.2).min(60.0));
        Self { from_s, to_s: from_s + length_s }
    }
}

async fn hold(client: Client, held: Held) -> Outcome<()> {
    sleep(Duration::from_secs_f64(held.from_s)).await;
    client
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM tallies")
        .await?;
    sleep(Duration::from_secs_f64(held.to_s - held.from_s)).await;
    Ok(client.batch_execute("COMMIT").await?)
}

/// Delegates these and has each begin.
async fn begin(
    connection: &mut Connection,
    address: SocketAddr,
    ids: &[String],
    silent: usize,
) -> Outcome<()> {
    let new = |(nth, id): (usize, &String)| {
        let threshold_s = if nth < silent { json!(SILENT_AFTER_S) } else { Value::Null };
        json!({ "delegation_id": id, "caller_id": "soak", "callee_id": format!("agent-{id}"), "task": "soak",
                "dispatched": true, "stuck_threshold_s": threshold_s })
    };
    let new: Vec<Value> = ids.iter().enumerate().map(new).collect();
    let request = post(address, "/v1/delegations/batch", &json!({ "delegations": new }));
    connection.exchange(&request, ids.len()).await?;
    connection.exchange(&beats(address, ids), ids.len()).await
}

fn beats(address: SocketAddr, ids: &[String]) -> Vec<u8> {
    let beats: Vec<Value> = ids.iter().map(|id| json!({ "delegation_id": id })).collect();
    post(address, "/v1/heartbeats", &json!({ "heartbeats": beats }))
}

/// One of those who send heartbeats, round and round, at its share of the rate.
async fn beat(
    address: SocketAddr,
    ids: Vec<String>,
    stopped: watch::Receiver<bool>,
) -> Outcome<()> {
    let stride = BEATS_PER_REQUEST * SENDERS;
    let mine = ids.chunks(stride).map(|ids| &ids[..ids.len().min(BEATS_PER_REQUEST)]);
    let requests: Vec<(Vec<u8>, usize)> =
        mine.map(|ids| (beats(address, ids), ids.len())).collect();
    let every = Duration::from_secs(1) * u32::try_from(stride)? / u32::try_from(BEATS_PER_S)?;
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut connection = Connection::open(address).await?;
    for (request, things) in requests.iter().cycle() {
        ticks.tick().await;
        if *stopped.borrow() {
            break;
        }
        connection.exchange(request, *things).await?;
    }
    Ok(())
}

/// Work that comes and goes: delegated, begun, in part silent, completed.
async fn churn(address: SocketAddr, stopped: watch::Receiver<bool>) -> Outcome<()> {
    let mut ticks = interval(Duration::from_secs(1));
    let mut connection = Connection::open(address).await?;
    let name = |second: usize, nth: usize| format!("churn-{second}-{nth}");
    for second in 0.. {
        ticks.tick().await;
        if *stopped.borrow() {
            break;
        }
        let ids: Vec<String> = (0..CHURN).map(|nth| name(second, nth)).collect();
        begin(&mut connection, address, &ids, SILENT).await?;
        let Some(over) = second.checked_sub(COMPLETED_AFTER_S) else { continue };
        for nth in 0..CHURN {
            let path = format!("/v1/delegations/{}/complete", name(over, nth));
            let request = post(address, &path, &json!({ "result": "done" }));
            connection.exchange(&request, 1).await?;
        }
    }
    Ok(())
}

async fn look_on(server: &Server, client: &Client, seconds: u64) -> Outcome<Vec<Look>> {
    let (watch, mut looks) = (Stopwatch::start(), vec![]);
    let mut ticks = interval(Duration::from_secs(LOOK_EVERY_S));
    eprintln!(
        "second  updates      hot          watch KiB  indexes KiB  dead     beats        held s"
    );
    while watch.seconds() < Duration::from_secs(seconds).as_secs_f64() {
        ticks.tick().await;
        let look = look(server.address, client, watch.seconds()).await?;
        eprintln!(
            "{:6.0}  {:11.0}  {:11.0}  {:9.0}  {:11.0}  {:7.0}  {:11.0}  {:6.1}",
            look.at_s,
            look.updates,
            look.hot,
            look.bytes / 1024.0,
            look.index_bytes / 1024.0,
            look.dead,
            look.beats,
            look.held_s
        );
        looks.push(look);
    }
    Ok(looks)
}

async fn look(address: SocketAddr, client: &Client, at_s: f64) -> Outcome<Look> {
    let sql = "SELECT n_tup_upd::float8, n_tup_hot_upd::float8, pg_relation_size(relid)::float8,
                      pg_indexes_size(relid)::float8, n_dead_tup::float8
               FROM pg_stat_user_tables WHERE relname = 'watch'";
    let row = client.query_one(sql, &[]).await?;
    let text = scrape(address).await?;
    let number = |name: &str| {
        let line = text
            .lines()
            .find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
        let number = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        number.ok_or_else(|| format!("no metric {name}"))
    };
    Ok(Look {
        at_s,
        updates: row.try_get(0)?,
        hot: row.try_get(1)?,
        bytes: row.try_get(2)?,
        index_bytes: row.try_get(3)?,
        dead: row.try_get(4)?,
        beats: number("consign_heartbeats_total")?,
        swept: number("consign_swept_total{outcome=\"rearmed\"}")?
            + number("consign_swept_total{outcome=\"stuck\"}")?,
        held_s: number("consign_postgres_oldest_seconds{holder=\"session\"}")?,
    })
}

/// What the looks between two moments say of the heartbeats: how many in a hundred stayed within their page. From a calm
/// look to a calm look.
fn hot_percent(looks: &[Look], from_s: f64, to_s: f64) -> Option<f64> {
    let calm = looks.windows(2).filter(|pair| pair[1].swept - pair[0].swept < CALM);
    let mut within =
        calm.map(|pair| pair[1]).filter(|look| look.at_s >= from_s && look.at_s <= to_s);
    let first = within.next()?;
    let last = within.next_back()?;
    let cold = (last.updates - first.updates) - (last.hot - first.hot);
    let beats = last.beats - first.beats;
    // What passes and first heartbeats change is indexed, and cannot stay. PostgreSQL's own counts are a second behind.
    let begun = f64::from(u32::try_from(CHURN).ok()?) * (last.at_s - first.at_s + LAG_S);
    let cold_beats = (cold - (last.swept - first.swept) - begun).max(0.0);
    Some(100.0 * (1.0 - cold_beats / beats.max(1.0)))
}

fn judge(looks: &[Look], held: Held, disk: f64) -> Outcome<Vec<Line>> {
    let (Some(first), Some(last)) = (looks.first(), looks.last()) else {
        return Err("nothing was seen".into());
    };
    let most = |of: fn(&Look) -> f64, from_s: f64, to_s: f64| {
        let within = looks.iter().filter(|look| look.at_s >= from_s && look.at_s <= to_s);
        within.map(of).fold(0.0, f64::max)
    };
    let calm_s = (last.at_s - held.to_s) / 2.0;
    let before = hot_percent(looks, WARM_UP_S, held.from_s).ok_or("too short")?;
    let after = hot_percent(looks, held.to_s + calm_s, last.at_s).ok_or("too short")?;
    let seen = looks.iter().map(|look| look.held_s).fold(0.0, f64::max);
    eprintln!(
        "HOT: {before:.3} % of the heartbeats before the snapshot, {after:.3} % after it; it was seen for {seen:.0} s"
    );
    if before < HOT_PERCENT_MIN || after < HOT_PERCENT_MIN {
        return Err("heartbeats do not stay within their pages".into());
    }
    for (what, of) in
        [("table", (|look| look.bytes) as fn(&Look) -> f64), ("indexes", |look| look.index_bytes)]
    {
        let most = |from_s, to_s| most(of, from_s, to_s) / 1_048_576.0;
        let (calm, late) =
            (most(first.at_s, held.to_s + calm_s), most(held.to_s + calm_s, last.at_s));
        eprintln!(
            "{what}: {:.1} MiB before the snapshot, {calm:.1} MiB until long after it, {late:.1} MiB then",
            most(first.at_s, held.from_s)
        );
        if late > calm {
            return Err(format!("the {what} still grow long after the snapshot was let go").into());
        }
    }
    if seen < (held.to_s - held.from_s) / 2.0 {
        return Err("who held a snapshot was not seen in the metrics".into());
    }
    let mut rounds = Rounds::default();
    for pair in looks.windows(2) {
        rounds.ours.push((pair[1].beats - pair[0].beats) / (pair[1].at_s - pair[0].at_s));
        rounds.disk.push(disk);
    }
    let what = format!("PostgreSQL: soak of {:.0} s, heartbeats", last.at_s);
    Ok(vec![rounds.line(
        &what,
        Unit::PerSecond,
        Goal::AtLeast(f64::from(u32::try_from(BEATS_PER_S)?) * 0.95),
    )])
}
