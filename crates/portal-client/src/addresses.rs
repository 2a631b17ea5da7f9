//! A client's wallets, by their public keys.

use backup_core::{Curve, Point};
use portal_mpc::{ByCurve, Namespace, PublicKey};

use crate::{Error, Result};

/// The public keys of a client's wallets, one per curve, and the addresses that follow from them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Addresses(ByCurve<PublicKey>);

impl Addresses {
    /// The wallets with these keys.
    #[must_use]
    pub const fn new(public_keys: ByCurve<PublicKey>) -> Self {
        Self(public_keys)
    }

    /// The address in this namespace, if there is a wallet on its curve.
    #[must_use]
    pub fn address(&self, namespace: Namespace) -> Option<String> {
        self.public_key(namespace.curve())?.address(namespace)
    }

    /// The public key of the wallet on this curve.
    #[must_use]
    pub const fn public_key(&self, curve: Curve) -> Option<&PublicKey> {
        self.0.get(curve)
    }

    /// The public keys, each with its curve.
    pub fn iter(&self) -> impl Iterator<Item = (Curve, &PublicKey)> {
        self.0.iter()
    }

    /// As an envelope's reader supplies them.
    pub(crate) fn points(&self) -> Result<Vec<Point>> {
        self.iter().map(|(_, key)| point(key)).collect()
    }

    pub(crate) fn of_points(points: impl IntoIterator<Item = Point>) -> Result<Self> {
        let keys =
            points.into_iter().map(|point| public_key(&point)).collect::<Result<Vec<_>>>()?;
        Ok(Self(ByCurve::collect(keys)?))
    }
}

pub(crate) fn point(key: &PublicKey) -> Result<Point> {
    use portal_mpc::OnCurve as _;
    Point::new(key.curve(), key.as_bytes()).map_err(Error::Method)
}

/// The same key, known to lie on its curve.
pub(crate) fn public_key(point: &Point) -> Result<PublicKey> {
    PublicKey::from_bytes(point.curve(), point.as_bytes())
        .map_err(|_| Error::Damaged("a public key in it is none".into()))
}
