//! Whether requests may be sent here: the database answers, the keys work, the service stays.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

use crate::{
    custody::Custody,
    error::{ApiError, ApiResult},
    store::Store,
};

/// How many of the operator's keys work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Keys {
    /// All of them.
    All,
    /// Not all: wallets are recovered, and nothing new is sealed.
    Some,
}

/// What is known of it.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    is_ending: AtomicBool,
    /// When database and keys last worked, and whether all keys did. Whoever asks meanwhile waits
    /// for the one who looks.
    worked: Mutex<Option<(Instant, Keys)>>,
}

impl Readiness {
    /// From now on the service is not ready, since it is about to end.
    pub(crate) fn end(&self) {
        self.is_ending.store(true, Ordering::Release);
    }

    /// Whether the service is ready. Anybody may ask, so that the look at a key is taken once a
    /// second at most while it succeeds: a key may be far away, and cost money.
    ///
    /// # Errors
    ///
    /// `ERROR` (503). Why is in the log.
    pub(crate) async fn check(&self, store: &Store, custody: &Custody) -> ApiResult<Keys> {
        if self.is_ending.load(Ordering::Acquire) {
            return Err(ApiError::not_ready("the service is about to end"));
        }
        let mut worked = self.worked.lock().await;
        if let Some((at, keys)) = *worked
            && at.elapsed() < REMEMBERED
        {
            return Ok(keys);
        }
        *worked = None;
        let keys = look(store, custody).await?;
        *worked = Some((Instant::now(), keys));
        Ok(keys)
    }
}

/// The check values are read from the database, and opened with the keys.
async fn look(store: &Store, custody: &Custody) -> ApiResult<Keys> {
    let checks = async { store.read().await?.key_checks().await };
    let checks = checks
        .await
        .map_err(|error| ApiError::not_ready("the database does not answer").caused_by(error))?;
    let mut works = false;
    let mut failed = None;
    for (key_id, outcome) in custody.try_keys(&checks).await {
        match outcome {
            Ok(()) => works = true,
            Err(error) => {
                tracing::warn!(%error, key = key_id, "a key does not work");
                failed = Some(error);
            }
        }
    }
    match failed {
        None => Ok(Keys::All),
        Some(_) if works => Ok(Keys::Some),
        Some(error) => Err(ApiError::not_ready("no key works").caused_by(error)),
    }
}

const REMEMBERED: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use backup_core::KeyEncryption;
    use backup_testkit::MemoryKey;
    use portal_api::ErrorId;
    use portal_keys::{KeyCheck, KeyRing};

    use super::*;
    use crate::effects::Nobody;

    fn custody(key: &MemoryKey) -> Custody {
        Custody::new(KeyRing::new([Arc::new(key.clone()) as Arc<dyn KeyEncryption>]).unwrap())
    }

    #[tokio::test]
    async fn a_service_with_another_key_than_its_databases_is_not_ready() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db"), Arc::new(Nobody)).await.unwrap();
        let (key, other) = (MemoryKey::generate().unwrap(), MemoryKey::generate().unwrap());
        let mut write = store.write().await.unwrap();
        write.insert_key_check(&KeyCheck::make(&key).await.unwrap()).await.unwrap();
        write.commit().await.unwrap();
        let ready = Readiness::default().check(&store, &custody(&key)).await.unwrap();
        assert_eq!(ready, Keys::All);
        let error = Readiness::default().check(&store, &custody(&other)).await.unwrap_err();
        assert_eq!((error.id(), error.status().as_u16()), (ErrorId::Error, 503));
    }

    #[tokio::test]
    async fn a_service_is_ready_while_one_of_its_keys_works_and_says_that_not_all_do() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db"), Arc::new(Nobody)).await.unwrap();
        let (key, lost) = (MemoryKey::generate().unwrap(), MemoryKey::generate().unwrap());
        let mut write = store.write().await.unwrap();
        for key in [&key, &lost] {
            write.insert_key_check(&KeyCheck::make(key).await.unwrap()).await.unwrap();
        }
        write.commit().await.unwrap();
        let ready = Readiness::default().check(&store, &custody(&key)).await.unwrap();
        assert_eq!(ready, Keys::Some);
        let known = custody(&key).without(vec![lost.key_id().to_owned()]);
        let ready = Readiness::default().check(&store, &known).await.unwrap();
        assert_eq!(ready, Keys::Some, "what is known to be lost is lost");
    }
}
