//! Passes over a large fleet: with nothing due, with a hundred overdue, with ten thousand.
//!
//! All sides have their own copy of one file and take turns; each finds the same rows due.

use std::fs::File;
use std::path::{Path, PathBuf};

use consign_ledger::{Clock as _, Time};

use crate::Outcome;
use crate::args::Plan;
use crate::bare::Bare;
use crate::disk::fdatasyncs_per_s;
use crate::fleet::{Doomed, Live, PATIENT_S, Place, Shape, remove, yesterday};
use crate::line::{Goal, Line, Rounds, Unit};
use crate::row_by_row::RowByRow;
use crate::stopwatch::Stopwatch;

const FEW: usize = 100;
const MANY: usize = 10_000;
/// The fleet whose pass a hundred times larger one must not be slower than by half.
const SMALL_ROWS: usize = 10_000;
/// Seconds of the ledger's time between two groups of deadlines.
const STAGE_S: u32 = 10;
/// What one round finds overdue, one after the other.
const STAGES: [(usize, Place); 4] = [
    (FEW, Place::Scattered),
    (MANY, Place::Scattered),
    (FEW, Place::Together),
    (MANY, Place::Together),
];

/// The fleets of one run.
pub(crate) struct Arena {
    large: Live,
    small: Live,
    baseline: RowByRow,
    bare: Bare,
    begun: Time,
    dir: PathBuf,
}

/// What the plan's fleet is like. In each round a few are doomed and then many, of both kinds.
pub(crate) fn shape(plan: &Plan) -> Shape {
    let doom = |nth: usize| {
        let (count, place) = STAGES[nth % STAGES.len()];
        let at_s = u32::try_from(nth + 1).unwrap_or(u32::MAX).saturating_mul(STAGE_S);
        Doomed { count: count.min(plan.rows / 10), at_s, place }
    };
    let doomed = (0..plan.rounds * STAGES.len()).map(doom).collect();
    let (rows, task_bytes) = (plan.rows, plan.task_bytes);
    Shape { rows, doomed, task_bytes, threshold_s: PATIENT_S, over_s: 0 }
}

/// Measures passes over the fleet at `large`, whose groups of doomed are used up by it.
pub(crate) async fn measure(plan: &Plan, large: &Path, begun: Time) -> Outcome<Vec<Line>> {
    let small_path = plan.dir.join("small.db");
    let copies = ["row-by-row.db", "bare.db"].map(|name| plan.dir.join(name));
    for copy in &copies {
        std::fs::copy(large, copy)?;
        // Or the system would go on writing them while the rounds are measured.
        File::open(copy)?.sync_all()?;
    }
    let small = Shape { rows: SMALL_ROWS.min(plan.rows / 2), doomed: vec![], ..shape(plan) };
    let clock = yesterday();
    small.build(&small_path, clock.clone()).await?;
    let mut arena = Arena {
        large: Live::open(large, clock_at(begun), PATIENT_S).await?,
        small: Live::open(&small_path, clock, PATIENT_S).await?,
        baseline: RowByRow::open(&copies[0], PATIENT_S)?,
        bare: Bare::open(&copies[1])?,
        begun,
        dir: plan.dir.clone(),
    };
    let lines = arena.rounds(plan).await?;
    arena.large.close().await;
    arena.small.close().await;
    remove(&small_path);
    for copy in &copies {
        remove(copy);
    }
    Ok(lines)
}

fn clock_at(time: Time) -> consign_testkit::HandClock {
    let clock = yesterday();
    clock.step_wall_ms(time.0 - clock.wall_ms());
    clock
}

impl Arena {
    async fn rounds(&mut self, plan: &Plan) -> Outcome<Vec<Line>> {
        let [mut nothing, mut growth] = [(); 2].map(|()| Rounds::default());
        let mut due = STAGES.map(|_| DueRounds::default());
        // The first passes read the file; they are not counted.
        self.warm_up().await?;
        for (nth, doomed) in shape(plan).doomed.into_iter().enumerate() {
            let disk = fdatasyncs_per_s(&self.dir)?;
            self.idle_round(&mut nothing, &mut growth, (disk, nth)).await?;
            let rounds = &mut due[nth % STAGES.len()];
            self.due_round(rounds, disk, doomed).await?;
        }
        let rows = grouped(plan.rows);
        let idle = format!("sweep, nothing due, {rows} in flight");
        let small = format!("at {} in flight", grouped(SMALL_ROWS.min(plan.rows / 2)));
        let idle_lines = [
            nothing.line_beside(&idle, Unit::Milliseconds, ROW_BY_ROW, Goal::AtMost(5.0)),
            growth.line_beside("the same", Unit::Milliseconds, &small, Goal::TimesAtMost(1.5)),
        ];
        let due_lines = shape(plan).doomed.into_iter().zip(&due).flat_map(|(doomed, rounds)| {
            let goal = Goal::TimesAsGood(if doomed.count <= FEW { 150.0 } else { 15.0 });
            let what = overdue(doomed, &rows);
            [
                rounds.beside_row_by_row.line_beside(&what, Unit::Milliseconds, ROW_BY_ROW, goal),
                rounds.beside_bare.line_beside("the same", Unit::Milliseconds, BARE, BARE_GOAL),
            ]
        });
        Ok(idle_lines.into_iter().chain(due_lines).collect())
    }

    async fn warm_up(&self) -> Outcome<()> {
        for _ in 0..3 {
            pass(&self.large, 0).await?;
            pass(&self.small, 0).await?;
        }
        self.baseline_pass(0).map(drop)
    }

    /// Who goes second finds everything awake and warm, so they take turns in that, too.
    async fn idle_round(
        &self,
        nothing: &mut Rounds,
        growth: &mut Rounds,
        (disk, nth): (f64, usize),
    ) -> Outcome<()> {
        let (large, small) = if nth.is_multiple_of(2) {
            let large = pass(&self.large, 0).await?;
            (large, pass(&self.small, 0).await?)
        } else {
            let small = pass(&self.small, 0).await?;
            (pass(&self.large, 0).await?, small)
        };
        nothing.push(large, self.baseline_pass(0)?, disk);
        growth.push(large, small, disk);
        Ok(())
    }

    async fn due_round(
        &mut self,
        rounds: &mut DueRounds,
        disk: f64,
        doomed: Doomed,
    ) -> Outcome<()> {
        self.large.move_to(self.begun.plus_s(doomed.at_s) + 1).await?;
        let ours = pass(&self.large, doomed.count).await?;
        let bare = self.bare.pass(self.large.clock.wall_ms(), doomed.count)?;
        rounds.beside_row_by_row.push(ours, self.baseline_pass(doomed.count)?, disk);
        rounds.beside_bare.push(ours, bare, disk);
        Ok(())
    }

    /// How long the row-by-row pass takes, in milliseconds.
    fn baseline_pass(&self, ends: usize) -> Outcome<f64> {
        let now = self.large.clock.wall_ms();
        let pass = self.baseline.pass(now)?;
        let wrong = || format!("{} of {ends} were ended", pass.ended).into();
        if pass.ended == ends { Ok(pass.ms) } else { Err(wrong()) }
    }
}

/// The figures of one kind of round, beside each of the others.
#[derive(Default)]
struct DueRounds {
    beside_row_by_row: Rounds,
    beside_bare: Rounds,
}

const ROW_BY_ROW: &str = "row by row";
const BARE: &str = "bare statements that write the same rows";
/// As what heartbeats are held against.
const BARE_GOAL: Goal = Goal::TimesAsGood(0.6);

fn overdue(doomed: Doomed, rows: &str) -> String {
    let how = match doomed.place {
        Place::Scattered => "scattered",
        Place::Together => "delegated together",
    };
    format!(
        "sweep, {} overdue, {how}, among {rows}, with events and messages",
        grouped(doomed.count)
    )
}

/// How long the ledger's pass takes, in milliseconds. It must end so many, each with an event and a message.
async fn pass(live: &Live, ends: usize) -> Outcome<f64> {
    let watch = Stopwatch::start();
    let report = live.sweeper.pass().await;
    let ms = watch.ms();
    if report.deadline_failures == ends as u64 && report.errors == 0 {
        Ok(ms)
    } else {
        Err(format!("a pass that should end {ends} said {report:?}").into())
    }
}

/// Thousands apart.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    groups.map(|group| String::from_utf8_lossy(group).into_owned()).collect::<Vec<_>>().join(",")
}
