//! The locks of claims: names first, before any row is locked, and candidates last, without waiting for anybody.

use consign_ledger::command::CLAIM_MAX;
use consign_ledger::{Agent, AgentId, BadRow, ClaimId, LOAD_COUNT_MAX, Load, Questions};
use tokio_postgres::{Error, Row, Statement};

use super::load::Value;
use crate::connect::Connection;
use crate::failure::Trouble;
use crate::read::wide;

/// One claim of a name at a time, on all replicas: what the first takes, the second finds. In one order for
/// everybody; two names that share a number only wait for each other.
const LOCK_NAMES: &str = "
    SELECT pg_advisory_xact_lock(name)
    FROM (SELECT DISTINCT hashtextextended(callee_id || chr(31) || claim_id, 0) AS name
          FROM unnest($1::text[], $2::text[]) c (callee_id, claim_id) ORDER BY name) n";

/// Locks what the rules call claimable, but for the last word on the deadline, as far as nobody else has it: replicas
/// do not wait for each other's claims. Beside what the batch asks for by name, which may be taken by then. The first
/// terms are those of its index.
const LOCK_CLAIMABLE: &str = "
    SELECT c.num FROM unnest($1::text[], $2::bigint[]) a (callee_id, wanted)
    CROSS JOIN LATERAL (
        SELECT d.num FROM delegations d
        WHERE d.callee_id = a.callee_id AND NOT d.held AND NOT d.dispatched AND d.status IN ('queued', 'stuck')
          AND d.deadline >= $3 AND d.num <> ALL ($4::bigint[]) AND d.delegation_id <> ALL ($5::text[])
        ORDER BY d.priority DESC, d.queued_at, d.num LIMIT a.wanted
        FOR NO KEY UPDATE SKIP LOCKED) c";

pub(super) const LOADS: &str = "
    SELECT a.agent_id,
           (SELECT count(*) FROM (SELECT 1 FROM delegations d
                                  WHERE d.callee_id = a.agent_id AND d.held AND d.finished_at IS NULL LIMIT $2) h),
           (SELECT count(*) FROM (SELECT 1 FROM delegations d
                                  WHERE d.callee_id = a.agent_id AND d.status = 'queued' LIMIT $2) q)
    FROM unnest($1::text[]) a (agent_id)";

/// What a batch claims, as arrays.
pub(super) struct Claims<'q> {
    callees: Vec<&'q str>,
    wanted: Vec<i64>,
    pub(super) holders: Vec<&'q str>,
    pub(super) names: Vec<&'q str>,
    pub(super) held_max: i64,
    /// What could be claimed if it could be read: it holds up nobody behind it.
    unreadable: Vec<i64>,
}

/// The statements, prepared.
pub(super) struct Prepared {
    names: Statement,
    claimable: Statement,
}

impl<'q> Claims<'q> {
    pub(super) fn of(questions: &'q Questions) -> Self {
        let (claims, held) = (&questions.claims, &questions.held_under);
        Self {
            callees: claims.iter().map(|(callee, _)| AgentId::as_str(callee)).collect(),
            wanted: claims.iter().map(|(_, wanted)| wide(*wanted)).collect(),
            holders: held.iter().map(|(callee, _)| AgentId::as_str(callee)).collect(),
            names: held.iter().map(|(_, name)| ClaimId::as_str(name)).collect(),
            held_max: wide(CLAIM_MAX),
            unreadable: vec![],
        }
    }

    pub(super) async fn prepare(&self, connection: &Connection) -> Result<Prepared, Trouble> {
        Ok(Prepared {
            names: connection.prepare_cached(LOCK_NAMES).await?,
            claimable: connection.prepare_cached(LOCK_CLAIMABLE).await?,
        })
    }

    pub(super) async fn lock_names(
        &self,
        connection: &Connection,
        prepared: &Prepared,
    ) -> Result<(), Error> {
        if self.names.is_empty() {
            return Ok(());
        }
        let names: [Value<'_>; 2] = [&self.holders, &self.names];
        connection.execute(&prepared.names, &names).await.map(drop)
    }

    /// The numbers of what may be claimed; what is past its deadline at `now_ms` is not.
    pub(super) async fn lock_claimable(
        &self,
        connection: &Connection,
        prepared: &Prepared,
        now_ms: i64,
        named: &[&str],
    ) -> Result<Vec<Row>, Error> {
        if self.callees.is_empty() {
            return Ok(vec![]);
        }
        let wanted: [Value<'_>; 5] =
            [&self.callees, &self.wanted, &now_ms, &self.unreadable, &named];
        connection.query(&prepared.claimable, &wanted).await
    }

    /// Leaves these out from now on. Whether any of them is new here.
    pub(super) fn leave_out<'b>(&mut self, unreadable: impl Iterator<Item = &'b BadRow>) -> bool {
        let known = self.unreadable.len();
        for bad in unreadable {
            tracing::error!(num = bad.num, why = %bad.why, "a row cannot exist, and is not handed out");
            self.unreadable.push(bad.num);
        }
        self.unreadable.len() > known
    }
}

/// How much callees have to do, only where it matters: most have no limit. The records of those that have one are
/// locked, so on all replicas one batch at a time counts up to it.
pub(super) async fn loads(
    connection: &Connection,
    questions: &Questions,
    agents: &[Agent],
) -> Result<Vec<(AgentId, Load)>, Trouble> {
    let matters = |id: &&AgentId| {
        let record = agents.iter().find(|agent| agent.agent_id == **id);
        questions.agents_written.contains(id) || record.is_some_and(|it| it.terms.has_limits())
    };
    let asked: Vec<&AgentId> = questions.loads.iter().filter(matters).collect();
    if asked.is_empty() {
        return Ok(vec![]);
    }
    let statement = connection.prepare_cached(LOADS).await?;
    let ids: Vec<&str> = asked.iter().map(|id| id.as_str()).collect();
    let rows = connection.query(&statement, &[&ids, &i64::from(LOAD_COUNT_MAX)]).await?;
    let count = |row: &Row, at| -> Result<u32, Trouble> {
        Ok(u32::try_from(row.try_get::<_, i64>(at)?).unwrap_or(LOAD_COUNT_MAX))
    };
    let mut loads = Vec::with_capacity(asked.len());
    for (id, row) in asked.into_iter().zip(&rows) {
        loads.push((id.clone(), Load { held: count(row, 1)?, queued: count(row, 2)? }));
    }
    Ok(loads)
}
