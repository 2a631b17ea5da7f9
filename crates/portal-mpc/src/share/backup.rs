//! Backup shares: halves without any state that signs.

use std::fmt;
use std::marker::PhantomData;

use backup_core::Curve;
use k256::elliptic_curve::PrimeField;
use zeroize::Zeroizing;

use super::Commitments;
use super::format::{self, HEAD, Line};
use crate::by_curve::OnCurve;
use crate::bytes::{Reader, Writer};
use crate::error::{Error, FormatError};
use crate::pair::PairId;
use crate::public_key::PublicKey;
use crate::role::Role;
use crate::{ed25519, secp256k1};

/// One party's half of a backup pair.
///
/// Alone it is of no use. With the other half it recovers the wallet, into a new signing pair, or
/// ejects the private key. It is a Shamir point at 1 (client) or 2 (custodian) of the line whose
/// value at 0 is the private key, so it outlives the crates that made it.
pub struct BackupShare<R: Role> {
    pair: PairId,
    secret: BackupSecret,
    commitments: Commitments,
    role: PhantomData<R>,
}

/// The half itself.
pub(crate) enum BackupSecret {
    Secp256k1(Box<secp256k1::Half>),
    Ed25519(Box<ed25519::Half>),
}

impl<R: Role> BackupShare<R> {
    /// The length of the longest stored form.
    pub const MAX_LEN: usize = HEAD + Line::len(Curve::Secp256k1) + SECP256K1_EXTRA;

    /// Reads the stored form, and checks that its parts belong together.
    ///
    /// # Errors
    ///
    /// A [`FormatError`] if it is not the stored form of an undamaged backup share of this party.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes);
        let (curve, pair) = format::read_head::<R>(&mut reader, format::BACKUP)?;
        let line = Line::read(&mut reader, curve, R::PARTY)?;
        let secret = match curve {
            Curve::Ed25519 => BackupSecret::Ed25519(Box::new(ed25519_half::<R>(&line)?)),
            _ => BackupSecret::Secp256k1(Box::new(secp256k1_half(&line, &mut reader)?)),
        };
        reader.finish()?;
        Ok(Self { pair, secret, commitments: line.commitments, role: PhantomData })
    }

    /// The stored form. It has at most [`MAX_LEN`](Self::MAX_LEN) bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let curve = self.curve();
        let extra = if curve == Curve::Secp256k1 { SECP256K1_EXTRA } else { 0 };
        let mut bytes = Zeroizing::new(vec![0; HEAD + Line::len(curve) + extra]);
        let mut out = Writer::new(&mut bytes);
        format::write_head::<R>(&mut out, format::BACKUP, curve, &self.pair);
        Line::write(&mut out, &self.scalar(), &self.commitments, R::PARTY);
        if let BackupSecret::Secp256k1(half) = &self.secret {
            out.put(&half.chain_code);
            out.put(&half.session);
        }
        out.finish();
        bytes
    }

    /// The pair that it belongs to.
    #[must_use]
    pub const fn pair(&self) -> PairId {
        self.pair
    }

    /// The wallet's public key.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        self.commitments.public_key()
    }

    /// The public side of the pair. It is to be sealed beside the client's share.
    #[must_use]
    pub const fn commitments(&self) -> Commitments {
        self.commitments
    }

    pub(crate) fn new(pair: PairId, secret: BackupSecret) -> Result<Self, FormatError> {
        let commitments = match &secret {
            BackupSecret::Secp256k1(half) => half.commitments(R::PARTY),
            BackupSecret::Ed25519(half) => half.commitments(R::PARTY),
        }?;
        Ok(Self { pair, secret, commitments, role: PhantomData })
    }

    /// Whether the share belongs to these commitments, which come from somewhere else than it.
    pub(crate) fn check(&self, commitments: &Commitments) -> Result<(), Error> {
        if self.commitments == *commitments { Ok(()) } else { Err(Error::CommitmentMismatch) }
    }

    pub(crate) const fn secret(&self) -> &BackupSecret {
        &self.secret
    }

    /// The scalar in the encoding of its curve.
    pub(crate) fn scalar(&self) -> Zeroizing<Vec<u8>> {
        match &self.secret {
            BackupSecret::Secp256k1(half) => Zeroizing::new(half.scalar.to_repr().to_vec()),
            BackupSecret::Ed25519(half) => half.scalar(),
        }
    }
}

impl<R: Role> OnCurve for BackupShare<R> {
    fn curve(&self) -> Curve {
        self.commitments.curve()
    }
}

impl<R: Role> fmt::Debug for BackupShare<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackupShare")
            .field("party", &R::PARTY)
            .field("pair", &self.pair)
            .field("public_key", &self.public_key())
            .finish_non_exhaustive()
    }
}

/// Chain code and session.
const SECP256K1_EXTRA: usize = 32 + 32;

fn secp256k1_half(line: &Line, reader: &mut Reader<'_>) -> Result<secp256k1::Half, FormatError> {
    let (chain_code, session) = (reader.array()?, reader.array()?);
    secp256k1::Half::new(&line.scalar, line.commitments.public_key(), chain_code, session)
        .ok_or(FormatError::Malformed)
}

pub(super) fn ed25519_half<R: Role>(line: &Line) -> Result<ed25519::Half, FormatError> {
    ed25519::Half::new(R::PARTY, &line.scalar, &line.commitments).ok_or(FormatError::Malformed)
}
