//! Group commit: envelopes whose callers wait at the same time become durable together.

use std::{
    collections::HashSet,
    fmt, iter, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use super::{
    Store, StoreError,
    filling::{self, Filling},
};
use crate::to_the_end::ToTheEnd;

/// The envelopes that wait to be written.
#[derive(Default)]
pub(super) struct Queue(Mutex<Line>);

#[derive(Default)]
struct Line {
    waiting: Vec<Waiting>,
    /// Whether somebody has the duty to write them.
    is_served: bool,
}

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
    /// Whoever comes when nobody writes has the duty to, and has all of those filled that wait by
    /// its turn. For those who come meanwhile, a task goes on: the database has its next commit
    /// before all who waited for the last one have been told.
    pub(super) async fn fill(&self, filling: Filling) -> Result<bool, StoreError> {
        let (caller, told) = oneshot::channel();
        if let Some(duty) = Duty::of(&self.queue, Waiting { filling, caller }) {
            // A caller who goes away takes no other's envelope along.
            ToTheEnd::new(self.clone().fill_waiting(duty)).await;
        }
        told.await.unwrap_or(Err(StoreError::Undone))
    }

    async fn fill_waiting(self, duty: Duty) {
        self.fill_group(&duty).await;
        if let Some(mut duty) = duty.unless_done() {
            tokio::spawn(async move {
                loop {
                    self.fill_group(&duty).await;
                    let Some(left) = duty.unless_done() else { break };
                    duty = left;
                }
            });
        }
    }

    /// If it fails, nobody is told that a place is filled, and one caller is told why. Whoever
    /// repeats finds what is there.
    async fn fill_group(&self, duty: &Duty) {
        let _turn = self.turn.lock().await;
        let waiting = duty.queue.take().into_iter();
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

/// The duty to write what waits, which one has at a time. Dropped before it is done, by a panic or
/// with the runtime, it tells all who wait that nothing was done.
struct Duty {
    queue: Arc<Queue>,
    is_done: bool,
}

impl Duty {
    /// Adds one who waits. It is this one's duty if it is nobody's.
    fn of(queue: &Arc<Queue>, waiting: Waiting) -> Option<Self> {
        let mut line = queue.line();
        line.waiting.push(waiting);
        let is_served = mem::replace(&mut line.is_served, true);
        (!is_served).then(|| Self { queue: Arc::clone(queue), is_done: false })
    }

    /// The same, if somebody waits; otherwise whoever comes next has the duty.
    fn unless_done(mut self) -> Option<Self> {
        let mut line = self.queue.line();
        line.is_served = !line.waiting.is_empty();
        self.is_done = !line.is_served;
        drop(line);
        (!self.is_done).then_some(self)
    }
}

impl Drop for Duty {
    fn drop(&mut self) {
        if !self.is_done {
            *self.queue.line() = Line::default();
        }
    }
}

impl Queue {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One for each place: of a second one it could not be said whether the place was filled by it.
    fn take(&self) -> Vec<Waiting> {
        let mut places = HashSet::new();
        let is_next = |waiting: &mut Waiting| {
            places.len() < MOST && places.insert(waiting.filling.place.clone())
        };
        self.line().waiting.extract_if(.., is_next).collect()
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}

#[cfg(test)]
mod tests;
