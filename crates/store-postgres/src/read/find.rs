//! One delegation whole, and rows by number. Each is one statement, so that all of it is of one moment.

use std::collections::HashMap;
use std::sync::LazyLock;

use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::watch::RowNum;
use consign_ledger::{Bodies, DelegationId};

use super::row::{COLUMN_COUNT, COLUMNS, Cell, ROW_FROM, read_row};
use crate::connect::Connection;
use crate::failure::Trouble;

static BY_ID: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {COLUMNS}, t.form, coalesce(t.whole, t.preview), t.metadata, r.form, coalesce(r.whole, r.preview)
         FROM {ROW_FROM} LEFT JOIN tasks t ON t.num = d.num LEFT JOIN results r ON r.num = d.num
         WHERE d.delegation_id = $1"
    )
});

static BY_NUMS: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {COLUMNS} FROM {ROW_FROM} WHERE d.num = ANY($1)"));

pub(crate) async fn find(
    connection: &Connection,
    id: &DelegationId,
) -> Result<Option<(Delegation, Bodies)>, Trouble> {
    let statement = connection.prepare_cached(&BY_ID).await?;
    let Some(found) = connection.query_opt(&statement, &[&id.as_str()]).await? else {
        return Ok(None);
    };
    let row = read_row(&found)?.map_err(|bad| bad.why)?;
    let mut cell = Cell::at("tasks", row.num, &found, COLUMN_COUNT);
    let bodies = Bodies {
        task: cell.payload()?.ok_or_else(|| cell.missing("form"))?,
        metadata: cell.json("metadata")?,
        result: cell.payload()?,
        progress: row.progress,
    };
    Ok(Some((row.delegation, bodies)))
}

pub(crate) async fn delegations(
    connection: &Connection,
    nums: &[RowNum],
) -> Result<Vec<Delegation>, Trouble> {
    let statement = connection.prepare_cached(&BY_NUMS).await?;
    let mut found = HashMap::new();
    for row in connection.query(&statement, &[&nums]).await? {
        if let Ok(row) = read_row(&row)? {
            found.insert(row.num, row.delegation);
        }
    }
    Ok(nums.iter().filter_map(|num| found.get(num).cloned()).collect())
}
