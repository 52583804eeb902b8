//! Heartbeats: a thousand answered by one statement, and the mark that says up to when all were heard.
//!
//! A beat that matches its watch row is answered here. Every other one takes the ordinary door.

mod carried_on;
mod desk;
mod on_the_way;
mod queue;

pub(crate) use desk::BeatDesk;
pub(crate) use queue::BeatQueue;

use tokio::sync::oneshot;

use crate::command::{Command, Heartbeat, Pulse};
use crate::delegation::status::Status;
use crate::error::Error;
use crate::ledger::{Ledger, Shared};
use crate::store::{BeatRow, Heard, Store};

use carried_on::CarriedOn;
use queue::Item;

impl<S: Store> Ledger<S> {
    /// Records heartbeats, each with its own answer.
    ///
    /// They are recorded also where who asks leaves before the answer: what was received must be committed
    /// before the mark moves over it.
    pub async fn heartbeats(&self, beats: Vec<Heartbeat>) -> Vec<Result<Pulse, Error>> {
        let ledger = self.clone();
        CarriedOn::new(async move { ledger.record(beats).await }).await
    }

    async fn record(&self, beats: Vec<Heartbeat>) -> Vec<Result<Pulse, Error>> {
        let shared = self.shared();
        let rows: Vec<Option<BeatRow>> = beats.iter().map(|beat| shared.quick(beat)).collect();
        let quick: Vec<BeatRow> = rows.iter().flatten().cloned().collect();
        let mut heard = shared.beats.ask(quick).await.into_iter();
        let mut answers = Vec::with_capacity(beats.len());
        let mut ordinary = vec![];
        for (beat, row) in beats.into_iter().zip(rows) {
            let missed = match row.and_then(|_| heard.next()) {
                Some(Ok(heard)) => {
                    answers.push(Some(heard.map(Pulse::from)));
                    continue;
                }
                Some(Err(ticket)) => ticket,
                None => shared.beats.on_the_way.enter_late(),
            };
            answers.push(None);
            ordinary.push((beat, missed));
        }
        let (beats, tickets): (Vec<_>, Vec<_>) = ordinary.into_iter().unzip();
        let outcomes = self.act_all(beats.into_iter().map(Command::Heartbeat).collect()).await;
        shared.beats.note_losses(&outcomes);
        drop(tickets);
        let mut pulses = outcomes.into_iter().map(|outcome| outcome.map(Pulse::from));
        answers
            .into_iter()
            .map(|answer| answer.or_else(|| pulses.next()).unwrap_or(Err(Error::Internal)))
            .collect()
    }

    /// Moves the mark to now, if every beat that arrived before was committed. Call it every second.
    pub async fn listen(&self) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.shared().beats.send(Item::Listen(reply)).map_err(|_| Error::Unavailable)?;
        answer.await.unwrap_or(Err(Error::Unavailable))
    }
}

impl<S: Store> Shared<S> {
    /// The beat as a matching watch row could answer it; `None` where it needs the ordinary door.
    fn quick(&self, beat: &Heartbeat) -> Option<BeatRow> {
        if beat.waiting.is_some() || beat.override_reason.is_some() {
            return None;
        }
        let epoch = match &beat.lease {
            None => 0,
            Some(lease) => self.secret.open(&beat.id, lease)?,
        };
        Some(BeatRow::new(beat.id.clone(), epoch, beat.progress.clone()))
    }
}

impl From<Heard> for Pulse {
    fn from(heard: Heard) -> Self {
        Self {
            current_status: Status::InProgress,
            attempt: heard.attempt,
            deadline: heard.deadline,
            why: None,
        }
    }
}
