//! What goes when its time is over.

use std::{collections::HashSet, sync::Arc, time::Duration};

use backup_core::{ClientId, CustodianId, EncryptionContext};
use tokio::time::{self, Instant, MissedTickBehavior};

use crate::{
    halves::{Halves, Missing},
    lifecycle,
    metrics::Fate,
    service::{Service, SharedService},
    store::{StoreError, lifecycle_sets},
};

/// How long a backup set waits for its commit, in seconds: a week.
pub const PENDING_BACKUP_SECONDS: u64 = 7 * 24 * 60 * 60;

/// How long a signing set waits for its confirmation, in seconds: an hour.
pub const PENDING_SIGNING_SECONDS: u64 = 60 * 60;

/// How long a session lives, in seconds: ten minutes.
pub const SESSION_SECONDS: u64 = 10 * 60;

/// How long a session's id is remembered, in seconds: a day.
pub const SESSION_MARK_SECONDS: u64 = 24 * 60 * 60;

/// Clears away what is over at `now` (seconds since 1970).
///
/// A client whose rows cannot be read keeps them, and the others are tended all the same.
///
/// # Errors
///
/// [`StoreError`]. What was cleared before it stays cleared.
pub async fn run_once(service: &Service, now: u64) -> Result<(), StoreError> {
    clear_away(service, now, Webhooks::ButFor(HashSet::new())).await
}

/// The same at a start, which waits for no webhook: what would need one goes later.
pub(crate) async fn run_at_start(service: &Service, now: u64) -> Result<(), StoreError> {
    clear_away(service, now, Webhooks::None).await
}

/// Which webhooks are asked.
enum Webhooks {
    None,
    /// Those that have answered, or have not been asked yet: one that does not answer would make
    /// each of its clients wait.
    ButFor(HashSet<CustodianId>),
}

async fn clear_away(service: &Service, now: u64, mut webhooks: Webhooks) -> Result<(), StoreError> {
    clear_sessions_and_signing(service, now).await?;
    let before = now.saturating_sub(PENDING_BACKUP_SECONDS);
    let clients = service.store.read().await?.clients_to_tend(before).await?;
    for client in clients {
        if let Err(error) = tend(service, &client, now, &mut webhooks).await {
            tracing::error!(%client, %error, "the backups of a client cannot be tended");
        }
    }
    Ok(())
}

/// Runs after every `interval` until it is dropped.
pub(crate) async fn run(service: SharedService, interval: Duration) {
    let mut ticks = time::interval_at(Instant::now() + interval, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // In a task of its own, so that a transaction is never dropped half way.
        let service = Arc::clone(&service);
        let done = tokio::spawn(async move { run_once(&service, service.now()).await });
        if let Ok(Err(error)) = done.await {
            tracing::error!(%error, "maintenance failed; it runs again later");
        }
    }
}

async fn clear_sessions_and_signing(service: &Service, now: u64) -> Result<(), StoreError> {
    let mut write = service.store.write().await?;
    let before = now.saturating_sub(SESSION_MARK_SECONDS);
    let mut gone = write.delete_session_marks(before).await?;
    let before = now.saturating_sub(SESSION_SECONDS);
    gone += write.erase_sessions(&service.generation.0, before).await?;
    let before = now.saturating_sub(PENDING_SIGNING_SECONDS);
    gone += write.delete_pending_signing_sets(before).await?;
    gone += write.delete_session_tokens(now).await?;
    if gone > 0 {
        write.commit().await?;
    }
    Ok(())
}

/// What a set is superseded by has to be there: so it is asked for before anything is retired. None
/// if it should be asked for, and cannot be in this run.
async fn missing(
    service: &Service,
    client: &ClientId,
    now: u64,
    webhooks: &mut Webhooks,
) -> Result<Option<Missing>, StoreError> {
    let mut view = service.store.read().await?;
    let sets = lifecycle_sets(&view.backups(client).await?);
    if lifecycle::retirable(&sets, now, service.grace_seconds).next().is_none() {
        return Ok(Some(Missing::default()));
    }
    if view.completed_at_custodian(client).await?.is_empty() {
        return Ok(Some(Missing::default()));
    }
    let custodian = view.custodian_of(client).await?;
    drop(view);
    let Webhooks::ButFor(silent) = webhooks else { return Ok(None) };
    if silent.contains(&custodian) {
        return Ok(None);
    }
    let client = EncryptionContext::new(custodian, client.clone());
    let missing = Halves::of(service, &client).missing().await?;
    if missing.is_silence {
        silent.insert(client.custodian);
    }
    Ok(Some(missing))
}

async fn tend(
    service: &Service,
    client: &ClientId,
    now: u64,
    webhooks: &mut Webhooks,
) -> Result<(), StoreError> {
    let Some(missing) = missing(service, client, now, webhooks).await? else { return Ok(()) };
    let mut write = service.store.write().await?;
    let sets = missing.hidden_in(&write.backups(client).await?);
    let expired = lifecycle::expired(&sets, now, PENDING_BACKUP_SECONDS);
    let retired = lifecycle::retirable(&sets, now, service.grace_seconds);
    let expired = expired.map(|set| (set, Fate::Expired));
    let gone: Vec<_> = expired.chain(retired.map(|set| (set, Fate::Retired))).collect();
    for (set, fate) in &gone {
        write.delete_backup(client, &set.id).await?;
        write.count(*fate);
    }
    if !gone.is_empty() {
        write.commit().await?;
    }
    Ok(())
}
