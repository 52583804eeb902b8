//! What goes wrong on the way to a server, and what a person is told to do about it.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::Session;

#[test]
fn whoever_finds_no_server_is_told_how_to_start_one() {
    let mut session = Session::new();
    session
        .types("consign stats --url http://127.0.0.1:1 --retry-for-s 0")
        .types("consign stats --url http://127.0.0.1:1 --retry-for-s 1 --json")
        .types("consign stats --url localhost:7420")
        .types("consign stats --url https://127.0.0.1:1/ --retry-for-s 0")
        .types("CONSIGN_URL=http://me:secret@localhost consign stats")
        .types("CONSIGN_URL= consign stats --help | grep CONSIGN_URL")
        .types("consign stats --retry-for-s soon")
        .types("CONSIGN_RETRY_FOR_S= consign stats --json")
        .types("consign")
        .types("consign frobnicate")
        .types("consign list")
        .types("consign status demo-1")
        .types("consign lss")
        .types("consign stats --frobnicate");
    session.reads_as("no-server");
}

#[test]
fn a_server_that_cannot_start_says_what_to_give() {
    let mut session = Session::new();
    session
        .types("consign serve --help")
        .types("consign serve --listen 0.0.0.0:7420")
        .types("consign serve --listen 127.0.0.1:0 --database-url nonsense")
        .types("consign serve --listen 127.0.0.1:0 --database-url sqlite:consign.db 2>&1 | sed 's/(process [0-9]*)/(process N)/'")
        .types("consign serve --log a=b=c")
        .types("consign serve --frobnicate");
    session.reads_as("serve");
}

#[test]
fn a_name_that_does_not_exist_is_said_so_at_once() {
    let session = Session::new();
    let begun = Instant::now();
    let output = session.output("consign stats --url http://consign.invalid:7420 --retry-for-s 60");
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_eq!(output.status.code(), Some(5));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("consign.invalid") && told.contains("--url"), "{told}");
}

#[test]
fn whoever_asks_somebody_else_is_told_so() {
    let mut session = Session::new();
    session.types(&format!("consign stats --url {}/elsewhere", session.url()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = format!("http://{}", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
            let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\nconnection: close\r\n\r\nnews";
            stream.write_all(page.as_bytes()).unwrap();
        }
    });
    session
        .types(&format!("consign stats --url {other}"))
        .types(&format!("consign show d1 --url {other} --json"));
    serving.join().unwrap();
    session.reads_as("not-consign");
}

#[test]
fn a_server_that_starts_a_little_later_is_found() {
    let session = Session::new();
    session.delegates("d1");
    let mut shell = session.shell("consign show d1 --retry-for-s 30");
    let Session { ledger, server, .. } = session;
    server.kill();
    let asking = shell.stdout(Stdio::piped()).spawn().unwrap();
    let _server = ledger.start(600);
    let output = asking.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("write the report"));
}

#[test]
fn nobody_needs_to_read_to_the_end() {
    let session = Session::new();
    session.delegates("d1").delegates("d2");
    let output = session.output("(consign ls --all; echo \"ended with $?\" >&2) | true");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("ended with 0") && !told.contains("panicked"), "{told}");
}
