//! `test`: the one command that passes all tests.
//!
//! It needs the toolchain, and installs what else the tests run where it can; where cargo-nextest is installed, it is
//! used.

use crate::failed::Failed;
use crate::needs;
use crate::shell::{Program, cargo};
use crate::tally::Tally;

/// Runs every test, doc tests included; with `args` only what they select, without doc tests.
pub(crate) fn test(args: &[String]) -> Result<Tally, Failed> {
    needs::ready()?;
    let mut tally = counted(runner().args(scope(args)).args(args))?;
    if args.is_empty() {
        // nextest has no doc tests, and cargo has run them already.
        if has_nextest() {
            tally += counted(cargo(["test", "--locked", "--workspace", "--doc"]))?;
        }
    }
    Ok(tally)
}

fn runner() -> Program {
    if has_nextest() {
        cargo(["nextest", "run", "--locked", "--no-fail-fast"])
    } else {
        cargo(["test", "--locked", "--no-fail-fast"])
    }
}

fn has_nextest() -> bool {
    cargo(["nextest", "--version"]).output().is_ok()
}

fn scope(args: &[String]) -> Option<&'static str> {
    let names_a_package = |arg: &String| arg.starts_with("-p") || arg.starts_with("--package");
    (!args.iter().any(names_a_package)).then_some("--workspace")
}

fn counted(program: Program) -> Result<Tally, Failed> {
    let mut tally = Tally::default();
    let succeeded = program.watch(|line| tally += Tally::of_line(line))?;
    tally.broken = !succeeded;
    Ok(tally)
}
