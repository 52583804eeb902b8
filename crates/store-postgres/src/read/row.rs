//! From columns to a delegation. A value that the rules could not have written is named, not guessed.

use consign_ledger::{BadRow, Row};

use crate::failure::Trouble;

/// The columns that [`read_row`] reads, in its order. In flight, the watch row knows the beat better.
pub(crate) const COLUMNS: &str = "
    d.num, d.delegation_id, d.caller_id, d.callee_id, d.status, d.attempt, d.max_attempts, d.epoch,
    d.held, d.claim_id, d.error_detail, d.failure, d.stuck_reason, d.stuck_at, d.waiting,
    d.queued_at, coalesce(w.clocks_from, d.clocks_from), coalesce(w.alive_at, d.last_heartbeat),
    coalesce(w.progress_at, d.progress_at), d.deadline, d.stuck_threshold_s, d.stuck_grace_s,
    d.start_within_s, d.on_not_started, d.progress_within_s, d.priority, d.notify_stuck,
    d.notify_recovered, d.cancel_children, d.idempotency_key, d.parent_id, d.retry_of, d.depth,
    d.fingerprint, d.answer_hash, d.late_count, d.version, d.created_at, d.updated_at,
    d.finished_at, d.last_act_kind, d.last_act_role, p.progress";

/// Where these columns come from.
pub(crate) const ROW_FROM: &str =
    "delegations d LEFT JOIN watch w ON w.num = d.num LEFT JOIN progress p ON p.num = d.num";

/// A row, or what is wrong with it.
pub(crate) type RowOr = Result<Row, BadRow>;

/// Reads one row of [`COLUMNS`].
pub(crate) fn read_row(_row: &tokio_postgres::Row) -> Result<RowOr, Trouble> {
    todo!()
}
