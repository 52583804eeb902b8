//! A ledger in SQLite: can it be read, is its version known, do its counts and its times make sense.

use std::path::Path;

use consign_store_sqlite::{Condition, OpenError, condition};
use jiff::Timestamp;

use super::Diagnosis;
use crate::print::exact;

/// A WAL of this size is held back by a reader that does not end: the server begins it anew at a quarter, and cuts it at
/// the half.
const WAL_BYTES_MAX: u64 = 512 << 20;
/// A clock may be this far behind what the ledger has written, in milliseconds: it is then a step, not a wobble.
const CLOCK_MS_MAX: i64 = 2000;

/// Looks at the ledger's file.
pub(crate) fn ledger(path: &Path, now: Timestamp) -> Vec<Diagnosis> {
    match condition(path) {
        Ok(condition) => well_or_not(path, &condition, now),
        Err(OpenError::Missing(_)) => {
            let seen = format!("{} does not exist yet", path.display());
            vec![Diagnosis::note("ledger", seen, "the first `consign serve` makes it")]
        }
        // Its sentence ends in what to do.
        Err(error) => vec![Diagnosis::wrong("ledger", error.to_string(), "")],
    }
}

fn well_or_not(path: &Path, it: &Condition, now: Timestamp) -> Vec<Diagnosis> {
    let size =
        format!("{}: {} delegations, {} KiB", path.display(), it.delegations, it.bytes >> 10);
    vec![
        Diagnosis::well("ledger", size),
        migrations(it),
        Diagnosis::given(
            it.tally_error == 0,
            "counts",
            format!("what is kept by status differs from what is counted by {}", it.tally_error),
            "run `consign audit`, and tell the project what it finds",
        ),
        Diagnosis::given(
            it.wal_bytes <= WAL_BYTES_MAX,
            "readers",
            format!("{} KiB of WAL beside the file", it.wal_bytes >> 10),
            "a reader keeps an old transaction open, such as a sqlite3 shell or a backup: end it",
        ),
        clock(it, now),
    ]
}

fn migrations(it: &Condition) -> Diagnosis {
    let seen = format!("{} of {} done", it.version, it.version_known);
    if it.version == it.version_known {
        return Diagnosis::well("migrations", seen);
    }
    let advice = "the next start of `consign serve` does the rest; take a `consign backup` before";
    Diagnosis::note("migrations", seen, advice)
}

fn clock(it: &Condition, now: Timestamp) -> Diagnosis {
    let latest = Timestamp::from_millisecond(it.latest.0).unwrap_or(Timestamp::MAX);
    let behind = it.latest.0 - now.as_millisecond() > CLOCK_MS_MAX;
    let seen =
        format!("this machine says {}, the ledger last wrote at {}", exact(now), exact(latest));
    let advice = "the clock was set back: set it right, because deadlines go by it";
    Diagnosis::given(!behind, "clock", seen, advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::State;

    fn healthy() -> Condition {
        Condition {
            version: 1,
            version_known: 1,
            bytes: 4096,
            wal_bytes: 0,
            latest: consign_ledger::Time(0),
            delegations: 0,
            tally_error: 0,
        }
    }

    /// What is not well about it, an hour after the beginning of time.
    fn ills(condition: Condition) -> Vec<(&'static str, State)> {
        let now = Timestamp::from_second(3600).unwrap();
        let found = well_or_not(Path::new("consign.db"), &condition, now);
        let ill = found.iter().filter(|it| it.state != State::Well);
        ill.map(|it| (it.what, it.state)).collect()
    }

    #[test]
    fn each_ill_has_its_name() {
        let ahead = consign_ledger::Time(3_600_000 + CLOCK_MS_MAX + 1);
        for (condition, ill) in [
            (healthy(), vec![]),
            (Condition { version: 0, ..healthy() }, vec![("migrations", State::Note)]),
            (Condition { tally_error: 1, ..healthy() }, vec![("counts", State::Wrong)]),
            (
                Condition { wal_bytes: WAL_BYTES_MAX + 1, ..healthy() },
                vec![("readers", State::Wrong)],
            ),
            (Condition { latest: ahead, ..healthy() }, vec![("clock", State::Wrong)]),
        ] {
            assert_eq!(ills(condition), ill, "{condition:?}");
        }
    }
}
