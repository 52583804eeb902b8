//! One pass at a time. Who asks while one runs shares it and its report.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use consign_ledger::Store;
use consign_ledger::query::SweepReport;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::guard::{guarded, outcome_of};
use crate::pass::{Pass, lock};
use crate::report::Tally;
use crate::{Shared, Sweeper};

/// Why a pass is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The process started, or the interval is over.
    Interval,
    /// Something is due.
    Due,
    /// Somebody asked.
    Asked,
}

/// The pass that runs, if one does.
#[derive(Default)]
pub(crate) struct Turnstile(Mutex<Option<Running>>);

struct Running {
    report: watch::Receiver<Option<SweepReport>>,
    abort: AbortHandle,
    keep: Arc<AtomicBool>,
}

impl Turnstile {
    /// Ends the running pass at once. What it did is reported to those who wait for it.
    pub(crate) fn abort(&self) {
        if let Some(running) = &*lock(&self.0) {
            running.abort.abort();
        }
    }
}

impl<S: Store> Sweeper<S> {
    /// One pass, or the one that is running.
    ///
    /// It runs on tasks of its own: it survives who asked for it, and nobody dies of its panic.
    pub(crate) async fn one_pass(&self, why: Why) -> SweepReport {
        let mut report = self.enter(why);
        let reported = report.wait_for(Option::is_some).await;
        let lost = SweepReport { errors: 1, ..SweepReport::default() };
        reported.ok().and_then(|report| *report).unwrap_or(lost)
    }

    fn enter(&self, why: Why) -> watch::Receiver<Option<SweepReport>> {
        let mut running = lock(&self.turnstile.0);
        let keep = why != Why::Due;
        match &*running {
            Some(pass) if pass.report.has_changed().is_ok() => {
                pass.keep.fetch_or(keep, Ordering::Relaxed);
                pass.report.clone()
            }
            _ => {
                let pass = begin(&self.shared, &self.turnstile, keep);
                running.insert(pass).report.clone()
            }
        }
    }
}

fn begin<S: Store>(shared: &Arc<Shared<S>>, turnstile: &Arc<Turnstile>, keep: bool) -> Running {
    let (publish, report) = watch::channel(None);
    let tally = Arc::<Mutex<Tally>>::default();
    let pass = tokio::spawn(Pass::run(Arc::clone(shared), Arc::clone(&tally)));
    let keep = Arc::new(AtomicBool::new(keep));
    let running = Running { report, abort: pass.abort_handle(), keep: Arc::clone(&keep) };
    let (shared, turnstile) = (Arc::clone(shared), Arc::clone(turnstile));
    tokio::spawn(async move {
        let outcome = outcome_of("A PASS OF THE SWEEPER", pass).await;
        let mut tally = *lock(&tally);
        if outcome.is_err_and(|died| died.is_panic()) {
            tally.report.errors += 1;
            tally.troubled = true;
        }
        end(&shared, tally, keep.load(Ordering::Relaxed)).await;
        // Under the lock, so that nobody joins a pass that is over.
        let mut running = lock(&turnstile.0);
        publish.send_replace(Some(tally.report));
        *running = None;
    });
    running
}

/// Remembers, says and keeps what came of a pass.
///
/// Kept is what changed something or failed, each pass of the interval and each that somebody asked for;
/// not the looks in between that found everybody alive.
async fn end<S: Store>(shared: &Arc<Shared<S>>, tally: Tally, keep: bool) {
    shared.memory().note_trouble(tally.troubled);
    lock(&shared.totals).add(&tally);
    match tally.report.errors {
        0 if tally.is_news() => tracing::info!("{tally}"),
        0 => tracing::debug!("{tally}"),
        _ => tracing::warn!("{tally}"),
    }
    if !(keep || tally.is_news()) {
        return;
    }
    let ledger = shared.ledger.clone();
    let kept = guarded("KEEPING A REPORT", async move { ledger.keep_report(tally.report).await });
    if let Ok(Err(failure)) = kept.await {
        tracing::error!(%failure, "the report of a pass could not be kept");
    }
}
