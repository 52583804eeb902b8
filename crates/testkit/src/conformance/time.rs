//! What is due when: silence, progress, waits, grace, and what a pass does about them.

use consign_ledger::Reader as _;
use consign_ledger::delegation::status::Status;

use crate::{Backend, THRESHOLD_S, World};

pub async fn a_heartbeat_spares_the_delegation<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob
            bob beats D1 & bob beats D2
            wait 9m
            bob beats D1
            wait 2m
            sweep                     pass: 1 stuck; D1 in_progress
                                      D2 stuck: no heartbeat for 11m0s; D2 reason silent
            bob beats D2              told in_progress; D2 in_progress
            sweep                     nothing",
        )
        .await;
}

pub async fn silence_is_stuck_once_it_is_longer_than_the_threshold<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob, threshold 5s
            alice delegates D3 to bob, threshold 20m
            bob beats D1 & bob beats D2 & bob beats D3
            wait 5s
            sweep                     nothing
            wait 1s
            sweep                     pass: 1 stuck; D2 stuck: no heartbeat for 6s
            wait 9m54s
            sweep                     nothing
            wait 1s
            sweep                     pass: 1 stuck; D1 stuck: no heartbeat for 10m1s
            wait 10m
            sweep                     pass: 1 stuck; D3 stuck: no heartbeat for 20m1s",
        )
        .await;
}

pub async fn a_delegation_without_a_heartbeat_is_left_for_its_deadline<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob, deadline 1h
            alice delegates D2 to bob, deadline 1h, dispatched
            wait 30m
            sweep                     nothing
            wait 31m
            sweep                     pass: 2 deadlines",
        )
        .await;
}

/// §3.1, the other half.
pub async fn nothing_that_postpones_a_check_can_hide_a_deadline<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, deadline 20m, threshold 5h, grace 5h
            alice delegates D2 to bob, deadline 20m, threshold 1m, grace 5h
            bob beats D1, waiting for human for 5h
            bob beats D2
            wait 2m
            sweep                     D2 stuck
            wait 17m
            bob beats D1              told in_progress
            wait 1m1s
            sweep                     pass: 2 deadlines",
        )
        .await;
}

pub async fn a_wait_stops_the_clocks_and_then_they_run_again_from_that_moment<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob accepts D1
            bob beats D1, waiting for rate_limit for 30m
            wait 30m
            sweep                     nothing; D1 waits
            wait 1s
            sweep                     D1 does not wait; D1 in_progress
            wait 9m59s
            sweep                     nothing
            wait 1s
            sweep                     D1 stuck: no heartbeat for 10m1s
                                      D1 history created accepted waiting resumed stuck",
        )
        .await;
}

pub async fn a_wait_found_over_late_counts_from_its_end<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob accepts D1
            bob beats D1, waiting for rate_limit for 5m
            wait 20m
            sweep
            sweep                     D1 stuck: no heartbeat for 15m0s",
        )
        .await;
}

pub async fn a_wait_lasts_as_long_as_its_kind<B: Backend>(mut world: World<B>) {
    for what in ["human", "auth", "other", "child", "rate_limit"] {
        world
            .play(&format!(
                "
                alice delegates {what} to bob, deadline 2h
                bob beats {what}
                bob beats {what}, waiting for {what}"
            ))
            .await;
    }
    world
        .play(
            "
            alice delegates short to bob, deadline 10m
            bob beats short
            bob beats short, waiting for other
            wait 1h
            sweep                     pass: 1 deadlines, 0 stuck; short failed
            wait 1s
            sweep
            wait 10m
            sweep                     other stuck; child stuck; rate_limit stuck
                                      human waits; auth waits
            wait 50m
            sweep                     human failed: deadline exceeded by sweeper
                                      auth failed: deadline exceeded by sweeper",
        )
        .await;
}

pub async fn a_beat_that_says_nothing_of_waiting_leaves_the_wait_as_it_is<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob beats D1, waiting for human for 1h       D1 in_progress; D1 waits
            bob beats D1, progress \"1\"                   D1 waits
            wait 30m
            sweep                                        nothing
            bob beats D1, waiting for other for 20m      D1 waits
            bob beats D1, not waiting                    D1 does not wait
            wait 11m
            sweep                                        D1 stuck: no heartbeat for 11m0s
            bob beats D1, waiting for human              D1 in_progress; D1 waits
            alice retries D1                             D1 does not wait",
        )
        .await;
}

pub async fn being_stuck_ends_a_wait_and_its_clocks_run_from_there<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob, progress within 10m
            alice delegates D2 to bob, progress within 10m
            bob beats D1, progress \"1\", waiting for human
            bob beats D2, progress \"1\", waiting for other for 28m
            wait 30m
            bob sets D1 to stuck & bob sets D2 to stuck
            bob beats D1 & bob beats D2       D1 in_progress; D1 does not wait; D2 does not wait
            wait 8m
            sweep                             nothing
            bob beats D1 & bob beats D2
            wait 1s
            sweep                             D2 stuck: no progress for 10m1s; D1 in_progress
            wait 2m
            sweep                             D1 stuck: no progress for 10m1s",
        )
        .await;
}

pub async fn stuck_for_longer_than_its_grace_it_is_handed_out_again_while_attempts_are_left<
    B: Backend,
>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob, attempts 2, grace 5m
            bob accepts D1
            wait 11m
            sweep                     pass: 1 stuck; D1 stuck
            wait 5m
            sweep                     nothing
            wait 1s
            sweep                     pass: 1 requeued; D1 queued; D1 attempt 2; D1 never heard
            bob beats D1              refused lease-void
            bob-two accepts D1
            wait 11m
            sweep                     D1 stuck: no heartbeat for 11m0s
            wait 6m
            sweep                     D1 failed: stuck for 6m0s, and no attempt is left
                                      D1 failure attempts_exhausted; alice has 1 message
                  D1 history created accepted stuck requeued accepted stuck failed",
        )
        .await;
}

pub async fn without_a_grace_only_attempts_bring_one<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, deadline 3h
            alice delegates D2 to bob, deadline 3h, attempts 2
            alice delegates D3 to bob, deadline 3h, grace 1m
            bob beats D1 & bob beats D2 & bob beats D3
            wait 11m
            sweep                     pass: 3 stuck
            wait 61s
            sweep                     D3 failed: stuck for 1m1s, and no attempt is left
            wait 8m59s
            sweep                     nothing
            wait 1s
            sweep                     D2 queued; D2 attempt 2
            wait 2h
            sweep                     nothing; D1 stuck; D2 queued",
        )
        .await;
}

/// The caller said how often the work may be handed out by itself, and nobody else says otherwise.
pub async fn a_retry_by_hand_turns_no_automatic_retry_on<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates once to bob, deadline 3h
            alice delegates graced to bob, deadline 3h, grace 1m
            alice delegates thrice to bob, deadline 3h, attempts 3
            bob beats once & bob beats graced & bob beats thrice
            alice retries once & alice retries graced & alice retries thrice
            bob accepts once & bob accepts graced & bob accepts thrice
            wait 11m
            sweep                     pass: 3 stuck
            wait 11m
            sweep                     pass: 1 requeued; thrice queued; thrice attempt 3
                                      once stuck; once attempt 2
                                      graced failed: stuck for 11m0s, and no attempt is left
            alice retries graced as D2
            bob accepts D2
            wait 11m
            sweep                     D2 stuck
            wait 11m
            sweep                     D2 failed: stuck for 11m0s, and no attempt is left; D2 attempt 1
            wait 3h
            sweep                     once failed: deadline exceeded by sweeper",
        )
        .await;
}

pub async fn a_failure_that_was_reported_is_not_retried<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, attempts 5
            bob accepts D1
            bob fails D1 with \"no\"    D1 failed: no; D1 failure reported
            wait 2h
            sweep                     nothing",
        )
        .await;
}

pub async fn who_must_begin_in_time_is_stuck_or_failed<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, start within 5m
            alice delegates D2 to bob, start within 5m, fail unless started
            alice delegates D3 to bob, start within 5m, dispatched
            alice delegates D4 to bob, start within 5m
            bob accepts D4
            wait 5m
            sweep                     nothing
            wait 1s
            bob beats D4
            sweep                     pass: 2 stuck
                                      D1 stuck: not started for 5m1s; D1 reason not_started
                                      D2 failed: not started for 5m1s; D2 failure not_started
                                      D3 stuck: not started for 5m1s; D4 in_progress
            bob accepts D1            D1 in_progress
            bob beats D3              told in_progress
            sweep                     nothing",
        )
        .await;
}

pub async fn a_hand_out_has_its_own_time_to_begin<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, start within 5m
            bob accepts D1
            wait 9m
            alice retries D1
            sweep                     nothing
            wait 5m1s
            sweep                     D1 stuck: not started for 5m1s",
        )
        .await;
}

pub async fn a_heartbeat_without_progress_is_no_progress<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, progress within 15m
            bob beats D1, progress \"1\"
            wait 8m
            bob beats D1, progress \"1\"
            wait 7m1s
            bob beats D1, progress \"1\"
            sweep                     D1 stuck: no progress for 15m1s; D1 reason no_progress
            bob beats D1              told stuck; D1 stuck
            bob beats D1, progress \"1\"     told stuck; D1 stuck
            bob beats D1, waiting for human       told stuck; D1 does not wait
            bob beats D1, progress \"2\"     told in_progress; D1 in_progress
            wait 9m
            bob beats D1
            wait 6m
            sweep                     nothing
            wait 1s
            bob beats D1
            sweep                     D1 stuck: no progress for 15m1s",
        )
        .await;
}

pub async fn progress_counts_from_the_start_where_none_came<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, progress within 5m
            bob accepts D1
            wait 4m
            bob beats D1
            wait 1m
            sweep                     nothing
            wait 1s
            sweep                     D1 stuck: no progress for 5m1s",
        )
        .await;
}

pub async fn what_was_reported_stuck_recovers_by_any_heartbeat<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob sets D1 to stuck with \"cannot log in\"     D1 stuck: cannot log in; D1 reason reported
            bob sets D1 to stuck with \"still not\"         unchanged; D1 stuck: cannot log in
            bob beats D1                                  told in_progress
                                                          D1 history created stuck recovered",
        )
        .await;
}

/// §3.9, as far as a pass tells.
pub async fn the_living_are_looked_at_once_per_threshold_however_often_they_beat<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob
            alice delegates D3 to bob
            bob accepts D1",
        )
        .await;
    let mut looks = 0;
    for _ in 0..90 {
        world.play("wait 20s").await;
        world.play("bob beats D1").await;
        let report = world.sweep().await;
        looks += report.examined + report.rearmed;
        assert!(!report.is_news());
    }
    let thresholds = 90 * 20 / u64::from(THRESHOLD_S);
    assert!((1..=thresholds).contains(&looks), "{looks} looks in {thresholds} thresholds");
}

pub async fn a_dry_run_tells_what_a_pass_would_do_and_writes_nothing<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob, deadline 5m
            alice delegates D3 to bob, attempts 2, grace 1m, threshold 1m
            alice delegates D4 to bob
            alice delegates D5 to bob, start within 1m, fail unless started
            bob beats D1 & bob beats D2 & bob beats D3
            wait 2m
            sweep                     D3 stuck
            wait 9m
            bob beats D4",
        )
        .await;
    let (before, writes) = (world.everything().await, world.faults().written());
    let dry = world.dry_run().await.unwrap();
    assert_eq!(world.faults().written(), writes, "a dry run writes nothing");
    assert_eq!(world.everything().await, before);
    let mut told: Vec<_> = dry
        .rows
        .iter()
        .map(|row| {
            let next = row.next.as_ref().expect("it is in flight");
            (row.delegation_id.as_str(), next.would_become)
        })
        .collect();
    told.sort_unstable();
    assert_eq!(told, [("D1", Status::Stuck), ("D2", Status::Failed), ("D3", Status::Queued)]);
    let counts = |it: &consign_ledger::query::SweepReport| {
        (it.deadline_failures, it.stuck_marked, it.requeued, it.errors)
    };
    assert_eq!(counts(&dry.report), (1, 1, 1, 0));
    assert!(!dry.truncated);
    world.play("sweep   pass: 1 deadlines, 1 stuck, 1 requeued, 0 errors").await;
}

pub async fn the_earliest_due_time_follows_every_change<B: Backend>(mut world: World<B>) {
    assert_eq!(world.reader().earliest_due().await.unwrap(), None);
    let start = world.wall();
    for (act, due_in_s) in [
        ("alice delegates D1 to bob, deadline 2h", 7200),
        ("alice delegates D2 to bob, deadline 3h, start within 30m", 1800),
        ("bob beats D1", 600),
        ("bob beats D1, waiting for rate_limit for 20m", 1200),
        ("bob beats D1, not waiting", 600),
        ("alice extends D1 to 5m", 300),
        ("bob completes D1", 1800),
        ("bob beats D2", 600),
        ("alice sets D2 to stuck", 10800),
        ("alice retries D2", 1800),
    ] {
        world.play(act).await;
        let due = world.reader().earliest_due().await.unwrap().unwrap();
        assert_eq!(due, start.plus_s(due_in_s), "{act}");
    }
    world.play("alice cancels D2").await;
    assert_eq!(world.reader().earliest_due().await.unwrap(), None);
}
