-- Work is claimed: by its callee, the highest priority first, then what has waited longest.

-- The caller hands this attempt out itself, so that no claimer takes it.
ALTER TABLE delegations ADD COLUMN dispatched BOOLEAN NOT NULL DEFAULT false;

UPDATE delegations d SET dispatched = true
WHERE d.finished_at IS NULL AND d.status <> 'queued'
  AND EXISTS (SELECT 1 FROM events e
              WHERE e.num = d.num AND e.attempt = d.attempt AND e.to_status = 'dispatched');

-- The few that wait for somebody: whoever takes one of them takes it out of here.
CREATE INDEX delegations_claimable ON delegations (callee_id, priority DESC, queued_at, num)
WHERE NOT held AND NOT dispatched AND status IN ('queued', 'stuck');

-- What an agent holds, and under which claim.
CREATE INDEX delegations_held ON delegations (callee_id, claim_id) WHERE held AND finished_at IS NULL;
