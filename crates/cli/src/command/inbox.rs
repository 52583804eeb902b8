//! `consign inbox`: an agent's messages, now or as they come, and how far it has dealt with them.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use consign_client::{Error as ClientError, Inbox as Messages, Message, Reply};

use crate::asking::{Asking, Visit};
use crate::error::CliError;
use crate::exit::{Exit, OF_ASKING};
use crate::follow::patiently;
use crate::print::{Column, Paper, Table, escaped, payload};

/// How long one request waits where every message is to be followed.
const WAIT_S: u32 = 30;

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

    /// Only behind this number; absent: behind what the agent has acknowledged
    #[arg(long, value_name = "SEQ")]
    after: Option<i64>,

    /// How many at most, 1 to 1000
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: u32,

    /// Where there is no message, wait for one so long, up to 60
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait_s: u32,

    /// Go on with every message that comes, through a restart of the server of up to a minute
    #[arg(long, conflicts_with = "wait_s")]
    follow: bool,

    /// Acknowledge what was printed, once it is printed, and so all before it: not with --after
    #[arg(long, conflicts_with = "after")]
    ack: bool,

    /// Print nothing: acknowledge all messages up to this number
    #[arg(long, value_name = "SEQ", conflicts_with_all = ["after", "wait_s", "follow", "ack"])]
    ack_through: Option<i64>,

    #[command(flatten)]
    asking: Asking,
}

impl Inbox {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| match self.ack_through {
            Some(through) => self.acknowledge(visit, through).await,
            None if self.follow => self.follow(visit).await,
            None => {
                let page = self.page(visit, self.after, self.wait_s).await;
                self.print(visit, &visit.heard(page)?).await?;
                Ok(Exit::Done)
            }
        })
    }

    async fn page(
        &self,
        visit: &Visit,
        after: Option<i64>,
        wait_s: u32,
    ) -> Result<Reply<Messages>, ClientError> {
        visit.client.wait_for_messages(&self.agent, after, Some(self.limit), wait_s).await
    }

    /// Prints a page, and only then acknowledges it: who is stopped in between sees it again.
    async fn print(&self, visit: &Visit, page: &Reply<Messages>) -> Result<(), CliError> {
        visit.paper.answer(page, |inbox| table(&visit.paper, inbox))?;
        if let Some(last) = page.value.messages.last().filter(|_| self.ack) {
            visit.heard(visit.client.acknowledge(&self.agent, last.seq).await)?;
        }
        Ok(())
    }

    async fn follow(&self, visit: &Visit) -> Result<Exit, CliError> {
        let mut after = self.after;
        loop {
            let page =
                patiently(visit, None, async || self.page(visit, after, WAIT_S).await).await?;
            if !page.value.messages.is_empty() {
                self.print(visit, &page).await?;
            }
            after = Some(page.value.next_after);
        }
    }

    async fn acknowledge(&self, visit: &Visit, through: i64) -> Result<Exit, CliError> {
        let reply = visit.heard(visit.client.acknowledge(&self.agent, through).await)?;
        visit.paper.answer(&reply, |it| {
            format!("{} has acknowledged up to {}", escaped(&self.agent), it.acked_through)
        })?;
        Ok(Exit::Done)
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
