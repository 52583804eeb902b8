//! The sweeper over a real ledger and a store that does what the test wants.

mod brake;
mod cascades;
mod cast;
mod days;
mod dry_run;
mod on_disk;
mod passes;
mod prunings;
mod sharing;
