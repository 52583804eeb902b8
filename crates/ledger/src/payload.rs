//! What callers and callees hand each other: text or JSON, kept as it was sent.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// Longest preview, in bytes, cut on a character boundary.
pub const PREVIEW_BYTES_MAX: usize = 4096;

/// JSON as it was sent: valid, and not taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(String);

impl Json {
    /// Trusts `text` to be valid JSON: it was parsed at a door or read from a store.
    #[must_use]
    pub fn trusted(text: String) -> Self {
        Self(text)
    }

    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same value written in one way: keys sorted, no white space.
    fn canonical(&self) -> String {
        let mut text = String::with_capacity(self.0.len());
        canonical_into(&self.0, &mut text);
        text
    }
}

/// Writes a JSON text with its keys sorted and without white space. Numbers keep their digits: read as
/// floating point, two long ones would be the same.
fn canonical_into(json: &str, out: &mut String) {
    let json = json.trim_ascii();
    if let Ok(object) = serde_json::from_str::<BTreeMap<String, &RawValue>>(json) {
        let members = object.iter().map(|(key, value)| (Some(key.as_str()), value.get()));
        canonical_list(('{', '}'), members, out);
    } else if let Ok(array) = serde_json::from_str::<Vec<&RawValue>>(json) {
        canonical_list(('[', ']'), array.iter().map(|value| (None, value.get())), out);
    } else if let Ok(text) = serde_json::from_str::<String>(json) {
        out.push_str(&serde_json::Value::from(text).to_string());
    } else {
        out.push_str(json);
    }
}

fn canonical_list<'json>(
    (open, close): (char, char),
    members: impl Iterator<Item = (Option<&'json str>, &'json str)>,
    out: &mut String,
) {
    out.push(open);
    for (place, (key, value)) in members.enumerate() {
        if place > 0 {
            out.push(',');
        }
        if let Some(key) = key {
            out.push_str(&serde_json::Value::from(key).to_string());
            out.push(':');
        }
        canonical_into(value, out);
    }
    out.push(close);
}

/// A task or a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// A JSON string on the wire.
    Text(String),
    /// Any other JSON value.
    Json(Json),
}

impl Payload {
    /// The text, or the JSON's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Json(json) => json.as_str(),
        }
    }

    /// Equal content has an equal hash, however its JSON was laid out.
    pub(crate) fn hash_into(&self, hasher: &mut Sha256) {
        match self {
            Self::Text(text) => field(hasher, "text", text.as_bytes()),
            Self::Json(json) => field(hasher, "json", json.canonical().as_bytes()),
        }
    }
}

/// Adds one named, length-prefixed field, so that no two lists of fields hash alike by accident.
pub(crate) fn field(hasher: &mut Sha256, name: &str, value: &[u8]) {
    hasher.update(name.as_bytes());
    hasher.update((value.len() as u64).to_be_bytes());
    hasher.update(value);
}

/// The first 16 bytes of a SHA-256.
pub(crate) fn short_hash(hasher: Sha256) -> [u8; 16] {
    let digest = hasher.finalize();
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}

/// The first [`PREVIEW_BYTES_MAX`] bytes of `text`, cut before a character that would not fit.
#[must_use]
pub fn preview(text: &str) -> &str {
    &text[..text.floor_char_boundary(PREVIEW_BYTES_MAX)]
}

/// What lives beside a delegation's row and is read only when somebody asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bodies {
    /// What was asked.
    pub task: Payload,
    /// What came back.
    pub result: Option<Payload>,
    /// The caller's own notes.
    pub metadata: Option<Json>,
    /// What the callee last sent as progress.
    pub progress: Option<Json>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_json_is_written_in_one_way_and_unequal_json_is_not() {
        for (json, canonical) in [
            (
                r#" { "b" : [ 1 , {"y":null, "x":true} ], "a" : "\u0041" } "#,
                r#"{"a":"A","b":[1,{"x":true,"y":null}]}"#,
            ),
            ("12345678901234567890123", "12345678901234567890123"),
            (" 1e999 ", "1e999"),
            ("[]", "[]"),
            ("{}", "{}"),
        ] {
            assert_eq!(Json::trusted(json.to_owned()).canonical(), canonical);
        }
    }
}
