//! Moving what is kept to other keys, while the server serves.

use std::collections::BTreeSet;

use backup_core::Result;
use futures_util::future::join_all;
use portal_keys::SealedShare;

use crate::{
    store::{Numbered, Place, Resealed, StoreError},
    vault::Vault,
};

/// What was done to move everything to other keys.
#[derive(Clone, Debug, Default)]
pub struct Rewrapped {
    /// How many values are kept.
    pub total: u64,
    /// How many of them were under other keys, and are under the active ones now.
    pub rewrapped: u64,
    /// What could not be opened, and stays as it was.
    pub unopened: Vec<Unopened>,
}

/// A value that does not open.
#[derive(Clone, Debug)]
pub struct Unopened {
    /// Where it belongs.
    pub place: Place,
    /// Why.
    pub reason: String,
}

impl Vault {
    pub(crate) async fn rewrap(
        &self,
        mut progress: impl FnMut(u64),
    ) -> Result<Rewrapped, StoreError> {
        let active: BTreeSet<_> = self.keys.active().map(|key| key.key_id().to_owned()).collect();
        let (mut done, mut after) = (Rewrapped::default(), 0);
        loop {
            let page = self.store.after(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(done) };
            after = last.number;
            done.total += page.len() as u64;
            let mut changed = Vec::new();
            let outcomes = join_all(page.iter().map(|value| self.rewrapped(value, &active))).await;
            for (Numbered { kept, .. }, outcome) in page.iter().zip(outcomes) {
                match outcome {
                    Ok(resealed) => changed.extend(resealed),
                    Err(error) => done
                        .unopened
                        .push(Unopened { place: kept.place.clone(), reason: error.to_string() }),
                }
            }
            if !changed.is_empty() {
                done.rewrapped += self.store.reseal(&changed).await?;
            }
            progress(done.total);
        }
    }

    /// None if it is under the active keys already.
    async fn rewrapped(
        &self,
        Numbered { number, kept }: &Numbered,
        active: &BTreeSet<String>,
    ) -> Result<Option<Resealed>> {
        let sealed = SealedShare::decode(&kept.sealed)?;
        if sealed.key_ids().map(str::to_owned).collect::<BTreeSet<_>>() == *active {
            return Ok(None);
        }
        let rewrapped = sealed.rewrap(&self.context(&kept.place)?, &self.keys).await?;
        let (before, after) = (kept.sealed.clone(), rewrapped.encode());
        Ok(Some(Resealed { number: *number, before, after }))
    }
}

/// How many values are read, asked about at once, and written in one transaction.
const PAGE: u32 = 32;
