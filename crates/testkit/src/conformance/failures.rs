//! What the disk, the connection and single rows may do, and what must hold all the same.

use consign_ledger::command::{Command, Heartbeat, Sweep};
use consign_ledger::delegation::listening::{Gap, GapCause};
use consign_ledger::{Error, Failure, Reader as _};

use crate::scenario::Step;
use crate::{Backend, Fault, Said, World};

/// What the acts of one line are answered, in one batch.
async fn said<B: Backend>(world: &mut World<B>, line: &str) -> Vec<String> {
    let Ok(Step::Acts(acts)) = Step::parse(line) else { panic!("{line:?} is no act") };
    world.act(&acts).await.iter().map(ToString::to_string).collect()
}

pub async fn a_batch_that_fails_is_run_again<B: Backend>(mut world: World<B>) {
    world.faults().fail_batches([Fault::Lost, Fault::Lost]);
    world
        .play(
            "
            alice delegates D1 to bob        changed
            bob accepts D1",
        )
        .await;
    world.faults().fail_batches([Fault::LostUnknown]);
    world
        .play(
            "
            bob completes D1 with \"42\"       changed; D1 version 3; alice has 1 message
            bob completes D1 with \"42\"       replayed",
        )
        .await;
}

pub async fn a_batch_runs_again_after_pauses_that_grow_and_come_to_an_end<B: Backend>(
    mut world: World<B>,
) {
    world.play("alice delegates D1 to bob").await;
    assert!(world.faults().pauses_ms().is_empty(), "what succeeds waits for nothing");
    world.faults().fail_batches([Fault::Lost, Fault::LostUnknown, Fault::Lost, Fault::Lost]);
    world.play("bob accepts D1   refused unavailable").await;
    let pauses_ms = world.faults().pauses_ms();
    assert_eq!(pauses_ms.len(), 3, "one between each two runs");
    assert!(pauses_ms.is_sorted_by(|one, next| one < next), "{pauses_ms:?}");
    assert!(pauses_ms.iter().sum::<u64>() <= 2000, "{pauses_ms:?} is too long to wait for");
    world.faults().fail_batches([Fault::Contended]);
    world.play("bob accepts D1   refused contended").await;
    assert_eq!(world.faults().pauses_ms(), pauses_ms, "the store has tried that often enough");
}

pub async fn a_commit_that_keeps_failing_is_told_and_changes_nothing<B: Backend>(
    mut world: World<B>,
) {
    world.play("alice delegates D1 to bob").await;
    let before = world.everything().await;
    world.faults().fail_batches([Fault::Lost; 4]);
    world.play("bob completes D1 & alice delegates D2 to bob   refused unavailable & refused unavailable").await;
    world.faults().fail_batches([Fault::Contended]);
    world.play("bob completes D1   refused contended").await;
    assert_eq!(world.everything().await, before);
    world.play("bob completes D1   changed; D2 unknown").await;
}

/// §3.12, where it is the commit's answer that was lost.
pub async fn a_commit_whose_outcome_is_unknown_is_done_once_and_answered_as_it_was_decided<
    B: Backend,
>(
    mut world: World<B>,
) {
    for (act, answer) in [
        ("alice delegates D1 to bob, key K, attempts 2", "changed"),
        ("alice delegates D2 to bob, unnamed", "changed"),
        ("bob accepts D1", "changed"),
        ("bob beats D1, waiting for human", "told in_progress"),
        ("alice retries D1", "changed"),
        ("carol accepts D1", "changed"),
        ("carol completes D1 with \"42\"", "changed"),
        ("carol completes D1 with \"43\"", "kept as late"),
        ("alice cancels D1", "refused already-terminal"),
        ("alice retries D1 as D3", "changed"),
    ] {
        world.faults().fail_batches([Fault::CommittedUnknown]);
        world.play(&format!("{act}    {answer}")).await;
    }
    world
        .play(
            "
            sweep             nothing
                              D1 history created accepted waiting requeued accepted completed late_result
                              D1 keeps 1 late results; alice has 1 message; D3 retries D1
                              stats: 2 queued, 1 completed",
        )
        .await;
}

pub async fn a_commit_whose_outcome_is_unknown_may_fail_again_before_it_is_known<B: Backend>(
    mut world: World<B>,
) {
    world.play("alice delegates D1 to bob").await;
    world.faults().fail_batches([Fault::CommittedUnknown, Fault::Lost, Fault::CommittedUnknown]);
    world.play("bob accepts D1   changed; D1 version 2").await;
    world.play("bob beats D1     told in_progress").await;
}

/// §3.8.
pub async fn a_command_that_the_store_rejects_fails_alone<B: Backend>(mut world: World<B>) {
    for n in 0..9 {
        world.play(&format!("alice delegates D{n} to bob")).await;
    }
    world.faults().reject(world.id("D2"));
    world.faults().reject(world.id("D7"));
    let line: Vec<String> = (0..9).map(|n| format!("bob completes D{n}")).collect();
    let answers = said(&mut world, &line.join(" & ")).await;
    for (n, answer) in answers.iter().enumerate() {
        let expected = if n == 2 || n == 7 { "refused internal" } else { "changed" };
        assert_eq!(answer, expected, "D{n}");
    }
    assert_eq!(world.stats().await, "2 queued, 7 completed");
    assert_eq!(world.inbox("alice").await.messages.len(), 7);
}

/// §3.2, in one transaction.
pub async fn what_the_database_rejects_midway_leaves_nothing_behind<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob, key K
            alice delegates D3 to bob",
        )
        .await;
    world.backend().refuse(&world.id("D2")).await;
    let before = world.find("D2").await;
    let answers = said(
        &mut world,
        "bob completes D1 with \"a\" & bob fails D2 with \"b\" & bob completes D3 with \"c\"",
    )
    .await;
    assert_eq!(answers, ["changed", "refused internal", "changed"]);
    assert_eq!(world.find("D2").await, before);
    world
        .play(
            "
            sweep             nothing; D1 result \"a\"; D3 result \"c\"
                              D2 queued; D2 history created; alice has 2 messages
                              stats: 1 queued, 2 completed
            alice delegates D4 to bob, key K, task \"D2\", unnamed      replayed; D4 is D2",
        )
        .await;
    let seqs: Vec<i64> = world.events().await.iter().map(|event| event.seq).collect();
    assert!(seqs.is_sorted_by(|one, next| one < next), "{seqs:?}");
}

/// §3.8, where it is the row that cannot exist.
pub async fn a_row_that_cannot_exist_affects_only_itself<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, deadline 20m
            alice delegates D2 to bob, deadline 20m
            alice delegates D3 to bob
            bob beats D1 & bob beats D2 & bob beats D3",
        )
        .await;
    world.backend().poison(&world.id("D2")).await;
    let answers = said(&mut world, "bob beats D1 & bob completes D2 & bob beats D3").await;
    assert_eq!(answers, ["unchanged", "refused internal", "unchanged"]);
    assert!(matches!(world.reader().find(&world.id("D2")).await, Err(Failure::Corrupt(_))));
    let page = world.reader().list(consign_ledger::query::Filter {
        limit: 10,
        ..consign_ledger::query::Filter::default()
    });
    let listed: Vec<_> =
        page.await.unwrap().items.into_iter().map(|it| it.delegation.delegation_id).collect();
    assert_eq!(listed, [world.id("D3"), world.id("D1")]);
    world
        .play(
            "
            wait 11m
            sweep             D1 stuck: no heartbeat for 11m0s; D3 stuck: no heartbeat for 11m0s
            wait 10m",
        )
        .await;
    let report = world.sweep().await;
    assert_eq!(report.deadline_failures, 1);
    assert!(report.errors >= 1, "{report:?}");
    world.play("bob completes D3    changed; D1 failed: deadline exceeded by sweeper").await;
}

pub async fn a_row_beside_one_that_cannot_exist_gets_its_verdict<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob delegates D2 to carol, under D1
            bob delegates D3 to carol, under D1",
        )
        .await;
    world.backend().poison(&world.id("D1")).await;
    world
        .play(
            "
            carol completes D2                           changed
            bob delegates D4 to carol, under D1          refused internal
            bob retries D3 & carol accepts D3            unchanged & changed",
        )
        .await;
}

/// §3.4.
pub async fn nothing_is_acknowledged_before_it_is_committed<B: Backend>(mut world: World<B>) {
    let Ok(Step::Acts(acts)) = Step::parse("alice delegates D1 to bob") else { unreachable!() };
    let (command, faults) = (world.command(&acts[0]), world.faults());
    let begun = faults.begun();
    let gate = faults.close_gate().await;
    let ledger = world.ledger().clone();
    let answer = tokio::spawn(async move { ledger.act(command).await });
    faults.until_begun(begun + 1).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!answer.is_finished(), "it was acknowledged while its transaction had not begun");
    assert_eq!(world.find("D1").await, None);
    drop(gate);
    assert!(answer.await.unwrap().unwrap().changed);
    world.play("sweep  D1 queued").await;
}

/// §3.4, the other half.
pub async fn nothing_acknowledged_is_lost_when_the_server_is_killed<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob, key K, notify stuck, attempts 3, priority 7
            alice delegates D2 to bob
            bob accepts D1 as C
            bob beats D1, progress \"half\"
            bob beats D1, waiting for human for 5m
            bob completes D2 with \"42\"
            bob completes D2 with \"43\"
            bob delegates D3 to carol, under D1
            wait 10s
            carol beats D3, progress \"x\"",
        )
        .await;
    let before = world.everything().await;
    world.play("restart").await;
    assert_eq!(world.everything().await, before);
    world
        .play(
            "
            bob beats D1          told in_progress
            alice delegates D4 to bob, key K, task \"D1\", attempts 3, unnamed     replayed; D4 is D1",
        )
        .await;
}

pub async fn a_server_killed_with_a_batch_in_hand_did_it_whole_or_not_at_all<B: Backend>(
    mut world: World<B>,
) {
    world.play("alice delegates D1 to bob").await;
    let before = world.everything().await;
    let Ok(Step::Acts(acts)) = Step::parse("bob completes D1 & alice delegates D2 to bob") else {
        unreachable!()
    };
    let commands: Vec<Command> = acts.iter().map(|act| world.command(act)).collect();
    let faults = world.faults();
    let begun = faults.begun();
    let gate = faults.close_gate().await;
    let ledger = world.ledger().clone();
    let answers = tokio::spawn(async move { ledger.act_all(commands).await });
    faults.until_begun(begun + 1).await;
    world.kill().await;
    drop(gate);
    let answers = answers.await.unwrap();
    assert!(answers.iter().all(|answer| matches!(answer, Err(Error::Unavailable))));
    world.start().await;
    assert_eq!(world.everything().await, before);
}

pub async fn requests_that_arrive_while_a_batch_commits_form_the_next_one<B: Backend>(
    world: World<B>,
) {
    const REQUESTS: u64 = 30;
    let faults = world.faults();
    let begun = faults.begun();
    let gate = faults.close_gate().await;
    let mut answers = vec![];
    for n in 0..REQUESTS {
        let line = format!("alice delegates D{n} to bob");
        let Ok(Step::Acts(acts)) = Step::parse(&line) else { unreachable!() };
        let (ledger, command) = (world.ledger().clone(), world.command(&acts[0]));
        answers.push(tokio::spawn(async move { ledger.act(command).await }));
        faults.until_begun(begun + 1).await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    drop(gate);
    for answer in answers {
        assert!(answer.await.unwrap().unwrap().changed);
    }
    assert_eq!(faults.begun() - begun, 2, "the first alone, then all that came meanwhile");
}

pub async fn a_beat_that_was_not_recorded_is_told_and_the_mark_waits_for_it<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob accepts D1
            wait 5m",
        )
        .await;
    let heard_until = || async {
        world.reader().listening(world.now().await).await.unwrap().heard_until().unwrap()
    };
    let before = heard_until().await;
    assert_eq!(before, world.wall());
    world.clock().advance_ms(1500);
    world.faults().fail_beats([Fault::Lost]);
    let beat = Heartbeat {
        id: world.id("D1"),
        lease: Some(world.lease("bob", "D1")),
        progress: None,
        waiting: None,
        override_reason: None,
    };
    let pulse = world.ledger().heartbeats(vec![beat]).await.pop().unwrap();
    assert_eq!(Said::of_beat(&pulse).refused.as_deref(), Some("unavailable"));
    assert_eq!(heard_until().await, before, "the mark must not move over a beat that was lost");
    world.ledger().listen().await.unwrap();
    let gap = Gap { from: before, to: before + 1500, cause: GapCause::Pause };
    assert_eq!(world.gaps().await, [gap], "however short the time was in which it was lost");
    world.wait(1).await;
    assert_eq!(world.gaps().await, [gap], "and no longer");
}

/// §3.6, where it is the database that is down.
pub async fn an_outage_of_the_database_is_nobodys_silence<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob accepts D1
            wait 5m",
        )
        .await;
    let minutes = 30;
    world.faults().fail_beats(vec![Fault::Lost; minutes * 60]);
    world.wait(30 * 60).await;
    world
        .play(
            "
            sweep                     nothing
            wait 4m59s
            sweep                     nothing
            wait 4s
            sweep                     D1 stuck",
        )
        .await;
    let gaps = world.gaps().await;
    assert_eq!(gaps.len(), 1, "{gaps:?}");
}

pub async fn an_error_in_a_pass_is_counted_and_the_next_pass_does_the_rest<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob, deadline 1m
            alice delegates D2 to bob, deadline 1m
            wait 2m",
        )
        .await;
    world.faults().fail_batches([Fault::Lost; 4]);
    let report = world.sweep().await;
    assert!(report.errors > 0 && report.deadline_failures == 0, "{report:?}");
    world.play("sweep    pass: 2 deadlines, 0 errors").await;
    let sweeps = world.reader().sweeps(2).await.unwrap();
    assert_eq!(sweeps.iter().map(|it| it.deadline_failures).collect::<Vec<_>>(), [2, 0]);
}

pub async fn a_step_of_a_pass_that_the_store_rejects_fails_alone<B: Backend>(mut world: World<B>) {
    for n in 0..5 {
        world.play(&format!("alice delegates D{n} to bob, deadline 1m")).await;
    }
    world.play("wait 61s").await;
    world.backend().refuse(&world.id("D3")).await;
    let mut steps = vec![];
    for n in 0..5 {
        steps.push(Sweep::Examine(world.num(&format!("D{n}")).await));
    }
    let swept = world.ledger().sweep(steps).await;
    let failed: Vec<usize> =
        swept.iter().enumerate().filter(|(_, it)| it.is_err()).map(|(nth, _)| nth).collect();
    assert_eq!(failed, [3]);
    assert_eq!(world.stats().await, "1 queued, 4 failed");
}

pub async fn whether_facts_can_be_written_is_tried_only_where_the_last_could_not_be<B: Backend>(
    mut world: World<B>,
) {
    let tries = async |world: &World<B>| {
        let before = world.faults().begun();
        let outcome = world.ledger().try_writing().await;
        (outcome.map_err(|error| error.to_string()), world.faults().begun() - before)
    };
    world.play("alice delegates D1 to bob").await;
    assert_eq!(tries(&world).await, (Ok(()), 0), "nobody is asked");

    world.faults().fail_batches([Fault::Lost; 8]);
    world.play("bob beats D1   refused unavailable").await;
    assert_eq!(tries(&world).await, (Err(Error::Unavailable.to_string()), 4));
    // What changes nothing is not written, and so says nothing.
    world.play("alice delegates D1 to bob   replayed\ncarol claims   takes nothing").await;
    assert_eq!(
        tries(&world).await,
        (Ok(()), 1),
        "one batch, and nothing is known to fail any more"
    );
    assert_eq!(tries(&world).await, (Ok(()), 0));

    world.faults().fail_beats([Fault::Lost]);
    world.ledger().listen().await.unwrap_err();
    world.ledger().listen().await.unwrap();
    assert_eq!(tries(&world).await, (Ok(()), 1), "a mark is less than a fact");
    let before = world.everything().await;
    assert_eq!(tries(&world).await, (Ok(()), 0));
    assert_eq!(world.everything().await, before);
}
