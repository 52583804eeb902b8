//! A ledger in PostgreSQL: can it be used, is it set up as it must be, can it be cleaned up, who serves it.

use consign_store_postgres::{Condition, Holder, OpenError, Replica, condition};
use jiff::Timestamp;

use super::Diagnosis;
use crate::print::{duration, exact};

/// Two clocks may differ by so much, in milliseconds: more is a step, not a wobble.
const CLOCK_MS_MAX: i64 = 2000;
/// A server that lives writes its mark each second; one that is silent for longer is struck off by another.
const MARK_MS_MAX: i64 = 15_000;
/// Who holds old versions of rows for so long, in seconds, should be known, and ended.
const HELD_S: (f64, f64) = (300.0, 3600.0);
/// The same, in transactions, for who does not tell since when.
const HELD_TRANSACTIONS: (u64, u64) = (1_000_000, 10_000_000);
/// Of the updates of what is watched, at least so many in a hundred should stay within their page.
const HOT_PERCENT_MIN: u64 = 90;
/// Fewer updates say nothing.
const UPDATES_MIN: u64 = 10_000;
/// Connections that should be free: one more server.
const FREE_CONNECTIONS_MIN: u64 = 11;

/// Looks at the ledger in the database at `url`, which may be shown as `shown`.
pub(crate) async fn database(url: &str, shown: &str, now: Timestamp) -> Vec<Diagnosis> {
    match condition(url).await {
        Ok(condition) => well_or_not(shown, &condition, now),
        Err(error @ OpenError::NoLedger { .. }) => {
            vec![Diagnosis::note(
                "ledger",
                error.to_string(),
                "the first `consign serve` makes it, too",
            )]
        }
        // Its sentence ends in what to do.
        Err(error) => vec![Diagnosis::wrong("ledger", error.to_string(), "")],
    }
}

fn well_or_not(shown: &str, it: &Condition, now: Timestamp) -> Vec<Diagnosis> {
    let size = format!("{shown}: {} delegations, {} MiB", it.delegations, it.bytes >> 20);
    let mut found = vec![
        Diagnosis::well("ledger", size),
        Diagnosis::well("database", format!("PostgreSQL {}, no pooler between", it.server)),
        switches(it),
        connections(it),
        migrations(it),
        counts(it),
    ];
    found.extend(clocks(it, now));
    found.extend(cleaning(it));
    found.extend([updates(it), servers(it)]);
    found
}

fn switches(it: &Condition) -> Diagnosis {
    let seen = match it.off.as_slice() {
        [] => "what must be on is on".to_owned(),
        off => format!("{} = off", off.join(", ")),
    };
    let advice = "set it on: without fsync and full_page_writes a power cut can destroy the ledger, and without \
                  autovacuum and track_counts the table of heartbeats grows without bounds";
    Diagnosis::given(it.off.is_empty(), "switches", seen, advice)
}

fn connections(it: &Condition) -> Diagnosis {
    let free = it.connections.most.saturating_sub(it.connections.used);
    let seen = format!("{} of {} in use", it.connections.used, it.connections.most);
    let advice = "raise max_connections, or end what does not need one: each consign server takes up to eleven";
    Diagnosis::given(free >= FREE_CONNECTIONS_MIN, "connections", seen, advice)
}

fn migrations(it: &Condition) -> Diagnosis {
    let seen = format!("{} of {} done", it.version, it.version_known);
    if it.version == it.version_known {
        return Diagnosis::well("migrations", seen);
    }
    let advice = "`consign migrate`, or the next start of `consign serve`, does the rest; take a copy before";
    Diagnosis::note("migrations", seen, advice)
}

fn counts(it: &Condition) -> Diagnosis {
    let seen = format!("what is kept by status differs from what is counted by {}", it.tally_error);
    let advice = "run `consign audit`, and tell the project what it finds";
    Diagnosis::given(it.tally_error == 0, "counts", seen, advice)
}

fn clocks(it: &Condition, now: Timestamp) -> Vec<Diagnosis> {
    let time = |ms| Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX);
    let (server_ms, latest_ms) = (it.server_now.0, it.latest.0);
    let seen = format!(
        "the database says {}, the ledger last wrote at {}",
        exact(time(server_ms)),
        exact(time(latest_ms))
    );
    let advice = "the database's clock was set back, or was wrong before: set it right, because deadlines go by it";
    let ours_ms = now.as_millisecond();
    let apart = (ours_ms - server_ms).abs() > CLOCK_MS_MAX;
    let note = apart.then(|| {
        let seen = format!("this machine says {}", exact(now));
        Diagnosis::note(
            "clock",
            seen,
            "only the database's clock counts; set this one right for your logs",
        )
    });
    let behind = latest_ms - server_ms > CLOCK_MS_MAX;
    [Diagnosis::given(!behind, "clock", seen, advice)].into_iter().chain(note).collect()
}

/// Who keeps old versions of rows alive, and how many there are.
fn cleaning(it: &Condition) -> Vec<Diagnosis> {
    let mut found: Vec<Diagnosis> = it.holders.iter().filter_map(holder).collect();
    if found.is_empty() {
        found.push(Diagnosis::well("cleaning", "nobody keeps PostgreSQL from cleaning up"));
    }
    if !it.sees_others {
        let seen = "the sessions of other users are not shown to this one";
        let advice = "GRANT pg_monitor to it, to see here and in the metrics who keeps PostgreSQL from cleaning up";
        found.push(Diagnosis::note("cleaning", seen, advice));
    }
    found
}

fn holder(it: &Holder) -> Option<Diagnosis> {
    let beyond = |held_s: f64, transactions| match it.seconds {
        Some(seconds) => seconds > held_s,
        None => it.transactions > transactions,
    };
    if !beyond(HELD_S.0, HELD_TRANSACTIONS.0) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is a span of time"
    )]
    let since = it.seconds.map(|seconds| format!(", since {} ago", duration(seconds as u64)));
    let seen = format!(
        "{} {} ({}) holds the versions of {} transactions{}",
        it.kind,
        it.name,
        it.what,
        it.transactions,
        since.unwrap_or_default()
    );
    let advice = match it.kind.as_str() {
        "prepared" => "end it: COMMIT PREPARED or ROLLBACK PREPARED, with its name",
        "slot" => "let its reader catch up, or drop it: SELECT pg_drop_replication_slot(name)",
        _ => "end it: SELECT pg_terminate_backend(number)",
    };
    let is_wrong = beyond(HELD_S.1, HELD_TRANSACTIONS.1);
    Some(if is_wrong {
        Diagnosis::wrong("cleaning", seen, advice)
    } else {
        Diagnosis::note("cleaning", seen, advice)
    })
}

fn updates(it: &Condition) -> Diagnosis {
    let ((all, hot), (live, dead)) = (it.updates, it.watched);
    let percent = (hot * 100).checked_div(all).unwrap_or(100);
    let seen = format!(
        "{percent} % of {all} updates of what is watched stayed within their page; {live} rows, {dead} dead versions"
    );
    let advice = "find who keeps PostgreSQL from cleaning up, then: VACUUM (FULL) watch, while no server runs";
    Diagnosis::given(percent >= HOT_PERCENT_MIN || all < UPDATES_MIN, "heartbeats", seen, advice)
}

fn servers(it: &Condition) -> Diagnosis {
    let lives: Vec<&Replica> = it.replicas.iter().filter(|replica| replica.lives).collect();
    if lives.is_empty() {
        return Diagnosis::note("servers", "none is connected", "nobody listens and nobody sweeps");
    }
    let behind_ms = |replica: &&&Replica| it.server_now.since_ms(replica.heard_until);
    let late = lives.iter().filter(|replica| behind_ms(replica) > MARK_MS_MAX).count();
    let furthest = lives.iter().map(|replica| behind_ms(&replica)).max().unwrap_or_default();
    let seen = format!(
        "{} connected; all that came until {} ms ago was heard",
        lives.len(),
        furthest.max(0)
    );
    let advice = "a server is connected and records nothing: look at its log, and start it again";
    Diagnosis::given(late == 0, "servers", seen, advice)
}

#[cfg(test)]
mod tests {
    use consign_ledger::Time;
    use consign_store_postgres::Connections;

    use super::*;
    use crate::diagnosis::State;

    const NOW_MS: i64 = 3_600_000;

    fn healthy() -> Condition {
        Condition {
            server: "15.1".to_owned(),
            version: 3,
            version_known: 3,
            latest: Time(NOW_MS),
            server_now: Time(NOW_MS),
            connections: Connections { used: 10, most: 100 },
            sees_others: true,
            updates: (UPDATES_MIN, UPDATES_MIN),
            replicas: vec![Replica { replica_id: 1, heard_until: Time(NOW_MS - 900), lives: true }],
            ..Condition::default()
        }
    }

    fn holds(kind: &str, seconds: Option<f64>, transactions: u64) -> Vec<Holder> {
        let (name, what) = ("7".to_owned(), "psql".to_owned());
        vec![Holder { kind: kind.to_owned(), name, what, transactions, seconds }]
    }

    /// What is not well about it.
    fn ills(condition: &Condition) -> Vec<(&'static str, State)> {
        let now = Timestamp::from_millisecond(NOW_MS).unwrap();
        let found = well_or_not("postgres://db/consign", condition, now);
        let ill = found.iter().filter(|it| it.state != State::Well);
        ill.map(|it| (it.what, it.state)).collect()
    }

    #[test]
    fn each_ill_has_its_name() {
        use State::{Note, Wrong};
        let late = Replica { replica_id: 2, heard_until: Time(NOW_MS - 15_001), lives: true };
        for (condition, ill) in [
            (healthy(), vec![]),
            (Condition { off: vec!["fsync".to_owned()], ..healthy() }, vec![("switches", Wrong)]),
            (
                Condition { connections: Connections { used: 95, most: 100 }, ..healthy() },
                vec![("connections", Wrong)],
            ),
            (Condition { version: 1, ..healthy() }, vec![("migrations", Note)]),
            (Condition { tally_error: 1, ..healthy() }, vec![("counts", Wrong)]),
            (Condition { latest: Time(NOW_MS + 2001), ..healthy() }, vec![("clock", Wrong)]),
            (
                Condition {
                    server_now: Time(NOW_MS + 5000),
                    latest: Time(NOW_MS),
                    replicas: vec![late],
                    ..healthy()
                },
                vec![("clock", Note), ("servers", Wrong)],
            ),
            (Condition { holders: holds("session", Some(1.0), 9_000_000), ..healthy() }, vec![]),
            (
                Condition { holders: holds("session", Some(301.0), 1), ..healthy() },
                vec![("cleaning", Note)],
            ),
            (
                Condition { holders: holds("prepared", Some(3601.0), 1), ..healthy() },
                vec![("cleaning", Wrong)],
            ),
            (
                Condition { holders: holds("slot", None, 1_000_001), ..healthy() },
                vec![("cleaning", Note)],
            ),
            (Condition { sees_others: false, ..healthy() }, vec![("cleaning", Note)]),
            (
                Condition { updates: (UPDATES_MIN, UPDATES_MIN / 2), ..healthy() },
                vec![("heartbeats", Wrong)],
            ),
            (Condition { updates: (10, 0), ..healthy() }, vec![]),
            (Condition { replicas: vec![], ..healthy() }, vec![("servers", Note)]),
            (Condition { replicas: vec![late], ..healthy() }, vec![("servers", Wrong)]),
            (
                Condition { replicas: vec![Replica { lives: false, ..late }], ..healthy() },
                vec![("servers", Note)],
            ),
        ] {
            assert_eq!(ills(&condition), ill, "{condition:?}");
        }
    }
}
