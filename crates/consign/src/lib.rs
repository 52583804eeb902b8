//! A durable ledger of work that one AI agent entrusts to another, inside your program: no server needed.
//!
//! # The problem
//!
//! Your orchestrator handed a task to an agent. The agent was killed by the OOM killer, or hung, or its host slept; the
//! orchestrator waits, and nobody knows. A job queue does not help: it takes silence for "run it again", and running an
//! agent again costs real money and may do the work twice.
//!
//! A [`Ledger`] keeps one record of each such task: who asked whom for what, whether it is still alive, by when it must
//! be over, how it ended. Heartbeats keep it alive; silence is news within a second of being due; and its caller gets
//! exactly one verdict, as often as it asks, whatever crashed in between.
//!
//! # Quick start
//!
//! Alice entrusts a task to Bob; Bob falls silent, comes back, and answers.
//!
//! ```
//! use consign::{NewDelegation, Options, Status, Until};
//!
//! # let folder = tempfile::tempdir()?;
//! # let url = format!("sqlite:{}", folder.path().join("consign.db").display());
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! // A silence of one second is news here; the default is ten minutes.
//! let options = Options { stuck_threshold_s: 1, ..Options::default() };
//! let ledger = options.open(&url).await?; // such as "sqlite:consign.db"
//!
//! let asked = NewDelegation::new("alice", "bob", "write the report");
//! ledger.delegate(&asked).await?;
//!
//! let work = ledger.claim("bob", "bob-1").await?; // waits while there is none
//! work.progress(serde_json::json!("reading the sources")).await?;
//!
//! let news = ledger.wait(work.id(), Until::Stuck).await?.delegation;
//! assert_eq!(news.status, Status::Stuck);
//! assert!(news.error_detail.unwrap().starts_with("no heartbeat for"));
//!
//! work.beat().await?; // Stuck is a warning, not a death.
//! work.complete("twelve pages").await?;
//!
//! let verdict = ledger.wait(work.id(), Until::Terminal).await?;
//! assert_eq!(verdict.result, Some("twelve pages".into()));
//! assert_eq!(ledger.inbox("alice", None).await?.messages.len(), 1);
//! ledger.close().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A caller
//!
//! [`Ledger::delegate`] returns once the record is on the disk. A [`NewDelegation`] has its id from the moment it is
//! made, so sending the same one again, after an error or a crash, finds the record instead of making a second. Give it
//! an `idempotency_key`, your name for the piece of work, where a program that starts anew must find what it had asked
//! for before.
//!
//! How it learns the end, one of three ways, or all of them:
//!
//! - [`Ledger::wait`] returns with the verdict, or with [`Until::Stuck`] already with the warning. Silence is news, so
//!   that is the one to begin with. It always comes, because every delegation has a deadline: six hours, unless
//!   `deadline_s` says.
//! - The inbox has one message for each verdict, whether or not anybody was listening: [`Ledger::next_messages`] waits
//!   for them, [`Ledger::acknowledge`] puts them behind you.
//! - [`Ledger::show`] tells how it stands, at any time.
//!
//! Then it may [`cancel`](Ledger::cancel), [`retry`](Ledger::retry) or [`extend`](Ledger::extend); the ledger does
//! nothing about silence by itself, unless `max_attempts` over 1 asked for it.
//!
//! # A callee
//!
//! [`Ledger::claim`] gives the next piece of work for an agent, as soon as there is one, and with it the lease: from then
//! on only this [`Work`] may beat and answer. [`Work::beating`] does the rest right: it runs a future, beats meanwhile, and
//! drops the future as soon as a heartbeat is told to stop, because the work was cancelled, handed out again, or is past
//! its deadline. Whoever knows the id takes exactly that one, with [`Ledger::accept`].
//!
//! ```
//! use std::time::Duration;
//!
//! use consign::{Error, Ledger, Payload};
//!
//! async fn worker(ledger: &Ledger, name: &str) -> Result<(), Error> {
//!     loop {
//!         let work = ledger.claim("bob", name).await?;
//!         let task = work.show().await?.task;
//!         match work.beating(Duration::from_secs(30), write_report(task)).await {
//!             Ok(Ok(report)) => work.complete(report).await?,
//!             Ok(Err(why)) => work.fail(&why).await?,
//!             Err(told) if told.stop() => continue, // Nobody wants it any more.
//!             Err(error) => return Err(error),
//!         };
//!     }
//! }
//! # async fn write_report(task: Payload) -> Result<String, String> { Ok(task.as_str().to_uppercase()) }
//! #
//! # let folder = tempfile::tempdir().unwrap();
//! # let url = format!("sqlite:{}", folder.path().join("consign.db").display());
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # let ledger = Ledger::open(&url).await.unwrap();
//! # let asked = consign::NewDelegation::new("alice", "bob", "write the report");
//! # ledger.delegate(&asked).await.unwrap();
//! # let news = ledger.next_messages("alice");
//! # tokio::select! { ended = worker(&ledger, "bob-1") => ended.unwrap(), inbox = news => drop(inbox.unwrap()) }
//! # let record = ledger.show(&asked.delegation_id).await.unwrap();
//! # assert_eq!(record.result, Some("WRITE THE REPORT".into()));
//! # });
//! ```
//!
//! A heartbeat proves that a process lives, not that it works. Where that matters, the caller sets
//! `progress_within_s`, and the callee says what advanced with [`Work::progress`]. A callee that is blocked on a
//! person says so with [`Work::waiting`], and is not taken for silent. One that shuts down says
//! [`Work::release`], and somebody else may go on.
//!
//! Where caller and callee talk by themselves and the ledger only watches, the delegation is made with
//! `dispatched: true`, and [`Ledger::work`] gives its callee's side without a lease.
//!
//! # What stuck means
//!
//! A warning, not a death: silent for longer than its threshold, no progress, not started in time. It is in flight all
//! the same: a heartbeat ends it, a late answer completes it, the deadline fails it. What to do about it is its caller's
//! decision, because it alone knows what a second run would cost.
//!
//! A verdict (completed, failed, cancelled) is recorded once and never revised. A second answer is refused, and kept:
//! [`Ledger::late_results`].
//!
//! # Time
//!
//! Only the ledger's clock decides, and only time in which it listened counts as silence. While your program is
//! suspended, restarted, or blocks the runtime for seconds, nobody is marked for it; nor does anybody get a fresh start.
//! A deadline is a moment and knows no such gaps. A verdict comes within about a second of being due.
//!
//! # Errors
//!
//! An [`Error`] says what to do. [`Error::stop`] tells a callee to end its work; [`Error::is_passing`] is answered with
//! the same request a little later, which is never done twice; [`Error::refusal`] is the rules' reason, and a refusal
//! changes nothing.
//!
//! # Several processes
//!
//! A file has one process, which opens it once: clone the [`Ledger`], every clone is a handle to the same one. A second
//! process is told who has it. For several, use `postgres://…`: they share the ledger, the sweeper's work, the clock
//! and what they heard, and a server (`consign serve`) may be among them. A server on the same URL, or `consign ls`
//! through it, sees what your program wrote, and the other way round.
//!
//! # Shutting down
//!
//! Nothing is acknowledged before it is committed, so whatever ends your program, nothing acknowledged is lost. In good
//! order, [`Ledger::close`] lets what runs finish, answers who waits, and gives the file or the database back; dropping
//! the last handle does the same behind your back, as far as the runtime lives on. [`Ledger::closed`] tells that a part of
//! the ledger failed without which it could not keep its promises: a program that embeds one should not go on as if
//! nothing were.
//!
//! It runs on tokio, with its timer enabled, and the network for PostgreSQL. What it logs goes to `tracing`.

mod agents;
mod asked;
mod caller;
mod checked;
mod error;
mod inbox;
mod keeper;
mod ledger;
mod look;
mod options;
mod record;
mod work;

pub use asked::NewDelegation;
pub use error::{Busy, Error};
pub use ledger::Ledger;
pub use options::{OpenError, Options};
pub use record::Record;
pub use work::Work;

pub use consign_delivery::Until;
pub use consign_ledger::command::{Outcome, Pulse, Registered};
pub use consign_ledger::delegation::Delegation;
pub use consign_ledger::delegation::retention::Retention;
pub use consign_ledger::delegation::status::{FailureKind, Status, StuckReason};
pub use consign_ledger::delegation::terms::{Notify, OnNotStarted, Terms};
pub use consign_ledger::delegation::waiting::{WaitFor, WaitRequest, Waiting};
pub use consign_ledger::query::{
    AgentHealth, AgentPage, Entry, Event, EventPage, Filter, Inbox, Late, Message, Next, Outlook,
    Page, Stats, StatusFilter, SweepReport,
};
pub use consign_ledger::{
    AgentId, AgentTerms, DelegationId, IdempotencyKey, InvalidText, Json, Payload, Refusal,
    Refused, Seq, Time,
};
pub use consign_sweeper::DryRun;
