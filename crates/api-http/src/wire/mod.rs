//! Values as they travel: each type checks itself while it is read, so that what a handler holds is valid.
//!
//! What is wrong with a value is said as the end of a sentence that begins with its field's name.

mod id;
mod json;
mod moment;
mod text;
mod wait;
mod warning;
mod whole;
mod word;

pub(crate) use json::{Answer, Metadata, Payload, Progress, RawJson};
pub(crate) use moment::{Moment, deadline};
pub(crate) use text::{OverrideReason, Text};
pub(crate) use wait::{Wait, change as wait_change};
pub(crate) use warning::{Warning, notify, warnings};
pub(crate) use whole::{
    AgentLimit, AgentPageLimit, Attempts, ClaimLimit, Count, PageLimit, Priority, Seconds,
    SeqAfter, Version, WaitSeconds,
};

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::Object;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A value that travels as a string under rules of its own.
pub(crate) trait Worded: Sized {
    /// Its name in the OpenAPI document.
    const NAME: &'static str;

    /// Reads it, or says what it must be.
    fn read(text: &str) -> Result<Self, String>;

    /// What it looks like.
    fn schema() -> Object;
}

/// Carries a [`Worded`] value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wire<T>(pub(crate) T);

pub(crate) type AgentId = Wire<consign_ledger::AgentId>;
pub(crate) type ClaimId = Wire<consign_ledger::ClaimId>;
pub(crate) type DelegationId = Wire<consign_ledger::DelegationId>;
pub(crate) type IdempotencyKey = Wire<consign_ledger::IdempotencyKey>;
pub(crate) type Status = Wire<consign_ledger::delegation::status::Status>;
pub(crate) type StatusFilter = Wire<consign_ledger::query::StatusFilter>;
pub(crate) type StuckReason = Wire<consign_ledger::delegation::status::StuckReason>;
pub(crate) type FailureKind = Wire<consign_ledger::delegation::status::FailureKind>;
pub(crate) type OnNotStarted = Wire<consign_ledger::delegation::terms::OnNotStarted>;
pub(crate) type WaitFor = Wire<consign_ledger::delegation::waiting::WaitFor>;
pub(crate) type EventKind = Wire<consign_ledger::delegation::change::EventKind>;
pub(crate) type Role = Wire<consign_ledger::delegation::change::Role>;
pub(crate) type Arm = Wire<consign_ledger::delegation::examine::Arm>;
pub(crate) type GapCause = Wire<consign_ledger::delegation::listening::GapCause>;
pub(crate) type Until = Wire<consign_delivery::Until>;

impl<'de, T: Worded> Deserialize<'de> for Wire<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads<T>(PhantomData<T>);

        impl<T: Worded> Visitor<'_> for Reads<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
                T::read(text).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Reads(PhantomData)).map(Self)
    }
}

impl<T: fmt::Display> Serialize for Wire<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<T: Worded> PartialSchema for Wire<T> {
    fn schema() -> RefOr<Schema> {
        T::schema().into()
    }
}

impl<T: Worded> ToSchema for Wire<T> {
    fn name() -> Cow<'static, str> {
        T::NAME.into()
    }
}

/// The beginning of what was sent, to be shown in a refusal.
pub(crate) fn excerpt(text: &str) -> &str {
    const SHOWN_BYTES_MAX: usize = 64;
    &text[..text.floor_char_boundary(SHOWN_BYTES_MAX)]
}
