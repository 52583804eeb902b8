//! The model against the ledger over PostgreSQL.

use consign_testkit::model;

use super::backend::Postgres;

#[test]
fn the_ledger_does_what_the_model_says() {
    model::agree::<Postgres>(30);
}
