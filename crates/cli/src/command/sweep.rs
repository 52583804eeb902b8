//! `consign sweep`: a pass of the sweeper now, or what it would do.

use std::process::ExitCode;

use clap::Args;
use consign_client::Swept;

use crate::asking::Asking;
use crate::exit::{Exit, OF_ASKING};
use crate::print::{Column, Paper, Table, report};

const COLUMNS: &[Column] = &[
    Column::Whole("ID"),
    Column::Whole("STATUS"),
    Column::Whole("WOULD BECOME"),
    Column::Whole("RULE"),
    Column::Cut("BECAUSE"),
];

/// The arguments of `consign sweep`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
pub(crate) struct Sweep {
    /// Say what a pass would do, row by row, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    asking: Asking,
}

impl Sweep {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let client = &visit.client;
            let swept = if self.dry_run { client.dry_run().await } else { client.sweep().await };
            visit.paper.answer(&visit.heard(swept)?, |swept| in_words(&visit.paper, swept))?;
            Ok(Exit::Done)
        })
    }
}

fn in_words(paper: &Paper, swept: &Swept) -> String {
    let Some(rows) = &swept.rows else { return report(paper, &swept.report) };
    let mut table = Table::new(paper, COLUMNS);
    for row in rows {
        let next = row.next.as_ref();
        let of_next = |get: fn(&consign_client::Next) -> String| next.map(get).unwrap_or_default();
        table.row([
            row.delegation_id.clone(),
            row.status.to_string(),
            of_next(|next| next.would_become.to_string()),
            of_next(|next| next.arm.clone()),
            of_next(|next| next.because.clone()),
        ]);
    }
    let more = if swept.truncated == Some(true) { "\n… and more" } else { "" };
    table.print("a pass would change nothing").trim_end().to_owned() + more
}
