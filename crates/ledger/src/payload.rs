//! What callers and callees hand each other: text or JSON, kept as it was sent.

use sha2::{Digest, Sha256};

use crate::canonical::canonical;

/// Longest preview, in bytes, cut on a character boundary.
pub const PREVIEW_BYTES_MAX: usize = 4096;
/// Longest free text, such as a reason or an error detail, in bytes.
pub const TEXT_BYTES_MAX: usize = 4096;
/// Longest progress, in bytes of JSON.
pub const PROGRESS_BYTES_MAX: usize = 4096;
/// Longest metadata, in bytes of JSON.
pub const METADATA_BYTES_MAX: usize = 65_536;
/// Longest task or result, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 4 << 20;

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
            Self::Json(json) => field(hasher, "json", canonical(json.as_str()).as_bytes()),
        }
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        Self(value.to_string())
    }
}

impl From<&str> for Payload {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<serde_json::Value> for Payload {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::String(text) => Self::Text(text),
            other => Self::Json(other.into()),
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
