//! The model and a ledger side by side: the same steps, and after each the same answers and the same state.

use consign_ledger::Reader as _;
use consign_ledger::query::{Entry, Filter, PAGE_MAX};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::scenario::{Script, Step};
use crate::{Backend, Seen, World};

use super::Model;
use super::generate::scripts;
use super::row::Row;

/// The threshold that both begin with, in seconds: short, so that short waits matter.
const THRESHOLD_S: u32 = 10;

/// The variable that says how many random scripts are played: `CONSIGN_MODEL_CASES=100000 cargo nextest run model`.
const CASES_VARIABLE: &str = "CONSIGN_MODEL_CASES";
/// Lines of the longest random script.
const LINES_MAX: usize = 60;
/// How hard a difference is made smaller before it is shown.
const SHRINKS_MAX: u32 = 20_000;

/// Plays random scripts to a ledger over this backend and to the model.
///
/// `cases` are the scripts of a run that is not told otherwise, by `CONSIGN_MODEL_CASES`. Where both differ, the
/// shortest script that was found is shown, in the language of scenarios.
pub fn agree<B: Backend>(cases: u32) {
    let told = std::env::var(CASES_VARIABLE).ok();
    let told = told.map(|told| told.parse().expect("CONSIGN_MODEL_CASES is a number"));
    let config = Config {
        cases: told.unwrap_or(cases),
        max_shrink_iters: SHRINKS_MAX,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().expect("a test can have a runtime");
    let outcome = TestRunner::new(config).run(&scripts(LINES_MAX), |script| {
        runtime.block_on(compare::<B>(&script)).map_err(TestCaseError::fail)
    });
    if let Err(difference) = outcome {
        panic!("{difference}");
    }
}

/// Plays one script to both. Where they differ: after which line, and in what.
async fn compare<B: Backend>(script: &Script) -> Result<(), String> {
    let mut world = World::<B>::new().await;
    world.step(&Step::Restart(Some(THRESHOLD_S))).await;
    let mut model = Model::new(world.wall().0, THRESHOLD_S);
    for (nth, step) in script.0.iter().enumerate() {
        let seen = world.step(step).await;
        let told = model.step(step);
        model.learn_ids(&world).await?;
        let difference = match answers(&seen, &told, &model.rows) {
            Ok(()) => model.see(&world).await,
            difference => difference,
        };
        difference.map_err(|why| format!("after line {} ({step}):\n    {why}\n", nth + 1))?;
    }
    world.audit().await;
    Ok(())
}

fn answers(seen: &Seen, told: &[super::Told], rows: &[Row]) -> Result<(), String> {
    let Seen::Said(said) = seen else { return Ok(()) };
    for (said, told) in said.iter().zip(told) {
        let theirs = (said.to_string(), said.status);
        let ours = (told.words(rows), told.status());
        if theirs != ours {
            return Err(format!("the ledger answered {theirs:?}, and the model {ours:?}"));
        }
    }
    Ok(())
}

impl Model {
    /// The ids that the ledger made itself.
    async fn learn_ids<B: Backend>(&mut self, world: &World<B>) -> Result<(), String> {
        if self.rows.iter().any(|row| row.id.is_empty()) {
            let there = self.rows.iter_mut().filter(|row| !row.gone());
            for (row, entry) in there.zip(entries(world).await?) {
                row.id = entry.delegation.delegation_id.to_string();
            }
        }
        Ok(())
    }

    /// Compares everything that can be seen.
    async fn see<B: Backend>(&mut self, world: &World<B>) -> Result<(), String> {
        let now = world.now().await;
        self.look_at_the_clock();
        same("the time", now.0, self.now)?;
        let entries = entries(world).await?;
        let there: Vec<usize> =
            (0..self.rows.len()).filter(|row| !self.rows[*row].gone()).collect();
        same("the number of delegations", entries.len(), there.len())?;
        for (row, entry) in there.into_iter().zip(&entries) {
            self.same_row(&self.rows[row], entry)?;
            same(
                "the history",
                world.history_of(&entry.delegation.delegation_id).await,
                self.rows[row].history.clone(),
            )?;
        }
        for agent in ["alice", "bob", "carol", "dave"] {
            let messages = world.inbox(agent).await.messages.len();
            let expected = self.messages.get(agent).copied().unwrap_or(0);
            same(&format!("the number of {agent}'s messages"), messages, expected)?;
        }
        Ok(())
    }

    fn same_row(&self, row: &Row, entry: &Entry) -> Result<(), String> {
        let (it, what) = (&entry.delegation, |what: &str| format!("{what} of {}", row.id));
        let waiting = it.waiting.as_ref().map(|waiting| {
            let child = waiting.request.child_id.as_ref().map(ToString::to_string);
            (waiting.until.0, child)
        });
        let id_of = |row: Option<usize>| row.map(|row| self.rows[row].id.clone());
        same(&what("the id"), it.delegation_id.to_string(), row.id.clone())?;
        same(&what("the status"), it.status, row.status)?;
        same(&what("the version"), it.version, row.history.len() as u64)?;
        same(&what("the attempt"), it.attempt, row.attempt)?;
        same(&what("max_attempts"), it.max_attempts, row.max_attempts)?;
        same(&what("the callee"), it.callee_id.to_string(), row.callee.clone())?;
        same(&what("the deadline"), it.deadline.0, row.deadline)?;
        same(&what("the error detail"), it.error_detail.clone(), row.error.clone())?;
        same(&what("the failure"), it.failure, row.failure)?;
        same(&what("the stuck reason"), it.stuck_reason, row.stuck.map(|stuck| stuck.0))?;
        same(&what("the wait"), waiting, row.waiting.clone())?;
        same(&what("the last heartbeat"), it.last_heartbeat.map(|at| at.0), row.heard)?;
        same(&what("the last progress"), it.progress_at.map(|at| at.0), row.progressed)?;
        let progress = entry.progress.as_ref().map(|json| json.as_str().to_owned());
        let expected = row.progress.as_ref().map(|text| format!("\"{text}\""));
        same(&what("the progress"), progress, expected)?;
        same(&what("the result"), entry.result_preview.clone(), row.result.clone())?;
        same(&what("late results"), usize::from(it.late_count), row.late.len())?;
        let key = it.idempotency_key.as_ref().map(|key| key.as_str().to_owned());
        same(&what("the key"), key, row.key.clone())?;
        let parent = it.parent_id.as_ref().map(ToString::to_string);
        same(&what("the parent"), parent, id_of(row.parent))?;
        let retry_of = it.retry_of.as_ref().map(ToString::to_string);
        same(&what("retry_of"), retry_of, id_of(row.retry_of))
    }
}

/// All delegations, the oldest first.
async fn entries<B: Backend>(world: &World<B>) -> Result<Vec<Entry>, String> {
    let filter = Filter { limit: PAGE_MAX, ..Filter::default() };
    let page = world.reader().list(filter).await.map_err(|failure| failure.to_string())?;
    Ok(page.items.into_iter().rev().collect())
}

#[expect(clippy::needless_pass_by_value, reason = "it reads as an assertion does")]
fn same<T: PartialEq + std::fmt::Debug>(what: &str, ledger: T, model: T) -> Result<(), String> {
    if ledger == model {
        return Ok(());
    }
    Err(format!("{what} is {ledger:?} in the ledger and {model:?} in the model"))
}
