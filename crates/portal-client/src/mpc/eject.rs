//! A private key out of both halves of a backup, of which the custodian's is asked for.

use portal_api::{ReleaseKey, compat::PrepareEject, release_statement};
use portal_mpc::{BackupShare, PrivateKey, PublicKey, Server, eject};

use super::OpenedShare;
use crate::{Error, Result, service::Service};

impl OpenedShare {
    /// The wallet's public key.
    pub(crate) fn public_key(&self) -> PublicKey {
        self.share.public_key()
    }

    /// Has the custodian's half released, and brings both together. The key is compared with the
    /// wallet's public key before it is given out.
    pub(crate) async fn eject(&self, service: &Service) -> Result<PrivateKey> {
        let key = ReleaseKey::generate().map_err(|_| no_randomness())?;
        let statement = release_statement(service.client(), &self.name, &key.recipient());
        let request = PrepareEject {
            backup_method: None,
            backup_share_pair_id: self.name.clone(),
            recipient: key.recipient(),
            proof: self.share.prove(&statement)?.into(),
        };
        let released = service.prepare_eject(&self.public_key(), &request).await?;
        let half = key.open(service.client(), &self.name, &released);
        let half = half.map_err(|_| not_the_half())?;
        let half = BackupShare::from_bytes(&half).map_err(|_| not_the_half())?;
        eject(&self.share, &half).map_err(|_| not_the_half())
    }

    /// Brings both together, with a half that the custodian's own servers gave to the app.
    pub(crate) fn eject_with(&self, half: &BackupShare<Server>) -> Result<PrivateKey> {
        eject(&self.share, half).map_err(|_| {
            Error::InvalidInput("the custodian's half is not the other one of this backup".into())
        })
    }
}

fn not_the_half() -> Error {
    Error::UnexpectedAnswer("what it released is not the other half of this backup".into())
}

fn no_randomness() -> Error {
    let message = "the operating system has no randomness to give";
    Error::Device(backup_core::Error::new(backup_core::ErrorKind::Unavailable, message))
}
