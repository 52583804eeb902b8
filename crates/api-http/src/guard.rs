//! What every request passes: is it meant for us, is there room for it, does it end.
//!
//! One function around the router, because each layer more would cost every heartbeat.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::hosts::Hosts;
use crate::limits::{REQUEST_S_MAX, TURN_S_MAX, WORKING_MAX};
use crate::problem::Problem;

/// The state of the guard.
pub(crate) struct Guard {
    hosts: Hosts,
    working: Turns,
}

/// Places among the requests that are worked on.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Semaphore>);

/// A place among the requests that are worked on; free again when it is dropped.
pub(crate) type Turn = OwnedSemaphorePermit;

impl Guard {
    pub(crate) fn new(hosts: Hosts) -> Arc<Self> {
        Arc::new(Self { hosts, working: Turns(Arc::new(Semaphore::new(WORKING_MAX))) })
    }

    /// Lets a request in, and sees it out.
    pub(crate) async fn stand(
        State(guard): State<Arc<Self>>,
        mut request: Request,
        next: Next,
    ) -> Result<Response, Problem> {
        guard.hosts.check(request.uri(), request.headers())?;
        let _turn = match needs(&request) {
            Need::Nothing => None,
            Need::Turn => Some(guard.working.turn().await?),
            Need::TurnWithBody => {
                request.extensions_mut().insert(guard.working.clone());
                None
            }
        };
        match timeout(Duration::from_secs(REQUEST_S_MAX), caught(next.run(request))).await {
            Ok(answer) => answer,
            Err(_) => Err(Problem::unavailable(format!(
                "no answer within {REQUEST_S_MAX} s; what was asked may have been done, so send the same again"
            ))),
        }
    }
}

impl Turns {
    /// A place, as soon as there is one.
    pub(crate) async fn turn(&self) -> Result<Turn, Problem> {
        let wait = Duration::from_secs(TURN_S_MAX);
        match timeout(wait, Arc::clone(&self.0).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(Problem::too_many(format!(
                "{WORKING_MAX} requests are worked on already; nothing was done, so send the same again"
            ))),
        }
    }
}

/// What a request must have before it is worked on.
#[derive(Debug, PartialEq, Eq)]
enum Need {
    /// Waits have a bound of their own, and a heartbeat may be turned away only by the ledger, which remembers that
    /// it was deaf. Whether the process is alive must be told however much it has to do.
    Nothing,
    Turn,
    /// A turn once its body has arrived: a turn is for work, and waiting for a slow sender is none.
    TurnWithBody,
}

fn needs(request: &Request) -> Need {
    let path = request.uri().path();
    match *request.method() {
        Method::GET | Method::HEAD if waits(request.uri().query()) || path == "/healthz" => {
            Need::Nothing
        }
        Method::GET | Method::HEAD => Need::Turn,
        _ if path == "/v1/heartbeats" || path.ends_with("/heartbeat") => Need::Nothing,
        // How long it waits stands in its body.
        _ if path.starts_with("/v1/agents/") && path.ends_with("/claim") => Need::Nothing,
        _ => Need::TurnWithBody,
    }
}

fn waits(query: Option<&str>) -> bool {
    query.unwrap_or_default().split('&').any(|it| it.starts_with("wait_s="))
}

/// The answer, or a problem where the handler panics.
async fn caught(answer: impl Future<Output = Response>) -> Result<Response, Problem> {
    let mut answer = pin!(answer);
    poll_fn(|context| {
        // Nothing of the handler is looked at again, so nothing half-changed is seen.
        let poll = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)));
        poll.map_or_else(
            |_| {
                tracing::error!("a handler panicked; its request is answered with 500");
                Poll::Ready(Err(Problem::internal()))
            },
            |poll| poll.map(Ok),
        )
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::pending;

    use axum::Router;
    use axum::body::{Body, Bytes};
    use axum::http::{HeaderMap, HeaderValue};
    use axum::middleware::from_fn_with_state;
    use axum::response::IntoResponse as _;
    use axum::routing::{get, post};
    use http_body_util::{BodyExt as _, Full};
    use tokio::sync::watch;
    use tokio::task::{JoinSet, yield_now};
    use tokio::time::sleep;
    use tower::ServiceExt as _;

    use super::*;

    /// A guard, and a door with a handler that never answers.
    fn door() -> (Arc<Guard>, Router) {
        let guard = Guard::new(Hosts::of(([127, 0, 0, 1], 7420).into()));
        let router = Router::new()
            .route("/never", get(pending::<()>))
            .route("/panics", get(panics))
            .route("/v1/delegations", post(async |_: crate::body::Body| pending::<()>().await))
            .route("/v1/heartbeats", post(async || "heard"))
            .route("/v1/delegations/{id}", get(async || "news"))
            .layer(from_fn_with_state(Arc::clone(&guard), Guard::stand));
        (guard, router)
    }

    async fn panics() -> &'static str {
        panic!("on purpose")
    }

    /// A request whose body ends with `end`, if ever.
    fn sent(end: impl Future<Output = ()> + Send + 'static) -> Request {
        let end = async {
            end.await;
            None::<Result<HeaderMap, Infallible>>
        };
        let body = Body::new(Full::new(Bytes::from_static(b"{}")).with_trailers(end));
        let (mut head, _) = request(Method::POST, "/v1/delegations").into_parts();
        head.headers.insert("content-type", HeaderValue::from_static("application/json"));
        Request::from_parts(head, body)
    }

    fn request(method: Method, uri: &str) -> Request {
        let request = Request::builder().method(method).uri(uri).header("host", "localhost:7420");
        request.body(Body::empty()).unwrap()
    }

    async fn answer(door: &Router, method: Method, uri: &str) -> Response {
        door.clone().oneshot(request(method, uri)).await.unwrap()
    }

    #[tokio::test]
    async fn a_panic_becomes_a_problem() {
        assert_eq!(answer(&door().1, Method::GET, "/panics").await.status(), 500);
        let problem = caught(async { panic!("on purpose") }).await.unwrap_err();
        assert_eq!(problem.into_response().status(), 500);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_without_an_answer_ends_in_time() {
        let late = answer(&door().1, Method::GET, "/never").await;
        assert_eq!(late.status(), 503);
        assert_eq!(late.headers()["retry-after"], "1");
    }

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_turn_is_told_to_come_back_but_beats_and_waits_pass() {
        let (guard, door) = door();
        let mut working = JoinSet::new();
        for _ in 0..WORKING_MAX {
            working.spawn(door.clone().oneshot(request(Method::GET, "/never")));
        }
        while guard.working.0.available_permits() > 0 {
            yield_now().await;
        }
        let refused = answer(&door, Method::GET, "/panics").await;
        assert_eq!(refused.status(), 429);
        assert_eq!(refused.headers()["retry-after"], "1");
        assert_eq!(answer(&door, Method::POST, "/v1/heartbeats").await.status(), 200);
        assert_eq!(answer(&door, Method::GET, "/v1/delegations/x?wait_s=5").await.status(), 200);
        working.abort_all();
        while working.join_next().await.is_some() {}
        assert_eq!(
            answer(&door, Method::GET, "/panics").await.status(),
            500,
            "there is a turn again"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_takes_a_turn_when_it_has_arrived_and_not_before() {
        let (guard, door) = door();
        let free = || guard.working.0.available_permits();
        let mut sending = JoinSet::new();
        let (arrive, arrived) = watch::channel(false);
        for _ in 0..=WORKING_MAX {
            let mut arrived = arrived.clone();
            let end = async move { drop(arrived.wait_for(|arrived| *arrived).await) };
            sending.spawn(door.clone().oneshot(sent(end)));
        }
        sleep(Duration::from_secs(1)).await;
        assert_eq!(free(), WORKING_MAX, "nobody works");
        arrive.send_replace(true);
        let refused = sending.join_next().await.unwrap().unwrap().unwrap();
        assert_eq!((refused.status().as_u16(), free()), (429, 0), "there is one too many");
        sending.abort_all();
        while sending.join_next().await.is_some() {}
        assert_eq!(free(), WORKING_MAX);
    }

    #[test]
    fn a_turn_is_needed_for_work_and_not_for_waiting() {
        for (method, uri, need) in [
            (Method::GET, "/v1/delegations/x?until=stuck&wait_s=5", Need::Nothing),
            (Method::GET, "/v1/delegations/x?unwait_s=5", Need::Turn),
            (Method::HEAD, "/v1/stats", Need::Turn),
            (Method::GET, "/healthz", Need::Nothing),
            (Method::GET, "/readyz", Need::Turn),
            (Method::POST, "/v1/heartbeats", Need::Nothing),
            (Method::POST, "/v1/delegations/x/heartbeat", Need::Nothing),
            (Method::POST, "/v1/agents/x/claim", Need::Nothing),
            (Method::POST, "/v1/delegations/x/claim", Need::TurnWithBody),
            (Method::POST, "/v1/delegations/x?wait_s=5", Need::TurnWithBody),
            (Method::PUT, "/v1/delegations/x/status", Need::TurnWithBody),
        ] {
            assert_eq!(needs(&request(method.clone(), uri)), need, "{method} {uri}");
        }
    }
}
