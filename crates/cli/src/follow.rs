//! Following one delegation until its verdict, through restarts of the server, and telling what happens meanwhile.

use std::time::Duration;

use clap::{Args, ValueEnum};
use consign_client::{Delegation, Error as ClientError, Reply, Shown, Status, Until as Awaited};
use tokio::time::{Instant, sleep};

use crate::asking::Visit;
use crate::error::CliError;
use crate::exit::Exit;
use crate::print::{self, event_line, one_line};

/// Between two looks at the events; a verdict is heard at once.
const LOOK_EVERY_S: u32 = 1;
/// How long one request waits where nobody wants to see the events.
const WAIT_S: u32 = 30;
/// How long a server may be away before whoever follows gives up.
const AWAY_MAX: Duration = Duration::from_mins(1);
/// Between two tries to reach a server that is away, beside the client's own.
const AWAY_PAUSE: Duration = Duration::from_secs(1);

/// What is waited for, and how long.
#[derive(Args)]
#[command(next_help_heading = "Waiting")]
pub(crate) struct Patience {
    /// What ends the wait: the verdict, or being stuck, too
    #[arg(long, value_enum, default_value_t = Until::Terminal)]
    until: Until,

    /// How long to wait at most; absent: as long as it takes
    #[arg(long, value_name = "SECONDS")]
    timeout_s: Option<u64>,
}

/// What ends a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Until {
    Terminal,
    Stuck,
}

/// What is told before the end.
pub(crate) enum News {
    /// Each event, behind this one.
    Events(Option<i64>),
    /// That it is stuck, on standard error.
    Warnings,
}

/// Waits; the delegation at the end, and what that means to a script.
pub(crate) async fn verdict(
    visit: &Visit,
    id: &str,
    patience: &Patience,
    news: &mut News,
) -> Result<(Reply<Shown>, Exit), CliError> {
    let give_up_at = patience.timeout_s.map(|it| Instant::now() + Duration::from_secs(it));
    let mut last = None;
    loop {
        news.tell_events(visit, id).await?;
        let wait_s = news.wait_s(give_up_at);
        let until = awaited(patience.until, last);
        let ask = async || visit.client.wait(id, until, wait_s).await;
        let reply = patiently(visit, give_up_at, ask).await?;
        let status = reply.value.delegation.status;
        if patience.is_over(status) || give_up_at.is_some_and(|at| at <= Instant::now()) {
            news.tell_events(visit, id).await?;
            let waited_for = patience.is_over(status);
            return Ok((reply, if waited_for { Exit::of(status) } else { Exit::NoVerdict }));
        }
        news.warn(last, &reply.value.delegation);
        last = Some(status);
    }
}

/// Whoever knows already that it is stuck would be answered at once, over and over.
fn awaited(until: Until, last: Option<Status>) -> Awaited {
    match (until, last) {
        (Until::Terminal, Some(Status::Stuck)) => Awaited::Terminal,
        _ => Awaited::Stuck,
    }
}

impl Patience {
    /// Where nothing is waited for, how long would be passed over without a word.
    pub(crate) fn check(&self, waits: bool) -> Result<(), CliError> {
        if !waits && (self.timeout_s.is_some() || self.until == Until::Stuck) {
            return Err(CliError::Usage("--until and --timeout-s go with --wait".to_owned()));
        }
        Ok(())
    }

    fn is_over(&self, status: Status) -> bool {
        !status.in_flight() || (status == Status::Stuck && self.until == Until::Stuck)
    }
}

impl News {
    /// Every event from the beginning.
    pub(crate) const fn events() -> Self {
        Self::Events(None)
    }

    async fn tell_events(&mut self, visit: &Visit, id: &str) -> Result<(), CliError> {
        let Self::Events(after) = self else { return Ok(()) };
        loop {
            let seen = *after;
            let page =
                patiently(visit, None, async || visit.client.events(id, seen, None).await).await?;
            for event in page.value.events() {
                let (event, text) = visit.heard(event.map_err(ClientError::NotUnderstood))?;
                let line = if visit.paper.json { text.to_owned() } else { event_line(&event) };
                print::lines(&line)?;
                *after = Some(event.seq);
            }
            if page.value.next_cursor.is_none() {
                return Ok(());
            }
        }
    }

    fn wait_s(&self, give_up_at: Option<Instant>) -> u32 {
        let most = match self {
            Self::Events(_) => LOOK_EVERY_S,
            Self::Warnings => WAIT_S,
        };
        let left = give_up_at.map(|at| at.saturating_duration_since(Instant::now()));
        // Rounded up, so that the last wait reaches the end.
        let left_s = left.map_or(most.into(), |left| left.as_millis().div_ceil(1000));
        u32::try_from(left_s).map_or(most, |left_s| left_s.min(most))
    }

    fn warn(&self, last: Option<Status>, now: &Delegation) {
        let is_new = now.status == Status::Stuck && last != Some(Status::Stuck);
        if matches!(self, Self::Warnings) && is_new {
            eprintln!("consign: {}; still waiting", one_line(now));
        }
    }
}

/// Asks until there is an answer: a server that restarts is waited for, one that stays away is not.
pub(crate) async fn patiently<T>(
    visit: &Visit,
    give_up_at: Option<Instant>,
    ask: impl AsyncFn() -> Result<T, ClientError>,
) -> Result<T, CliError> {
    let until = Instant::now() + AWAY_MAX;
    let until = give_up_at.map_or(until, |at| at.min(until));
    let mut told = false;
    loop {
        match ask().await {
            Err(error) if error.is_passing() && Instant::now() < until => {
                if !told {
                    eprintln!("consign: the server does not answer; trying again for a minute");
                    told = true;
                }
                sleep(AWAY_PAUSE).await;
            }
            answer => return visit.heard(answer),
        }
    }
}
