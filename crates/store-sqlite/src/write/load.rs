//! What a batch needs to know. `BEGIN IMMEDIATE` on the only writer is the lock on all of it.

use std::collections::HashSet;

use consign_ledger::command::CLAIM_MAX;
use consign_ledger::delegation::listening::Listening;
use consign_ledger::delegation::status::Status;
use consign_ledger::delegation::watch::RowNum;
use consign_ledger::{
    AgentId, ClaimId, DelegationId, IdempotencyKey, InboxState, LOAD_COUNT_MAX, LateKey, Load,
    Loaded, Questions, Row, Time,
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::failure::Trouble;
use crate::prepared::Prepared;
use crate::read::{self, RowOr};

/// What the rules call claimable, but for the last word on the deadline. Its first terms are those of its index.
pub(crate) const CLAIMABLE: &str = "
    SELECT num FROM delegations
    WHERE callee_id = ?1 AND held = 0 AND dispatched = 0 AND (status = 'queued' OR status = 'stuck')
      AND deadline >= ?2
    ORDER BY priority DESC, queued_at, num";

pub(crate) const HELD_UNDER: &str = "
    SELECT num FROM delegations
    WHERE callee_id = ?1 AND claim_id = ?2 AND held = 1 AND finished_at IS NULL
    ORDER BY num LIMIT ?3";

pub(crate) const HELD: &str = "
    SELECT count(*) FROM (
        SELECT 1 FROM delegations WHERE callee_id = ?1 AND held = 1 AND finished_at IS NULL LIMIT ?2)";

pub(super) fn load(
    connection: &Connection,
    questions: &Questions,
    now: Time,
) -> Result<Loaded, Trouble> {
    let mut loading = Loading::new(connection, now);
    for id in &questions.ids {
        loading.row(id)?;
    }
    for num in &questions.nums {
        loading.numbered(*num)?;
    }
    for key in &questions.keys {
        loading.key(key)?;
    }
    for id in &questions.retries_of {
        loading.retry_of(id)?;
    }
    for (callee_id, claim_id) in &questions.held_under {
        loading.held_under(callee_id, claim_id)?;
    }
    loading.parents()?;
    for (callee_id, wanted) in &questions.claims {
        loading.claimable(callee_id, *wanted)?;
    }
    for id in &questions.lineages {
        loading.lineage(id)?;
    }
    for id in &questions.agents {
        loading.agent(id)?;
    }
    for id in &questions.loads {
        loading.load(id, questions)?;
    }
    for id in &questions.ties {
        loading.ties(id)?;
    }
    for id in &questions.inboxes {
        loading.inbox(id)?;
    }
    if questions.listening {
        loading.listening()?;
    }
    Ok(loading.loaded)
}

struct Loading<'db> {
    connection: &'db Connection,
    /// For rows, of which there are many.
    statements: Prepared<'db>,
    /// What was looked for already, found or not.
    seen: HashSet<DelegationId>,
    seen_nums: HashSet<RowNum>,
    loaded: Loaded,
}

impl<'db> Loading<'db> {
    fn new(connection: &'db Connection, now: Time) -> Self {
        let loaded = Loaded {
            now,
            rows: vec![],
            corrupt: vec![],
            keys: vec![],
            retries: vec![],
            late: vec![],
            agents: vec![],
            loads: vec![],
            inboxes: vec![],
            ties: vec![],
            listening: Listening::default(),
        };
        let statements = Prepared::on(connection);
        Self { connection, statements, seen: HashSet::new(), seen_nums: HashSet::new(), loaded }
    }

    fn row(&mut self, id: &DelegationId) -> Result<(), Trouble> {
        if self.seen.insert(id.clone()) {
            let row = read::row_by_id(&mut self.statements, id)?;
            self.keep(row)?;
        }
        Ok(())
    }

    fn numbered(&mut self, num: RowNum) -> Result<(), Trouble> {
        if !self.seen_nums.contains(&num) {
            let row = read::row_by_num(&mut self.statements, num)?;
            self.keep(row)?;
        }
        Ok(())
    }

    fn keep(&mut self, row: Option<RowOr>) -> Result<(), Trouble> {
        match row {
            None => {}
            Some(Err(bad)) => self.loaded.corrupt.push(bad),
            Some(Ok(row)) if !self.seen_nums.insert(row.num) => {}
            Some(Ok(row)) => {
                self.seen.insert(row.delegation.delegation_id.clone());
                self.late(&row)?;
                self.loaded.rows.push(row);
            }
        }
        Ok(())
    }

    fn late(&mut self, row: &Row) -> Result<(), Trouble> {
        if row.delegation.late_count == 0 {
            return Ok(());
        }
        let sql = "SELECT epoch, content FROM late_results WHERE num = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let keys = statement.query_map([row.num], |late| Ok((late.get(0)?, late.get(1)?)))?;
        for key in keys {
            let (epoch, content) = key?;
            let delegation_id = row.delegation.delegation_id.clone();
            self.loaded.late.push(LateKey { delegation_id, epoch, content });
        }
        Ok(())
    }

    fn key(&mut self, key: &(AgentId, IdempotencyKey)) -> Result<(), Trouble> {
        let sql = "SELECT d.delegation_id FROM keys k JOIN delegations d ON d.num = k.num
                   WHERE k.caller_id = ?1 AND k.idempotency_key = ?2";
        let holder = self.one_id(sql, params![key.0.as_str(), key.1.as_str()])?;
        let Some(holder) = holder else { return Ok(()) };
        self.row(&holder)?;
        self.loaded.keys.push((key.clone(), holder));
        Ok(())
    }

    fn retry_of(&mut self, id: &DelegationId) -> Result<(), Trouble> {
        // Asking for the old one's key, too: a retry takes it over where it is free.
        let old =
            self.loaded.rows.iter().map(|row| &row.delegation).find(|old| old.delegation_id == *id);
        let key = old.and_then(|old| Some((old.caller_id.clone(), old.idempotency_key.clone()?)));
        if let Some(key) = key {
            self.key(&key)?;
        }
        let sql = "SELECT delegation_id FROM delegations WHERE retry_of = ?1";
        let Some(retry) = self.one_id(sql, params![id.as_str()])? else { return Ok(()) };
        self.row(&retry)?;
        self.loaded.retries.push((id.clone(), retry));
        Ok(())
    }

    fn one_id(
        &self,
        sql: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> Result<Option<DelegationId>, Trouble> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let id: Option<String> = statement.query_row(values, |row| row.get(0)).optional()?;
        // An id that cannot exist is met again, and named, when its own row is read.
        Ok(id.and_then(|id| DelegationId::new(&id).ok()))
    }

    fn held_under(&mut self, callee_id: &AgentId, claim_id: &ClaimId) -> Result<(), Trouble> {
        let mut statement = self.connection.prepare_cached(HELD_UNDER)?;
        let values = params![callee_id.as_str(), claim_id.as_str(), CLAIM_MAX];
        let nums = statement.query_map(values, |row| row.get(0))?;
        nums.collect::<Result<Vec<_>, _>>()?.into_iter().try_for_each(|num| self.numbered(num))
    }

    /// Walks the queue until as many as are wanted could be read beside what the batch asks for by name, which may be
    /// taken by then: and a row that cannot exist holds up nobody behind it.
    fn claimable(&mut self, callee_id: &AgentId, wanted: usize) -> Result<(), Trouble> {
        let mut statement = self.connection.prepare_cached(CLAIMABLE)?;
        let mut nums = statement.query(params![callee_id.as_str(), self.loaded.now.0])?;
        let enough = self.loaded.rows.len() + wanted;
        while self.loaded.rows.len() < enough {
            let Some(row) = nums.next()? else { break };
            self.numbered(row.get(0)?)?;
        }
        Ok(())
    }

    /// A verdict may end the parent's wait, and a parent clips a deadline.
    fn parents(&mut self) -> Result<(), Trouble> {
        let parents: Vec<_> =
            self.loaded.rows.iter().filter_map(|row| row.delegation.parent_id.clone()).collect();
        parents.iter().try_for_each(|id| self.row(id))
    }

    fn lineage(&mut self, id: &DelegationId) -> Result<(), Trouble> {
        let mut next = Some(id.clone());
        while let Some(id) = next {
            self.row(&id)?;
            let row = self.loaded.rows.iter().find(|row| row.delegation.delegation_id == id);
            next = row.and_then(|row| row.delegation.parent_id.clone());
        }
        Ok(())
    }

    fn agent(&mut self, id: &AgentId) -> Result<(), Trouble> {
        self.loaded.agents.extend(read::agent_record(self.connection, id)?);
        Ok(())
    }

    /// Only where it matters: most agents have no limit.
    fn load(&mut self, id: &AgentId, questions: &Questions) -> Result<(), Trouble> {
        let record = self.loaded.agents.iter().find(|agent| agent.agent_id == *id);
        let matters = questions.agents_written.contains(id)
            || record.is_some_and(|agent| agent.terms.has_limits());
        if matters {
            let values = params![id.as_str(), LOAD_COUNT_MAX];
            let held = self.connection.prepare_cached(HELD)?.query_row(values, |row| row.get(0))?;
            let queued = read::work(self.connection, id)?[Status::Queued.index()];
            let queued = u32::try_from(queued).unwrap_or(u32::MAX).min(LOAD_COUNT_MAX);
            self.loaded.loads.push((id.clone(), Load { held, queued }));
        }
        Ok(())
    }

    fn ties(&mut self, id: &DelegationId) -> Result<(), Trouble> {
        let ties = read::ties(self.connection, id)?;
        self.loaded.ties.extend(ties.map(|ties| (id.clone(), ties)));
        Ok(())
    }

    fn inbox(&mut self, id: &AgentId) -> Result<(), Trouble> {
        let (acked_through, newest) = read::inbox_state(self.connection, id)?;
        self.loaded.inboxes.push((id.clone(), InboxState { acked_through, newest }));
        Ok(())
    }

    /// The gaps since the earliest clock that runs.
    fn listening(&mut self) -> Result<(), Trouble> {
        let clocks = self.loaded.rows.iter().map(|row| row.delegation.listens_from());
        let since = clocks.min().unwrap_or(Time(i64::MAX));
        self.loaded.listening = read::listening(self.connection, since)?;
        Ok(())
    }
}
