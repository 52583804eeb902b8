//! `consign agents`: who is known, how each does, and what is set for them.

use std::process::ExitCode;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Args, Subcommand};
use consign_client::{Agent, Agents as Page, LatestWork, SetAgent};

use crate::asking::Asking;
use crate::exit::{Exit, OF_ASKING};
use crate::print::{Column, Paper, Sheet, Table, escaped};

const COLUMNS: &[Column] = &[
    Column::Whole("AGENT"),
    Column::Whole("QUEUED"),
    Column::Whole("IN FLIGHT"),
    Column::Whole("STUCK"),
    Column::Whole("UNREAD"),
    Column::Whole("OLDEST UNREAD"),
    Column::Whole("LAST HEARD"),
];

/// The arguments of `consign agents`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Agents {
    #[command(subcommand)]
    one: Option<One>,

    /// Only behind this id, by its bytes: the last AGENT of the page before
    #[arg(long, value_name = "AGENT")]
    after: Option<String>,

    /// How many at most, 1 to 100
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: u32,

    #[command(flatten)]
    asking: Asking,
}

/// What is done with one agent.
#[derive(Subcommand)]
enum One {
    /// Show one agent: what is set for it, and how it does
    Show(Show),
    /// Write an agent's record, whole: what is not given is not set
    Set(Set),
    /// Forget an agent's record; its work and its messages stay
    Remove(Remove),
}

/// The arguments of `consign agents show`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
struct Show {
    /// Which agent
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    agent: String,

    #[command(flatten)]
    asking: Asking,
}

/// The arguments of `consign agents set`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
struct Set {
    /// Which agent
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    agent: String,

    /// As callee: how long a silence may last where a delegation does not say
    #[arg(long, value_name = "SECONDS")]
    stuck_threshold_s: Option<u32>,

    /// As caller: which warnings reach its inbox where a delegation does not say; may be given twice
    #[arg(long, value_parser = PossibleValuesParser::new(["stuck", "recovered"]))]
    notify: Vec<String>,

    /// As callee: how much it may work on at once, 0 to 10000
    #[arg(long, value_name = "COUNT")]
    max_in_flight: Option<u32>,

    /// As callee: how much may wait for it, 0 to 10000
    #[arg(long, value_name = "COUNT")]
    max_queued: Option<u32>,

    #[command(flatten)]
    asking: Asking,
}

/// The arguments of `consign agents remove`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
struct Remove {
    /// Which agent
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    agent: String,

    #[command(flatten)]
    asking: Asking,
}

impl Agents {
    pub(crate) fn run(self) -> ExitCode {
        match self.one {
            Some(One::Show(it)) => it.run(),
            Some(One::Set(it)) => it.run(),
            Some(One::Remove(it)) => it.run(),
            None => self.asking.run(async |visit| {
                let page = visit.client.agents(self.after.as_deref(), Some(self.limit)).await;
                let page = visit.heard(page)?;
                visit.paper.answer(&page, |page| table(&visit.paper, page))?;
                if let Some(next) = &page.value.next_after
                    && visit.paper.terminal
                    && !visit.paper.json
                {
                    eprintln!("… and more: --after {}", escaped(next));
                }
                Ok(Exit::Done)
            }),
        }
    }
}

impl Show {
    fn run(&self) -> ExitCode {
        self.asking.run(async |visit| {
            let shown = visit.heard(visit.client.agent(&self.agent).await)?;
            visit
                .paper
                .answer(&shown, |it| latest(record(&visit.paper, &it.agent), &it.latest).print())?;
            Ok(Exit::Done)
        })
    }
}

impl Set {
    fn run(&self) -> ExitCode {
        self.asking.run(async |visit| {
            let record = SetAgent {
                stuck_threshold_s: self.stuck_threshold_s,
                notify: (!self.notify.is_empty()).then(|| self.notify.clone()),
                max_in_flight: self.max_in_flight,
                max_queued: self.max_queued,
            };
            let set = visit.heard(visit.client.set_agent(&self.agent, &record).await)?;
            visit.paper.answer(&set, |it| {
                let already = if it.changed { "" } else { " (it was so already)" };
                format!("{} is set: {}{already}", escaped(&it.agent.agent_id), settings(&it.agent))
            })?;
            Ok(Exit::Done)
        })
    }
}

impl Remove {
    fn run(&self) -> ExitCode {
        self.asking.run(async |visit| {
            let removed = visit.heard(visit.client.remove_agent(&self.agent).await)?;
            visit.paper.answer(&removed, |it| {
                let already = if it.changed { "" } else { " (it had none)" };
                format!("{} has no record{already}", escaped(&self.agent))
            })?;
            Ok(Exit::Done)
        })
    }
}

fn table(paper: &Paper, page: &Page) -> String {
    let mut table = Table::new(paper, COLUMNS);
    let moment = |at: Option<_>| at.map_or_else(|| "-".to_owned(), |at| paper.moment(at));
    for agent in &page.agents {
        table.row([
            agent.agent_id.clone(),
            agent.queued.to_string(),
            agent.in_flight.to_string(),
            agent.stuck.to_string(),
            agent.unread.to_string(),
            moment(agent.oldest_unread_at),
            moment(agent.last_heard),
        ]);
    }
    table.print("nobody is known behind that")
}

/// What is set, in a few words.
fn settings(agent: &Agent) -> String {
    let number = |name, value: Option<u32>| value.map(|value| format!("{name} {value}"));
    let notify = (!agent.notify.is_empty()).then(|| format!("notify {}", agent.notify.join(" ")));
    let set: Vec<String> = [
        number("stuck_threshold_s", agent.stuck_threshold_s),
        notify,
        number("max_in_flight", agent.max_in_flight),
        number("max_queued", agent.max_queued),
    ]
    .into_iter()
    .flatten()
    .collect();
    if set.is_empty() { "nothing but its name".to_owned() } else { set.join(", ") }
}

fn record(paper: &Paper, agent: &Agent) -> Sheet {
    Sheet::new(paper)
        .line("agent", &agent.agent_id)
        .line("set", &if agent.registered { settings(agent) } else { "nothing".to_owned() })
        .maybe("registered", agent.created_at.map(|at| paper.moment_whole(at)))
        .line("queued", &agent.queued.to_string())
        .line("in flight", &agent.in_flight.to_string())
        .line("stuck", &agent.stuck.to_string())
        .line("unread", &agent.unread.to_string())
        .maybe("oldest unread", agent.oldest_unread_at.map(|at| paper.moment_whole(at)))
        .line("acknowledged", &agent.acked_through.to_string())
        .maybe("last heard", agent.last_heard.map(|at| paper.moment_whole(at)))
}

fn latest(sheet: Sheet, latest: &LatestWork) -> Sheet {
    let times = latest.p50_ms.zip(latest.p95_ms).zip(latest.p99_ms);
    sheet
        .line("completed", &latest.completed.to_string())
        .line("failed", &latest.failed.to_string())
        .line("cancelled", &latest.cancelled.to_string())
        .maybe("failure rate", latest.failure_rate.map(|rate| format!("{:.1} %", rate * 100.0)))
        .maybe(
            "p50, p95, p99",
            times.map(|((p50, p95), p99)| format!("{p50} ms, {p95} ms, {p99} ms")),
        )
}
