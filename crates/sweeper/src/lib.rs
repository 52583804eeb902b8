//! When to sweep, the brake, the report. Writes only through the ledger.
//!
//! A pass *looks* (deadlines, what ended, what may be silent), *plans* (pure: who is alive at a glance, who must
//! be examined) and *asks the ledger*, which alone decides. What goes wrong in it is counted, said, and tried
//! again later; it never ends the sweeper.

mod backoff;
mod brake;
mod cascade;
mod checks;
mod dry_run;
mod guard;
mod memory;
mod pass;
mod plan;
mod prune;
mod report;
mod rest;
mod run;
mod schedule;
mod totals;
mod turnstile;
mod walk;

use std::sync::{Arc, Mutex, MutexGuard};

use consign_ledger::query::{Measure, Outlook, SweepReport};
use consign_ledger::{DelegationId, Failure, Ledger, Reader, Store};
use tokio::sync::watch;

pub use dry_run::{DRY_RUN_ROWS_MAX, DryRun};
use memory::Memory;
pub use prune::{PruneReport, Pruner, Pruning};
use totals::Totals;
use turnstile::{Turnstile, Why};

/// What a sweeper is told at its start.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The longest pause between two passes, in seconds.
    pub interval_s: u32,
    /// Whether mass silence holds the silence verdicts.
    pub brake: bool,
}

/// The sweeper of one ledger.
pub struct Sweeper<S> {
    shared: Arc<Shared<S>>,
    turnstile: Arc<Turnstile>,
}

/// What a sweeper and its passes have in common.
pub(crate) struct Shared<S> {
    ledger: Ledger<S>,
    settings: Settings,
    memory: Mutex<Memory>,
    totals: Mutex<Totals>,
}

impl<S: Store> Sweeper<S> {
    /// A sweeper that does nothing until it is run or asked.
    #[must_use]
    pub fn new(ledger: Ledger<S>, settings: Settings) -> Self {
        let shared =
            Shared { ledger, settings, memory: Mutex::default(), totals: Mutex::default() };
        Self { shared: Arc::new(shared), turnstile: Arc::default() }
    }

    /// What it was told at its start.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.shared.settings
    }

    /// Sweeps at once, then whenever something is due, until `stop` becomes true or its sender is gone.
    ///
    /// A stop ends a pass in the middle: between two of its transactions, never within one.
    /// Somebody must call [`Ledger::listen`] every second meanwhile, or no silence is heard.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => self.turnstile.abort(),
            never = self.sweep_for_ever() => match never {},
        }
    }

    /// One pass now, or the one that is running.
    ///
    /// It goes on if who asked leaves, and what it could not do is counted in its report.
    pub async fn pass(&self) -> SweepReport {
        self.one_pass(Why::Asked).await
    }

    /// What its passes came to since the start of this process.
    #[must_use]
    pub fn measures(&self) -> Vec<Measure> {
        pass::lock(&self.shared.totals).measures()
    }

    /// What a pass would do now. Nothing is written.
    pub async fn dry_run(&self) -> Result<DryRun, Failure> {
        dry_run::dry_run(&self.shared.ledger, self.shared.settings).await
    }

    /// What would happen to one delegation if nobody said anything any more; `None` if it is unknown.
    pub async fn explain(&self, id: &DelegationId) -> Result<Option<Outlook>, Failure> {
        let reader = self.shared.ledger.reader();
        let Some((delegation, _)) = reader.find(id).await? else { return Ok(None) };
        let listening = reader.listening(delegation.listens_from()).await?;
        let now = reader.reading().await?.now;
        let threshold_s = self.shared.ledger.settings().stuck_threshold_s;
        Ok(Some(Outlook::of(&delegation, &listening, now, threshold_s)))
    }
}

impl<S> Shared<S> {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        pass::lock(&self.memory)
    }
}
