//! From the text of a body to a request, or to a problem that names what is wrong and where.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::limits::JSON_DEPTH_MAX;
use crate::plain;
use crate::problem::Problem;

/// Reads one JSON object.
///
/// What it passes through unread is checked, too: no NUL, no half characters, no endless nesting.
pub(crate) fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    let request = envelope(text)?;
    match flaw(text) {
        None => Ok(request),
        Some(flaw) => Err(flaw.explain(text)),
    }
}

/// Reads one JSON object whose parts will be read, and checked, one by one.
pub(crate) fn envelope<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    if text.starts_with('\u{feff}') {
        let why = "the body begins with a byte order mark (U+FEFF); send it without";
        return Err(Problem::invalid(why));
    }
    if !text.trim_start().starts_with('{') {
        let value = serde_json::from_str::<&RawValue>(text);
        return Err(value.map_or_else(|why| malformed(&why), |_| not_an_object()));
    }
    serde_json::from_str(text).map_err(|_| explain::<T>(text))
}

fn not_an_object() -> Problem {
    Problem::invalid("a request must be a JSON object, such as {}")
}

/// Reads once more, slower, and finds what is wrong: the JSON, a flaw in it, or one of its fields.
fn explain<'a, T: Deserialize<'a>>(text: &'a str) -> Problem {
    if let Err(why) = serde_json::from_str::<&RawValue>(text) {
        return malformed(&why);
    }
    if let Some(flaw) = flaw(text) {
        return flaw.explain(text);
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut deserializer) else {
        // It failed once and cannot be read otherwise the second time.
        return Problem::internal();
    };
    // A JSON error ends in its position, which the field's name says better.
    let why = error.inner().to_string();
    let why = why.rsplit_once(" at line ").map_or(why.as_str(), |(why, _)| why);
    plain::problem(error.path(), why, "field")
}

fn malformed(why: &serde_json::Error) -> Problem {
    Problem::invalid(format!("the body is not valid JSON: {why}"))
}

/// What JSON allows and a ledger does not keep, at a byte of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    Nul(usize),
    HalfCharacter(usize),
    TooDeep(usize),
}

/// The first flaw of a text that is known to be JSON.
fn flaw(json: &str) -> Option<Flaw> {
    let bytes = json.as_bytes();
    let (mut at, mut depth, mut quoted) = (0, 0_usize, false);
    while let Some(byte) = bytes.get(at) {
        match (byte, quoted) {
            (b'"', _) => quoted = !quoted,
            (b'\\', _) => {
                match escape_length(bytes, at) {
                    Ok(length) => at += length,
                    Err(flaw) => return Some(flaw),
                }
                continue;
            }
            (b'{' | b'[', false) => depth += 1,
            (b'}' | b']', false) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > JSON_DEPTH_MAX {
            return Some(Flaw::TooDeep(at));
        }
        at += 1;
    }
    None
}

/// How many bytes the escape at this place takes, if it stands for a character.
fn escape_length(bytes: &[u8], at: usize) -> Result<usize, Flaw> {
    let Some(unit) = unit(&bytes[at..]) else { return Ok(2) };
    match unit {
        0 => Err(Flaw::Nul(at)),
        0xD800..=0xDBFF => match bytes.get(at + 6..).and_then(self::unit) {
            Some(0xDC00..=0xDFFF) => Ok(12),
            _ => Err(Flaw::HalfCharacter(at)),
        },
        0xDC00..=0xDFFF => Err(Flaw::HalfCharacter(at)),
        _ => Ok(6),
    }
}

/// The UTF-16 unit of an escape such as `\u00e4`; `None` for the short ones.
fn unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

impl Flaw {
    fn explain(self, text: &str) -> Problem {
        let (at, why) = match self {
            Self::Nul(at) => (at, "must not contain NUL (\\u0000)".to_owned()),
            Self::HalfCharacter(at) => (
                at,
                "must not contain half of a surrogate pair (\\ud800 to \\udfff alone)".to_owned(),
            ),
            Self::TooDeep(at) => (at, format!("must be nested at most {JSON_DEPTH_MAX} deep")),
        };
        match field_at(text, at) {
            Some(field) => Problem::invalid_field(&field, &why),
            None => Problem::invalid(format!("the body {why}")),
        }
    }
}

/// The top-level field whose value covers this byte.
fn field_at(text: &str, at: usize) -> Option<String> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    let covers = |value: &RawValue| {
        let from = value.get().as_ptr() as usize - text.as_ptr() as usize;
        (from..from + value.get().len()).contains(&at)
    };
    fields.into_iter().find(|(_, value)| covers(value)).map(|(field, _)| field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flaw_is_found_where_it_is() {
        for (json, expected) in [
            (r#"{"a": "x"}"#, None),
            (r#"{"a": "\u0000"}"#, Some(Flaw::Nul(7))),
            (r#"{"a": "\\u0000"}"#, None),
            (r#"{"a": "\\\u0000"}"#, Some(Flaw::Nul(9))),
            (r#"{"a": "\"\u0000"}"#, Some(Flaw::Nul(9))),
            (r#"{"a": "\ud83d\ude00"}"#, None),
            (r#"{"a": "\ud83d"}"#, Some(Flaw::HalfCharacter(7))),
            (r#"{"a": "\ude00\ud83d"}"#, Some(Flaw::HalfCharacter(7))),
            (r#"{"a": "\ud83d\ud83d\ude00"}"#, Some(Flaw::HalfCharacter(7))),
            (r#"{"a": "[[[[{{{{"}"#, None),
        ] {
            assert_eq!(flaw(json), expected, "{json}");
        }
    }

    #[test]
    fn nesting_has_an_end() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(flaw(&nested(JSON_DEPTH_MAX)), None);
        assert_eq!(flaw(&nested(JSON_DEPTH_MAX + 1)), Some(Flaw::TooDeep(JSON_DEPTH_MAX)));
    }

    #[test]
    fn what_passes_here_can_be_taken_apart_later() {
        let deepest = format!("{}{}", "[".repeat(JSON_DEPTH_MAX), "]".repeat(JSON_DEPTH_MAX));
        assert!(serde_json::from_str::<serde_json::Value>(&deepest).is_ok());
    }
}
