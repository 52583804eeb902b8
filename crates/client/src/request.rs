//! A request before it is sent: its path, its body, and how long its answer may take.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde::Serialize;

use crate::address::encoded;
use crate::error::Error;

/// How long an answer may take: longer than a server takes to give up.
const ANSWER_WITHIN: Duration = Duration::from_secs(90);

/// What is sent, as often as it takes.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Encoded, with its query.
    pub(crate) path: String,
    pub(crate) body: Option<Bytes>,
    pub(crate) answer_within: Duration,
    pub(crate) if_lost: IfLost,
}

/// What follows where the answer was lost on its way, and so perhaps the act was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IfLost {
    /// It is sent again: that does no harm.
    Repeat,
    /// The caller is told: doing it twice is not the same as once.
    Tell,
}

impl Request {
    /// A question; the path's segments and the query's values may be any text.
    pub(crate) fn get(segments: &[&str], query: &[(&str, Option<String>)]) -> Self {
        let given = query.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        let query: Vec<_> =
            given.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let path = format!("{}{mark}{}", path(segments), query.join("&"));
        Self {
            method: Method::GET,
            path,
            body: None,
            answer_within: ANSWER_WITHIN,
            if_lost: IfLost::Repeat,
        }
    }

    /// An act that can be repeated.
    pub(crate) fn post(segments: &[&str], body: &impl Serialize) -> Result<Self, Error> {
        Self::with_body(Method::POST, segments, body)
    }

    /// What is written whole can be written again.
    pub(crate) fn put(segments: &[&str], body: &impl Serialize) -> Result<Self, Error> {
        Self::with_body(Method::PUT, segments, body)
    }

    /// What is gone can be removed again.
    pub(crate) fn delete(segments: &[&str]) -> Self {
        Self { method: Method::DELETE, ..Self::get(segments, &[]) }
    }

    fn with_body(method: Method, segments: &[&str], body: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::to_vec(body).map_err(|why| Error::Unsendable(why.to_string()))?;
        Ok(Self {
            method,
            path: path(segments),
            body: Some(body.into()),
            answer_within: ANSWER_WITHIN,
            if_lost: IfLost::Repeat,
        })
    }

    pub(crate) fn if_lost(self, if_lost: IfLost) -> Self {
        Self { if_lost, ..self }
    }
}

fn path(segments: &[&str]) -> String {
    segments.iter().flat_map(|segment| ["/".to_owned(), encoded(segment)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_values_may_be_any_text() {
        let query = [("caller", Some("a&b".to_owned())), ("callee", None)];
        let request = Request::get(&["v1", "delegations", "a/b"], &query);
        assert_eq!(request.path, "/v1/delegations/a%2Fb?caller=a%26b");
        assert_eq!(Request::get(&["healthz"], &[]).path, "/healthz");
    }
}
