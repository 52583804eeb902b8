-- Work is claimed: by its callee, the highest priority first, then what has waited longest.

-- The caller hands this attempt out itself, so that no claimer takes it.
ALTER TABLE delegations ADD COLUMN dispatched INTEGER NOT NULL DEFAULT 0 CHECK (dispatched IN (0, 1));

UPDATE delegations SET dispatched = 1
WHERE finished_at IS NULL AND status <> 'queued'
  AND EXISTS (SELECT 1 FROM events e
              WHERE e.num = delegations.num AND e.attempt = delegations.attempt AND e.to_status = 'dispatched');

-- The few that wait for somebody: whoever takes one of them takes it out of here.
CREATE INDEX delegations_claimable ON delegations (callee_id, priority DESC, queued_at, num)
WHERE held = 0 AND dispatched = 0 AND (status = 'queued' OR status = 'stuck');

-- What an agent holds, and under which claim.
CREATE INDEX delegations_held ON delegations (callee_id, claim_id) WHERE held = 1 AND finished_at IS NULL;
