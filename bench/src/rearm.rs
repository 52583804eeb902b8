//! Re-arming: every live row is looked at once per threshold. How much of a core that takes.

use consign_ledger::{Clock as _, Time};

use crate::Outcome;
use crate::args::Plan;
use crate::disk::fdatasyncs_per_s;
use crate::fleet::{Live, Shape, remove, yesterday};
use crate::line::{Goal, Line, Rounds, Unit};
use crate::stopwatch::Stopwatch;
use crate::sweeps::grouped;

const THRESHOLD_S: u32 = 60;
/// Heartbeats of one call.
const BEATS: usize = 5000;

/// A fleet at a threshold of a minute, alive, for a minute of the ledger's time: each second's pass looks at
/// the rows that were heard first a minute before.
pub(crate) async fn measure(plan: &Plan) -> Outcome<Vec<Line>> {
    let path = plan.dir.join("rearm.db");
    let (rows, task_bytes) = (plan.rows, plan.task_bytes);
    let shape =
        Shape { rows, doomed: vec![], task_bytes, threshold_s: THRESHOLD_S, over_s: THRESHOLD_S };
    let clock = yesterday();
    let fleet = shape.build(&path, clock.clone()).await?;
    let live = Live::open(&path, clock, THRESHOLD_S).await?;
    for ids in fleet.chunks(BEATS) {
        live.beat(ids).await?;
    }
    let rounds = seconds(plan, &live).await?;
    live.close().await;
    remove(&path);
    let per_s = grouped(plan.rows / THRESHOLD_S as usize);
    let what = format!(
        "re-arming {} in flight at a threshold of {THRESHOLD_S} s ({per_s} a second)",
        grouped(plan.rows)
    );
    Ok(vec![rounds.line(&what, Unit::PercentOfCore, Goal::AtMost(25.0))])
}

/// What each second's pass costs, in percent of that second on one core.
async fn seconds(plan: &Plan, live: &Live) -> Outcome<Rounds> {
    let mut rounds = Rounds::default();
    let mut rearmed = 0;
    // What a start does once belongs to no second.
    live.sweeper.pass().await;
    for _ in 1..THRESHOLD_S {
        rounds.disk.push(fdatasyncs_per_s(&plan.dir)?);
        live.move_to(Time(live.clock.wall_ms()) + 1000).await?;
        let cpu = Stopwatch::of_cpu();
        let report = live.sweeper.pass().await;
        rounds.ours.push(cpu.seconds() * 100.0);
        if report.errors + report.stuck_marked > 0 {
            return Err(format!("all are alive, but a pass said {report:?}").into());
        }
        rearmed += report.rearmed;
    }
    let expected = plan.rows as u64 / 60 * 50;
    if rearmed < expected {
        return Err(format!("{rearmed} were re-armed, and {expected} are the least").into());
    }
    Ok(rounds)
}
