-- What each callee has in flight, counted. An index that could be counted costs each verdict a page of its own, and
-- these few rows stay in the cache.
CREATE TABLE callee_tallies (
    callee_id TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status = 'queued' OR status = 'dispatched' OR status = 'in_progress' OR status = 'stuck'),
    count INTEGER NOT NULL CHECK (count >= 0),
    PRIMARY KEY (callee_id, status)
) STRICT, WITHOUT ROWID;

INSERT INTO callee_tallies (callee_id, status, count)
SELECT callee_id, status, count(*) FROM delegations WHERE finished_at IS NULL GROUP BY callee_id, status;

DROP INDEX delegations_work;
