//! What a heartbeat says about waiting: nothing, that it is over, or what is waited for.

use std::fmt;

use consign_ledger::command::WaitChange;
use consign_ledger::delegation::waiting::{WaitFor as LedgerWaitFor, WaitRequest};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use utoipa::ToSchema;

use super::{DelegationId, Seconds, Text, WaitFor};

/// What is waited for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WaitRequest)]
pub(crate) struct Wait<'a> {
    r#for: WaitFor,
    /// A sentence for people.
    #[serde(borrow)]
    note: Option<Text<'a>>,
    /// The child, with `child`: the wait ends with its verdict.
    child_id: Option<DelegationId>,
    /// How long; absent: to the deadline for `human` and `auth`, else an hour.
    for_s: Option<Seconds>,
}

/// Reads `waiting`, where it is given at all: `null` ends the wait, an object sets it anew.
pub(crate) fn change<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<WaitChange>, D::Error> {
    deserializer.deserialize_any(Change).map(Some)
}

struct Change;

impl<'de> Visitor<'de> for Change {
    type Value = WaitChange;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or null")
    }

    fn visit_unit<E: de::Error>(self) -> Result<WaitChange, E> {
        Ok(WaitChange::End)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WaitChange, A::Error> {
        let wait = Wait::deserialize(MapAccessDeserializer::new(map))?;
        wait.asked().map(WaitChange::For).map_err(de::Error::custom)
    }
}

impl Wait<'_> {
    fn asked(self) -> Result<WaitRequest, &'static str> {
        match (self.r#for.0, &self.child_id) {
            (LedgerWaitFor::Child, None) => {
                return Err("needs a `child_id` where it is for a child");
            }
            (LedgerWaitFor::Child, Some(_)) | (_, None) => {}
            (_, Some(_)) => return Err("has a `child_id` only where it is for a child"),
        }
        Ok(WaitRequest {
            wait_for: self.r#for.0,
            note: self.note.map(Text::into_string),
            child_id: self.child_id.map(|it| it.0),
            for_s: self.for_s.map(|it| it.0),
        })
    }
}
