//! The exit codes, for scripts: every one that a subcommand can end with has its name and its line of help here.

use std::process::ExitCode;

use consign_client::Status;

/// How a subcommand ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or completed.
    Done = 0,
    /// Something went wrong that no other code names.
    Broken = 1,
    /// A flag, a variable or a value is wrong.
    Usage = 2,
    /// There is no such delegation.
    NotFound = 3,
    /// Refused by the rules.
    Refused = 4,
    /// No answer, or no time for one.
    Unavailable = 5,
    /// A callee is told to end its work.
    Stop = 6,
    /// There was nothing to do.
    Nothing = 7,
    /// Its verdict.
    Failed = 10,
    /// Its verdict.
    Cancelled = 11,
    /// The warning that was waited for.
    Stuck = 12,
    /// The time to wait was over first.
    NoVerdict = 13,
    /// Something is wrong with the ledger.
    Unsound = 20,
    /// Ended by SIGHUP: its terminal is gone.
    HungUp = 129,
    /// Ended by SIGINT.
    Interrupted = 130,
    /// Ended by SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// What the status of a delegation means to who waited for it.
    pub(crate) const fn of(status: Status) -> Self {
        match status {
            Status::Completed => Self::Done,
            Status::Failed => Self::Failed,
            Status::Cancelled => Self::Cancelled,
            Status::Stuck => Self::Stuck,
            Status::Queued | Status::Dispatched | Status::InProgress => Self::NoVerdict,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Of whatever asks a server.
pub(crate) const OF_ASKING: &str = "\
Exit codes:
   0  done
   1  something else went wrong; the message says what
   2  a flag, a variable or a value is wrong
   3  there is no such delegation
   4  refused by the rules, or by the state of things
   5  no server answered, or it had no time: try again";

/// Of a heartbeat.
pub(crate) const OF_BEATING: &str = "\
Exit codes:
   0  heard: go on
   1  something else went wrong; the message says what
   2  a flag, a variable or a value is wrong
   3  there is no such delegation
   4  refused by the rules, or by the state of things
   5  no server answered, or it had no time: go on, and try again
   6  stop: end the work";

/// Of whatever takes work.
pub(crate) const OF_CLAIMING: &str = "\
Exit codes:
   0  yours; with --exec: it did as much as it was told to, or was asked to end
   1  something else went wrong; the message says what
   2  a flag, a variable or a value is wrong, or the program cannot be started
   4  refused by the rules, or by the state of things
   5  no server answered, or it had no time: try again
   7  there was nothing to do

Exit codes of the program behind --exec:
   0  completes the delegation: its output is the result
  75  gives it back: not now
      any other, and a signal, fails it";

/// Of whatever judges a ledger or an installation.
pub(crate) const OF_JUDGING: &str = "\
Exit codes:
   0  all is well
   1  it could not be looked at; the message says why
   2  a flag, a variable or a value is wrong
  20  something is wrong; what is printed says what";

/// Of whatever waits for a verdict.
pub(crate) const OF_WAITING: &str = "\
Exit codes:
   0  completed (or, where nothing is waited for, done)
   1  something else went wrong; the message says what
   2  a flag, a variable or a value is wrong
   3  there is no such delegation
   4  refused by the rules, or by the state of things
   5  no server answered, or it had no time: try again
  10  failed
  11  cancelled
  12  stuck, with --until stuck
  13  no verdict within --timeout-s";
