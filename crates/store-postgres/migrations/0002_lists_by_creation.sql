-- Rows are numbered at their insert and timed before it: of two writers the later one may have the smaller numbers.
-- So lists walk the time of creation, with the number where it is the same, and a moment is a place in each index.

DROP INDEX delegations_status;
DROP INDEX delegations_caller;
DROP INDEX delegations_callee;
DROP INDEX delegations_parent;

-- No moment and no number is ever NULL. An order that says where NULLs go is one that `delegations_created` does not
-- have: so nobody who asks in this order for the few rows of one agent is made to walk all rows backwards until enough
-- have passed.
CREATE INDEX delegations_status ON delegations (status, created_at DESC NULLS LAST, num DESC NULLS LAST);
CREATE INDEX delegations_caller ON delegations (caller_id, status, created_at DESC NULLS LAST, num DESC NULLS LAST);
CREATE INDEX delegations_callee ON delegations (callee_id, status, created_at DESC NULLS LAST, num DESC NULLS LAST);
CREATE INDEX delegations_parent ON delegations (parent_id, created_at DESC NULLS LAST, num DESC NULLS LAST)
WHERE parent_id IS NOT NULL;
