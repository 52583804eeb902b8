//! How a file opens, and words that must not stand in it.

use super::source::Source;
use super::{Finding, Rule};

/// A word, the folder in which it must not stand, and why.
struct Forbidden {
    word: &'static str,
    within: &'static str,
    why: &'static str,
}

const fn forbid(word: &'static str, within: &'static str, why: &'static str) -> Forbidden {
    Forbidden { word, within, why }
}

/// Spelled in two parts, so that this file passes its own check.
const FORBIDDEN: [Forbidden; 8] = [
    forbid(concat!("TO", "DO"), "", "finish it, or take it out"),
    forbid(concat!("FIX", "ME"), "", "finish it, or take it out"),
    forbid(concat!("todo", "!"), "", "finish it, or take it out"),
    forbid(concat!("unimplemented", "!"), "", "finish it, or take it out"),
    forbid(concat!("dbg", "!"), "", "it was for one afternoon"),
    forbid("tokio::time", "crates/ledger/", "the ledger has no clock of its own"),
    forbid("Serialize", "crates/ledger/", "a rule's type is never the wire's or the row's"),
    forbid("Deserialize", "crates/ledger/", "a rule's type is never the wire's or the row's"),
];

pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let mut findings = vec![];
    let mut find = |rule, line, why| {
        findings.push(Finding { rule, place: source.path.clone(), line: Some(line), why });
    };
    if !source.text.starts_with("//!") {
        find(
            Rule::Opening,
            1,
            "it must open with `//!`: what it is for, what it refuses".to_owned(),
        );
    }
    let here = FORBIDDEN.iter().filter(|forbidden| source.path.starts_with(forbidden.within));
    for forbidden in here {
        for (number, line) in source.text.lines().enumerate() {
            if has_word(line, forbidden.word) {
                find(Rule::Word, number + 1, format!("`{}`: {}", forbidden.word, forbidden.why));
            }
        }
    }
    findings
}

/// Whether the word stands in the line by itself, not as a part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let inside = |char: char| char.is_alphanumeric() || char == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(inside) && (word.ends_with('!') || !after.is_some_and(inside))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whys(path: &str, text: &str) -> Vec<String> {
        let source = Source::parse(path, text).expect("it parses");
        check(&source).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn a_file_opens_with_what_it_is_for() {
        assert!(whys("a.rs", "//! Of ducks.\nfn duck() {}\n").is_empty());
        assert!(whys("a.rs", "fn duck() {}\n")[0].starts_with("a.rs:1: Opening"));
        assert_eq!(whys("a.rs", "// Of ducks.\n").len(), 1);
    }

    #[test]
    fn what_is_unfinished_is_found_in_code_and_comments() {
        let text = concat!("//! A.\n// TO", "DO: more\nfn f() { todo", "!() }\n");
        let found = whys("a.rs", text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("a.rs:2: Word"));
        assert!(found[1].starts_with("a.rs:3: Word"));
    }

    #[test]
    fn a_part_of_a_longer_word_is_no_find() {
        assert!(whys("a.rs", concat!("//! A.\nconst MASTO", "DON: u8 = 1;\n")).is_empty());
    }

    #[test]
    fn some_words_are_forbidden_in_the_ledger_alone() {
        let text = "//! A.\nuse tokio::time;\n";
        assert_eq!(whys("crates/ledger/src/a.rs", text).len(), 1);
        assert!(whys("crates/sweeper/src/a.rs", text).is_empty());
    }
}
