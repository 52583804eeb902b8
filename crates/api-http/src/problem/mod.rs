//! The only place that turns a refusal or a failure into a status and a problem document (RFC 9457).
//!
//! A document says what is wrong, what is true of the delegation, and what to do next. It never shows the
//! inside of a failure.

mod document;
mod kind;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use consign_delivery::{TooMany, WaitError};
use consign_ledger::delegation::Delegation;
use consign_ledger::{AgentId, DelegationId, Error, Failure, Refusal, Refused};

use crate::limits::RETRY_AFTER_S;
use kind::Kind;

pub(crate) use document::{Document, Told};

/// Why a request has no ordinary answer.
#[derive(Debug)]
pub(crate) struct Problem(Box<Matter>);

#[derive(Debug)]
struct Matter {
    kind: Kind,
    detail: String,
    field: Option<String>,
    told: Option<Told>,
    kept_as_late: bool,
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let Refused { refusal, state, kept_as_late } = refused;
        let problem = Self::new(Kind::from(&refusal), refusal.to_string());
        let told = match (&refusal, state) {
            (_, Some(state)) => Some(Told::of(state, &refusal)),
            (Refusal::NotFound(id), None) => Some(Told::unknown(id, &refusal)),
            (_, None) => None,
        };
        let field = match refusal {
            Refusal::Invalid { field, .. } => Some(field.to_owned()),
            Refusal::AheadOfInbox { .. } => Some("through".to_owned()),
            _ => None,
        };
        Self(Box::new(Matter { field, told, kept_as_late, ..*problem.0 }))
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Refused(refused) => (*refused).into(),
            Error::Contended => Self::new(Kind::Contended, detail),
            Error::Unavailable => Self::new(Kind::Unavailable, detail),
            Error::Internal => Self::internal(),
        }
    }
}

/// Failures of reading end here, so they are logged here.
impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        tracing::error!(%failure, "the ledger could not be read");
        match failure {
            Failure::Unavailable(_) | Failure::Unknown(_) => Self::new(
                Kind::Unavailable,
                "the ledger cannot be read now; send the same request again",
            ),
            Failure::Contended => Error::Contended.into(),
            Failure::Rejected(_) | Failure::Corrupt(_) => Self::internal(),
        }
    }
}

impl From<TooMany> for Problem {
    fn from(_: TooMany) -> Self {
        Self::too_many("too many requests wait already; come back later, or ask without `wait_s`")
    }
}

impl From<WaitError> for Problem {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::TooMany(too_many) => too_many.into(),
            WaitError::Failure(failure) => failure.into(),
        }
    }
}

impl Problem {
    fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let (detail, field, told) = (detail.into(), None, None);
        Self(Box::new(Matter { kind, detail, field, told, kept_as_late: false }))
    }

    /// The request as a whole is wrong.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Kind::InvalidRequest, detail)
    }

    /// This field or parameter is wrong; `why` ends a sentence that begins with its name.
    pub(crate) fn invalid_field(field: &str, why: &str) -> Self {
        let mut problem = Self::invalid(format!("{field}: {why}"));
        problem.0.field = Some(field.to_owned());
        problem
    }

    pub(crate) fn not_found(id: &DelegationId) -> Self {
        Refused::from(Refusal::NotFound(id.to_string())).into()
    }

    pub(crate) fn no_such_agent(id: &AgentId) -> Self {
        let detail = format!(
            "nobody with the id {:?} is registered, asked for work or was asked; check the id, or register it",
            id.as_str()
        );
        Self::new(Kind::NoSuchAgent, detail)
    }

    pub(crate) fn no_such_route(detail: impl Into<String>) -> Self {
        Self::new(Kind::NoSuchRoute, detail)
    }

    pub(crate) fn method_not_allowed(detail: impl Into<String>) -> Self {
        Self::new(Kind::MethodNotAllowed, detail)
    }

    pub(crate) fn foreign_host(detail: impl Into<String>) -> Self {
        Self::new(Kind::ForeignHost, detail)
    }

    pub(crate) fn foreign_origin(detail: impl Into<String>) -> Self {
        Self::new(Kind::ForeignOrigin, detail)
    }

    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(Kind::PayloadTooLarge, detail)
    }

    pub(crate) fn not_json(detail: impl Into<String>) -> Self {
        Self::new(Kind::UnsupportedMediaType, detail)
    }

    pub(crate) fn too_slow(detail: impl Into<String>) -> Self {
        Self::new(Kind::RequestTimeout, detail)
    }

    pub(crate) fn too_many(detail: impl Into<String>) -> Self {
        Self::new(Kind::TooManyRequests, detail)
    }

    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, detail)
    }

    /// Says nothing of the inside.
    pub(crate) fn internal() -> Self {
        Self::new(Kind::Internal, "the ledger failed inside; nothing else is affected")
    }

    /// With what is true of this delegation, where it is known or nothing is told yet.
    pub(crate) fn about(mut self, id: &DelegationId, row: Option<&Delegation>) -> Self {
        if row.is_some() || self.0.told.is_none() {
            self.0.told = Some(Told::beside(&self.0.detail, id, row));
        }
        self
    }

    /// Whether the request is to blame, and not the ledger.
    pub(crate) fn blames_the_request(&self) -> bool {
        self.0.kind.status().is_client_error()
    }

    /// What is wrong, and what to do next.
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// What it tells of its delegation.
    pub(crate) fn told(&self) -> Option<&Told> {
        self.0.told.as_ref()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.0.kind.status();
        let body = serde_json::to_vec(&self.document()).unwrap_or_default();
        let mut response =
            (status, [(CONTENT_TYPE, "application/problem+json")], body).into_response();
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_S.into());
        }
        response
    }
}
