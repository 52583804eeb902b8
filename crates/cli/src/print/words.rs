//! What others wrote, made fit to be shown.

use serde_json::value::RawValue;

/// Longest excerpt, in characters.
const EXCERPT_CHARS_MAX: usize = 60;

/// On one line, with nothing that a terminal would obey.
pub(crate) fn escaped(text: &str) -> String {
    text.chars()
        .map(|it| if is_order(it) { it.escape_default().to_string() } else { it.into() })
        .collect()
}

/// The same, with its line breaks and tabs.
pub(crate) fn escaped_lines(text: &str) -> String {
    let keep = |it: char| it == '\n' || it == '\t' || !is_order(it);
    text.chars()
        .map(|it| if keep(it) { it.into() } else { it.escape_default().to_string() })
        .collect()
}

/// Control characters, and those that turn the direction of what stands around them.
fn is_order(it: char) -> bool {
    it.is_control() || matches!(it, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The beginning, on one line.
pub(crate) fn excerpt(text: &str) -> String {
    cut(&escaped(text), EXCERPT_CHARS_MAX)
}

/// At most so many characters, the last one a sign that there are more.
pub(crate) fn cut(line: &str, chars_max: usize) -> String {
    if line.chars().count() <= chars_max {
        return line.to_owned();
    }
    line.chars().take(chars_max.saturating_sub(1)).chain(['…']).take(chars_max).collect()
}

/// A task, a result, a progress: text as text, anything else as JSON.
pub(crate) fn payload(json: &RawValue) -> String {
    serde_json::from_str::<String>(json.get()).unwrap_or_else(|_| json.get().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_no_orders() {
        assert_eq!(escaped("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\nc");
        assert_eq!(escaped_lines("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\nc");
        assert_eq!(escaped("\u{202e}über"), "\\u{202e}über");
    }

    #[test]
    fn an_excerpt_is_cut_between_characters() {
        let long = "ü".repeat(61);
        assert_eq!(excerpt(&long), "ü".repeat(59) + "…");
        assert_eq!(excerpt(&"ü".repeat(60)), "ü".repeat(60));
        assert_eq!((cut("ab", 1), cut("ab", 0)), ("…".to_owned(), String::new()));
    }

    #[test]
    fn text_is_shown_without_its_quotes() {
        let json = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        assert_eq!(payload(&json("\"a\\nb\"")), "a\nb");
        assert_eq!(payload(&json("{\"a\": 1}")), "{\"a\": 1}");
        assert_eq!(payload(&json("null")), "null");
    }
}
