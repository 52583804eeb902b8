//! The cast: a world whose store can be hooked, and sweepers of its ledger.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};

use consign_ledger::Failure;
use consign_ledger::delegation::status::Status;
use consign_sweeper::{Settings, Sweeper};
use consign_testkit::{Call, Faulty, Hooked, Hooks, Memory, World};
use tokio::sync::{Notify, Semaphore};

pub(crate) type Scene = World<Hooked<Memory>>;
pub(crate) type Cast = Sweeper<Faulty<Hooked<Memory>>>;

/// A delegation that is past its deadline.
pub(crate) const ONE_OVERDUE: &str = "alice delegates D1 to bob, deadline 1m
                                      wait 2m";
/// A delegation that is past its threshold.
pub(crate) const ONE_SILENT: &str = "alice delegates D1 to bob
                                     bob beats D1
                                     wait 11m";

/// A world where these lines were played.
pub(crate) async fn scene(script: &str) -> Scene {
    let mut world = Scene::new().await;
    play(&mut world, script).await;
    world
}

/// Plays lines that may be indented as the test is.
pub(crate) async fn play(world: &mut Scene, script: &str) {
    let lines: Vec<&str> = script.lines().map(str::trim_start).collect();
    world.play(&lines.join("\n")).await;
}

/// A sweeper that has not made a pass yet.
pub(crate) fn sweeper(world: &Scene) -> Cast {
    Sweeper::new(world.ledger().clone(), Settings { interval_s: 300, brake: true })
}

pub(crate) fn hooks(world: &Scene) -> &Hooks {
    world.backend().hooks()
}

pub(crate) async fn status(world: &Scene, name: &str) -> Status {
    world.see(name).await.status
}

/// A database that is away.
pub(crate) fn away() -> Result<(), Failure> {
    Err(Failure::Unavailable("no connection".into()))
}

/// How often each question was asked.
#[derive(Clone, Default)]
pub(crate) struct Asked(Arc<Mutex<HashMap<&'static str, u64>>>);

impl Asked {
    pub(crate) fn of(&self, question: &str) -> u64 {
        self.counts().get(question).copied().unwrap_or_default()
    }

    pub(crate) fn forget(&self) {
        self.counts().clear();
    }

    pub(crate) fn note(&self, call: Call) {
        if let Call::Before(question) = call {
            *self.counts().entry(question).or_default() += 1;
        }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<&'static str, u64>> {
        self.0.lock().expect("nobody panics with it")
    }
}

/// Counts questions from now on.
pub(crate) fn count(world: &Scene) -> Asked {
    let asked = Asked::default();
    let counter = asked.clone();
    hooks(world).hang(move |call| {
        counter.note(call);
        Box::pin(std::future::ready(Ok(())))
    });
    asked
}

/// A line of a script, once for each name.
pub(crate) fn each(names: &[String], line: impl Fn(&str) -> String) -> String {
    names.iter().map(|name| line(name)).collect::<Vec<_>>().join("\n")
}

pub(crate) fn names(count: usize) -> Vec<String> {
    (0..count).map(|nth| format!("D{nth:05}")).collect()
}

/// Whether a call is the beginning of this question.
pub(crate) fn begins(call: Call, question: &str) -> bool {
    matches!(call, Call::Before(asked) if asked == question)
}

/// A question that is held up.
#[derive(Clone)]
pub(crate) struct Stall {
    /// Rings when the question is asked.
    pub(crate) stalled: Arc<Notify>,
    /// A permit lets one question pass.
    pub(crate) release: Arc<Semaphore>,
    /// How often it was asked.
    pub(crate) asked: Arc<AtomicU64>,
}

/// Holds up each question of this name.
pub(crate) fn stall(world: &Scene, question: &'static str) -> Stall {
    let stall = Stall {
        stalled: Arc::default(),
        release: Arc::new(Semaphore::new(0)),
        asked: Arc::default(),
    };
    let held = stall.clone();
    hooks(world).hang(move |call| {
        let held = held.clone();
        Box::pin(async move {
            if begins(call, question) {
                held.asked.fetch_add(1, SeqCst);
                held.stalled.notify_one();
                held.release.acquire().await.expect("it is never closed").forget();
            }
            Ok(())
        })
    });
    stall
}
