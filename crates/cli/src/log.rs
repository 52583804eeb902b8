//! The log: for people, on standard error, in colour only where a terminal shows it.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, ParseError};

/// What is logged where nobody says.
pub(crate) const LEVEL_DEFAULT: &str = "info";

/// What the database's driver says of each statement has people's tasks in it: only who asks for it by name is shown.
const QUIET: &str = "tokio_postgres=info";

/// What is no level, and what would be one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadLevel {
    /// A word that would be taken for a part of the program, and switch off all others.
    #[error(
        "{0:?} is no level; give off, error, warn, info, debug or trace, and for one part of the program part=level"
    )]
    Word(String),
    /// A part, and no level.
    #[error(transparent)]
    Part(#[from] ParseError),
}

/// Opens the log. Once per process.
pub(crate) fn open(level: &str) -> Result<(), BadLevel> {
    let filter = filter(level)?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_target(false)
        .init();
    Ok(())
}

fn filter(level: &str) -> Result<EnvFilter, BadLevel> {
    let level = if level.is_empty() { LEVEL_DEFAULT } else { level };
    let words: Vec<&str> = level.split(',').map(str::trim).collect();
    let is_level = |word: &str| word.contains('=') || word.parse::<LevelFilter>().is_ok();
    if let Some(word) = words.iter().find(|word| !is_level(word)) {
        return Err(BadLevel::Word((*word).to_owned()));
    }
    // What comes later counts.
    Ok(EnvFilter::builder().parse(format!("{QUIET},{}", words.join(",")))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_no_level_does_not_switch_the_log_off() {
        for well in
            ["", "info", "WARN", "off", "info,tower_http=debug", "warn, consign_sweeper=trace"]
        {
            assert!(filter(well).is_ok(), "{well}");
        }
        for ill in ["verbose", "warning", "inf", "info,verbose", "tower_http=loud"] {
            assert!(filter(ill).is_err(), "{ill}");
        }
        assert!(filter("warning").unwrap_err().to_string().contains("give off, error, warn"));
    }
}
