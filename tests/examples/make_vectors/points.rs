//! Points of both curves.

use curve25519_dalek::{EdwardsPoint, Scalar as EdwardsScalar};
use k256::{
    FieldBytes, ProjectivePoint, Scalar,
    elliptic_curve::{ops::Reduce, sec1::ToSec1Point},
};

use backup_core::{Curve, WrappingKey};

use crate::Result;

/// A wallet's public key and the commitments of its two halves, which are the values at 1 and 2
/// of a line whose value at 0 is the wallet's key.
pub(crate) fn of_a_pair(curve: Curve) -> Result<[Vec<u8>; 3]> {
    let halves = [*WrappingKey::generate()?.expose(), *WrappingKey::generate()?.expose()];
    Ok(match curve {
        Curve::Secp256k1 => {
            let [y1, y2] = halves.map(|half| {
                ProjectivePoint::GENERATOR * <Scalar as Reduce<FieldBytes>>::reduce(&half.into())
            });
            [y1 + y1 - y2, y1, y2]
                .map(|point| point.to_affine().to_sec1_point(true).as_bytes().to_vec())
        }
        _ => {
            let [y1, y2] = halves
                .map(|half| EdwardsPoint::mul_base(&EdwardsScalar::from_bytes_mod_order(half)));
            [y1 + y1 - y2, y1, y2].map(|point| point.compress().to_bytes().to_vec())
        }
    })
}
