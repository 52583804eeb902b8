//! The same on PostgreSQL, with one server of the ledger and with several.

mod beats;
mod database;
mod row_by_row;
mod soak;
mod sweeps;

use consign_store_postgres::{PostgresStore, Wall};
use consign_testkit::HandClock;

use crate::Outcome;
use crate::args::{Part, Plan};
use crate::fleet::Live;
use crate::line::Line;
use crate::work;
use database::Postgres;

/// With how many servers each is measured.
const REPLICAS: [usize; 3] = [1, 2, 4];
/// The database with the fleet in it.
const FLEET: &str = "fleet";
/// One that the baseline has for itself.
const COPY: &str = "copy";

pub(crate) async fn measure(plan: &Plan) -> Outcome<Vec<Line>> {
    for part in [Part::Delegate, Part::Start, Part::Rearm] {
        if plan.only.contains(&part) {
            return Err("on PostgreSQL delegate, start and rearm are not measured".into());
        }
    }
    let postgres = Postgres::start().await?;
    let mut lines = vec![];
    if plan.wants(Part::Sweeps) || plan.wants(Part::Beats) {
        let fleet = sweeps::Fleet::build(plan, &postgres).await?;
        if plan.wants(Part::Sweeps) {
            eprintln!("sweeping ...");
            lines.extend(fleet.sweep(plan, &postgres).await?);
        }
        if plan.wants(Part::Beats) {
            eprintln!("heartbeats ...");
            lines.extend(beats::measure(plan, &postgres, &fleet.living).await?);
        }
    }
    for part in work::PARTS.into_iter().filter(|part| plan.wants(*part)) {
        lines.extend(in_a_database(plan, part, &postgres).await?);
    }
    if plan.only.contains(&Part::Soak) {
        lines.extend(soak::measure(plan, &postgres).await?);
    }
    Ok(lines)
}

/// What is measured in a database of its own.
async fn in_a_database(plan: &Plan, part: Part, postgres: &Postgres) -> Outcome<Vec<Line>> {
    let database = format!("{part:?}").to_lowercase();
    eprintln!("{database} ...");
    postgres.make(&database).await?;
    let url = postgres.url(&database);
    work::measure(plan, part, &work::Ledger { url, store: "PostgreSQL", servers: &[1, 2] })
}

/// A server of this ledger, within this process, on a clock that is moved by hand.
async fn live(
    postgres: &Postgres,
    database: &str,
    clock: &HandClock,
    threshold_s: u32,
) -> Outcome<Live<PostgresStore>> {
    let store = PostgresStore::open(&postgres.url(database), clock.clone(), Wall::Given).await?;
    Live::over(store, clock.clone(), threshold_s).await
}

/// Ends it in good order: nobody waits for its mark.
async fn leave(live: Live<PostgresStore>) -> Outcome<()> {
    live.ledger.leave().await?;
    live.close().await;
    Ok(())
}
