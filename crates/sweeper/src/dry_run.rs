//! What a pass would do now, and why, row by row. Nothing is written, not even the mark of what was heard.

use std::collections::HashSet;

use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::change::Change;
use consign_ledger::delegation::examine::{Arm, Finding};
use consign_ledger::delegation::listening::Listening;
use consign_ledger::delegation::status::FailureKind;
use consign_ledger::delegation::watch::RowNum;
use consign_ledger::query::{Lane, Outlook, SweepReport};
use consign_ledger::{Failure, Ledger, Reader, Store, Time};

use crate::Settings;
use crate::brake;
use crate::walk::Walk;

/// Most rows that a dry run shows.
pub const DRY_RUN_ROWS_MAX: usize = 1000;

/// What a pass would do.
#[derive(Clone, Debug)]
pub struct DryRun {
    /// What the report would say of these rows. A row that cannot exist is an error.
    pub report: SweepReport,
    /// What would come of each due row, deadlines first; at most [`DRY_RUN_ROWS_MAX`].
    /// The children that would be cancelled after their parents are not foreseen.
    pub rows: Vec<Outlook>,
    /// Whether there are more.
    pub truncated: bool,
}

pub(crate) async fn dry_run<S: Store>(
    ledger: &Ledger<S>,
    settings: Settings,
) -> Result<DryRun, Failure> {
    let (reader, threshold_s) = (ledger.reader(), ledger.settings().stuck_threshold_s);
    let now = reader.reading().await?.now;
    let mut nums = due(reader, now).await?;
    let truncated = nums.len() > DRY_RUN_ROWS_MAX;
    nums.truncate(DRY_RUN_ROWS_MAX);
    let asked = nums.len();
    let mut delegations = reader.delegations(nums).await?;
    let unreadable = asked - delegations.len();
    delegations.retain(Delegation::in_flight);
    let listening = listening(reader, &delegations, now, threshold_s, settings).await?;
    let look = |delegation: &Delegation| delegation.examine(&listening, now, threshold_s);
    let mut report = foreseen(delegations.iter().map(look));
    report.errors = unreadable as u64;
    report.started_at = now;
    report.duration_ms = reader.reading().await?.now.since_ms(now).unsigned_abs();
    let outlook = |delegation| Outlook::of(delegation, &listening, now, threshold_s);
    Ok(DryRun { report, rows: delegations.iter().map(outlook).collect(), truncated })
}

/// The due rows in the order of a pass, each once: as many as are shown, and one more if there are more.
async fn due(reader: &impl Reader, now: Time) -> Result<Vec<RowNum>, Failure> {
    let (mut nums, mut met) = (vec![], HashSet::new());
    for lane in [Lane::Deadline, Lane::Check] {
        let mut walk = Walk::new(lane, now, None);
        while nums.len() <= DRY_RUN_ROWS_MAX {
            let page = walk.next(reader).await?;
            if page.is_empty() {
                break;
            }
            nums.extend(page.iter().map(|due| due.watch.num).filter(|num| met.insert(*num)));
        }
    }
    Ok(nums)
}

/// When the ledger listened, with the brake as a pass would pull it.
async fn listening(
    reader: &impl Reader,
    delegations: &[Delegation],
    now: Time,
    threshold_s: u32,
    settings: Settings,
) -> Result<Listening, Failure> {
    let clocks = delegations.iter().map(Delegation::listens_from);
    let mut listening = reader.listening(clocks.min().unwrap_or(now)).await?;
    let silent = |delegation: &Delegation| {
        let finding = delegation.examine(&listening, now, threshold_s);
        matches!(finding, Finding::Due(Arm::Silence | Arm::Progress, _))
    };
    if settings.brake && delegations.iter().any(silent) {
        let fleet = brake::fleet(reader, now, threshold_s).await?;
        listening.brake(fleet, now, threshold_s).into_iter().for_each(|gap| listening.add(gap));
    }
    Ok(listening)
}

fn foreseen(findings: impl Iterator<Item = Finding>) -> SweepReport {
    let mut report = SweepReport::default();
    for finding in findings {
        report.examined += 1;
        match finding {
            Finding::Due(_, change) => foresee(&change, &mut report),
            Finding::Held(..) => report.held += 1,
            Finding::Later(..) => report.rearmed += 1,
            Finding::Over => {}
        }
    }
    report
}

fn foresee(change: &Change, report: &mut SweepReport) {
    match change {
        Change::Failed { kind: FailureKind::DeadlineExceeded, .. } => report.deadline_failures += 1,
        Change::Stuck { .. } => report.stuck_marked += 1,
        Change::Requeued { .. } => report.requeued += 1,
        _ => {}
    }
}
