//! Back up: a backup pair of the same key, beside the signing pair.

use backup_core::Curve;

use super::{Made, NewPair, Operation, OperationKind, Source};
use crate::by_curve::ByCurve;
use crate::client::Started;
use crate::error::Error;
use crate::pair::PairId;
use crate::role::{Client, Role, Server};
use crate::server::Answered;
use crate::session::{Context, Outgoing, Post};
use crate::share::{BackupSecret, BackupShare, BackupSource, SigningSecret};
use crate::{ed25519, secp256k1};

/// Makes a backup pair of a signing pair, which stays as it is. A frozen pair can be backed up.
#[derive(Debug)]
pub enum Backup {}

impl Backup {
    /// The client's beginning.
    ///
    /// # Errors
    ///
    /// As [`Error`] says.
    pub fn start<'a, S: Into<BackupSource<'a, Client>>>(
        context: &Context,
        shares: ByCurve<S>,
    ) -> Result<(Started<'a, Self>, Outgoing), Error> {
        Started::new(context, shares.map(Into::into))
    }

    /// The server's answer to the first post. The new pairs get these ids.
    ///
    /// # Errors
    ///
    /// As [`Error`] says.
    pub fn answer<'a, S: Into<BackupSource<'a, Server>>>(
        context: &Context,
        shares: ByCurve<S>,
        new_pairs: ByCurve<PairId>,
        post: Post<'_>,
    ) -> Result<(Answered<Self>, Outgoing), Error> {
        Answered::new(context, shares.map(Into::into), Some(new_pairs), post)
    }
}

impl Answered<Backup> {
    /// The custodian's shares, and the server's answer to the second post.
    ///
    /// The backup counts for nothing until the client's [`HoldProof`](crate::HoldProof) of each
    /// share was verified against its [`commitments`](BackupShare::commitments).
    ///
    /// # Errors
    ///
    /// As [`Error`] says. The session is then over.
    pub fn finish<'a, S: Into<BackupSource<'a, Server>>>(
        self,
        shares: ByCurve<S>,
        post: Post<'_>,
    ) -> Result<(ByCurve<BackupShare<Server>>, Outgoing), Error> {
        self.conclude(shares.map(Into::into), post)
    }
}

impl Operation for Backup {
    const KIND: OperationKind = OperationKind::Backup;

    type Error = Error;
    type Secp256k1 = secp256k1::Backup;
    type Ed25519 = ed25519::Refresh;
    type Source<'a, R: Role> = BackupSource<'a, R>;
    type Output<R: Role> = BackupShare<R>;

    fn claim_len(_: Curve) -> usize {
        0
    }

    fn output<R: Role>(
        source: &BackupSource<'_, R>,
        made: Made<Self>,
        new: Option<NewPair>,
    ) -> Result<BackupShare<R>, Error> {
        let secret = match made {
            Made::Secp256k1(half) => BackupSecret::Secp256k1(Box::new(half)),
            Made::Ed25519(half) => BackupSecret::Ed25519(Box::new(half)),
        };
        let share = BackupShare::new(new.ok_or(Error::WrongSession)?.id, secret)
            .map_err(|_| Error::Misbehaved("the shares are not on one line"))?;
        super::check_fresh(&source.core().commitments, &share.commitments())?;
        Ok(share)
    }
}

impl<'a, R: Role> Source<'a, Backup> for BackupSource<'a, R> {
    fn pair(self) -> Option<PairId> {
        Some(self.core().pair)
    }

    fn claim(self) -> Vec<u8> {
        Vec::new()
    }

    fn secp256k1(self) -> Result<&'a secp256k1::Signer, Error> {
        match &self.core().secret {
            SigningSecret::Secp256k1(signer) => Ok(signer),
            SigningSecret::Ed25519(_) => Err(Error::WrongCurve),
        }
    }

    fn ed25519(self) -> Result<&'a ed25519::Half, Error> {
        match &self.core().secret {
            SigningSecret::Ed25519(half) => Ok(half),
            SigningSecret::Secp256k1(_) => Err(Error::WrongCurve),
        }
    }
}
