//! Heartbeats over HTTP in batches of a hundred, by one server process and by several, beside the bare statement.

use std::thread;

use consign_ledger::DelegationId;
use tokio_postgres::Client;

use super::database::Postgres;
use super::{COPY, FLEET, REPLICAS};
use crate::Outcome;
use crate::args::Plan;
use crate::child::Server;
use crate::disk::fdatasyncs_per_s;
use crate::fleet::{PATIENT_S, shuffle};
use crate::line::{Goal, Line, Rounds, Unit};
use crate::load::Shape;
use crate::stopwatch::{Stopwatch, wall_ms};
use crate::sweeps::grouped;

/// Rows of one transaction of the bare statement.
const BARE_BATCH: usize = 1000;
const BARE: &str = "
    UPDATE watch w SET alive_at = greatest(w.alive_at, $1)
    FROM unnest($2::text[]) b (delegation_id) JOIN delegations d ON d.delegation_id = b.delegation_id
    WHERE w.num = d.num AND w.epoch = 0";

pub(crate) async fn measure(
    plan: &Plan,
    postgres: &Postgres,
    living: &[DelegationId],
) -> Outcome<Vec<Line>> {
    let ids = plan.dir.join("fleet.ids");
    let together: Vec<String> = living.iter().map(ToString::to_string).collect();
    std::fs::write(&ids, together.join("\n"))?;
    let mut scattered = together.clone();
    shuffle(&mut scattered);
    let client = postgres.session(COPY).await?;
    client.batch_execute("SET synchronous_commit = off; SET enable_seqscan = off").await?;
    let mut lines = vec![];
    for (how, shape, order) in [
        ("of delegations made together", Shape::BeatsTogether, &together),
        ("scattered over the fleet", Shape::BeatsScattered, &scattered),
    ] {
        let mut rounds = vec![Rounds::default(); REPLICAS.len()];
        for _ in 0..plan.rounds {
            for (replicas, rounds) in REPLICAS.into_iter().zip(&mut rounds) {
                let disk = fdatasyncs_per_s(&plan.dir)?;
                let ours = served(plan, postgres, replicas, shape)?;
                rounds.push(ours, bare(&client, order, plan.seconds).await?, disk);
            }
        }
        for (replicas, rounds) in REPLICAS.into_iter().zip(&rounds) {
            let what = format!(
                "PostgreSQL: heartbeats over HTTP, batches of 100 {how}, {} in flight, servers: {replicas}",
                grouped(plan.rows)
            );
            lines.push(rounds.line(&what, Unit::PerSecond, Goal::AtLeast(80_000.0)));
            let beside = "the bare statement";
            lines.push(rounds.line_beside(
                "the same",
                Unit::PerSecond,
                beside,
                Goal::TimesAsGood(0.6),
            ));
        }
    }
    std::fs::remove_file(ids)?;
    Ok(lines)
}

/// What so many servers record together, each under a load of its own.
fn served(plan: &Plan, postgres: &Postgres, replicas: usize, shape: Shape) -> Outcome<f64> {
    let url = postgres.url(FLEET);
    let servers =
        (0..replicas).map(|_| Server::consign_at(&url, PATIENT_S)).collect::<Outcome<Vec<_>>>()?;
    let ids = plan.dir.join("fleet.ids");
    thread::scope(|scope| {
        let load = |server| {
            let ids = &ids;
            scope.spawn(move || Server::things_per_s(server, shape, ids, plan.seconds))
        };
        let loads: Vec<_> = servers.iter().map(load).collect();
        loads.into_iter().map(|load| load.join().map_err(|_| "a load panicked")?).sum()
    })
}

/// The heartbeat's statement by itself, a thousand rows in each transaction, for so long. Rows a second.
async fn bare(client: &Client, ids: &[String], seconds: u64) -> Outcome<f64> {
    let statement = client.prepare(BARE).await?;
    let (mut rows, watch) = (0_u32, Stopwatch::start());
    for batch in ids.chunks(BARE_BATCH).cycle() {
        let touched = client.execute(&statement, &[&wall_ms(), &batch]).await?;
        if touched != batch.len() as u64 {
            return Err("some are not in progress".into());
        }
        rows += u32::try_from(batch.len())?;
        if watch.elapsed().as_secs() >= seconds {
            break;
        }
    }
    Ok(f64::from(rows) / watch.seconds())
}
