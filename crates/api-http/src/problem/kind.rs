//! The table: every kind of problem, its status, its stable name, its title.

use axum::http::StatusCode;
use consign_ledger::Refusal;

macro_rules! kinds {
    ($($kind:ident = $status:ident $name:literal $title:literal;)+) => {
        /// Every kind of problem there is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Kind { $($kind),+ }

        impl Kind {
            #[cfg(test)]
            pub(super) const ALL: &'static [Self] = &[$(Self::$kind),+];

            pub(super) const fn status(self) -> StatusCode {
                match self { $(Self::$kind => StatusCode::$status),+ }
            }

            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),+ }
            }

            pub(super) const fn title(self) -> &'static str {
                match self { $(Self::$kind => $title),+ }
            }
        }
    };
}

kinds! {
    InvalidRequest = BAD_REQUEST "invalid-request" "The request is not valid";
    ForeignHost = FORBIDDEN "foreign-host" "The request was meant for another host";
    ForeignOrigin = FORBIDDEN "foreign-origin" "The request comes from another site";
    NotFound = NOT_FOUND "not-found" "There is no such delegation";
    NoSuchAgent = NOT_FOUND "no-such-agent" "There is no such agent";
    NoSuchRoute = NOT_FOUND "no-such-route" "There is nothing at this path";
    MethodNotAllowed = METHOD_NOT_ALLOWED "method-not-allowed" "This path has no such method";
    RequestTimeout = REQUEST_TIMEOUT "request-timeout" "The request did not arrive in time";
    AlreadyTerminal = CONFLICT "already-terminal" "The verdict is in";
    InvalidTransition = CONFLICT "invalid-transition" "There is no such step";
    LeaseVoid = CONFLICT "lease-void" "The lease is void";
    LeaseRequired = CONFLICT "lease-required" "The lease is missing";
    LeaseHeld = CONFLICT "lease-held" "Somebody holds the lease";
    IdConflict = CONFLICT "id-conflict" "The id belongs to another request";
    IdempotencyConflict = CONFLICT "idempotency-conflict" "The idempotency key belongs to another request";
    ChangedMeanwhile = CONFLICT "changed-meanwhile" "The delegation changed meanwhile";
    LateResultsFull = CONFLICT "late-results-full" "No more late results are kept";
    PayloadTooLarge = PAYLOAD_TOO_LARGE "payload-too-large" "The body is too large";
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "The body is not plain JSON";
    SelfDelegation = UNPROCESSABLE_ENTITY "self-delegation" "An agent cannot delegate to itself";
    Cycle = UNPROCESSABLE_ENTITY "cycle" "The callee would wait for itself";
    TooDeep = UNPROCESSABLE_ENTITY "too-deep" "The tree of delegations is too deep";
    NotYours = UNPROCESSABLE_ENTITY "not-yours" "This is somebody else's to do";
    AheadOfInbox = UNPROCESSABLE_ENTITY "ahead-of-inbox" "There is no such message yet";
    QueueFull = TOO_MANY_REQUESTS "queue-full" "The callee has enough to do";
    TooManyRequests = TOO_MANY_REQUESTS "too-many-requests" "Too many requests at once";
    Internal = INTERNAL_SERVER_ERROR "internal" "The ledger failed";
    Contended = SERVICE_UNAVAILABLE "contended" "Other writers kept winning";
    Unavailable = SERVICE_UNAVAILABLE "unavailable" "The ledger is unavailable";
}

impl From<&Refusal> for Kind {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NotFound(_) => Self::NotFound,
            Refusal::AlreadyTerminal(_) | Refusal::ParentTerminal { .. } => Self::AlreadyTerminal,
            Refusal::InvalidTransition { .. } => Self::InvalidTransition,
            Refusal::LeaseVoid => Self::LeaseVoid,
            Refusal::LeaseRequired | Refusal::AttemptOver => Self::LeaseRequired,
            Refusal::LeaseHeld => Self::LeaseHeld,
            Refusal::IdConflict(_) => Self::IdConflict,
            Refusal::IdempotencyConflict(_) => Self::IdempotencyConflict,
            Refusal::ChangedMeanwhile => Self::ChangedMeanwhile,
            Refusal::LateResultsFull => Self::LateResultsFull,
            Refusal::SelfDelegation => Self::SelfDelegation,
            Refusal::Cycle(_) => Self::Cycle,
            Refusal::TooDeep => Self::TooDeep,
            Refusal::NotYours(_) => Self::NotYours,
            Refusal::AheadOfInbox { .. } => Self::AheadOfInbox,
            Refusal::QueueFull { .. } => Self::QueueFull,
            Refusal::Invalid { .. } => Self::InvalidRequest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use consign_ledger::delegation::status::Status;
    use std::collections::HashSet;

    #[test]
    fn a_refusal_has_the_same_name_here_as_in_the_ledger() {
        for refusal in [
            Refusal::NotFound(String::new()),
            Refusal::AlreadyTerminal(Status::Failed),
            Refusal::ParentTerminal { parent: String::new(), status: Status::Failed },
            Refusal::InvalidTransition { from: Status::Stuck, to: Status::Dispatched },
            Refusal::LeaseVoid,
            Refusal::LeaseRequired,
            Refusal::AttemptOver,
            Refusal::LeaseHeld,
            Refusal::IdConflict(String::new()),
            Refusal::IdempotencyConflict(String::new()),
            Refusal::ChangedMeanwhile,
            Refusal::LateResultsFull,
            Refusal::SelfDelegation,
            Refusal::Cycle(String::new()),
            Refusal::TooDeep,
            Refusal::NotYours(String::new()),
            Refusal::AheadOfInbox { through: 2, newest: 1 },
            Refusal::QueueFull { callee: String::new(), max: 1 },
            Refusal::invalid("field", "message"),
        ] {
            assert_eq!(Kind::from(&refusal).name(), refusal.name());
        }
    }

    #[test]
    fn every_problem_has_a_name_of_its_own() {
        let names: HashSet<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
    }

    /// The rows of the table of errors in the documentation: status, name, what to do.
    fn documented() -> Vec<(String, String, String)> {
        let page = include_str!("../../../../docs/http.md");
        let (_, errors) = page.split_once("\n## Errors\n").expect("a chapter on errors");
        let (errors, _) = errors.split_once("\n## ").unwrap_or((errors, ""));
        let rows = errors.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
        let cells = rows.map(|row| row.split(" | ").map(str::to_owned).collect::<Vec<_>>());
        let rows = cells.map(|cells| match <[String; 3]>::try_from(cells) {
            Ok([status, name, what_to_do]) => (status, name.replace('`', ""), what_to_do),
            Err(cells) => panic!("not three cells: {cells:?}"),
        });
        rows.filter(|(status, ..)| status != "status").collect()
    }

    #[test]
    fn the_documentation_names_every_problem_with_its_status_and_what_to_do() {
        let written = documented();
        let (mut names, mut known): (Vec<_>, Vec<_>) = (
            written.iter().map(|(status, name, _)| (status.clone(), name.clone())).collect(),
            Kind::ALL
                .iter()
                .map(|it| (it.status().as_str().to_owned(), it.name().to_owned()))
                .collect(),
        );
        names.sort();
        known.sort();
        assert_eq!(names, known);
        for (_, name, what_to_do) in written {
            assert!(what_to_do.split(' ').count() > 2, "{name}: what to do?");
        }
    }
}
