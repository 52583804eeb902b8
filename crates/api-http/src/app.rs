//! What the door opens on, and the router that opens it.

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use consign_delivery::Follower;
use consign_ledger::command::{Command, Outcome};
use consign_ledger::delegation::Delegation as Row;
use consign_ledger::{Bodies, DelegationId, Ledger, Reader as _, Store};
use consign_sweeper::{Pruner, Sweeper};

use crate::guard::Guard;
use crate::hosts::Hosts;
use crate::openapi::Methods;
use crate::operation;
use crate::problem::Problem;
use crate::shape::Delegation;
use crate::wire::excerpt;

/// What the door opens on.
pub struct App<S> {
    /// Who decides and remembers.
    pub ledger: Ledger<S>,
    /// Who can be asked for a pass.
    pub sweeper: Arc<Sweeper<S>>,
    /// Who wakes those that wait; it must be running.
    pub follower: Arc<Follower<S>>,
    /// Who lets go what is over and was kept long enough.
    pub pruner: Arc<Pruner<S>>,
    /// Where the ledger is, as anybody may know it.
    pub ledger_shown: String,
    /// By which names this server is called.
    pub hosts: Hosts,
}

/// All routes, ready to be served.
pub fn router<S: Store>(app: App<S>) -> Router {
    let guard = Guard::new(app.hosts.clone());
    let (routes, document) = operation::all().split_for_parts();
    let methods = Arc::new(Methods::of_all(&document));
    routes
        .fallback(no_such_route)
        .method_not_allowed_fallback(move |method, uri| {
            std::future::ready(method_not_allowed(&methods, &method, &uri))
        })
        .with_state(Arc::new(app))
        .layer(from_fn_with_state(guard, Guard::stand))
}

async fn no_such_route(method: Method, uri: Uri) -> Problem {
    let path = uri.path();
    let has_empty_part = path.len() > 1 && (path.ends_with('/') || path.contains("//"));
    let empty_part = "an empty part of it is no id";
    let all = "/openapi.json lists all paths, and a `/` within an id is written %2F";
    let hint = if has_empty_part { empty_part } else { all };
    Problem::no_such_route(format!("there is nothing at {method} {}; {hint}", excerpt(path)))
}

/// The `Allow` header says it, too; but who reads a body may not see it.
fn method_not_allowed(methods: &Methods, method: &Method, uri: &Uri) -> Problem {
    let allowed = methods.of(uri.path()).unwrap_or("what the `Allow` header says");
    let path = excerpt(uri.path());
    Problem::method_not_allowed(format!(
        "{path} cannot be asked with {method}, only with {allowed}"
    ))
}

impl<S: Store> App<S> {
    /// Does one thing, and reads what belongs to the whole of the delegation.
    pub(crate) async fn act(&self, command: Command) -> Result<Done, Problem> {
        let outcome = self.ledger.act(command).await?;
        let bodies = self.bodies(&outcome.delegation.delegation_id).await?;
        Ok(Done { outcome, bodies, threshold_s: self.threshold_s() })
    }

    /// What lives beside the row of a delegation that is known to exist.
    pub(crate) async fn bodies(&self, id: &DelegationId) -> Result<Bodies, Problem> {
        let found = self.ledger.reader().find(id).await?;
        found.map(|(_, bodies)| bodies).ok_or_else(Problem::internal)
    }

    /// The delegation with this id and its bodies, or the problem that there is none.
    pub(crate) async fn find(&self, id: &DelegationId) -> Result<(Row, Bodies), Problem> {
        self.ledger.reader().find(id).await?.ok_or_else(|| Problem::not_found(id))
    }

    /// The refusal of a heartbeat, which always tells where things stand.
    ///
    /// Most of what the rules refuse tells it already. What was refused before they saw it, or for another
    /// delegation that it names, is looked up here, one read each; a ledger that is itself in trouble is not
    /// asked again.
    pub(crate) async fn refuse_beat(&self, id: &DelegationId, problem: Problem) -> Problem {
        let is_told = problem.told().is_some_and(|told| told.current_status.is_some());
        if is_told || !problem.blames_the_request() {
            return problem.about(id, None);
        }
        let found = self.ledger.reader().find(id).await.unwrap_or_else(|failure| {
            tracing::error!(%failure, "a refused heartbeat could not be told where things stand");
            None
        });
        problem.about(id, found.as_ref().map(|(row, _)| row))
    }

    /// How long a silence may last where a delegation does not say.
    pub(crate) fn threshold_s(&self) -> u32 {
        self.ledger.settings().stuck_threshold_s
    }
}

/// What came of an act, with what an answer needs.
pub(crate) struct Done {
    pub(crate) outcome: Outcome,
    bodies: Bodies,
    threshold_s: u32,
}

impl Done {
    /// The delegation after the act.
    pub(crate) fn delegation(&self) -> Delegation<'_> {
        Delegation::whole(&self.outcome.delegation, &self.bodies, self.threshold_s)
    }

    /// The answer of most verbs.
    pub(crate) fn changed(&self) -> Result<Response, Problem> {
        crate::reply::ok(&operation::Changed {
            delegation: self.delegation(),
            changed: self.outcome.changed,
        })
    }

    /// The answer of the verbs that bring an answer themselves.
    pub(crate) fn answered(&self) -> Result<Response, Problem> {
        crate::reply::ok(&operation::Answered {
            delegation: self.delegation(),
            changed: self.outcome.changed,
            kept_as_late: self.outcome.kept_as_late,
        })
    }
}
