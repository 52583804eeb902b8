//! Whole days of a sweeper that runs by itself, in virtual time: the ledger's clock follows tokio's.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use consign_ledger::delegation::status::Status;
use consign_ledger::{Failure, Reader as _};
use consign_sweeper::{Settings, Sweeper};
use consign_testkit::Backend as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::cast::{
    Asked, Cast, ONE_OVERDUE, Scene, away, begins, count, each, hooks, names, play, scene, stall,
    status,
};

/// How finely the ledger's clock follows.
const TICK_MS: u32 = 50;

/// A sweeper that runs, and time that passes by itself.
struct Day {
    world: Scene,
    sweeper: Arc<Cast>,
    stop: watch::Sender<bool>,
    run: JoinHandle<()>,
    time: JoinHandle<()>,
}

impl Day {
    fn begin(world: Scene) -> Self {
        let settings = Settings { interval_s: 300, brake: true };
        let sweeper = Arc::new(Sweeper::new(world.ledger().clone(), settings));
        let (stop, stopped) = watch::channel(false);
        let run = tokio::spawn({
            let sweeper = Arc::clone(&sweeper);
            async move { sweeper.run(stopped).await }
        });
        let (clock, ledger) = (world.clock().clone(), world.ledger().clone());
        let time = tokio::spawn(async move {
            for tick in 1u32.. {
                sleep(Duration::from_millis(TICK_MS.into())).await;
                clock.advance_ms(TICK_MS);
                if tick % (1000 / TICK_MS) == 0 {
                    // A store that fails on purpose fails here, too: then nothing was heard.
                    drop(ledger.listen().await);
                }
            }
        });
        Self { world, sweeper, stop, run, time }
    }

    /// How long it takes until the delegation stands there, in seconds; at most ten minutes.
    async fn until(&self, name: &str, is: Status) -> f64 {
        let begun = Instant::now();
        while status(&self.world, name).await != is {
            assert!(begun.elapsed() < Duration::from_mins(10), "{name} never became {is}");
            sleep(Duration::from_millis(TICK_MS.into())).await;
        }
        begun.elapsed().as_secs_f64()
    }
}

impl Drop for Day {
    fn drop(&mut self) {
        self.run.abort();
        self.time.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_pass_is_made_at_once() {
    let day = Day::begin(scene(ONE_OVERDUE).await);
    assert!(day.until("D1", Status::Failed).await < 0.2);
}

#[tokio::test(start_paused = true)]
async fn a_verdict_falls_soon_after_it_is_due_and_the_interval_is_only_a_net() {
    let mut day = Day::begin(scene("").await);
    sleep(Duration::from_millis(12_345)).await;
    play(
        &mut day.world,
        "alice delegates D1 to bob, deadline 20s
         alice delegates D2 to bob, threshold 5s
         bob beats D2",
    )
    .await;
    let stuck_after_s = day.until("D2", Status::Stuck).await;
    assert!((5.0..6.5).contains(&stuck_after_s), "{stuck_after_s}");
    let failed_after_s = stuck_after_s + day.until("D1", Status::Failed).await;
    assert!((20.0..21.5).contains(&failed_after_s), "{failed_after_s}");
}

#[tokio::test(start_paused = true)]
async fn what_becomes_due_earlier_than_expected_is_not_slept_through() {
    let mut day = Day::begin(scene("alice delegates D1 to bob, deadline 1h").await);
    sleep(Duration::from_secs(30)).await;
    play(&mut day.world, "alice extends D1 to 2s").await;
    let failed_after_s = day.until("D1", Status::Failed).await;
    assert!((2.0..3.5).contains(&failed_after_s), "{failed_after_s}");
}

#[tokio::test(start_paused = true)]
async fn children_are_cancelled_soon_after_their_parent() {
    let world = scene(
        "alice delegates root to bob
         bob accepts root
         bob delegates child to carol, under root
         carol accepts child
         carol delegates grandchild to dora, under child",
    )
    .await;
    let mut day = Day::begin(world);
    sleep(Duration::from_secs(30)).await;
    play(&mut day.world, "alice cancels root").await;
    assert!(day.until("grandchild", Status::Cancelled).await < 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_step_of_the_ledgers_clock_is_noticed_within_a_second() {
    let day = Day::begin(scene("alice delegates D1 to bob, deadline 1h").await);
    sleep(Duration::from_secs(30)).await;
    day.world.clock().step_wall_ms(2 * 3_600_000);
    assert!(day.until("D1", Status::Failed).await < 1.5);
}

#[tokio::test(start_paused = true)]
async fn a_panic_anywhere_does_not_end_the_run() {
    for question in [
        "due deadlines",
        "due checks",
        "cascades",
        "armed_beyond",
        "earliest_due",
        "keep_report",
        "tidy",
    ] {
        let world = scene("alice delegates D1 to bob, deadline 10s").await;
        hooks(&world).before(question, || panic!("on purpose"));
        let day = Day::begin(world);
        sleep(Duration::from_mins(1)).await;
        assert!(!day.run.is_finished(), "{question}");
        hooks(&day.world).clear();
        assert!(day.until("D1", Status::Failed).await < 31.5, "{question}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_left_alone_and_found_again() {
    let world = scene("alice delegates D1 to bob, deadline 10s").await;
    let day = Day::begin(world);
    sleep(Duration::from_secs(5)).await;
    let asked = Asked::default();
    let counter = asked.clone();
    hooks(&day.world).hang(move |call| {
        counter.note(call);
        Box::pin(std::future::ready(away()))
    });
    sleep(Duration::from_mins(10)).await;
    // The mark asks each second; the sweeper adds a look or a pass every thirty.
    let asked = asked.of("reading");
    assert!((600..660).contains(&asked), "{asked}");
    hooks(&day.world).clear();
    assert!(day.until("D1", Status::Failed).await < 31.5);
}

#[tokio::test(start_paused = true)]
async fn a_poisoned_row_does_not_spin() {
    let world = scene(
        "alice delegates D1 to bob, deadline 10s
         wait 11s",
    )
    .await;
    world.backend().poison(&world.id("D1")).await;
    let asked = count(&world);
    let mut day = Day::begin(world);
    sleep(Duration::from_secs(100)).await;
    // At once, and after 1, 2, 4, 8, 16 and 32 seconds more.
    assert_eq!(asked.of("transact"), 7);
    // Each second the mark, and each pass.
    assert!((100..=110).contains(&asked.of("beat")), "{}", asked.of("beat"));
    play(&mut day.world, "alice delegates D2 to bob, deadline 2s").await;
    let failed_after_s = day.until("D2", Status::Failed).await;
    assert!((2.0..3.5).contains(&failed_after_s), "{failed_after_s}");
}

/// More rows than a sweeper remembers, all overdue, are in another server's hands.
const HELD: usize = 1500;

async fn held() -> Scene {
    let lines = each(&names(HELD), |name| format!("alice delegates {name} to bob, deadline 5s"));
    let world = scene(&format!("{lines}\nwait 6s")).await;
    hooks(&world).hold(1..=i64::try_from(HELD).expect("a small number"));
    world
}

#[tokio::test(start_paused = true)]
async fn what_others_hold_hides_nothing_that_becomes_due_beside_it_and_does_not_spin() {
    let world = held().await;
    let asked = count(&world);
    let mut day = Day::begin(world);
    for nth in 0..20 {
        asked.forget();
        let beside = format!("beside-{nth}");
        play(&mut day.world, &format!("alice delegates {beside} to bob, deadline 2s")).await;
        let failed_after_s = day.until(&beside, Status::Failed).await;
        assert!((2.0..2.6).contains(&failed_after_s), "{failed_after_s}");
        // A pass a second over what is held, in eight transactions, and one for each deed beside it.
        assert!(asked.of("transact") <= 3 * 8 + 4, "{}", asked.of("transact"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_others_held_is_taken_up_within_a_second_of_being_let_go() {
    for held_s in [1, 7, 60] {
        let day = Day::begin(held().await);
        sleep(Duration::from_secs(held_s)).await;
        hooks(&day.world).hold([]);
        let failed_after_s = day.until("D01499", Status::Failed).await;
        assert!(failed_after_s < 1.5, "held for {held_s} s, taken up after {failed_after_s} s");
    }
}

/// More rows than a sweeper remembers cannot be examined.
#[tokio::test(start_paused = true)]
async fn what_fails_beyond_all_memory_hides_nothing_that_becomes_due_beside_it() {
    let lines = each(&names(HELD), |name| format!("alice delegates {name} to bob, deadline 5s"));
    let world = scene(&format!("{lines}\nwait 6s")).await;
    for name in names(HELD) {
        world.backend().poison(&world.id(&name)).await;
    }
    let asked = count(&world);
    let mut day = Day::begin(world);
    sleep(Duration::from_mins(5)).await;
    assert!(asked.of("beat") < 300 + 20, "{} passes", asked.of("beat") - 300);
    play(&mut day.world, "alice delegates beside to bob, deadline 2s").await;
    let failed_after_s = day.until("beside", Status::Failed).await;
    assert!((2.0..2.6).contains(&failed_after_s), "{failed_after_s}");
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_cannot_write_is_left_alone_and_found_again() {
    let world = scene(ONE_OVERDUE).await;
    let asked = Asked::default();
    let counter = asked.clone();
    hooks(&world).hang(move |call| {
        counter.note(call);
        Box::pin(std::future::ready(if begins(call, "transact") { away() } else { Ok(()) }))
    });
    let day = Day::begin(world);
    sleep(Duration::from_mins(2)).await;
    // The mark asks 119 or 120 times; passes at once, after 1, 2, 4, 8, 16 seconds more, then every 30.
    let passes = asked.of("beat") - 120;
    assert!((7..=9).contains(&passes), "{passes}");
    hooks(&day.world).clear();
    assert!(day.until("D1", Status::Failed).await < 31.5);
}

#[tokio::test(start_paused = true)]
async fn what_was_put_off_is_forgotten_when_it_is_no_longer_due() {
    let mut day = Day::begin(scene("alice delegates D1 to bob, deadline 10s").await);
    sleep(Duration::from_secs(9)).await;
    hooks(&day.world).before("transact", || Err(Failure::Rejected("a constraint".into())));
    sleep(Duration::from_secs(2)).await;
    let asked = count(&day.world);
    play(&mut day.world, "alice extends D1 to 1h").await;
    sleep(Duration::from_secs(10)).await;
    assert!(asked.of("earliest_due") > 0, "nothing is put off any more");
}

#[tokio::test(start_paused = true)]
async fn passes_because_something_is_due_begin_at_most_four_times_a_second() {
    let staggered = names(100);
    let mut world = scene("").await;
    for name in &staggered {
        world.clock().advance_ms(37);
        play(&mut world, &format!("alice delegates {name} to bob, deadline 60s")).await;
    }
    let asked = count(&world);
    let day = Day::begin(world);
    sleep(Duration::from_secs(55)).await;
    asked.forget();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(status(&day.world, &staggered[99]).await, Status::Failed);
    // They fall due within 3.7 seconds; beside the passes the mark asks, ten times.
    let passes = asked.of("beat") - 10;
    assert!((10..=16).contains(&passes), "{passes}");
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_commits_is_heard_as_often_as_passes_may_be_made() {
    let mut day = Day::begin(scene("alice delegates D1 to bob").await);
    sleep(Duration::from_secs(5)).await;
    let asked = count(&day.world);
    for second in 0..1000 {
        play(&mut day.world, &format!("alice extends D1 to {}s", 3600 + second)).await;
        sleep(Duration::from_millis(10)).await;
    }
    assert!((10..=42).contains(&asked.of("earliest_due")), "{}", asked.of("earliest_due"));
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_for_a_while_is_tidied_once_an_hour() {
    let world = scene("").await;
    let asked = count(&world);
    let _day = Day::begin(world);
    sleep(Duration::from_mins(150)).await;
    assert_eq!(asked.of("tidy"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_somebody_joined_is_kept() {
    let mut world = scene("").await;
    play(&mut world, "alice delegates D1 to bob, threshold 2s\nbob beats D1").await;
    let stall = stall(&world, "rearm");
    let mut day = Day::begin(world);
    sleep(Duration::from_secs(1)).await;
    play(&mut day.world, "bob beats D1").await;
    stall.stalled.notified().await;
    let asker = tokio::spawn({
        let sweeper = Arc::clone(&day.sweeper);
        async move { sweeper.pass().await }
    });
    sleep(Duration::from_millis(10)).await;
    stall.release.add_permits(100);
    let report = asker.await.unwrap();
    assert_eq!((report.rearmed, stall.asked.load(SeqCst)), (1, 1), "the one that was running");
    let kept = day.world.reader().sweeps(10).await.unwrap();
    assert_eq!((kept.len(), kept[0]), (2, report), "beside the first one");
}

#[tokio::test(start_paused = true)]
async fn the_history_keeps_news_and_intervals_but_not_each_look_at_the_living() {
    let fleet = names(3);
    let mut world = scene(&each(&fleet, |name| {
        format!("alice delegates {name} to bob, threshold 2s\nbob beats {name}")
    }))
    .await;
    play(&mut world, "alice delegates late to bob, deadline 100s").await;
    let asked = count(&world);
    let mut day = Day::begin(world);
    for _ in 0..310 {
        play(&mut day.world, &each(&fleet, |name| format!("bob beats {name}"))).await;
        sleep(Duration::from_secs(1)).await;
    }
    assert!(asked.of("rearm") > 100);
    let kept = day.world.reader().sweeps(100).await.unwrap();
    let failures: Vec<u64> = kept.iter().rev().map(|report| report.deadline_failures).collect();
    assert_eq!(failures, [0, 1, 0], "the start, the news, the interval");
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_run_and_its_pass_at_once() {
    let world = scene(ONE_OVERDUE).await;
    let stall = stall(&world, "due checks");
    let mut day = Day::begin(world);
    stall.stalled.notified().await;
    let asked = tokio::spawn({
        let sweeper = Arc::clone(&day.sweeper);
        async move { sweeper.pass().await }
    });
    tokio::task::yield_now().await;
    let begun = Instant::now();
    day.stop.send(true).unwrap();
    (&mut day.run).await.unwrap();
    let report = asked.await.unwrap();
    assert_eq!(report.deadline_failures, 1, "who waits hears what was done");
    assert!(begun.elapsed() < Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_a_sleeping_run_at_once_and_so_does_the_loss_of_who_could_say_it() {
    for says_it in [true, false] {
        let day = Day::begin(scene("").await);
        sleep(Duration::from_secs(10)).await;
        let (stop, stopped) = watch::channel(false);
        let run = tokio::spawn({
            let sweeper = Arc::clone(&day.sweeper);
            async move { sweeper.run(stopped).await }
        });
        sleep(Duration::from_secs(10)).await;
        if says_it {
            stop.send(true).unwrap();
        }
        drop(stop);
        timeout(Duration::from_millis(100), run).await.expect("it ends at once").unwrap();
    }
}
