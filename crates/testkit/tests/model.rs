//! The model against the ledger over the store in memory: fast, so many.

use consign_testkit::{Memory, model};

#[test]
fn the_ledger_does_what_the_model_says() {
    model::agree::<Memory>(500);
}
