//! What is sent again and what is not, against a server that does as its script says.

#![expect(
    clippy::unwrap_used,
    reason = "everything here is a test, also what is not marked as one"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use consign_client::{Accept, Cancel, Client, Error, NewDelegation, Retry, Unreachable};

const STATS: &str = r#"{"queued":1,"dispatched":0,"in_progress":0,"stuck":0,"completed":0,"failed":0,"cancelled":0}"#;
const BUSY: &str =
    r#"{"type":"urn:consign:problem:unavailable","title":"t","status":503,"detail":"busy"}"#;

/// What the server does with one request.
enum Step {
    /// The status, headers, and body of its answer.
    Answer(u16, &'static str, &'static str),
    /// Reads it and hangs up.
    HangUp,
}

/// A server for as many requests as its script has steps; joined, it tells what it was asked.
struct Scripted {
    url: String,
    asked: JoinHandle<Vec<String>>,
}

impl Scripted {
    fn server(steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serve = move || steps.into_iter().map(|step| step.play(&listener)).collect();
        Self { url, asked: std::thread::spawn(serve) }
    }

    fn client(&self) -> Client {
        Client::new(&self.url).unwrap()
    }

    fn asked(self) -> Vec<String> {
        self.asked.join().unwrap()
    }
}

impl Step {
    /// Serves one connection; the request that came.
    fn play(self, listener: &TcpListener) -> String {
        let (mut stream, _) = listener.accept().unwrap();
        let asked = read(&stream);
        if let Self::Answer(status, headers, body) = self {
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status} x\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
        asked
    }
}

fn read(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let from = head.len();
        reader.read_line(&mut head).unwrap();
        let line = head[from..].to_ascii_lowercase();
        if let Some(bytes) = line.strip_prefix("content-length: ") {
            length = bytes.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

const JSON: &str = "content-type: application/json\r\n";

fn well() -> Step {
    Step::Answer(200, JSON, STATS)
}

#[tokio::test]
async fn who_is_told_to_come_back_comes_back() {
    let busy = |status| Step::Answer(status, "retry-after: 0\r\n", BUSY);
    let server = Scripted::server(vec![busy(503), busy(429), well()]);
    let reply = server.client().stats().await.unwrap();
    assert_eq!((reply.value.queued, reply.text.as_str()), (1, STATS));
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn who_is_told_to_come_back_too_late_gives_up_with_the_answer() {
    let server = Scripted::server(vec![Step::Answer(503, "retry-after: 600\r\n", BUSY)]);
    let error = server.client().stats().await.unwrap_err();
    assert!(error.is_passing());
    assert!(matches!(error, Error::Refused(problem) if problem.name() == "unavailable"));
}

#[tokio::test]
async fn an_answer_that_was_lost_is_asked_for_again_under_the_same_id() {
    let server = Scripted::server(vec![Step::HangUp, Step::Answer(404, "", "")]);
    let asked = NewDelegation::new("alice", "bob", "write");
    let error = server.client().delegate(asked).await.unwrap_err();
    assert!(matches!(error, Error::Foreign { status: 404, .. }), "{error:?}");
    let asked = server.asked();
    let id = |request: &str| {
        let (_, from) = request.split_once("\"delegation_id\":\"").unwrap();
        from.split('"').next().unwrap().to_owned()
    };
    assert_eq!(id(&asked[0]), id(&asked[1]));
    assert_eq!(id(&asked[0]).len(), 36);
}

#[tokio::test]
async fn a_claim_is_named_so_that_it_can_be_repeated() {
    let server = Scripted::server(vec![Step::Answer(404, "", "")]);
    drop(server.client().accept("d1", Accept::default()).await);
    assert!(server.asked()[0].contains("\"claim_id\":\""));
}

#[tokio::test]
async fn work_is_not_handed_out_twice_because_an_answer_was_lost() {
    let server = Scripted::server(vec![Step::HangUp]);
    let error = server.client().retry("d1", &Retry::default()).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { why: Unreachable::Broken(_), .. }), "{error:?}");
    let server = Scripted::server(vec![Step::HangUp, Step::Answer(404, "", "")]);
    let guarded = Retry { if_attempt: Some(1), ..Retry::default() };
    drop(server.client().retry("d1", &guarded).await);
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_server_that_starts_meanwhile_is_found() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = Client::new(&format!("http://{address}")).unwrap();
    let start = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let listener = TcpListener::bind(address).unwrap();
        std::thread::spawn(move || well().play(&listener))
    };
    let (answer, server) = tokio::join!(client.stats(), start);
    assert_eq!(answer.unwrap().value.queued, 1);
    server.join().unwrap();
}

#[tokio::test]
async fn trying_has_an_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::new(&url).unwrap().retrying_for(Duration::from_millis(300));
    let begun = tokio::time::Instant::now();
    let error = client.stats().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { why: Unreachable::NoConnection(_), .. }));
    assert!(begun.elapsed() < Duration::from_secs(2));
    let at_once = client.retrying_for(Duration::ZERO);
    let begun = tokio::time::Instant::now();
    at_once.stats().await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_millis(90), "it waited, and should not have");
}

#[tokio::test]
async fn a_name_that_is_not_known_is_not_asked_for_again() {
    let client = Client::new("http://consign.invalid:7420").unwrap();
    let begun = tokio::time::Instant::now();
    let error = client.stats().await.unwrap_err();
    assert!(
        matches!(error, Error::Unreachable { tried_for, .. } if tried_for < Duration::from_secs(3)),
        "{error:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(6));
}

#[tokio::test]
async fn somebody_else_is_not_taken_for_a_server() {
    let page = "content-type: text/html\r\n";
    for (status, body) in [(200, "<html>"), (404, "<html>"), (502, r#"{"type":"about:blank"}"#)] {
        let server = Scripted::server(vec![Step::Answer(status, page, body)]);
        let error = server.client().cancel("d1", &Cancel::default()).await.unwrap_err();
        assert!(matches!(error, Error::Foreign { .. }), "{error:?}");
    }
    let server = Scripted::server(vec![Step::Answer(200, JSON, "{}")]);
    let error = server.client().stats().await.unwrap_err();
    assert!(matches!(error, Error::NotUnderstood(_)), "{error:?}");
}

const PULSE: &str = r#"{"current_status":"in_progress","attempt":1,"deadline":"2026-01-31T12:00:00.000Z","stop":false,"why":null}"#;
const OVER: &str = r#"{"type":"urn:consign:problem:already-terminal","title":"t","status":409,"detail":"cancelled","stop":true}"#;
const OFTEN: Duration = Duration::from_millis(1);

#[tokio::test]
async fn work_is_dropped_when_a_heartbeat_is_told_to_stop_and_not_when_none_is_heard() {
    let heard = || Step::Answer(200, JSON, PULSE);
    let server =
        Scripted::server(vec![heard(), Step::HangUp, heard(), Step::Answer(409, "", OVER)]);
    let client = server.client().retrying_for(Duration::ZERO);
    let told = client.beating("d1", "L", OFTEN, std::future::pending::<()>()).await.unwrap_err();
    assert!(matches!(told, Error::Refused(problem) if problem.stop));
    let asked = server.asked();
    assert_eq!(asked.len(), 4);
    assert!(asked[0].starts_with("POST /v1/delegations/d1/heartbeat "), "{}", asked[0]);
    assert!(asked[0].ends_with(r#"{"lease":"L"}"#), "{}", asked[0]);
}

#[tokio::test]
async fn what_the_work_comes_to_is_given_back() {
    let client = Client::new("http://127.0.0.1:1").unwrap();
    let done = client.beating("d1", "L", OFTEN, std::future::ready(42)).await;
    assert_eq!(done.unwrap(), 42);
}
