//! What operations look up of a client's sets.

use backup_core::Curve;
use portal_api::DevicePublicKey;
use portal_mpc::ByCurve;

use super::operation::Place;
use crate::{
    error::{ApiError, ApiResult},
    store::{SealedPair, SigningPairRow, SigningRow, Snapshot},
};

/// The key of the set that signs.
pub(super) async fn live_key(place: Place<'_>, view: &mut Snapshot) -> ApiResult<DevicePublicKey> {
    let live = view.live_key(&place.client.client).await?;
    live.ok_or_else(ApiError::share_mismatch)
}

/// The set that signs.
pub(super) async fn live(place: Place<'_>, view: &mut Snapshot) -> ApiResult<SigningRow> {
    let live = view.live_set(&place.client.client).await?;
    live.ok_or_else(ApiError::share_mismatch)
}

/// The service's halves of a signing set.
pub(super) async fn signing_halves(
    place: Place<'_>,
    view: &mut Snapshot,
    device_key: &DevicePublicKey,
) -> ApiResult<ByCurve<SealedPair>> {
    let halves = view.signing_shares(&place.client.client, device_key).await?;
    halves.ok_or_else(ApiError::share_mismatch)
}

/// Refuses pairs with which signing is over.
pub(super) fn expect_unfrozen<'a>(
    mut pairs: impl Iterator<Item = (Curve, &'a SigningPairRow)>,
) -> ApiResult<()> {
    if pairs.any(|(_, pair)| pair.frozen) {
        return Err(ApiError::state_invalid(
            "the pair is frozen and signs no more: back it up and recover the backup",
        ));
    }
    Ok(())
}

/// Refuses a device key that names a set already.
pub(super) async fn expect_fresh(
    view: &mut Snapshot,
    device_key: &DevicePublicKey,
) -> ApiResult<()> {
    if view.has_signing_set(device_key).await? {
        return Err(ApiError::state_invalid("a signing set has this device key: make a new one"));
    }
    Ok(())
}
