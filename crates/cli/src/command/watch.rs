//! `consign watch`: follows one delegation live, a line for each event, until its verdict.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::asking::Asking;
use crate::exit::OF_WAITING;
use crate::follow::{News, Patience, verdict};
use crate::print::{escaped_lines, one_line, payload};

/// The arguments of `consign watch`.
#[derive(Args)]
#[command(after_help = OF_WAITING)]
pub(crate) struct Watch {
    /// Which delegation
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: String,

    #[command(flatten)]
    patience: Patience,

    #[command(flatten)]
    asking: Asking,
}

impl Watch {
    /// With `--json`, a line for each event as the API has it, and at the end one with the delegation.
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let mut news = News::events();
            let (reply, exit) = verdict(visit, &self.id, &self.patience, &mut news).await?;
            visit.paper.answer(&reply, |it| {
                let result = it.delegation.result.as_deref().map(payload);
                let result = result.map(|it| format!("\n{}", escaped_lines(&it)));
                one_line(&it.delegation) + &result.unwrap_or_default()
            })?;
            Ok(exit)
        })
    }
}
