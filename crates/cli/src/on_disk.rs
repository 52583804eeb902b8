//! What the subcommands share that look at a ledger's file and not at its server.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use consign_server::{DATABASE_URL_DEFAULT, ledger_file};

use crate::error::CliError;
use crate::exit::Exit;

/// Which ledger.
#[derive(Args)]
pub(crate) struct OnDisk {
    /// The ledger, as its server is told: sqlite:PATH
    #[arg(
        long,
        env = "CONSIGN_DATABASE_URL",
        // A database's address may hold its password.
        hide_env_values = true,
        value_name = "URL",
        default_value = DATABASE_URL_DEFAULT
    )]
    database_url: String,
}

impl OnDisk {
    /// The ledger's file.
    pub(crate) fn ledger(&self) -> Result<PathBuf, CliError> {
        let url = self.database_url.as_str();
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let why = "this looks at ledgers in SQLite; copy one in PostgreSQL with pg_dump: docs/backup.md";
            return Err(CliError::Usage(why.to_owned()));
        }
        ledger_file(url).map_err(|why| CliError::Usage(why.to_string()))
    }
}

/// Does the work; says on standard error what went wrong.
pub(crate) fn run(work: impl FnOnce() -> Result<Exit, CliError>) -> ExitCode {
    match work() {
        Ok(exit) => exit.into(),
        Err(error) => {
            if error.exit() != Exit::Done {
                eprintln!("consign: {error}");
            }
            error.exit().into()
        }
    }
}
