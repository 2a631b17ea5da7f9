//! The fields that all stored forms begin with. `docs/mpc.md` has every byte.

use backup_core::Curve;
use zeroize::Zeroizing;

use crate::bytes::{Reader, Writer};
use crate::error::FormatError;
use crate::pair::PairId;
use crate::public_key::PublicKey;
use crate::role::{Party, Role};
use crate::secp256k1;
use crate::share::Commitments;

/// The version of every stored form.
pub(super) const VERSION: u8 = 1;

/// The kinds of stored forms.
pub(super) const BACKUP: u8 = 1;
pub(super) const SIGNING: u8 = 2;
pub(super) const COMMITMENTS: u8 = 3;

pub(super) fn read_version(reader: &mut Reader<'_>) -> Result<(), FormatError> {
    match reader.byte()? {
        VERSION => Ok(()),
        version => Err(FormatError::Version(version)),
    }
}

pub(super) const fn curve_code(curve: Curve) -> u8 {
    match curve {
        Curve::Ed25519 => 2,
        _ => 1,
    }
}

pub(super) fn read_curve(reader: &mut Reader<'_>) -> Result<Curve, FormatError> {
    match reader.byte()? {
        1 => Ok(Curve::Secp256k1),
        2 => Ok(Curve::Ed25519),
        _ => Err(FormatError::WrongKind),
    }
}

/// Version, kind, curve, party and pair id: 36 bytes.
pub(super) const HEAD: usize = 4 + PairId::LEN;

pub(super) fn write_head<R: Role>(out: &mut Writer<'_>, kind: u8, curve: Curve, pair: &PairId) {
    out.put(&[VERSION, kind, curve_code(curve), R::PARTY.code()]);
    out.put(pair.as_bytes());
}

pub(super) fn read_head<R: Role>(
    reader: &mut Reader<'_>,
    kind: u8,
) -> Result<(Curve, PairId), FormatError> {
    read_version(reader)?;
    reader.expect(kind)?;
    let curve = read_curve(reader)?;
    reader.expect(R::PARTY.code())?;
    Ok((curve, PairId::from_bytes(reader.array()?)))
}

/// The secret scalar, the wallet's public key and the other side's commitment.
pub(super) struct Line {
    pub(super) scalar: Zeroizing<[u8; 32]>,
    pub(super) commitments: Commitments,
}

impl Line {
    pub(super) const fn len(curve: Curve) -> usize {
        32 + 2 * curve.point_len()
    }

    pub(super) fn write(
        out: &mut Writer<'_>,
        scalar: &[u8],
        commitments: &Commitments,
        party: Party,
    ) {
        out.put(scalar);
        out.put(commitments.public_key().as_bytes());
        out.put(commitments.of_party(party.other()).as_bytes());
    }

    /// Reads them, and checks that they belong together: a share that was damaged is not one.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        curve: Curve,
        party: Party,
    ) -> Result<Self, FormatError> {
        let scalar = Zeroizing::new(reader.array()?);
        let public_key = PublicKey::from_bytes(curve, reader.take(curve.point_len())?)?;
        let other = PublicKey::from_bytes(curve, reader.take(curve.point_len())?)?;
        let own = commitment(curve, &scalar).ok_or(FormatError::Malformed)?;
        let (client, server) = match party {
            Party::Client => (own, other),
            Party::Server => (other, own),
        };
        Ok(Self { scalar, commitments: Commitments::new(public_key, client, server)? })
    }
}

/// The commitment to a scalar in the encoding of its curve, if it is one and not zero.
fn commitment(curve: Curve, scalar: &[u8; 32]) -> Option<PublicKey> {
    match curve {
        Curve::Secp256k1 => secp256k1::commitment(scalar).map(PublicKey::from_secp256k1),
        Curve::Ed25519 => crate::ed25519::commitment(scalar).map(PublicKey::from_ed25519),
        _ => None,
    }
}
