//! The service's halves that take part in an operation, and those that come of it.

use backup_core::{EncryptionContext, MethodId, SharePairId};
use portal_api::{PairName, PerCurve};
use portal_mpc::{BackupShare, ByCurve, Error, Server, StoredShare};

use crate::{
    audit::Access,
    custody::Custody,
    error::{ApiError, ApiResult},
    halves::Halves,
    service::Service,
    store::{CustodianHalf, SealedPair},
};

/// Halves as they are kept, here or at their custodian.
#[derive(Debug)]
pub(super) enum Stored {
    /// None.
    Nothing,
    /// Of a signing set.
    Signing(ByCurve<SealedPair>),
    /// Of a backup set.
    Backup(ByCurve<CustodianHalf>),
}

/// Halves as the protocols take them.
#[derive(Debug)]
pub(super) enum Shares {
    /// None.
    Nothing,
    /// Of a signing set.
    Signing(ByCurve<StoredShare<Server>>),
    /// Of a backup set.
    Backup(ByCurve<BackupShare<Server>>),
}

impl Stored {
    /// The pairs' names.
    pub(super) fn names(&self) -> PerCurve<PairName> {
        match self {
            Self::Nothing => no_pairs(),
            Self::Signing(pairs) => {
                pairs.as_ref().map(|sealed| PairName(sealed.pair.id.clone())).into()
            }
            Self::Backup(halves) => {
                halves.as_ref().map(|half| PairName(half.pair().id.clone())).into()
            }
        }
    }

    pub(super) async fn open(
        &self,
        service: &Service,
        client: &EncryptionContext,
    ) -> ApiResult<Shares> {
        let custody = &service.custody;
        Ok(match self {
            Self::Nothing => Shares::Nothing,
            Self::Signing(ByCurve { secp256k1, ed25519 }) => Shares::Signing(ByCurve {
                secp256k1: open_signing(custody, client, secp256k1.as_ref()).await?,
                ed25519: open_signing(custody, client, ed25519.as_ref()).await?,
            }),
            Self::Backup(halves) => {
                Shares::Backup(Halves::of(service, client).open(halves, Access::Used).await?)
            }
        })
    }

    /// Those of a signing set.
    pub(super) fn signing(self) -> ApiResult<ByCurve<SealedPair>> {
        match self {
            Self::Signing(pairs) => Ok(pairs),
            Self::Nothing | Self::Backup(_) => Err(not_as_named()),
        }
    }

    /// Those of a backup set.
    pub(super) fn backup(self) -> ApiResult<ByCurve<CustodianHalf>> {
        match self {
            Self::Backup(halves) => Ok(halves),
            Self::Nothing | Self::Signing(_) => Err(not_as_named()),
        }
    }
}

impl Shares {
    /// Those of a signing set.
    pub(super) fn signing(self) -> Result<ByCurve<StoredShare<Server>>, Error> {
        match self {
            Self::Signing(shares) => Ok(shares),
            Self::Nothing | Self::Backup(_) => Err(Error::PairMismatch),
        }
    }

    /// Those of a backup set.
    pub(super) fn backup(self) -> Result<ByCurve<BackupShare<Server>>, Error> {
        match self {
            Self::Backup(shares) => Ok(shares),
            Self::Nothing | Self::Signing(_) => Err(Error::PairMismatch),
        }
    }

    /// Keeps each under the name of its pair, so that it can be had again before this returns.
    /// `method` is that of a backup.
    pub(super) async fn keep(
        &self,
        service: &Service,
        client: &EncryptionContext,
        names: &PerCurve<PairName>,
        method: Option<&MethodId>,
    ) -> ApiResult<Stored> {
        Ok(match self {
            Self::Nothing => Stored::Nothing,
            Self::Signing(shares) => {
                Stored::Signing(seal(&service.custody, client, shares, names).await?)
            }
            Self::Backup(shares) => {
                let method = method.ok_or_else(not_as_named)?;
                Stored::Backup(Halves::of(service, client).keep(method, shares, names).await?)
            }
        })
    }
}

async fn seal(
    custody: &Custody,
    client: &EncryptionContext,
    shares: &ByCurve<StoredShare<Server>>,
    names: &PerCurve<PairName>,
) -> ApiResult<ByCurve<SealedPair>> {
    let mut sealed = Vec::new();
    for (curve, PairName(name)) in names.iter() {
        let share = shares.get(curve).ok_or_else(not_as_named)?;
        sealed.push(custody.seal_signing(client, name, share).await?);
    }
    ByCurve::collect(sealed).map_err(|_| not_as_named())
}

/// No names.
pub(super) const fn no_pairs() -> PerCurve<PairName> {
    PerCurve { secp256k1: None, ed25519: None }
}

/// The names alone.
pub(super) fn ids(names: &PerCurve<PairName>) -> impl Iterator<Item = &SharePairId> {
    names.iter().map(|(_, PairName(id))| id)
}

fn not_as_named() -> ApiError {
    ApiError::internal("the pairs that were made are not those that were named")
}

async fn open_signing(
    custody: &Custody,
    client: &EncryptionContext,
    pair: Option<&SealedPair>,
) -> ApiResult<Option<StoredShare<Server>>> {
    match pair {
        Some(pair) => Ok(Some(custody.open_signing(client, pair).await?)),
        None => Ok(None),
    }
}
