//! Opening: the store, then the ledger over it. Nothing runs yet.

use std::path::Path;

use consign_ledger::delegation::retention::Retention;
use consign_ledger::{Desk, Failure, Ledger};
use consign_sweeper::Pruning;

use crate::any_store::{AnyStore, Closing};
use crate::clock::SystemClock;
use crate::database::{BadUrl, Database};
use crate::ids::Uuids;

/// What a ledger runs by.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a silence may last, where a delegation does not say.
    pub stuck_threshold_s: u32,
    /// The longest pause between two sweeps.
    pub sweeper_interval_s: u32,
    /// Whether mass silence holds the silence verdicts.
    pub brake: bool,
    /// How long what is over is kept.
    pub retention: Retention,
    /// When what was kept long enough goes.
    pub pruning: Pruning,
}

/// Why a ledger could not be opened, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL cannot be understood.
    #[error(transparent)]
    Url(#[from] BadUrl),
    /// The ledger's file.
    #[error(transparent)]
    Sqlite(#[from] consign_store_sqlite::OpenError),
    /// The ledger's database.
    #[error(transparent)]
    Postgres(#[from] consign_store_postgres::OpenError),
    /// The ledger behind it.
    #[error("the ledger cannot be read: {0}")]
    Ledger(#[from] Failure),
}

impl OpenError {
    /// The file, where it is this very process that has it open.
    #[must_use]
    pub fn open_here(&self) -> Option<&Path> {
        use consign_store_sqlite::OpenError::InUse;
        let me = format!("process {}", std::process::id());
        match self {
            Self::Sqlite(InUse { path, owner }) if *owner == me => Some(path),
            _ => None,
        }
    }
}

/// An open ledger that nobody runs yet: whatever else may fail at a start can fail before its clocks begin.
pub struct Opened {
    pub(crate) ledger: Ledger<AnyStore>,
    pub(crate) desk: Desk<AnyStore>,
    pub(crate) closing: Closing,
    pub(crate) settings: Settings,
}

impl Opened {
    /// Opens or makes the ledger, and keeps other processes out of it where it is a file.
    pub async fn at(database: &Database, settings: Settings) -> Result<Self, OpenError> {
        let (store, closing) = AnyStore::open(database).await?;
        let rules = consign_ledger::Settings { stuck_threshold_s: settings.stuck_threshold_s };
        let (ledger, desk) = Ledger::open(store, rules, Uuids(SystemClock)).await?;
        Ok(Self { ledger, desk, closing, settings })
    }
}
