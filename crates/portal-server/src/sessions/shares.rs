//! The service's halves that take part in an operation, and those that come of it.

use backup_core::{EncryptionContext, SharePairId};
use portal_api::{PairName, PerCurve};
use portal_mpc::{BackupShare, ByCurve, Error, Server, StoredShare};

use crate::{
    custody::Custody,
    error::{ApiError, ApiResult},
    store::SealedPair,
};

/// Halves as they are stored.
#[derive(Debug)]
pub(super) enum Sealed {
    /// None.
    Nothing,
    /// Of a signing set.
    Signing(ByCurve<SealedPair>),
    /// Of a backup set.
    Backup(ByCurve<SealedPair>),
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

impl Sealed {
    /// The pairs' names.
    pub(super) fn names(&self) -> PerCurve<PairName> {
        match self {
            Self::Nothing => no_pairs(),
            Self::Signing(pairs) | Self::Backup(pairs) => {
                pairs.as_ref().map(|sealed| PairName(sealed.pair.id.clone())).into()
            }
        }
    }

    pub(super) async fn open(
        &self,
        custody: &Custody,
        client: &EncryptionContext,
    ) -> ApiResult<Shares> {
        Ok(match self {
            Self::Nothing => Shares::Nothing,
            Self::Signing(ByCurve { secp256k1, ed25519 }) => Shares::Signing(ByCurve {
                secp256k1: open_signing(custody, client, secp256k1.as_ref()).await?,
                ed25519: open_signing(custody, client, ed25519.as_ref()).await?,
            }),
            Self::Backup(ByCurve { secp256k1, ed25519 }) => Shares::Backup(ByCurve {
                secp256k1: open_backup(custody, client, secp256k1.as_ref()).await?,
                ed25519: open_backup(custody, client, ed25519.as_ref()).await?,
            }),
        })
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

    /// Seals each under the name of its pair; every wrap is tried before this returns.
    pub(super) async fn seal(
        &self,
        custody: &Custody,
        client: &EncryptionContext,
        names: &PerCurve<PairName>,
    ) -> ApiResult<ByCurve<SealedPair>> {
        let mut sealed = ByCurve { secp256k1: None, ed25519: None };
        for (curve, PairName(name)) in names.iter() {
            let pair = match self {
                Self::Nothing => continue,
                Self::Signing(shares) => {
                    let share = shares.get(curve).ok_or_else(not_as_named)?;
                    custody.seal_signing(client, name, share).await?
                }
                Self::Backup(shares) => {
                    let share = shares.get(curve).ok_or_else(not_as_named)?;
                    custody.seal_backup(client, name, share).await?
                }
            };
            match curve {
                backup_core::Curve::Ed25519 => sealed.ed25519 = Some(pair),
                _ => sealed.secp256k1 = Some(pair),
            }
        }
        Ok(sealed)
    }
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

async fn open_backup(
    custody: &Custody,
    client: &EncryptionContext,
    pair: Option<&SealedPair>,
) -> ApiResult<Option<BackupShare<Server>>> {
    match pair {
        Some(pair) => Ok(Some(custody.open_backup(client, pair).await?)),
        None => Ok(None),
    }
}
