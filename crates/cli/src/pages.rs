//! Lists that come in pages: as many as were asked for, or all.

use clap::Args;
use clap::builder::PossibleValuesParser;
use consign_client::{Error as ClientError, Page, Reply, Status};

use crate::asking::Visit;
use crate::error::CliError;
use crate::exit::Exit;
use crate::print::list;

/// The largest page that a server gives.
const PAGE_ITEMS_MAX: u32 = 1000;

/// How much of a list.
#[derive(Args)]
pub(crate) struct Paging {
    /// How many at most, 1 to 1000
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: u32,

    /// Behind a page: its `next_cursor`
    #[arg(long)]
    cursor: Option<String>,

    /// All of them, however many; with --json one document per page and line
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

/// What a list may be narrowed to: a status, or whatever is in flight.
pub(crate) fn statuses() -> PossibleValuesParser {
    let statuses = Status::ALL.iter().map(|status| status.as_str());
    PossibleValuesParser::new(statuses.chain(["in_flight"]))
}

/// Prints one page, or every page as it comes.
pub(crate) async fn print_pages(
    visit: &Visit,
    paging: &Paging,
    ask: impl AsyncFn(Option<String>, u32) -> Result<Reply<Page>, ClientError>,
) -> Result<Exit, CliError> {
    let limit = if paging.all { PAGE_ITEMS_MAX } else { paging.limit };
    let mut cursor = paging.cursor.clone();
    loop {
        let page = visit.heard(ask(cursor, limit).await)?;
        visit.paper.answer(&page, |page| list(&visit.paper, &page.delegations))?;
        cursor = page.value.next_cursor;
        match (&cursor, paging.all) {
            (None, _) => return Ok(Exit::Done),
            (Some(_), true) => {}
            (Some(next), false) => {
                if visit.paper.terminal && !visit.paper.json {
                    eprintln!("… and more: --all, or --cursor {next}");
                }
                return Ok(Exit::Done);
            }
        }
    }
}
