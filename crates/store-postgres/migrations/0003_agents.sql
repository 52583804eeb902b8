-- What is set for an agent. Nobody needs a record: an agent without one asks and works by the ledger's defaults.
CREATE TABLE agents (
    agent_id TEXT COLLATE "C" PRIMARY KEY,
    stuck_threshold_s BIGINT,
    notify_stuck BOOLEAN NOT NULL,
    notify_recovered BOOLEAN NOT NULL,
    max_in_flight BIGINT CHECK (max_in_flight BETWEEN 0 AND 10000),
    max_queued BIGINT CHECK (max_queued BETWEEN 0 AND 10000),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- How far each agent has read its messages. No setting, so it is not in the agent's record, which may be removed.
CREATE TABLE inboxes (agent_id TEXT COLLATE "C" PRIMARY KEY, acked_through BIGINT NOT NULL);
