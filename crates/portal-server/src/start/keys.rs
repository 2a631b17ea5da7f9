//! The operator's keys at a start: each proves itself, or is known to be lost.

use std::collections::BTreeSet;

use backup_core::{Error, ErrorKind};
use portal_keys::{KeyCheck, KeyRing};

use super::StartError;
use crate::store::Store;

/// What the operator says of the keys.
#[derive(Debug)]
pub(crate) struct OperatorsKeys {
    /// None: the one in the data folder.
    pub(crate) ring: Option<KeyRing>,
    /// The ids of those that are lost for good.
    pub(crate) lost: Vec<String>,
}

/// Proves that every key under which anything is wrapped is here, is the right one, and works; and
/// takes note of those that are new.
///
/// One that does not answer now is waited for while the service runs, if an active one works:
/// recoveries need only one. Whatever else is wrong with one would not mend itself.
pub(super) async fn prove(
    store: &Store,
    ring: &KeyRing,
    checks: &[KeyCheck],
    lost: &[String],
) -> Result<(), StartError> {
    let mut proved = BTreeSet::new();
    let mut away = None;
    for check in checks.iter().filter(|check| !is_lost(lost, check)) {
        match ring.verify(std::slice::from_ref(check)).await {
            Ok(()) => {
                proved.insert(check.key_id());
            }
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                tracing::warn!(%error, key = check.key_id(), "a key does not answer");
                away = Some(error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    let known: BTreeSet<_> = checks.iter().map(KeyCheck::key_id).collect();
    let new = ring.active().filter(|key| !known.contains(key.key_id()));
    let mut added = Vec::new();
    for key in new {
        added.push(KeyCheck::make(key).await?);
    }
    let works = |id: &str| proved.contains(id) || added.iter().any(|check| check.key_id() == id);
    if !ring.active().any(|key| works(key.key_id())) {
        return Err(away.unwrap_or_else(none_works).into());
    }
    note(store, ring, &added).await
}

/// Under which keys the service seals from now on.
async fn note(store: &Store, ring: &KeyRing, added: &[KeyCheck]) -> Result<(), StartError> {
    let active: BTreeSet<_> = ring.active().map(|key| key.key_id().to_owned()).collect();
    let before = store.read().await?.sealing_keys().await?;
    if active == before {
        return Ok(());
    }
    let mut write = store.write().await?;
    for check in added {
        write.insert_key_check(check).await?;
    }
    for id in &before | &active {
        write.set_sealing(&id, active.contains(&id)).await?;
    }
    write.commit().await?;
    tracing::info!(keys = ?active, "what is sealed from now on is sealed under other keys");
    Ok(())
}

fn is_lost(lost: &[String], check: &KeyCheck) -> bool {
    let is_lost = lost.iter().any(|id| id == check.key_id());
    if is_lost {
        tracing::warn!(key = check.key_id(), "this key is lost; rewrap what is sealed");
    }
    is_lost
}

fn none_works() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "no active key is one that works; configure one that is not lost, or make a new one",
    )
}
