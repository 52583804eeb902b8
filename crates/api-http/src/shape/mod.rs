//! What answers are made of. Every field is always there; what is absent is `null`.

mod agent;
mod delegation;
mod event;
mod outlook;
mod report;

pub(crate) use agent::{Agent, Latest};
pub(crate) use delegation::{Delegation, ListedDelegation};
pub(crate) use event::{Actor, Event};
pub(crate) use outlook::Outlook;
pub(crate) use report::SweepReport;
