//! From columns to a delegation. A value that the rules could not have written is named, not guessed.

use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::terms::{Notify, Terms};
use consign_ledger::delegation::waiting::Waiting;
use consign_ledger::delegation::{change, status, terms};
use consign_ledger::{
    AgentId, BadRow, ClaimId, CorruptRow, DelegationId, IdempotencyKey, Json, Payload, Row, Time,
};
use tokio_postgres::types::FromSql;

use crate::failure::Trouble;

/// The columns that [`read_row`] reads, in its order. In flight, the watch row knows the beat better.
pub(crate) const COLUMNS: &str = "
    d.num, d.delegation_id, d.caller_id, d.callee_id, d.status, d.attempt, d.max_attempts, d.epoch,
    d.held, d.dispatched, d.claim_id, d.error_detail, d.failure, d.stuck_reason, d.stuck_at,
    d.waiting, d.queued_at, coalesce(w.clocks_from, d.clocks_from), coalesce(w.alive_at, d.last_heartbeat),
    coalesce(w.progress_at, d.progress_at), d.deadline, d.stuck_threshold_s, d.stuck_grace_s,
    d.start_within_s, d.on_not_started, d.progress_within_s, d.priority, d.notify_stuck,
    d.notify_recovered, d.cancel_children, d.idempotency_key, d.parent_id, d.retry_of, d.depth,
    d.fingerprint, d.answer_hash, d.late_count, d.version, d.created_at, d.updated_at,
    d.finished_at, d.last_act_kind, d.last_act_role, p.progress";

/// How many they are.
pub(crate) const COLUMN_COUNT: usize = 44;

/// Where these columns come from.
pub(crate) const ROW_FROM: &str =
    "delegations d LEFT JOIN watch w ON w.num = d.num LEFT JOIN progress p ON p.num = d.num";

/// A row, or what is wrong with it.
pub(crate) type RowOr = Result<Row, BadRow>;

/// Reads one row of [`COLUMNS`].
pub(crate) fn read_row(row: &tokio_postgres::Row) -> Result<RowOr, Trouble> {
    let num: i64 = row.try_get(0)?;
    match columns(num, row) {
        Ok(row) => Ok(Ok(row)),
        Err(Trouble::Corrupt(why)) => {
            let id: Option<&str> = row.try_get(1)?;
            let delegation_id = id.and_then(|id| DelegationId::new(id).ok());
            Ok(Err(BadRow { num, delegation_id, why }))
        }
        Err(trouble) => Err(trouble),
    }
}

fn columns(num: i64, row: &tokio_postgres::Row) -> Result<Row, Trouble> {
    let mut cell = Cell::at("delegations", num, row, 1);
    let delegation = Delegation {
        delegation_id: cell.made("delegation_id", |text| DelegationId::new(text).ok())?,
        caller_id: cell.made("caller_id", |text| AgentId::new(text).ok())?,
        callee_id: cell.made("callee_id", |text| AgentId::new(text).ok())?,
        status: cell.made("status", status::Status::parse)?,
        attempt: cell.number("attempt")?,
        max_attempts: cell.number("max_attempts")?,
        epoch: cell.number("epoch")?,
        held: cell.plain("held")?,
        dispatched: cell.plain("dispatched")?,
        claim_id: cell.maybe_made("claim_id", |text| ClaimId::new(text).ok())?,
        error_detail: cell.plain("error_detail")?,
        failure: cell.maybe_made("failure", status::FailureKind::parse)?,
        stuck_reason: cell.maybe_made("stuck_reason", status::StuckReason::parse)?,
        stuck_at: cell.maybe_time("stuck_at")?,
        waiting: cell.maybe_made("waiting", Waiting::restored)?,
        queued_at: cell.time("queued_at")?,
        clocks_from: cell.maybe_time("clocks_from")?,
        last_heartbeat: cell.maybe_time("last_heartbeat")?,
        progress_at: cell.maybe_time("progress_at")?,
        deadline: cell.time("deadline")?,
        terms: read_terms(&mut cell)?,
        idempotency_key: cell
            .maybe_made("idempotency_key", |text| IdempotencyKey::new(text).ok())?,
        parent_id: cell.maybe_made("parent_id", |text| DelegationId::new(text).ok())?,
        retry_of: cell.maybe_made("retry_of", |text| DelegationId::new(text).ok())?,
        depth: cell.number("depth")?,
        fingerprint: cell.hash("fingerprint")?,
        answer_hash: cell.maybe_hash("answer_hash")?,
        late_count: cell.number("late_count")?,
        version: cell.number("version")?,
        created_at: cell.time("created_at")?,
        updated_at: cell.time("updated_at")?,
        finished_at: cell.maybe_time("finished_at")?,
        last_act: (
            cell.made("last_act_kind", change::EventKind::parse)?,
            cell.made("last_act_role", change::Role::parse)?,
        ),
    };
    Ok(Row { num, delegation, progress: cell.json("progress")? })
}

fn read_terms(cell: &mut Cell<'_>) -> Result<Terms, Trouble> {
    Ok(Terms {
        stuck_threshold_s: cell.maybe_number("stuck_threshold_s")?,
        stuck_grace_s: cell.maybe_number("stuck_grace_s")?,
        start_within_s: cell.maybe_number("start_within_s")?,
        on_not_started: cell.made("on_not_started", terms::OnNotStarted::parse)?,
        progress_within_s: cell.maybe_number("progress_within_s")?,
        priority: cell.number("priority")?,
        notify: Notify {
            stuck: cell.plain("notify_stuck")?,
            recovered: cell.plain("notify_recovered")?,
        },
        cancel_children: cell.plain("cancel_children")?,
    })
}

/// Walks the columns of one row, left to right.
pub(crate) struct Cell<'row> {
    table: &'static str,
    num: i64,
    row: &'row tokio_postgres::Row,
    next: usize,
}

impl<'row> Cell<'row> {
    /// Begins at column `next` of the row whose key in `table` is `num`.
    pub(crate) fn at(
        table: &'static str,
        num: i64,
        row: &'row tokio_postgres::Row,
        next: usize,
    ) -> Self {
        Self { table, num, row, next }
    }

    fn corrupt(&self, column: &'static str, value: &impl ToString) -> Trouble {
        let (table, row) = (self.table, self.num.to_string());
        CorruptRow { table, column, row, value: value.to_string() }.into()
    }

    pub(crate) fn missing(&self, column: &'static str) -> Trouble {
        self.corrupt(column, &"NULL")
    }

    /// A value that stands for itself.
    pub(crate) fn plain<T: FromSql<'row>>(&mut self, column: &'static str) -> Result<T, Trouble> {
        self.next += 1;
        self.row.try_get(self.next - 1).map_err(|why| self.corrupt(column, &why))
    }

    /// A whole number.
    pub(crate) fn number<T: TryFrom<i64>>(&mut self, column: &'static str) -> Result<T, Trouble> {
        self.maybe_number(column)?.ok_or_else(|| self.missing(column))
    }

    /// A whole number, or nothing.
    pub(crate) fn maybe_number<T: TryFrom<i64>>(
        &mut self,
        column: &'static str,
    ) -> Result<Option<T>, Trouble> {
        let wide: Option<i64> = self.plain(column)?;
        wide.map(|wide| T::try_from(wide).map_err(|_| self.corrupt(column, &wide))).transpose()
    }

    /// A text that must make something.
    pub(crate) fn made<T>(
        &mut self,
        column: &'static str,
        make: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Trouble> {
        self.maybe_made(column, make)?.ok_or_else(|| self.missing(column))
    }

    /// A text that must make something, or nothing.
    pub(crate) fn maybe_made<T>(
        &mut self,
        column: &'static str,
        make: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Trouble> {
        let Some(text) = self.plain::<Option<&str>>(column)? else { return Ok(None) };
        make(text).map(Some).ok_or_else(|| self.corrupt(column, &text))
    }

    pub(crate) fn time(&mut self, column: &'static str) -> Result<Time, Trouble> {
        self.plain(column).map(Time)
    }

    pub(crate) fn maybe_time(&mut self, column: &'static str) -> Result<Option<Time>, Trouble> {
        Ok(self.plain::<Option<i64>>(column)?.map(Time))
    }

    /// So many bytes.
    pub(crate) fn hash<const N: usize>(
        &mut self,
        column: &'static str,
    ) -> Result<[u8; N], Trouble> {
        self.maybe_hash(column)?.ok_or_else(|| self.missing(column))
    }

    fn maybe_hash<const N: usize>(
        &mut self,
        column: &'static str,
    ) -> Result<Option<[u8; N]>, Trouble> {
        let Some(bytes) = self.plain::<Option<&[u8]>>(column)? else { return Ok(None) };
        let of_another_length = |_| self.corrupt(column, &format!("{} bytes", bytes.len()));
        bytes.try_into().map(Some).map_err(of_another_length)
    }

    /// Two columns: the form and the text of a payload, or nothing.
    pub(crate) fn payload(&mut self) -> Result<Option<Payload>, Trouble> {
        let form: Option<&str> = self.plain("form")?;
        let text: Option<String> = self.plain("text")?;
        Ok(form.zip(text).map(|(form, text)| match form {
            "json" => Payload::Json(Json::trusted(text)),
            _ => Payload::Text(text),
        }))
    }

    /// A JSON text, or nothing.
    pub(crate) fn json(&mut self, column: &'static str) -> Result<Option<Json>, Trouble> {
        Ok(self.plain::<Option<String>>(column)?.map(Json::trusted))
    }
}
