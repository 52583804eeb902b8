//! What the real server does over HTTP, beside its rivals, in turns.

use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::args::Plan;
use crate::child::Server;
use crate::disk::fdatasyncs_per_s;
use crate::fleet::{remove, shuffle};
use crate::line::{Goal, Line, Rounds, Unit};
use crate::load::Shape;
use crate::rivals::bare_statement;
use crate::sweeps::grouped;

/// What the server serves.
pub(crate) struct Fleet {
    pub(crate) ledger: PathBuf,
    /// The delegations that are in flight, an id on each line.
    pub(crate) ids: PathBuf,
}

const PER_S: Unit = Unit::PerSecond;

/// Heartbeats: a hundred in a request, and one.
pub(crate) fn beats(plan: &Plan, fleet: &Fleet) -> Outcome<Vec<Line>> {
    let copy = plan.dir.join("bare.db");
    std::fs::copy(&fleet.ledger, &copy)?;
    let lines = [batches(plan, fleet, &copy)?, each(plan, fleet, &copy)?].concat();
    remove(&copy);
    Ok(lines)
}

fn batches(plan: &Plan, fleet: &Fleet, copy: &Path) -> Outcome<Vec<Line>> {
    let text = std::fs::read_to_string(&fleet.ids)?;
    let together: Vec<&str> = text.lines().collect();
    let mut scattered = together.clone();
    shuffle(&mut scattered);
    let server = Server::consign(&fleet.ledger)?;
    let rows = grouped(plan.rows);
    let mut lines = vec![];
    for (how, shape, ids) in [
        ("scattered over the fleet", Shape::BeatsScattered, scattered),
        ("of delegations made together", Shape::BeatsTogether, together),
    ] {
        let mut rounds = Rounds::default();
        for _ in 0..plan.rounds {
            let disk = fdatasyncs_per_s(&plan.dir)?;
            let ours = server.things_per_s(shape, &fleet.ids, plan.seconds)?;
            rounds.push(ours, bare_statement(copy, &ids, plan.seconds)?, disk);
        }
        let what = format!("heartbeats over HTTP, batches of 100 {how}, {rows} in flight");
        lines.push(rounds.line(&what, PER_S, Goal::AtLeast(80_000.0)));
        let bare = "the bare statement";
        lines.push(rounds.line_beside("the same", PER_S, bare, Goal::TimesAsGood(0.6)));
    }
    Ok(lines)
}

fn each(plan: &Plan, fleet: &Fleet, copy: &Path) -> Outcome<Vec<Line>> {
    let ours = Server::consign(&fleet.ledger)?;
    let nothing = Server::rival(["nothing"])?;
    let update = Server::rival(["update-each".as_ref(), copy.as_os_str()])?;
    let rate = |server: &Server| server.things_per_s(Shape::BeatEach, &fleet.ids, plan.seconds);
    let [mut to_nothing, mut to_update] = [(); 2].map(|()| Rounds::default());
    for _ in 0..plan.rounds {
        let disk = fdatasyncs_per_s(&plan.dir)?;
        let per_s = rate(&ours)?;
        to_nothing.push(per_s, rate(&nothing)?, disk);
        to_update.push(per_s, rate(&update)?, disk);
    }
    let what = "heartbeats over HTTP, one each, 64 connections";
    let nothing = "a handler that does nothing";
    let update = "one update per request";
    Ok(vec![
        to_nothing.line_beside(what, PER_S, nothing, Goal::TimesAsGood(0.5)),
        to_update.line_beside("the same", PER_S, update, Goal::TimesAsGood(3.0)),
    ])
}

/// Delegating, a thousand in a request.
pub(crate) fn delegate(plan: &Plan, fleet: &Fleet) -> Outcome<Vec<Line>> {
    let server = Server::consign(&fleet.ledger)?;
    let mut rounds = Rounds::default();
    for _ in 0..plan.rounds {
        rounds.disk.push(fdatasyncs_per_s(&plan.dir)?);
        rounds.ours.push(server.things_per_s(Shape::Delegate, &fleet.ids, plan.seconds)?);
    }
    let what = "delegate over HTTP, batches of 1,000";
    Ok(vec![rounds.line(what, PER_S, Goal::AtLeast(25_000.0))])
}

/// From start to ready, and the most memory, with the fleet in flight and beating.
pub(crate) fn start(plan: &Plan, fleet: &Fleet) -> Outcome<Vec<Line>> {
    let [mut ready, mut memory] = [(); 2].map(|()| Rounds::default());
    for _ in 0..plan.rounds {
        let disk = fdatasyncs_per_s(&plan.dir)?;
        let server = Server::consign(&fleet.ledger)?;
        server.things_per_s(Shape::BeatsScattered, &fleet.ids, 1)?;
        ready.ours.push(server.ready_ms);
        memory.ours.push(server.peak_mib()?);
        ready.disk.push(disk);
        memory.disk.push(disk);
    }
    let rows = grouped(plan.rows);
    let (start, peak) = (
        format!("start to ready, {rows} in flight"),
        format!("memory, {rows} in flight and beating"),
    );
    Ok(vec![
        ready.line(&start, Unit::Milliseconds, Goal::AtMost(300.0)),
        memory.line(&peak, Unit::Mebibytes, Goal::AtMost(200.0)),
    ])
}
