//! Statements that are sent together and answered in their order: one way to the server and back for all of them.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use futures_util::future::{BoxFuture, MaybeDone, join_all, maybe_done};
use tokio_postgres::Error;
use tokio_postgres::types::ToSql;

use crate::connect::Connection;
use crate::failure::Trouble;

/// The values of one statement.
pub(super) type Values<'a> = Vec<Box<dyn ToSql + Sync + Send + 'a>>;

/// How many rows a statement touched.
type Touched<'a> = BoxFuture<'a, Result<u64, Error>>;

pub(super) struct Pipeline<'a> {
    connection: &'a Connection,
    sent: Vec<MaybeDone<Touched<'a>>>,
}

/// One value of each row, as an array.
pub(super) fn column<'r, 'a, R, T>(
    rows: &'r [R],
    of: impl Fn(&'r R) -> T,
) -> Box<dyn ToSql + Sync + Send + 'a>
where
    T: ToSql + Sync + Send + 'a,
{
    Box::new(rows.iter().map(of).collect::<Vec<T>>())
}

impl<'a> Pipeline<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, sent: vec![] }
    }

    /// A command without values.
    pub(super) fn command(&mut self, sql: &'a str) {
        let connection = self.connection;
        self.push(Box::pin(async move { connection.batch_execute(sql).await.map(|()| 0) }));
    }

    pub(super) async fn execute(&mut self, sql: &str, values: Values<'a>) -> Result<(), Trouble> {
        let (connection, statement) = (self.connection, self.connection.prepare_cached(sql).await?);
        self.push(Box::pin(async move { connection.execute_raw(&statement, values).await }));
        Ok(())
    }

    fn push(&mut self, sent: Touched<'a>) {
        self.sent.push(maybe_done(sent));
    }

    /// Sends everything. How many rows each statement touched.
    pub(super) async fn answers(self) -> Result<Vec<u64>, Trouble> {
        join_all(self.sent.into_iter().map(answer)).await.into_iter().map(|it| Ok(it?)).collect()
    }

    /// Sends everything, and COMMIT behind it.
    pub(super) async fn commit(mut self) -> Result<Vec<u64>, Trouble> {
        let before = self.sent.len();
        self.send().await?;
        self.command("COMMIT");
        let mut touched = vec![];
        for (at, answer) in
            join_all(self.sent.into_iter().map(answer)).await.into_iter().enumerate()
        {
            touched.push(answer.map_err(|error| {
                if at < before { Trouble::before_commit(error) } else { Trouble::of_commit(error) }
            })?);
        }
        Ok(touched)
    }

    /// Puts everything on its way, in its order. What the driver itself cannot send must be known before COMMIT
    /// follows: the server would commit the rest.
    async fn send(&mut self) -> Result<(), Trouble> {
        poll_fn(|context| {
            for sent in &mut self.sent {
                let _sent = Pin::new(sent).poll(context);
            }
            Poll::Ready(())
        })
        .await;
        let unsent = self.sent.iter().position(|sent| matches!(sent, MaybeDone::Done(Err(_))));
        match unsent.map(|at| Pin::new(&mut self.sent[at]).take_output()) {
            Some(Some(Err(error))) => Err(error.into()),
            _ => Ok(()),
        }
    }
}

async fn answer(mut sent: MaybeDone<Touched<'_>>) -> Result<u64, Error> {
    (&mut sent).await;
    Pin::new(&mut sent).take_output().expect("it was awaited, and nobody else takes it")
}
