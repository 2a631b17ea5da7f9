//! Group commit: statements whose callers wait at the same time become durable together.

use std::{
    fmt, mem,
    sync::{Mutex, PoisonError},
};

use sqlx::{Sqlite, query::Query, sqlite::SqliteArguments};
use tokio::sync::{MutexGuard, oneshot};

use super::{Store, StoreError};

/// A write of one statement, whose conditions are in itself.
pub(super) type Statement = Query<'static, Sqlite, SqliteArguments>;

/// The statements that wait for the turn to write.
#[derive(Default)]
pub(super) struct Queue(Mutex<Vec<Waiting>>);

struct Waiting {
    statement: Statement,
    /// Is told how many rows it has changed, once that is durable.
    caller: oneshot::Sender<u64>,
}

impl Store {
    /// Runs a statement, and says how many rows it has changed. That is durable by then, also if
    /// there are none: it may be the write of another that left nothing to change.
    ///
    /// Whoever gets the turn to write runs all statements that wait, in one transaction.
    pub(super) async fn write_one(&self, statement: Statement) -> Result<u64, StoreError> {
        let (caller, mut told) = oneshot::channel();
        self.queue.add(Waiting { statement, caller });
        let turn = tokio::select! {
            // Whoever has the turn tells first, and only then gives it away.
            biased;
            rows = &mut told => return rows.map_err(|_| StoreError::Undone),
            turn = self.turn.lock() => turn,
        };
        self.write_waiting(turn).await?;
        told.await.map_err(|_| StoreError::Undone)
    }

    /// If one fails, nothing is done of any, and the callers of the others are never told.
    async fn write_waiting(&self, _turn: MutexGuard<'_, ()>) -> Result<(), StoreError> {
        let mut waiting = self.queue.take();
        if waiting.len() == 1 {
            let Waiting { statement, caller } = waiting.remove(0);
            let done = self.durably(statement.execute(&self.writer)).await?;
            tell(caller, done.rows_affected());
            return Ok(());
        }
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let mut done = Vec::with_capacity(waiting.len());
        for Waiting { statement, caller } in waiting {
            done.push((caller, statement.execute(&mut *transaction).await?.rows_affected()));
        }
        self.durably(transaction.commit()).await?;
        done.into_iter().for_each(|(caller, rows)| tell(caller, rows));
        Ok(())
    }
}

impl Queue {
    fn add(&self, waiting: Waiting) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(waiting);
    }

    fn take(&self) -> Vec<Waiting> {
        mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whoever has gone away finds it done.
fn tell(caller: oneshot::Sender<u64>, rows: u64) {
    let _ = caller.send(rows);
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}
