//! The language of scenarios: left what happens, right what must be true.
//!
//! ```text
//! alice delegates D1 to bob
//! bob accepts D1
//! wait 11m
//! sweep                    D1 stuck: no heartbeat for 11m0s
//! bob completes D1         D1 completed; alice has 1 message
//! ```
//!
//! Two spaces or more divide the sides; a line that is indented by four or more goes on with the right
//! side of the line before it; `#` begins a comment. An act that is not said to be refused must succeed.
//!
//! | left | |
//! |---|---|
//! | `wait 11m` | time passes while the ledger listens, every second |
//! | `serve 11m` | the same, and a sweep every second |
//! | `freeze 11m` | time passes while the server is suspended |
//! | `down 11m` | the server is killed; after that time it is started |
//! | `restart`, `restart with threshold 5s` | the server is killed and started at once |
//! | `clock by 1h`, `clock by -1h` | somebody sets the wall clock |
//! | `cut before commit`, `cut after commit` | the connection is cut at the next commit |
//! | `listen` | the server listens once |
//! | `sweep` | one pass |
//! | `prune` | what is over goes, however young it is |
//! | `limit bob, in flight 2, queued 3`, `limit bob` | his record bounds what he holds and what waits for him, or no more |
//! | `alice delegates D1 to bob, key K, under D0, attempts 2, threshold 1m, grace 1m, start within 1m, fail unless started, progress within 1m, deadline 1h, priority 3, dispatched, cancel children, notify stuck, notify recovered, task "text", unnamed` | `unnamed`: the ledger makes the id |
//! | `alice dispatches D1` | |
//! | `bob accepts D1 as C1` | |
//! | `bob claims`, `bob claims 3 as C1` | from his queue |
//! | `bob beats D1, progress "x", waiting for child D2 for 1m, not waiting` | |
//! | `bob completes D1 with "x"`, `bob fails D1 with "x"`, `bob releases D1 with "x"` | |
//! | `alice cancels D1 with "x"` | |
//! | `alice retries D1 as D2, to carol, deadline 1h, if attempt 1` | `as`: the name of a new one, if it comes to that |
//! | `alice extends D1 to 1h, if version 3` | |
//! | `alice sets D1 to stuck with "x"` | |
//! | `bob beats D1 & alice cancels D1` | in one batch, in this order |
//!
//! Whoever accepts or claims keeps the lease and shows it from then on; `carol's lease`, `no lease` and
//! `a forged lease` show another one. `override "why"` makes an act an operator's.

mod expect;
mod parse;
mod print;
mod step;

pub use expect::{Claim, Expect};
pub use parse::{Line, Misread, parse};
pub use step::{
    Act, Answer, Beat, Claiming, Cut, Extension, Limit, Order, Retrial, Script, Setting,
    ShownLease, Step, Verb, Wait,
};
