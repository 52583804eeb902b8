//! Everything that the one writer does to the file, each in one transaction.

mod agents;
mod append;
mod beat;
mod facts;
mod load;
mod prune;
mod rows;
mod transact;
mod upkeep;

#[cfg(test)]
pub(crate) use beat::MATCH;
pub(crate) use beat::{beat, rearm};
#[cfg(test)]
pub(crate) use load::{CLAIMABLE, HELD, HELD_UNDER};
pub(crate) use transact::transact;
pub(crate) use upkeep::{keep_report, tidy};
