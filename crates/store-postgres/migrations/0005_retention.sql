-- What is over, by its end: what was kept long enough is found there. Ends come in order, so a verdict appends to it.
CREATE INDEX delegations_finished ON delegations (finished_at, num) WHERE finished_at IS NOT NULL;
