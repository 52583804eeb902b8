//! The parts without which a ledger is none: whoever runs it is told which ended, and how.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::timeout;

/// A part ended that must outlive the ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part} {how}")]
pub struct PartEnded {
    /// Which.
    pub part: &'static str,
    /// How.
    pub how: String,
}

/// The running parts, by name.
#[derive(Default)]
pub(crate) struct VitalParts {
    running: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

impl VitalParts {
    /// Starts a part that is not expected to end.
    pub(crate) fn start(
        &mut self,
        name: &'static str,
        part: impl Future<Output = ()> + Send + 'static,
    ) {
        let id = self.running.spawn(part).id();
        self.names.insert(id, name);
    }

    /// Which ended first, and how. Waits for ever while none does.
    pub(crate) async fn first_to_end(&mut self) -> PartEnded {
        match self.running.join_next_with_id().await {
            None => std::future::pending().await,
            Some(Ok((id, ()))) => self.ended(id, "ended".to_owned()),
            Some(Err(error)) => self.ended(error.id(), how(error)),
        }
    }

    fn ended(&self, id: Id, how: String) -> PartEnded {
        PartEnded { part: self.names.get(&id).copied().unwrap_or("a part"), how }
    }

    /// Ends what still runs, and waits no longer than `at_most` for it.
    pub(crate) async fn stop(mut self, at_most: Duration) {
        drop(timeout(at_most, self.running.shutdown()).await);
    }
}

fn how(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => match panic.downcast_ref::<&str>() {
            Some(message) => format!("panicked: {message}"),
            None => match panic.downcast_ref::<String>() {
                Some(message) => format!("panicked: {message}"),
                None => "panicked".to_owned(),
            },
        },
        Err(_) => "was cancelled".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn told_by(part: impl Future<Output = ()> + Send + 'static) -> String {
        let mut parts = VitalParts::default();
        parts.start("the clerk", std::future::pending());
        parts.start("the porter", part);
        parts.first_to_end().await.to_string()
    }

    #[tokio::test]
    async fn a_part_that_ends_or_panics_is_named() {
        assert!(told_by(async {}).await.starts_with("the porter ended"));
        let told = told_by(async { panic!("no keys") }).await;
        assert!(told.starts_with("the porter panicked: no keys"), "{told}");
        let told = told_by(async { panic!("no {}", "keys") }).await;
        assert!(told.starts_with("the porter panicked: no keys"), "{told}");
    }
}
