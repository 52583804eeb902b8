//! Ids: text that a client may choose, under one rule, and the ids that the ledger makes.

use std::fmt;
use std::sync::Arc;

/// Longest id, in bytes.
pub const ID_BYTES_MAX: usize = 255;

/// Why a text is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Nothing was given.
    #[error("must not be empty")]
    Empty,
    /// More than 255 bytes.
    #[error("must be at most {ID_BYTES_MAX} bytes, and this has {0}")]
    TooLong(usize),
    /// A control character, NUL among them.
    #[error("must not contain control characters")]
    Control,
}

fn checked(text: &str) -> Result<(), InvalidText> {
    match text {
        "" => Err(InvalidText::Empty),
        _ if text.len() > ID_BYTES_MAX => Err(InvalidText::TooLong(text.len())),
        _ if text.chars().any(char::is_control) => Err(InvalidText::Control),
        _ => Ok(()),
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes 1 to 255 bytes without control characters.
            pub fn new(text: &str) -> Result<Self, InvalidText> {
                checked(text).map(|()| Self(text.into()))
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// A delegation's name. The caller may choose it; it is never freed.
    DelegationId
);
text_id!(
    /// An agent, as caller or callee.
    AgentId
);
text_id!(
    /// Chosen by a callee for one act of accepting or claiming, so that a repeat gives the same leases.
    ClaimId
);
text_id!(
    /// The caller's business key: one piece of work, however often it is asked for.
    IdempotencyKey
);

/// A place in the one sequence of events, handed out in commit order, from 1.
pub type Seq = i64;

/// One run of the door, so that a batch whose commit was not answered can be recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BatchId(pub [u8; 16]);

/// Where new ids come from. A seeded source makes a run repeatable.
pub trait IdSource: Send + Sync + 'static {
    /// A new UUID, version 7 in production.
    fn next_uuid(&self) -> [u8; 16];
}

impl DelegationId {
    /// The id made of a UUID, in its usual text form.
    #[must_use]
    pub fn of_uuid(bytes: [u8; 16]) -> Self {
        Self(uuid::Uuid::from_bytes(bytes).to_string().into())
    }
}
