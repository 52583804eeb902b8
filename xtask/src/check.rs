//! `check`: everything that CI runs, cheapest first, the tests last, so that their count ends the output.

use crate::failed::Failed;
use crate::shell::cargo;
use crate::test::test;
use crate::tidy::tidy;
use crate::tools::{DENY, MACHETE};

/// A check's name, and how it is run.
type Step = (&'static str, fn() -> Result<(), Failed>);

const STEPS: [Step; 6] = [
    ("fmt", || cargo(["fmt", "--all", "--check"]).run()),
    ("tidy", tidy),
    ("clippy", clippy),
    ("rustdoc", rustdoc),
    ("machete", machete),
    ("deny", deny),
];

/// Runs every step, also behind one that failed, so that one run tells everything.
pub(crate) fn check() -> Result<(), Failed> {
    let failed: Vec<&str> = STEPS.iter().filter(|step| !passes(step)).map(|step| step.0).collect();
    println!("\n== test");
    let tally = test(&[])?;
    if !failed.is_empty() {
        eprintln!("xtask: before the tests, these failed: {}", failed.join(", "));
    }
    tally.verdict()?;
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Failed::new("the tests passed, other checks did not"))
    }
}

fn passes((name, run): &Step) -> bool {
    println!("\n== {name}");
    run().inspect_err(|why| eprintln!("xtask: {name}: {why}")).is_ok()
}

fn clippy() -> Result<(), Failed> {
    cargo(["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]).run()
}

fn rustdoc() -> Result<(), Failed> {
    cargo(["doc", "--locked", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings").run()
}

fn machete() -> Result<(), Failed> {
    MACHETE.ready()?.args(["--skip-target-dir"]).run()
}

/// Without advisories: `deny.toml` says why.
fn deny() -> Result<(), Failed> {
    DENY.ready()?.args(["check", "--hide-inclusion-graph", "licenses", "bans", "sources"]).run()
}
