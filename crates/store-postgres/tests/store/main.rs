//! The store as the suite, the model and the operating system see it.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by its line")]

mod backend;
mod beats;
mod checks;
mod corruptions;
mod lists;
mod measures;
mod model;
mod news;
mod order;
mod outages;
mod pooler;
mod replica;
mod replicas;
mod rivals;
mod sharing;
mod soak;
mod start;
mod tls;
mod wire;

use backend::Postgres;

consign_testkit::conforms!(postgres, Postgres);

#[test]
fn rivals_on_real_threads_leave_one_story() {
    consign_testkit::conformance::hammer::rivals_on_real_threads_leave_one_story::<Postgres>();
}
