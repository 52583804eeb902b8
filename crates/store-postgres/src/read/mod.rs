//! Everything that is asked of the database without changing it, by theme.
//!
//! A look is one statement wherever its parts must be of one moment: each statement sees a moment of its own. Each
//! function takes a connection that may be in a transaction: the write path reads through them, too.

mod agents;
mod due;
mod events;
mod find;
mod inbox;
mod list;
mod listening;
mod measures;
mod prune;
mod row;
mod totals;

pub(crate) use agents::{agent, agent_records, agents, inbox_states};
pub(crate) use due::{armed_beyond, cascades, children_in_flight, due, earliest_due};
pub(crate) use events::{events, late_results, newest_seq};
pub(crate) use find::{delegations, find};
pub(crate) use inbox::inbox;
pub(crate) use list::list;
pub(crate) use listening::{fleet, listening};
pub(crate) use measures::{HOLDERS, measures};
pub(crate) use prune::{prunable, ties};
pub(crate) use row::{COLUMNS, ROW_FROM, read_row};
pub(crate) use totals::{secret, stats, sweeps};

/// A limit as PostgreSQL takes it.
pub(crate) fn wide(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
