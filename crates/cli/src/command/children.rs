//! `consign children`: the delegations created under one.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::asking::Asking;
use crate::exit::OF_ASKING;
use crate::pages::{Paging, print_pages, statuses};

/// The arguments of `consign children`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
pub(crate) struct Children {
    /// Under which delegation
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: String,

    /// Only this status
    #[arg(long, value_parser = statuses())]
    status: Option<String>,

    #[command(flatten)]
    paging: Paging,

    #[command(flatten)]
    asking: Asking,
}

impl Children {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let page = async |cursor: Option<String>, limit| {
                let (status, cursor) = (self.status.as_deref(), cursor.as_deref());
                visit.client.children(&self.id, status, cursor, Some(limit)).await
            };
            print_pages(visit, &self.paging, page).await
        })
    }
}
