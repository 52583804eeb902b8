-- What is set for an agent. Nobody needs a record: an agent without one asks and works by the ledger's defaults.
CREATE TABLE agents (
    agent_id TEXT PRIMARY KEY,
    stuck_threshold_s INTEGER,
    notify_stuck INTEGER NOT NULL CHECK (notify_stuck IN (0, 1)),
    notify_recovered INTEGER NOT NULL CHECK (notify_recovered IN (0, 1)),
    max_in_flight INTEGER CHECK (max_in_flight BETWEEN 0 AND 10000),
    max_queued INTEGER CHECK (max_queued BETWEEN 0 AND 10000),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How far each agent has read its messages. No setting, so it is not in the agent's record, which may be removed.
CREATE TABLE inboxes (agent_id TEXT PRIMARY KEY, acked_through INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- What each callee has in flight: counted by status, and taken from the queue by priority, then by age. Small, because
-- a verdict leaves it.
CREATE INDEX delegations_work ON delegations (callee_id, status, priority DESC) WHERE finished_at IS NULL;
