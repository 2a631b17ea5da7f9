//! Shares between the protocols' types and the forms in which a device keeps and seals them.

use backup_core::{
    ClientBackupShare, Curve, SharePairId,
    secrecy::{ExposeSecret, SecretBox, SecretSlice},
};
use portal_api::DeviceKey;
use portal_mpc::{
    BackupShare, BackupSource, ByCurve, Client, Commitments, OnCurve, PairId, SigningShare,
    StoredShare, TestSource,
};

use crate::{
    Error, Result,
    addresses::{point, public_key},
    device::{SigningPair, SigningSet},
};

/// The shares of a set, in whatever condition they are.
pub(super) fn stored(set: &SigningSet) -> Result<ByCurve<StoredShare<Client>>> {
    let shares = set.pairs().iter().map(stored_share).collect::<Result<Vec<_>>>()?;
    Ok(ByCurve::collect(shares)?)
}

fn stored_share(pair: &SigningPair) -> Result<StoredShare<Client>> {
    let share = StoredShare::from_bytes(pair.share.expose_secret()).map_err(|_| damaged())?;
    let is_its_own = share.pair() == PairId::from_name(pair.pair.as_str())
        && share.public_key() == public_key(&pair.wallet)?;
    if is_its_own { Ok(share) } else { Err(damaged()) }
}

/// The share of a live set on one curve, if it signs.
pub(super) fn signing(set: &SigningSet, curve: Curve) -> Result<SigningShare<Client>> {
    let pair = set.pairs().iter().find(|pair| pair.wallet.curve() == curve);
    let pair = pair.ok_or_else(|| Error::InvalidInput(format!("there is no {curve} wallet")))?;
    match stored_share(pair)? {
        StoredShare::Live(share) => Ok(share),
        StoredShare::Frozen(_) => Err(Error::Frozen { curve }),
        StoredShare::Unconfirmed(_) => Err(Error::NotLive),
    }
}

/// The name of a live set's pair on one curve, and its share in the form that signs no more.
pub(crate) fn frozen_form(
    set: &SigningSet,
    curve: Curve,
) -> Result<(SharePairId, SecretSlice<u8>)> {
    let share = signing(set, curve)?.freeze();
    let pair = set.pairs().iter().find(|pair| pair.wallet.curve() == curve);
    let pair = pair.ok_or_else(damaged)?;
    Ok((pair.pair.clone(), secret(&share.to_bytes())))
}

/// The curves on which this device's half signs no more.
pub(crate) fn frozen_curves(set: &SigningSet) -> impl Iterator<Item = Curve> {
    let is_frozen = |pair: &&SigningPair| matches!(stored_share(pair), Ok(StoredShare::Frozen(_)));
    set.pairs().iter().filter(is_frozen).map(|pair| pair.wallet.curve())
}

/// What a backup is made of: frozen pairs can be backed up, unconfirmed ones cannot.
pub(super) fn backup_sources(
    shares: &ByCurve<StoredShare<Client>>,
) -> Result<ByCurve<BackupSource<'_, Client>>> {
    shares.as_ref().try_map(|_, share| match share {
        StoredShare::Live(share) => Ok(share.into()),
        StoredShare::Frozen(share) => Ok(share.into()),
        StoredShare::Unconfirmed(_) => Err(Error::NotLive),
    })
}

/// What a test is signed with. A frozen pair signs none.
pub(super) fn test_sources(
    shares: &ByCurve<StoredShare<Client>>,
) -> Result<ByCurve<TestSource<'_, Client>>> {
    let source = |curve, share| StoredShare::test_source(share).ok_or(Error::Frozen { curve });
    shares.as_ref().try_map(source)
}

/// A set as the device keeps it.
pub(super) fn signing_set(key: &DeviceKey, pairs: Vec<SigningPair>) -> Result<SigningSet> {
    let mut device_key = Box::new([0; DeviceKey::LEN]);
    device_key.copy_from_slice(key.expose());
    SigningSet::new(SecretBox::new(device_key), pairs).map_err(Error::Device)
}

pub(super) fn signing_pair(
    name: SharePairId,
    wallet: &portal_mpc::PublicKey,
    share: &[u8],
) -> Result<SigningPair> {
    Ok(SigningPair { pair: name, wallet: point(wallet)?, share: secret(share) })
}

/// The device's half, with the public facts that recovery checks it against.
pub(super) fn to_be_sealed(
    name: SharePairId,
    share: &BackupShare<Client>,
) -> Result<ClientBackupShare> {
    let commitments = share.commitments();
    ClientBackupShare::new(
        name,
        point(&commitments.public_key())?,
        point(&commitments.client())?,
        point(&commitments.server())?,
        secret(&share.to_bytes()),
    )
    .map_err(Error::Method)
}

/// One share of an opened envelope, checked against what was sealed beside it.
pub(crate) struct OpenedShare {
    pub(super) name: SharePairId,
    pub(super) share: BackupShare<Client>,
    pub(super) commitments: Commitments,
}

impl OpenedShare {
    /// Checks that a share is what it should be: of this pair, this wallet and these commitments.
    pub(crate) fn check(opened: &ClientBackupShare) -> Result<Self> {
        let share = BackupShare::from_bytes(opened.secret().expose_secret())
            .map_err(|_| unusable("a share in it is malformed"))?;
        let commitments = Commitments::new(
            public_key(&opened.wallet())?,
            public_key(&opened.client_commitment())?,
            public_key(&opened.custodian_commitment())?,
        )
        .map_err(|_| unusable("its commitments are not those of this wallet"))?;
        if share.pair() != PairId::from_name(opened.pair().as_str()) {
            return Err(unusable("a share in it is of another pair"));
        }
        if share.commitments() != commitments {
            return Err(unusable("a share in it does not fit its commitments"));
        }
        Ok(Self { name: opened.pair().clone(), share, commitments })
    }
}

impl OnCurve for OpenedShare {
    fn curve(&self) -> Curve {
        self.share.curve()
    }
}

pub(super) fn secret(bytes: &[u8]) -> SecretSlice<u8> {
    SecretSlice::from(Box::<[u8]>::from(bytes))
}

fn unusable(reason: &str) -> Error {
    Error::Damaged(reason.to_owned())
}

pub(super) fn damaged() -> Error {
    Error::Device(backup_core::Error::new(
        backup_core::ErrorKind::Damaged,
        "a share that the device keeps is damaged; recover from a backup",
    ))
}
