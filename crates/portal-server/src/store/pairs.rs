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
