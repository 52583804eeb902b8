//! Work that comes to its end also where whoever waits for it leaves.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// Runs where it is awaited, and goes on as a task of its own only once nobody awaits it any more: a task for each
/// heartbeat costs more than all that the ledger decides about it.
pub(super) struct CarriedOn<F: Future + Send + 'static>(Option<Pin<Box<F>>>)
where
    F::Output: Send;

impl<F: Future<Output: Send> + Send + 'static> CarriedOn<F> {
    pub(super) fn new(work: F) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for CarriedOn<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // Taken out for as long as it runs: what panics is not carried on.
        let mut work = self.0.take().expect("nobody asks again for what was answered");
        let polled = work.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(work);
        }
        polled
    }
}

impl<F: Future + Send + 'static> Drop for CarriedOn<F>
where
    F::Output: Send,
{
    fn drop(&mut self) {
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::{Notify, oneshot};
    use tokio::task::yield_now;

    use super::*;

    /// Work that waits for a bell and then says so.
    fn work(
        bell: &Arc<Notify>,
    ) -> (impl Future<Output = &'static str> + Send + use<>, oneshot::Receiver<()>) {
        let (said, done) = oneshot::channel();
        let bell = Arc::clone(bell);
        let work = async move {
            bell.notified().await;
            said.send(()).unwrap();
            "done"
        };
        (work, done)
    }

    #[tokio::test]
    async fn who_waits_gets_the_answer() {
        let bell = Arc::new(Notify::new());
        let (work, done) = work(&bell);
        bell.notify_one();
        assert_eq!(CarriedOn::new(work).await, "done");
        done.await.unwrap();
    }

    #[tokio::test]
    async fn who_leaves_leaves_the_work_to_be_done() {
        let bell = Arc::new(Notify::new());
        let (work, done) = work(&bell);
        let waiting = tokio::spawn(CarriedOn::new(work));
        yield_now().await;
        waiting.abort();
        assert!(waiting.await.is_err(), "it waited, and was sent away");
        bell.notify_one();
        done.await.unwrap();
    }

    #[tokio::test]
    async fn what_panics_is_not_begun_again() {
        let panics = tokio::spawn(CarriedOn::new(async { panic!("on purpose") }));
        assert!(panics.await.unwrap_err().is_panic());
    }
}
