//! What the doctor says of an installation that is well, and of each ill.

use rusqlite::Connection;

use super::Session;

#[test]
fn a_doctor_says_what_is_wrong_and_what_to_do() {
    let mut session = Session::new();
    session.delegates("d1");
    session
        .types("consign doctor --help")
        .types("consign doctor --database-url sqlite:consign.db")
        .types("consign doctor --database-url sqlite:consign.db --json")
        .types("consign doctor --database-url sqlite:consign.db --url http://127.0.0.1:1 --retry-for-s 12")
        .types("consign doctor --database-url sqlite:consign.db --stuck-threshold-s 5 --brake off --retention-days 0 | head -2")
        .types("consign doctor --database-url sqlite:not-yet.db")
        .types("consign doctor --database-url sqlite:missing/consign.db | head -3")
        .types("DELEGATION_STUCK_THRESHOLD_S=soon consign doctor --database-url sqlite:consign.db | grep WRONG -A1")
        .types("CONSIGN_URL= consign doctor --database-url sqlite:consign.db --listen ${CONSIGN_URL#http://} | tail -2")
        .types("consign doctor --listen 0.0.0.0:7420")
        .types("consign backup copy.db --database-url sqlite:consign.db >/dev/null");
    let vandal = Connection::open(session.ledger.folder().join("copy.db")).unwrap();
    vandal
        .execute_batch(
            "UPDATE tallies SET count = 3 WHERE status = 'stuck'; UPDATE mark SET heard_until = 9999999999999;",
        )
        .unwrap();
    session.types("consign doctor --database-url sqlite:copy.db | grep WRONG -A1");
    vandal.pragma_update(None, "user_version", 99).unwrap();
    session.types("consign doctor --database-url sqlite:copy.db | grep WRONG -A1").types(
        "echo text > text.db; consign doctor --database-url sqlite:text.db | grep WRONG -A1",
    );
    session.reads_as("doctor");
}
