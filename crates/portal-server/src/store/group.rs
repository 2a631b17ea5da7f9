//! Group commit: envelopes whose callers wait at the same time become durable together.

use std::{
    collections::HashSet,
    fmt, iter,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedMutexGuard, oneshot};

use super::{
    Store, StoreError,
    filling::{self, Filling},
};
use crate::to_the_end::ToTheEnd;

/// The envelopes that wait for the turn to write.
#[derive(Default)]
pub(super) struct Queue(Mutex<Vec<Waiting>>);

struct Waiting {
    filling: Filling,
    /// Is told whether the place has its envelope, once that is durable.
    caller: oneshot::Sender<Told>,
}

type Told = Result<bool, StoreError>;

/// How many become durable together at most.
const MOST: usize = 128;

impl Store {
    /// Fills a place, and says whether it has this envelope. That is durable by then, also if it
    /// has not: it may be the write of another that left nothing to fill.
    ///
    /// Whoever gets the turn to write has all of those filled that wait.
    pub(super) async fn fill(&self, filling: Filling) -> Result<bool, StoreError> {
        let (caller, mut told) = oneshot::channel();
        self.queue.add(Waiting { filling, caller });
        loop {
            let turn = tokio::select! {
                // Whoever has the turn tells first, and only then gives it away.
                biased;
                told = &mut told => return told.unwrap_or(Err(StoreError::Undone)),
                turn = Arc::clone(&self.turn).lock_owned() => turn,
            };
            // A caller who goes away takes no other's envelope along.
            ToTheEnd::new(self.clone().fill_waiting(turn)).await;
        }
    }

    /// If it fails, nobody is told that a place is filled, and one caller is told why. Whoever
    /// repeats finds what is there.
    async fn fill_waiting(self, _turn: OwnedMutexGuard<()>) {
        let waiting = self.queue.take().into_iter();
        let (fillings, callers): (Vec<_>, Vec<_>) =
            waiting.map(|Waiting { filling, caller }| (filling, caller)).unzip();
        let filled = async {
            let mut connection = self.writer.acquire().await?;
            filling::fill(&mut connection, &fillings).await
        };
        match self.durably(filled).await {
            Ok(filled) => {
                for (caller, filling) in iter::zip(callers, fillings) {
                    tell(caller, Ok(filled.contains(&filling.place)));
                }
            }
            Err(error) => {
                for (caller, error) in iter::zip(callers, [Err(error)]) {
                    tell(caller, error);
                }
            }
        }
    }
}

/// Whoever has gone away finds it done.
fn tell(caller: oneshot::Sender<Told>, told: Told) {
    drop(caller.send(told));
}

impl Queue {
    fn add(&self, waiting: Waiting) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(waiting);
    }

    /// One for each place: of a second one it could not be said whether the place was filled by it.
    fn take(&self) -> Vec<Waiting> {
        let mut places = HashSet::new();
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_next = |waiting: &mut Waiting| {
            places.len() < MOST && places.insert(waiting.filling.place.clone())
        };
        waiting.extract_if(.., is_next).collect()
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}

#[cfg(test)]
mod tests;
