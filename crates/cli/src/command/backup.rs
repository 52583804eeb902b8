//! `consign backup`: copies a SQLite ledger to a file, also while its server runs.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use consign_server::{DATABASE_URL_DEFAULT, ledger_file};
use consign_store_sqlite::{Copied, backup};
use serde_json::json;

use crate::error::CliError;
use crate::exit::Exit;
use crate::print;

/// The arguments of `consign backup`.
#[derive(Args)]
#[command(after_help = "\
The copy is of one moment, and is checked before it gets its name; nothing is overwritten.
How to restore one: docs/backup.md. A ledger in PostgreSQL is copied by pg_dump.

Exit codes:
   0  there is a copy
   1  there is none; the message says why
   2  a flag, a variable or a value is wrong")]
pub(crate) struct Backup {
    /// The file to make
    file: PathBuf,

    /// The ledger, as its server is told: sqlite:PATH
    #[arg(
        long,
        env = "CONSIGN_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        default_value = DATABASE_URL_DEFAULT
    )]
    database_url: String,

    /// Print what was copied as one JSON document
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub(crate) fn run(self) -> ExitCode {
        match self.copy() {
            Ok(()) => Exit::Done.into(),
            Err(error) => {
                eprintln!("consign: {error}");
                error.exit().into()
            }
        }
    }

    fn copy(&self) -> Result<(), CliError> {
        let url = self.database_url.as_str();
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let why = "consign backup copies ledgers in SQLite; copy one in PostgreSQL with pg_dump: docs/backup.md";
            return Err(CliError::Usage(why.to_owned()));
        }
        let ledger = ledger_file(url).map_err(|why| CliError::Usage(why.to_string()))?;
        let watched = io::stderr().is_terminal();
        let copied = backup(&ledger, &self.file, |percent| {
            if watched {
                eprint!("\rcopying {percent:3} % ");
            }
        });
        if watched {
            eprint!("\r\x1b[K");
        }
        Ok(print::lines(&self.told(&copied?))?)
    }

    fn told(&self, copied: &Copied) -> String {
        let Copied { bytes, delegations } = copied;
        if self.json {
            let file = self.file.display().to_string();
            return json!({"file": file, "bytes": bytes, "delegations": delegations}).to_string();
        }
        format!("{}: {delegations} delegations, {bytes} bytes, checked", self.file.display())
    }
}
