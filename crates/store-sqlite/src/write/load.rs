//! What a batch needs to know. `BEGIN IMMEDIATE` on the only writer is the lock on all of it.

use std::collections::HashSet;

use consign_ledger::delegation::listening::Listening;
use consign_ledger::delegation::watch::RowNum;
use consign_ledger::{
    AgentId, DelegationId, IdempotencyKey, InboxState, LateKey, Loaded, Questions, Row, Time,
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::failure::Trouble;
use crate::read::{self, RowOr};

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
    loading.parents()?;
    for id in &questions.lineages {
        loading.lineage(id)?;
    }
    for id in &questions.agents {
        loading.agent(id)?;
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
            inboxes: vec![],
            listening: Listening::default(),
        };
        Self { connection, seen: HashSet::new(), seen_nums: HashSet::new(), loaded }
    }

    fn row(&mut self, id: &DelegationId) -> Result<(), Trouble> {
        if self.seen.insert(id.clone()) {
            let row = read::row_by_id(self.connection, id)?;
            self.keep(row)?;
        }
        Ok(())
    }

    fn numbered(&mut self, num: RowNum) -> Result<(), Trouble> {
        if !self.seen_nums.contains(&num) {
            let row = read::row_by_num(self.connection, num)?;
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
