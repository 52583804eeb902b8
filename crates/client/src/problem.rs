//! A problem document (RFC 9457), as a Consign server sends it.

use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;

use crate::shape::Status;

/// What all names of problems begin with.
const TYPE_PREFIX: &str = "urn:consign:problem:";

/// Why a request was refused, and what is true of its delegation.
#[derive(Clone, Debug, Deserialize)]
pub struct Problem {
    r#type: String,
    /// The kind of problem, for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, and what to do next.
    pub detail: String,
    /// Which field or parameter is wrong.
    pub field: Option<String>,
    /// Which delegation, where there is one.
    pub delegation_id: Option<String>,
    /// Where it stands.
    pub current_status: Option<Status>,
    /// Its present attempt.
    pub attempt: Option<u32>,
    /// Its hard end.
    pub deadline: Option<Timestamp>,
    /// Whether the callee is told to end its work.
    #[serde(default)]
    pub stop: bool,
    /// The refused answer was stored beside the delegation.
    #[serde(default)]
    pub kept_as_late: bool,
    /// The document as it came.
    #[serde(skip)]
    pub text: String,
}

impl Problem {
    /// Reads a document, if it is one of Consign's.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let problem: Self = serde_json::from_str(text).ok()?;
        let ours = problem.r#type.starts_with(TYPE_PREFIX);
        ours.then(|| Self { text: text.to_owned(), ..problem })
    }

    /// Its stable name, such as `lease-void`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.r#type.strip_prefix(TYPE_PREFIX).unwrap_or(&self.r#type)
    }
}

impl std::error::Error for Problem {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_of_somebody_else_is_no_problem_of_ours() {
        let ours = r#"{"type":"urn:consign:problem:lease-void","title":"t","status":409,"detail":"d","stop":true}"#;
        let problem = Problem::read(ours).unwrap();
        assert_eq!((problem.name(), problem.stop, &problem.field), ("lease-void", true, &None));
        assert_eq!(problem.text, ours);
        assert!(Problem::read(&ours.replace("urn:consign", "urn:other")).is_none());
        assert!(Problem::read("<html>").is_none());
    }
}
