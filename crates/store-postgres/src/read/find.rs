//! One delegation whole, and rows by number.

use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::watch::RowNum;
use consign_ledger::{Bodies, DelegationId};

use crate::connect::Connection;
use crate::failure::Trouble;

pub(crate) async fn find(
    _connection: &Connection,
    _id: &DelegationId,
) -> Result<Option<(Delegation, Bodies)>, Trouble> {
    todo!()
}

pub(crate) async fn delegations(
    _connection: &Connection,
    _nums: &[RowNum],
) -> Result<Vec<Delegation>, Trouble> {
    todo!()
}
