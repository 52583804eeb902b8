//! Waiting for a verdict, in virtual time, over a store that does what the test wants.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use consign_delivery::{Follower, TooMany, Topic, Until, WAITERS_MAX, WaitError};
use consign_ledger::command::{Command, Complete, Extend};
use consign_ledger::delegation::deadline::DeadlineRequest;
use consign_ledger::delegation::status::Status;
use consign_ledger::{AgentId, DelegationId, Failure, Ledger};
use consign_testkit::{Call, Faulty, Hooked, Hooks, Memory, World};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};

type Scene = World<Hooked<Memory>>;
type Store = Faulty<Hooked<Memory>>;

const AT_MOST: Duration = Duration::from_secs(30);
/// Virtual time stands still while anybody has something to do, so this is "without sleeping".
const AT_ONCE: Duration = Duration::from_millis(1);

/// A world with a follower that runs.
struct Stage {
    world: Scene,
    follower: Arc<Follower<Store>>,
    stop: watch::Sender<bool>,
    run: JoinHandle<()>,
}

impl Stage {
    async fn set(script: &str) -> Self {
        let mut world = Scene::new().await;
        let lines: Vec<&str> = script.lines().map(str::trim_start).collect();
        world.play(&lines.join("\n")).await;
        let follower = Arc::new(Follower::new(world.ledger().clone()));
        let (stop, stopped) = watch::channel(false);
        let run = tokio::spawn({
            let follower = Arc::clone(&follower);
            async move { follower.run(stopped).await }
        });
        Self { world, follower, stop, run }
    }

    /// Somebody begins to wait, and sleeps when this returns.
    async fn waiter(&self, name: &str, until: Until) -> JoinHandle<(Status, Duration)> {
        let (follower, id) = (Arc::clone(&self.follower), self.world.id(name));
        let waiter = tokio::spawn(async move {
            let begun = Instant::now();
            let found = follower.wait(&id, until, AT_MOST).await.expect("it can be read");
            (found.expect("it exists").0.status, begun.elapsed())
        });
        sleep(AT_ONCE).await;
        waiter
    }

    /// Somebody looks now, and again at each waking of almost half a minute: how often they looked, at last.
    async fn looker(&self, topic: Topic) -> JoinHandle<u64> {
        let follower = Arc::clone(&self.follower);
        let looker = tokio::spawn(async move {
            let looks = AtomicU64::new(0);
            let look = || async { Ok::<_, TooMany>(looks.fetch_add(1, SeqCst) + 1) };
            let at_most = Duration::from_secs(29);
            follower.wait_for(topic, at_most, look, |_| false).await.expect("there is a place")
        });
        sleep(AT_ONCE).await;
        looker
    }

    fn hooks(&self) -> &Hooks {
        self.world.backend().hooks()
    }
}

fn complete(id: DelegationId) -> Command {
    Command::Complete(Complete { id, result: None, lease: None, override_reason: None })
}

const ONE: &str = "alice delegates D1 to bob
                   bob beats D1";

#[tokio::test(start_paused = true)]
async fn what_is_there_already_is_answered_at_once() {
    for (acts, until) in [
        ("bob completes D1", Until::Terminal),
        ("bob fails D1", Until::Stuck),
        ("alice cancels D1", Until::Terminal),
        ("alice sets D1 to stuck", Until::Stuck),
    ] {
        let mut stage = Stage::set(ONE).await;
        stage.world.play(acts).await;
        let begun = Instant::now();
        let id = stage.world.id("D1");
        stage.follower.wait(&id, until, AT_MOST).await.unwrap().unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO, "{acts}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_delegation_is_not_waited_for() {
    let stage = Stage::set(ONE).await;
    let id = stage.world.id("D2");
    assert_eq!(stage.follower.wait(&id, Until::Terminal, AT_MOST).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_hears_what_it_waits_for_at_once_and_nothing_else() {
    for (acts, until, heard) in [
        ("bob completes D1", Until::Terminal, Some(Status::Completed)),
        ("bob fails D1", Until::Terminal, Some(Status::Failed)),
        ("alice cancels D1", Until::Stuck, Some(Status::Cancelled)),
        ("alice sets D1 to stuck", Until::Stuck, Some(Status::Stuck)),
        ("alice sets D1 to stuck", Until::Terminal, None),
        ("alice retries D1", Until::Stuck, None),
        ("bob completes D2", Until::Terminal, None),
    ] {
        let mut stage =
            Stage::set(&format!("{ONE}\nalice delegates D2 to bob\nbob beats D2")).await;
        let waiter = stage.waiter("D1", until).await;
        stage.world.play(acts).await;
        sleep(AT_ONCE).await;
        assert_eq!(waiter.is_finished(), heard.is_some(), "{acts} {until:?}");
        let (status, after) = waiter.await.unwrap();
        match heard {
            Some(heard) => assert_eq!(status, heard, "{acts}"),
            None => assert!(after >= AT_MOST && after < AT_MOST + AT_ONCE * 2, "{after:?}"),
        }
    }
}

/// They look at first, when the follower takes its place, and at last; and for work, one of those who wait looks
/// every two seconds, whatever the log says.
#[tokio::test(start_paused = true)]
async fn who_waits_for_work_or_messages_looks_when_there_may_be_some() {
    const BY_ITSELF: u64 = 29 / 2;
    let agent = |id: &str| AgentId::new(id).unwrap();
    for (acts, topic, looks) in [
        ("alice cancels D1", Topic::Inbox(agent("alice")), 4),
        ("alice cancels D1", Topic::Inbox(agent("bob")), 3),
        ("alice retries D1 as D1, to carol", Topic::Inbox(agent("alice")), 3),
        ("alice delegates D3 to carol", Topic::Work(agent("carol")), BY_ITSELF + 4),
        ("alice retries D1 as D1, to carol", Topic::Work(agent("carol")), BY_ITSELF + 4),
        ("alice delegates D3 to bob", Topic::Work(agent("carol")), BY_ITSELF + 3),
        ("alice delegates D3 to bob, dispatched", Topic::Work(agent("bob")), BY_ITSELF + 3),
        ("alice sets D1 to stuck", Topic::Work(agent("bob")), BY_ITSELF + 4),
        ("bob completes D1", Topic::Work(agent("bob")), BY_ITSELF + 4),
        ("bob completes D1", Topic::Work(agent("carol")), BY_ITSELF + 3),
        ("bob releases D0", Topic::Work(agent("bob")), BY_ITSELF + 4),
        ("bob fails D0", Topic::Work(agent("bob")), BY_ITSELF + 4),
        ("alice cancels D2", Topic::Work(agent("bob")), BY_ITSELF + 3),
    ] {
        let more = "bob accepts D0\nalice delegates D2 to bob, dispatched";
        let mut stage = Stage::set(&format!("alice delegates D0 to bob\n{ONE}\n{more}")).await;
        let looker = stage.looker(topic.clone()).await;
        stage.world.play(acts).await;
        assert_eq!(looker.await.unwrap(), looks, "{acts} {topic:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_verdict_between_the_look_and_the_sleep_is_not_missed() {
    let stage = Stage::set(ONE).await;
    // Somebody else waits, so that the follower is in its place.
    let other = stage.waiter("D1", Until::Stuck).await;
    let (ledger, id) = (stage.world.ledger().clone(), stage.world.id("D1"));
    let (told, looks) = (Arc::new(Notify::new()), Arc::new(AtomicU64::new(0)));
    stage.hooks().hang(move |call| {
        let (ledger, id) = (ledger.clone(), id.clone());
        let (told, looks) = (Arc::clone(&told), Arc::clone(&looks));
        Box::pin(async move {
            match call {
                // The first look has seen it in progress, and is not back yet.
                Call::After("find") if looks.fetch_add(1, SeqCst) == 0 => {
                    ledger.act(complete(id)).await.expect("it is in flight");
                    told.notified().await;
                }
                Call::After("events") => told.notify_one(),
                _ => {}
            }
            Ok(())
        })
    });
    let begun = Instant::now();
    let id = stage.world.id("D1");
    let found = stage.follower.wait(&id, Until::Terminal, AT_MOST).await.unwrap().unwrap();
    assert_eq!((found.0.status, begun.elapsed()), (Status::Completed, Duration::ZERO));
    assert_eq!(other.await.unwrap().0, Status::Completed);
}

#[tokio::test(start_paused = true)]
async fn a_verdict_before_the_follower_has_its_place_is_not_missed() {
    let stage = Stage::set(ONE).await;
    let (ledger, id) = (stage.world.ledger().clone(), stage.world.id("D1"));
    stage.hooks().hang(move |call| {
        let (ledger, id) = (ledger.clone(), id.clone());
        Box::pin(async move {
            if call == Call::Before("newest_seq") {
                // By now the first waiter has looked and sleeps.
                sleep(AT_ONCE).await;
                ledger.act(complete(id)).await.expect("it is in flight");
            }
            Ok(())
        })
    });
    let (status, after) = stage.waiter("D1", Until::Terminal).await.await.unwrap();
    assert_eq!(status, Status::Completed);
    assert!(after < AT_ONCE * 3, "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_be_read_costs_a_pause() {
    for (question, panics) in
        [("events", false), ("newest_seq", false), ("events", true), ("newest_seq", true)]
    {
        let mut stage = Stage::set(ONE).await;
        let left = AtomicU64::new(4);
        stage.hooks().before(question, move || {
            let fails = left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
            assert!(!(fails && panics), "on purpose");
            if fails { Err(Failure::Unavailable("no connection".into())) } else { Ok(()) }
        });
        let waiter = stage.waiter("D1", Until::Terminal).await;
        stage.world.play("bob completes D1").await;
        let (status, after) = waiter.await.unwrap();
        assert_eq!(status, Status::Completed, "{question}");
        assert!(after < Duration::from_secs(2), "{question} {after:?}");
        assert!(!stage.run.is_finished());
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_bell_costs_at_most_two_seconds() {
    let stage = Stage::set(ONE).await;
    let waiter = stage.waiter("D1", Until::Terminal).await;
    let (elsewhere, _faults) = stage.world.second_writer().await;
    elsewhere.act(complete(stage.world.id("D1"))).await.unwrap();
    let (status, after) = waiter.await.unwrap();
    assert_eq!(status, Status::Completed);
    assert!(after <= Duration::from_secs(2) + AT_ONCE, "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_behind_is_read_page_by_page_until_it_is_too_much() {
    // 20 pages are too much: then everybody looks for himself, and one more page has nothing in it.
    for (events, pages) in [(5_000, 6), (25_000, 21)] {
        let stage = Stage::set(&format!("{ONE}\nalice delegates D2 to bob")).await;
        let waiter = stage.waiter("D1", Until::Terminal).await;
        let reads = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&reads);
        stage.hooks().before("events", move || {
            counter.fetch_add(1, SeqCst);
            Ok(())
        });
        let (elsewhere, _faults) = stage.world.second_writer().await;
        fill(&elsewhere, &stage.world.id("D2"), events).await;
        elsewhere.act(complete(stage.world.id("D1"))).await.unwrap();
        let (status, after) = waiter.await.unwrap();
        assert_eq!((status, reads.load(SeqCst)), (Status::Completed, pages));
        assert!(after <= Duration::from_secs(2) + AT_ONCE, "{after:?}");
        assert!(!stage.run.is_finished());
    }
}

/// Appends so many events.
async fn fill(ledger: &Ledger<Store>, id: &DelegationId, events: u32) {
    for second in 1..=events / 1000 {
        let extend = |nth| {
            // Each to another deadline: what changes nothing is no event.
            let deadline = DeadlineRequest::In(3600 + second * 1000 + nth);
            Command::Extend(Extend { id: id.clone(), deadline, if_version: None })
        };
        for outcome in ledger.act_all((0..1000).map(extend).collect()).await {
            assert!(outcome.expect("it is in flight").changed);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_answers_everybody_at_once_and_nobody_waits_after_it() {
    for says_it in [true, false] {
        let stage = Stage::set(ONE).await;
        let waiters =
            [stage.waiter("D1", Until::Terminal).await, stage.waiter("D1", Until::Stuck).await];
        if says_it {
            stage.stop.send(true).unwrap();
        }
        drop(stage.stop);
        stage.run.await.unwrap();
        for waiter in waiters {
            let (status, after) = waiter.await.unwrap();
            assert_eq!(status, Status::InProgress);
            assert!(after < AT_ONCE * 4, "{after:?}");
        }
        let id = stage.world.id("D1");
        let late = stage.follower.wait(&id, Until::Terminal, AT_MOST);
        let found = timeout(AT_ONCE, late).await.expect("at once").unwrap().unwrap();
        assert_eq!(found.0.status, Status::InProgress);
    }
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_is_dropped_leaves_nobody_waiting() {
    let stage = Stage::set(ONE).await;
    let waiter = stage.waiter("D1", Until::Terminal).await;
    stage.run.abort();
    assert!(waiter.await.unwrap().1 < AT_ONCE * 3);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_waiters_are_woken_and_one_more_is_turned_away() {
    let names: Vec<String> = (0..100).map(|nth| format!("D{nth}")).collect();
    let each = |line: &dyn Fn(&str) -> String| {
        names.iter().map(|name| line(name)).collect::<Vec<_>>().join("\n")
    };
    let mut stage = Stage::set(&each(&|name| format!("alice delegates {name} to bob"))).await;
    stage.world.play(&each(&|name| format!("bob beats {name}"))).await;
    let mut waiters = Vec::with_capacity(WAITERS_MAX);
    for nth in 0..WAITERS_MAX {
        let (follower, id) = (Arc::clone(&stage.follower), stage.world.id(&names[nth % 100]));
        waiters.push(tokio::spawn(async move {
            follower.wait(&id, Until::Terminal, AT_MOST).await.expect("it can be read")
        }));
    }
    sleep(AT_ONCE).await;
    let id = stage.world.id("D0");
    let one_more = || stage.follower.wait(&id, Until::Terminal, AT_MOST);
    assert!(matches!(one_more().await, Err(WaitError::TooMany(_))));
    let look = stage.follower.wait(&id, Until::Terminal, Duration::ZERO).await;
    assert!(look.unwrap().is_some(), "who does not wait is not turned away");
    waiters.pop().unwrap().abort();
    sleep(AT_ONCE).await;
    assert!(timeout(AT_ONCE, one_more()).await.is_err(), "who leaves makes room");
    let begun = Instant::now();
    stage.world.play(&each(&|name| format!("bob completes {name}"))).await;
    for waiter in waiters {
        let found = waiter.await.unwrap().expect("it exists");
        assert_eq!(found.0.status, Status::Completed);
    }
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

/// A store has few connections, and turns away who does not get one soon.
#[tokio::test(start_paused = true)]
async fn of_many_who_are_woken_together_some_look_at_once_and_all_in_the_end() {
    let mut stage = Stage::set(ONE).await;
    let mut waiters = JoinSet::new();
    for _ in 0..1000 {
        let (follower, id) = (Arc::clone(&stage.follower), stage.world.id("D1"));
        waiters.spawn(async move { follower.wait(&id, Until::Terminal, AT_MOST).await });
    }
    sleep(AT_ONCE).await;
    let (looking, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let counter = (Arc::clone(&looking), Arc::clone(&most));
    stage.hooks().hang(move |call| {
        let (looking, most) = counter.clone();
        Box::pin(async move {
            match call {
                Call::Before("find") => {
                    most.fetch_max(looking.fetch_add(1, SeqCst) + 1, SeqCst);
                    sleep(AT_ONCE).await;
                }
                Call::After("find") => drop(looking.fetch_sub(1, SeqCst)),
                _ => {}
            }
            Ok(())
        })
    });
    stage.world.play("bob completes D1").await;
    while let Some(found) = waiters.join_next().await {
        let found = found.unwrap().expect("it can be read").expect("it exists");
        assert_eq!(found.0.status, Status::Completed);
    }
    let most = most.load(SeqCst);
    assert!((2..=64).contains(&most), "{most} looked at the same time");
}

#[tokio::test(start_paused = true)]
async fn a_waiter_is_cheap() {
    const BYTES_MAX: usize = 16 << 10;
    let stage = Stage::set(ONE).await;
    let id = stage.world.id("D1");
    let waiter = stage.follower.wait(&id, Until::Terminal, AT_MOST);
    assert!(size_of_val(&waiter) < BYTES_MAX, "{}", size_of_val(&waiter));
}

#[tokio::test(start_paused = true)]
async fn while_nobody_waits_the_log_is_not_read() {
    let mut stage = Stage::set(ONE).await;
    let reads = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&reads);
    stage.hooks().hang(move |call| {
        if matches!(call, Call::Before("events" | "newest_seq")) {
            counter.fetch_add(1, SeqCst);
        }
        Box::pin(std::future::ready(Ok(())))
    });
    for nth in 0..20 {
        stage.world.play(&format!("alice delegates other{nth} to bob")).await;
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(reads.load(SeqCst), 0);
    let waiter = stage.waiter("D1", Until::Terminal).await;
    stage.world.play("bob completes D1").await;
    assert_eq!(waiter.await.unwrap().0, Status::Completed);
    let read = reads.load(SeqCst);
    for nth in 0..20 {
        stage.world.play(&format!("alice cancels other{nth}")).await;
        sleep(Duration::from_secs(1)).await;
    }
    // At most the look that was under way when the last waiter left.
    assert!(read > 0 && reads.load(SeqCst) <= read + 1);
}
