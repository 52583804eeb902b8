//! Delegations under delegations.

use crate::{Backend, World};

pub async fn a_child_is_delegated_by_its_parents_callee_under_a_parent_in_flight<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to carol, under D1     refused not-yours
            dave delegates D2 to carol, under D1      refused not-yours
            bob delegates D2 to carol, under D9       refused not-found
            bob delegates D2 to bob, under D1         refused self-delegation
            bob delegates D2 to carol, under D1       changed
            bob delegates D2 to carol, under D1       replayed
            bob delegates D2 to carol                 refused id-conflict
            alice retries D1                          unchanged
            bob beats D1
            alice retries D1, to dave                 changed
            bob delegates D3 to carol, under D1       refused not-yours
            dave delegates D3 to carol, under D1      changed
            alice cancels D1
            dave delegates D4 to carol, under D1      refused already-terminal
            dave delegates D3 to carol, under D1      replayed",
        )
        .await;
    assert_eq!(world.see("D2").await.depth, 2);
}

pub async fn a_childs_deadline_is_clipped_to_its_parents<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, deadline 1h
            bob delegates D2 to carol, under D1                   D2 deadline in 1h
            bob delegates D3 to carol, under D1, deadline 10m     D3 deadline in 10m
            bob extends D3 to 3h                                  changed; D3 deadline in 1h
            bob extends D3 to 4h                                  unchanged
            alice extends D1 to 30m                               D1 deadline in 30m; D2 deadline in 1h
            carol accepts D2
            bob retries D2, deadline 2h                           D2 deadline in 30m
            wait 31m
            sweep                                                 pass: 2 deadlines
                                                                  D3 queued; D2 failed; D1 failed
            bob extends D3 to 3h                                  D3 deadline in 3h",
        )
        .await;
}

pub async fn a_tree_is_sixteen_deep_and_no_deeper<B: Backend>(mut world: World<B>) {
    world.play("agent1 delegates D1 to agent2").await;
    for depth in 2..=16 {
        let (above, below) = (depth - 1, depth + 1);
        world
            .play(&format!("agent{depth} delegates D{depth} to agent{below}, under D{above}"))
            .await;
    }
    world.play("agent17 delegates D17 to agent18, under D16    refused too-deep").await;
    assert_eq!(world.see("D16").await.depth, 16);
}

pub async fn nobody_waits_for_themselves_further_up<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob delegates D2 to alice, under D1            refused cycle
            bob delegates D2 to carol, under D1
            carol delegates D3 to alice, under D2          refused cycle
            carol delegates D3 to bob, under D2            refused cycle
            carol delegates D3 to dave, under D2           changed
            dave accepts D3
            carol retries D3, to alice                     refused cycle
            carol retries D3, to bob                       refused cycle
            carol retries D3, to erin                      changed
            erin accepts D3
            erin fails D3
            carol retries D3 as D4, to alice               refused cycle
            carol retries D3 as D4, to dave                changed
            carol delegates D5 to alice                    changed",
        )
        .await;
}

pub async fn cancelling_a_parent_cancels_its_children_level_by_level<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob delegates D2 to carol, under D1
            bob delegates D3 to carol, under D1
            bob delegates D4 to carol, under D1
            carol delegates D5 to dave, under D2
            dave delegates D6 to erin, under D5
            alice delegates D7 to bob
            carol completes D3 with \"done\"
            carol beats D4
            alice cancels D1 with \"never mind\"
                                 D1 cancelled: never mind; D2 queued; D4 in_progress
            carol completes D4 with \"just in time\"
            sweep                D2 cancelled: its parent D1 ended; D2 failure parent_cancelled
                                 D3 completed; D4 completed
            sweep
            sweep                D5 cancelled: its parent D2 ended; D6 cancelled: its parent D5 ended
                                 D7 queued
                                 alice has 1 message; bob has 3 messages; carol has 1 message; dave has 1 message
            sweep                nothing
                                 stats: 1 queued, 2 completed, 4 cancelled",
        )
        .await;
    assert!(world.cascades().await.is_empty());
}

pub async fn a_cascade_outlives_a_restart<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob delegates D2 to carol, under D1
            alice cancels D1
            restart
            sweep                D2 cancelled: its parent D1 ended
            sweep                nothing",
        )
        .await;
    assert!(world.cascades().await.is_empty());
}

pub async fn a_cascade_of_hundreds_comes_to_its_end<B: Backend>(mut world: World<B>) {
    world.play("alice delegates D0 to bob").await;
    for child in 1..=450 {
        world.play(&format!("bob delegates D{child} to carol, under D0")).await;
    }
    world
        .play(
            "
            alice cancels D0
            sweep
            sweep
            sweep
            sweep       stats: 451 cancelled; bob has 450 messages",
        )
        .await;
    assert!(world.cascades().await.is_empty());
}

pub async fn other_ends_leave_children_alone_unless_told_otherwise<B: Backend>(
    mut world: World<B>,
) {
    for (act, told) in [
        ("bob completes", "cancelled"),
        ("bob fails", "cancelled"),
        ("alice retries", "cancelled"),
        ("alice cancels", "cancelled"),
    ] {
        let verb = act.split(' ').nth(1).unwrap();
        let untold = if verb == "cancels" { "cancelled" } else { "queued" };
        world
            .play(&format!(
                "
                alice delegates {verb}-A to bob
                bob delegates {verb}-A-child to carol, under {verb}-A
                alice delegates {verb}-B to bob, cancel children
                bob delegates {verb}-B-child to carol, under {verb}-B
                bob beats {verb}-A & bob beats {verb}-B
                {act} {verb}-A
                {act} {verb}-B
                sweep         {verb}-A-child {untold}; {verb}-B-child {told}"
            ))
            .await;
    }
    world
        .play(
            "
            alice delegates D-A to bob, deadline 2m
            alice delegates D-B to bob, deadline 2m, cancel children
            bob delegates D-A-child to carol, under D-A
            bob delegates D-B-child to carol, under D-B
            alice extends D-A to 1m & alice extends D-B to 1m
            wait 61s
            sweep             D-A failed; D-B failed; D-A-child queued
                              D-B-child cancelled: its parent D-B ended",
        )
        .await;
}

pub async fn a_child_of_a_later_attempt_outlives_the_cascade_of_an_earlier_one<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob, cancel children
            bob beats D1
            bob delegates D2 to carol, under D1
            alice retries D1
            bob delegates D3 to carol, under D1
            sweep
            sweep             D2 cancelled; D3 queued
            bob accepts D1
            bob delegates D4 to carol, under D1 & alice retries D1 & bob delegates D5 to carol, under D1
            sweep             D4 cancelled; D5 queued; D3 cancelled",
        )
        .await;
    assert!(world.cascades().await.is_empty());
}

pub async fn a_wait_on_a_child_ends_with_the_childs_verdict<B: Backend>(mut world: World<B>) {
    for end in ["carol completes", "carol fails", "bob cancels"] {
        let verb = end.split(' ').nth(1).unwrap();
        world
            .play(&format!(
                "
                alice delegates {verb} to bob
                bob accepts {verb}
                bob delegates {verb}-1 to carol, under {verb}
                bob delegates {verb}-2 to carol, under {verb}
                bob beats {verb}, waiting for child {verb}-1
                wait 15m
                sweep                     nothing; {verb} waits
                carol completes {verb}-2  {verb} waits
                {end} {verb}-1            {verb} does not wait; {verb} in_progress
                wait 10m
                sweep                     nothing
                wait 1s
                sweep                     {verb} stuck: no heartbeat for 10m1s
                    {verb} history created accepted waiting resumed stuck"
            ))
            .await;
    }
}

pub async fn a_wait_on_a_child_that_has_its_verdict_does_not_begin<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob accepts D1
            bob delegates D2 to carol, under D1
            carol completes D2
            bob beats D1, waiting for child D2      told in_progress; D1 does not wait
            bob beats D1, waiting for human
            wait 30m
            bob beats D1, waiting for child D2      told in_progress; D1 does not wait
            wait 10m
            sweep                                   nothing
            wait 1s
            sweep                                   D1 stuck: no heartbeat for 10m1s
                  D1 history created accepted waiting resumed stuck",
        )
        .await;
}

pub async fn a_child_that_misses_its_deadline_ends_its_parents_wait<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob, deadline 2h
            bob accepts D1
            bob delegates D2 to carol, under D1, deadline 20m
            bob beats D1, waiting for child D2
            wait 21m
            sweep             pass: 1 deadlines; D2 failed; D1 does not wait; D1 in_progress
            wait 10m
            sweep             nothing
            wait 1s
            sweep             D1 stuck: no heartbeat for 10m1s",
        )
        .await;
}
