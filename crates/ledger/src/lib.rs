//! The rules of Consign and the one door that every change goes through.
//!
//! A request becomes a [`command::Command`]; the rules turn it into facts or a
//! [`Refusal`]; [`Ledger`] is the only code that has them written down. There is no SQL
//! here, no HTTP and no wall clock: a [`Store`] brings the disk and the time.

pub mod command;
pub mod delegation;
pub mod query;

mod agent;
mod beats;
mod book;
mod canonical;
mod error;
mod id;
mod ledger;
mod payload;
mod store;
mod time;

pub use agent::{AGENT_LIMIT_MAX, Agent, AgentTerms};
pub use error::{CorruptRow, Error, Failure, Source};
pub use id::{
    AgentId, BatchId, ClaimId, DelegationId, ID_BYTES_MAX, IdSource, IdempotencyKey, InvalidText,
    Seq,
};
pub use ledger::{BATCH_COMMANDS_MAX, Desk, Ledger, PRUNE_BATCH_MAX, SWEEP_BATCH_MAX, Settings};
pub use payload::{
    Bodies, Json, METADATA_BYTES_MAX, PAYLOAD_BYTES_MAX, PREVIEW_BYTES_MAX, PROGRESS_BYTES_MAX,
    Payload, TEXT_BYTES_MAX, preview,
};
pub use store::{
    Append, BadRow, BeatRow, Cascade, CascadeBegun, Decide, Heard, InboxState, LOAD_COUNT_MAX,
    LateKey, LateResult, Load, Loaded, Mark, NewBodies, NewEvent, NewMessage, ProgressWrite,
    Pruned, Questions, Reader, Rearm, Row, RowWrite, Store, Was,
};
pub use time::{Clock, Reading, Span, Steady, Time};

pub use delegation::refusal::{Refusal, Refused};
