//! What the tests are written with: a hand-moved clock, seeded ids, scenario scripts, a store that fails
//! on purpose, a model of the rules, and the one suite that decides what a correct store is.

#![expect(
    clippy::missing_panics_doc,
    reason = "panicking is how a test kit says that a test failed"
)]

mod backend;
mod clock;
pub mod conformance;
mod faulty;
mod hooked;
mod ids;
mod memory;
pub mod model;
#[cfg(unix)]
pub mod postgres;
pub mod scenario;
pub mod schema;
mod world;

pub use backend::Backend;
pub use clock::HandClock;
pub use faulty::{Fault, Faults, Faulty};
pub use hooked::{Call, Hooked, Hooking, Hooks};
pub use ids::SeededIds;
pub use memory::Memory;
pub use world::{Everything, Happened, Said, Seen, THRESHOLD_S, World};
