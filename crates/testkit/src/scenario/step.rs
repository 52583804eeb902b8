//! What may happen in a scenario. Each prints as the line that it is read from.

use consign_ledger::delegation::status::Status;
use consign_ledger::delegation::waiting::WaitFor;

/// The left sides of a whole script.
#[derive(Clone, PartialEq, Eq)]
pub struct Script(pub Vec<Step>);

/// One line's left side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Acts in one batch; a single one goes its ordinary way.
    Acts(Vec<Act>),
    /// So many seconds pass; the ledger listens.
    Wait(u32),
    /// So many seconds pass; the ledger listens and sweeps.
    Serve(u32),
    /// So many seconds pass over a suspended server.
    Freeze(u32),
    /// The server is killed and started after so many seconds.
    Down(u32),
    /// The server is killed and started at once, with another threshold where one is given.
    Restart(Option<u32>),
    /// The wall clock is set, by so many seconds.
    ClockBy(i64),
    /// The connection is cut at the next commit.
    Cut(Cut),
    /// The server listens once.
    Listen,
    /// One pass.
    Sweep,
    /// What is over goes, however young it is.
    Prune,
    /// An agent's record says how much it may hold, and how much may wait for it.
    Limit(Limit),
}

/// The limits in an agent's record; none where nothing is said.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Limit {
    /// Whose.
    pub who: String,
    /// `max_in_flight`.
    pub in_flight: Option<u32>,
    /// `max_queued`.
    pub queued: Option<u32>,
}

/// When a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Before the database hears of the commit.
    Before,
    /// When it has committed and has not answered.
    After,
}

/// Somebody does something to a delegation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Who.
    pub who: String,
    /// To which delegation, by its name in the script; empty where none is named.
    pub id: String,
    /// What.
    pub verb: Verb,
}

/// What somebody does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Delegates it.
    Delegate(Box<Order>),
    /// Hands it out.
    Dispatch,
    /// Accepts it, under a claim id.
    Accept(Option<String>),
    /// Takes what there is; no delegation is named.
    Claim(Claiming),
    /// Says "alive".
    Beat(Beat),
    /// Answers.
    Complete(Answer),
    /// Gives up.
    Fail(Answer),
    /// Gives it back.
    Release(Answer),
    /// Calls it off.
    Cancel(Option<String>),
    /// Hands it out again.
    Retry(Retrial),
    /// Moves its deadline.
    Extend(Extension),
    /// Sets its status.
    Set(Setting),
}

/// What is delegated, and on which terms.
#[expect(clippy::struct_excessive_bools, reason = "each is a word that a script says or does not")]
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Order {
    /// The callee.
    pub to: String,
    /// The idempotency key.
    pub key: Option<String>,
    /// The parent.
    pub under: Option<String>,
    /// `max_attempts`.
    pub attempts: Option<u32>,
    /// `stuck_threshold_s`.
    pub threshold_s: Option<u32>,
    /// `stuck_grace_s`.
    pub grace_s: Option<u32>,
    /// `start_within_s`.
    pub start_within_s: Option<u32>,
    /// `on_not_started: fail`.
    pub fail_unless_started: bool,
    /// `progress_within_s`.
    pub progress_within_s: Option<u32>,
    /// `deadline_s`.
    pub deadline_s: Option<u32>,
    /// `priority`.
    pub priority: i32,
    /// `dispatched`.
    pub dispatched: bool,
    /// `cancel_children`.
    pub cancel_children: bool,
    /// `notify: stuck`.
    pub notify_stuck: bool,
    /// `notify: recovered`.
    pub notify_recovered: bool,
    /// The task; its name where absent.
    pub task: Option<String>,
    /// The ledger makes the id.
    pub unnamed: bool,
}

/// How work is taken from a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claiming {
    /// `max`.
    pub max: usize,
    /// `claim_id`.
    pub name: Option<String>,
}

/// A sign of life.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Beat {
    /// Progress, as a JSON string.
    pub progress: Option<String>,
    /// What it says about waiting.
    pub waiting: Option<Wait>,
    /// The lease.
    pub lease: ShownLease,
    /// An operator's reason.
    pub override_reason: Option<String>,
}

/// What a beat says about waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// It is over.
    Over,
    /// It begins.
    For {
        /// What is waited for.
        what: WaitFor,
        /// Which child.
        child: Option<String>,
        /// How long, in seconds.
        for_s: Option<u32>,
    },
}

/// What ends the work, or a hand-out of it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Answer {
    /// The result, the error detail or the reason.
    pub with: Option<String>,
    /// The lease.
    pub lease: ShownLease,
    /// An operator's reason.
    pub override_reason: Option<String>,
}

/// Which lease somebody shows.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum ShownLease {
    /// The last one that they got for this delegation, if they got any.
    #[default]
    Own,
    /// None.
    None,
    /// The last one that somebody else got for this delegation.
    Of(String),
    /// One that was never issued.
    Forged,
}

/// A retry.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Retrial {
    /// The name of the new delegation, where one is made.
    pub new_name: Option<String>,
    /// Another callee.
    pub to: Option<String>,
    /// `deadline_s`.
    pub deadline_s: Option<u32>,
    /// `if_attempt`.
    pub if_attempt: Option<u32>,
}

/// Another deadline.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Extension {
    /// `deadline_s`.
    pub deadline_s: u32,
    /// `if_version`.
    pub if_version: Option<u64>,
}

/// A status that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Which.
    pub status: Status,
    /// The result or the error detail.
    pub with: Option<String>,
    /// The lease.
    pub lease: ShownLease,
    /// An operator's reason.
    pub override_reason: Option<String>,
}
