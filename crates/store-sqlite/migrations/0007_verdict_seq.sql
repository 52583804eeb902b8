-- A verdict changes its delegation's row anyway: there stands its event's number, so that the index of a delegation's
-- events need not have it. That spares each verdict a page.
ALTER TABLE delegations ADD COLUMN verdict_seq INTEGER;

UPDATE delegations SET verdict_seq = (
    SELECT max(seq) FROM events e WHERE e.num = delegations.num AND e.kind IN ('completed', 'failed', 'cancelled'))
WHERE finished_at IS NOT NULL;

DROP INDEX events_delegation;
CREATE INDEX events_delegation ON events (num, seq)
WHERE kind <> 'completed' AND kind <> 'failed' AND kind <> 'cancelled';
