//! The log: for people, on standard error, in colour only where a terminal shows it.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// What is logged where nobody says.
pub(crate) const LEVEL_DEFAULT: &str = "info";

/// What the database's driver says of each statement has people's tasks in it: only who asks for it by name is shown.
const QUIET: &str = "tokio_postgres=info";

/// Opens the log. Once per process.
pub(crate) fn open(level: &str) -> Result<(), ParseError> {
    let level = if level.is_empty() { LEVEL_DEFAULT } else { level };
    // What comes later counts.
    let levels = format!("{QUIET},{level}");
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::builder().parse(levels)?)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_target(false)
        .init();
    Ok(())
}
