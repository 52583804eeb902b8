//! `consign stats`: how many delegations have each status.

use std::process::ExitCode;

use clap::Args;
use consign_client::{Stats as Counts, Status};

use crate::asking::Asking;
use crate::exit::{Exit, OF_ASKING};
use crate::print::{Column, Paper, Table};

const COLUMNS: &[Column] = &[Column::Whole("STATUS"), Column::Whole("COUNT")];

/// The arguments of `consign stats`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
pub(crate) struct Stats {
    #[command(flatten)]
    asking: Asking,
}

impl Stats {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let reply = visit.heard(visit.client.stats().await)?;
            visit.paper.answer(&reply, |counts| table(&visit.paper, counts))?;
            Ok(Exit::Done)
        })
    }
}

fn table(paper: &Paper, counts: &Counts) -> String {
    let mut table = Table::new(paper, COLUMNS);
    for status in Status::ALL {
        table.row([status.to_string(), counts.of(status).to_string()]);
    }
    table.print("")
}
