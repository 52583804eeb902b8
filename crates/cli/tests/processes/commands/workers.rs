//! What whoever runs a program as a callee types.

use super::Session;

#[test]
fn a_program_becomes_a_callee_in_one_line() {
    let mut session = Session::new();
    for id in ["d1", "d2", "d3", "d4"] {
        session.delegates(id);
    }
    session
        .types("consign claim --agent bob --once --exec wc -- -w")
        .types("consign claim --agent bob --once --exec cat --json")
        .types("consign claim --agent bob --once --exec sh -- -c 'exit 3'")
        .types("consign claim --agent bob --once --exec sh -- -c 'exit 75'")
        .types("consign claim --agent bob --wait-s 0 --exec true")
        .types("consign ls --callee bob | cut -f1,2")
        .types("consign claim --agent bob --exec ./missing.sh")
        .types("consign claim --agent bob --exec 'python3 worker.py'")
        .types("consign claim --agent bob --exec sh -c 'echo done'")
        .types("consign claim --agent bob --exec sh --progress-fd 1")
        .types("consign claim --agent bob --jobs 4")
        .types("consign claim bob --wait-s 0 --exec true")
        .types("consign claim bob --agent bob --exec true")
        .types("consign claim --agent bob --max 2 --exec true")
        .types("consign claim --exec true");
    session.reads_as("claim-exec");
}
