//! How many tests passed and failed, read from what the runners print at their end.

use std::ops::AddAssign;

use crate::failed::Failed;

/// The sum over all runners.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// A runner ended badly, with or without a count.
    pub(crate) broken: bool,
}

impl Tally {
    /// Counts a line that sums up, of `cargo test` or of nextest; every other line is nothing.
    pub(crate) fn of_line(line: &str) -> Self {
        let line = plain(line);
        let counts = line.trim_start().strip_prefix("test result:").or_else(|| {
            line.split_once("run:").filter(|(head, _)| head.contains("Summary")).map(|p| p.1)
        });
        let mut tally = Self::default();
        let words: Vec<&str> = counts.unwrap_or_default().split([' ', ',', ';']).collect();
        for pair in words.windows(2) {
            let Ok(count) = pair[0].parse::<u64>() else { continue };
            match pair[1] {
                "passed" => tally.passed += count,
                "failed" | "timed" | "exec" => tally.failed += count,
                _ => {}
            }
        }
        tally
    }

    /// Says the sum on a line of its own, the last one.
    pub(crate) fn verdict(self) -> Result<(), Failed> {
        let failed = self.broken || self.failed > 0;
        let error = match (failed, self.failed) {
            (false, _) => None,
            (true, 0) => Some("a test run ended early"),
            (true, _) => Some("tests failed"),
        };
        println!("{} passed, {} failed", self.passed, self.failed);
        error.map_or(Ok(()), |why| Err(Failed::new(why)))
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.broken |= other.broken;
    }
}

/// The line without colours.
fn plain(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        match char {
            '\u{1b}' => drop(chars.by_ref().find(char::is_ascii_alphabetic)),
            _ => plain.push(char),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_runners_are_understood() {
        for (line, passed, failed) in [
            ("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out", 3, 0),
            ("test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured", 2, 1),
            ("     Summary [   0.012s] 45 tests run: 45 passed, 3 skipped", 45, 0),
            ("     Summary [  10.012s] 1 test run: 0 passed, 1 failed, 3 skipped", 0, 1),
            (
                "     Summary [   9.1s] 6/9 tests run: 4 passed (1 slow), 1 failed, 1 timed out",
                4,
                2,
            ),
            (
                "\u{1b}[32;1m     Summary\u{1b}[0m [ 1s] \u{1b}[1m2\u{1b}[0m tests run: \u{1b}[1m2\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m",
                2,
                0,
            ),
            ("running 12 tests", 0, 0),
            ("the run: 7 passed", 0, 0),
        ] {
            assert_eq!(Tally::of_line(line), Tally { passed, failed, broken: false }, "{line}");
        }
    }
}
