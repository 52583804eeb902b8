//! Moments: RFC 3339, answered in UTC with milliseconds.

use consign_ledger::Time;
use consign_ledger::delegation::deadline::DeadlineRequest;
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, SchemaFormat, Type};

use super::{Seconds, Wire, Worded, excerpt};
use crate::problem::Problem;

/// A moment on the wire.
pub(crate) type Moment = Wire<Time>;

impl Worded for Time {
    const NAME: &'static str = "Moment";

    fn read(text: &str) -> Result<Self, String> {
        let moment = text.parse::<jiff::Timestamp>();
        moment.map(|moment| Self(moment.as_millisecond())).map_err(|_| {
            format!(
                "must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z, and this is {:?}",
                excerpt(text)
            )
        })
    }

    fn schema() -> Object {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("A moment, in RFC 3339. Answers are in UTC with milliseconds."))
            .build()
    }
}

/// The deadline that a request asks for: by the clock or from now, not both.
pub(crate) fn deadline(
    at: Option<Moment>,
    within: Option<Seconds>,
) -> Result<Option<DeadlineRequest>, Problem> {
    match (at, within) {
        (None, None) => Ok(None),
        (Some(at), None) => Ok(Some(DeadlineRequest::At(at.0))),
        (None, Some(within)) => Ok(Some(DeadlineRequest::In(within.0))),
        (Some(_), Some(_)) => Err(Problem::invalid_field(
            "deadline",
            "goes without `deadline_s`; send one of the two",
        )),
    }
}
