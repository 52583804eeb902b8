//! Which warnings reach the caller's inbox, as a list of their names.

use std::fmt;

use consign_ledger::delegation::terms::Notify;
use utoipa::openapi::schema::Object;

use super::word::{no_such_word, one_of};
use super::{Wire, Worded};

/// A warning's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// It became stuck.
    Stuck,
    /// It recovered.
    Recovered,
}

/// A warning on the wire.
pub(crate) type Warning = Wire<Notice>;

const NAMES: [&str; 2] = ["stuck", "recovered"];

impl Worded for Notice {
    const NAME: &'static str = "Warning";

    fn read(text: &str) -> Result<Self, String> {
        match text {
            "stuck" => Ok(Self::Stuck),
            "recovered" => Ok(Self::Recovered),
            _ => Err(no_such_word(text, &NAMES)),
        }
    }

    fn schema() -> Object {
        one_of(&NAMES)
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stuck => "stuck",
            Self::Recovered => "recovered",
        })
    }
}

/// The names of these warnings.
pub(crate) fn warnings(notify: Notify) -> Vec<Warning> {
    let stuck = notify.stuck.then_some(Wire(Notice::Stuck));
    stuck.into_iter().chain(notify.recovered.then_some(Wire(Notice::Recovered))).collect()
}

/// The warnings with these names.
pub(crate) fn notify(names: &[Warning]) -> Notify {
    Notify {
        stuck: names.contains(&Wire(Notice::Stuck)),
        recovered: names.contains(&Wire(Notice::Recovered)),
    }
}
