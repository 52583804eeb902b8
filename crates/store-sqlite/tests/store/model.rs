//! The model against the ledger over SQLite.

use consign_testkit::model;

use super::backend::Sqlite;

#[test]
fn the_ledger_does_what_the_model_says() {
    model::agree::<Sqlite>(200);
}
