//! One value per curve, as an object whose keys are the curves' names.

use backup_core::Curve;
use portal_mpc::ByCurve;
use serde::{Deserialize, Serialize};

/// One value for each curve that something is about.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(inline))]
// Nothing is there by default, whatever `T` is.
#[serde(deny_unknown_fields, bound(deserialize = "T: Deserialize<'de>"))]
pub struct PerCurve<T> {
    /// The value for secp256k1.
    #[serde(rename = "SECP256K1", default, skip_serializing_if = "Option::is_none")]
    pub secp256k1: Option<T>,
    /// The value for Ed25519.
    #[serde(rename = "ED25519", default, skip_serializing_if = "Option::is_none")]
    pub ed25519: Option<T>,
}

impl<T> PerCurve<T> {
    /// The value for this curve.
    #[must_use]
    pub const fn get(&self, curve: Curve) -> Option<&T> {
        match curve {
            Curve::Secp256k1 => self.secp256k1.as_ref(),
            Curve::Ed25519 => self.ed25519.as_ref(),
            _ => None,
        }
    }

    /// The values, each with its curve, in the order of [`Curve::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Curve, &T)> {
        Curve::ALL.into_iter().filter_map(|curve| Some((curve, self.get(curve)?)))
    }
}

impl<T> From<ByCurve<T>> for PerCurve<T> {
    fn from(ByCurve { secp256k1, ed25519 }: ByCurve<T>) -> Self {
        Self { secp256k1, ed25519 }
    }
}

impl<T> From<PerCurve<T>> for ByCurve<T> {
    fn from(PerCurve { secp256k1, ed25519 }: PerCurve<T>) -> Self {
        Self { secp256k1, ed25519 }
    }
}
