//! Signing shares, in the three conditions that a pair can be in.

use std::fmt;
use std::marker::PhantomData;

use backup_core::Curve;
use k256::elliptic_curve::PrimeField;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Commitments;
use super::backup::ed25519_half;
use super::format::{self, HEAD, Line};
use crate::by_curve::{ByCurve, OnCurve};
use crate::bytes::{Reader, Writer};
use crate::error::{Error, FormatError};
use crate::operation::NewPair;
use crate::pair::PairId;
use crate::public_key::PublicKey;
use crate::role::Role;
use crate::signature::Signature;
use crate::{ed25519, secp256k1};

/// One party's half of a pair that signs.
pub struct SigningShare<R: Role>(Core, PhantomData<R>);

/// One party's half of a pair that must not sign any more, since the other side cheated in a way
/// that leaks something about it. It can still be backed up.
pub struct FrozenShare<R: Role>(Core, PhantomData<R>);

/// One party's half of a new pair, generated or recovered, that has not signed its test challenge
/// yet. Until it has, nobody must be told the address of a generated pair, and the pair that a
/// recovered one replaces is the one that counts.
///
/// It is to be stored before [`Confirm`](crate::Confirm) begins: the other side may be live before
/// this one knows.
pub struct UnconfirmedShare<R: Role>(Core, PhantomData<R>);

/// A stored signing share, in whatever condition it is.
#[derive(Debug)]
pub enum StoredShare<R: Role> {
    /// It signs.
    Live(SigningShare<R>),
    /// It must not sign.
    Frozen(FrozenShare<R>),
    /// It has yet to sign its test challenge.
    Unconfirmed(UnconfirmedShare<R>),
}

/// Witness that both sides signed the test challenge of a new pair, and this side verified it. Only
/// [`Confirm`](crate::Confirm) makes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "a new pair becomes live by its test signature"]
pub struct TestSignature {
    pair: PairId,
    challenge: [u8; 32],
    signature: Signature,
}

/// What the three have in common.
pub(crate) struct Core {
    pub(crate) pair: PairId,
    /// What the pair's test signs. A live share may have been stored without.
    pub(crate) challenge: Option<[u8; 32]>,
    pub(crate) secret: SigningSecret,
    pub(crate) commitments: Commitments,
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("pair", &self.pair)
            .field("commitments", &self.commitments)
            .finish_non_exhaustive()
    }
}

/// The secret part.
pub(crate) enum SigningSecret {
    Secp256k1(Box<secp256k1::Signer>),
    Ed25519(Box<ed25519::Half>),
}

impl<R: Role> SigningShare<R> {
    /// The stored form, which says that the pair is live.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        self.0.to_bytes::<R>(LIVE)
    }

    /// What is left of it once the pair is [`Frozen`](crate::Frozen). Store this before anything
    /// else.
    #[must_use]
    pub fn freeze(self) -> FrozenShare<R> {
        FrozenShare(self.0, PhantomData)
    }

    pub(crate) const fn core(&self) -> &Core {
        &self.0
    }
}

impl<R: Role> FrozenShare<R> {
    /// The stored form, which says that the pair is frozen.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        self.0.to_bytes::<R>(FROZEN)
    }

    const fn core(&self) -> &Core {
        &self.0
    }
}

impl<R: Role> UnconfirmedShare<R> {
    /// The stored form, which says that the pair is unconfirmed.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        self.0.to_bytes::<R>(UNCONFIRMED)
    }

    /// Makes the pair live, once it has signed its test challenge.
    ///
    /// # Errors
    ///
    /// [`Error::PairMismatch`] if another pair signed.
    pub fn confirm(self, test: &TestSignature) -> Result<SigningShare<R>, Error> {
        self.0.confirm(test)
    }

    pub(crate) const fn new(core: Core) -> Self {
        Self(core, PhantomData)
    }

    const fn core(&self) -> &Core {
        &self.0
    }
}

impl<R: Role> ByCurve<UnconfirmedShare<R>> {
    /// Makes the pairs live, once each has signed its test challenge.
    ///
    /// # Errors
    ///
    /// [`Error::PairMismatch`] if another pair signed, [`Error::WrongCurve`] if the tests are on
    /// other curves.
    pub fn confirm(
        self,
        tests: &ByCurve<TestSignature>,
    ) -> Result<ByCurve<SigningShare<R>>, Error> {
        self.zip(tests.as_ref())?.try_map(|_, (share, test)| share.confirm(test))
    }
}

impl<R: Role> StoredShare<R> {
    /// The length of the longest stored form.
    pub const MAX_LEN: usize = len(Curve::Secp256k1);

    /// Reads the stored form, and checks that its parts belong together.
    ///
    /// # Errors
    ///
    /// A [`FormatError`] if it is not the stored form of an undamaged signing share of this party.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes);
        let (curve, pair) = format::read_head::<R>(&mut reader, format::SIGNING)?;
        let condition = reader.byte()?;
        let challenge = reader.array()?;
        let line = Line::read(&mut reader, curve, R::PARTY)?;
        let secret = match curve {
            Curve::Ed25519 => SigningSecret::Ed25519(Box::new(ed25519_half::<R>(&line)?)),
            _ => SigningSecret::Secp256k1(Box::new(secp256k1_signer::<R>(&line, &mut reader)?)),
        };
        reader.finish()?;
        let challenge = (challenge != [0; 32]).then_some(challenge);
        let core = Core { pair, challenge, secret, commitments: line.commitments };
        match condition {
            LIVE => Ok(Self::Live(SigningShare(core, PhantomData))),
            FROZEN => Ok(Self::Frozen(FrozenShare(core, PhantomData))),
            UNCONFIRMED if challenge.is_some() => {
                Ok(Self::Unconfirmed(UnconfirmedShare(core, PhantomData)))
            }
            _ => Err(FormatError::Malformed),
        }
    }

    /// The stored form.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Live(share) => share.to_bytes(),
            Self::Frozen(share) => share.to_bytes(),
            Self::Unconfirmed(share) => share.to_bytes(),
        }
    }

    /// What takes part in [`Confirm`](crate::Confirm), whether for the first time or again. A
    /// frozen share does not.
    #[must_use]
    pub fn test_source(&self) -> Option<TestSource<'_, R>> {
        match self {
            Self::Live(share) => Some(share.into()),
            Self::Unconfirmed(share) => Some(share.into()),
            Self::Frozen(_) => None,
        }
    }

    /// The live share, once the pair has signed its test challenge, for the first time or again.
    ///
    /// # Errors
    ///
    /// [`Error::PairMismatch`] if another pair signed, or this one is frozen.
    pub fn confirm(self, test: &TestSignature) -> Result<SigningShare<R>, Error> {
        match self {
            Self::Live(SigningShare(core, _)) | Self::Unconfirmed(UnconfirmedShare(core, _)) => {
                core.confirm(test)
            }
            Self::Frozen(_) => Err(Error::PairMismatch),
        }
    }

    const fn core(&self) -> &Core {
        match self {
            Self::Live(share) => &share.0,
            Self::Frozen(share) => &share.0,
            Self::Unconfirmed(share) => &share.0,
        }
    }
}

impl TestSignature {
    /// The pair that signed.
    #[must_use]
    pub const fn pair(&self) -> PairId {
        self.pair
    }

    /// The signature.
    #[must_use]
    pub const fn signature(&self) -> Signature {
        self.signature
    }

    pub(crate) const fn new(pair: PairId, challenge: [u8; 32], signature: Signature) -> Self {
        Self { pair, challenge, signature }
    }
}

impl Core {
    pub(crate) fn new<R: Role>(new: NewPair, secret: SigningSecret) -> Result<Self, FormatError> {
        let commitments = match &secret {
            SigningSecret::Secp256k1(signer) => secp256k1::Half::of(signer).commitments(R::PARTY),
            SigningSecret::Ed25519(half) => half.commitments(R::PARTY),
        }?;
        Ok(Self { pair: new.id, challenge: Some(new.challenge), secret, commitments })
    }

    fn confirm<R: Role>(self, test: &TestSignature) -> Result<SigningShare<R>, Error> {
        if self.pair == test.pair && self.challenge == Some(test.challenge) {
            Ok(SigningShare(self, PhantomData))
        } else {
            Err(Error::PairMismatch)
        }
    }

    fn to_bytes<R: Role>(&self, condition: u8) -> Zeroizing<Vec<u8>> {
        let curve = self.commitments.curve();
        let mut bytes = Zeroizing::new(vec![0; len(curve)]);
        let mut out = Writer::new(&mut bytes);
        format::write_head::<R>(&mut out, format::SIGNING, curve, &self.pair);
        out.put(&[condition]);
        out.put(&self.challenge.unwrap_or_default());
        Line::write(&mut out, &self.scalar(), &self.commitments, R::PARTY);
        if let SigningSecret::Secp256k1(signer) = &self.secret {
            out.put(&signer.derivation_data.chain_code);
            out.put(&signer.session_id);
            let transfers = out.slot(secp256k1::TRANSFERS_LEN);
            secp256k1::write_transfers(signer, R::PARTY, transfers)
                .expect("a signing share has complete state of fixed size");
        }
        out.finish();
        bytes
    }

    fn scalar(&self) -> Zeroizing<Vec<u8>> {
        match &self.secret {
            SigningSecret::Secp256k1(signer) => {
                Zeroizing::new(signer.poly_point.to_repr().to_vec())
            }
            SigningSecret::Ed25519(half) => half.scalar(),
        }
    }
}

/// Condition of a pair.
const LIVE: u8 = 1;
const FROZEN: u8 = 2;
const UNCONFIRMED: u8 = 3;

const fn len(curve: Curve) -> usize {
    let extra = match curve {
        Curve::Ed25519 => 0,
        _ => 32 + 32 + secp256k1::TRANSFERS_LEN,
    };
    HEAD + 1 + 32 + Line::len(curve) + extra
}

fn secp256k1_signer<R: Role>(
    line: &Line,
    reader: &mut Reader<'_>,
) -> Result<secp256k1::Signer, FormatError> {
    let (chain_code, session) = (reader.array()?, reader.array()?);
    let public_key = line.commitments.public_key();
    let half = secp256k1::Half::new(&line.scalar, public_key, chain_code, session)
        .ok_or(FormatError::Malformed)?;
    let transfers = reader.take(secp256k1::TRANSFERS_LEN)?;
    secp256k1::read_transfers(&half, R::PARTY, transfers)
}

/// A share that can be backed up: live, or frozen.
#[derive(Clone, Copy, Debug)]
pub struct BackupSource<'a, R: Role>(&'a Core, PhantomData<R>);

impl<'a, R: Role> BackupSource<'a, R> {
    pub(crate) const fn core(&self) -> &'a Core {
        self.0
    }
}

impl<'a, R: Role> From<&'a SigningShare<R>> for BackupSource<'a, R> {
    fn from(share: &'a SigningShare<R>) -> Self {
        Self(&share.0, PhantomData)
    }
}

impl<'a, R: Role> From<&'a FrozenShare<R>> for BackupSource<'a, R> {
    fn from(share: &'a FrozenShare<R>) -> Self {
        Self(&share.0, PhantomData)
    }
}

/// A share that can sign its test challenge: an unconfirmed one, or one that is live on this side
/// only, because the other did not get to the end.
#[derive(Clone, Copy, Debug)]
pub struct TestSource<'a, R: Role>(&'a Core, PhantomData<R>);

impl<'a, R: Role> TestSource<'a, R> {
    pub(crate) const fn core(&self) -> &'a Core {
        self.0
    }
}

impl<'a, R: Role> From<&'a UnconfirmedShare<R>> for TestSource<'a, R> {
    fn from(share: &'a UnconfirmedShare<R>) -> Self {
        Self(&share.0, PhantomData)
    }
}

impl<'a, R: Role> From<&'a SigningShare<R>> for TestSource<'a, R> {
    fn from(share: &'a SigningShare<R>) -> Self {
        Self(&share.0, PhantomData)
    }
}

macro_rules! public_side {
    ($($share:ident),*) => {$(
        impl<R: Role> $share<R> {
            /// The pair that it belongs to.
            #[must_use]
            pub const fn pair(&self) -> PairId {
                self.core().pair
            }

            /// The wallet's public key.
            #[must_use]
            pub const fn public_key(&self) -> PublicKey {
                self.core().commitments.public_key()
            }

            /// The public side of the pair.
            #[must_use]
            pub const fn commitments(&self) -> Commitments {
                self.core().commitments
            }
        }

        impl<R: Role> OnCurve for $share<R> {
            fn curve(&self) -> Curve {
                self.core().commitments.curve()
            }
        }
    )*};
}

public_side!(SigningShare, FrozenShare, UnconfirmedShare, StoredShare);

macro_rules! debug {
    ($($share:ident),*) => {$(
        impl<R: Role> fmt::Debug for $share<R> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($share))
                    .field("party", &R::PARTY)
                    .field("pair", &self.pair())
                    .field("public_key", &self.public_key())
                    .finish_non_exhaustive()
            }
        }
    )*};
}

debug!(SigningShare, FrozenShare, UnconfirmedShare);

/// What a new pair signs before it counts begins with this; its challenge follows.
///
/// Its first byte is no beginning of a transaction: not of Solana's (no such version), not of
/// Tron's (no such wire type). EVM chains and Bitcoin sign a Keccak or a double SHA-256 digest,
/// Stellar a digest of 32 bytes, and this is neither.
pub(crate) const TEST_LABEL: &[u8; 32] = b"\xffportal-mpc/v1 test of new pair\n";

/// The message that a pair signs as its test.
pub(crate) fn test_message(challenge: &[u8; 32]) -> [u8; 64] {
    let mut message = [0; 64];
    let (label, rest) = message.split_at_mut(32);
    label.copy_from_slice(TEST_LABEL);
    rest.copy_from_slice(challenge);
    message
}

/// The challenge in it: computed by both sides, from what both know and neither chose alone.
pub(crate) fn challenge(parts: [&[u8; 32]; 5]) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(b"portal-mpc/v1/challenge");
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}
