//! secp256k1, as halves need it.

use backup_core::Curve;
use k256::{
    AffinePoint, ProjectivePoint, Scalar, Sec1Point,
    elliptic_curve::{
        PrimeField,
        sec1::{FromSec1Point, ToSec1Point},
    },
};
use portal_mpc::PublicKey;
use zeroize::Zeroizing;

use crate::{half::Arithmetic, numbers::Coordinates};

/// SEC 2, section 2.4.1.
pub(crate) enum Secp256k1 {}

impl Arithmetic for Secp256k1 {
    type Scalar = Scalar;
    type Point = ProjectivePoint;

    fn scalar(bytes: &[u8; 32]) -> Option<Scalar> {
        let scalar: Option<Scalar> = Scalar::from_repr((*bytes).into()).into();
        scalar.filter(|scalar| *scalar != Scalar::ZERO)
    }

    fn inverse(scalar: Scalar) -> Option<Scalar> {
        scalar.invert().into()
    }

    fn private_bytes(scalar: &Scalar) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(scalar.to_repr().into())
    }

    fn point(coordinates: &Coordinates) -> Option<ProjectivePoint> {
        let Coordinates { x, y } = coordinates;
        let encoded = Sec1Point::from_affine_coordinates(&(*x).into(), &(*y).into(), false);
        let point: Option<AffinePoint> = AffinePoint::from_sec1_point(&encoded).into();
        point.filter(|point| *point != AffinePoint::IDENTITY).map(ProjectivePoint::from)
    }

    fn times_generator(scalar: &Scalar) -> ProjectivePoint {
        ProjectivePoint::mul_by_generator(scalar)
    }

    fn public_key(point: &ProjectivePoint) -> Option<PublicKey> {
        let encoded = point.to_affine().to_sec1_point(true);
        PublicKey::from_bytes(Curve::Secp256k1, encoded.as_bytes()).ok()
    }
}
