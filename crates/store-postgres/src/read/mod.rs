//! Everything that is asked of the database without changing it, by theme.
//!
//! Each function takes a connection that may be in a transaction: the write path reads through them, too.

mod due;
mod events;
mod find;
mod inbox;
mod list;
mod listening;
mod row;
mod totals;

pub(crate) use due::{armed_later_than, cascades, children_in_flight, due, earliest_due};
pub(crate) use events::{events, late_results, newest_seq};
pub(crate) use find::{delegations, find};
pub(crate) use inbox::inbox;
pub(crate) use list::list;
pub(crate) use listening::{fleet, listening};
pub(crate) use row::{COLUMNS, ROW_FROM, RowOr, read_row};
pub(crate) use totals::{secret, stats, sweeps};
