//! A number of seconds that somebody typed, which must never keep a server from starting.

use std::ffi::OsStr;
use std::fmt;

/// Most seconds that a setting takes: a year.
pub(crate) const SECONDS_MAX: u32 = 31_536_000;

/// A setting in whole seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecondsSetting {
    /// Its environment variable, by which a warning names it.
    pub(crate) variable: &'static str,
    /// What is in force where nothing usable was given.
    pub(crate) default_s: u32,
}

/// Something was given that is no number of seconds, so the default is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    variable: &'static str,
    given: String,
    default_s: u32,
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, given, default_s } = self;
        write!(
            f,
            "{variable} is {given:?}, which is not a whole number of seconds from 1 to {SECONDS_MAX}; \
             using the default, {default_s}"
        )
    }
}

impl SecondsSetting {
    /// The seconds in force, and a warning where what was given is not used. Empty means not given.
    pub(crate) fn read(self, given: &OsStr) -> (u32, Option<Ignored>) {
        if given.is_empty() {
            return (self.default_s, None);
        }
        match given.to_str().and_then(whole_seconds) {
            Some(seconds) => (seconds, None),
            None => (self.default_s, Some(self.ignoring(given))),
        }
    }

    fn ignoring(self, given: &OsStr) -> Ignored {
        let Self { variable, default_s } = self;
        Ignored { variable, given: given.to_string_lossy().into_owned(), default_s }
    }
}

/// Digits alone: Rust's own parser would also take a sign.
fn whole_seconds(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = digits.then(|| text.parse().ok()).flatten()?;
    (1..=SECONDS_MAX).contains(&seconds).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    const THRESHOLD: SecondsSetting = SecondsSetting { variable: "THRESHOLD_S", default_s: 600 };

    #[test]
    fn whole_seconds_are_taken_as_they_are() {
        for (given, seconds) in [("1", 1), ("300", 300), ("007", 7), ("31536000", SECONDS_MAX)] {
            assert_eq!(THRESHOLD.read(OsStr::new(given)), (seconds, None), "{given:?}");
        }
    }

    #[test]
    fn nothing_is_the_default_without_a_word() {
        assert_eq!(THRESHOLD.read(OsStr::new("")), (600, None));
    }

    #[test]
    fn anything_else_is_the_default_with_a_warning_that_names_all_three() {
        for given in [
            "abc",
            "-1",
            "0",
            "1.5",
            "+5",
            " 5",
            "5 ",
            "5s",
            "1e3",
            "٣",
            "31536001",
            "4294967297",
            "12345678901234567890",
        ] {
            let (seconds, warning) = THRESHOLD.read(OsStr::new(given));
            let warning = warning.unwrap().to_string();
            assert_eq!(seconds, 600, "{given:?}");
            for part in ["THRESHOLD_S", &format!("{given:?}"), "600"] {
                assert!(warning.contains(part), "{part} is not in: {warning}");
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_the_default_with_a_warning() {
        let (seconds, warning) = THRESHOLD.read(OsStr::from_bytes(b"\xff5"));
        assert_eq!(seconds, 600);
        assert!(warning.unwrap().to_string().contains("THRESHOLD_S"));
    }
}
