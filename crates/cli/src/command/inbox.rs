//! `consign inbox`: an agent's messages.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use consign_client::{Inbox as Messages, Message};

use crate::asking::Asking;
use crate::exit::{Exit, OF_ASKING};
use crate::print::{Column, Paper, Table, payload};

const COLUMNS: &[Column] = &[
    Column::Whole("SEQ"),
    Column::Whole("AT"),
    Column::Whole("KIND"),
    Column::Whole("DELEGATION"),
    Column::Whole("STATUS"),
    Column::Cut("WHAT"),
];

/// The arguments of `consign inbox`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
pub(crate) struct Inbox {
    /// Whose inbox
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    agent: String,

    /// Only behind this number: the last SEQ of the page before
    #[arg(long, value_name = "SEQ")]
    after: Option<i64>,

    /// How many at most, 1 to 1000
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: u32,

    #[command(flatten)]
    asking: Asking,
}

impl Inbox {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let page = visit.client.inbox(&self.agent, self.after, Some(self.limit)).await;
            visit.paper.answer(&visit.heard(page)?, |inbox| table(&visit.paper, inbox))?;
            Ok(Exit::Done)
        })
    }
}

fn table(paper: &Paper, inbox: &Messages) -> String {
    let mut table = Table::new(paper, COLUMNS);
    for message in &inbox.messages {
        table.row([
            message.seq.to_string(),
            paper.moment(message.at),
            message.kind.clone(),
            message.delegation_id.clone(),
            message.status.to_string(),
            what(message),
        ]);
    }
    table.print("no message")
}

fn what(message: &Message) -> String {
    let detail = || message.error_detail.clone().unwrap_or_default();
    message.result.as_deref().map_or_else(detail, payload)
}
