//! `tidy`: what a reader may rely on in every file, and which crate may know which.
//!
//! It stops at what is surely too much; what is merely long is for the reviewer.

mod exceptions;
mod layers;
mod names;
mod sizes;
mod source;
mod words;

use std::fmt;

use crate::failed::Failed;
use exceptions::EXCEPTIONS;
use source::Source;

/// Which rule was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A file of more than 500 lines.
    FileSize,
    /// A function of more than 70 lines.
    FnSize,
    /// A file that does not open with `//!`.
    Opening,
    /// A word that must not stand there.
    Word,
    /// A module named after nothing.
    Name,
    /// A crate that knows what it must not.
    Layer,
    /// An exception that nothing needs any more.
    Unused,
}

/// A rule that is broken, and where.
#[derive(Debug)]
pub(crate) struct Finding {
    rule: Rule,
    /// The file, the file and function (`src/a.rs::f`), or the crate.
    place: String,
    line: Option<usize>,
    why: String,
}

/// Looks at every source file and every manifest of the workspace.
pub(crate) fn tidy() -> Result<(), Failed> {
    let sources = source::all()?;
    let mut findings: Vec<Finding> = sources.iter().flat_map(of_source).collect();
    findings.extend(layers::check()?);
    let findings = exceptions::without(findings, EXCEPTIONS);
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("{} files are tidy, {} exceptions", sources.len(), EXCEPTIONS.len());
            Ok(())
        }
        count => Err(Failed::new(format!("{count} things are untidy"))),
    }
}

fn of_source(source: &Source) -> Vec<Finding> {
    let mut findings = sizes::check(source);
    findings.extend(words::check(source));
    findings.extend(names::check(source));
    findings
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, place, line, why } = self;
        match line {
            Some(line) => write!(f, "{place}:{line}: {rule:?}: {why}"),
            None => write!(f, "{place}: {rule:?}: {why}"),
        }
    }
}
