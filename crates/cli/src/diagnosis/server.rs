//! The server: does it answer, and does its sweeper run.

use std::time::Duration;

use consign_client::{Client, Error, Settings, SweepReport};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::Diagnosis;
use crate::asking::Visit;
use crate::print::{duration, exact, now};

/// A pass may be this late, in seconds, beside the interval.
const LATE_S_MAX: u64 = 60;
/// A server that has just started may take so long to end its first pass.
const FIRST_PASS_MAX: Duration = Duration::from_secs(5);
const FIRST_PASS_LOOK: Duration = Duration::from_millis(100);

/// Asks the server how it is, and what it runs by. `interval_s` is the longest pause between two passes where it does
/// not say.
pub(crate) async fn server(visit: &Visit, interval_s: u32) -> (Vec<Diagnosis>, Option<Settings>) {
    let address = visit.client.address();
    if let Err(error) = visit.heard(visit.client.ready().await) {
        let advice = "without a server nobody listens and nobody sweeps";
        return (vec![Diagnosis::wrong("server", error.to_string(), advice)], None);
    }
    let mut found = vec![Diagnosis::well("server", format!("answers at {address}"))];
    let in_force = match visit.heard(visit.client.settings().await) {
        Ok(reply) => Some(reply.value),
        Err(error) => {
            let advice = "is it of another version than this consign?";
            found.push(Diagnosis::note(
                "server",
                format!("does not tell its settings: {error}"),
                advice,
            ));
            None
        }
    };
    let interval_s = in_force.as_ref().map_or(interval_s, |it| it.sweeper_interval_s);
    found.push(sweeper(&visit.client, interval_s).await);
    (found, in_force)
}

async fn sweeper(client: &Client, interval_s: u32) -> Diagnosis {
    match latest_pass(client).await {
        Ok(Some(latest)) => of_pass(&latest, interval_s, now()),
        Ok(None) => Diagnosis::wrong("sweeper", "has not ended a pass", "look at the server's log"),
        Err(error) => Diagnosis::wrong("sweeper", error.to_string(), ""),
    }
}

/// The latest pass. The first one begins as the server starts, so it is waited for.
async fn latest_pass(client: &Client) -> Result<Option<SweepReport>, Error> {
    let given_up_at = Instant::now() + FIRST_PASS_MAX;
    loop {
        let latest = client.sweeps(Some(1)).await?.value.sweeps.into_iter().next();
        if latest.is_some() || Instant::now() >= given_up_at {
            return Ok(latest);
        }
        sleep(FIRST_PASS_LOOK).await;
    }
}

fn of_pass(latest: &SweepReport, interval_s: u32, now: Timestamp) -> Diagnosis {
    let SweepReport { started_at, errors, .. } = latest;
    let age_s = now.duration_since(*started_at).as_secs().try_into().unwrap_or(0);
    let seen = format!("ran {} ago, at {}, {errors} errors", duration(age_s), exact(*started_at));
    if age_s > u64::from(interval_s) + LATE_S_MAX {
        let advice = "it runs at least every --sweeper-interval-s: start the server again";
        return Diagnosis::wrong("sweeper", seen, advice);
    }
    Diagnosis::given(*errors == 0, "sweeper", seen, "the server's log says what failed")
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::diagnosis::State;

    /// A server's answers, one after the other.
    async fn answers(listener: TcpListener, bodies: [&str; 2]) {
        for body in bodies {
            let (mut asker, _) = listener.accept().await.unwrap();
            let _request = asker.read(&mut [0; 4096]).await.unwrap();
            let length = body.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            asker.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn the_first_pass_of_a_server_that_has_just_started_is_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let report = r#"{"sweeps": [{"started_at": "2026-01-31T12:00:00Z", "duration_ms": 7, "deadline_failures": 0,
            "stuck_marked": 0, "errors": 0, "requeued": 0, "examined": 0, "rearmed": 0, "held": 0}]}"#;
        tokio::spawn(answers(listener, [r#"{"sweeps": []}"#, report]));
        assert_eq!(latest_pass(&client).await.unwrap().unwrap().duration_ms, 7);
    }

    #[test]
    fn a_sweeper_that_is_late_or_fails_is_wrong() {
        let report = |errors| SweepReport {
            deadline_failures: 0,
            stuck_marked: 0,
            errors,
            requeued: 0,
            examined: 0,
            rearmed: 0,
            held: 0,
            started_at: Timestamp::UNIX_EPOCH,
            duration_ms: 1,
        };
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(of_pass(&report(0), 300, at(360)).state, State::Well);
        assert_eq!(of_pass(&report(0), 300, at(361)).state, State::Wrong);
        assert_eq!(of_pass(&report(1), 300, at(1)).state, State::Wrong);
    }
}
