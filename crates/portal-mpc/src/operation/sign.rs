//! Sign: a signature of the wallet's key.

use backup_core::Curve;
use sha2::{Digest, Sha256};

use super::{Made, NewPair, Operation, OperationKind, Source};
use crate::by_curve::{ByCurve, OnCurve};
use crate::client::Started;
use crate::error::{Error, SignError};
use crate::pair::PairId;
use crate::role::{Client, Role, Server};
use crate::server::Answered;
use crate::session::{Context, Outgoing, Post};
use crate::share::{Core, SigningSecret, SigningShare};
use crate::signature::Signature;
use crate::{ed25519, secp256k1};

/// Signs: ECDSA over a digest on secp256k1, Ed25519 over a message.
#[derive(Debug)]
pub enum Sign {}

/// What is to be signed. The server makes its own of what it has checked, and never takes the
/// client's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Payload<'a> {
    /// A digest, signed as it is, on secp256k1.
    Digest(&'a [u8; 32]),
    /// A message, on Ed25519.
    Message(&'a [u8]),
}

/// A share, and what it is to sign.
#[derive(Clone, Copy, Debug)]
pub struct SignRequest<'a, R: Role> {
    /// The share.
    pub share: &'a SigningShare<R>,
    /// What it is to sign.
    pub payload: Payload<'a>,
}

impl Sign {
    /// The client's beginning.
    ///
    /// # Errors
    ///
    /// As [`Error`] says.
    pub fn start<'a>(
        context: &Context,
        requests: ByCurve<SignRequest<'a, Client>>,
    ) -> Result<(Started<'a, Self>, Outgoing), SignError> {
        Started::new(context, requests.map(SignSource::from))
    }

    /// The server's answer to the first post.
    ///
    /// # Errors
    ///
    /// As [`SignError`] says. After [`SignError::Frozen`] the pair must be stored as frozen.
    pub fn answer(
        context: &Context,
        requests: ByCurve<SignRequest<'_, Server>>,
        post: Post<'_>,
    ) -> Result<(Answered<Self>, Outgoing), SignError> {
        Answered::new(context, requests.map(SignSource::from), None, post)
    }
}

impl Answered<Sign> {
    /// The signatures, and the server's answer to the second post.
    ///
    /// # Errors
    ///
    /// As [`SignError`] says. After [`SignError::Frozen`] the pair must be stored as frozen.
    pub fn finish(
        self,
        requests: ByCurve<SignRequest<'_, Server>>,
        post: Post<'_>,
    ) -> Result<(ByCurve<Signature>, Outgoing), SignError> {
        self.conclude(requests.map(SignSource::from), post)
    }
}

/// A share, and what it is to sign.
#[allow(missing_debug_implementations, reason = "internal")]
#[derive(Clone, Copy)]
#[doc(hidden)]
pub struct SignSource<'a> {
    core: &'a Core,
    payload: Payload<'a>,
}

impl<'a, R: Role> From<SignRequest<'a, R>> for SignSource<'a> {
    fn from(request: SignRequest<'a, R>) -> Self {
        Self { core: request.share.core(), payload: request.payload }
    }
}

impl OnCurve for Payload<'_> {
    fn curve(&self) -> Curve {
        match self {
            Self::Digest(_) => Curve::Secp256k1,
            Self::Message(_) => Curve::Ed25519,
        }
    }
}

impl<R: Role> OnCurve for SignRequest<'_, R> {
    fn curve(&self) -> Curve {
        self.payload.curve()
    }
}

impl Operation for Sign {
    const KIND: OperationKind = OperationKind::Sign;
    const FALSE_CLAIM: Error = Error::PayloadMismatch;

    type Error = SignError;
    type Secp256k1 = secp256k1::Sign;
    type Ed25519 = ed25519::Sign;
    type Source<'a, R: Role> = SignSource<'a>;
    type Output<R: Role> = Signature;

    fn claim_len(_: Curve) -> usize {
        32
    }

    fn output<R: Role>(
        _: &SignSource<'_>,
        made: Made<Self>,
        _: Option<NewPair>,
    ) -> Result<Signature, Error> {
        Ok(match made {
            Made::Secp256k1(signature) => Signature::Ecdsa(signature),
            Made::Ed25519(signature) => Signature::Ed25519(signature),
        })
    }
}

impl<'a> Source<'a, Sign> for SignSource<'a> {
    fn pair(self) -> Option<PairId> {
        Some(self.core.pair)
    }

    fn claim(self) -> Vec<u8> {
        match self.payload {
            Payload::Digest(digest) => digest.to_vec(),
            Payload::Message(message) => Sha256::digest(message).to_vec(),
        }
    }

    fn secp256k1(self) -> Result<secp256k1::Input<'a>, Error> {
        match (&self.core.secret, self.payload) {
            (SigningSecret::Secp256k1(signer), Payload::Digest(digest)) => {
                Ok(secp256k1::Input { signer, digest: *digest })
            }
            _ => Err(Error::WrongCurve),
        }
    }

    fn ed25519(self) -> Result<ed25519::Input<'a>, Error> {
        match (&self.core.secret, self.payload) {
            (SigningSecret::Ed25519(half), Payload::Message(message)) => {
                Ok(ed25519::Input { half, message: ed25519::Message::Given(message) })
            }
            _ => Err(Error::WrongCurve),
        }
    }
}
