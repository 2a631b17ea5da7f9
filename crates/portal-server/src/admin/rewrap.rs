//! Moving what is sealed to other keys, while the service serves.

use std::{collections::BTreeSet, iter, num::NonZero, sync::Arc, thread};

use backup_core::Result;
use futures_util::{StreamExt as _, future::try_join, stream};
use portal_keys::{KeyRing, SealedShare};
use tokio::task::JoinHandle;

use super::{
    Admin, AdminError,
    custody::{AT_ONCE, Unopened, count, unopened},
};
use crate::store::{IdleKey, Place, SealedRow, Write};

/// What was done to move everything to other keys.
#[derive(Clone, Debug, Default)]
pub struct Rewrapped {
    /// How much is sealed.
    pub total: u64,
    /// How much of it was under other keys, and is under the active ones now.
    pub rewrapped: u64,
    /// What could not be opened, and stays as it was.
    pub unopened: Vec<Unopened>,
    /// The keys that nothing is under any more. They can be left out of the settings.
    pub forgotten: Vec<String>,
}

impl Admin {
    /// Wraps everything that is sealed under the active keys of `ring`, and under no others, and
    /// forgets the keys that nothing is under any more. No share is touched.
    ///
    /// The service may serve meanwhile, if it was started with these keys. Ended at any point, it
    /// is continued by calling it again. Each wrap is opened and compared before it takes the place
    /// of another.
    ///
    /// # Errors
    ///
    /// [`AdminError::OtherKeys`] if the service seals under other keys; [`AdminError::Store`].
    ///
    /// # Panics
    ///
    /// If a key of `ring` does.
    pub async fn rewrap(
        &self,
        ring: &KeyRing,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Rewrapped, AdminError> {
        let active = Arc::new(Active::of(ring));
        let mut view = self.store.read().await?;
        active.expect(&view.sealing_keys().await?)?;
        let total = view.count_sealed().await?;
        drop(view);
        let (mut done, mut rows) = (Rewrapped::default(), self.sealed());
        let mut wrapping = rows.next().await?.map(|page| Wrapping::begin(page, &active));
        let mut read = rows.next().await?;
        // While one page is written, the next one is wrapped, and the one after it read.
        while let Some(page) = wrapping {
            let page = page.end().await;
            wrapping = read.map(|page| Wrapping::begin(page, &active));
            done.total += page.seen;
            done.unopened.extend(page.unopened);
            let reading = async { Ok::<_, AdminError>(rows.next().await?) };
            let writing = self.write(page.place, &page.changed, &active);
            let (next, written) = try_join(reading, writing).await?;
            read = next;
            done.rewrapped += written;
            progress(done.total, total.max(done.total));
        }
        if done.unopened.is_empty() {
            done.forgotten = self.forget_unused_keys(&active).await?;
        }
        Ok(done)
    }

    async fn write(
        &self,
        place: Place,
        changed: &[(SealedRow, SealedShare)],
        active: &Active,
    ) -> Result<u64, AdminError> {
        if changed.is_empty() {
            return Ok(0);
        }
        let mut write = self.sealing_as(active).await?;
        let written = write.rewrap(place, changed).await?;
        write.commit().await?;
        Ok(written)
    }

    /// All that is sealed is looked through while others write: nothing comes under a key that the
    /// service does not seal under, and whether it did meanwhile shows in the end.
    ///
    /// What was under them is overwritten, and goes from the write-ahead log, too.
    async fn forget_unused_keys(&self, active: &Active) -> Result<Vec<String>, AdminError> {
        let mut idle = self.store.read().await?.idle_keys().await?;
        let mut rows = self.sealed();
        while let Some(page) = rows.next().await?.filter(|_| !idle.is_empty()) {
            for row in &page {
                leave_out_keys_of(row, &mut idle);
            }
        }
        let mut write = self.sealing_as(active).await?;
        let mut forgotten = Vec::new();
        for key in idle {
            if write.forget_key(&key).await? {
                forgotten.push(key.id);
            }
        }
        write.scrub_after();
        write.commit().await?;
        Ok(forgotten)
    }

    /// The turn to write, while the service seals under these keys.
    async fn sealing_as(&self, active: &Active) -> Result<Write, AdminError> {
        let mut write = self.store.write().await?;
        active.expect(&write.sealing_keys().await?)?;
        Ok(write)
    }
}

/// Nothing is known of a row that cannot be read: it may be under any key.
fn leave_out_keys_of(row: &SealedRow, idle: &mut Vec<IdleKey>) {
    match SealedShare::decode(&row.sealed) {
        Ok(sealed) => idle.retain(|key| sealed.key_ids().all(|id| id != key.id)),
        Err(_) => idle.clear(),
    }
}

/// The keys that everything is moved to.
struct Active {
    ring: KeyRing,
    ids: BTreeSet<String>,
}

impl Active {
    fn of(ring: &KeyRing) -> Self {
        let ids = ring.active().map(|key| key.key_id().to_owned()).collect();
        Self { ring: ring.clone(), ids }
    }

    fn expect(&self, sealing: &BTreeSet<String>) -> Result<(), AdminError> {
        if *sealing == self.ids { Ok(()) } else { Err(AdminError::OtherKeys) }
    }

    /// None if it is under these keys already.
    async fn rewrap(&self, row: &SealedRow) -> Result<Option<SealedShare>, String> {
        let sealed = SealedShare::decode(&row.sealed).map_err(|error| error.to_string())?;
        if sealed.key_ids().map(str::to_owned).collect::<BTreeSet<_>>() == self.ids {
            return Ok(None);
        }
        let context = row.context.as_ref().map_err(ToString::to_string)?;
        let rewrapped = sealed.rewrap(context.clone(), &self.ring).await;
        rewrapped.map(Some).map_err(|error| error.to_string())
    }
}

/// A page, wrapped anew as far as it needs to be.
struct Page {
    place: Place,
    seen: u64,
    changed: Vec<(SealedRow, SealedShare)>,
    unopened: Vec<Unopened>,
}

/// A page that is being wrapped, in parts on threads of their own.
struct Wrapping {
    place: Place,
    seen: u64,
    parts: Vec<JoinHandle<Vec<Outcome>>>,
}

type Outcome = (SealedRow, Result<Option<SealedShare>, String>);

impl Wrapping {
    /// `rows` is not empty.
    fn begin(mut rows: Vec<SealedRow>, active: &Arc<Active>) -> Self {
        let (place, seen) = (rows[0].place, count(&rows));
        let parts = thread::available_parallelism().map_or(1, NonZero::get).min(AT_ONCE);
        let (length, at_once) = (rows.len().div_ceil(parts), AT_ONCE.div_ceil(parts));
        let parts = iter::from_fn(|| {
            let part: Vec<_> = rows.drain(..length.min(rows.len())).collect();
            Some(part).filter(|part| !part.is_empty())
        });
        let parts = parts.map(|part| tokio::spawn(wrap(part, Arc::clone(active), at_once)));
        Self { place, seen, parts: parts.collect() }
    }

    async fn end(self) -> Page {
        let Self { place, seen, parts } = self;
        let mut page = Page { place, seen, changed: Vec::new(), unopened: Vec::new() };
        for part in parts {
            for (row, outcome) in part.await.expect("no key panics") {
                match outcome {
                    Ok(Some(sealed)) => page.changed.push((row, sealed)),
                    Ok(None) => {}
                    Err(error) => page.unopened.push(unopened(&row, None, &error)),
                }
            }
        }
        page
    }
}

async fn wrap(rows: Vec<SealedRow>, active: Arc<Active>, at_once: usize) -> Vec<Outcome> {
    let wrapped = stream::iter(rows).map(|row| async {
        let outcome = active.rewrap(&row).await;
        (row, outcome)
    });
    wrapped.buffered(at_once).collect().await
}
