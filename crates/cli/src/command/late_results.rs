//! `consign late-results`: the answers that came too late.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use consign_client::{LateResult, LateResults as Answers};

use crate::asking::Asking;
use crate::exit::{Exit, OF_ASKING};
use crate::print::{Column, Paper, Table, actor, payload};

const COLUMNS: &[Column] = &[
    Column::Whole("AT"),
    Column::Whole("ATTEMPT"),
    Column::Whole("STATUS"),
    Column::Cut("BY"),
    Column::Whole("REFUSED"),
    Column::Cut("ANSWER"),
];

/// The arguments of `consign late-results`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
pub(crate) struct LateResults {
    /// Of which delegation
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: String,
    #[command(flatten)]
    asking: Asking,
}

impl LateResults {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let reply = visit.heard(visit.client.late_results(&self.id).await)?;
            visit.paper.answer(&reply, |it| table(&visit.paper, it))?;
            Ok(Exit::Done)
        })
    }
}

fn table(paper: &Paper, answers: &Answers) -> String {
    let mut table = Table::new(paper, COLUMNS);
    for late in &answers.late_results {
        table.row([
            paper.moment(late.at),
            late.attempt.to_string(),
            late.status.to_string(),
            actor(&late.actor),
            late.why.clone(),
            what(late),
        ]);
    }
    table.print("no answer came too late")
}

fn what(late: &LateResult) -> String {
    let detail = || late.error_detail.clone().unwrap_or_default();
    late.result.as_deref().map_or_else(detail, payload)
}
