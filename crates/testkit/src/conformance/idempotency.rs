//! The same request twice.

use std::collections::HashSet;
use std::sync::Arc;

use consign_ledger::command::{Command, Create};
use consign_ledger::{Json, Payload};

use crate::scenario::Step;
use crate::{Backend, Said, World};

/// The request behind a line of a script.
fn request<B: Backend>(world: &World<B>, line: &str) -> Create {
    let Ok(Step::Acts(acts)) = Step::parse(line) else { panic!("{line:?} is no act") };
    let Command::Create(create) = world.command(&acts[0]) else {
        panic!("{line:?} delegates nothing")
    };
    *create
}

pub async fn the_same_id_replays_in_every_status<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob     changed
            alice delegates D1 to bob     replayed; D1 queued
            alice dispatches D1
            alice delegates D1 to bob     replayed; D1 dispatched
            bob accepts D1
            alice delegates D1 to bob     replayed; D1 in_progress
            alice sets D1 to stuck, override \"so there\"
            alice delegates D1 to bob     replayed; D1 stuck
            bob completes D1
            alice delegates D1 to bob     replayed; D1 completed
            alice delegates D2 to bob
            bob fails D2
            alice delegates D2 to bob     replayed; D2 failed
            alice delegates D3 to bob
            alice cancels D3
            alice delegates D3 to bob     replayed; D3 cancelled; stats: 1 completed, 1 failed, 1 cancelled",
        )
        .await;
}

pub async fn an_id_belongs_to_its_first_request<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, task \"walk\", attempts 2, under root  refused not-found
            alice delegates D1 to bob, task \"walk\", attempts 2
            alice delegates D1 to bob, task \"run\", attempts 2     refused id-conflict
            alice delegates D1 to carol, task \"walk\", attempts 2  refused id-conflict
            carol delegates D1 to bob, task \"walk\", attempts 2    refused id-conflict
            alice delegates D1 to bob, task \"walk\", attempts 3    refused id-conflict
            alice delegates D1 to bob, task \"walk\", attempts 2, deadline 1h, priority 9, threshold 1m    replayed
                                                                  D1 version 1; D1 deadline in 6h
            alice cancels D1
            alice delegates D1 to bob, task \"run\", attempts 2     refused id-conflict",
        )
        .await;
}

pub async fn a_replay_is_decided_before_deadlines_and_limits<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, key K
            alice delegates D1 to bob, key K, deadline 0s         replayed
            alice delegates D2 to bob, key K, task \"D1\", deadline 9999h, unnamed     replayed; D2 is D1",
        )
        .await;
}

pub async fn a_key_is_held_while_in_flight_and_after_completion<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, key K, task \"walk\"
            alice delegates D2 to bob, key K, task \"walk\", unnamed    replayed; D2 is D1
            alice delegates D2 to bob, key K, task \"run\", unnamed     refused idempotency-conflict
            bob beats D1
            alice delegates D2 to bob, key K, task \"walk\", unnamed    replayed; D2 is D1
            bob completes D1
            alice delegates D2 to bob, key K, task \"walk\", unnamed    replayed; D2 is D1
            alice delegates D2 to bob, key K, task \"run\", unnamed     refused idempotency-conflict
                                                                      stats: 1 completed",
        )
        .await;
}

pub async fn a_key_is_freed_by_failure_and_cancellation<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, key K, task \"walk\", unnamed
            bob fails D1
            alice delegates D2 to bob, key K, task \"walk\", unnamed    changed
            alice cancels D2
            alice delegates D3 to bob, key K, task \"run\", deadline 1m, unnamed     changed
            wait 2m
            sweep                                                     D3 failed
            alice delegates D4 to bob, key K, task \"sit\", unnamed     changed
            alice delegates D5 to bob, key K, task \"sit\", unnamed     replayed; D5 is D4
                                                       stats: 1 queued, 2 failed, 1 cancelled",
        )
        .await;
}

pub async fn a_key_belongs_to_its_caller<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, key K, task \"walk\", unnamed     changed
            carol delegates D2 to bob, key K, task \"run\", unnamed      changed
            alice delegates D3 to bob, key K, task \"walk\", unnamed     replayed; D3 is D1
            carol delegates D4 to bob, key K, task \"run\", unnamed      replayed; D4 is D2",
        )
        .await;
}

pub async fn id_and_key_must_not_name_two_rows<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, key K1, task \"walk\"
            alice delegates D2 to bob, key K2, task \"walk\"
            alice delegates D1 to bob, key K2, task \"walk\"    refused id-conflict
            alice delegates D1 to bob, key K1, task \"walk\"    replayed
            alice delegates D3 to bob, key K1, task \"walk\"    replayed; D3 is D1
            alice delegates D4 to bob, key K1, task \"run\"     refused idempotency-conflict",
        )
        .await;
}

pub async fn a_request_replays_by_its_id_also_where_its_key_was_freed_and_taken<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob, key K
            bob fails D1
            alice delegates D2 to bob, key K, task \"again\"     changed
            alice delegates D1 to bob, key K                    replayed; D1 failed
            alice delegates D3 to bob, task \"D1\"
            alice delegates D3 to bob, key K, task \"D1\"       refused id-conflict
            alice delegates D4 to bob, key L
            alice cancels D4
            alice retries D4 as D5                              changed; D5 retries D4
            alice delegates D4 to bob, key L                    replayed; D4 cancelled
            alice delegates D6 to bob, key L, task \"D4\", unnamed     replayed; D6 is D5",
        )
        .await;
}

pub async fn fifty_concurrent_requests_with_one_key_make_one_delegation<B: Backend>(
    world: World<B>,
) {
    let create = request(&world, "alice delegates D1 to bob, key K, unnamed");
    all_get_one(&world, create, "key").await;
}

pub async fn fifty_concurrent_requests_with_one_id_make_one_delegation<B: Backend>(
    world: World<B>,
) {
    let create = request(&world, "alice delegates D1 to bob");
    all_get_one(&world, create, "id").await;
}

async fn all_get_one<B: Backend>(world: &World<B>, create: Create, what: &str) {
    let (second, _) = world.second_writer().await;
    let tasks = (0..50).map(|nth| {
        let ledger = if nth % 2 == 0 { world.ledger().clone() } else { second.clone() };
        let command = Command::Create(Box::new(create.clone()));
        tokio::spawn(async move { ledger.act(command).await.expect("it is the same request") })
    });
    let (mut ids, mut changed) = (HashSet::new(), 0);
    for task in tasks.collect::<Vec<_>>() {
        let outcome = task.await.unwrap();
        ids.insert(outcome.delegation.delegation_id.clone());
        changed += u32::from(outcome.changed);
    }
    assert_eq!((ids.len(), changed), (1, 1), "one {what}");
    assert_eq!(world.stats().await, "1 queued");
}

pub async fn one_batch_answers_a_request_and_its_repetition<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, key K & alice delegates D1 to bob, key K      changed & replayed
            alice delegates D2 to bob, key L, task \"a\", unnamed & alice delegates D3 to bob, key L, task \"b\", unnamed      changed & refused idempotency-conflict
            alice delegates D4 to bob, key M, task \"a\", unnamed & alice delegates D5 to bob, key M, task \"a\", unnamed      changed & replayed; D5 is D4
                                                       stats: 3 queued",
        )
        .await;
}

pub async fn a_key_freed_in_a_batch_is_taken_in_the_same_batch<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, key K
            alice cancels D1 & alice delegates D2 to carol, key K     changed & changed
            alice delegates D3 to carol, key K, task \"D2\", unnamed     replayed; D3 is D2
            alice delegates D4 to bob, key L & alice cancels D4 & alice delegates D5 to carol, key L     changed & changed & changed
            alice delegates D6 to carol, key L, task \"D5\", unnamed     replayed; D6 is D5",
        )
        .await;
}

pub async fn a_retry_takes_the_key_over_where_it_is_free<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates failed to bob, key K1, task \"walk\"
            bob fails failed
            alice retries failed as D1                                 changed
            alice delegates D2 to bob, key K1, task \"walk\", unnamed    replayed; D2 is D1
            alice delegates taken to bob, key K2, task \"walk\"
            alice cancels taken
            alice delegates D3 to bob, key K2, task \"walk\", unnamed    changed
            alice retries taken as D4                                  changed
            alice delegates D5 to bob, key K2, task \"walk\", unnamed    replayed; D5 is D3
            alice delegates done to bob, key K3, task \"walk\"
            bob completes done
            alice retries done as D6                                   changed
            alice delegates D7 to bob, key K3, task \"walk\", unnamed    replayed; D7 is done",
        )
        .await;
    assert!(world.see("D1").await.idempotency_key.is_some());
    assert_eq!(world.see("D4").await.idempotency_key, None);
    assert_eq!(world.see("D6").await.idempotency_key, None);
}

pub async fn a_terminal_delegation_has_one_retry<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, deadline 1h, threshold 5m, priority 3, task \"walk\"
            wait 1m
            bob fails D1 with \"no\"
            wait 1m
            alice retries D1 as D2         changed; D2 retries D1; D2 queued; D2 attempt 1
                                           D2 deadline in 1h; D1 failed: no; D1 version 2
            alice retries D1 as D3         replayed; D3 is D2
            alice retries D1 as D3 & alice retries D1 as D4     replayed & replayed; D4 is D2
            alice cancels D2
            alice retries D1 as D3         replayed; D3 is D2; D2 cancelled
            alice retries D2 as D5, to carol, deadline 2h    changed; D5 retries D2; D5 callee carol; D5 deadline in 2h
            bob beats D2                   refused already-terminal
            carol accepts D5               D5 in_progress",
        )
        .await;
    let (retry, bodies) = world.find("D2").await.unwrap();
    assert_eq!((retry.terms.stuck_threshold_s, retry.terms.priority), (Some(300), 3));
    assert_eq!(bodies.task, Payload::Text("walk".to_owned()));
}

pub async fn a_retry_gets_as_long_as_the_old_one_had_and_not_longer_than_anybody<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob, deadline 8784h
            clock by 48h
            alice extends D1 to 8784h       D1 deadline in 8784h
            bob fails D1
            alice retries D1 as D2          changed; D2 deadline in 8784h",
        )
        .await;
}

pub async fn a_second_retry_of_a_terminal_delegation_must_ask_for_the_same<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob fails D1
            alice retries D1 as D2, to carol, deadline 2h    changed; D2 callee carol
            wait 1m
            alice retries D1 as D3, to carol, deadline 2h    replayed; D3 is D2
            alice retries D1 as D3, if attempt 1   replayed; D3 is D2
            alice retries D1, to dave              refused changed-meanwhile
            alice retries D1, deadline 3h          refused changed-meanwhile
            alice retries D1, if attempt 2         refused changed-meanwhile
                                                   D2 callee carol; D2 version 1; stats: 1 queued, 1 failed",
        )
        .await;
}

pub async fn a_repeated_retry_is_recognised_by_its_guard_or_until_somebody_takes_the_work<
    B: Backend,
>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob accepts D1
            alice retries D1, to carol, deadline 2h, if attempt 1     changed; D1 attempt 2
            wait 1m
            alice retries D1, to carol, deadline 2h, if attempt 1     replayed
            alice retries D1, to dave, deadline 2h, if attempt 1      refused changed-meanwhile
            alice retries D1, to carol, deadline 3h, if attempt 1     refused changed-meanwhile
            alice retries D1, to carol, deadline 2h                   replayed; D1 attempt 2; D1 version 3
            carol accepts D1
            alice retries D1, to carol, deadline 2h, if attempt 1     refused changed-meanwhile
            carol beats D1                                            told in_progress
            alice extends D1 to 1h, if version 4                      changed
            wait 1m
            alice extends D1 to 1h, if version 4                      replayed
            alice extends D1 to 2h, if version 4                      refused changed-meanwhile
                                                                      D1 deadline in 59m",
        )
        .await;
}

pub async fn an_act_on_what_was_looked_at_is_refused_once_it_changed<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob, attempts 5
            bob accepts D1
            alice retries D1, if attempt 2          refused changed-meanwhile
            alice retries D1, if attempt 1          changed; D1 attempt 2
            bob-two accepts D1
            alice retries D1, if attempt 1          refused changed-meanwhile
            alice extends D1 to 1h, if version 3    refused changed-meanwhile
            alice extends D1 to 1h, if version 4    changed
            alice extends D1 to 2h, if version 5    changed
            alice extends D1 to 1h, if version 4    refused changed-meanwhile
                                                    D1 deadline in 2h; D1 attempt 2",
        )
        .await;
}

pub async fn json_that_means_the_same_is_the_same_request<B: Backend>(world: World<B>) {
    let mut create = request(&world, "alice delegates D1 to bob");
    let mut answers = vec![];
    for task in [
        Payload::Json(Json::trusted(r#"{"a":1,"b":[2,3]}"#.to_owned())),
        Payload::Json(Json::trusted(r#"{ "b": [2, 3], "a": 1 }"#.to_owned())),
        Payload::Json(Json::trusted(r#"{"a":1,"b":[3,2]}"#.to_owned())),
        Payload::Text(r#"{"a":1,"b":[2,3]}"#.to_owned()),
    ] {
        create.bodies = Arc::new((task, None));
        let outcome = world.ledger().act(Command::Create(Box::new(create.clone()))).await;
        answers.push(Said::of(&outcome).to_string());
    }
    assert_eq!(answers, ["changed", "replayed", "refused id-conflict", "refused id-conflict"]);
}
