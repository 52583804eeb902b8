//! Free text, borrowed from the request where it can be, and bounded.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::limits::TEXT_BYTES_MAX;

/// At most 4096 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    pub(crate) fn into_string(self) -> String {
        self.0.into_owned()
    }
}

/// Why an operator acts in somebody's place: a text that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OverrideReason<'a>(Text<'a>);

impl OverrideReason<'_> {
    pub(crate) fn into_string(self) -> String {
        self.0.into_string()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for OverrideReason<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        if text.0.trim().is_empty() {
            return Err(de::Error::custom("must say why, and this is blank"));
        }
        Ok(Self(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bounded;

        impl<'de> Visitor<'de> for Bounded {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                bounded(text.len()).map(|()| Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                bounded(text.len()).map(|()| Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Bounded)
    }
}

fn bounded<E: de::Error>(bytes: usize) -> Result<(), E> {
    if bytes > TEXT_BYTES_MAX {
        let why = format_args!("must be at most {TEXT_BYTES_MAX} bytes, and this has {bytes}");
        return Err(E::custom(why));
    }
    Ok(())
}

fn schema(pattern: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(pattern))
        .max_length(Some(TEXT_BYTES_MAX))
        .description(Some(format!("At most {TEXT_BYTES_MAX} bytes of UTF-8, without NUL.")))
        .into()
}

impl PartialSchema for Text<'_> {
    fn schema() -> RefOr<Schema> {
        schema(r"^[^\u0000]*$")
    }
}

impl PartialSchema for OverrideReason<'_> {
    fn schema() -> RefOr<Schema> {
        schema(r"^[^\u0000]*[^\u0000\s][^\u0000]*$")
    }
}

impl ToSchema for OverrideReason<'_> {
    fn name() -> Cow<'static, str> {
        "OverrideReason".into()
    }
}

impl ToSchema for Text<'_> {
    fn name() -> Cow<'static, str> {
        "Text".into()
    }
}
