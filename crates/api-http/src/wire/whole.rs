//! Whole numbers, each with its range. A number outside of it is told the range.

use std::borrow::Cow;
use std::fmt;

use consign_ledger::AGENT_LIMIT_MAX;
use consign_ledger::command::CLAIM_MAX;
use consign_ledger::query::PAGE_MAX;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::excerpt;
use crate::limits::{ATTEMPTS, SECONDS, WAIT_S_MAX};

macro_rules! wholes {
    ($($(#[$doc:meta])* $name:ident($int:ty) = $min:expr, $max:expr, $description:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) $int);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let range = Range { min: i64::from($min), max: i64::from($max) };
                let number = deserializer.deserialize_i64(range)?;
                <$int>::try_from(number).map(Self).map_err(|_| de::Error::custom(range))
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::Integer)
                    .minimum(Some(i64::from($min)))
                    .maximum(Some(i64::from($max)))
                    .description(Some($description))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )+};
}

wholes! {
    /// A length of time.
    Seconds(u32) = *SECONDS.start(), *SECONDS.end(), "Whole seconds, at most 366 days.";
    /// How long to wait for an answer.
    WaitSeconds(u32) = 0, WAIT_S_MAX, "How long to wait for news, in whole seconds.";
    /// How many attempts there may be.
    Attempts(u32) = *ATTEMPTS.start(), *ATTEMPTS.end(), "How often the work may be handed out by itself.";
    /// Which attempt.
    Count(u32) = 1, u32::MAX, "1, 2, ...";
    /// Higher goes first.
    Priority(i32) = i32::MIN, i32::MAX, "Higher goes first.";
    /// How many items a page may have.
    PageLimit(u32) = 1, PAGE_ITEMS, "How many items at most.";
    /// How much an agent may have, of one kind.
    AgentLimit(u32) = 0, AGENT_LIMIT_MAX, "How many at most.";
    /// How many agents a page may have.
    AgentPageLimit(u32) = 1, AgentPageLimit::DEFAULT, "How many agents at most.";
    /// How many delegations one claim may take.
    ClaimLimit(u32) = 1, CLAIM_ITEMS, "How many delegations at most.";
    /// Behind this number of the one sequence.
    SeqAfter(i64) = 0, i64::MAX, "Behind this number of the one sequence.";
    /// How many events made a delegation what it is.
    Version(i64) = 1, i64::MAX, "How many events made it what it is.";
}

#[expect(clippy::cast_possible_truncation, reason = "a page has at most a thousand items")]
const PAGE_ITEMS: u32 = PAGE_MAX as u32;

#[expect(clippy::cast_possible_truncation, reason = "a claim takes at most a hundred")]
const CLAIM_ITEMS: u32 = CLAIM_MAX as u32;

impl AgentPageLimit {
    /// Each agent is counted for by itself, so a page is not as long as others may be.
    pub(crate) const DEFAULT: u32 = 100;
}

/// Up to here every whole number has its own floating point number.
const EXACT_MAX: u64 = 1 << 53;

/// Reads a number in a range, and says the range where it is not in it.
#[derive(Clone, Copy)]
struct Range {
    min: i64,
    max: i64,
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must be a whole number from {} to {}", self.min, self.max)
    }
}

impl Range {
    fn but<E: de::Error>(self, this: impl fmt::Display) -> E {
        E::custom(format_args!("{self}, and this is {this}"))
    }
}

impl Visitor<'_> for Range {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {} to {}", self.min, self.max)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<i64, E> {
        let fits = (self.min..=self.max).contains(&number);
        if fits { Ok(number) } else { Err(self.but(number)) }
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<i64, E> {
        i64::try_from(number)
            .map_err(|_| self.but(number))
            .and_then(|number| self.visit_i64(number))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<i64, E> {
        // To JSON `60.0` is the whole number 60, and some languages write it so.
        #[expect(clippy::cast_possible_truncation, reason = "what is not exact is refused")]
        let whole = number as i64;
        #[expect(clippy::cast_precision_loss, reason = "what is not exact is refused")]
        let exact = (whole as f64).to_bits() == (number + 0.0).to_bits()
            && whole.unsigned_abs() < EXACT_MAX;
        if exact { self.visit_i64(whole) } else { Err(self.but(format_args!("{number:?}"))) }
    }

    /// A parameter of a query that is no number at all.
    fn visit_str<E: de::Error>(self, text: &str) -> Result<i64, E> {
        Err(self.but(format_args!("{:?}", excerpt(text))))
    }
}
