//! One way to write a JSON value: keys sorted, no white space, text without needless escapes. Numbers keep their
//! digits: read as floating point, two long ones would be the same.
//!
//! It reads each byte once, however the value is nested: it runs where every request waits for it.

use std::borrow::Cow;

/// The same value as `json`, which must be valid, written in the one way.
pub(crate) fn canonical(json: &str) -> String {
    let mut writer = Writer { out: String::with_capacity(json.len()), open: vec![] };
    tokens(json).for_each(|token| writer.write(token));
    writer.out
}

/// What has been written, and what is still open around its end.
struct Writer<'json> {
    out: String,
    /// An object has its members; an array has none.
    open: Vec<Option<Vec<Member<'json>>>>,
}

/// A member of an open object: where in `out` its key begins, and, once it is there, where its value ends.
struct Member<'json> {
    key: Cow<'json, str>,
    begins: usize,
    ends: usize,
}

impl<'json> Writer<'json> {
    fn write(&mut self, token: &'json str) {
        match token {
            "{" => self.open.push(Some(vec![])),
            "[" => self.open.push(None),
            "," => self.end_member(),
            "}" | "]" => self.close(),
            _ if token.starts_with('"') => return self.write_text(token),
            _ => {}
        }
        self.out.push_str(token);
    }

    fn write_text(&mut self, token: &'json str) {
        let text = decoded(token);
        let begins = self.out.len();
        match &text {
            Cow::Borrowed(_) => self.out.push_str(token),
            Cow::Owned(text) => {
                self.out.push_str(&serde_json::Value::from(text.as_str()).to_string());
            }
        }
        // Where a member begins, a text is its key; where it goes on, there is a colon.
        if let Some(Some(members)) = self.open.last_mut()
            && self.out[..begins].ends_with(['{', ','])
        {
            members.push(Member { key: text, begins, ends: begins });
        }
    }

    fn end_member(&mut self) {
        if let Some(Some(members)) = self.open.last_mut()
            && let Some(member) = members.last_mut()
        {
            member.ends = self.out.len();
        }
    }

    fn close(&mut self) {
        self.end_member();
        let Some(Some(mut members)) = self.open.pop() else { return };
        if members.is_sorted_by(|one, next| one.key < next.key) {
            return;
        }
        let begins = members[0].begins;
        members.sort_by(|one, other| one.key.cmp(&other.key));
        // Of a key that is given twice the last one counts, as for most who read JSON.
        members.reverse();
        members.dedup_by(|earlier, last| earlier.key == last.key);
        members.reverse();
        let sorted: Vec<&str> =
            members.iter().map(|member| &self.out[member.begins..member.ends]).collect();
        let sorted = sorted.join(",");
        self.out.truncate(begins);
        self.out.push_str(&sorted);
    }
}

/// The text of a token in quotes; borrowed where it is written as it reads.
fn decoded(token: &str) -> Cow<'_, str> {
    let text = token.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(token);
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    serde_json::from_str(token).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Brackets, commas and colons, texts with their quotes, and all else as it stands.
fn tokens(mut rest: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        rest = rest.trim_ascii_start();
        let (token, after) = rest.split_at(token_length(rest.as_bytes()));
        rest = after;
        (!token.is_empty()).then_some(token)
    })
}

fn token_length(bytes: &[u8]) -> usize {
    let ends = |it: &u8| {
        matches!(it, b'{' | b'}' | b'[' | b']' | b',' | b':' | b'"') || it.is_ascii_whitespace()
    };
    match bytes.first() {
        None => 0,
        Some(b'"') => text_length(bytes),
        Some(first) if ends(first) => 1,
        Some(_) => bytes.iter().position(ends).unwrap_or(bytes.len()),
    }
}

/// The length of the text that begins here, both quotes included.
fn text_length(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        at += match byte {
            b'"' => return at + 1,
            b'\\' => 2,
            _ => 1,
        };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;
    use serde_json::Value;

    use super::canonical;

    #[test]
    fn equal_json_is_written_in_one_way_and_unequal_json_is_not() {
        for (json, expected) in [
            (
                r#" { "b" : [ 1 , {"y":null, "x":true} ], "a" : "\u0041" } "#,
                r#"{"a":"A","b":[1,{"x":true,"y":null}]}"#,
            ),
            (r#"{"a!": 1, "a": 2, "": 3}"#, r#"{"":3,"a":2,"a!":1}"#),
            (r#"{"\u0062": 1, "a\n": 2}"#, r#"{"a\n":2,"b":1}"#),
            (
                r#"{"b": 1, "a": {"z": 1, "y": 2}, "b": {"d": 3, "c": [","]}}"#,
                r#"{"a":{"y":2,"z":1},"b":{"c":[","],"d":3}}"#,
            ),
            (r#"["{", "}", ",", ":", "\"", "\\"]"#, r#"["{","}",",",":","\"","\\"]"#),
            (r#""\ud83d\ude00 / \/""#, r#""😀 / /""#),
            ("12345678901234567890123", "12345678901234567890123"),
            (" 1e999 ", "1e999"),
            ("-0", "-0"),
            ("[ ]", "[]"),
            ("{ }", "{}"),
        ] {
            assert_eq!(canonical(json), expected);
            assert_eq!(canonical(expected), expected);
        }
    }

    #[test]
    fn what_is_no_json_at_all_is_written_somehow() {
        for broken in ["", "\"", "\"\\", "}", "]", "{,}", "{\"a\"", ",,", "{\"\\ud800\":1}"] {
            canonical(broken);
        }
    }

    /// How long the quickest of three times takes.
    #[expect(clippy::disallowed_methods, reason = "nothing else shows how often each byte is read")]
    fn takes<T>(act: impl Fn() -> T) -> Duration {
        let once = |_| {
            let begun = Instant::now();
            drop(act());
            begun.elapsed()
        };
        (0..3).map(once).min().unwrap_or_default()
    }

    #[test]
    fn however_it_is_laid_out_it_is_written_about_as_quickly_as_it_is_read() {
        let many = vec!["0"; 50_000].join(",");
        let keys: Vec<String> = (0..20_000).map(|key| format!("\"{key}\":0")).collect();
        let keys = keys.join(",");
        for (what, json) in [
            ("flat", format!("[{many}]")),
            ("deep", format!("{}{many}{}", "[".repeat(99), "]".repeat(99))),
            ("objects", format!("{}{{{keys}}}{}", r#"{"a":"#.repeat(98), "}".repeat(98))),
        ] {
            let read = takes(|| serde_json::from_str::<Value>(&json).unwrap());
            let written = takes(|| canonical(&json));
            assert!(written < read * 10, "{what}: read in {read:?}, written in {written:?}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_value_stays_however_it_was_laid_out(value in any_json()) {
            let written = canonical(&serde_json::to_string_pretty(&value).unwrap());
            prop_assert_eq!(&written, &canonical(&value.to_string()));
            prop_assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
        }
    }
}
