//! Passes over a large fleet, by one server and by several at once, beside the row-by-row sweep of a copy.

use consign_ledger::{Clock as _, DelegationId, Time};
use consign_store_postgres::PostgresStore;
use consign_testkit::HandClock;
use futures_util::future::join_all;

use super::database::Postgres;
use super::row_by_row::RowByRow;
use super::{COPY, FLEET, REPLICAS, leave, live};
use crate::Outcome;
use crate::args::Plan;
use crate::disk::fdatasyncs_per_s;
use crate::fleet::{Doomed, Live, PATIENT_S, Place, Shape, yesterday};
use crate::line::{Goal, Line, Rounds, Unit};
use crate::stopwatch::Stopwatch;
use crate::sweeps::grouped;

const FEW: usize = 100;
const MANY: usize = 10_000;
const SMALL: &str = "small";
/// The fleet whose pass a hundred times larger one must not be slower than by half.
const SMALL_ROWS: usize = 10_000;
/// Seconds of the ledger's time between two groups of deadlines.
const STAGE_S: u32 = 10;
/// What one round finds overdue, one after the other; each once for every number of servers.
const STAGES: [(usize, Place); 3] =
    [(FEW, Place::Together), (MANY, Place::Together), (MANY, Place::Scattered)];
/// Passes until all that is overdue is ended: what another server had in hand is met by the next.
const PASSES_MAX: usize = 20;

pub(crate) struct Fleet {
    pub(crate) living: Vec<DelegationId>,
    begun: Time,
}

fn stages(plan: &Plan) -> impl Iterator<Item = (usize, usize, Place)> {
    let rounds = 0..plan.rounds;
    rounds.flat_map(|_| {
        STAGES.into_iter().flat_map(|(count, place)| {
            REPLICAS.into_iter().map(move |replicas| (replicas, count, place))
        })
    })
}

fn shape(plan: &Plan) -> Shape {
    let doom = |(nth, (_, count, place)): (usize, (usize, usize, Place))| {
        let at_s = u32::try_from(nth + 1).unwrap_or(u32::MAX).saturating_mul(STAGE_S);
        Doomed { count: count.min(plan.rows / 20), at_s, place }
    };
    let doomed = stages(plan).enumerate().map(doom).collect();
    let (rows, task_bytes) = (plan.rows, plan.task_bytes);
    Shape { rows, doomed, task_bytes, threshold_s: PATIENT_S, over_s: 0 }
}

impl Fleet {
    pub(crate) async fn build(plan: &Plan, postgres: &Postgres) -> Outcome<Self> {
        eprintln!("delegating and starting {} ...", grouped(plan.rows));
        postgres.make(FLEET).await?;
        let clock = yesterday();
        let begun = Time(clock.wall_ms());
        let fleet = live(postgres, FLEET, &clock, PATIENT_S).await?;
        let living = shape(plan).fill(&fleet).await?;
        leave(fleet).await?;
        postgres.settle(FLEET).await?;
        postgres.copy(FLEET, COPY).await?;
        Ok(Self { living, begun })
    }

    /// Measures passes; the groups of doomed are used up by it.
    pub(crate) async fn sweep(&self, plan: &Plan, postgres: &Postgres) -> Outcome<Vec<Line>> {
        let clock = yesterday();
        clock.step_wall_ms(self.begun.0 - clock.wall_ms());
        postgres.make(SMALL).await?;
        let small = live(postgres, SMALL, &clock, PATIENT_S).await?;
        let rows = SMALL_ROWS.min(plan.rows / 2);
        Shape { rows, doomed: vec![], ..shape(plan) }.fill(&small).await?;
        let mut servers = vec![];
        for _ in 0..REPLICAS[REPLICAS.len() - 1] {
            servers.push(live(postgres, FLEET, &clock, PATIENT_S).await?);
        }
        let baseline = RowByRow::over(postgres.url(COPY), PATIENT_S)?;
        let arena = Arena { servers, small, baseline, clock };
        let lines = arena.rounds(plan, self.begun).await?;
        for server in arena.servers {
            leave(server).await?;
        }
        leave(arena.small).await?;
        Ok(lines)
    }
}

struct Arena {
    servers: Vec<Live<PostgresStore>>,
    small: Live<PostgresStore>,
    baseline: RowByRow,
    clock: HandClock,
}

impl Arena {
    async fn rounds(&self, plan: &Plan, begun: Time) -> Outcome<Vec<Line>> {
        let [mut nothing, mut growth] = [(); 2].map(|()| Rounds::default());
        let mut due = vec![Rounds::default(); STAGES.len() * REPLICAS.len()];
        // The first passes read the files; they are not counted.
        for _ in 0..3 {
            self.sweep(self.servers.len(), 0).await?;
            one(&self.small).await?;
        }
        self.baseline_pass(0).await?;
        for (nth, (replicas, count, _)) in stages(plan).enumerate() {
            let disk = fdatasyncs_per_s(&plan.dir)?;
            let (large, small) = (self.sweep(1, 0).await?, one(&self.small).await?.1);
            nothing.push(large, self.baseline_pass(0).await?, disk);
            growth.push(large, small, disk);
            let at = begun.plus_s(u32::try_from(nth + 1)? * STAGE_S) + 1;
            let count = count.min(plan.rows / 20);
            self.move_to(at).await?;
            let ours = self.sweep(replicas, count).await?;
            due[nth % (STAGES.len() * REPLICAS.len())].push(
                ours,
                self.baseline_pass(count).await?,
                disk,
            );
        }
        let rows = grouped(plan.rows);
        let idle = format!("PostgreSQL: sweep, nothing due, {rows} in flight");
        let small = format!("at {} in flight", grouped(SMALL_ROWS.min(plan.rows / 2)));
        let ms = Unit::Milliseconds;
        let mut lines = vec![
            nothing.line_beside(&idle, ms, ROW_BY_ROW, Goal::AtMost(5.0)),
            growth.line_beside("the same", ms, &small, Goal::TimesAtMost(1.5)),
        ];
        for ((replicas, count, place), rounds) in stages(plan).zip(&due) {
            let goal = Goal::TimesAsGood(if count == FEW { 150.0 } else { 15.0 });
            let what = overdue(count.min(plan.rows / 20), place, &rows, replicas);
            lines.push(rounds.line_beside(&what, ms, ROW_BY_ROW, goal));
        }
        Ok(lines)
    }

    /// One clock for all, and each notes that it was listening.
    async fn move_to(&self, time: Time) -> Outcome<()> {
        self.servers[0].move_to(time).await?;
        for server in &self.servers[1..] {
            server.ledger.listen().await?;
        }
        Ok(self.small.ledger.listen().await?)
    }

    /// How long so many servers at once take to end so many, in milliseconds. Between their passes no time is counted.
    async fn sweep(&self, replicas: usize, ends: usize) -> Outcome<f64> {
        let (mut ended, mut ms) = (0, 0.0);
        for _ in 0..PASSES_MAX {
            let watch = Stopwatch::start();
            let passes = join_all(self.servers[..replicas].iter().map(one)).await;
            ms += watch.ms();
            for pass in passes {
                ended += pass?.0;
            }
            if ended == ends {
                return Ok(ms);
            }
            // What others held rests for a second.
            self.move_to(Time(self.clock.wall_ms()) + 1001).await?;
        }
        Err(format!("{ended} of {ends} were ended").into())
    }

    async fn baseline_pass(&self, ends: usize) -> Outcome<f64> {
        let (ended, ms) = self.baseline.pass(self.clock.wall_ms()).await?;
        if ended == ends { Ok(ms) } else { Err(format!("{ended} of {ends} were ended").into()) }
    }
}

const ROW_BY_ROW: &str = "row by row";

fn overdue(count: usize, place: Place, rows: &str, replicas: usize) -> String {
    let how = match place {
        Place::Scattered => "scattered",
        Place::Together => "delegated together",
    };
    format!(
        "PostgreSQL: sweep, {} overdue, {how}, among {rows}, with events and messages, servers: {replicas}",
        grouped(count)
    )
}

/// A pass: how many it ended, and how long it took, in milliseconds.
async fn one(live: &Live<PostgresStore>) -> Outcome<(usize, f64)> {
    let watch = Stopwatch::start();
    let report = live.sweeper.pass().await;
    let ms = watch.ms();
    if report.errors > 0 {
        return Err(format!("a pass said {report:?}").into());
    }
    Ok((usize::try_from(report.deadline_failures)?, ms))
}
