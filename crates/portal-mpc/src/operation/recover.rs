//! Recover: a new signing pair from a backup pair.

use backup_core::Curve;

use super::{Made, NewPair, Operation, OperationKind, Source};
use crate::by_curve::ByCurve;
use crate::client::Started;
use crate::error::Error;
use crate::pair::PairId;
use crate::role::{Client, Party, Role, Server};
use crate::server::Answered;
use crate::session::{Context, Outgoing, Post};
use crate::share::{BackupSecret, BackupShare, Commitments, Core, SigningSecret, UnconfirmedShare};
use crate::{ed25519, secp256k1};

/// Makes a new signing pair of a backup pair, which stays as it is.
///
/// The new pair is unconfirmed until [`Confirm`](crate::Confirm) has signed its test challenge;
/// until then the signing pair that it replaces must not go.
#[derive(Debug)]
pub enum Recover {}

impl Recover {
    /// The client's beginning, from its backup shares and the commitments that were sealed beside
    /// them.
    ///
    /// # Errors
    ///
    /// [`Error::CommitmentMismatch`] if a share does not belong to its commitments; otherwise as
    /// [`Error`] says.
    pub fn start<'a>(
        context: &Context,
        shares: ByCurve<(&'a BackupShare<Client>, Commitments)>,
    ) -> Result<(Started<'a, Self>, Outgoing), Error> {
        Started::new(context, shares.map(RecoverSource::from))
    }

    /// The server's answer to the first post, from the custodian's shares. The new pairs get these
    /// ids.
    ///
    /// # Errors
    ///
    /// [`Error::CommitmentMismatch`] if a share does not belong to the commitments that the client
    /// sealed; otherwise as [`Error`] says.
    pub fn answer(
        context: &Context,
        shares: ByCurve<&BackupShare<Server>>,
        new_pairs: ByCurve<PairId>,
        post: Post<'_>,
    ) -> Result<(Answered<Self>, Outgoing), Error> {
        Answered::new(context, shares.map(RecoverSource::from), Some(new_pairs), post)
    }
}

impl Answered<Recover> {
    /// The server's new shares, and its answer to the second post.
    ///
    /// # Errors
    ///
    /// As [`Error`] says. The session is then over.
    pub fn finish(
        self,
        shares: ByCurve<&BackupShare<Server>>,
        post: Post<'_>,
    ) -> Result<(ByCurve<UnconfirmedShare<Server>>, Outgoing), Error> {
        self.conclude(shares.map(RecoverSource::from), post)
    }
}

/// A share, and the commitments that it must belong to.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct RecoverSource<'a, R: Role> {
    share: &'a BackupShare<R>,
    commitments: Commitments,
}

impl<'a> From<(&'a BackupShare<Client>, Commitments)> for RecoverSource<'a, Client> {
    fn from((share, commitments): (&'a BackupShare<Client>, Commitments)) -> Self {
        Self { share, commitments }
    }
}

impl<'a> From<&'a BackupShare<Server>> for RecoverSource<'a, Server> {
    fn from(share: &'a BackupShare<Server>) -> Self {
        Self { share, commitments: share.commitments() }
    }
}

impl Operation for Recover {
    const KIND: OperationKind = OperationKind::Recover;
    const FALSE_CLAIM: Error = Error::CommitmentMismatch;

    type Error = Error;
    type Secp256k1 = secp256k1::Recover;
    type Ed25519 = ed25519::Refresh;
    type Source<'a, R: Role> = RecoverSource<'a, R>;
    type Output<R: Role> = UnconfirmedShare<R>;

    fn claim_len(curve: Curve) -> usize {
        2 * curve.point_len()
    }

    fn output<R: Role>(
        source: &RecoverSource<'_, R>,
        made: Made<Self>,
        new: Option<NewPair>,
    ) -> Result<UnconfirmedShare<R>, Error> {
        let secret = match made {
            Made::Secp256k1(signer) => SigningSecret::Secp256k1(Box::new(signer)),
            Made::Ed25519(half) => SigningSecret::Ed25519(Box::new(half)),
        };
        let core = Core::new::<R>(new.ok_or(Error::WrongSession)?, secret)
            .map_err(|_| Error::Misbehaved("the shares are not on one line"))?;
        super::check_fresh(&source.share.commitments(), &core.commitments)?;
        Ok(UnconfirmedShare::new(core))
    }
}

impl<'a, R: Role> Source<'a, Recover> for RecoverSource<'a, R> {
    fn pair(self) -> Option<PairId> {
        Some(self.share.pair())
    }

    /// The client states the commitments that it unsealed; the server compares them with what its
    /// own share times the generator says.
    fn claim(self) -> Vec<u8> {
        let points = [Party::Client, Party::Server].map(|party| self.commitments.of_party(party));
        [points[0].as_bytes(), points[1].as_bytes()].concat()
    }

    fn check(self) -> Result<(), Error> {
        self.share.check(&self.commitments)
    }

    fn secp256k1(self) -> Result<&'a secp256k1::Half, Error> {
        match self.share.secret() {
            BackupSecret::Secp256k1(half) => Ok(half),
            BackupSecret::Ed25519(_) => Err(Error::WrongCurve),
        }
    }

    fn ed25519(self) -> Result<&'a ed25519::Half, Error> {
        match self.share.secret() {
            BackupSecret::Ed25519(half) => Ok(half),
            BackupSecret::Secp256k1(_) => Err(Error::WrongCurve),
        }
    }
}
