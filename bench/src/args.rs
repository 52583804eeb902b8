//! What may be asked of the benchmark.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::load::Order;

/// Measures a ledger side by side with the row-by-row sweep, each figure as a ratio within one run.
#[derive(Parser, Debug)]
pub(crate) struct Invocation {
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
    #[command(flatten)]
    pub(crate) plan: Plan,
}

/// How much to measure.
#[derive(Args, Clone, Debug)]
pub(crate) struct Plan {
    /// Delegations in flight
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) rows: usize,
    /// Bytes of each task
    #[arg(long, default_value_t = 1024)]
    pub(crate) task_bytes: usize,
    /// Interleaved rounds of each comparison
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Seconds of load in each round over HTTP
    #[arg(long, default_value_t = 4)]
    pub(crate) seconds: u64,
    /// A small run, to see that everything works: 20,000 in flight, two rounds of a second
    #[arg(long)]
    pub(crate) quick: bool,
    /// Seconds of the soak, at least three minutes
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(180..))]
    pub(crate) soak_seconds: u64,
    /// Only these parts
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) only: Vec<Part>,
    /// Where the ledgers are made: several gigabytes, deleted afterwards
    #[arg(long, default_value = "target/bench")]
    pub(crate) dir: PathBuf,
    /// On which store
    #[arg(long, value_enum, default_value_t = StoreKind::Sqlite)]
    pub(crate) store: StoreKind,
    /// Leaves the ledgers there
    #[arg(long)]
    pub(crate) keep: bool,
    /// Where to write the figures as JSON, too
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Passes with nothing, 100 and 10,000 due
    Sweeps,
    /// Heartbeats over HTTP
    Beats,
    /// Delegating over HTTP
    Delegate,
    /// Start and memory of the server
    Start,
    /// Looking at every live row once per threshold
    Rearm,
    /// From a verdict to a caller that waits for it
    Waits,
    /// Work that is claimed by many at once
    Claims,
    /// Delegating and completing, one each
    Pairs,
    /// On PostgreSQL alone, and only when it is named: heartbeats for minutes, with passes, verdicts and a reader that
    /// holds a snapshot
    Soak,
}

/// Where the ledgers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoreKind {
    /// In files
    Sqlite,
    /// In databases of a PostgreSQL that is started for it, and flushes as in production
    Postgres,
}

/// What a child process of the benchmark does.
#[derive(Subcommand, Clone, Debug)]
pub(crate) enum Role {
    /// Puts load on servers and prints what came of it
    #[command(hide = true)]
    Load {
        /// Which, as JSON
        #[arg(value_parser = Order::parse)]
        order: Order,
    },
    /// Serves HTTP and does nothing
    #[command(hide = true)]
    Nothing,
    /// Serves HTTP with one update per heartbeat
    #[command(hide = true)]
    UpdateEach {
        /// The ledger whose rows are updated
        file: PathBuf,
    },
}

impl Plan {
    /// The plan, small where it was asked to be.
    pub(crate) fn settled(self) -> Self {
        if self.quick {
            Self {
                rows: self.rows.min(20_000),
                rounds: 2,
                seconds: 1,
                soak_seconds: self.soak_seconds.min(180),
                ..self
            }
        } else {
            self
        }
    }

    pub(crate) fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}
