//! The heartbeat beside the work: it says that the work lives, passes on what it says, and hears when it must end.

use std::time::Duration;

use consign_client::{Accepted, Beat, Client, Delegation, Error as ClientError, Pulse, Status};
use tokio::time::{Instant, sleep_until, timeout};

use super::journal::Journal;
use super::said::{Said, Words};

/// So often at least, so that a work is told soon that it must end.
const BEAT_EVERY_MAX: Duration = Duration::from_secs(10);
/// So often at most, however short the threshold is.
const BEAT_EVERY_MIN: Duration = Duration::from_millis(250);
/// How many heartbeats fit into the silence that makes a delegation stuck.
const BEATS_PER_THRESHOLD: u32 = 3;
/// Between two heartbeats, where the work says more than that.
const NEWS_EVERY: Duration = Duration::from_secs(1);
/// After a heartbeat that nobody heard.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The heartbeat of one work.
pub(crate) struct Beating<'a> {
    client: Client,
    work: &'a Accepted,
    said: &'a Said,
    journal: &'a Journal,
    every: Duration,
    sent_at: Instant,
    /// The last one was heard.
    heard: bool,
    status: Status,
}

impl<'a> Beating<'a> {
    /// Beats as often as `every` says, or else as the ledger expects of this delegation.
    pub(crate) fn of(
        work: &'a Accepted,
        client: &Client,
        said: &'a Said,
        journal: &'a Journal,
        every: Option<Duration>,
    ) -> Self {
        Self {
            // What is repeated is the next one, not this one.
            client: client.clone().retrying_for(Duration::ZERO),
            work,
            said,
            journal,
            every: every.unwrap_or_else(|| pace(&work.delegation)),
            sent_at: Instant::now(),
            heard: true,
            status: work.delegation.status,
        }
    }

    /// Beats until the work is told to end; why.
    pub(crate) async fn until_told(&mut self) -> String {
        loop {
            self.pause().await;
            self.sent_at = Instant::now();
            let mut words = self.said.take();
            tell_wrong(self.journal, self.work, words.wrong.take());
            if let Some(why) = self.send(words).await {
                return why;
            }
        }
    }

    async fn pause(&self) {
        let again = if self.heard { self.every } else { self.every.min(AGAIN_AFTER) };
        let news = async {
            self.said.news().await;
            sleep_until(self.sent_at + NEWS_EVERY).await;
        };
        tokio::select! { () = sleep_until(self.sent_at + again) => {}, () = news => {} }
    }

    /// One heartbeat. On a connection that leads nowhere it is given up in time for the next one.
    async fn send(&mut self, words: Words) -> Option<String> {
        let id = &self.work.delegation.delegation_id;
        let beat = Beat {
            lease: Some(self.work.lease.clone()),
            progress: words.progress.clone(),
            waiting: words.waiting.clone(),
        };
        let answer_within = self.every.clamp(AGAIN_AFTER, BEAT_EVERY_MAX);
        match timeout(answer_within, self.client.heartbeat(id, &beat)).await {
            Ok(Ok(reply)) => {
                if let Some(said) = words.told() {
                    self.journal.tell("said", self.work, said);
                }
                self.hears(reply.value)
            }
            Ok(Err(ClientError::Refused(problem))) if problem.stop => Some(problem.detail),
            Ok(Err(why @ ClientError::Refused(_))) if !why.is_passing() => {
                // To say it once more would not change it.
                self.journal.tell("not-taken", self.work, why);
                None
            }
            Ok(Err(why)) => self.misses(words, &why.to_string()),
            Err(_) => self.misses(words, &format!("no answer within {answer_within:?}")),
        }
    }

    fn hears(&mut self, pulse: Pulse) -> Option<String> {
        if !std::mem::replace(&mut self.heard, true) {
            self.journal.tell("heard-again", self.work, "the ledger answers again");
        }
        let Pulse { current_status, stop, why, .. } = pulse;
        let why = why.unwrap_or_else(|| format!("the delegation is {current_status}"));
        if current_status != self.status && !stop {
            self.journal.tell(current_status.as_str(), self.work, why.as_str());
        }
        self.status = current_status;
        stop.then_some(why)
    }

    /// The work goes on: only a ledger that answers can say that it must not.
    fn misses(&mut self, words: Words, why: &str) -> Option<String> {
        self.said.put_back(words);
        if std::mem::replace(&mut self.heard, false) {
            let told = format!("{why}; the work goes on, and so do its heartbeats");
            self.journal.tell("not-heard", self.work, told);
        }
        None
    }
}

/// Passes on what the work said last, where that was not done yet: so its caller sees how far it came. It is tried
/// once, because its answer matters more.
pub(crate) async fn pass_on_the_last(
    said: &Said,
    work: &Accepted,
    client: &Client,
    journal: &Journal,
) {
    let Words { progress, wrong, .. } = said.take();
    tell_wrong(journal, work, wrong);
    if progress.is_none() {
        return;
    }
    let last = Words { progress: progress.clone(), ..Words::default() };
    let beat = Beat { lease: Some(work.lease.clone()), progress, waiting: None };
    let client = client.clone().retrying_for(Duration::ZERO);
    let heard = client.heartbeat(&work.delegation.delegation_id, &beat);
    match timeout(AGAIN_AFTER, heard).await {
        Ok(Ok(_)) => journal.tell("said", work, last.told().unwrap_or_default()),
        Ok(Err(why @ ClientError::Refused(_))) if !why.is_passing() => {
            journal.tell("not-taken", work, why);
        }
        // Whoever does not hear this will soon be told the answer, and that is repeated.
        Ok(Err(_)) | Err(_) => {}
    }
}

fn tell_wrong(journal: &Journal, work: &Accepted, wrong: Option<String>) {
    if let Some(why) = wrong {
        let told = format!("a line that has the fields of a heartbeat, and is none: {why}");
        journal.tell("not-taken", work, told);
    }
}

/// A part of the silence after which the ledger would look, by the ledger's own clock.
fn pace(delegation: &Delegation) -> Duration {
    let part = looked_at_after(delegation).map_or(BEAT_EVERY_MAX, |it| it / BEATS_PER_THRESHOLD);
    part.clamp(BEAT_EVERY_MIN, BEAT_EVERY_MAX)
}

/// How long the ledger waits for a sign of life of what was just taken.
fn looked_at_after(delegation: &Delegation) -> Option<Duration> {
    let (due_at, heard_at) = (delegation.due_at?, delegation.last_heartbeat?);
    due_at.duration_since(heard_at).try_into().ok()
}

/// What is wrong with heartbeats that are so far apart, if anything is.
pub(crate) fn too_seldom(delegation: &Delegation, every: Duration) -> Option<String> {
    let after = looked_at_after(delegation)?;
    (every * 2 > after).then(|| {
        format!(
            "a heartbeat every {every:?} is too seldom: the ledger looks after {after:?}; give a smaller \
             --heartbeat-s, or none"
        )
    })
}
