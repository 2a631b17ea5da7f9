//! What the service says, set beside what the device keeps: pure.

use backup_core::{BackupId, MethodId, secrecy::ExposeSecret};
use portal_api::{
    BackupSetView, BackupStatus, ClientView, Completion, DeviceKey, DevicePublicKey, SigningSetView,
};
use portal_mpc::{ByCurve, PublicKey};
use sha2::{Digest, Sha256};

use crate::{
    Addresses, Error, Result,
    device::{BackupRun, DeviceState, ServerSet, ServerSigning, SigningSet},
};

/// The name of a signing set.
pub(super) fn name_of(set: &SigningSet) -> DevicePublicKey {
    DeviceKey::from_bytes(set.device_key().expose_secret()).public()
}

/// Whether the device's live set is the service's.
pub(super) fn is_live(state: &DeviceState, view: &ClientView) -> bool {
    let live = view.signing.as_ref().map(|set| set.device_key);
    live.is_some() && live == state.live().map(name_of)
}

/// Which of the device's sets the service signs with.
pub(super) fn server_signing(state: &DeviceState, view: &ClientView) -> ServerSigning {
    let live = view.signing.as_ref().map(|set| set.device_key);
    let Some(pending) = state.pending().map(name_of) else { return ServerSigning::Neither };
    if live == Some(pending) {
        return ServerSigning::Pending;
    }
    if view.pending_signing.iter().any(|set| set.device_key == pending) {
        return ServerSigning::Unconfirmed;
    }
    if is_live(state, view) { ServerSigning::Live } else { ServerSigning::Neither }
}

/// What the service says of the set of an interrupted backup.
pub(super) fn server_set(run: &BackupRun, view: &ClientView) -> ServerSet {
    let Some(set) = view.backups.iter().find(|set| set.id == run.backup) else {
        return ServerSet::Absent;
    };
    let own = run.envelope.as_deref().map(hash);
    let is_same = own.is_some() && set.envelope_sha256 == own;
    let replaces = run.completion.as_ref().and_then(|completion| completion.replaces.as_ref());
    match set.status {
        BackupStatus::Completed if is_same => ServerSet::CompletedSame,
        BackupStatus::Completed => ServerSet::CompletedOther,
        BackupStatus::Pending if head(view, &run.method).map(|head| &head.id) != replaces => {
            ServerSet::Overtaken
        }
        BackupStatus::Pending if set.envelope_sha256.is_none() => ServerSet::PendingEmpty,
        BackupStatus::Pending if is_same => ServerSet::PendingSame,
        BackupStatus::Pending => ServerSet::PendingOther,
    }
}

/// The newest completed set of a method.
pub(super) fn head<'a>(view: &'a ClientView, method: &MethodId) -> Option<&'a BackupSetView> {
    view.backups.iter().find(|set| set.method == *method && set.head)
}

/// Whether a device has committed a set, which the word of an app does not supersede.
pub(super) fn is_committed(set: &BackupSetView) -> bool {
    set.status == BackupStatus::Completed && set.completion == Completion::Commit
}

/// The completed sets of a method, the head first, then from newer to older; or the one asked for.
pub(super) fn candidates<'a>(
    view: &'a ClientView,
    method: &MethodId,
    only: Option<&BackupId>,
) -> Vec<&'a BackupSetView> {
    let completed =
        |set: &&BackupSetView| set.method == *method && set.status == BackupStatus::Completed;
    let mut sets: Vec<_> = view.backups.iter().filter(completed).collect();
    sets.retain(|set| only.is_none_or(|only| set.id == *only));
    sets.sort_by_key(|set| !set.head);
    sets
}

/// The methods whose newest backup this device completed, and of which the service names another.
pub(super) fn rolled_back(state: &DeviceState, view: &ClientView) -> Vec<MethodId> {
    let differs = |(method, known): &(&MethodId, &[u8; 32])| {
        head(view, method).and_then(|head| head.envelope_sha256) != Some(**known)
    };
    state.heads().filter(differs).map(|(method, _)| method.clone()).collect()
}

/// The wallets of a signing set, as the service says.
pub(super) fn addresses(set: &SigningSetView) -> Result<Addresses> {
    let keys = set.pairs.iter().map(|(curve, pair)| public_key(curve, &pair.public_key));
    collect(keys)
}

/// The wallets of a backup set, as the service says.
pub(super) fn backup_addresses(set: &BackupSetView) -> Result<Addresses> {
    let keys = set.pairs.iter().map(|(curve, pair)| public_key(curve, &pair.public_key));
    collect(keys)
}

fn collect(keys: impl Iterator<Item = Result<PublicKey>>) -> Result<Addresses> {
    let keys = ByCurve::collect(keys.collect::<Result<Vec<_>>>()?)
        .map_err(|_| Error::UnexpectedAnswer("it names a set without a wallet".into()))?;
    Ok(Addresses::new(keys))
}

fn public_key(curve: backup_core::Curve, bytes: &[u8]) -> Result<PublicKey> {
    PublicKey::from_bytes(curve, bytes)
        .map_err(|_| Error::UnexpectedAnswer("it names a public key that is none".into()))
}

/// By which envelopes are compared.
pub(super) fn hash(envelope: &str) -> [u8; 32] {
    Sha256::digest(envelope).into()
}
