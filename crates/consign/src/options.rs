//! What an embedded ledger runs by, and how it is opened.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use consign_engine::{Database, Opened, Pruning, Settings};
use consign_ledger::delegation::retention::Retention;
use tokio::time::{Instant, sleep};

use crate::ledger::Ledger;

/// What a setting in seconds may be: up to a year.
const SECONDS: RangeInclusive<u32> = 1..=31_536_000;
/// How long to wait for a ledger of this very process that is about to close.
const CLOSED_WITHIN: Duration = Duration::from_secs(1);
/// How often to look whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What a ledger runs by. The default is what `consign serve` runs by, too.
///
/// ```no_run
/// # async fn guide() -> Result<(), Box<dyn std::error::Error>> {
/// let options = consign::Options { stuck_threshold_s: 60, ..Default::default() };
/// let ledger = options.open("sqlite:consign.db").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long a silence may last, in seconds, where a delegation does not say: at least two intervals of your
    /// agents' heartbeats. 600.
    pub stuck_threshold_s: u32,
    /// The longest pause between two sweeps, in seconds. A safety net: the sweeper also wakes when something is due.
    /// 300.
    pub sweeper_interval_s: u32,
    /// Whether silence is held back for one threshold when most of the fleet falls silent together. `true`.
    pub brake: bool,
    /// How long what is over is kept; a pass each day lets go what was kept longer. 30 days where its caller has
    /// acknowledged it, 180 days otherwise; `Retention::default()` keeps everything for ever.
    pub retention: Retention,
}

/// Why a ledger could not be opened, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// An option is out of its range.
    #[error("{option} is {given}; give whole seconds from {} to {}", SECONDS.start(), SECONDS.end())]
    Option {
        /// Which.
        option: &'static str,
        /// What was given.
        given: u32,
    },
    /// This very process has it open.
    #[error("{} is open in this very process; clone that Ledger instead of opening it again", .0.display())]
    OpenHere(PathBuf),
    /// The URL cannot be understood, another process has the file, the database cannot be used: it says which.
    #[error(transparent)]
    Unusable(#[from] consign_engine::OpenError),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            stuck_threshold_s: 600,
            sweeper_interval_s: 300,
            brake: true,
            retention: Retention::USUAL,
        }
    }
}

impl Options {
    /// Opens or makes the ledger at `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`, brings its schema up
    /// to date, and starts its sweeper.
    ///
    /// A file has one process at a time, which opens it once; a database may be shared by many.
    pub async fn open(self, url: &str) -> Result<Ledger, OpenError> {
        self.check()?;
        let database = Database::of_url(url).map_err(consign_engine::OpenError::from)?;
        let until = Instant::now() + CLOSED_WITHIN;
        loop {
            match Opened::at(&database, self.settings()).await {
                Ok(opened) => return Ok(Ledger::start(opened)),
                Err(error) => match error.open_here() {
                    None => return Err(error.into()),
                    // A ledger whose last handle was just dropped closes behind our back.
                    Some(_) if Instant::now() < until => sleep(LOOK_EVERY).await,
                    Some(file) => return Err(OpenError::OpenHere(file.to_owned())),
                },
            }
        }
    }

    fn check(self) -> Result<(), OpenError> {
        let seconds = [
            ("stuck_threshold_s", self.stuck_threshold_s),
            ("sweeper_interval_s", self.sweeper_interval_s),
        ];
        match seconds.into_iter().find(|(_, given)| !SECONDS.contains(given)) {
            Some((option, given)) => Err(OpenError::Option { option, given }),
            None => Ok(()),
        }
    }

    fn settings(self) -> Settings {
        let Self { stuck_threshold_s, sweeper_interval_s, brake, retention } = self;
        let pruning = Pruning::Daily;
        Settings { stuck_threshold_s, sweeper_interval_s, brake, retention, pruning }
    }
}
