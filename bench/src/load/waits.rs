//! Waits: callers wait for verdicts, callees complete, and what passes in between is measured.

use std::net::SocketAddr;

use futures_util::future::try_join_all;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::request::{complete, delegate, delegation, get};
use super::{At, Connection, Waits, connect};
use crate::Outcome;
use crate::spread::percentile;
use crate::stopwatch::{Stopwatch, wall_ms};

/// How long a request waits: the longest that there is.
const WAIT_S: u32 = 60;
/// By when all must be seen to wait, in seconds.
const SEATED_S_MAX: f64 = 20.0;

/// How long it took until those who waited were told, in milliseconds.
#[derive(Serialize, Deserialize)]
pub(crate) struct Told {
    /// From the moment when the callee began to send its answer.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// From the moment when the callee knew that its answer was the verdict.
    pub(crate) after_p99: f64,
}

/// Verdicts are asked for at the first server, and fall at the last.
pub(super) async fn run(addresses: &[SocketAddr], waits: Waits) -> Outcome<Told> {
    allow_connections()?;
    let (Some(near), Some(far)) = (addresses.first(), addresses.last()) else {
        return Err("there is no server".into());
    };
    let mut desk = Connection::open(*near).await?;
    let run = wall_ms();
    let _idle = sit_idle(&mut desk, waits.idle, run).await?;
    let mut slots = slots(*near, *far, waits, run).await?;
    seat(&mut desk, &mut slots).await?;
    let mut heard: Vec<Heard> = vec![];
    while heard.len() < waits.samples {
        for volley in slots.chunks_mut(waits.at_once) {
            all_wait(&mut desk, waits.waiters + waits.idle).await?;
            heard.extend(try_join_all(volley.iter_mut().map(Slot::hear)).await?);
            seat(&mut desk, volley).await?;
        }
    }
    let (told, after) =
        heard.into_iter().map(|it| (it.told_ms, it.told_ms - it.answered_ms)).unzip();
    let told: Vec<f64> = told;
    Ok(Told {
        p50: percentile(told.clone(), 50),
        p99: percentile(told, 99),
        after_p99: percentile(after, 99),
    })
}

/// As many as this process may have at all.
fn allow_connections() -> Outcome<()> {
    let limits = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limits.maximum, ..limits })?)
}

/// A caller that waits, and the callee whose verdict it waits for.
struct Slot {
    waiter: Connection,
    callee: Connection,
    at: At,
    name: String,
    /// What it waits for now.
    id: String,
    /// How often it waited.
    turns: usize,
    /// What of its inbox it has read.
    after: u64,
}

/// When things happened, in milliseconds from when the callee began to send.
struct Heard {
    answered_ms: f64,
    told_ms: f64,
}

async fn slots(near: SocketAddr, far: SocketAddr, waits: Waits, run: i64) -> Outcome<Vec<Slot>> {
    let mut slots = vec![];
    for nth in 0..waits.waiters {
        let (waiter, callee) = (Connection::open(near).await?, Connection::open(far).await?);
        let name = format!("{run}-{nth}");
        slots.push(Slot {
            waiter,
            callee,
            at: waits.at,
            name,
            id: String::new(),
            turns: 0,
            after: 0,
        });
    }
    Ok(slots)
}

/// Gives each of them something to wait for.
async fn seat(desk: &mut Connection, slots: &mut [Slot]) -> Outcome<()> {
    slots.iter_mut().for_each(Slot::next);
    let new = slots.iter().map(|slot| delegation(Some(&slot.id), &slot.caller(), "callee"));
    let request = delegate(desk.host, &new.collect::<Vec<_>>());
    desk.exchange(&request, slots.len()).await?;
    for slot in slots {
        slot.sit().await?;
    }
    Ok(())
}

impl Slot {
    fn next(&mut self) {
        self.turns += 1;
        self.id = format!("{}-{}", self.name, self.turns);
    }

    fn caller(&self) -> String {
        format!("caller-{}", self.name)
    }

    async fn sit(&mut self) -> Outcome<()> {
        let path = match self.at {
            At::Delegation => format!("/v1/delegations/{}?wait_s={WAIT_S}", self.id),
            At::Inbox => {
                let (caller, after) = (self.caller(), self.after);
                format!("/v1/agents/{caller}/inbox?after={after}&wait_s={WAIT_S}")
            }
        };
        self.waiter.send(&get(self.waiter.host, &path)).await
    }

    /// Lets the verdict fall.
    async fn hear(&mut self) -> Outcome<Heard> {
        let (waiter, callee, id) = (&mut self.waiter, &mut self.callee, &self.id);
        let request = complete(callee.host, id);
        let watch = Stopwatch::start();
        let answered = async {
            callee.ask(&request, |body| body.contains("\"changed\":true")).await?;
            Outcome::Ok(watch.ms())
        };
        let tells = |body: &str| body.contains(id) && body.contains("\"status\":\"completed\"");
        let told = async {
            let body = waiter.answer(tells).await?;
            Outcome::Ok((watch.ms(), next_after(body)?))
        };
        let (answered_ms, (told_ms, next_after)) = tokio::try_join!(answered, told)?;
        self.after = next_after.unwrap_or(self.after);
        Ok(Heard { answered_ms, told_ms })
    }
}

/// Where the next page of an inbox begins.
fn next_after(body: &str) -> Outcome<Option<u64>> {
    let rest = body.split_once("\"next_after\":").map(|(_, rest)| rest);
    let number = rest.map(|rest| rest.split_once([',', '}']).map_or(rest, |(number, _)| number));
    Ok(number.map(str::parse).transpose()?)
}

/// So many wait for what does not come, half of them at their inboxes. They leave when this is dropped.
async fn sit_idle(desk: &mut Connection, count: usize, run: i64) -> Outcome<JoinSet<Outcome<()>>> {
    let id = |nth: usize| format!("idle-{run}-{nth}");
    let new: Vec<_> =
        (0..count).map(|nth| delegation(Some(&id(nth)), &id(nth), "callee")).collect();
    for new in new.chunks(1000) {
        desk.exchange(&delegate(desk.host, new), new.len()).await?;
    }
    let mut idle = JoinSet::new();
    for (nth, mut connection) in connect(&[desk.host], count).await?.into_iter().enumerate() {
        let what = if nth.is_multiple_of(2) { "delegations" } else { "agents" };
        let tail = if nth.is_multiple_of(2) { "" } else { "/inbox" };
        let path = format!("/v1/{what}/{}{tail}?wait_s={WAIT_S}", id(nth));
        let request = get(connection.host, &path);
        idle.spawn(async move {
            loop {
                connection.exchange(&request, 1).await?;
            }
        });
    }
    Ok(idle)
}

/// Returns once so many wait.
async fn all_wait(desk: &mut Connection, all: usize) -> Outcome<()> {
    let request = get(desk.host, "/metrics");
    let line = format!("\nconsign_waiting_requests {all}.0\n");
    let watch = Stopwatch::start();
    while watch.seconds() < SEATED_S_MAX {
        if desk.ask(&request, |_| true).await?.contains(&line) {
            return Ok(());
        }
    }
    Err(format!("{all} should wait, and do not").into())
}
