//! Measures a ledger side by side with the sweep as it is usually written.

mod args;
mod bare;
mod child;
mod disk;
mod fleet;
mod http;
mod line;
mod load;
mod postgres;
mod rearm;
mod report;
mod rivals;
mod row_by_row;
mod spread;
mod stopwatch;
mod sweeps;
mod work;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use consign_ledger::{Clock as _, Time};

use args::{Invocation, Part, Plan, Role, StoreKind};
use http::Fleet;
use line::Line;

/// A benchmark that cannot go on says why, and that is all.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    let Invocation { role, plan } = Invocation::parse();
    let outcome = match role {
        None => measure(&plan.settled()).await,
        Some(Role::Load { order }) => load::run(&order).await,
        Some(Role::Nothing) => rivals::nothing().await,
        Some(Role::UpdateEach { file }) => rivals::update_each(&file).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(plan: &Plan) -> Outcome<()> {
    std::fs::create_dir_all(&plan.dir)?;
    let lines = match plan.store {
        StoreKind::Sqlite => on_sqlite(plan).await?,
        StoreKind::Postgres => postgres::measure(plan).await?,
    };
    print!("{}", report::table(&lines));
    if let Some(path) = &plan.json {
        report::write_json(path, plan, &lines)?;
    }
    Ok(())
}

async fn on_sqlite(plan: &Plan) -> Outcome<Vec<Line>> {
    let mut lines = over_the_fleet(plan).await?;
    if plan.wants(Part::Rearm) {
        eprintln!("re-arming ...");
        lines.extend(rearm::measure(plan).await?);
    }
    for part in work::PARTS.into_iter().filter(|part| plan.wants(*part)) {
        lines.extend(in_a_file(plan, part)?);
    }
    Ok(lines)
}

/// What is measured in a file of its own.
fn in_a_file(plan: &Plan, part: Part) -> Outcome<Vec<Line>> {
    eprintln!("{part:?} ...");
    let file = plan.dir.join("work.db");
    fleet::remove(&file);
    let url = format!("sqlite:{}", file.display());
    let lines = work::measure(plan, part, &work::Ledger { url, store: "SQLite", servers: &[1] });
    if !plan.keep {
        fleet::remove(&file);
    }
    lines
}

/// All that is measured over one and the same fleet.
async fn over_the_fleet(plan: &Plan) -> Outcome<Vec<Line>> {
    let parts = [Part::Sweeps, Part::Beats, Part::Delegate, Part::Start];
    if !parts.into_iter().any(|part| plan.wants(part)) {
        return Ok(vec![]);
    }
    let fleet = Fleet { ledger: plan.dir.join("fleet.db"), ids: plan.dir.join("fleet.ids") };
    let clock = fleet::yesterday();
    let begun = Time(clock.wall_ms());
    eprintln!("delegating and starting {} ...", sweeps::grouped(plan.rows));
    let living = sweeps::shape(plan).build(&fleet.ledger, clock).await?;
    std::fs::write(
        &fleet.ids,
        living.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    )?;
    let lines = over(plan, &fleet, begun).await;
    if !plan.keep {
        fleet::remove(&fleet.ledger);
        fleet::remove(&fleet.ids);
    }
    lines
}

async fn over(plan: &Plan, fleet: &Fleet, begun: Time) -> Outcome<Vec<Line>> {
    let mut lines = vec![];
    if plan.wants(Part::Sweeps) {
        eprintln!("sweeping ...");
        lines.extend(sweeps::measure(plan, &fleet.ledger, begun).await?);
    }
    if plan.wants(Part::Beats) {
        eprintln!("heartbeats ...");
        lines.extend(http::beats(plan, fleet)?);
    }
    if plan.wants(Part::Start) {
        eprintln!("starting ...");
        lines.extend(http::start(plan, fleet)?);
    }
    if plan.wants(Part::Delegate) {
        eprintln!("delegating ...");
        lines.extend(http::delegate(plan, fleet)?);
    }
    Ok(lines)
}
