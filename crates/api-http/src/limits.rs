//! What this door takes, at most: every bound has its name here, and its refusal names the bound.

use std::ops::RangeInclusive;

/// Longest head of a request, its address and its headers together, in bytes.
pub const HEAD_BYTES_MAX: usize = 64 << 10;
/// How long a connection may take for the head of its next request, in seconds: from its beginning or from its
/// last answer, so it is also how long one may idle. Longer than usual agents pause between two heartbeats.
pub const HEAD_S_MAX: u64 = 75;

/// How long an answer may wait for its reader to take some of it, in seconds.
pub const UNREAD_S_MAX: u64 = 60;

/// Longest body of a request, in bytes.
pub const BODY_BYTES_MAX: usize = consign_ledger::PAYLOAD_BYTES_MAX;
/// How much of a longer body is read and thrown away, in bytes, so that its sender can read the refusal.
pub const BODY_BYTES_DRAINED_MAX: usize = 64 << 20;
/// How long a body may take to arrive, in seconds.
pub const BODY_S_MAX: u64 = 30;
/// How deep the JSON of a body may be nested.
pub const JSON_DEPTH_MAX: usize = 100;

pub use consign_ledger::{METADATA_BYTES_MAX, PROGRESS_BYTES_MAX, TEXT_BYTES_MAX};

/// Most items in one request.
pub const BATCH_ITEMS_MAX: usize = 1000;
/// Items in one page, where the request does not say.
pub const PAGE_ITEMS_DEFAULT: usize = 100;
/// Tasks in the answer to one claim, in bytes; but the first is always in it.
pub const CLAIM_TASK_BYTES_MAX: usize = 8 << 20;
/// Longest wait for a verdict, or for work, in seconds.
pub const WAIT_S_MAX: u32 = 60;

/// How long a request may take altogether, in seconds: longer than the longest wait.
pub const REQUEST_S_MAX: u64 = 75;
/// Requests that are worked on at the same time. Waits and heartbeats are not counted: waits have their
/// own bound, and a heartbeat may be turned away only by the ledger, which remembers that it was deaf.
pub const WORKING_MAX: usize = 1024;
/// How long a request waits for its turn among them before it is told to come back, in seconds.
pub const TURN_S_MAX: u64 = 5;
/// When to come back, in seconds, where that helps.
pub const RETRY_AFTER_S: u32 = 1;

/// Lengths of time that a request may name, in seconds: one second to 366 days.
pub const SECONDS: RangeInclusive<u32> = 1..=consign_ledger::delegation::terms::TERM_S_MAX;
/// How many attempts a delegation may have.
pub const ATTEMPTS: RangeInclusive<u32> = 1..=consign_ledger::delegation::terms::ATTEMPTS_MAX;

const _: () = assert!(REQUEST_S_MAX > WAIT_S_MAX as u64 + TURN_S_MAX, "a wait must not time out");
