//! The two coordinates of a public key, as Portal writes them: in decimal.

use crypto_bigint::{U256, const_prime_monty_params, modular::ConstMontyForm};
use k256::elliptic_curve::sec1::ToSec1Point;

use backup_core::Curve;

use crate::by_curve::OnCurve;
use crate::public_key::PublicKey;
use crate::secp256k1;

impl PublicKey {
    /// The affine coordinates x and y of the point, in decimal.
    ///
    /// # Panics
    ///
    /// Never: a public key is a point.
    #[must_use]
    pub fn coordinates(&self) -> [String; 2] {
        let coordinates = match self.curve() {
            Curve::Ed25519 => of_ed25519(self.as_bytes()),
            _ => of_secp256k1(self.as_bytes()),
        };
        coordinates.map(|coordinate| coordinate.to_string_radix_vartime(10))
    }
}

fn of_secp256k1(bytes: &[u8]) -> [U256; 2] {
    let point = secp256k1::point(bytes).expect("a public key is a point").to_sec1_point(false);
    let (x, y) = point.as_bytes()[1..].split_at(32);
    [x, y].map(U256::from_be_slice)
}

const_prime_monty_params!(
    Prime,
    U256,
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed",
    2,
    "The prime 2^255 - 19."
);

type Element = ConstMontyForm<Prime, { U256::LIMBS }>;

/// The constant d of the curve.
const D: U256 =
    U256::from_be_hex("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3");

/// As RFC 8032, section 5.1.3 says: `curve25519-dalek` does not tell the coordinate x.
fn of_ed25519(bytes: &[u8]) -> [U256; 2] {
    let sign = U256::ONE.shl(255);
    let encoded = U256::from_le_slice(bytes);
    let y = encoded & !sign;
    let (one, y2) = (Element::new(&U256::ONE), Element::new(&y).square());
    let denominator = (Element::new(&D) * y2 + one).invert().expect("d is no square");
    let x = ((y2 - one) * denominator).sqrt().expect("a public key is a point");
    let is_odd = encoded != y;
    let x = if x.retrieve().bit_vartime(0) == is_odd { x } else { -x };
    [x.retrieve(), y]
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::ED25519_BASEPOINT_POINT as BASE;

    use super::*;

    #[test]
    fn the_base_points_have_the_coordinates_that_their_standards_give() {
        let secp256k1 = PublicKey::from_secp256k1(k256::AffinePoint::GENERATOR).coordinates();
        let expected = [
            "55066263022277343669578718895168534326250603453777594175500187360389116729240",
            "32670510020758816978083085130507043184471273380659243275938904335757337482424",
        ];
        assert_eq!(secp256k1, expected);
        let x = "15112221349535400772501151409588531511454012693041857206046113283949847762202";
        let y = "46316835694926478169428394003475163141307993866256225615783033603165251855960";
        assert_eq!(PublicKey::from_ed25519(BASE).coordinates(), [x, y]);
    }

    #[test]
    fn the_negative_of_a_point_has_the_other_x() {
        let sum = |key: PublicKey, other: PublicKey| {
            let [[x, y], [other_x, other_y]] = [key, other].map(|key| of_ed25519(key.as_bytes()));
            assert_eq!(y, other_y);
            x.wrapping_add(&other_x)
        };
        let point = BASE + BASE + BASE;
        let keys = (PublicKey::from_ed25519(point), PublicKey::from_ed25519(-point));
        assert_eq!(
            sum(keys.0, keys.1),
            U256::ZERO.wrapping_sub(&U256::from_u8(19)) & !U256::ONE.shl(255)
        );
    }
}
