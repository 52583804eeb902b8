//! The questions: each finds the rows for which something does not hold, as (place, what is wrong).

/// A name, and a query that is empty where all is well; in it `{verdicts}` are all terminal statuses, and `{freeing}`
/// those that free a key.
type Check = (&'static str, &'static str);

/// In the order of a delegation's life.
pub(super) const CHECKS: [Check; 29] = [
    // Every delegation ends at its deadline: what is in flight is watched, and its deadline is the one it has.
    (
        "not-watched",
        "SELECT d.delegation_id, 'is ' || d.status || ' and has no watch row, so no pass looks at it'
         FROM delegations d LEFT JOIN watch w ON w.num = d.num
         WHERE d.finished_at IS NULL AND w.num IS NULL",
    ),
    (
        "watched-in-vain",
        "SELECT coalesce(d.delegation_id, 'number ' || w.num),
                'has a watch row and is ' || coalesce(d.status, 'not there')
         FROM watch w LEFT JOIN delegations d ON d.num = w.num
         WHERE d.num IS NULL OR d.finished_at IS NOT NULL",
    ),
    (
        "other-deadline",
        "SELECT d.delegation_id, 'has the deadline ' || d.deadline || ' and is watched for ' || w.deadline
         FROM delegations d JOIN watch w ON w.num = d.num WHERE w.deadline <> d.deadline",
    ),
    // A pass takes all that is past its deadline; a minute is for one that was cut off by a stop.
    (
        "overdue",
        "SELECT d.delegation_id, 'is ' || d.status || ' although a pass ran after its deadline'
         FROM watch w JOIN delegations d ON d.num = w.num
         WHERE d.finished_at IS NULL
           AND w.deadline < (SELECT max(started_at) FROM sweeps WHERE errors = 0) - 60000",
    ),
    (
        "other-epoch",
        "SELECT d.delegation_id,
                'is ' || d.status || ', attempt ' || d.attempt || ', epoch ' || d.epoch || ', and is watched under attempt '
                || w.attempt || ', epoch ' || coalesce(w.epoch, 'none')
         FROM delegations d JOIN watch w ON w.num = d.num
         WHERE w.attempt <> d.attempt
            OR w.epoch IS NOT (CASE WHEN d.status = 'in_progress' AND d.waiting IS NULL THEN d.epoch END)",
    ),
    // Whoever beats is looked at about once per threshold, where that comes before the deadline, and never much later,
    // unless the brake holds. Of a threshold that is the server's nothing is known here.
    (
        "never-looked-at",
        "SELECT d.delegation_id, 'beats, and no pass will look whether it still does'
         FROM watch w JOIN delegations d ON d.num = w.num
         WHERE w.epoch IS NOT NULL AND w.check_at IS NULL
           AND w.deadline > w.threshold_s * 1000 + 5000
               + max(coalesce((SELECT heard_until FROM mark), 0), coalesce(w.alive_at, 0),
                     coalesce(w.clocks_from, 0), d.updated_at)",
    ),
    (
        "looked-at-late",
        "SELECT d.delegation_id, 'may be silent for ' || w.threshold_s || ' s and is looked at later than that'
         FROM watch w JOIN delegations d ON d.num = w.num
         WHERE w.epoch IS NOT NULL AND w.threshold_s IS NOT NULL
           AND w.check_at > w.threshold_s * 1000 + 5000
               + max(coalesce((SELECT heard_until FROM mark), 0), coalesce(w.alive_at, 0),
                     coalesce(w.clocks_from, 0), d.updated_at)
           AND w.check_at > coalesce((SELECT max(to_at) FROM gaps WHERE cause = 'brake'), 0)",
    ),
    // One verdict, and status, event and message tell of the same one.
    (
        "not-one-verdict",
        "SELECT d.delegation_id, 'is ' || d.status || ' and has ' || coalesce(h.verdicts, 0) || ' verdicts in its history'
         FROM delegations d
         LEFT JOIN (SELECT num, count(*) AS verdicts FROM events WHERE kind IN ({verdicts}) GROUP BY num) h
              ON h.num = d.num
         WHERE coalesce(h.verdicts, 0) <> (d.finished_at IS NOT NULL)",
    ),
    (
        "verdict-elsewhere",
        "SELECT d.delegation_id, 'names event ' || coalesce(d.verdict_seq, 'nothing') || ' as its verdict, which '
                || CASE WHEN e.seq IS NULL THEN 'is not there' ELSE 'is not one of it' END
         FROM delegations d LEFT JOIN events e ON e.seq = d.verdict_seq
         WHERE (d.finished_at IS NOT NULL OR d.verdict_seq IS NOT NULL)
           AND (e.num IS NOT d.num OR e.kind NOT IN ({verdicts}))",
    ),
    (
        "other-verdict",
        "SELECT d.delegation_id, 'is ' || d.status || ' at ' || coalesce(d.finished_at, 'no time')
                || ', and its verdict was ' || e.kind || ' at ' || e.at
         FROM events e JOIN delegations d ON d.num = e.num
         WHERE e.kind IN ({verdicts})
           AND (e.kind <> d.status OR e.at IS NOT d.finished_at)",
    ),
    (
        "not-told",
        "SELECT d.delegation_id, 'is ' || d.status || ', and its caller has no message of it'
         FROM events e JOIN delegations d ON d.num = e.num
         WHERE e.kind IN ({verdicts})
           AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.agent_id = d.caller_id AND m.seq = e.seq)",
    ),
    (
        "told-of-nothing",
        "SELECT 'message ' || m.seq || ' of ' || m.agent_id,
                CASE WHEN e.seq IS NULL THEN 'tells of an event that is not there'
                     ELSE 'tells of a delegation that another agent asked for' END
         FROM messages m LEFT JOIN events e ON e.seq = m.seq LEFT JOIN delegations d ON d.num = e.num
         WHERE e.seq IS NULL OR d.caller_id IS NOT m.agent_id",
    ),
    // The history is whole: it begins, each event goes on where the last one ended, nothing leaves a verdict.
    (
        "broken-history",
        "SELECT d.delegation_id, 'event ' || h.seq || ' begins at ' || coalesce(h.from_status, 'nothing')
                || ', and the one before it ended at ' || coalesce(h.before, 'nothing')
         FROM (SELECT num, seq, from_status, lag(to_status) OVER (PARTITION BY num ORDER BY seq) AS before
               FROM events) h
         JOIN delegations d ON d.num = h.num
         WHERE h.from_status IS NOT h.before",
    ),
    (
        "revised-verdict",
        "SELECT d.delegation_id, 'event ' || e.seq || ' leads from ' || e.from_status || ' to ' || e.to_status
         FROM events e JOIN delegations d ON d.num = e.num
         WHERE e.from_status IN ({verdicts}) AND e.to_status <> e.from_status",
    ),
    (
        "other-status",
        "SELECT d.delegation_id, 'is ' || d.status || ', and its history ends at ' || coalesce(h.to_status, 'nothing')
         FROM delegations d
         LEFT JOIN (SELECT num, to_status, max(seq) FROM events GROUP BY num) h ON h.num = d.num
         WHERE d.status IS NOT h.to_status",
    ),
    (
        "other-version",
        "SELECT d.delegation_id, 'has version ' || d.version || ' and ' || coalesce(h.events, 0) || ' events'
         FROM delegations d LEFT JOIN (SELECT num, count(*) AS events FROM events GROUP BY num) h ON h.num = d.num
         WHERE d.version <> coalesce(h.events, 0)",
    ),
    (
        "event-of-nothing",
        "SELECT 'event ' || e.seq, 'belongs to number ' || e.num || ', which is not there'
         FROM events e LEFT JOIN delegations d ON d.num = e.num WHERE d.num IS NULL",
    ),
    // What was pruned went whole, and nothing that is there names it.
    (
        "left-behind",
        "SELECT 'number ' || b.num, 'is not there, and left a row in ' || b.kind
         FROM (SELECT num, 'tasks' AS kind FROM tasks UNION ALL SELECT num, 'progress' FROM progress
               UNION ALL SELECT num, 'late_results' FROM late_results UNION ALL SELECT num, 'cascades' FROM cascades) b
         LEFT JOIN delegations d ON d.num = b.num WHERE d.num IS NULL",
    ),
    (
        "names-nothing",
        "SELECT d.delegation_id, 'names ' || coalesce(p.id, '') || ', which is not there'
         FROM delegations d
         JOIN (SELECT num, parent_id AS id FROM delegations WHERE parent_id IS NOT NULL
               UNION ALL SELECT num, retry_of FROM delegations WHERE retry_of IS NOT NULL) p ON p.num = d.num
         LEFT JOIN delegations n ON n.delegation_id = p.id WHERE n.num IS NULL",
    ),
    // Nobody has acknowledged what nobody was told.
    (
        "read-ahead",
        "SELECT i.agent_id, 'has acknowledged up to ' || i.acked_through || ', and the newest event is ' || l.last
         FROM inboxes i JOIN numbers l ON l.kind = 'event' WHERE i.acked_through > l.last",
    ),
    // Numbers and times have one order.
    (
        "back-in-time",
        "SELECT 'event ' || seq, 'happened at ' || at || ', and the one before it at ' || before
         FROM (SELECT seq, at, lag(at) OVER (ORDER BY seq) AS before FROM events)
         WHERE at < before",
    ),
    (
        "number-twice",
        "SELECT n.kind, 'number ' || n.highest || ' was handed out, and the next one is to be ' || (l.last + 1)
         FROM (SELECT 'event' AS kind, max(seq) AS highest FROM events
               UNION ALL SELECT 'delegation', max(num) FROM delegations) n
         LEFT JOIN numbers l ON l.kind = n.kind
         WHERE n.highest > coalesce(l.last, 0)",
    ),
    // What stands beside a delegation belongs to it.
    (
        "other-tally",
        "SELECT t.status, 'is counted as ' || t.count || ', and is the status of '
                || (SELECT count(*) FROM delegations d WHERE d.status = t.status)
         FROM tallies t WHERE t.count <> (SELECT count(*) FROM delegations d WHERE d.status = t.status)",
    ),
    (
        "other-callee-tally",
        "SELECT callee_id, 'has ' || sum(there) || ' that are ' || status || ', and is counted to have ' || sum(counted)
         FROM (SELECT callee_id, status, count AS counted, 0 AS there FROM callee_tallies
               UNION ALL SELECT callee_id, status, 0, count(*) FROM delegations WHERE finished_at IS NULL
                         GROUP BY callee_id, status)
         GROUP BY callee_id, status HAVING sum(there) <> sum(counted)",
    ),
    (
        "key-held-in-vain",
        "SELECT coalesce(d.delegation_id, 'number ' || k.num),
                'holds the key ' || k.idempotency_key || ' of ' || k.caller_id || ' and is '
                || coalesce(d.status, 'not there')
         FROM keys k LEFT JOIN delegations d ON d.num = k.num
         WHERE d.num IS NULL OR d.status IN ({freeing})
            OR d.caller_id <> k.caller_id OR d.idempotency_key IS NOT k.idempotency_key",
    ),
    (
        "key-not-held",
        "SELECT d.delegation_id, 'is ' || d.status || ', and nobody holds its key ' || d.idempotency_key
         FROM delegations d
         LEFT JOIN keys k ON k.caller_id = d.caller_id AND k.idempotency_key = d.idempotency_key
         WHERE d.idempotency_key IS NOT NULL AND d.status NOT IN ({freeing}) AND k.num IS NULL",
    ),
    (
        "no-task",
        "SELECT d.delegation_id, 'has no task' FROM delegations d LEFT JOIN tasks t ON t.num = d.num
         WHERE t.num IS NULL",
    ),
    (
        "result-without-verdict",
        "SELECT coalesce(d.delegation_id, 'number ' || r.num),
                'has a result and is ' || coalesce(d.status, 'not there')
         FROM results r LEFT JOIN delegations d ON d.num = r.num
         WHERE d.status IS NOT 'completed'",
    ),
    (
        "other-late-results",
        "SELECT delegation_id, 'counts ' || late_count || ' late results and has ' || kept
         FROM (SELECT d.delegation_id, d.late_count,
                      (SELECT count(*) FROM late_results l WHERE l.num = d.num) AS kept
               FROM delegations d)
         WHERE late_count <> kept",
    ),
];
