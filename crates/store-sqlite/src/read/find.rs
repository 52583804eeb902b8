//! One delegation whole, and rows by number.

use std::sync::LazyLock;

use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::watch::RowNum;
use consign_ledger::{Bodies, DelegationId, Json};
use rusqlite::{Connection, OptionalExtension, params};

use super::row::{COLUMNS, ROW_FROM, RowOr, payload, read_row};
use crate::failure::Trouble;
use crate::prepared::Prepared;

static BY_ID: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {COLUMNS} FROM {ROW_FROM} WHERE d.delegation_id = ?1"));
static BY_NUM: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {COLUMNS} FROM {ROW_FROM} WHERE d.num = ?1"));

/// The row with this id, or what is wrong with it.
pub(crate) fn row_by_id(
    statements: &mut Prepared<'_>,
    id: &DelegationId,
) -> Result<Option<RowOr>, Trouble> {
    statements.get(&BY_ID)?.query_and_then([id.as_str()], read_row)?.next().transpose()
}

/// The row with this number, or what is wrong with it.
pub(crate) fn row_by_num(
    statements: &mut Prepared<'_>,
    num: RowNum,
) -> Result<Option<RowOr>, Trouble> {
    statements.get(&BY_NUM)?.query_and_then([num], read_row)?.next().transpose()
}

pub(crate) fn find(
    connection: &Connection,
    id: &DelegationId,
) -> Result<Option<(Delegation, Bodies)>, Trouble> {
    let Some(row) = row_by_id(&mut Prepared::on(connection), id)? else { return Ok(None) };
    let row = row.map_err(|bad| bad.why)?;
    let (task, metadata) = connection
        .prepare_cached(
            "SELECT form, coalesce(whole, preview), metadata FROM tasks WHERE num = ?1",
        )?
        .query_row([row.num], |task| {
            let form: String = task.get(0)?;
            Ok((payload(&form, task.get(1)?), task.get::<_, Option<String>>(2)?.map(Json::trusted)))
        })?;
    let result = connection
        .prepare_cached("SELECT form, coalesce(whole, preview) FROM results WHERE num = ?1")?
        .query_row(params![row.num], |result| {
            Ok(payload(&result.get::<_, String>(0)?, result.get(1)?))
        })
        .optional()?;
    let bodies = Bodies { task, result, metadata, progress: row.progress };
    Ok(Some((row.delegation, bodies)))
}

pub(crate) fn delegations(
    connection: &Connection,
    nums: &[RowNum],
) -> Result<Vec<Delegation>, Trouble> {
    let statements = &mut Prepared::on(connection);
    let mut found = Vec::with_capacity(nums.len());
    for num in nums {
        if let Some(Ok(row)) = row_by_num(statements, *num)? {
            found.push(row.delegation);
        }
    }
    Ok(found)
}
