//! `consign events`: what happened to a delegation.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use consign_client::{Error as ClientError, EventPage};

use crate::asking::Asking;
use crate::error::CliError;
use crate::exit::{Exit, OF_ASKING};
use crate::print::{Paper, events};

/// The arguments of `consign events`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
pub(crate) struct Events {
    /// Of which delegation
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: String,

    /// Only behind this event, by its number: the `next_cursor` of the page before
    #[arg(long, value_name = "SEQ")]
    after: Option<i64>,

    /// How many at most, 1 to 1000
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    limit: u32,

    #[command(flatten)]
    asking: Asking,
}

impl Events {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let page = visit.client.events(&self.id, self.after, Some(self.limit)).await;
            let page = visit.heard(page)?;
            let in_words = visit.heard(table(&visit.paper, &page.value))?;
            visit.paper.answer(&page, |_| in_words)?;
            Ok::<_, CliError>(Exit::Done)
        })
    }
}

fn table(paper: &Paper, page: &EventPage) -> Result<String, ClientError> {
    let read: Result<Vec<_>, _> = page.events().map(|it| it.map(|(event, _)| event)).collect();
    let more = page.next_cursor.map(|after| format!("\n… more behind: --after {after}"));
    let shown = events(paper, &read.map_err(ClientError::NotUnderstood)?);
    Ok(shown.trim_end().to_owned() + &more.unwrap_or_default())
}
