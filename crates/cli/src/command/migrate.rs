//! `consign migrate`: brings a ledger's schema up to date, and ends.

use std::process::ExitCode;

use clap::Args;
use consign_server::{Database, DatabaseOptions, ServeError};
use tokio::runtime::Runtime;

/// What it is for, and what the exit codes mean.
const MORE: &str = "\
`consign serve` does the same at its start. This is for a database that the server's own user may not change, and for
those who upgrade in steps.

Exit codes:
   0  the schema is up to date
   1  the database cannot be used, or its schema is newer than this program
   2  a flag or a variable is wrong";

/// The arguments of `consign migrate`.
#[derive(Args)]
#[command(after_help = MORE)]
pub(crate) struct Migrate {
    #[command(flatten)]
    database: DatabaseOptions,
}

impl Migrate {
    /// Migrates, and says where.
    pub(crate) fn run(self) -> ExitCode {
        match self.migrate() {
            Ok(database) => {
                println!("{database}: the schema is up to date");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("consign: {error}");
                ExitCode::from(error.exit_code())
            }
        }
    }

    fn migrate(&self) -> Result<Database, ServeError> {
        let database = self.database.settle()?;
        let runtime = Runtime::new().map_err(ServeError::Threads)?;
        runtime.block_on(consign_server::migrate(&database))?;
        Ok(database)
    }
}
