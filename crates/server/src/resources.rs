//! What the process takes from the system before it serves.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::Semaphore;

/// Open files that are the ledger's own, or the next ones that it may need: connections take none of them.
const FILES_RESERVED: u64 = 64;

/// Raises the number of files that may be open to what the system allows: each waiting request holds one.
pub(crate) fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::debug!(%error, ?current, "the limit of open files stays");
    }
}

/// How many connections may be open at once, so that the ledger still gets the files that it needs.
pub(crate) fn connections_max() -> usize {
    getrlimit(Resource::Nofile).current.map_or(Semaphore::MAX_PERMITS, connections_of)
}

fn connections_of(files: u64) -> usize {
    let connections = files.saturating_sub(FILES_RESERVED).max(files / 2);
    usize::try_from(connections).map_or(Semaphore::MAX_PERMITS, |it| it.min(Semaphore::MAX_PERMITS))
}

#[cfg(test)]
mod tests {
    use super::connections_of;

    #[test]
    fn connections_leave_files_to_the_ledger() {
        for (files, connections) in [(20_000, 19_936), (1024, 960), (100, 50), (64, 32)] {
            assert_eq!(connections_of(files), connections, "{files}");
        }
        assert!(connections_of(u64::MAX) > 1_000_000);
    }
}
