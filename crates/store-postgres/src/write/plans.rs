//! The statements that every batch and every pass runs, for the plans' test: each in a transaction of its own that
//! is rolled back.

use consign_ledger::{AgentId, BatchId, ClaimId, DelegationId, Questions, Time};
use tokio_postgres::types::ToSql;

use super::beat::{REARM, alive_sql};
use super::claims::LOADS;
use super::load::{self, Asked};
use crate::connect::Connection;
use crate::failure::Trouble;
use crate::plans::{Query, queries};
use crate::time::{LedgerTime, Wall};

/// How many rows each statement is about.
const BATCH: i64 = 200;

struct Still;

impl consign_ledger::Clock for Still {
    fn wall_ms(&self) -> i64 {
        0
    }

    fn boot_ms(&self) -> i64 {
        0
    }
}

/// Rows in flight, spread over the table's beginning; every tenth has ended.
fn nums() -> Vec<i64> {
    (0..BATCH).map(|n| n * 10 + 1).collect()
}

async fn ids(connection: &Connection) -> Result<Vec<String>, Trouble> {
    let sql = "SELECT delegation_id FROM delegations WHERE num = ANY ($1)";
    let rows = connection.query(sql, &[&nums()]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// How many rows a batch that asks this loads.
async fn load(connection: &Connection, questions: Questions) -> Result<usize, Trouble> {
    let time = LedgerTime::new(Still, Wall::Given, Time(0), 0);
    let mut asked = Asked::of(&questions);
    let locked = load::lock(connection, BatchId([7; 16]), &asked, &time).await?;
    let Some(locked) = locked else { return Ok(0) };
    let loaded = load::read(connection, &mut asked, &locked, &time).await;
    connection.batch_execute("ROLLBACK").await?;
    Ok(loaded?.rows.len())
}

async fn run(
    connection: &Connection,
    sql: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<usize, Trouble> {
    connection.batch_execute("BEGIN").await?;
    let statement = connection.prepare_cached(sql).await?;
    let touched = connection.execute(&statement, values).await;
    connection.batch_execute("ROLLBACK").await?;
    Ok(usize::try_from(touched?).unwrap_or(usize::MAX))
}

async fn named(connection: &Connection) -> Result<Vec<DelegationId>, Trouble> {
    Ok(ids(connection).await?.iter().filter_map(|id| DelegationId::new(id).ok()).collect())
}

/// What is written often.
pub(crate) const HOT: &[Query] = queries! {
    "load rows by id": c => load(c, Questions { ids: named(c).await?, ..Questions::default() }).await?;
    "load ancestors and retries": c => {
        // Few: each is looked up in so many indexes that their height, which grows, is most of the cost.
        let lineages: Vec<_> = named(c).await?.into_iter().take(20).collect();
        let retries_of = lineages.clone();
        load(c, Questions { lineages, retries_of, ..Questions::default() }).await?
    };
    "load what a pass looks at": c => {
        load(c, Questions { nums: nums(), listening: true, ..Questions::default() }).await?
    };
    "load what may be claimed": c => {
        let claims = vec![(AgentId::new("callee-50").unwrap(), 20)];
        load(c, Questions { claims, ..Questions::default() }).await?
    };
    "count what agents have to do": c => {
        let ids = vec!["callee-50", "callee-60"];
        run(c, LOADS, &[&ids, &20_i64]).await?
    };
    "load what is held under a claim": c => {
        let claim = |name: &str| (AgentId::new("callee-60").unwrap(), ClaimId::new(name).unwrap());
        let held_under = ["claim-7", "claim-8"].map(claim).to_vec();
        load(c, Questions { held_under, ..Questions::default() }).await?
    };
    "beat": c => {
        let ids = ids(c).await?;
        let (epochs, said, moved) =
            (vec![0_i64; ids.len()], vec![Some("1"); ids.len()], vec![false; ids.len()]);
        run(c, &alive_sql(), &[&None::<i64>, &0_i64, &ids, &epochs, &said, &moved]).await?
    };
    "re-arm": c => {
        let seen = c.query("SELECT num, epoch, check_at, deadline FROM watch WHERE num = ANY ($1)", &[&nums()]).await?;
        let column = |at: usize| seen.iter().map(|row| row.get::<_, i64>(at)).collect::<Vec<_>>();
        run(c, REARM, &[&column(0), &column(1), &column(2), &column(3), &column(2)]).await?
    };
};
