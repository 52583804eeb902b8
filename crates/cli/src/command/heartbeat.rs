//! `consign heartbeat`: the callee says that it is alive, and is told whether to go on.

use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args};
use consign_client::{Beat, Pulse, Wait, WaitChange};

use crate::asking::Asking;
use crate::error::CliError;
use crate::exit::{Exit, OF_BEATING};
use crate::given::text_or_json;
use crate::print::{Paper, escaped};

/// The arguments of `consign heartbeat`.
#[derive(Args)]
#[command(
    after_help = OF_BEATING,
    group = ArgGroup::new("what_advanced").args(["progress", "progress_json"]),
)]
pub(crate) struct Heartbeat {
    /// On which delegation
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: String,

    /// The lease, where one was issued
    #[arg(long, env = "CONSIGN_LEASE", hide_env_values = true)]
    lease: Option<String>,

    /// What advanced: text, @FILE, or - for standard input
    #[arg(long, value_name = "TEXT")]
    progress: Option<String>,

    /// The same, as JSON
    #[arg(long, value_name = "JSON")]
    progress_json: Option<String>,

    /// What you wait for from now on
    #[arg(long, value_name = "WHAT", value_parser = ["human", "auth", "child", "rate_limit", "other"])]
    waiting_for: Option<String>,

    /// What you wait for, in a sentence
    #[arg(long, value_name = "TEXT", requires = "waiting_for")]
    waiting_note: Option<String>,

    /// The delegation that you wait for, with --waiting-for child
    #[arg(long, value_name = "ID", requires = "waiting_for")]
    waiting_child_id: Option<String>,

    /// How long you wait at most
    #[arg(long, value_name = "SECONDS", requires = "waiting_for")]
    waiting_for_s: Option<u32>,

    /// You wait no more
    #[arg(long, conflicts_with = "waiting_for")]
    not_waiting: bool,

    #[command(flatten)]
    asking: Asking,
}

impl Heartbeat {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let beat = self.beat()?;
            match visit.heard(visit.client.heartbeat(&self.id, &beat).await) {
                Ok(reply) => {
                    visit.paper.answer(&reply, |pulse| in_words(&visit.paper, &self.id, pulse))?;
                    Ok(if reply.value.stop { Exit::Stop } else { Exit::Done })
                }
                Err(error) if error.problem().is_some_and(|problem| problem.stop) => {
                    Err(CliError::Stop(Box::new(error)))
                }
                Err(error) => Err(error),
            }
        })
    }

    fn beat(&self) -> Result<Beat, CliError> {
        let (as_text, as_json) = (self.progress.as_deref(), self.progress_json.as_deref());
        Ok(Beat {
            lease: self.lease.clone().filter(|lease| !lease.is_empty()),
            progress: text_or_json(["--progress", "--progress-json"], as_text, as_json)?,
            waiting: self.waiting(),
        })
    }

    /// Nothing said leaves the wait as it is.
    fn waiting(&self) -> Option<WaitChange> {
        if self.not_waiting {
            return Some(WaitChange::End);
        }
        self.waiting_for.clone().map(|what| {
            WaitChange::For(Wait {
                r#for: Some(what),
                note: self.waiting_note.clone(),
                child_id: self.waiting_child_id.clone(),
                for_s: self.waiting_for_s,
            })
        })
    }
}

fn in_words(paper: &Paper, id: &str, pulse: &Pulse) -> String {
    let Pulse { current_status, attempt, deadline, why, .. } = pulse;
    let why = why.as_ref().map(|why| format!("\n  {}", escaped(why))).unwrap_or_default();
    let deadline = paper.moment_whole(*deadline);
    format!("{} is {current_status}, attempt {attempt}, deadline {deadline}{why}", escaped(id))
}
