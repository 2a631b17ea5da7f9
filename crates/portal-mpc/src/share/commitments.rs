//! The public side of a pair.

use backup_core::Curve;

use crate::by_curve::OnCurve;
use crate::bytes::Reader;
use crate::error::FormatError;
use crate::public_key::PublicKey;
use crate::role::Party;
use crate::{ed25519, secp256k1};

/// The wallet's public key and the commitments to both halves of one pair: each half times the
/// generator.
///
/// A value of this type is always consistent: the three points are on one line, twice the client's
/// minus the server's being the public key. They are no secret. A backup seals them beside the
/// client's share, and recovery compares the shares with these, never with what a server says.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Commitments {
    public_key: PublicKey,
    client: PublicKey,
    server: PublicKey,
}

impl Commitments {
    /// The commitments of a pair of the wallet with this key.
    ///
    /// # Errors
    ///
    /// [`FormatError::WrongKind`] if they are of several curves, [`FormatError::Damaged`] if no
    /// such pair is a pair of this wallet.
    pub fn new(
        public_key: PublicKey,
        client: PublicKey,
        server: PublicKey,
    ) -> Result<Self, FormatError> {
        if [client, server].iter().any(|point| point.curve() != public_key.curve()) {
            return Err(FormatError::WrongKind);
        }
        let expected = Self::of(Party::Client, client, public_key)?;
        if expected.server == server { Ok(expected) } else { Err(FormatError::Damaged) }
    }

    /// The wallet's public key.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        self.public_key
    }

    /// The commitment to the client's half.
    #[must_use]
    pub const fn client(&self) -> PublicKey {
        self.client
    }

    /// The commitment to the server's, or the custodian's, half.
    #[must_use]
    pub const fn server(&self) -> PublicKey {
        self.server
    }

    /// The stored form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let curve = super::format::curve_code(self.curve());
        let points = [self.public_key, self.client, self.server];
        let header = [super::format::VERSION, super::format::COMMITMENTS, curve];
        points.iter().fold(header.to_vec(), |mut bytes, point| {
            bytes.extend_from_slice(point.as_bytes());
            bytes
        })
    }

    /// Reads the stored form.
    ///
    /// # Errors
    ///
    /// A [`FormatError`] if these are not consistent commitments.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes);
        super::format::read_version(&mut reader)?;
        reader.expect(super::format::COMMITMENTS)?;
        let curve = super::format::read_curve(&mut reader)?;
        let mut point = || PublicKey::from_bytes(curve, reader.take(curve.point_len())?);
        let (public_key, client, server) = (point()?, point()?, point()?);
        reader.finish()?;
        Self::new(public_key, client, server)
    }

    /// What follows from one commitment and the public key.
    pub(crate) fn of(
        party: Party,
        own: PublicKey,
        public_key: PublicKey,
    ) -> Result<Self, FormatError> {
        let other = match public_key.curve() {
            Curve::Secp256k1 => other_on_secp256k1(party, own, public_key),
            Curve::Ed25519 => other_on_ed25519(party, own, public_key),
            _ => None,
        }
        .ok_or(FormatError::Damaged)?;
        let (client, server) = match party {
            Party::Client => (own, other),
            Party::Server => (other, own),
        };
        Ok(Self { public_key, client, server })
    }

    /// The commitment to one party's half.
    pub(crate) const fn of_party(&self, party: Party) -> PublicKey {
        match party {
            Party::Client => self.client,
            Party::Server => self.server,
        }
    }
}

impl OnCurve for Commitments {
    fn curve(&self) -> Curve {
        self.public_key.curve()
    }
}

fn other_on_secp256k1(party: Party, own: PublicKey, public_key: PublicKey) -> Option<PublicKey> {
    let (own, key) = (secp256k1::point(own.as_bytes())?, secp256k1::point(public_key.as_bytes())?);
    secp256k1::other_commitment(party, own, key).map(PublicKey::from_secp256k1)
}

fn other_on_ed25519(party: Party, own: PublicKey, public_key: PublicKey) -> Option<PublicKey> {
    let (own, key) = (ed25519::point(own.as_bytes())?, ed25519::point(public_key.as_bytes())?);
    ed25519::other_commitment(party, own, key).map(PublicKey::from_ed25519)
}
