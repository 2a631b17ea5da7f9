//! What is sealed under the operator's keys, and whether it opens.

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

    pub(super) fn sealed(&self) -> Pages<'_> {
        Pages { admin: self, places: Place::ALL.into(), after: String::new() }
    }
}

/// Everything that is sealed, a page at a time.
pub(super) struct Pages<'a> {
    admin: &'a Admin,
    places: Vec<Place>,
    after: String,
}

impl Pages<'_> {
    pub(super) async fn next(&mut self) -> Result<Option<Vec<SealedRow>>, StoreError> {
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

pub(super) fn unopened(row: &SealedRow, key_id: Option<String>, reason: &str) -> Unopened {
    Unopened {
        place: row.place,
        id: row.id.clone(),
        custodian: row.custodian.clone(),
        client: row.client.clone(),
        key_id,
        reason: reason.to_owned(),
    }
}

pub(super) fn count(rows: &[SealedRow]) -> u64 {
    rows.len().try_into().expect("a page has few rows")
}

/// How many rows are read, and written in one transaction: the service waits for no longer.
const PAGE: u32 = 256;

/// How many rows a KMS is asked about at once.
pub(super) const AT_ONCE: usize = 32;
