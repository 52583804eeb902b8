//! Everything that is asked of the file without changing it, by theme.

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

pub(crate) use agents::{agent, agent_record, agents, inbox_state, work};
pub(crate) use due::{armed_beyond, cascades, children_in_flight, due, earliest_due};
pub(crate) use events::{events, late_results, newest_seq};
pub(crate) use find::{delegations, find, row_by_id, row_by_num};
pub(crate) use inbox::inbox;
pub(crate) use list::list;
pub(crate) use listening::{fleet, listening};
pub(crate) use measures::measures;
pub(crate) use prune::{prunable, ties};
pub(crate) use row::RowOr;
#[cfg(test)]
pub(crate) use row::{COLUMNS, ROW_FROM};
pub(crate) use totals::{secret, stats, sweeps};
