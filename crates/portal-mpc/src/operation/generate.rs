//! Generate: a signing pair of a new wallet, unconfirmed.

use backup_core::Curve;

use super::{Made, NewPair, Operation, OperationKind, Source};
use crate::by_curve::{ByCurve, Curves};
use crate::client::Started;
use crate::error::Error;
use crate::pair::PairId;
use crate::role::{Role, Server};
use crate::server::Answered;
use crate::session::{Context, Outgoing, Post};
use crate::share::{Core, SigningSecret, UnconfirmedShare};
use crate::{ed25519, secp256k1};

/// Makes new wallets, one for each curve: both sides end with a share, and the private key is
/// nowhere.
///
/// The pair is unconfirmed until [`Confirm`](crate::Confirm) has signed its test challenge; until
/// then nobody must be told its address.
#[derive(Debug)]
pub enum Generate {}

impl Generate {
    /// The client's beginning.
    ///
    /// # Errors
    ///
    /// As [`Error`] says.
    pub fn start<'a>(
        context: &Context,
        curves: Curves,
    ) -> Result<(Started<'a, Self>, Outgoing), Error> {
        Started::new(context, curves.fill(Unit))
    }

    /// The server's answer to the first post. The new pairs get these ids.
    ///
    /// # Errors
    ///
    /// As [`Error`] says.
    pub fn answer(
        context: &Context,
        new_pairs: ByCurve<PairId>,
        post: Post<'_>,
    ) -> Result<(Answered<Self>, Outgoing), Error> {
        Answered::new(context, new_pairs.map(|_| Unit), Some(new_pairs), post)
    }
}

impl Answered<Generate> {
    /// The server's shares, and its answer to the second post.
    ///
    /// # Errors
    ///
    /// As [`Error`] says. The session is then over.
    pub fn finish(
        self,
        post: Post<'_>,
    ) -> Result<(ByCurve<UnconfirmedShare<Server>>, Outgoing), Error> {
        let sources = self.curves().fill(Unit);
        self.conclude(sources, post)
    }
}

/// Key generation starts from nothing.
#[derive(Clone, Copy, Debug)]
pub struct Unit;

impl Operation for Generate {
    const KIND: OperationKind = OperationKind::Generate;

    type Error = Error;
    type Secp256k1 = secp256k1::Generate;
    type Ed25519 = ed25519::Generate;
    type Source<'a, R: Role> = Unit;
    type Output<R: Role> = UnconfirmedShare<R>;

    fn claim_len(_: Curve) -> usize {
        0
    }

    fn output<R: Role>(
        _: &Unit,
        made: Made<Self>,
        new: Option<NewPair>,
    ) -> Result<UnconfirmedShare<R>, Error> {
        let secret = match made {
            Made::Secp256k1(signer) => SigningSecret::Secp256k1(Box::new(signer)),
            Made::Ed25519(half) => SigningSecret::Ed25519(Box::new(half)),
        };
        Core::new::<R>(new.ok_or(Error::WrongSession)?, secret)
            .map(UnconfirmedShare::new)
            .map_err(|_| Error::Misbehaved("the shares are not on one line"))
    }
}

impl Source<'_, Generate> for Unit {
    fn pair(self) -> Option<PairId> {
        None
    }

    fn claim(self) -> Vec<u8> {
        Vec::new()
    }

    fn secp256k1(self) -> Result<(), Error> {
        Ok(())
    }

    fn ed25519(self) -> Result<(), Error> {
        Ok(())
    }
}
