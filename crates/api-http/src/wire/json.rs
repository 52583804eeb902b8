//! JSON that is passed through: a task or a result of any form, progress, metadata.

use std::borrow::Cow;

use consign_ledger as ledger;
use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{self, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::limits::{METADATA_BYTES_MAX, PROGRESS_BYTES_MAX};

/// A task: any JSON value. A string is text; anything else is kept as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Payload(pub(crate) ledger::Payload);

/// A result: as a task, but `null` is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer(pub(crate) Option<ledger::Payload>);

/// Any JSON value of at most `BYTES_MAX` bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bounded<const BYTES_MAX: usize>(pub(crate) ledger::Json);

/// What advanced.
pub(crate) type Progress = Bounded<PROGRESS_BYTES_MAX>;
/// The caller's own notes.
pub(crate) type Metadata = Bounded<METADATA_BYTES_MAX>;

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        payload(<&RawValue>::deserialize(deserializer)?).map(Self)
    }
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        if raw.get() == "null" { Ok(Self(None)) } else { payload(raw).map(|it| Self(Some(it))) }
    }
}

fn payload<E: de::Error>(raw: &RawValue) -> Result<ledger::Payload, E> {
    if raw.get().starts_with('"') {
        return serde_json::from_str(raw.get()).map(ledger::Payload::Text).map_err(E::custom);
    }
    Ok(ledger::Payload::Json(ledger::Json::trusted(raw.get().to_owned())))
}

impl<'de, const BYTES_MAX: usize> Deserialize<'de> for Bounded<BYTES_MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        if text.len() > BYTES_MAX {
            let bytes = text.len();
            return Err(de::Error::custom(format_args!(
                "must be at most {BYTES_MAX} bytes of JSON, and this has {bytes}"
            )));
        }
        Ok(Self(ledger::Json::trusted(text.to_owned())))
    }
}

/// JSON from the ledger, written as it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RawJson<'a> {
    /// Nothing.
    Null,
    /// A text: it becomes a JSON string.
    Text(&'a str),
    /// Anything else.
    Json(&'a ledger::Json),
}

impl<'a> From<&'a ledger::Payload> for RawJson<'a> {
    fn from(payload: &'a ledger::Payload) -> Self {
        match payload {
            ledger::Payload::Text(text) => Self::Text(text),
            ledger::Payload::Json(json) => Self::Json(json),
        }
    }
}

impl<'a> From<&'a ledger::Json> for RawJson<'a> {
    fn from(json: &'a ledger::Json) -> Self {
        Self::Json(json)
    }
}

impl Serialize for RawJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Json(json) => serde_json::from_str::<&RawValue>(json.as_str())
                .map_err(|why| ser::Error::custom(format_args!("kept as JSON, and is not: {why}")))?
                .serialize(serializer),
        }
    }
}

/// Any JSON value.
fn any_json() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).into()
}

macro_rules! any_json_schemas {
    ($($type:ty => $name:literal),+ $(,)?) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                any_json()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                $name.into()
            }
        }
    )+};
}

any_json_schemas! {
    Payload => "Payload",
    Answer => "Payload",
    Progress => "Progress",
    Metadata => "Metadata",
    RawJson<'_> => "Payload",
}
