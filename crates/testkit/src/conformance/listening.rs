//! Only silence that the ledger could have heard broken is silence.

use consign_ledger::Reader as _;
use consign_ledger::command::{Sweep, Swept};
use consign_ledger::delegation::listening::{Gap, GapCause};
use consign_ledger::delegation::watch::RowNum;

use crate::{Backend, World};

pub async fn a_threshold_lowered_at_restart_holds_from_the_first_pass<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob, threshold 9m
            bob beats D1 & bob beats D2
            wait 2m
            restart with threshold 1m
            sweep                     pass: 1 stuck; D1 stuck: no heartbeat for 2m0s; D2 in_progress",
        )
        .await;
}

/// Also where the old check lies near, and where by the old threshold the deadline came first.
pub async fn a_lowered_threshold_holds_however_near_the_old_check_was<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates near to bob
            alice delegates short to bob, deadline 10m30s
            alice delegates again to bob, attempts 2
            bob beats near & bob beats short & bob beats again
            wait 3s
            wait 9m57s
            bob beats short
            sweep                     nothing
            wait 1s
            sweep                     pass: 2 stuck; short in_progress
            wait 10s
            restart with threshold 5s
            sweep                     short stuck: no heartbeat for 11s; again queued",
        )
        .await;
}

/// A look that lost to a heartbeat leaves no check where the silence would end behind the deadline.
pub async fn a_lowered_threshold_finds_what_was_left_to_its_deadline<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob, deadline 5m
            bob beats D1",
        )
        .await;
    let watched = world.reader().armed_beyond(0, RowNum::MIN, 10).await.unwrap();
    let looks = watched.iter().map(|watch| Sweep::Examine(watch.num)).collect();
    let swept = world.ledger().sweep(looks).await;
    assert!(matches!(swept[..], [Ok(Swept::Rearmed)]), "{swept:?}");
    assert_eq!(world.reader().armed_beyond(0, RowNum::MIN, 10).await.unwrap()[0].check_at, None);
    world
        .play(
            "
            wait 2m
            restart with threshold 1m
            sweep                     D1 stuck: no heartbeat for 2m0s",
        )
        .await;
}

pub async fn a_threshold_raised_at_restart_holds_at_once<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            restart with threshold 1m
            alice delegates D1 to bob
            bob beats D1
            wait 1m
            restart with threshold 5m
            wait 4m
            sweep                     nothing
            wait 1s
            sweep                     D1 stuck: no heartbeat for 5m1s",
        )
        .await;
}

/// §3.6.
pub async fn only_silence_in_listening_time_counts<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates healthy to bob, deadline 24h
            alice delegates silent to bob, deadline 24h
            bob beats healthy & bob beats silent
            wait 5m
            bob beats healthy
            down 3h
            sweep                     nothing
            wait 1m
            bob beats healthy
            freeze 2h
            sweep                     nothing
            wait 1m
            bob beats healthy
            clock by 1h
            sweep                     nothing
            wait 2m
            bob beats healthy
            sweep                     nothing
            wait 2m
            sweep                     pass: 1 stuck; healthy in_progress
                                      silent stuck: no heartbeat for 11m0s",
        )
        .await;
}

pub async fn downtime_is_a_gap_and_is_subtracted<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob beats D1
            wait 5m
            down 20m
            wait 5m",
        )
        .await;
    let now = world.wall();
    assert_eq!(
        world.gaps().await,
        [Gap { from: now - 1_500_000, to: now - 299_000, cause: GapCause::Restart }]
    );
    world
        .play(
            "
            sweep                     nothing
            wait 2s
            sweep                     D1 stuck: no heartbeat for 10m1s",
        )
        .await;
}

pub async fn restarts_every_few_seconds_do_not_blind_the_sweeper<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            restart with threshold 1m
            alice delegates dead to bob
            alice delegates alive to bob
            bob beats dead & bob beats alive",
        )
        .await;
    for _ in 0..12 {
        world
            .play(
                "
                wait 5s
                down 1s
                bob beats alive",
            )
            .await;
    }
    world.play("sweep  pass: 1 stuck; alive in_progress; dead stuck").await;
}

pub async fn a_process_that_wakes_up_judges_by_its_mark_from_before_its_sleep<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob beats D1
            wait 9m
            freeze 1h",
        )
        .await;
    let due = world.examine("D1").await;
    assert_eq!(due, consign_ledger::command::Swept::Rearmed);
    world
        .play(
            "
            wait 1m
            sweep                     nothing
            wait 2s
            sweep                     D1 stuck: no heartbeat for 10m1s",
        )
        .await;
    assert_eq!(
        world.gaps().await.iter().map(|gap| gap.cause).collect::<Vec<_>>(),
        [GapCause::Pause]
    );
}

pub async fn a_clock_that_jumps_forward_is_a_gap_and_deadlines_are_absolute<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob, deadline 1h
            bob beats D1 & bob beats D2
            clock by 2h
            wait 1s
            sweep                     pass: 1 deadlines, 0 stuck; D1 in_progress; D2 failed
            wait 10m
            sweep                     nothing
            wait 1s
            sweep                     D1 stuck: no heartbeat for 10m1s",
        )
        .await;
    assert_eq!(
        world.gaps().await.iter().map(|gap| gap.cause).collect::<Vec<_>>(),
        [GapCause::Clock]
    );
}

pub async fn a_clock_that_jumps_back_neither_turns_nor_stops_time<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates due to bob, deadline 10m
            bob beats D1
            wait 5m",
        )
        .await;
    let before = world.now().await;
    world
        .play(
            "
            clock by -1h
            wait 5m
            alice delegates D2 to bob
            bob beats D1 & bob beats D2
            sweep                     nothing",
        )
        .await;
    assert_eq!(world.now().await, before + 270_000, "it goes on, a tenth slower");
    assert_eq!(world.see("D2").await.created_at, before + 270_000);
    world
        .play(
            "
            wait 1m
            restart
            sweep                     due failed: deadline exceeded by sweeper
            wait 9m
            bob beats D1
            wait 2m
            sweep                     D2 stuck; D1 in_progress",
        )
        .await;
    let ahead = world.now().await;
    world
        .play(
            "
            clock by 1h
            sweep                     nothing",
        )
        .await;
    assert!(world.now().await == world.wall() && world.wall() > ahead, "caught up, it is followed");
}

pub async fn no_healthy_fleet_is_marked_whatever_the_server_goes_through<B: Backend>(
    mut world: World<B>,
) {
    world.play("restart with threshold 10s").await;
    for n in 0..5 {
        world.play(&format!("alice delegates D{n} to bob")).await;
        world.play(&format!("bob accepts D{n}")).await;
    }
    for trouble in
        ["down 1h", "freeze 1h", "clock by 1h", "clock by -30m", "restart", "down 5s", "freeze 11s"]
    {
        for _ in 0..3 {
            world.play("serve 4s").await;
            beat_all(&mut world).await;
        }
        world.play(trouble).await;
        world.play("sweep  pass: 0 stuck, 0 errors").await;
        world.play("serve 2s").await;
        beat_all(&mut world).await;
        world.play("sweep  pass: 0 stuck, 0 errors; stats: 5 in_progress").await;
    }
    world.play("serve 5s").await;
    world.play("bob beats D0").await;
    // The last step back of the clock is over by now.
    world.play("clock by 1h").await;
    world.play("wait 9s").await;
    world.play("bob beats D0").await;
    world.play("wait 3s").await;
    world.play("sweep  pass: 4 stuck; D0 in_progress").await;
}

async fn beat_all<B: Backend>(world: &mut World<B>) {
    for n in 0..5 {
        world.play(&format!("bob beats D{n}   told in_progress")).await;
    }
}

pub async fn the_brake_holds_the_verdicts_when_most_of_the_fleet_falls_silent_together<
    B: Backend,
>(
    mut world: World<B>,
) {
    for n in 0..30 {
        world.play(&format!("alice delegates D{n} to bob")).await;
        world.play(&format!("bob accepts D{n}")).await;
    }
    world
        .play(
            "
            alice delegates doomed to bob, deadline 11m
            bob accepts doomed
            wait 10m1s
            sweep                     pass: 0 stuck, 0 deadlines; stats: 31 in_progress
            wait 1m
            sweep                     pass: 0 stuck, 1 deadlines; doomed failed
            wait 8m
            sweep                     pass: 0 stuck
            bob beats D0
            wait 59s
            sweep                     pass: 0 stuck
            wait 3s
            sweep                     pass: 29 stuck, 0 held; D0 in_progress
                                      D1 stuck: no heartbeat for 10m3s",
        )
        .await;
    assert_eq!(
        world.gaps().await.iter().map(|gap| gap.cause).collect::<Vec<_>>(),
        [GapCause::Brake]
    );
}

pub async fn one_that_falls_silent_alone_is_found_at_once<B: Backend>(mut world: World<B>) {
    for n in 0..30 {
        world.play(&format!("alice delegates D{n} to bob")).await;
        world.play(&format!("bob accepts D{n}")).await;
    }
    world.play("wait 6m").await;
    for n in 1..30 {
        world.play(&format!("bob beats D{n}")).await;
    }
    world.play("wait 4m1s").await;
    world.play("sweep    pass: 1 stuck, 0 held; D0 stuck: no heartbeat for 10m1s").await;
}

pub async fn twenty_are_too_few_for_the_brake<B: Backend>(mut world: World<B>) {
    for n in 0..20 {
        world.play(&format!("alice delegates D{n} to bob")).await;
        world.play(&format!("bob accepts D{n}")).await;
    }
    world.play("wait 10m1s").await;
    world.play("sweep    pass: 20 stuck, 0 held").await;
}
