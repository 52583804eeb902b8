//! Times and durations, for people.

use jiff::Timestamp;

use super::Paper;

/// A number of seconds, in its two largest units: `5h59m`.
pub(crate) fn duration(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let first = UNITS.iter().position(|(size, _)| seconds >= *size).unwrap_or(UNITS.len() - 1);
    let (size, name) = UNITS[first];
    let (count, rest) = (seconds / size, seconds % size);
    let second = UNITS.get(first + 1).map(|(size, name)| (rest / size, name));
    match second.filter(|(count, _)| *count > 0) {
        Some((more, smaller)) => format!("{count}{name}{more}{smaller}"),
        None => format!("{count}{name}"),
    }
}

/// As the server writes it.
pub(crate) fn exact(at: Timestamp) -> String {
    format!("{at:.3}")
}

impl Paper {
    /// `in 5h59m` or `3s ago`.
    pub(crate) fn relative(&self, at: Timestamp) -> String {
        let seconds = at.duration_since(self.now).as_secs();
        let length = duration(seconds.unsigned_abs());
        if seconds > 0 { format!("in {length}") } else { format!("{length} ago") }
    }

    /// In a table: what a person wants to know, or what a program can use.
    pub(crate) fn moment(&self, at: Timestamp) -> String {
        if self.terminal { self.relative(at) } else { exact(at) }
    }

    /// On a sheet: both.
    pub(crate) fn moment_whole(&self, at: Timestamp) -> String {
        format!("{} ({})", exact(at), self.relative(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_two_units_at_most() {
        for (seconds, printed) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (725, "12m5s"),
            (3600, "1h"),
            (3601, "1h"),
            (21_599, "5h59m"),
            (90_000, "1d1h"),
            (31_536_000, "365d"),
        ] {
            assert_eq!(duration(seconds), printed);
        }
    }

    #[test]
    fn a_moment_is_before_or_after_now() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let paper = Paper { json: false, terminal: true, color: false, now };
        assert_eq!(paper.relative("2026-01-01T06:00:00Z".parse().unwrap()), "in 6h");
        assert_eq!(paper.relative("2025-12-31T23:59:50Z".parse().unwrap()), "10s ago");
        assert_eq!(paper.relative(now), "0s ago");
    }
}
