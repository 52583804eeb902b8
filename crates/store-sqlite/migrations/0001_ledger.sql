-- The ledger. Times are milliseconds since 1970, durations whole seconds, as their names say.
-- Whoever changes a list in a CHECK: it repeats the rules, and a test compares the two. They are spelled with
-- OR, because SQLite builds a table in memory for each IN of more than two at every row that is written.

CREATE TABLE delegations (
    num INTEGER PRIMARY KEY,
    delegation_id TEXT NOT NULL UNIQUE,
    caller_id TEXT NOT NULL,
    callee_id TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status = 'queued' OR status = 'dispatched' OR status = 'in_progress' OR status = 'stuck'
               OR status = 'completed' OR status = 'failed' OR status = 'cancelled'),
    attempt INTEGER NOT NULL CHECK (attempt >= 1),
    -- What the caller allowed; retries by hand may go beyond it.
    max_attempts INTEGER NOT NULL CHECK (max_attempts >= 1),
    epoch INTEGER NOT NULL CHECK (epoch >= 0),
    held INTEGER NOT NULL CHECK (held IN (0, 1)),
    claim_id TEXT,
    error_detail TEXT,
    failure TEXT
        CHECK (failure = 'deadline_exceeded' OR failure = 'attempts_exhausted' OR failure = 'not_started'
               OR failure = 'reported' OR failure = 'rejected' OR failure = 'undeliverable'
               OR failure = 'parent_cancelled'),
    stuck_reason TEXT
        CHECK (stuck_reason = 'silent' OR stuck_reason = 'no_progress' OR stuck_reason = 'not_started'
               OR stuck_reason = 'reported'),
    stuck_at INTEGER,
    waiting TEXT,
    queued_at INTEGER NOT NULL,
    -- While the delegation is in flight, the watch row knows these three better.
    clocks_from INTEGER,
    last_heartbeat INTEGER,
    progress_at INTEGER,
    deadline INTEGER NOT NULL,
    stuck_threshold_s INTEGER,
    stuck_grace_s INTEGER,
    start_within_s INTEGER,
    on_not_started TEXT NOT NULL CHECK (on_not_started IN ('stuck', 'fail')),
    progress_within_s INTEGER,
    priority INTEGER NOT NULL,
    notify_stuck INTEGER NOT NULL CHECK (notify_stuck IN (0, 1)),
    notify_recovered INTEGER NOT NULL CHECK (notify_recovered IN (0, 1)),
    cancel_children INTEGER NOT NULL CHECK (cancel_children IN (0, 1)),
    idempotency_key TEXT,
    parent_id TEXT,
    retry_of TEXT,
    depth INTEGER NOT NULL CHECK (depth BETWEEN 1 AND 16),
    fingerprint BLOB NOT NULL,
    answer_hash BLOB,
    late_count INTEGER NOT NULL CHECK (late_count BETWEEN 0 AND 10),
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    finished_at INTEGER,
    last_act_kind TEXT NOT NULL
        CHECK (last_act_kind = 'created' OR last_act_kind = 'dispatched' OR last_act_kind = 'claimed'
               OR last_act_kind = 'accepted' OR last_act_kind = 'started' OR last_act_kind = 'waiting'
               OR last_act_kind = 'resumed' OR last_act_kind = 'stuck' OR last_act_kind = 'recovered'
               OR last_act_kind = 'requeued' OR last_act_kind = 'released' OR last_act_kind = 'extended'
               OR last_act_kind = 'completed' OR last_act_kind = 'failed' OR last_act_kind = 'cancelled'
               OR last_act_kind = 'late_result'),
    last_act_role TEXT NOT NULL
        CHECK (last_act_role = 'caller' OR last_act_role = 'callee' OR last_act_role = 'operator'
               OR last_act_role = 'sweeper' OR last_act_role = 'ledger'),
    CHECK ((status = 'stuck') = (stuck_reason IS NOT NULL)),
    CHECK ((status = 'completed' OR status = 'failed' OR status = 'cancelled') = (finished_at IS NOT NULL))
) STRICT;

-- One per list filter. Rows are numbered in the order of their creation, so each also sorts newest first. What is in
-- flight is listed by its watch row.
CREATE INDEX delegations_ended ON delegations (status) WHERE finished_at IS NOT NULL;
CREATE INDEX delegations_caller ON delegations (caller_id);
CREATE INDEX delegations_callee ON delegations (callee_id);
CREATE INDEX delegations_parent ON delegations (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX delegations_created ON delegations (created_at);
CREATE UNIQUE INDEX delegations_retry_of ON delegations (retry_of) WHERE retry_of IS NOT NULL;

-- The one row that heartbeats and passes touch. A heartbeat changes neither of its indexes.
CREATE TABLE watch (
    num INTEGER PRIMARY KEY,
    epoch INTEGER,
    attempt INTEGER NOT NULL,
    alive_at INTEGER,
    progress_at INTEGER,
    clocks_from INTEGER,
    threshold_s INTEGER,
    progress_within_s INTEGER,
    check_at INTEGER,
    deadline INTEGER NOT NULL
) STRICT;

CREATE INDEX watch_deadline ON watch (deadline);
CREATE INDEX watch_check ON watch (check_at) WHERE check_at IS NOT NULL;

CREATE TABLE progress (num INTEGER PRIMARY KEY, progress TEXT NOT NULL) STRICT;

-- The whole text is kept apart from its preview only where it is longer.
CREATE TABLE tasks (
    num INTEGER PRIMARY KEY,
    form TEXT NOT NULL CHECK (form IN ('text', 'json')),
    preview TEXT NOT NULL,
    metadata TEXT,
    whole TEXT
) STRICT;

CREATE TABLE results (
    num INTEGER PRIMARY KEY,
    form TEXT NOT NULL CHECK (form IN ('text', 'json')),
    preview TEXT NOT NULL,
    whole TEXT
) STRICT;

CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    num INTEGER NOT NULL,
    kind TEXT NOT NULL
        CHECK (kind = 'created' OR kind = 'dispatched' OR kind = 'claimed' OR kind = 'accepted' OR kind = 'started'
               OR kind = 'waiting' OR kind = 'resumed' OR kind = 'stuck' OR kind = 'recovered' OR kind = 'requeued'
               OR kind = 'released' OR kind = 'extended' OR kind = 'completed' OR kind = 'failed'
               OR kind = 'cancelled' OR kind = 'late_result'),
    attempt INTEGER NOT NULL,
    at INTEGER NOT NULL,
    role TEXT NOT NULL
        CHECK (role = 'caller' OR role = 'callee' OR role = 'operator' OR role = 'sweeper' OR role = 'ledger'),
    actor_id TEXT,
    from_status TEXT
        CHECK (from_status = 'queued' OR from_status = 'dispatched' OR from_status = 'in_progress'
               OR from_status = 'stuck' OR from_status = 'completed' OR from_status = 'failed'
               OR from_status = 'cancelled'),
    to_status TEXT NOT NULL
        CHECK (to_status = 'queued' OR to_status = 'dispatched' OR to_status = 'in_progress' OR to_status = 'stuck'
               OR to_status = 'completed' OR to_status = 'failed' OR to_status = 'cancelled'),
    reason TEXT,
    data TEXT
) STRICT;

CREATE INDEX events_delegation ON events (num, seq);

-- A message is its event, seen by one agent.
CREATE TABLE messages (agent_id TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (agent_id, seq)) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
    caller_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    num INTEGER NOT NULL,
    PRIMARY KEY (caller_id, idempotency_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE late_results (
    id INTEGER PRIMARY KEY,
    num INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    content BLOB NOT NULL,
    attempt INTEGER NOT NULL,
    at INTEGER NOT NULL,
    role TEXT NOT NULL
        CHECK (role = 'caller' OR role = 'callee' OR role = 'operator' OR role = 'sweeper' OR role = 'ledger'),
    actor_id TEXT,
    why TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('completed', 'failed')),
    form TEXT CHECK (form IN ('text', 'json')),
    result TEXT,
    error_detail TEXT,
    UNIQUE (num, epoch, content)
) STRICT;

CREATE TABLE cascades (num INTEGER PRIMARY KEY, through INTEGER NOT NULL) STRICT;

CREATE TABLE gaps (
    id INTEGER PRIMARY KEY,
    from_at INTEGER NOT NULL,
    to_at INTEGER NOT NULL,
    cause TEXT NOT NULL
        CHECK (cause = 'restart' OR cause = 'pause' OR cause = 'clock' OR cause = 'brake')
) STRICT;

CREATE INDEX gaps_to ON gaps (to_at);
CREATE INDEX gaps_brake ON gaps (id) WHERE cause = 'brake';

-- One process has this ledger, so there is one mark and one shard.
CREATE TABLE mark (id INTEGER PRIMARY KEY CHECK (id = 1), heard_until INTEGER NOT NULL) STRICT;

CREATE TABLE tallies (
    status TEXT PRIMARY KEY
        CHECK (status = 'queued' OR status = 'dispatched' OR status = 'in_progress' OR status = 'stuck'
               OR status = 'completed' OR status = 'failed' OR status = 'cancelled'),
    count INTEGER NOT NULL CHECK (count >= 0)
) STRICT, WITHOUT ROWID;

INSERT INTO tallies (status, count)
VALUES ('queued', 0), ('dispatched', 0), ('in_progress', 0), ('stuck', 0), ('completed', 0), ('failed', 0), ('cancelled', 0);

CREATE TABLE sweeps (
    id INTEGER PRIMARY KEY,
    deadline_failures INTEGER NOT NULL,
    stuck_marked INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    requeued INTEGER NOT NULL,
    examined INTEGER NOT NULL,
    rearmed INTEGER NOT NULL,
    held INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE batches (batch_id BLOB PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX batches_at ON batches (at);

-- The last number that was handed out, of each kind; never handed out again, also after pruning.
CREATE TABLE numbers (kind TEXT PRIMARY KEY CHECK (kind IN ('delegation', 'event')), last INTEGER NOT NULL) STRICT, WITHOUT ROWID;

INSERT INTO numbers (kind, last) VALUES ('delegation', 0), ('event', 0);

CREATE TABLE secrets (name TEXT PRIMARY KEY, secret BLOB NOT NULL) STRICT, WITHOUT ROWID;

INSERT INTO secrets (name, secret) VALUES ('lease', randomblob(32));
