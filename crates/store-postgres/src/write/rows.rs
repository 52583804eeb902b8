//! Delegations: each kind of write is one statement over arrays, one per column.

use std::collections::HashMap;
use std::sync::LazyLock;

use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::waiting::Waiting;
use consign_ledger::{RowWrite, Time, Was};
use tokio_postgres::Statement;

use super::pipeline::{Pipeline, Values, column};
use crate::connect::Connection;
use crate::failure::Trouble;

/// A column and its type.
type Column = (&'static str, &'static str);

/// What stays as it was created.
const FIRST: [Column; 17] = [
    ("delegation_id", "text"),
    ("caller_id", "text"),
    ("idempotency_key", "text"),
    ("parent_id", "text"),
    ("retry_of", "text"),
    ("depth", "bigint"),
    ("fingerprint", "bytea"),
    ("created_at", "bigint"),
    ("on_not_started", "text"),
    ("priority", "bigint"),
    ("notify_stuck", "boolean"),
    ("notify_recovered", "boolean"),
    ("cancel_children", "boolean"),
    ("stuck_threshold_s", "bigint"),
    ("stuck_grace_s", "bigint"),
    ("start_within_s", "bigint"),
    ("progress_within_s", "bigint"),
];

/// What events change.
const MOVING: [Column; 25] = [
    ("callee_id", "text"),
    ("status", "text"),
    ("attempt", "bigint"),
    ("max_attempts", "bigint"),
    ("epoch", "bigint"),
    ("held", "boolean"),
    ("dispatched", "boolean"),
    ("claim_id", "text"),
    ("error_detail", "text"),
    ("failure", "text"),
    ("stuck_reason", "text"),
    ("stuck_at", "bigint"),
    ("waiting", "text"),
    ("queued_at", "bigint"),
    ("clocks_from", "bigint"),
    ("last_heartbeat", "bigint"),
    ("progress_at", "bigint"),
    ("deadline", "bigint"),
    ("answer_hash", "bytea"),
    ("late_count", "bigint"),
    ("version", "bigint"),
    ("updated_at", "bigint"),
    ("finished_at", "bigint"),
    ("last_act_kind", "text"),
    ("last_act_role", "text"),
];

/// Numbered in the order of the batch, and inserted in the order of their ids: two batches that bring the same ids
/// wait for each other in one direction only.
static INSERT: LazyLock<String> = LazyLock::new(|| {
    let columns = [&FIRST[..], &MOVING[..]].concat();
    let names = names(&columns);
    format!(
        "WITH numbered AS MATERIALIZED (
             SELECT nextval('delegation_nums') AS num, {names} FROM (
                 SELECT * FROM unnest({}) WITH ORDINALITY AS n ({names}, place) ORDER BY place) n
         )
         INSERT INTO delegations (num, {names}) SELECT num, {names} FROM numbered ORDER BY delegation_id
         ON CONFLICT DO NOTHING RETURNING num, delegation_id",
        arrays(&columns)
    )
});

/// Writes what events change, where the row still is at the version that was loaded.
static UPDATE: LazyLock<String> = LazyLock::new(|| {
    let columns = [&[("num", "bigint"), ("was", "bigint")][..], &MOVING[..]].concat();
    let set: Vec<_> = MOVING.iter().map(|(name, _)| format!("{name} = n.{name}")).collect();
    format!(
        "UPDATE delegations d SET {} FROM unnest({}) AS n ({})
         WHERE d.num = n.num AND d.version = n.was",
        set.join(", "),
        arrays(&columns),
        names(&columns)
    )
});

fn names(columns: &[Column]) -> String {
    columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

fn arrays(columns: &[Column]) -> String {
    let array = |(at, (_, kind)): (usize, &Column)| format!("${}::{kind}[]", at + 1);
    columns.iter().enumerate().map(array).collect::<Vec<_>>().join(", ")
}

/// The rows that did not exist.
pub(super) struct New<'a>(Vec<&'a Delegation>);

/// The rows that existed and that events changed, with what they were.
pub(super) struct Changed<'a>(Vec<(i64, u64, &'a Delegation)>);

impl<'a> New<'a> {
    pub(super) fn of(rows: &'a [RowWrite]) -> Self {
        let new = rows.iter().filter(|row| matches!(row.was, Was::New(_)));
        Self(new.map(|row| &row.delegation).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) async fn prepare(&self, connection: &Connection) -> Result<Statement, Trouble> {
        Ok(connection.prepare_cached(&INSERT).await?)
    }

    /// The number of each row that nobody else inserted first, by its id.
    pub(super) async fn insert(
        &self,
        connection: &Connection,
        statement: Statement,
    ) -> Result<HashMap<String, i64>, Trouble> {
        if self.0.is_empty() {
            return Ok(HashMap::new());
        }
        let mut values = first(&self.0);
        values.extend(moving(&self.0));
        let values: Vec<_> = values.iter().map(|value| &**value as _).collect();
        let inserted = connection.query(&statement, &values).await?;
        inserted.iter().map(|row| Ok((row.try_get(1)?, row.try_get(0)?))).collect()
    }
}

impl<'a> Changed<'a> {
    pub(super) fn of(rows: &'a [RowWrite]) -> Self {
        let changed = |row: &'a RowWrite| match row.was {
            Was::Known(num, version) if row.delegation.version != version => {
                Some((num, version, &row.delegation))
            }
            _ => None,
        };
        Self(rows.iter().filter_map(changed).collect())
    }

    pub(super) async fn write(&self, pipeline: &mut Pipeline<'a>) -> Result<(), Trouble> {
        if self.0.is_empty() {
            return Ok(());
        }
        let nums: Vec<i64> = self.0.iter().map(|it| it.0).collect();
        let was: Vec<i64> = self.0.iter().map(|it| it.1.cast_signed()).collect();
        let rows: Vec<_> = self.0.iter().map(|it| it.2).collect();
        let mut values: Values<'_> = vec![Box::new(nums), Box::new(was)];
        values.extend(moving(&rows));
        pipeline.execute(&UPDATE, values).await
    }

    /// All of them must have been what was loaded.
    pub(super) fn check(&self, written: Option<u64>) -> Result<(), Trouble> {
        match self.0.first() {
            Some((num, ..)) if written != Some(self.0.len() as u64) => Err(Trouble::Moved(*num)),
            _ => Ok(()),
        }
    }
}

/// The numbers of the rows, place by place.
pub(super) fn nums(rows: &[RowWrite], inserted: &HashMap<String, i64>) -> Vec<i64> {
    let num = |row: &RowWrite| match row.was {
        Was::Known(num, _) => num,
        Was::New(_) => inserted[row.delegation.delegation_id.as_str()],
    };
    rows.iter().map(num).collect()
}

pub(super) fn ms(time: Option<Time>) -> Option<i64> {
    time.map(|time| time.0)
}

/// The values of [`FIRST`].
fn first<'a>(rows: &[&'a Delegation]) -> Values<'a> {
    vec![
        column(rows, |d| d.delegation_id.as_str()),
        column(rows, |d| d.caller_id.as_str()),
        column(rows, |d| d.idempotency_key.as_ref().map(|key| key.as_str())),
        column(rows, |d| d.parent_id.as_ref().map(|id| id.as_str())),
        column(rows, |d| d.retry_of.as_ref().map(|id| id.as_str())),
        column(rows, |d| i64::from(d.depth)),
        column(rows, |d| &d.fingerprint[..]),
        column(rows, |d| d.created_at.0),
        column(rows, |d| d.terms.on_not_started.as_str()),
        column(rows, |d| i64::from(d.terms.priority)),
        column(rows, |d| d.terms.notify.stuck),
        column(rows, |d| d.terms.notify.recovered),
        column(rows, |d| d.terms.cancel_children),
        column(rows, |d| d.terms.stuck_threshold_s.map(i64::from)),
        column(rows, |d| d.terms.stuck_grace_s.map(i64::from)),
        column(rows, |d| d.terms.start_within_s.map(i64::from)),
        column(rows, |d| d.terms.progress_within_s.map(i64::from)),
    ]
}

/// The values of [`MOVING`].
fn moving<'a>(rows: &[&'a Delegation]) -> Values<'a> {
    vec![
        column(rows, |d| d.callee_id.as_str()),
        column(rows, |d| d.status.as_str()),
        column(rows, |d| i64::from(d.attempt)),
        column(rows, |d| i64::from(d.max_attempts)),
        column(rows, |d| d.epoch),
        column(rows, |d| d.held),
        column(rows, |d| d.dispatched),
        column(rows, |d| d.claim_id.as_ref().map(|id| id.as_str())),
        column(rows, |d| d.error_detail.as_deref()),
        column(rows, |d| d.failure.map(|failure| failure.as_str())),
        column(rows, |d| d.stuck_reason.map(|reason| reason.as_str())),
        column(rows, |d| ms(d.stuck_at)),
        column(rows, |d| d.waiting.as_ref().map(Waiting::stored)),
        column(rows, |d| d.queued_at.0),
        column(rows, |d| ms(d.clocks_from)),
        column(rows, |d| ms(d.last_heartbeat)),
        column(rows, |d| ms(d.progress_at)),
        column(rows, |d| d.deadline.0),
        column(rows, |d| d.answer_hash.as_ref().map(|hash| &hash[..])),
        column(rows, |d| i64::from(d.late_count)),
        column(rows, |d| d.version.cast_signed()),
        column(rows, |d| d.updated_at.0),
        column(rows, |d| ms(d.finished_at)),
        column(rows, |d| d.last_act.0.as_str()),
        column(rows, |d| d.last_act.1.as_str()),
    ]
}
