//! How delegations end, and what is refused once they have.

use consign_ledger::Reader as _;
use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::change::{EventKind, Role};
use consign_ledger::delegation::status::Status;
use consign_ledger::query::EventQuery;

use crate::{Backend, World};

/// §3.1.
pub async fn every_delegation_ends_at_its_deadline_plus_one_pass_at_the_latest<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates queued to bob, deadline 30m, start within 2h
            alice delegates dispatched to bob, deadline 30m, dispatched
            alice delegates beating to bob, deadline 30m
            alice delegates silent to bob, deadline 30m
            alice delegates idle to bob, deadline 30m, progress within 1m
            alice delegates warned to bob, deadline 30m
            alice delegates waiting to bob, deadline 30m
            alice delegates extended to bob, deadline 10m
            alice extends extended to 30m
            bob accepts beating & bob accepts silent & bob accepts idle & bob accepts waiting
            alice sets warned to stuck
            wait 5m
            bob beats idle
            bob beats waiting, waiting for human for 100h
            sweep                      idle stuck: no progress for 5m0s
            wait 6m
            sweep                      silent stuck: no heartbeat for 11m0s
            wait 19m
            bob beats beating
            bob beats idle             told stuck
            sweep                      nothing
            wait 1s
            sweep                      pass: 8 deadlines, 0 stuck, 0 errors
                                       queued failed: deadline exceeded by sweeper
                                       dispatched failed: deadline exceeded by sweeper
                                       beating failed: deadline exceeded by sweeper
                                       silent failed: deadline exceeded by sweeper
                                       idle failed: deadline exceeded by sweeper
                                       warned failed: deadline exceeded by sweeper
                                       waiting failed: deadline exceeded by sweeper
                                       extended failed: deadline exceeded by sweeper
                                       queued failure deadline_exceeded
                                       alice has 8 messages; stats: 8 failed",
        )
        .await;
}

/// Whoever looks for what went wrong asks when it was heard last.
pub async fn a_verdict_keeps_what_was_heard_last<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates failing to bob, deadline 2m & alice delegates done to bob
            bob beats failing & bob beats done
            wait 30s
            bob beats failing, progress \"half\" & bob beats done, progress \"half\"",
        )
        .await;
    let heard = |it: &Delegation| (it.last_heartbeat, it.progress_at, it.clocks_from);
    let before = [heard(&world.see("failing").await), heard(&world.see("done").await)];
    assert!(before.iter().all(|(last, _, since)| last > since), "{before:?}");
    world
        .play(
            "
            bob completes done with \"42\"   changed
            wait 3m
            sweep                           failing failed: deadline exceeded by sweeper",
        )
        .await;
    let after = [heard(&world.see("failing").await), heard(&world.see("done").await)];
    assert_eq!(after, before);
}

/// §3.2.
pub async fn a_verdict_is_recorded_at_most_once<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob completes D1 with \"42\"     changed; D1 completed; alice has 1 message
            bob completes D1 with \"42\"     replayed
            bob completes D1               replayed
            bob completes D1 with \"43\"     kept as late
            bob fails D1 with \"oh\"         refused already-terminal and kept
            alice cancels D1               refused already-terminal
            alice sets D1 to queued        refused already-terminal
            alice sets D1 to stuck         refused already-terminal
            alice dispatches D1            refused already-terminal
            alice extends D1 to 1h         refused already-terminal
            bob accepts D1                 refused already-terminal
            bob beats D1                   refused already-terminal
            wait 7h
            sweep                          nothing
                                           D1 completed; D1 result \"42\"; alice has 1 message
                                           D1 history created completed late_result late_result
                                           stats: 1 completed",
        )
        .await;
}

pub async fn each_status_in_flight_can_be_completed_failed_and_cancelled<B: Backend>(
    mut world: World<B>,
) {
    for (verdict, status) in
        [("bob completes", "completed"), ("bob fails", "failed"), ("alice cancels", "cancelled")]
    {
        world
            .play(&format!(
                "
                alice delegates {status}-1 to bob
                alice delegates {status}-2 to bob, dispatched
                alice delegates {status}-3 to bob, dispatched
                alice delegates {status}-4 to bob, dispatched
                bob beats {status}-3
                alice sets {status}-4 to stuck
                {verdict} {status}-1          changed; {status}-1 {status}
                {verdict} {status}-2          changed; {status}-2 {status}
                {verdict} {status}-3          changed; {status}-3 {status}
                {verdict} {status}-4          changed; {status}-4 {status}
                {verdict} {status}-4          replayed"
            ))
            .await;
    }
    world
        .play("sweep  nothing; alice has 12 messages; stats: 4 completed, 4 failed, 4 cancelled")
        .await;
}

pub async fn the_deadline_wins_where_silence_holds_too<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, deadline 20m
            bob accepts D1
            wait 21m
            sweep                     pass: 1 deadlines, 0 stuck
                                      D1 failed: deadline exceeded by sweeper
                                      D1 history created accepted failed",
        )
        .await;
}

pub async fn a_delegation_past_its_deadline_is_in_flight_until_its_verdict_is_written<
    B: Backend,
>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob, deadline 10s
            alice delegates D2 to bob, deadline 10s
            alice delegates D3 to bob, deadline 10s
            alice delegates D4 to bob, deadline 10s
            bob beats D1
            wait 1m
            bob beats D1              told in_progress
            bob completes D1          D1 completed
            bob beats D2              told in_progress; D2 in_progress
            alice extends D3 to 1m    changed
            sweep                     pass: 2 deadlines
                                      D2 failed: deadline exceeded by sweeper; D3 queued
                                      D4 failed: deadline exceeded by sweeper",
        )
        .await;
}

pub async fn the_first_detail_fills_a_verdict_that_had_none<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob
            bob completes D1                changed
            bob completes D1 with \"42\"      changed; D1 result \"42\"; D1 keeps 0 late results
            bob completes D1 with \"42\"      replayed
            bob completes D1 with \"43\"      kept as late; D1 result \"42\"
            bob fails D2                    changed
            bob fails D2 with \"no disk\"     changed; D2 failed: no disk
            bob fails D2 with \"no disk\"     replayed
            bob fails D2 with \"no net\"      kept as late; D2 failed: no disk
                                            D1 version 4; D2 version 4; alice has 2 messages",
        )
        .await;
}

pub async fn at_most_ten_late_results_are_kept_and_each_once<B: Backend>(mut world: World<B>) {
    world.play("alice delegates D1 to bob").await;
    world.play("bob completes D1 with \"first\"").await;
    for n in 1..=10 {
        world
            .play(&format!(
                "bob completes D1 with \"late {n}\"  kept as late; D1 keeps {n} late results"
            ))
            .await;
    }
    world
        .play(
            "
            bob completes D1 with \"late 3\"    kept as late; D1 keeps 10 late results
            bob completes D1 with \"late 11\"   refused late-results-full
            bob fails D1 with \"late 12\"       refused late-results-full
            bob completes D1 with \"first\"     replayed
                                              D1 keeps 10 late results; D1 version 12
                                              D1 result \"first\"",
        )
        .await;
}

/// One that waits to be handed out again has no verdict, and keeps no more than one that has.
pub async fn the_eleventh_late_result_is_told_what_is_true_of_its_delegation<B: Backend>(
    mut world: World<B>,
) {
    world.play("alice delegates D1 to bob & bob accepts D1 & alice retries D1").await;
    for n in 1..=10 {
        world.play(&format!("bob fails D1 with \"{n}\"  refused lease-void and kept")).await;
    }
    let step = crate::scenario::Step::parse("bob fails D1 with \"11\"").unwrap();
    let crate::Seen::Said(said) = world.step(&step).await else { panic!("it was an act") };
    assert_eq!(said[0].refused.as_deref(), Some("late-results-full"));
    assert_eq!(said[0].status, Some(Status::Queued));
    let why = said[0].why.as_deref().unwrap();
    assert!(why.contains("stop working") && !why.contains("verdict"), "{why}");
}

pub async fn a_late_result_tells_who_gave_it_when_and_why_it_came_too_late<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob accepts D1
            alice retries D1
            wait 5s
            bob completes D1 with \"42\"     refused lease-void and kept
            bob-two accepts D1
            bob-two fails D1 with \"no\"     D1 failed: no
            bob-two fails D1 with \"yes\"    kept as late",
        )
        .await;
    let late = world.reader().late_results(&world.id("D1")).await.unwrap();
    let told: Vec<_> =
        late.iter().map(|it| (it.attempt, it.role, it.why.as_str(), it.status.as_str())).collect();
    assert_eq!(
        told,
        [(2, Role::Callee, "lease-void", "completed"), (2, Role::Callee, "same-status", "failed")]
    );
    assert_eq!(late[0].result.as_ref().unwrap().as_str(), "42");
    assert_eq!(late[0].actor_id.as_deref(), Some("bob"));
    assert_eq!(late[0].at, world.wall());
    assert_eq!((late[1].result.as_ref(), late[1].error_detail.as_deref()), (None, Some("yes")));
}

/// §3.5.
pub async fn a_refused_act_changes_nothing_and_says_what_to_do<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates held to bob, key K
            bob accepts held
            alice delegates over to bob
            bob completes over with \"42\"
            alice delegates free to bob
            alice delegates stuck to bob
            alice sets stuck to stuck",
        )
        .await;
    let before = world.everything().await;
    for (act, refusal) in [
        ("alice delegates D9 to alice", "self-delegation"),
        ("alice delegates held to carol", "id-conflict"),
        ("alice delegates D9 to bob, key K, unnamed", "idempotency-conflict"),
        ("alice delegates free to bob, key K", "id-conflict"),
        ("alice delegates D9 to bob, under unknown", "not-found"),
        ("alice delegates D9 to bob, under held", "not-yours"),
        ("bob delegates D9 to alice, under held", "cycle"),
        ("bob delegates D9 to carol, under over", "already-terminal"),
        ("alice delegates D9 to bob, deadline 0s", "invalid-request"),
        ("alice delegates D9 to bob, deadline 8785h", "invalid-request"),
        ("bob accepts unknown", "not-found"),
        ("bob-two accepts held", "lease-held"),
        ("bob beats held, no lease", "lease-required"),
        ("bob beats held, a forged lease", "lease-void"),
        ("bob beats held, waiting for child free", "not-yours"),
        ("bob beats held, waiting for child unknown", "not-found"),
        ("bob completes held, no lease", "lease-required"),
        ("bob completes held, a forged lease", "lease-void"),
        ("bob completes over with \"43\", a forged lease", "already-terminal"),
        ("bob releases held, a forged lease", "lease-void"),
        ("alice dispatches held", "invalid-transition"),
        ("alice dispatches stuck", "invalid-transition"),
        ("alice sets held to stuck", "lease-required"),
        ("alice retries held, if attempt 7", "changed-meanwhile"),
        ("alice retries held, to alice", "self-delegation"),
        ("alice retries held, deadline 0s", "invalid-request"),
        ("alice extends held to 0s", "invalid-request"),
        ("alice extends held to 8785h", "invalid-request"),
        ("alice extends held to 1h, if version 9", "changed-meanwhile"),
        ("alice cancels over", "already-terminal"),
        ("alice cancels unknown", "not-found"),
    ] {
        let step = crate::scenario::Step::parse(act).unwrap();
        let crate::Seen::Said(said) = world.step(&step).await else { panic!("it was an act") };
        assert_eq!(said[0].refused.as_deref(), Some(refusal), "{act}");
        let why = said[0].why.clone().unwrap();
        assert!(why.len() > 20, "{act}: {why:?} says too little");
        assert_eq!(world.everything().await, before, "{act}");
    }
}

/// §3.12.
pub async fn an_act_whose_answer_was_lost_can_be_repeated_without_being_done_twice<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob, attempts 2                   changed
            alice delegates D1 to bob, attempts 2                   replayed
            alice dispatches D1                         changed
            alice dispatches D1                         unchanged
            alice extends D1 to 1h, if version 2        changed
            alice extends D1 to 1h, if version 2        replayed
            bob accepts D1 as C1                        changed; D1 version 4
            bob accepts D1 as C1                        replayed
            bob beats D1                                told in_progress
            bob beats D1                                told in_progress; D1 version 4
            bob releases D1                             changed
            bob releases D1                             replayed; D1 attempt 1
            bob accepts D1 as C2                        changed
            alice retries D1, if attempt 1              changed
            alice retries D1, if attempt 1              replayed; D1 attempt 2
            bob accepts D1 as C3                        changed
            bob completes D1 with \"42\"                  changed
            bob completes D1 with \"42\"                  replayed
            alice retries D1 as D2                      changed; D2 retries D1
            alice retries D1 as D3                      replayed; D3 is D2
            alice cancels D2                            changed
            alice cancels D2                            replayed
                  D1 history created dispatched extended accepted released accepted requeued accepted completed
                  D2 history created cancelled; alice has 2 messages; stats: 1 completed, 1 cancelled",
        )
        .await;
}

pub async fn the_error_detail_describes_the_present_and_the_event_keeps_it<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob, attempts 3
            bob beats D1
            wait 12m
            sweep                      D1 stuck: no heartbeat for 12m0s; D1 reason silent
            bob beats D1               told in_progress
            alice sets D1 to stuck with \"smells\"      D1 stuck: smells; D1 reason reported
            alice retries D1           D1 queued
            bob accepts D1
            alice sets D1 to stuck with \"smells again\", override \"I saw it\"
            bob completes D1           D1 completed",
        )
        .await;
    let delegation = world.see("D1").await;
    assert_eq!((delegation.error_detail, delegation.stuck_reason), (None, None));
    let query = EventQuery { delegation_id: Some(world.id("D1")), after: 0, limit: 100 };
    let events = world.reader().events(query).await.unwrap().events;
    let stuck = events.iter().filter(|event| event.kind == EventKind::Stuck);
    let details: Vec<_> = stuck.map(|event| event.reason.as_deref().unwrap()).collect();
    assert_eq!(details, ["no heartbeat for 12m0s", "smells", "smells again"]);
}

pub async fn the_version_counts_events_and_heartbeats_leave_it_alone<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob                  D1 version 1
            bob beats D1, progress \"1\"                 D1 version 2
            wait 5s
            bob beats D1, progress \"2\"                 D1 version 2; D1 progress \"2\"; D1 heard 0s ago
            wait 5s
            bob beats D1                               D1 version 2; D1 progress \"2\"; D1 heard 0s ago
            bob beats D1, waiting for other            D1 version 3; D1 waits
            bob beats D1                               D1 version 3; D1 waits
            bob beats D1, not waiting                  D1 version 4; D1 does not wait
            bob beats D1, not waiting                  D1 version 4
            alice extends D1 to 3h                     D1 version 5
            alice extends D1 to 3h                     unchanged; D1 version 5
            bob completes D1                           D1 version 6
                  D1 history created started waiting resumed extended completed",
        )
        .await;
    let delegation = world.see("D1").await;
    assert_eq!(delegation.updated_at, world.wall());
    assert_eq!(delegation.progress_at, Some(world.wall() - 5000));
}

pub async fn a_verdict_tells_the_caller_once_and_warnings_only_on_request<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates quiet to bob
            carol delegates loud to bob, notify stuck, notify recovered
            bob beats quiet & bob beats loud
            wait 11m
            sweep                     quiet stuck; loud stuck
                                      alice has no message; carol has 1 message; bob has no message
            bob beats quiet
            bob beats loud            alice has no message; carol has 2 messages
            bob completes quiet
            bob fails loud            alice has 1 message; carol has 3 messages; bob has no message",
        )
        .await;
}

pub async fn an_operator_overrides_with_a_reason_that_the_event_keeps<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob accepts D1
            root completes D1 with \"42\", override \"bob is on holiday\"     changed; D1 completed",
        )
        .await;
    let query = EventQuery { delegation_id: Some(world.id("D1")), after: 0, limit: 100 };
    let events = world.reader().events(query).await.unwrap().events;
    let verdict = events.last().unwrap();
    assert_eq!((verdict.role, verdict.actor_id.as_deref()), (Role::Operator, None));
    let data = verdict.data.as_ref().expect("the override is kept").as_str();
    assert!(data.contains("bob is on holiday"), "{data}");
    assert!(
        !format!("{:?}", events[1].data).contains("holiday"),
        "only the act that it was typed for"
    );
}

pub async fn stuck_is_in_flight_and_an_answer_still_counts<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, deadline 1h
            alice delegates D2 to bob, deadline 1h
            alice delegates D3 to bob, deadline 1h
            bob beats D1 & bob beats D2 & bob beats D3
            wait 11m
            sweep                     pass: 3 stuck; stats: 3 stuck
            bob completes D1          D1 completed
            alice retries D2          D2 queued; D2 attempt 2
            wait 50m
            sweep                     D3 failed: deadline exceeded by sweeper
                                      D2 failed: deadline exceeded by sweeper",
        )
        .await;
}
