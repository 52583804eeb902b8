//! What `consign demo` says before it plays.

use super::Session;

#[test]
fn a_demo_says_what_it_needs() {
    let mut session = Session::new();
    session.delegates("d1");
    session.prepares("consign backup copy.db --database-url sqlite:consign.db");
    session
        .types("consign demo --help")
        .types("consign demo --database-url sqlite:copy.db")
        .types("consign demo --database-url sqlite:missing/demo.db")
        .types("consign demo --database-url nonsense")
        .types("consign demo --frobnicate");
    session.reads_as("demo");
}
