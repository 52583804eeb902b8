//! What the subcommands share that look at a ledger itself, beside its server.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use consign_server::{DATABASE_URL_DEFAULT, Database, ServeError, ledger_file};

use crate::error::CliError;
use crate::exit::Exit;

/// Which ledger.
#[derive(Args)]
pub(crate) struct OnDisk {
    /// The ledger, as its server is told
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
    /// Where the ledger is.
    pub(crate) fn database(&self) -> Result<Database, CliError> {
        let url = match self.database_url.as_str() {
            "" => DATABASE_URL_DEFAULT,
            url => url,
        };
        Database::of_url(url)
            .map_err(|why| CliError::Usage(ServeError::DatabaseUrl(why).to_string()))
    }

    /// The ledger's file, for what only a ledger in a file knows.
    pub(crate) fn ledger(&self) -> Result<PathBuf, CliError> {
        let url = self.database_url.as_str();
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let why = "this copies ledgers in SQLite; copy one in PostgreSQL with pg_dump: docs/backup.md";
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
