//! Where a page ended, as a token that clients hand back and do not read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use crate::wire::{Wire, Worded};

/// The first byte of every cursor, so that a later form can be told apart.
const FORM: u8 = 1;

/// A row's number, from [`consign_ledger::query::Page::next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) i64);

/// A place on the wire.
pub(crate) type Cursor = Wire<Place>;

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = [FORM; 9];
        bytes[1..].copy_from_slice(&self.0.to_be_bytes());
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl Worded for Place {
    const NAME: &'static str = "Cursor";

    fn read(text: &str) -> Result<Self, String> {
        let broken = || "must be the `next_cursor` of an earlier page, unchanged".to_owned();
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| broken())?;
        let (form, number) = bytes.split_first().ok_or_else(broken)?;
        let number = number.try_into().map(i64::from_be_bytes).map_err(|_| broken())?;
        if *form == FORM && number > 0 { Ok(Self(number)) } else { Err(broken()) }
    }

    fn schema() -> Object {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^A[Q-X][A-Za-z0-9_-]{10}$"))
            .description(Some("Opaque: the `next_cursor` of the page before."))
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_journey_and_nothing_else_is_one() {
        for number in [1, 2, 4_000_000_000, i64::MAX] {
            assert_eq!(Place::read(&Place(number).to_string()), Ok(Place(number)));
        }
        let whole = Place(77).to_string();
        for broken in
            ["", "1", "AAAA", "not a cursor", &whole[1..], &format!("{whole}AA"), "AgAAAAAAAABN"]
        {
            assert!(Place::read(broken).is_err(), "{broken}");
        }
    }
}
