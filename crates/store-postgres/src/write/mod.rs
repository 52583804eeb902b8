//! Everything that is written, each in one transaction.

mod agents;
mod append;
mod beat;
mod beside;
mod claims;
mod facts;
mod load;
mod pipeline;
#[cfg(test)]
mod plans;
mod prune;
mod replicas;
mod rows;
mod transact;
mod upkeep;

pub(crate) use beat::{beat, rearm};
pub(crate) use facts::BELL;
#[cfg(test)]
pub(crate) use plans::HOT;
pub(crate) use replicas::{greeting, leave};
pub(crate) use transact::transact;
pub(crate) use upkeep::{keep_report, tidy};
