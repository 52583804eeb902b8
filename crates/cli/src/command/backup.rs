//! `consign backup`: copies a SQLite ledger to a file, also while its server runs.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use consign_store_sqlite::{Copied, backup};
use serde_json::json;

use crate::error::CliError;
use crate::exit::Exit;
use crate::on_disk::OnDisk;
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

    #[command(flatten)]
    on_disk: OnDisk,

    /// Print what was copied as one JSON document
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub(crate) fn run(self) -> ExitCode {
        crate::on_disk::run(|| self.copy())
    }

    fn copy(&self) -> Result<Exit, CliError> {
        let ledger = self.on_disk.ledger()?;
        let watched = io::stderr().is_terminal();
        let copied = backup(&ledger, &self.file, |percent| {
            if watched {
                eprint!("\rcopying {percent:3} % ");
            }
        });
        if watched {
            eprint!("\r\x1b[K");
        }
        print::lines(&self.told(&copied?))?;
        Ok(Exit::Done)
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
