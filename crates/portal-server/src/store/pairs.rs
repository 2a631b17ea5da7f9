//! The pairs of a set, and what is sealed of them.

use backup_core::{Curve, SharePairId};
use portal_keys::SealedShare;
use portal_mpc::{ByCurve, OnCurve, PublicKey};
use sqlx::{Row, sqlite::SqliteRow};

use super::{StoreError, columns};

/// A pair.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PairRow {
    /// Its name.
    pub id: SharePairId,
    /// The wallet's public key.
    pub public_key: PublicKey,
}

/// A pair, and the service's half of it.
#[derive(Clone, Debug)]
pub struct SealedPair {
    /// The pair.
    pub pair: PairRow,
    /// The half.
    pub sealed: SealedShare,
}

/// A backup pair whose half is with its custodian.
#[derive(Clone, Debug)]
pub struct PostedPair {
    /// The pair.
    pub pair: PairRow,
    /// SHA-256 of what was posted, by which it is known when it comes back.
    pub sha256: [u8; 32],
}

/// The custodian's half of a backup pair, wherever it is.
#[derive(Clone, Debug)]
pub enum CustodianHalf {
    /// Here.
    Sealed(SealedPair),
    /// With the custodian.
    Posted(PostedPair),
}

impl OnCurve for PairRow {
    fn curve(&self) -> Curve {
        self.public_key.curve()
    }
}

impl OnCurve for SealedPair {
    fn curve(&self) -> Curve {
        self.pair.curve()
    }
}

impl OnCurve for CustodianHalf {
    fn curve(&self) -> Curve {
        self.pair().curve()
    }
}

impl CustodianHalf {
    /// The pair.
    #[must_use]
    pub const fn pair(&self) -> &PairRow {
        match self {
            Self::Sealed(SealedPair { pair, .. }) | Self::Posted(PostedPair { pair, .. }) => pair,
        }
    }

    /// What is here of it.
    #[must_use]
    pub const fn sealed(&self) -> Option<&SealedPair> {
        match self {
            Self::Sealed(sealed) => Some(sealed),
            Self::Posted(_) => None,
        }
    }

    /// Of the columns of [`SealedPair::of`] and `share_sha256`.
    pub(super) fn of(row: &SqliteRow) -> Result<Self, StoreError> {
        match columns::hash_option(row.try_get("share_sha256")?)? {
            Some(sha256) => Ok(Self::Posted(PostedPair { pair: PairRow::of(row)?, sha256 })),
            None => SealedPair::of(row).map(Self::Sealed),
        }
    }
}

impl From<SealedPair> for CustodianHalf {
    fn from(sealed: SealedPair) -> Self {
        Self::Sealed(sealed)
    }
}

impl PairRow {
    /// Of the columns `id`, `curve` and `public_key`.
    pub(super) fn of(row: &SqliteRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: columns::parsed(row.try_get("id")?, "pair id")?,
            public_key: columns::public_key(row.try_get("curve")?, row.try_get("public_key")?)?,
        })
    }
}

impl SealedPair {
    /// Of the same columns and `sealed_share`.
    pub(super) fn of(row: &SqliteRow) -> Result<Self, StoreError> {
        let sealed = SealedShare::decode(row.try_get("sealed_share")?);
        let sealed = sealed.map_err(|_| StoreError::Damaged("sealed share"))?;
        Ok(Self { pair: PairRow::of(row)?, sealed })
    }
}

/// Puts each in the place of its curve.
pub(super) fn by_curve<T: OnCurve>(
    rows: impl IntoIterator<Item = T>,
) -> Result<ByCurve<T>, StoreError> {
    ByCurve::collect(rows).map_err(|_| StoreError::Damaged("set of pairs"))
}
