//! The table of transitions, cell by cell, by setting the status and by the verbs.

use consign_testkit::{Memory, World, conformance};

/// From each status (left) to each status (top): `yes`, `same`, `retry` and `recovers` are accepted, `no` is
/// an invalid transition, `over` is refused because the verdict is in.
const TABLE: &str = "
    from         dispatched  in_progress  stuck  queued  completed  failed  cancelled
    queued       yes         yes          yes    same    yes        yes     yes
    dispatched   same        yes          yes    retry   yes        yes     yes
    in_progress  no          same         yes    retry   yes        yes     yes
    stuck        no          recovers     same   retry   yes        yes     yes
    completed    over        over         over   over    same       over    over
    failed       over        over         over   over    over       same    over
    cancelled    over        over         over   over    over       over    same
";

/// Every cell, as (from, to, what it says).
fn cells() -> Vec<(&'static str, &'static str, &'static str)> {
    let mut rows = TABLE.lines().filter(|row| !row.trim().is_empty()).map(str::split_whitespace);
    let tops: Vec<&str> = rows.next().unwrap().skip(1).collect();
    let cells = |mut row: std::str::SplitWhitespace<'static>| {
        let from = row.next().unwrap();
        tops.clone().into_iter().zip(row).map(move |(to, says)| (from, to, says))
    };
    rows.flat_map(cells).collect()
}

/// What brings a new delegation into a status. Nobody holds a lease.
fn bring_to(status: &str) -> &'static str {
    match status {
        "queued" => "",
        "dispatched" => "alice dispatches D",
        "in_progress" => "bob beats D",
        "stuck" => "bob sets D to stuck",
        "completed" => "bob completes D",
        "failed" => "bob fails D",
        "cancelled" => "alice cancels D",
        other => panic!("{other} is no status"),
    }
}

/// The verb that leads to a status, if there is one beside setting it.
fn verb_to(status: &str) -> Option<&'static str> {
    match status {
        "queued" => Some("alice retries D"),
        "stuck" => None,
        other => Some(bring_to(other)),
    }
}

/// What must be true after an act that leads to `to`.
fn expected(from: &str, to: &str, says: &str) -> String {
    let unmoved = format!("D {from}; D attempt 1");
    match says {
        "yes" | "recovers" => format!("D {to}; D attempt 1"),
        "same" => unmoved,
        "retry" => format!("changed; D {to}; D attempt 2"),
        "no" => format!("refused invalid-transition; {unmoved}"),
        // An answer that comes too late is kept.
        "over" if matches!(to, "completed" | "failed") => {
            format!("refused already-terminal and kept; {unmoved}")
        }
        "over" => format!("refused already-terminal; {unmoved}"),
        other => panic!("{other} is no cell"),
    }
}

/// What setting the status is answered, where it is accepted.
fn answer(says: &str) -> &'static str {
    match says {
        "yes" | "recovers" => "changed; ",
        _ => "",
    }
}

#[test]
fn the_table_has_every_cell() {
    assert_eq!(cells().len(), 49);
}

#[test]
fn setting_a_status_follows_the_table() {
    for (from, to, says) in cells() {
        conformance::run(async |mut world: World<Memory>| {
            let (before, expected) = (bring_to(from), expected(from, to, says));
            let script = format!(
                "
                alice delegates D to bob
                {before}
                bob sets D to {to}      {}{expected}",
                answer(says)
            );
            world.play(&script).await;
            if says == "same" {
                world.play(&format!("bob sets D to {to}    {}", of_the_same(from))).await;
            }
            world.audit().await;
        });
    }
}

/// The same again changes nothing; of a verdict it is a replay.
fn of_the_same(status: &str) -> &'static str {
    match status {
        "completed" | "failed" | "cancelled" => "replayed; D version 2",
        "queued" => "unchanged; D version 1",
        _ => "unchanged; D version 2",
    }
}

#[test]
fn the_verbs_follow_the_table() {
    for (from, to, says) in cells() {
        let Some(verb) = verb_to(to) else { continue };
        // Asking for a retry of what is over makes a new delegation instead.
        let (verb, says) = match (to, says) {
            ("queued", "over") => ("alice retries D as D2", "same"),
            _ => (verb, says),
        };
        conformance::run(async |mut world: World<Memory>| {
            let (before, expected) = (bring_to(from), expected(from, to, says));
            world
                .play(&format!(
                    "
                    alice delegates D to bob
                    {before}
                    {verb}      {expected}"
                ))
                .await;
            world.audit().await;
        });
    }
}

#[test]
fn release_leads_back_to_the_queue_from_wherever_there_is_a_lease() {
    conformance::run(async |mut world: World<Memory>| {
        world
            .play(
                "
                alice delegates D1 to bob
                bob accepts D1
                bob releases D1       changed; D1 queued; D1 attempt 1
                alice delegates D2 to bob
                bob accepts D2
                bob sets D2 to stuck, override \"it smells\"
                bob releases D2       changed; D2 queued; D2 attempt 1
                alice delegates D3 to bob
                bob releases D3       refused lease-void; D3 queued",
            )
            .await;
    });
}
