//! What an audit tells of a ledger in use: that all is well, or what is not.

use rusqlite::Connection;

use super::Session;
use crate::fleet::Fleet;

#[test]
fn an_audit_finds_what_is_wrong_and_nothing_else() {
    let mut session = Session::new();
    session.delegates("d1").delegates("d2").delegates("d3");
    session.prepares("consign heartbeat d1; consign complete d2 --result done; consign cancel d3");
    session
        .types("consign audit --help")
        .types("consign audit --database-url sqlite:consign.db")
        .types("consign audit --database-url sqlite:consign.db --json")
        .types("consign backup copy.db --database-url sqlite:consign.db >/dev/null");
    let vandal = Connection::open(session.ledger.folder().join("copy.db")).unwrap();
    vandal
        .execute_batch(
            "DELETE FROM watch WHERE num = 1;
             UPDATE tallies SET count = 7 WHERE status = 'completed';
             DELETE FROM messages WHERE seq = (SELECT seq FROM events WHERE kind = 'cancelled');",
        )
        .unwrap();
    session
        .types("consign audit --database-url sqlite:copy.db")
        .types("consign audit --database-url sqlite:copy.db --json")
        .types("consign audit --database-url sqlite:missing.db")
        .types("consign audit --database-url postgres://127.0.0.1:1/consign")
        .types("consign audit --database-url nonsense");
    session.reads_as("audit");
}

#[test]
fn an_audit_of_a_busy_ledger_sees_one_moment() {
    let session = Session::new();
    let client = session.client();
    let _fleet = Fleet::of(10, &client);
    let work = "for n in $(seq 40); do consign delegate --caller a --callee b --task t --id w$n; \
                consign complete w$n --result done; done >/dev/null";
    let mut working = session.shell(work).spawn().unwrap();
    for _ in 0..10 {
        let told = session.prepares("consign audit --database-url sqlite:consign.db");
        assert!(told.contains("all is well"), "{told}");
    }
    assert!(working.wait().unwrap().success());
}
