//! Ed25519, as halves need it.

use backup_core::Curve;
use curve25519_dalek::{EdwardsPoint, Scalar, edwards::CompressedEdwardsY};
use k256::elliptic_curve::bigint::{NonZero, U256};
use portal_mpc::PublicKey;
use zeroize::Zeroizing;

use crate::{half::Arithmetic, numbers::Coordinates};

/// RFC 8032, section 5.1.
pub(crate) enum Ed25519 {}

impl Arithmetic for Ed25519 {
    type Scalar = Scalar;
    type Point = EdwardsPoint;

    fn scalar(bytes: &[u8; 32]) -> Option<Scalar> {
        let scalar: Option<Scalar> = Scalar::from_canonical_bytes(*reversed(bytes)).into();
        scalar.filter(|scalar| *scalar != Scalar::ZERO)
    }

    fn inverse(scalar: Scalar) -> Option<Scalar> {
        (scalar != Scalar::ZERO).then(|| scalar.invert())
    }

    fn private_bytes(scalar: &Scalar) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(scalar.to_bytes())
    }

    /// RFC 8032 compresses a point to its y and the lowest bit of its x. That loses the rest of x,
    /// so it is checked by itself.
    fn point(coordinates: &Coordinates) -> Option<EdwardsPoint> {
        if !satisfies_the_equation(coordinates) {
            return None;
        }
        let mut compressed = *reversed(&coordinates.y);
        compressed[31] |= coordinates.x[31] << 7;
        PublicKey::from_bytes(Curve::Ed25519, &compressed).ok()?;
        CompressedEdwardsY(compressed).decompress()
    }

    fn times_generator(scalar: &Scalar) -> EdwardsPoint {
        EdwardsPoint::mul_base(scalar)
    }

    fn public_key(point: &EdwardsPoint) -> Option<PublicKey> {
        PublicKey::from_bytes(Curve::Ed25519, point.compress().as_bytes()).ok()
    }
}

/// 2^255 - 19.
const FIELD: NonZero<U256> = NonZero::<U256>::new_unwrap(U256::from_be_hex(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed",
));

/// -121665 / 121666.
const D: U256 =
    U256::from_be_hex("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3");

/// y² = 1 + x² + d x² y², with both coordinates below the order of the field.
fn satisfies_the_equation(Coordinates { x, y }: &Coordinates) -> bool {
    let (x, y) = (U256::from_be_slice(x), U256::from_be_slice(y));
    if x >= *FIELD || y >= *FIELD {
        return false;
    }
    let squared = |value: U256| value.mul_mod(&value, &FIELD);
    let (x, y) = (squared(x), squared(y));
    let product = D.mul_mod(&x.mul_mod(&y, &FIELD), &FIELD);
    y == product.add_mod(&x, &FIELD).add_mod(&U256::ONE, &FIELD)
}

fn reversed(bytes: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    let mut bytes = Zeroizing::new(*bytes);
    bytes.reverse();
    bytes
}
