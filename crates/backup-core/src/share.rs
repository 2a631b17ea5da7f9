//! A client's backup share, with the public facts that recovery checks it against.

use std::fmt;

use secrecy::{ExposeSecret, SecretSlice};

use crate::{Curve, Result, SharePairId, error::invalid_input};

/// A compressed point: a wallet's public key, or the public commitment to a share.
///
/// Its length fits its curve. Whether it lies on the curve is not checked here: this crate does no
/// curve arithmetic, the protocols do.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Point {
    curve: Curve,
    bytes: [u8; Self::MAX_LEN],
}

impl Point {
    const MAX_LEN: usize = 33;

    /// A point of `curve`: SEC 1 compressed for secp256k1, RFC 8032 for Ed25519.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the length is not
    /// [`Curve::point_len`].
    pub fn new(curve: Curve, compressed: &[u8]) -> Result<Self> {
        if compressed.len() != curve.point_len() {
            return Err(invalid_input(format!(
                "a point of {curve} has {} bytes, not {}",
                curve.point_len(),
                compressed.len()
            )));
        }
        let mut bytes = [0; Self::MAX_LEN];
        bytes[..compressed.len()].copy_from_slice(compressed);
        Ok(Self { curve, bytes })
    }

    /// The curve that the point is said to lie on.
    #[must_use]
    pub fn curve(&self) -> Curve {
        self.curve
    }

    /// The compressed point.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.curve.point_len()]
    }
}

impl fmt::Debug for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.curve, crate::id::to_hex(self.as_bytes()))
    }
}

/// The client's half of one backup share pair.
///
/// Neither half is of use alone. The custodian keeps the other one under the same pair id, and
/// together they recover the wallet.
pub struct ClientBackupShare {
    pair: SharePairId,
    wallet: Point,
    client_commitment: Point,
    custodian_commitment: Point,
    secret: SecretSlice<u8>,
}

impl ClientBackupShare {
    /// The longest share, in bytes.
    pub const MAX_SECRET_LEN: usize = 1024;

    /// A share of the wallet with public key `wallet`.
    ///
    /// The commitments are the public points of both halves. Recovery checks both halves against
    /// these and never against what a server says. `secret` is the half as the protocols encode it;
    /// to this crate it is bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the points lie on different curves, or
    /// the secret is empty or longer than [`MAX_SECRET_LEN`](Self::MAX_SECRET_LEN).
    pub fn new(
        pair: SharePairId,
        wallet: Point,
        client_commitment: Point,
        custodian_commitment: Point,
        secret: SecretSlice<u8>,
    ) -> Result<Self> {
        let curve = wallet.curve();
        if client_commitment.curve() != curve || custodian_commitment.curve() != curve {
            return Err(invalid_input("a share's commitments lie on its wallet's curve"));
        }
        if !(1..=Self::MAX_SECRET_LEN).contains(&secret.expose_secret().len()) {
            return Err(invalid_input("a share has 1 to 1024 bytes"));
        }
        Ok(Self { pair, wallet, client_commitment, custodian_commitment, secret })
    }

    /// The id that both halves carry.
    #[must_use]
    pub fn pair(&self) -> &SharePairId {
        &self.pair
    }

    /// The wallet's public key.
    #[must_use]
    pub fn wallet(&self) -> Point {
        self.wallet
    }

    /// The public point of the client's half.
    #[must_use]
    pub fn client_commitment(&self) -> Point {
        self.client_commitment
    }

    /// The public point of the custodian's half.
    #[must_use]
    pub fn custodian_commitment(&self) -> Point {
        self.custodian_commitment
    }

    /// The client's half, as the protocols encode it.
    #[must_use]
    pub fn secret(&self) -> &SecretSlice<u8> {
        &self.secret
    }
}

impl fmt::Debug for ClientBackupShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBackupShare")
            .field("pair", &self.pair)
            .field("wallet", &self.wallet)
            .finish_non_exhaustive()
    }
}
