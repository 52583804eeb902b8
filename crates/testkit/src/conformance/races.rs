//! Who is faster, with the order forced.

use consign_ledger::Reader as _;
use consign_ledger::command::{Accept, Cancel, Command, Complete, Fail, Heartbeat, Sweep, Swept};
use consign_ledger::query::{EventQuery, Lane};
use consign_ledger::{DelegationId, Payload, Time};

use crate::scenario::Step;
use crate::{Backend, Said, Seen, World};

/// What stands between a pass's look and its write.
struct Race {
    meanwhile: &'static str,
    swept: Swept,
    then: &'static str,
}

/// §3.3.
pub async fn a_pass_that_races_an_act_loses<B: Backend>(mut world: World<B>) {
    let races = [
        Race { meanwhile: "bob completes", swept: Swept::Spared, then: "completed" },
        Race { meanwhile: "bob fails", swept: Swept::Spared, then: "failed" },
        Race { meanwhile: "alice cancels", swept: Swept::Spared, then: "cancelled" },
        Race { meanwhile: "bob beats", swept: Swept::Rearmed, then: "in_progress" },
        Race { meanwhile: "alice retries", swept: Swept::Rearmed, then: "queued" },
        Race { meanwhile: "bob releases", swept: Swept::Rearmed, then: "queued" },
        Race { meanwhile: "bob-two accepts", swept: Swept::Stuck, then: "stuck" },
    ];
    for (nth, Race { meanwhile, swept, then }) in races.into_iter().enumerate() {
        let name = format!("D{nth}");
        world
            .play(&format!(
                "
                alice delegates {name} to bob
                bob accepts {name}
                wait 11m"
            ))
            .await;
        let seen = world.due(Lane::Check).await;
        assert_eq!(seen.len(), 1, "{meanwhile}");
        let act = Step::parse(&format!("{meanwhile} {name}")).unwrap();
        world.step(&act).await;
        assert_eq!(world.examine_numbered(seen[0]).await, swept, "{meanwhile}");
        world.play(&format!("sweep    {name} {then}")).await;
        world.play(&format!("alice cancels {name}    {}", answer_of_cancel(then))).await;
    }
    world.play("sweep   nothing; alice has 7 messages").await;
}

fn answer_of_cancel(status: &str) -> &'static str {
    match status {
        "completed" | "failed" => "refused already-terminal",
        "cancelled" => "replayed",
        _ => "changed",
    }
}

pub async fn a_pass_that_races_an_act_for_a_deadline_loses<B: Backend>(mut world: World<B>) {
    for (meanwhile, swept, then) in [
        ("bob completes D", Swept::Spared, "completed"),
        ("alice cancels D", Swept::Spared, "cancelled"),
        ("bob beats D", Swept::DeadlineFailed, "failed"),
    ] {
        let name = format!("D-{then}");
        world.play(&format!("alice delegates {name} to bob, deadline 1m")).await;
        world.play("wait 61s").await;
        let seen = world.due(Lane::Deadline).await;
        assert_eq!(seen.len(), 1, "{meanwhile}");
        let act = Step::parse(&meanwhile.replace('D', &name)).unwrap();
        world.step(&act).await;
        assert_eq!(world.examine_numbered(seen[0]).await, swept, "{meanwhile}");
        world.play(&format!("sweep    nothing; {name} {then}")).await;
    }
    world
        .play(
            "
            alice delegates D to bob, deadline 1m
            wait 61s",
        )
        .await;
    let seen = world.due(Lane::Deadline).await;
    world.play("alice extends D to 1h   changed").await;
    assert_eq!(world.examine_numbered(seen[0]).await, Swept::Rearmed);
    world.play("sweep   nothing; D queued; alice has 3 messages").await;
}

pub async fn a_pass_that_races_a_second_pass_finds_nothing_left<B: Backend>(mut world: World<B>) {
    for n in 0..40 {
        world.play(&format!("alice delegates D{n} to bob, deadline 1m")).await;
    }
    world.play("wait 61s").await;
    let (second, _) = world.second_writer().await;
    let seen = world.due(Lane::Deadline).await;
    let steps = || seen.iter().copied().map(Sweep::Examine).collect::<Vec<_>>();
    let (one, two) = tokio::join!(world.ledger().sweep(steps()), second.sweep(steps()));
    let both: Vec<Swept> = one.into_iter().chain(two).map(Result::unwrap).collect();
    let count = |what| both.iter().filter(|swept| **swept == what).count();
    assert_eq!((count(Swept::DeadlineFailed), count(Swept::Spared)), (40, 40));
    world.play("sweep   nothing; stats: 40 failed; alice has 40 messages").await;
}

pub async fn a_row_is_rearmed_only_if_it_is_what_was_seen<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob
            alice delegates D3 to bob
            alice delegates D4 to bob
            alice delegates D5 to bob, deadline 1h
            bob accepts D1
            bob accepts D2
            bob accepts D3
            bob accepts D4
            bob accepts D5
            wait 11m",
        )
        .await;
    let due = world.reader().due(Lane::Check, world.now().await, None, 10).await.unwrap();
    assert_eq!(due.len(), 5);
    world
        .play(
            "
            alice retries D2
            bob completes D3
            bob beats D4, waiting for human for 2h
            alice extends D5 to 2h",
        )
        .await;
    let at = world.now().await.plus_s(5);
    let rearms = due.iter().map(|due| (due.watch, at)).collect();
    assert_eq!(world.ledger().rearm(rearms).await.unwrap(), 1, "only D1 is what it was");
    let due = world.reader().due(Lane::Check, at + 1, None, 10).await.unwrap();
    let moved = due.iter().map(|due| due.at).collect::<Vec<_>>();
    assert_eq!(moved[1..], [at], "behind D5, which is due as before");
}

/// The deadline has an index of its own, so a verdict that it brings has one entry less to take away.
pub async fn a_look_behind_the_deadline_is_left_to_the_deadline<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates short to bob, deadline 5m
            alice delegates D1 to bob, deadline 15m
            bob beats short & bob beats D1
            wait 4m
            bob beats short
            wait 2m
            sweep                     pass: 1 deadlines; short failed: deadline exceeded by sweeper
            bob beats D1
            wait 4m",
        )
        .await;
    let due = world.reader().due(Lane::Check, world.now().await + 1, None, 10).await.unwrap();
    assert_eq!(due.len(), 1, "D1, by its first beat");
    world.play("wait 1s\n sweep    pass: 1 rearmed; D1 in_progress").await;
    assert_eq!(world.reader().earliest_due().await.unwrap(), Some(due[0].watch.deadline));
    let later = world.reader().due(Lane::Check, Time(i64::MAX), None, 10).await.unwrap();
    assert_eq!(later, [], "it would be silent behind its deadline at the earliest");
    world
        .play("wait 1h\n sweep    pass: 1 deadlines; D1 failed: deadline exceeded by sweeper")
        .await;
}

pub async fn a_beat_after_any_transition_gets_an_exact_answer<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates alive to bob
            alice delegates stuck to bob
            alice delegates idle to bob, progress within 1m, threshold 1h
            alice delegates completed to bob
            alice delegates failed to bob
            alice delegates cancelled to bob
            alice delegates retried to bob
            alice delegates released to bob
            alice delegates waiting to bob
            alice delegates queued to bob
            bob accepts alive & bob accepts stuck & bob accepts idle & bob accepts completed
            bob accepts failed & bob accepts cancelled & bob accepts retried & bob accepts released
            bob accepts waiting
            wait 2m
            sweep                     pass: 1 stuck; idle stuck: no progress for 2m0s
            bob sets stuck to stuck with \"hm\", override \"hm\"
            bob completes completed
            bob fails failed
            alice cancels cancelled
            alice retries retried
            bob releases released
            bob beats waiting, waiting for human",
        )
        .await;
    let expected = [
        ("alive", "told in_progress"),
        ("stuck", "told in_progress"),
        ("idle", "told stuck"),
        ("completed", "refused already-terminal"),
        ("failed", "refused already-terminal"),
        ("cancelled", "refused already-terminal"),
        ("retried", "refused lease-void"),
        ("released", "refused lease-void"),
        ("waiting", "told in_progress"),
        ("unknown", "refused not-found"),
        ("queued", "told in_progress"),
        ("alive", "told in_progress"),
    ];
    let holders = ["unknown", "queued"];
    let beats = expected.map(|(name, _)| Heartbeat {
        id: world.id(name),
        lease: (!holders.contains(&name)).then(|| world.lease("bob", name)),
        progress: None,
        waiting: None,
        override_reason: None,
    });
    let pulses = world.ledger().heartbeats(beats.to_vec()).await;
    let told: Vec<_> = pulses.iter().map(|pulse| Said::of_beat(pulse).to_string()).collect();
    assert_eq!(told, expected.map(|(_, told)| told));
    let stop: Vec<_> = pulses.iter().map(|pulse| Said::of_beat(pulse).status).collect();
    assert!(stop.iter().enumerate().all(|(nth, status)| status.is_some() || nth == 9), "{stop:?}");
    world
        .play(
            "
            sweep                     nothing; waiting waits; completed version 3; retried queued
            bob beats alive           told in_progress; alive version 2",
        )
        .await;
}

pub async fn two_commands_for_one_delegation_in_one_batch_are_decided_in_their_order<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob completes D1 with \"42\" & alice cancels D1      changed & refused already-terminal
            alice delegates D2 to bob
            alice cancels D2 & bob completes D2 with \"42\"      changed & refused already-terminal and kept
            alice delegates D3 to bob
            bob completes D3 with \"a\" & bob completes D3 with \"b\" & bob completes D3 with \"a\"    changed & kept as late & replayed
            alice delegates D4 to bob
            bob beats D4 & bob beats D4, waiting for human & alice sets D4 to stuck & bob completes D4    told in_progress & changed & changed & changed
            alice delegates D5 to bob
            bob beats D5 & alice retries D5 & bob beats D5     told in_progress & changed & refused lease-required
            alice delegates D6 to bob
            bob completes D6 & bob completes D6 with \"42\"      changed & changed; D6 result \"42\"
                              D1 version 2; D2 version 3; D3 result \"a\"; D4 version 5; D5 attempt 2
                              alice has 5 messages; stats: 1 queued, 4 completed, 1 cancelled",
        )
        .await;
}

pub async fn an_act_on_what_the_same_batch_creates_sees_it<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob & bob beats D1 & bob completes D1 with \"42\"      changed & changed & changed
            alice delegates D2 to bob & bob delegates D3 to carol, under D2 & carol accepts D3 as C    changed & changed & changed
            alice delegates D4 to bob & alice cancels D4 & bob delegates D5 to carol, under D4     changed & changed & refused already-terminal
            alice delegates D6 to bob & alice retries D6 & alice dispatches D6 & alice retries D6    changed & unchanged & changed & changed
            alice delegates D7 to bob & bob fails D7 & alice retries D7 as D8 & alice retries D7 as D9     changed & changed & changed & replayed
            bob delegates D10 to carol & alice delegates D10 to carol     changed & refused id-conflict
            alice delegates D11 to bob & bob delegates D12 to carol, under D11 & alice cancels D11     changed & changed & changed
            bob beats D13 & alice delegates D13 to bob     refused not-found & changed
            sweep             D12 cancelled; D13 queued
                              D1 completed; D1 result \"42\"; D1 history created started completed
                              D3 in_progress; D6 attempt 2; D6 queued; D7 failed; D8 queued; D9 is D8; D5 unknown
            carol beats D3    told in_progress",
        )
        .await;
    let wait = world.step(&Step::Wait(1)).await;
    assert!(matches!(wait, Seen::Quiet));
}

pub async fn of_rival_verdicts_by_two_writers_one_is_recorded<B: Backend>(mut world: World<B>) {
    const ROWS: usize = 30;
    let mut ids = vec![];
    for n in 0..ROWS {
        world.play(&format!("alice delegates D{n} to bob")).await;
        ids.push(world.id(&format!("D{n}")));
    }
    let (second, _) = world.second_writer().await;
    let mut tasks = vec![];
    for id in ids {
        for (nth, command) in verdicts(&id).into_iter().enumerate() {
            let ledger = if nth % 2 == 0 { world.ledger().clone() } else { second.clone() };
            tasks.push(tokio::spawn(async move { ledger.act(command).await }));
        }
    }
    let mut won = 0;
    for task in tasks {
        won += usize::from(task.await.unwrap().is_ok_and(|outcome| outcome.changed));
    }
    assert_eq!(won, ROWS);
    world.play(&format!("sweep   nothing; alice has {ROWS} messages")).await;
    assert_eq!(world.reader().stats().await.unwrap().in_flight(), 0);
}

fn verdicts(id: &DelegationId) -> [Command; 4] {
    let (lease, override_reason) = (None, None);
    let complete = |result: &str| Complete {
        id: id.clone(),
        result: Some(Payload::Text(result.to_owned())),
        lease: lease.clone(),
        override_reason: override_reason.clone(),
    };
    let error_detail = Some("no".to_owned());
    let fail = Fail { id: id.clone(), error_detail, lease: None, override_reason: None };
    [
        Command::Complete(complete("one")),
        Command::Fail(fail),
        Command::Cancel(Cancel { id: id.clone(), reason: None }),
        Command::Complete(complete("two")),
    ]
}

/// §3.11.
pub async fn who_has_seen_a_number_is_never_shown_a_smaller_one_later<B: Backend>(
    mut world: World<B>,
) {
    const ACTS: usize = 60;
    let (second, _) = world.second_writer().await;
    for n in 0..ACTS {
        world.play(&format!("alice delegates D{n} to bob")).await;
    }
    let tasks: Vec<_> = (0..ACTS)
        .map(|n| {
            let ledger = if n % 2 == 0 { world.ledger().clone() } else { second.clone() };
            let accept = Accept { id: world.id(&format!("D{n}")), claim_id: None };
            tokio::spawn(async move { ledger.act(Command::Accept(accept)).await.unwrap() })
        })
        .collect();
    let mut seen: Vec<i64> = vec![];
    while seen.len() < 2 * ACTS {
        let after = seen.last().copied().unwrap_or(0);
        let query = EventQuery { delegation_id: None, after, limit: 7 };
        let page = world.reader().events(query).await.unwrap();
        seen.extend(page.events.iter().map(|event| event.seq));
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    let all: Vec<i64> = world.events().await.iter().map(|event| event.seq).collect();
    assert_eq!(seen, all, "a reader that follows misses nothing");
    assert!(all.is_sorted_by(|one, next| one < next));
}
