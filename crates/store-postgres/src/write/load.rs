//! What a batch needs to know, locked until its end: rows first, then their watch rows, each in the order of
//! their numbers, so that no two batches wait for each other in a circle.

use std::collections::HashSet;

use consign_ledger::delegation::listening::Listening;
use consign_ledger::{
    AgentId, BatchId, DelegationId, IdempotencyKey, LateKey, Loaded, Questions, Time,
};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::claims::{self, Claims};
use crate::connect::Connection;
use crate::failure::Trouble;
use crate::read::{self, COLUMNS, ROW_FROM};
use crate::time::{LedgerTime, WALL_MS};

/// Locks what is asked for by name: rows by id, the holders of keys, retries, ancestors, what is held under a claim;
/// and the parent of each, since a verdict may end its wait, and it clips a deadline.
const LOCK: &str = "
    WITH RECURSIVE lineage AS (
        SELECT num, parent_id FROM delegations WHERE delegation_id = ANY ($4::text[])
        UNION
        SELECT p.num, p.parent_id FROM lineage l JOIN delegations p ON p.delegation_id = l.parent_id
    ), asked AS (
        SELECT num FROM delegations WHERE delegation_id = ANY ($1::text[])
        UNION ALL
        SELECT k.num FROM unnest($2::text[], $3::text[]) a (caller_id, idempotency_key)
        JOIN keys k ON k.caller_id = a.caller_id AND k.idempotency_key = a.idempotency_key
        UNION ALL
        SELECT num FROM lineage
        UNION ALL
        SELECT num FROM delegations WHERE retry_of = ANY ($5::text[])
        UNION ALL
        SELECT k.num FROM delegations d
        JOIN keys k ON k.caller_id = d.caller_id AND k.idempotency_key = d.idempotency_key
        WHERE d.delegation_id = ANY ($5::text[])
        UNION ALL
        SELECT h.num FROM unnest($6::text[], $7::text[]) c (callee_id, claim_id)
        CROSS JOIN LATERAL (
            SELECT num FROM delegations d
            WHERE d.callee_id = c.callee_id AND d.claim_id = c.claim_id AND d.held AND d.finished_at IS NULL
            ORDER BY num LIMIT $8) h
    ), family AS (
        SELECT num FROM asked
        UNION
        SELECT p.num FROM asked a JOIN delegations d ON d.num = a.num
        JOIN delegations p ON p.delegation_id = d.parent_id
    )
    SELECT num FROM delegations WHERE num = ANY (ARRAY(SELECT num FROM family))
    ORDER BY num FOR NO KEY UPDATE";

/// Locks what a pass looks at, and their parents, as far as nobody else holds them: replicas share a pass.
const LOCK_FREE: &str = "
    SELECT num FROM delegations
    WHERE num = ANY (ARRAY(
        SELECT unnest($1::bigint[])
        UNION
        SELECT p.num FROM delegations d JOIN delegations p ON p.delegation_id = d.parent_id
        WHERE d.num = ANY ($1::bigint[])))
    ORDER BY num FOR NO KEY UPDATE SKIP LOCKED";

const LOCK_WATCH: &str =
    "SELECT num FROM watch WHERE num = ANY ($1::bigint[]) ORDER BY num FOR UPDATE";

const KEYS: &str = "
    SELECT k.caller_id, k.idempotency_key, d.num, d.delegation_id
    FROM (SELECT * FROM unnest($1::text[], $2::text[])
          UNION
          SELECT caller_id, idempotency_key FROM delegations
          WHERE delegation_id = ANY ($3::text[]) AND idempotency_key IS NOT NULL) a (caller_id, idempotency_key)
    JOIN keys k ON k.caller_id = a.caller_id AND k.idempotency_key = a.idempotency_key
    JOIN delegations d ON d.num = k.num";

const RETRIES: &str =
    "SELECT retry_of, num, delegation_id FROM delegations WHERE retry_of = ANY ($1::text[])";

const LATE: &str = "
    SELECT d.delegation_id, l.epoch, l.content FROM late_results l JOIN delegations d ON d.num = l.num
    WHERE l.num = ANY ($1::bigint[])";

pub(super) type Value<'v> = &'v (dyn ToSql + Sync);

/// The questions as arrays.
pub(super) struct Asked<'q> {
    questions: &'q Questions,
    ids: Vec<&'q str>,
    callers: Vec<&'q str>,
    keys: Vec<&'q str>,
    lineages: Vec<&'q str>,
    retries_of: Vec<&'q str>,
    agents: Vec<&'q str>,
    agents_written: Vec<&'q str>,
    inboxes: Vec<&'q str>,
    ties: Vec<&'q str>,
    claims: Claims<'q>,
}

/// The numbers of what is locked.
pub(super) struct Locked {
    nums: Vec<i64>,
    /// Those among them that are locked to be claimed.
    claimable: Vec<i64>,
}

impl<'q> Asked<'q> {
    pub(super) fn of(questions: &'q Questions) -> Self {
        let texts = |ids: &'q [DelegationId]| ids.iter().map(DelegationId::as_str);
        let agents = |ids: &'q [AgentId]| ids.iter().map(AgentId::as_str).collect();
        Self {
            questions,
            ids: texts(&questions.ids).chain(texts(&questions.retries_of)).collect(),
            callers: questions.keys.iter().map(|(caller, _)| caller.as_str()).collect(),
            keys: questions.keys.iter().map(|(_, key)| key.as_str()).collect(),
            lineages: texts(&questions.lineages).collect(),
            retries_of: texts(&questions.retries_of).collect(),
            agents: agents(&questions.agents),
            agents_written: agents(&questions.agents_written),
            inboxes: agents(&questions.inboxes),
            ties: texts(&questions.ties).collect(),
            claims: Claims::of(questions),
        }
    }

    fn nothing_by_name(&self) -> bool {
        self.ids.is_empty()
            && self.keys.is_empty()
            && self.lineages.is_empty()
            && self.claims.names.is_empty()
    }
}

/// Writes the batch's id down and takes the locks. `None` where an earlier run of the batch had committed.
pub(super) async fn lock(
    connection: &Connection,
    batch: BatchId,
    asked: &Asked<'_>,
    time: &LedgerTime,
) -> Result<Option<Locked>, Trouble> {
    let insert =
        format!("INSERT INTO batches (at, batch_id) VALUES ({WALL_MS}, $2) ON CONFLICT DO NOTHING");
    let insert = connection.prepare_cached(&insert).await?;
    let lock = connection.prepare_cached(LOCK).await?;
    let lock_free = connection.prepare_cached(LOCK_FREE).await?;
    let claims = &asked.claims;
    let lock_claims = claims.prepare(connection).await?;
    let (given_ms, batch) = (time.given_ms(), &batch.0[..]);
    let (insert_values, nums): ([Value<'_>; 2], [Value<'_>; 1]) =
        ([&given_ms, &batch], [&asked.questions.nums]);
    let asked_for: [Value<'_>; 8] = [
        &asked.ids,
        &asked.callers,
        &asked.keys,
        &asked.lineages,
        &asked.retries_of,
        &claims.holders,
        &claims.names,
        &claims.held_max,
    ];
    let (begun, is_new, claims_named, locked, free, claimable) = tokio::join! {
        biased;
        connection.batch_execute("BEGIN"),
        connection.execute(&insert, &insert_values),
        claims.lock_names(connection, &lock_claims),
        async {
            if asked.nothing_by_name() { return Ok(vec![]) }
            connection.query(&lock, &asked_for).await
        },
        async {
            if asked.questions.nums.is_empty() { return Ok(vec![]) }
            connection.query(&lock_free, &nums).await
        },
        claims.lock_claimable(connection, &lock_claims, time.latest().0, &asked.ids),
    };
    begun?;
    if is_new? == 0 {
        return Ok(None);
    }
    claims_named?;
    let claimable = first_column(&claimable?)?;
    let nums = [first_column(&locked?)?, first_column(&free?)?, claimable.clone()].concat();
    Ok(Some(Locked { nums, claimable }))
}

fn first_column(rows: &[Row]) -> Result<Vec<i64>, Trouble> {
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Reads what was locked. What holds a key or is a retry by now, and was not when the locks were taken, belongs to a
/// writer who was faster.
pub(super) async fn read(
    connection: &Connection,
    asked: &mut Asked<'_>,
    Locked { nums, claimable }: &Locked,
    time: &LedgerTime,
) -> Result<Loaded, Trouble> {
    let watch = connection.prepare_cached(LOCK_WATCH).await?;
    let rows = format!("SELECT {COLUMNS} FROM {ROW_FROM} WHERE d.num = ANY ($1::bigint[])");
    let rows = connection.prepare_cached(&rows).await?;
    let keys = connection.prepare_cached(KEYS).await?;
    let retries = connection.prepare_cached(RETRIES).await?;
    let late = connection.prepare_cached(LATE).await?;
    let wall_ms = connection.prepare_cached(&format!("SELECT {WALL_MS}")).await?;
    let given_ms = time.given_ms();
    let numbers: [Value<'_>; 1] = [nums];
    let key_values: [Value<'_>; 3] = [&asked.callers, &asked.keys, &asked.retries_of];
    let (old, given): ([Value<'_>; 1], [Value<'_>; 1]) = ([&asked.retries_of], [&given_ms]);
    let (watched, agents, rows, keys, retries, late, wall_ms) = tokio::join! {
        biased;
        connection.execute(&watch, &numbers),
        async {
            if asked.agents.is_empty() { return Ok(vec![]) }
            read::agent_records(connection, &asked.agents, &asked.agents_written).await
        },
        connection.query(&rows, &numbers),
        connection.query(&keys, &key_values),
        connection.query(&retries, &old),
        connection.query(&late, &numbers),
        connection.query_one(&wall_ms, &given),
    };
    watched?;
    let mut loaded = empty(time.at(wall_ms?.try_get(0)?));
    loaded.agents = agents?;
    loaded.loads = claims::loads(connection, asked.questions, &loaded.agents).await?;
    take_rows(&mut loaded, &rows?)?;
    if asked.claims.leave_out(loaded.corrupt.iter().filter(|bad| claimable.contains(&bad.num))) {
        return Err(Trouble::Lost);
    }
    leave_what_others_hold(&mut loaded, asked);
    let locked: HashSet<i64> = nums.iter().copied().collect();
    for row in keys? {
        let key = (AgentId::new(row.try_get(0)?), IdempotencyKey::new(row.try_get(1)?));
        if let ((Ok(caller), Ok(key)), Some(holder)) = (key, named(&row, 2, &locked)?) {
            loaded.keys.push(((caller, key), holder));
        }
    }
    for row in retries? {
        let old = DelegationId::new(row.try_get(0)?);
        if let (Ok(old), Some(retry)) = (old, named(&row, 1, &locked)?) {
            loaded.retries.push((old, retry));
        }
    }
    take_late(&mut loaded, &late?)?;
    if !asked.ties.is_empty() {
        loaded.ties = read::ties(connection, &asked.ties).await?;
    }
    if !asked.inboxes.is_empty() {
        loaded.inboxes = read::inbox_states(connection, &asked.inboxes).await?;
    }
    if asked.questions.listening {
        loaded.listening = listening(connection, &loaded).await?;
    }
    Ok(loaded)
}

fn empty(now: Time) -> Loaded {
    Loaded {
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
    }
}

fn take_rows(loaded: &mut Loaded, rows: &[Row]) -> Result<(), Trouble> {
    for row in rows {
        match read::read_row(row)? {
            Ok(row) => loaded.rows.push(row),
            Err(bad) => loaded.corrupt.push(bad),
        }
    }
    Ok(())
}

/// Leaves out, of what a pass looks at, the rows whose parent somebody else holds.
fn leave_what_others_hold(loaded: &mut Loaded, asked: &Asked<'_>) {
    let rows = loaded.rows.iter().map(|row| &row.delegation.delegation_id);
    let corrupt = loaded.corrupt.iter().filter_map(|bad| bad.delegation_id.as_ref());
    let here: HashSet<DelegationId> = rows.chain(corrupt).cloned().collect();
    let nums: HashSet<i64> = asked.questions.nums.iter().copied().collect();
    loaded.rows.retain(|row| {
        let parent = row.delegation.parent_id.as_ref();
        !nums.contains(&row.num) || parent.is_none_or(|parent| here.contains(parent))
    });
}

/// The id beside a number, which must be among what was locked. An id that cannot exist is met again, and named,
/// when its own row is read.
fn named(row: &Row, num: usize, locked: &HashSet<i64>) -> Result<Option<DelegationId>, Trouble> {
    if !locked.contains(&row.try_get(num)?) {
        return Err(Trouble::Lost);
    }
    Ok(DelegationId::new(row.try_get(num + 1)?).ok())
}

fn take_late(loaded: &mut Loaded, late: &[Row]) -> Result<(), Trouble> {
    for row in late {
        let Ok(delegation_id) = DelegationId::new(row.try_get(0)?) else { continue };
        let content: &[u8] = row.try_get(2)?;
        let epoch = row.try_get(1)?;
        if let Ok(content) = content.try_into() {
            loaded.late.push(LateKey { delegation_id, epoch, content });
        }
    }
    Ok(())
}

/// The gaps since the earliest clock that runs.
async fn listening(connection: &Connection, loaded: &Loaded) -> Result<Listening, Trouble> {
    let clocks = loaded.rows.iter().map(|row| row.delegation.listens_from());
    read::listening(connection, clocks.min().unwrap_or(Time(i64::MAX))).await
}
