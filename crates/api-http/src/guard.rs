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
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::hosts::Hosts;
use crate::limits::{REQUEST_S_MAX, TURN_S_MAX, WORKING_MAX};
use crate::problem::Problem;

/// The state of the guard.
pub(crate) struct Guard {
    hosts: Hosts,
    working: Semaphore,
}

impl Guard {
    pub(crate) fn new(hosts: Hosts) -> Arc<Self> {
        Arc::new(Self { hosts, working: Semaphore::new(WORKING_MAX) })
    }

    /// Lets a request in, and sees it out.
    pub(crate) async fn stand(
        State(guard): State<Arc<Self>>,
        request: Request,
        next: Next,
    ) -> Result<Response, Problem> {
        guard.hosts.check(request.uri(), request.headers())?;
        let needs_turn = !waits(&request) && !beats(&request);
        let _turn = if needs_turn { Some(guard.turn().await?) } else { None };
        match timeout(Duration::from_secs(REQUEST_S_MAX), caught(next.run(request))).await {
            Ok(answer) => answer,
            Err(_) => Err(Problem::unavailable(format!(
                "no answer within {REQUEST_S_MAX} s; what was asked may have been done, so send the same again"
            ))),
        }
    }

    /// A place among the requests that are worked on.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, Problem> {
        if let Ok(turn) = self.working.try_acquire() {
            return Ok(turn);
        }
        match timeout(Duration::from_secs(TURN_S_MAX), self.working.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(Problem::too_many(format!(
                "{WORKING_MAX} requests are worked on already; nothing was done, so send the same again"
            ))),
        }
    }
}

fn waits(request: &Request) -> bool {
    let query = request.uri().query().unwrap_or_default();
    matches!(*request.method(), Method::GET | Method::HEAD)
        && query.split('&').any(|it| it.starts_with("wait_s="))
}

fn beats(request: &Request) -> bool {
    let path = request.uri().path();
    path == "/v1/heartbeats" || path.ends_with("/heartbeat")
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
    use std::future::pending;

    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::response::IntoResponse as _;
    use axum::routing::{get, post};
    use tokio::task::{JoinSet, yield_now};
    use tower::ServiceExt as _;

    use super::*;

    /// A guard, and a door with a handler that never answers.
    fn door() -> (Arc<Guard>, Router) {
        let guard = Guard::new(Hosts::of(([127, 0, 0, 1], 7420).into()));
        let router = Router::new()
            .route("/never", get(pending::<()>))
            .route("/panics", get(panics))
            .route("/v1/heartbeats", post(async || "heard"))
            .route("/v1/delegations/{id}", get(async || "news"))
            .layer(from_fn_with_state(Arc::clone(&guard), Guard::stand));
        (guard, router)
    }

    async fn panics() -> &'static str {
        panic!("on purpose")
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
        while guard.working.available_permits() > 0 {
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

    #[test]
    fn waits_and_beats_need_no_turn() {
        assert!(waits(&request(Method::GET, "/v1/delegations/x?until=stuck&wait_s=5")));
        assert!(!waits(&request(Method::POST, "/v1/delegations/x?wait_s=5")));
        assert!(!waits(&request(Method::GET, "/v1/delegations/x?unwait_s=5")));
        assert!(beats(&request(Method::POST, "/v1/heartbeats")));
        assert!(beats(&request(Method::POST, "/v1/delegations/x/heartbeat")));
        assert!(!beats(&request(Method::POST, "/v1/delegations")));
    }
}
