//! What may stand in a request: the bounds of the ledger, the same ones that every door has.

use consign_ledger::delegation::terms::TERM_S_MAX;
use consign_ledger::{InvalidText, Json, PAYLOAD_BYTES_MAX, Payload, TEXT_BYTES_MAX};

use crate::error::Error;

/// An id, if the text is one.
pub(crate) fn id<T>(
    field: &'static str,
    text: &str,
    read: impl FnOnce(&str) -> Result<T, InvalidText>,
) -> Result<T, Error> {
    read(text).map_err(|why| Error::invalid(field, why.to_string()))
}

/// A number from 1 on.
pub(crate) fn whole(field: &'static str, number: u32, max: u32) -> Result<(), Error> {
    if (1..=max).contains(&number) {
        return Ok(());
    }
    Err(Error::invalid(field, format!("must be from 1 to {max}, and this is {number}")))
}

/// A number from 0 on.
pub(crate) fn at_most(field: &'static str, number: u32, max: u32) -> Result<(), Error> {
    if number <= max {
        return Ok(());
    }
    Err(Error::invalid(field, format!("must be from 0 to {max}, and this is {number}")))
}

/// A length of time, where one is given.
pub(crate) fn seconds(field: &'static str, given: Option<u32>) -> Result<(), Error> {
    given.map_or(Ok(()), |given| whole(field, given, TERM_S_MAX))
}

/// A text for people.
pub(crate) fn text(field: &'static str, text: &str) -> Result<String, Error> {
    bounded(field, text.len(), TEXT_BYTES_MAX)?;
    without_nul(field, text.contains('\0'))?;
    Ok(text.to_owned())
}

pub(crate) fn payload(field: &'static str, payload: &Payload) -> Result<(), Error> {
    match payload {
        Payload::Text(text) => {
            bounded(field, text.len(), PAYLOAD_BYTES_MAX)?;
            without_nul(field, text.contains('\0'))
        }
        Payload::Json(it) => json(field, it, PAYLOAD_BYTES_MAX),
    }
}

pub(crate) fn json(field: &'static str, json: &Json, bytes_max: usize) -> Result<(), Error> {
    bounded(field, json.as_str().len(), bytes_max)?;
    without_nul(field, has_nul(json.as_str()))
}

fn bounded(field: &'static str, bytes: usize, bytes_max: usize) -> Result<(), Error> {
    if bytes <= bytes_max {
        return Ok(());
    }
    let why =
        format!("must be at most {bytes_max} bytes, and this has {bytes}; keep the rest elsewhere");
    Err(Error::invalid(field, why))
}

/// Not every database can hold it.
fn without_nul(field: &'static str, has_nul: bool) -> Result<(), Error> {
    if has_nul { Err(Error::invalid(field, "must not contain NUL")) } else { Ok(()) }
}

/// Whether a string in the JSON has a NUL: its escape behind an even number of backslashes.
fn has_nul(json: &str) -> bool {
    json.match_indices(r"\u0000").any(|(at, _)| {
        let before = json[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        before % 2 == 0
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_nul_is_found_wherever_it_hides() {
        for (value, has) in [
            (json!({"a": ["\0"]}), true),
            (json!("\\\0"), true),
            (json!({"\0": 1}), true),
            (json!("\\u0000"), false),
            (json!("\\\\u0000"), false),
            (json!("u0000"), false),
        ] {
            assert_eq!(json("task", &value.clone().into(), 99).is_err(), has, "{value}");
        }
        assert!(text("reason", "a\0b").is_err());
        assert!(payload("task", &"a\0b".into()).is_err());
    }

    #[test]
    fn what_is_too_long_is_told_how_long_it_may_be() {
        let why = text("reason", &"x".repeat(TEXT_BYTES_MAX + 1)).unwrap_err().to_string();
        assert_eq!(
            why,
            "reason: must be at most 4096 bytes, and this has 4097; keep the rest elsewhere"
        );
        assert!(text("reason", &"x".repeat(TEXT_BYTES_MAX)).is_ok());
    }
}
