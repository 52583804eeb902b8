-- The ledger. Times are milliseconds since 1970, durations whole seconds, as their names say.
-- Whoever changes a list in a CHECK: it repeats the rules, and a test compares the two.
-- Ids are compared byte by byte: they are the same in every locale, and a prefix is a range of the index.

-- Handed out at the insert, not at the commit: a number per row may be skipped, and nobody waits for another.
CREATE SEQUENCE delegation_nums;

CREATE TABLE delegations (
    num BIGINT PRIMARY KEY,
    delegation_id TEXT COLLATE "C" NOT NULL UNIQUE,
    caller_id TEXT COLLATE "C" NOT NULL,
    callee_id TEXT COLLATE "C" NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('queued', 'dispatched', 'in_progress', 'stuck', 'completed', 'failed', 'cancelled')),
    attempt BIGINT NOT NULL CHECK (attempt >= 1),
    -- What the caller allowed; retries by hand may go beyond it.
    max_attempts BIGINT NOT NULL CHECK (max_attempts >= 1),
    epoch BIGINT NOT NULL CHECK (epoch >= 0),
    held BOOLEAN NOT NULL,
    claim_id TEXT,
    error_detail TEXT,
    failure TEXT
        CHECK (failure IN ('deadline_exceeded', 'attempts_exhausted', 'not_started', 'reported', 'rejected',
                           'undeliverable', 'parent_cancelled')),
    stuck_reason TEXT
        CHECK (stuck_reason IN ('silent', 'no_progress', 'not_started', 'reported')),
    stuck_at BIGINT,
    waiting TEXT,
    queued_at BIGINT NOT NULL,
    -- While the delegation is in flight, the watch row knows these three better.
    clocks_from BIGINT,
    last_heartbeat BIGINT,
    progress_at BIGINT,
    deadline BIGINT NOT NULL,
    stuck_threshold_s BIGINT,
    stuck_grace_s BIGINT,
    start_within_s BIGINT,
    on_not_started TEXT NOT NULL CHECK (on_not_started IN ('stuck', 'fail')),
    progress_within_s BIGINT,
    priority BIGINT NOT NULL,
    notify_stuck BOOLEAN NOT NULL,
    notify_recovered BOOLEAN NOT NULL,
    cancel_children BOOLEAN NOT NULL,
    idempotency_key TEXT COLLATE "C",
    parent_id TEXT COLLATE "C",
    retry_of TEXT COLLATE "C",
    depth BIGINT NOT NULL CHECK (depth BETWEEN 1 AND 16),
    fingerprint BYTEA NOT NULL,
    answer_hash BYTEA,
    late_count BIGINT NOT NULL CHECK (late_count BETWEEN 0 AND 10),
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    finished_at BIGINT,
    last_act_kind TEXT NOT NULL
        CHECK (last_act_kind IN ('created', 'dispatched', 'claimed', 'accepted', 'started', 'waiting', 'resumed',
                                 'stuck', 'recovered', 'requeued', 'released', 'extended', 'completed', 'failed',
                                 'cancelled', 'late_result')),
    last_act_role TEXT NOT NULL
        CHECK (last_act_role IN ('caller', 'callee', 'operator', 'sweeper', 'ledger')),
    CHECK ((status = 'stuck') = (stuck_reason IS NOT NULL)),
    CHECK ((status IN ('completed', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
);

-- One per list filter. Rows are numbered in the order of their creation, so each also sorts newest first. What an
-- agent has is asked by status, too, and a list of it walks each status for itself: that needs no index more, and
-- every index costs each verdict a page, because an update of an indexed column writes to all indexes here.
-- No number is ever NULL. An order that says where NULLs go is one that the primary key does not have: so nobody
-- who asks in this order for the few rows of one agent is made to walk all rows backwards until enough have passed.
CREATE INDEX delegations_status ON delegations (status, num DESC NULLS LAST);
CREATE INDEX delegations_caller ON delegations (caller_id, status, num DESC NULLS LAST);
CREATE INDEX delegations_callee ON delegations (callee_id, status, num DESC NULLS LAST);
CREATE INDEX delegations_parent ON delegations (parent_id, num DESC NULLS LAST) WHERE parent_id IS NOT NULL;
CREATE INDEX delegations_created ON delegations (created_at, num);
CREATE UNIQUE INDEX delegations_retry_of ON delegations (retry_of) WHERE retry_of IS NOT NULL;

-- The one row that heartbeats and passes touch. A heartbeat changes neither of its indexes, so with room on its page
-- it is a HOT update. One batch may bring a beat of every row of a page: hence room for two versions of each, and
-- some more for what passes and transitions leave behind.
CREATE TABLE watch (
    num BIGINT PRIMARY KEY,
    epoch BIGINT,
    attempt BIGINT NOT NULL,
    alive_at BIGINT,
    progress_at BIGINT,
    clocks_from BIGINT,
    threshold_s BIGINT,
    progress_within_s BIGINT,
    check_at BIGINT,
    deadline BIGINT NOT NULL
) WITH (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.1);

CREATE INDEX watch_deadline ON watch (deadline, num);
CREATE INDEX watch_check ON watch (check_at, num) WHERE check_at IS NOT NULL;

CREATE TABLE progress (num BIGINT PRIMARY KEY, progress TEXT NOT NULL);

-- The whole text is kept apart from its preview only where it is longer.
CREATE TABLE tasks (
    num BIGINT PRIMARY KEY,
    form TEXT NOT NULL CHECK (form IN ('text', 'json')),
    preview TEXT NOT NULL,
    metadata TEXT,
    whole TEXT
);

CREATE TABLE results (
    num BIGINT PRIMARY KEY,
    form TEXT NOT NULL CHECK (form IN ('text', 'json')),
    preview TEXT NOT NULL,
    whole TEXT
);

CREATE TABLE events (
    seq BIGINT PRIMARY KEY,
    num BIGINT NOT NULL,
    kind TEXT NOT NULL
        CHECK (kind IN ('created', 'dispatched', 'claimed', 'accepted', 'started', 'waiting', 'resumed', 'stuck',
                        'recovered', 'requeued', 'released', 'extended', 'completed', 'failed', 'cancelled',
                        'late_result')),
    attempt BIGINT NOT NULL,
    at BIGINT NOT NULL,
    role TEXT NOT NULL
        CHECK (role IN ('caller', 'callee', 'operator', 'sweeper', 'ledger')),
    actor_id TEXT,
    from_status TEXT
        CHECK (from_status IN ('queued', 'dispatched', 'in_progress', 'stuck', 'completed', 'failed', 'cancelled')),
    to_status TEXT NOT NULL
        CHECK (to_status IN ('queued', 'dispatched', 'in_progress', 'stuck', 'completed', 'failed', 'cancelled')),
    reason TEXT,
    data TEXT
);

CREATE INDEX events_delegation ON events (num, seq);

-- A message is its event, seen by one agent.
CREATE TABLE messages (agent_id TEXT COLLATE "C" NOT NULL, seq BIGINT NOT NULL, PRIMARY KEY (agent_id, seq));

CREATE TABLE keys (
    caller_id TEXT COLLATE "C" NOT NULL,
    idempotency_key TEXT COLLATE "C" NOT NULL,
    num BIGINT NOT NULL,
    PRIMARY KEY (caller_id, idempotency_key)
);

CREATE TABLE late_results (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    num BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    content BYTEA NOT NULL,
    attempt BIGINT NOT NULL,
    at BIGINT NOT NULL,
    role TEXT NOT NULL
        CHECK (role IN ('caller', 'callee', 'operator', 'sweeper', 'ledger')),
    actor_id TEXT,
    why TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('completed', 'failed')),
    form TEXT CHECK (form IN ('text', 'json')),
    result TEXT,
    error_detail TEXT,
    UNIQUE (num, epoch, content)
);

CREATE TABLE cascades (num BIGINT PRIMARY KEY, through BIGINT NOT NULL);

CREATE TABLE gaps (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL,
    cause TEXT NOT NULL
        CHECK (cause IN ('restart', 'pause', 'clock', 'brake'))
);

CREATE INDEX gaps_to ON gaps (to_at);
CREATE INDEX gaps_brake ON gaps (id) WHERE cause = 'brake';

-- Who listens, and up to when each has heard everything. A replica that lives holds the advisory lock of its number.
CREATE SEQUENCE replica_ids AS INTEGER;

CREATE TABLE replicas (
    replica_id INTEGER PRIMARY KEY,
    heard_until BIGINT NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE tallies (
    status TEXT PRIMARY KEY
        CHECK (status IN ('queued', 'dispatched', 'in_progress', 'stuck', 'completed', 'failed', 'cancelled')),
    count BIGINT NOT NULL CHECK (count >= 0)
) WITH (fillfactor = 10);

INSERT INTO tallies (status, count)
VALUES ('queued', 0), ('dispatched', 0), ('in_progress', 0), ('stuck', 0), ('completed', 0), ('failed', 0),
       ('cancelled', 0);

CREATE TABLE sweeps (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    deadline_failures BIGINT NOT NULL,
    stuck_marked BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    requeued BIGINT NOT NULL,
    examined BIGINT NOT NULL,
    rearmed BIGINT NOT NULL,
    held BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL
);

CREATE TABLE batches (batch_id BYTEA PRIMARY KEY, at BIGINT NOT NULL);
CREATE INDEX batches_at ON batches (at);

-- The last number of an event that was handed out; never handed out again, also after pruning. Whoever takes
-- numbers holds this row until its commit, so numbers and commits have one order.
CREATE TABLE numbers (kind TEXT PRIMARY KEY CHECK (kind = 'event'), last BIGINT NOT NULL)
WITH (fillfactor = 10);

INSERT INTO numbers (kind, last) VALUES ('event', 0);

CREATE TABLE secrets (name TEXT PRIMARY KEY, secret BYTEA NOT NULL);

INSERT INTO secrets (name, secret)
VALUES ('lease', sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));
