//! Confirm: the test signature of a new pair.

use backup_core::Curve;
use sha2::{Digest, Sha256};

use super::{Made, NewPair, Operation, OperationKind, Source};
use crate::by_curve::ByCurve;
use crate::client::Started;
use crate::error::{Error, SignError};
use crate::pair::PairId;
use crate::role::{Client, Role, Server};
use crate::server::Answered;
use crate::session::{Context, Outgoing, Post};
use crate::share::{SigningSecret, TestSignature, TestSource, test_message};
use crate::signature::Signature;
use crate::{ed25519, secp256k1};

/// Signs the test challenge of a generated or recovered pair, which makes the pair live.
///
/// The challenge is never received: both sides computed it when they made the pair, from the
/// session's id, the pairs' ids and a nonce of each side. What is signed is no transaction in any
/// namespace.
///
/// It can be run again, as long as one side has not seen the end of it: a side that is live already
/// brings its [`SigningShare`](crate::SigningShare). If an unconfirmed pair freezes, it is to be
/// dropped, not confirmed again: generate, or recover, another.
#[derive(Debug)]
pub enum Confirm {}

impl Confirm {
    /// The client's beginning.
    ///
    /// # Errors
    ///
    /// As [`Error`] says.
    pub fn start<'a, S: Into<TestSource<'a, Client>>>(
        context: &Context,
        shares: ByCurve<S>,
    ) -> Result<(Started<'a, Self>, Outgoing), SignError> {
        Started::new(context, shares.map(Into::into))
    }

    /// The server's answer to the first post.
    ///
    /// # Errors
    ///
    /// As [`SignError`] says.
    pub fn answer<'a, S: Into<TestSource<'a, Server>>>(
        context: &Context,
        shares: ByCurve<S>,
        post: Post<'_>,
    ) -> Result<(Answered<Self>, Outgoing), SignError> {
        Answered::new(context, shares.map(Into::into), None, post)
    }
}

impl Answered<Confirm> {
    /// The witnesses that make the server's shares live, and its answer to the second post.
    ///
    /// Once the live shares are stored, the pairs that they replace, if any, may go.
    ///
    /// # Errors
    ///
    /// As [`SignError`] says.
    pub fn finish<'a, S: Into<TestSource<'a, Server>>>(
        self,
        shares: ByCurve<S>,
        post: Post<'_>,
    ) -> Result<(ByCurve<TestSignature>, Outgoing), SignError> {
        self.conclude(shares.map(Into::into), post)
    }
}

impl Operation for Confirm {
    const KIND: OperationKind = OperationKind::Confirm;

    type Error = SignError;
    type Secp256k1 = secp256k1::Sign;
    type Ed25519 = ed25519::Sign;
    type Source<'a, R: Role> = TestSource<'a, R>;
    type Output<R: Role> = TestSignature;

    fn claim_len(_: Curve) -> usize {
        0
    }

    fn output<R: Role>(
        source: &TestSource<'_, R>,
        made: Made<Self>,
        _: Option<NewPair>,
    ) -> Result<TestSignature, Error> {
        let signature = match made {
            Made::Secp256k1(signature) => Signature::Ecdsa(signature),
            Made::Ed25519(signature) => Signature::Ed25519(signature),
        };
        Ok(TestSignature::new(source.core().pair, challenge(*source)?, signature))
    }
}

/// A live share may have been stored without one.
fn challenge<R: Role>(source: TestSource<'_, R>) -> Result<[u8; 32], Error> {
    source.core().challenge.ok_or(Error::PairMismatch)
}

impl<'a, R: Role> Source<'a, Confirm> for TestSource<'a, R> {
    fn pair(self) -> Option<PairId> {
        Some(self.core().pair)
    }

    fn claim(self) -> Vec<u8> {
        Vec::new()
    }

    fn secp256k1(self) -> Result<secp256k1::Input<'a>, Error> {
        let digest = Sha256::digest(test_message(&challenge(self)?)).into();
        match &self.core().secret {
            SigningSecret::Secp256k1(signer) => Ok(secp256k1::Input { signer, digest }),
            SigningSecret::Ed25519(_) => Err(Error::WrongCurve),
        }
    }

    fn ed25519(self) -> Result<ed25519::Input<'a>, Error> {
        let message = ed25519::Message::Test(test_message(&challenge(self)?));
        match &self.core().secret {
            SigningSecret::Ed25519(half) => Ok(ed25519::Input { half, message }),
            SigningSecret::Secp256k1(_) => Err(Error::WrongCurve),
        }
    }
}
