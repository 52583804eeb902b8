//! `consign delegate`: entrusts a task to an agent, and waits for the verdict where that is asked for.

use std::process::ExitCode;

use clap::{ArgGroup, Args};
use consign_client::{Delegated, NewDelegation};

use crate::asking::{Asking, Visit};
use crate::error::CliError;
use crate::exit::{Exit, OF_WAITING};
use crate::follow::{News, Patience, verdict};
use crate::given::{json, text_or_json};
use crate::print::{self, Paper, escaped, one_line};

/// The arguments of `consign delegate`.
#[derive(Args)]
#[command(
    after_help = OF_WAITING,
    group = ArgGroup::new("what_is_asked").args(["task", "task_json"]).required(true),
    group = ArgGroup::new("until_when").args(["deadline", "deadline_s"]),
)]
pub(crate) struct Delegate {
    /// Who asks
    #[arg(long, value_name = "AGENT")]
    caller: String,

    /// Who is asked
    #[arg(long, value_name = "AGENT")]
    callee: String,

    /// What is asked: text, @FILE, or - for standard input
    #[arg(long, value_name = "TEXT")]
    task: Option<String>,

    /// The same, as JSON
    #[arg(long, value_name = "JSON")]
    task_json: Option<String>,

    /// The id; absent, one is made
    #[arg(long, value_name = "ID")]
    id: Option<String>,

    /// Your name for the piece of work: one delegation per caller and key while it is in flight or completed
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,

    #[command(flatten)]
    terms: Terms,

    /// Wait for the verdict, and end with its exit code; says so where it is stuck
    #[arg(long, help_heading = "Waiting")]
    wait: bool,

    #[command(flatten)]
    patience: Patience,

    #[command(flatten)]
    asking: Asking,
}

/// How the work is looked after.
#[derive(Args)]
#[command(next_help_heading = "Terms")]
struct Terms {
    /// The hard end, as in RFC 3339
    #[arg(long, value_name = "TIME")]
    deadline: Option<String>,

    /// The same, from now; absent: six hours
    #[arg(long, value_name = "SECONDS")]
    deadline_s: Option<u32>,

    /// How long it may be silent before it is stuck; absent: the server's default
    #[arg(long, value_name = "SECONDS")]
    stuck_threshold_s: Option<u32>,

    /// How long it may stay stuck before it is handed out again or failed
    #[arg(long, value_name = "SECONDS")]
    stuck_grace_s: Option<u32>,

    /// By when somebody must have begun
    #[arg(long, value_name = "SECONDS")]
    start_within_s: Option<u32>,

    /// What follows when nobody has
    #[arg(long, value_name = "WHAT", requires = "start_within_s", value_parser = ["stuck", "fail"])]
    on_not_started: Option<String>,

    /// How long it may beat without progress before it is stuck
    #[arg(long, value_name = "SECONDS")]
    progress_within_s: Option<u32>,

    /// How often the work may be handed out by itself; absent: once
    #[arg(long, value_name = "COUNT")]
    max_attempts: Option<u32>,

    /// Higher goes first
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    priority: Option<i32>,

    /// Which warnings reach the caller's inbox beside the verdict
    #[arg(long, value_name = "WARNING", value_delimiter = ',', value_parser = ["stuck", "recovered"])]
    notify: Vec<String>,

    /// The delegation that this is part of; the caller must be its callee
    #[arg(long, value_name = "ID")]
    parent: Option<String>,

    /// Its children end with it, however it ends
    #[arg(long)]
    cancel_children: bool,

    /// You hand the work out yourself, and nobody may claim it
    #[arg(long)]
    dispatched: bool,

    /// Your own notes, as JSON, @FILE, or -
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
}

impl Delegate {
    pub(crate) fn run(&self) -> ExitCode {
        self.asking.run(async |visit| {
            self.patience.check(self.wait)?;
            let reply = visit.heard(visit.client.delegate(self.asked()?).await)?;
            if !self.wait {
                visit.paper.answer(&reply, |it| in_words(&visit.paper, it))?;
                return Ok(Exit::Done);
            }
            self.wait_for(visit, &reply.value).await
        })
    }

    async fn wait_for(&self, visit: &Visit, made: &Delegated) -> Result<Exit, CliError> {
        if !visit.paper.json {
            print::lines(&in_words(&visit.paper, made))?;
        }
        let id = &made.delegation.delegation_id;
        let (reply, exit) = verdict(visit, id, &self.patience, &mut News::Warnings).await?;
        visit.paper.answer(&reply, |it| one_line(&it.delegation))?;
        Ok(exit)
    }

    fn asked(&self) -> Result<NewDelegation, CliError> {
        let (as_text, as_json) = (self.task.as_deref(), self.task_json.as_deref());
        let asked = NewDelegation {
            delegation_id: self.id.clone(),
            caller_id: Some(self.caller.clone()),
            callee_id: Some(self.callee.clone()),
            task: text_or_json(["--task", "--task-json"], as_text, as_json)?,
            idempotency_key: self.idempotency_key.clone(),
            ..NewDelegation::default()
        };
        self.terms.add_to(asked)
    }
}

impl Terms {
    fn add_to(&self, asked: NewDelegation) -> Result<NewDelegation, CliError> {
        let metadata = self.metadata.as_deref().map(|given| json("--metadata", given));
        Ok(NewDelegation {
            deadline: self.deadline.clone(),
            deadline_s: self.deadline_s,
            stuck_threshold_s: self.stuck_threshold_s,
            stuck_grace_s: self.stuck_grace_s,
            start_within_s: self.start_within_s,
            on_not_started: self.on_not_started.clone(),
            progress_within_s: self.progress_within_s,
            max_attempts: self.max_attempts,
            priority: self.priority,
            notify: (!self.notify.is_empty()).then(|| self.notify.clone()),
            parent_id: self.parent.clone(),
            cancel_children: self.cancel_children.then_some(true),
            dispatched: self.dispatched.then_some(true),
            metadata: metadata.transpose()?,
            ..asked
        })
    }
}

fn in_words(paper: &Paper, made: &Delegated) -> String {
    let it = &made.delegation;
    let replayed = if made.replayed { " (it was there already)" } else { "" };
    let (callee, deadline) = (escaped(&it.callee_id), paper.moment_whole(it.deadline));
    format!("{}, for {callee}, deadline {deadline}{replayed}", one_line(it))
}
