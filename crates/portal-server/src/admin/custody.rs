//! What is sealed under the operator's keys: whether it opens, and moving it to other keys, while
//! the service serves.

use std::{collections::BTreeSet, mem, sync::Arc};

use backup_core::Result;
use futures_util::{StreamExt as _, stream};
use portal_keys::{KeyRing, SealedShare};

use super::{Admin, AdminError, now};
use crate::{
    audit::Access,
    store::{Place, SealedRow, StoreError},
};

/// Something sealed that does not open, or not by all of its keys.
#[derive(Clone, Debug)]
pub struct Unopened {
    /// Where it is.
    pub place: Place,
    /// The pair, the custodian whose webhook it is, or client, key and passkey of the enclave.
    pub id: String,
    /// Whose it is.
    pub custodian: String,
    /// Which client it is of, if it is of one.
    pub client: Option<String>,
    /// The key that does not open it; none if nothing can be read of it.
    pub key_id: Option<String>,
    /// Why.
    pub reason: String,
}

/// What a verification found.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// How much is sealed.
    pub total: u64,
    /// Each wrap that does not open.
    pub unopened: Vec<Unopened>,
}

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
    /// Opens everything that is sealed, by each of its wraps, and says which does not open. The
    /// audit says so of each custodian's half. `progress` is told how much of how much was looked
    /// at.
    ///
    /// # Errors
    ///
    /// [`AdminError::Store`]: what does not open is no error.
    pub async fn verify_sealed(
        &self,
        ring: &KeyRing,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Verified, AdminError> {
        let total = self.store.read().await?.count_sealed().await?;
        let mut verified = Verified::default();
        let (mut seen, mut rows) = (0, self.sealed());
        while let Some(page) = rows.next().await? {
            seen += count(&page);
            self.note_checked(&page).await?;
            let found = stream::iter(&page).map(|row| verify(row, ring)).buffered(AT_ONCE);
            verified.unopened.extend(found.collect::<Vec<_>>().await.into_iter().flatten());
            progress(seen, total.max(seen));
        }
        verified.total = seen;
        Ok(verified)
    }

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
        let active: BTreeSet<_> = ring.active().map(|key| key.key_id().to_owned()).collect();
        let active = Arc::new(active);
        if self.store.read().await?.sealing_keys().await? != *active {
            return Err(AdminError::OtherKeys);
        }
        let mut done = Rewrapped::default();
        let total = self.store.read().await?.count_sealed().await?;
        let mut rows = self.sealed();
        let mut next = Some(prepare(rows.next().await?, ring, &active));
        // While one page is written, the next one is wrapped.
        while let Some(page) = mem::take(&mut next) {
            let Some(page) = page.await.expect("no key panics") else { break };
            next = Some(prepare(rows.next().await?, ring, &active));
            done.total += page.seen;
            done.unopened.extend(page.unopened);
            done.rewrapped += self.write(page.changed).await?;
            progress(done.total, total.max(done.total));
        }
        if done.unopened.is_empty() {
            done.forgotten = self.forget_unused_keys(&active).await?;
        }
        Ok(done)
    }

    /// Custodians' halves, and keys of the enclave, are opened by a verification, and not by a
    /// rewrap.
    async fn note_checked(&self, page: &[SealedRow]) -> Result<(), AdminError> {
        let is_noted = |place| matches!(place, Place::BackupPairs | Place::EnclaveKeys);
        let halves = page.iter().filter(|row| is_noted(row.place));
        let halves: Vec<_> = halves.filter_map(|row| Some((row.of_client()?, &*row.id))).collect();
        if halves.is_empty() {
            return Ok(());
        }
        let mut write = self.store.write().await?;
        let halves = halves.iter().map(|(client, pair)| (client, *pair));
        write.note_accesses(now(), Access::Checked, halves).await?;
        Ok(write.commit().await?)
    }

    async fn write(&self, changed: Vec<(SealedRow, SealedShare)>) -> Result<u64, AdminError> {
        if changed.is_empty() {
            return Ok(0);
        }
        let mut write = self.store.write().await?;
        let mut written = 0;
        for (row, sealed) in &changed {
            written += u64::from(write.rewrap(row, sealed).await?);
        }
        write.commit().await?;
        Ok(written)
    }

    /// What was under them is overwritten, and goes from the write-ahead log, too.
    async fn forget_unused_keys(
        &self,
        active: &BTreeSet<String>,
    ) -> Result<Vec<String>, AdminError> {
        let mut write = self.store.write().await?;
        if write.sealing_keys().await? != *active {
            return Err(AdminError::OtherKeys);
        }
        let forgotten = write.forget_unused_keys().await?;
        write.scrub_after();
        write.commit().await?;
        Ok(forgotten)
    }

    fn sealed(&self) -> Pages<'_> {
        Pages { admin: self, places: Place::ALL.into(), after: String::new() }
    }
}

/// Everything that is sealed, a page at a time.
struct Pages<'a> {
    admin: &'a Admin,
    places: Vec<Place>,
    after: String,
}

impl Pages<'_> {
    async fn next(&mut self) -> Result<Option<Vec<SealedRow>>, StoreError> {
        while let Some(place) = self.places.first() {
            let mut view = self.admin.store.read().await?;
            let page = view.sealed(*place, &self.after, PAGE).await?;
            if let Some(last) = page.last() {
                self.after.clone_from(&last.id);
                return Ok(Some(page));
            }
            self.places.remove(0);
            self.after.clear();
        }
        Ok(None)
    }
}

/// A page, wrapped anew as far as it needs to be.
struct Page {
    seen: u64,
    changed: Vec<(SealedRow, SealedShare)>,
    unopened: Vec<Unopened>,
}

/// Wraps a page on another thread.
fn prepare(
    rows: Option<Vec<SealedRow>>,
    ring: &KeyRing,
    active: &Arc<BTreeSet<String>>,
) -> tokio::task::JoinHandle<Option<Page>> {
    let (ring, active) = (ring.clone(), Arc::clone(active));
    tokio::spawn(async move {
        let rows = rows?;
        let mut page = Page { seen: count(&rows), changed: Vec::new(), unopened: Vec::new() };
        let wrapped = stream::iter(rows).map(|row| async {
            let outcome = rewrap(&row, &ring, &active).await;
            (row, outcome)
        });
        let wrapped: Vec<_> = wrapped.buffered(AT_ONCE).collect().await;
        for (row, outcome) in wrapped {
            match outcome {
                Ok(Some(sealed)) => page.changed.push((row, sealed)),
                Ok(None) => {}
                Err(error) => page.unopened.push(unopened(&row, None, &error)),
            }
        }
        Some(page)
    })
}

/// None if it is under the active keys already.
async fn rewrap(
    row: &SealedRow,
    ring: &KeyRing,
    active: &BTreeSet<String>,
) -> Result<Option<SealedShare>, String> {
    let sealed = SealedShare::decode(&row.sealed).map_err(|error| error.to_string())?;
    if sealed.key_ids().map(str::to_owned).collect::<BTreeSet<_>>() == *active {
        return Ok(None);
    }
    let context = row.context.as_ref().map_err(ToString::to_string)?;
    let rewrapped = sealed.rewrap(context.clone(), ring).await;
    rewrapped.map(Some).map_err(|error| error.to_string())
}

async fn verify(row: &SealedRow, ring: &KeyRing) -> Vec<Unopened> {
    let sealed = SealedShare::decode(&row.sealed).map_err(|error| error.to_string());
    let context = row.context.as_ref().map_err(ToString::to_string);
    let (sealed, context) = match (sealed, context) {
        (Ok(sealed), Ok(context)) => (sealed, context),
        (Err(error), _) | (_, Err(error)) => return vec![unopened(row, None, &error)],
    };
    let reports = sealed.verify(context.clone(), ring).await.into_iter();
    let failed = reports.filter_map(|report| Some((report.key_id, report.outcome.err()?)));
    failed.map(|(key_id, error)| unopened(row, Some(key_id), &error.to_string())).collect()
}

fn unopened(row: &SealedRow, key_id: Option<String>, reason: &str) -> Unopened {
    Unopened {
        place: row.place,
        id: row.id.clone(),
        custodian: row.custodian.clone(),
        client: row.client.clone(),
        key_id,
        reason: reason.to_owned(),
    }
}

fn count(rows: &[SealedRow]) -> u64 {
    rows.len().try_into().expect("a page has few rows")
}

/// How many rows are read, and written in one transaction: the service waits for no longer.
const PAGE: u32 = 256;

/// How many rows a KMS is asked about at once.
const AT_ONCE: usize = 32;
