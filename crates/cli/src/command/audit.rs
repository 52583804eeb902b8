//! `consign audit`: asks a ledger, in its file or its database, whether everything holds that must, also while its server runs.

use std::process::ExitCode;

use clap::Args;
use consign_server::Database;
use consign_store_sqlite::Audit as Seen;
use serde_json::json;
use tokio::runtime::Builder;

use crate::error::CliError;
use crate::exit::{Exit, OF_JUDGING};
use crate::on_disk::OnDisk;
use crate::print::{self, Column, Paper, Table};

const COLUMNS: &[Column] = &[Column::Whole("CHECK"), Column::Whole("WHERE"), Column::Cut("WHAT")];

/// The arguments of `consign audit`.
#[derive(Args)]
#[command(after_help = OF_JUDGING)]
pub(crate) struct Audit {
    #[command(flatten)]
    on_disk: OnDisk,

    /// Print what was found as one JSON document
    #[arg(long)]
    json: bool,
}

impl Audit {
    pub(crate) fn run(self) -> ExitCode {
        crate::on_disk::run(|| self.judge())
    }

    fn judge(&self) -> Result<Exit, CliError> {
        let seen = seen(&self.on_disk.database()?)?;
        if self.json {
            print::lines(&document(&seen))?;
        } else {
            print::lines(&in_words(&Paper::new(false), &seen))?;
        }
        Ok(if seen.findings.is_empty() { Exit::Done } else { Exit::Unsound })
    }
}

fn seen(database: &Database) -> Result<Seen, CliError> {
    match database {
        Database::Sqlite(path) => Ok(consign_store_sqlite::audit(path)?),
        Database::Postgres { url, .. } => {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            Ok(runtime.block_on(consign_store_postgres::audit(url))?)
        }
    }
}

fn in_words(paper: &Paper, seen: &Seen) -> String {
    let Seen { delegations, events, checks, findings } = seen;
    let asked = format!("{delegations} delegations, {events} events, {checks} checks");
    if findings.is_empty() {
        return format!("{asked}: all is well");
    }
    let mut table = Table::new(paper, COLUMNS);
    for finding in findings {
        table.row([finding.check.to_owned(), finding.place.clone(), finding.told.clone()]);
    }
    eprintln!(
        "consign: {asked}: {} findings\n  \
         keep a copy of the ledger as it is, and tell the project what was found; \
         to go on from an earlier copy: docs/backup.md",
        findings.len()
    );
    table.print("")
}

fn document(seen: &Seen) -> String {
    let findings = seen
        .findings
        .iter()
        .map(|it| json!({"check": it.check, "where": it.place, "what": it.told}))
        .collect::<Vec<_>>();
    let Seen { delegations, events, checks, .. } = seen;
    json!({"delegations": delegations, "events": events, "checks": checks, "findings": findings})
        .to_string()
}
