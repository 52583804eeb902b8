//! An ordinary answer: JSON, written straight to bytes.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::problem::Problem;

/// 200 with this body.
pub(crate) fn ok(body: &impl Serialize) -> Result<Response, Problem> {
    with(StatusCode::OK, body)
}

/// This status with this body.
pub(crate) fn with(status: StatusCode, body: &impl Serialize) -> Result<Response, Problem> {
    let bytes = serde_json::to_vec(body).map_err(|why| {
        tracing::error!(%why, "an answer could not be written");
        Problem::internal()
    })?;
    Ok((status, [(CONTENT_TYPE, "application/json")], bytes).into_response())
}
