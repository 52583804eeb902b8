//! `consign ls`: delegations, newest first, page by page.

use std::process::ExitCode;

use clap::Args;
use consign_client::Filter;

use crate::asking::Asking;
use crate::exit::OF_ASKING;
use crate::pages::{Paging, print_pages, statuses};

/// The arguments of `consign ls`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
pub(crate) struct Ls {
    /// Only this status
    #[arg(long, value_parser = statuses())]
    status: Option<String>,

    /// Only what this agent asked for
    #[arg(long, value_name = "AGENT")]
    caller: Option<String>,

    /// Only what this agent is asked for
    #[arg(long, value_name = "AGENT")]
    callee: Option<String>,

    /// Only what was created under this delegation
    #[arg(long, value_name = "ID")]
    parent: Option<String>,

    /// Only what was created at or after this time, as in RFC 3339
    #[arg(long, value_name = "TIME")]
    created_after: Option<String>,

    /// Only what was created before this time
    #[arg(long, value_name = "TIME")]
    created_before: Option<String>,

    /// Only what has an id that begins so
    #[arg(long, value_name = "TEXT")]
    id_prefix: Option<String>,

    #[command(flatten)]
    paging: Paging,

    #[command(flatten)]
    asking: Asking,
}

impl Ls {
    pub(crate) fn run(self) -> ExitCode {
        let filter = Filter {
            status: self.status,
            caller: self.caller,
            callee: self.callee,
            parent: self.parent,
            created_after: self.created_after,
            created_before: self.created_before,
            id_prefix: self.id_prefix,
        };
        self.asking.run(async |visit| {
            let page = async |cursor: Option<String>, limit| {
                visit.client.list(&filter, cursor.as_deref(), Some(limit)).await
            };
            print_pages(visit, &self.paging, page).await
        })
    }
}
