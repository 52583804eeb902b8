//! Where a page ended, as a token that clients hand back and do not read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use consign_ledger::{Time, query};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use crate::wire::{Wire, Worded};

/// The first byte of every cursor, so that a later form can be told apart.
const FORM: u8 = 2;

/// A place, from [`consign_ledger::query::Page::next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) query::Place);

/// A place on the wire.
pub(crate) type Cursor = Wire<Place>;

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = [FORM; 17];
        bytes[1..9].copy_from_slice(&self.0.created_at.0.to_be_bytes());
        bytes[9..].copy_from_slice(&self.0.num.to_be_bytes());
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl Worded for Place {
    const NAME: &'static str = "Cursor";

    fn read(text: &str) -> Result<Self, String> {
        let broken = || "must be the `next_cursor` of an earlier page, unchanged".to_owned();
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| broken())?;
        let bytes: [u8; 17] = bytes.try_into().map_err(|_| broken())?;
        let number = |at: usize| i64::from_be_bytes(std::array::from_fn(|nth| bytes[at + nth]));
        let place = query::Place { created_at: Time(number(1)), num: number(9) };
        let sound = bytes[0] == FORM && place.created_at.0 >= 0 && place.num > 0;
        if sound { Ok(Self(place)) } else { Err(broken()) }
    }

    fn schema() -> Object {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^A[g-n][A-Za-z0-9_-]{21}$"))
            .description(Some("Opaque: the `next_cursor` of the page before."))
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_journey_and_nothing_else_is_one() {
        let place = |ms, num| Place(query::Place { created_at: Time(ms), num });
        for place in
            [place(0, 1), place(1_800_000_000_000, 4_000_000_000), place(i64::MAX, i64::MAX)]
        {
            assert_eq!(Place::read(&place.to_string()), Ok(place));
        }
        for wrong in [place(-1, 1), place(1, 0)] {
            assert!(Place::read(&wrong.to_string()).is_err());
        }
        let whole = place(5, 77).to_string();
        for broken in
            ["", "1", "AAAA", "not a cursor", &whole[1..], &format!("{whole}AA"), "AQAAAAAAAABN"]
        {
            assert!(Place::read(broken).is_err(), "{broken}");
        }
    }
}
