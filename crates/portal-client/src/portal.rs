//! The facade: one client on one device, and all that an app does with it.

mod back_up;
mod builder;
mod by_notice;
mod clear;
mod complete;
mod create;
mod eject;
mod interrupted;
mod inventory;
mod questions;
mod recover;
mod retire;
mod revoke;
mod sign;
mod status;
mod turn;
mod types;
mod view;

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use backup_core::{
    BackupId, BackupKey, BackupMethod, EncryptionContext, EncryptionKey, ErrorKind, MethodId,
    Progress, ProgressSink, Stage,
};
use portal_mpc::{Curves, Payload, Signature};

pub use self::{
    builder::PortalBuilder,
    types::{
        BackUpOptions, BackedUp, Backup, BackupSharePair, ClearOptions, EjectOptions, Ejected,
        Expected, GeneratedBackupShare, Inventory, KeptKey, KeyState, ListedBackup, RecoverOptions,
        Recovered, Removed, SigningSharePair, Status,
    },
};
use self::{recover::By, turn::Turn};
use crate::{
    Addresses, ApiKey, Error, Notice, Result, TraceId,
    device::{DeviceStore, WalletOperation},
    service::Service,
};

/// One client on one device: its wallet, its backups, and the service that has the other halves.
///
/// Every operation takes its turn: one at a time in all processes of the device, and first it
/// finishes what an earlier one, or a crash, left behind. Requests are repeated, byte for byte,
/// until they are answered or patience is used up; a connection that was cut is never a success.
///
/// It runs on tokio, with its timers and I/O enabled. What computes for long, computes on threads
/// that may block.
///
/// # Cancel safety
///
/// Any future may be dropped at any point: that is a crash as far as the wallet is concerned, and
/// the next operation finishes or removes what was begun.
pub struct Portal {
    store: Arc<DeviceStore>,
    service: Arc<Service>,
    methods: BTreeMap<MethodId, Arc<dyn BackupMethod>>,
    curves: Curves,
    grace: Duration,
    patience: Duration,
}

impl Portal {
    /// Begins to set one up: for the service at this address, with the client's API key, on what
    /// the device keeps of the client.
    pub fn builder(service: &str, api_key: ApiKey, store: DeviceStore) -> PortalBuilder {
        PortalBuilder::new(service, api_key, store)
    }

    /// The same wallet, whose requests are all called this in the log of the service: for one
    /// operation, so that what an app notes of it is found there. Without it each request is called
    /// otherwise, and [`Error::Service`] says how.
    #[must_use = "it is what is traced, and not this"]
    pub fn traced(&self, trace: TraceId) -> Self {
        Self {
            store: Arc::clone(&self.store),
            service: self.service.traced(trace).into(),
            methods: self.methods.clone(),
            curves: self.curves,
            grace: self.grace,
            patience: self.patience,
        }
    }

    /// Makes a wallet on each curve. Its addresses are told only when both halves are durable and
    /// have signed a test.
    ///
    /// # Errors
    ///
    /// [`Error::WalletExists`]: use it, or recover it. Otherwise as [`Error`] says; try again.
    pub async fn create_wallet(&self, progress: &dyn ProgressSink) -> Result<Addresses> {
        let addresses = self.turn().await?.create_wallet(progress).await?;
        progress.report(Progress::Stage(Stage::Done));
        Ok(addresses)
    }

    /// Signs, together with the service: ECDSA over a digest, Ed25519 over a message.
    ///
    /// # Errors
    ///
    /// [`Error::NoWallet`], [`Error::NotLive`], [`Error::Frozen`]; otherwise as [`Error`] says, and
    /// it is safe to sign the same again.
    pub async fn sign(&self, payload: Payload<'_>) -> Result<Signature> {
        self.short_turn().await?.sign(payload).await
    }

    /// Makes a backup with a method, and proves that it can be read back and, if the method was
    /// enrolled for it, opened. A backup of an earlier enrolment asks the user nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Method`] if the method, or the user, declined: nothing changed, and what the
    /// enrolment left is removed. [`Error::Unreachable`]: what can be finished without the user is
    /// finished by the next operation.
    pub async fn back_up(
        &self,
        method: &MethodId,
        options: &BackUpOptions,
        progress: &dyn ProgressSink,
    ) -> Result<BackedUp> {
        let method = self.method(method)?;
        let backed_up = self.turn().await?.back_up(&*method, options, progress).await?;
        progress.report(Progress::Stage(Stage::Done));
        Ok(backed_up)
    }

    /// Makes a backup of which the app keeps the key itself, where writing it takes a step of its
    /// own. The app writes the key, and the ciphertext if it keeps those, reads both back, and then
    /// says so: [`stored_client_backup_share`](Self::stored_client_backup_share), with the method
    /// `CUSTOM`. Before that the backup recovers nothing, and after a week it is gone. It is
    /// recovered by [`recover_with_key`](Self::recover_with_key).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] if this wallet's devices commit backups of `CUSTOM`; otherwise as
    /// for [`back_up`](Self::back_up).
    pub async fn generate_backup_share(
        &self,
        progress: &dyn ProgressSink,
    ) -> Result<GeneratedBackupShare> {
        let generated = self.turn().await?.generate_backup_share(progress).await?;
        progress.report(Progress::Stage(Stage::Done));
        Ok(generated)
    }

    /// Tells the service that the app has stored what is needed to open the backup that waits for
    /// its word, and where: with the method of the backup. That completes it. If storing failed,
    /// `success` is false, and nothing changes: the backup goes by itself.
    ///
    /// # Errors
    ///
    /// [`Error::Service`] with [`StateInvalid`](portal_api::ErrorId::StateInvalid) if no such
    /// backup waits, also when it comes twice. Otherwise as [`Error`] says.
    pub async fn stored_client_backup_share(&self, method: &MethodId, success: bool) -> Result<()> {
        self.turn().await?.tell_stored(method, success).await
    }

    /// Brings the wallet back from a backup, and makes this device the one that signs.
    ///
    /// # Errors
    ///
    /// [`Error::NoBackup`]; [`Error::Method`] of the kind
    /// [`Unauthorized`](ErrorKind::Unauthorized) if what the user gave does not open it;
    /// [`Error::OtherWallet`] if it is not what `options` expects; otherwise as [`Error`] says.
    pub async fn recover(
        &self,
        method: &MethodId,
        options: &RecoverOptions,
        progress: &dyn ProgressSink,
    ) -> Result<Recovered> {
        let method = self.method(method)?;
        self.recover_by(By::Method(&*method), options, progress).await
    }

    /// The same with the key that the app has kept, from a backup that
    /// [`generate_backup_share`](Self::generate_backup_share) made.
    ///
    /// # Errors
    ///
    /// As for [`recover`](Self::recover).
    pub async fn recover_with_key(
        &self,
        key: EncryptionKey,
        options: &RecoverOptions,
        progress: &dyn ProgressSink,
    ) -> Result<Recovered> {
        self.recover_by(By::Key(&BackupKey::from(key)), options, progress).await
    }

    /// Brings the wallet to another device of the user's: [`recover`](Self::recover), by the name
    /// that Portal has for it. The device that signed until now signs no more.
    ///
    /// # Errors
    ///
    /// As for [`recover`](Self::recover).
    pub async fn provision_wallet(
        &self,
        method: &MethodId,
        options: &RecoverOptions,
        progress: &dyn ProgressSink,
    ) -> Result<Recovered> {
        self.recover(method, options, progress).await
    }

    /// Brings the wallet's private keys together: the client's half from a backup, the custodian's
    /// from the service, as long as the custodian allows it
    /// ([`enable_eject`](crate::custodian::enable_eject)), or from the custodian's own servers
    /// ([`custodian_shares`](EjectOptions::custodian_shares)). Each key is compared with the
    /// wallet's public key. Nothing is deleted: the wallet signs and recovers on.
    ///
    /// # Security
    ///
    /// From then on two parties protect the wallet no longer: whoever has a key has the wallet.
    ///
    /// # Errors
    ///
    /// [`Error::Service`] with [`StateInvalid`](portal_api::ErrorId::StateInvalid) while the
    /// custodian does not allow it: the user is asked nothing. Otherwise as for
    /// [`recover`](Self::recover).
    pub async fn eject(
        &self,
        method: &MethodId,
        options: &EjectOptions,
        progress: &dyn ProgressSink,
    ) -> Result<Ejected> {
        let method = self.method(method)?;
        self.eject_by(By::Method(&*method), options, progress).await
    }

    /// The same with the key that the app has kept, from a backup that
    /// [`generate_backup_share`](Self::generate_backup_share) made.
    ///
    /// # Security
    ///
    /// As for [`eject`](Self::eject).
    ///
    /// # Errors
    ///
    /// As for [`eject`](Self::eject).
    pub async fn eject_with_key(
        &self,
        key: EncryptionKey,
        options: &EjectOptions,
        progress: &dyn ProgressSink,
    ) -> Result<Ejected> {
        self.eject_by(By::Key(&BackupKey::from(key)), options, progress).await
    }

    /// Destroys all backups of a method, first at the service, and then the wrapping keys that this
    /// device knows of. If it fails on the way, call it again; what the service had done, the next
    /// operation finishes.
    ///
    /// # Errors
    ///
    /// [`Error::Service`] with [`StateInvalid`](portal_api::ErrorId::StateInvalid) if a wallet
    /// would be left without a backup that is known to work: make another first. Otherwise as
    /// [`Error`] says.
    pub async fn revoke(&self, method: &MethodId, progress: &dyn ProgressSink) -> Result<()> {
        self.turn().await?.revoke(method, progress).await?;
        progress.report(Progress::Stage(Stage::Done));
        Ok(())
    }

    /// All that there is of the client's backups: at the service, and with the methods that the app
    /// brought, which may ask the user.
    ///
    /// # Errors
    ///
    /// As [`Error`] says. A method that does not answer is no error.
    pub async fn inventory(&self) -> Result<Inventory> {
        self.turn().await?.inventory().await
    }

    /// Removes those of `chosen` that newer backups have superseded, without waiting for the grace:
    /// the ones that [`inventory`](Self::inventory) calls so. The keys of superseded enrolments go
    /// with them. What is not superseded any more, or never was, stays.
    ///
    /// Only what the device's own records name is removed, and only for a backup that this device
    /// knows to work: no listing, of the service or of a method, has anything removed by itself.
    ///
    /// The grace has a reason: a service that has to go back to an older copy of its database may
    /// lose the newest backup, and then the one before it is what recovers the wallet. Whoever does
    /// not wait for it should know how old such a copy may be, or have another method's backup.
    ///
    /// # Errors
    ///
    /// As [`Error`] says; what the service had removed stays so, and the keys go with the next
    /// call.
    pub async fn remove_superseded(&self, chosen: &[BackupId]) -> Result<Removed> {
        self.turn().await?.remove_superseded(chosen).await
    }

    /// What the service says, what this device knows, and where the two differ. It changes nothing.
    ///
    /// # Errors
    ///
    /// As [`Error`] says.
    pub async fn status(&self) -> Result<Status> {
        let operation = self.begin().await?;
        let view = self.service.look().await?;
        status::status(&operation, &view)
    }

    /// The addresses of the wallet on this device, if it has one. It asks nobody.
    ///
    /// # Errors
    ///
    /// [`Error::Device`], or [`Error::InProgress`].
    pub async fn addresses(&self) -> Result<Option<Addresses>> {
        let operation = self.begin().await?;
        status::addresses_of(operation.state().live())
    }

    /// Finishes what an earlier operation, or a crash, left behind, without asking the user. Every
    /// other operation begins with this, too.
    ///
    /// # Errors
    ///
    /// As [`Error`] says; what is left is left for the next time.
    pub async fn finish_interrupted(&self) -> Result<Vec<Notice>> {
        Ok(self.turn().await?.into_notices())
    }

    /// Removes the wallet, and all else, from this device. Only a backup brings it back: so it is
    /// refused unless one is known to work, or another device has the wallet now, or `options` say
    /// that it may be lost.
    ///
    /// # Errors
    ///
    /// [`Error::NotBackedUp`], [`Error::RolledBack`]: nothing was removed. Otherwise as [`Error`]
    /// says.
    pub async fn clear_local_wallet(&self, options: &ClearOptions) -> Result<()> {
        let operation = if options.even_without_backup {
            self.begin().await?
        } else {
            self.turn().await?.expendable()?
        };
        operation.erase().map_err(Error::Device)
    }

    /// Whose wallet it is.
    #[must_use]
    pub fn client(&self) -> &EncryptionContext {
        self.service.client()
    }

    /// The methods that the app brought.
    pub fn methods(&self) -> impl Iterator<Item = &MethodId> {
        self.methods.keys()
    }

    async fn recover_by(
        &self,
        by: By<'_>,
        options: &RecoverOptions,
        progress: &dyn ProgressSink,
    ) -> Result<Recovered> {
        let recovered = self.turn().await?.recover(by, options, progress).await?;
        progress.report(Progress::Stage(Stage::Done));
        Ok(recovered)
    }

    async fn eject_by(
        &self,
        by: By<'_>,
        options: &EjectOptions,
        progress: &dyn ProgressSink,
    ) -> Result<Ejected> {
        let ejected = self.turn().await?.eject(by, options, progress).await?;
        progress.report(Progress::Stage(Stage::Done));
        Ok(ejected)
    }

    fn method(&self, id: &MethodId) -> Result<Arc<dyn BackupMethod>> {
        self.methods.get(id).cloned().ok_or_else(|| {
            let message = "this app does not bring the method";
            let error = backup_core::Error::new(ErrorKind::Unsupported, message);
            Error::Method(error.in_method(id))
        })
    }

    /// Begins an operation on the device, when no other one is going on.
    async fn begin(&self) -> Result<WalletOperation<'_>> {
        let began = tokio::time::Instant::now();
        loop {
            match self.store.begin_unless_busy().map_err(Error::Device)? {
                Some(operation) => return Ok(operation),
                None if began.elapsed() >= self.patience => return Err(Error::InProgress),
                None => tokio::time::sleep(TURN).await,
            }
        }
    }

    /// Begins an operation, looks at the service, and finishes what was interrupted.
    async fn turn(&self) -> Result<Turn<'_>> {
        let operation = self.begin().await?;
        let mut turn = Turn::begin(self, operation).await?;
        turn.finish_interrupted().await?;
        Ok(turn)
    }

    /// The same, but looks at the service only if there is something to finish, or it has never
    /// been looked at.
    async fn short_turn(&self) -> Result<WalletTurn<'_>> {
        let operation = self.begin().await?;
        if self.service.is_known() && !interrupted::is_pending(&operation) {
            return Ok(WalletTurn { portal: self, operation });
        }
        let mut turn = Turn::begin(self, operation).await?;
        turn.finish_interrupted().await?;
        Ok(WalletTurn { portal: self, operation: turn.into_operation() })
    }
}

/// How often a waiting operation looks whether it is its turn.
const TURN: Duration = Duration::from_millis(20);

/// An operation that does not need to know what the service has.
struct WalletTurn<'a> {
    portal: &'a Portal,
    operation: WalletOperation<'a>,
}

impl fmt::Debug for Portal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Portal")
            .field("client", self.client())
            .field("methods", &self.methods.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_send<T: Send>(_: T) {}

    /// Any runtime may move an operation from thread to thread. It is compiled, never run.
    #[allow(dead_code, reason = "that it compiles is the test")]
    fn every_operation_is_send(portal: &Portal, progress: &dyn ProgressSink) {
        let method = &MethodId::PASSWORD;
        is_send(portal.create_wallet(progress));
        is_send(portal.sign(Payload::Message(b"")));
        is_send(portal.back_up(method, &BackUpOptions::default(), progress));
        is_send(portal.recover(method, &RecoverOptions::default(), progress));
        is_send(portal.eject(method, &EjectOptions::default(), progress));
        is_send(portal.revoke(method, progress));
        is_send(portal.status());
        is_send(portal.inventory());
        is_send(portal.remove_superseded(&[]));
        is_send(portal.addresses());
        is_send(portal.finish_interrupted());
        is_send(portal.clear_local_wallet(&ClearOptions::default()));
        is_send(portal.generate_backup_share(progress));
        is_send(portal.stored_client_backup_share(method, true));
        is_send(portal.is_wallet_recoverable(None));
    }
}
