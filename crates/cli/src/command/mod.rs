//! What `consign` can be told to do.

mod migrate;
mod serve;

use std::process::ExitCode;

use clap::Subcommand;

/// One subcommand per file.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the ledger, its sweeper and the HTTP API
    Serve(serve::Serve),
    /// Bring the ledger's schema up to date, and end
    Migrate(migrate::Migrate),
}

impl Command {
    /// Runs it; the exit code is for scripts.
    pub(crate) fn run(self) -> ExitCode {
        match self {
            Self::Serve(serve) => serve.run(),
            Self::Migrate(migrate) => migrate.run(),
        }
    }
}
