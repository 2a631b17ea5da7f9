//! Which custodian's half may leave the service now, and that it was noted.

use backup_core::{BackupId, EncryptionContext, SharePairId};
use portal_api::compat::PrepareEject;
use portal_mpc::{BackupShare, ByCurve, OnCurve, PublicKey, Server};

use super::known::Known;
use crate::{
    audit::Access,
    error::{ApiError, ApiResult},
    halves::Halves,
    lifecycle::Refusal,
    service::Service,
    store::{Audience, BackupRow, Snapshot, lifecycle_sets},
};

/// The custodian's half of one pair of a completed backup, while its wallet may be ejected.
pub(super) struct Releasable {
    wallet: String,
    key: PublicKey,
    pub(super) pair: SharePairId,
    pub(super) backup: BackupId,
}

/// That of the pair that is asked for.
pub(super) fn of_pair(
    known: &Known,
    wallet: &str,
    request: &PrepareEject,
    now: u64,
) -> ApiResult<Releasable> {
    let key = ejectable(known, wallet, now)?;
    let row = known.backup_of(&request.backup_share_pair_id)?;
    let is_of_method =
        request.backup_method.as_ref().is_none_or(|method| row.set.method == *method);
    let pair = row.pairs.get(key.curve());
    let pair = pair.filter(|pair| pair.id == request.backup_share_pair_id);
    let pair = pair.filter(|pair| pair.public_key == key && is_of_method);
    let pair = pair.ok_or_else(|| {
        ApiError::not_found("this wallet has no such backup share pair of this method")
    })?;
    if !row.set.is_completed() {
        return Err(ApiError::state_invalid("this backup was never completed: use another"));
    }
    Ok(releasable(wallet, key, row, pair.id.clone()))
}

/// That of the newest backup.
pub(super) fn newest(known: &Known, wallet: &str, now: u64) -> ApiResult<Releasable> {
    let key = ejectable(known, wallet, now)?;
    let sets = lifecycle_sets(&known.backups);
    let newest = crate::lifecycle::newest_of_wallet(&sets, key.curve());
    let newest = newest.ok_or_else(|| ApiError::not_found("this wallet has no backup"))?;
    let row = known.backups.iter().find(|row| row.set.id == newest.id);
    let row = row.ok_or(Refusal::NoSuchSet)?;
    let pair = row.pairs.iter().find(|(_, pair)| pair.public_key == key);
    let (_, pair) = pair.ok_or(Refusal::NoSuchSet)?;
    Ok(releasable(wallet, key, row, pair.id.clone()))
}

fn releasable(wallet: &str, key: PublicKey, row: &BackupRow, pair: SharePairId) -> Releasable {
    Releasable { wallet: wallet.to_owned(), key, pair, backup: row.set.id.clone() }
}

/// The key of a wallet that may be ejected now.
fn ejectable(known: &Known, wallet: &str, now: u64) -> ApiResult<PublicKey> {
    let key = known.wallet(wallet)?;
    let mut windows = known.eject_windows.iter();
    if windows.any(|window| window.wallet == wallet && now < window.until) {
        return Ok(key);
    }
    Err(ApiError::state_invalid(
        "this wallet may not be ejected now: its custodian has to allow it, for a while",
    ))
}

impl Releasable {
    /// Opens the half, for which a key service may be asked: so `view` is let go before.
    pub(super) async fn open(
        &self,
        service: &Service,
        client: &EncryptionContext,
        mut view: Snapshot,
    ) -> ApiResult<BackupShare<Server>> {
        let halves = view.custodian_halves(&client.client, &self.backup).await?;
        drop(view);
        let halves = halves.ok_or(Refusal::NoSuchSet)?;
        let of_wallet = halves.get(self.key.curve()).ok_or(Refusal::NoSuchSet)?.clone();
        let of_wallet = ByCurve::collect([of_wallet]).map_err(|_| Refusal::NoSuchSet)?;
        let opened = Halves::of(service, client).open(&of_wallet, Access::Released).await?;
        let half = opened.secp256k1.or(opened.ed25519);
        Ok(half.ok_or(Refusal::NoSuchSet)?)
    }

    /// Notes the release, if it is possible still. Only then the half may leave.
    pub(super) async fn note(
        &self,
        service: &Service,
        client: &EncryptionContext,
        audience: Audience,
    ) -> ApiResult<()> {
        let now = service.now();
        let mut write = service.store.write().await?;
        let known = Known::read(&mut write, client).await?;
        ejectable(&known, &self.wallet, now)?;
        known.backup_of(&self.pair)?;
        write.note_release(&client.client, &self.wallet, &self.pair, audience, now).await?;
        write.commit().await?;
        tracing::info!(client = %client.client, pair = %self.pair, ?audience, "a half is released");
        Ok(())
    }
}
