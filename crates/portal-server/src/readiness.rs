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

/// What is known of it.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    is_ending: AtomicBool,
    /// When database and keys last worked. Whoever asks meanwhile waits for the one who looks.
    worked: Mutex<Option<Instant>>,
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
    pub(crate) async fn check(&self, store: &Store, custody: &Custody) -> ApiResult<()> {
        if self.is_ending.load(Ordering::Acquire) {
            return Err(ApiError::not_ready("the service is about to end"));
        }
        let mut worked = self.worked.lock().await;
        if worked.is_some_and(|at| at.elapsed() < REMEMBERED) {
            return Ok(());
        }
        *worked = None;
        look(store, custody).await?;
        *worked = Some(Instant::now());
        Ok(())
    }
}

/// The check values are read from the database, and opened with the keys.
async fn look(store: &Store, custody: &Custody) -> ApiResult<()> {
    let checks = async { store.read().await?.key_checks().await };
    let checks = checks
        .await
        .map_err(|error| ApiError::not_ready("the database does not answer").caused_by(error))?;
    let keys = custody.verify_keys(&checks).await;
    keys.map_err(|error| ApiError::not_ready("a key does not work").caused_by(error))
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
        Readiness::default().check(&store, &custody(&key)).await.unwrap();
        let error = Readiness::default().check(&store, &custody(&other)).await.unwrap_err();
        assert_eq!((error.id(), error.status().as_u16()), (ErrorId::Error, 503));
    }
}
