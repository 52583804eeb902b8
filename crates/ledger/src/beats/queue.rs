//! Where beats wait for their statement.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, oneshot};

use crate::error::Error;
use crate::store::{BeatRow, Heard};

use super::on_the_way::{OnTheWay, Ticket};

/// Requests with beats that may wait before further ones are turned away.
const WAITING_MAX: usize = 10_000;

/// A beat's fate: heard or failed by its watch row, or on its way to the ordinary door.
pub(super) type Fate = Result<Result<Heard, Error>, Ticket>;

pub(super) enum Item {
    Beats(Vec<BeatRow>, oneshot::Sender<Vec<Fate>>),
    Listen(oneshot::Sender<Result<(), Error>>),
}

/// Where beats wait for their statement.
pub(crate) struct BeatQueue {
    items: mpsc::Sender<Item>,
    pub(super) on_the_way: Arc<OnTheWay>,
    /// A beat was turned away or failed since the mark moved last.
    pub(super) lost: AtomicBool,
}

impl BeatQueue {
    pub(crate) fn new() -> (Self, BeatsIn) {
        let (items, items_in) = mpsc::channel(WAITING_MAX);
        let queue = Self { items, on_the_way: Arc::default(), lost: AtomicBool::new(false) };
        (queue, BeatsIn(items_in))
    }

    pub(super) fn send(&self, item: Item) -> Result<(), Item> {
        self.items.try_send(item).map_err(|refused| {
            self.lost.store(true, Ordering::Relaxed);
            match refused {
                mpsc::error::TrySendError::Full(item) | mpsc::error::TrySendError::Closed(item) => {
                    item
                }
            }
        })
    }

    pub(super) async fn ask(&self, rows: Vec<BeatRow>) -> Vec<Fate> {
        let count = rows.len();
        if count == 0 {
            return vec![];
        }
        let turned_away = || (0..count).map(|_| Ok(Err(Error::Unavailable))).collect();
        let (reply, answer) = oneshot::channel();
        if self.send(Item::Beats(rows, reply)).is_err() {
            return turned_away();
        }
        answer.await.unwrap_or_else(|_| turned_away())
    }

    /// A beat that failed at the ordinary door was not heard, so the mark must not move over it.
    pub(super) fn note_losses<T>(&self, outcomes: &[Result<T, Error>]) {
        let lost = |outcome: &Result<T, Error>| {
            matches!(outcome, Err(Error::Unavailable | Error::Contended))
        };
        if outcomes.iter().any(lost) {
            self.lost.store(true, Ordering::Relaxed);
        }
    }
}

/// The receiving end of a [`BeatQueue`].
pub(crate) struct BeatsIn(pub(super) mpsc::Receiver<Item>);
