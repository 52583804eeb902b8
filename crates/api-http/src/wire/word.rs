//! Words: values that are one of a few names.

use consign_delivery::Until;
use consign_ledger::delegation::change::{EventKind, Role};
use consign_ledger::delegation::examine::Arm;
use consign_ledger::delegation::listening::GapCause;
use consign_ledger::delegation::status::{FailureKind, Status, StuckReason};
use consign_ledger::delegation::terms::OnNotStarted;
use consign_ledger::delegation::waiting::WaitFor;
use consign_ledger::query::StatusFilter;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::{Worded, excerpt};

/// All that are in flight, as a filter.
const IN_FLIGHT: &str = "in_flight";

macro_rules! words {
    ($($word:ident),+) => {$(
        impl Worded for $word {
            const NAME: &'static str = stringify!($word);

            fn read(text: &str) -> Result<Self, String> {
                Self::parse(text).ok_or_else(|| no_such_word(text, &names(Self::ALL, Self::as_str)))
            }

            fn schema() -> Object {
                one_of(&names(Self::ALL, Self::as_str))
            }
        }
    )+};
}

words!(Arm, EventKind, FailureKind, GapCause, OnNotStarted, Role, Status, StuckReason, WaitFor);

impl Worded for StatusFilter {
    const NAME: &'static str = "StatusFilter";

    fn read(text: &str) -> Result<Self, String> {
        match text {
            IN_FLIGHT => Ok(Self::InFlight),
            _ => Status::parse(text).map(Self::Is).ok_or_else(|| no_such_word(text, &filters())),
        }
    }

    fn schema() -> Object {
        one_of(&filters())
    }
}

impl Worded for Until {
    const NAME: &'static str = "Until";

    fn read(text: &str) -> Result<Self, String> {
        match text {
            "terminal" => Ok(Self::Terminal),
            "stuck" => Ok(Self::Stuck),
            _ => Err(no_such_word(text, &["terminal", "stuck"])),
        }
    }

    fn schema() -> Object {
        one_of(&["terminal", "stuck"])
    }
}

fn filters() -> Vec<&'static str> {
    let mut filters = names(Status::ALL, Status::as_str);
    filters.push(IN_FLIGHT);
    filters
}

fn names<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().copied().map(name).collect()
}

pub(super) fn no_such_word(text: &str, words: &[&str]) -> String {
    format!("must be one of {}, and this is {:?}", words.join(", "), excerpt(text))
}

pub(super) fn one_of(words: &[&str]) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words.to_vec())).build()
}
