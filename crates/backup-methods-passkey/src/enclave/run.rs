//! The enclave itself: one request of one client at a time, each of it one commit.

use std::sync::Arc;

use backup_core::{EncryptionContext, EncryptionKey, KeyEncryption, Result, async_trait};

use super::{
    Action, AuditRecord, Backups, BeginLogin, BeginRegistration, Begun, Change, Clock, Commit,
    Committed, Confirm, EnclaveConfig, EnclaveStore, FinishRegistration, KeyId, Loaded, Read,
    Refusal, Registered, Released, Write, Written,
    account::{Account, Known},
    sealed,
};
use crate::CredentialId;

/// Keeps keys of clients, and releases each only to a passkey that wrote it, or that was granted
/// it by one that had it.
///
/// Whoever calls it has authenticated the client, and limits how often one may ask.
///
/// # Cancel safety
///
/// Every call may be dropped: what it commits, it commits at once, and before it answers.
#[derive(Clone, Debug)]
pub struct Enclave {
    pub(super) config: EnclaveConfig,
    pub(super) store: Arc<dyn EnclaveStore>,
    pub(super) provider: Arc<dyn KeyEncryption>,
    pub(super) backups: Arc<dyn Backups>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Enclave {
    /// An enclave for the relying party of `config`, whose keys are sealed under `provider`.
    #[must_use]
    pub fn new(
        config: EnclaveConfig,
        store: Arc<dyn EnclaveStore>,
        provider: Arc<dyn KeyEncryption>,
        backups: Arc<dyn Backups>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { config, store, provider, backups, clock }
    }

    /// Begins to register a passkey.
    ///
    /// # Errors
    ///
    /// Why not; nothing has changed.
    pub async fn begin_registration(
        &self,
        client: &EncryptionContext,
        request: &BeginRegistration,
    ) -> Result<Begun, Refusal> {
        self.run(client, request).await
    }

    /// Registers a passkey. It has no key but the one that it brings along.
    ///
    /// # Errors
    ///
    /// Why not; nothing has changed.
    pub async fn finish_registration(
        &self,
        client: &EncryptionContext,
        request: &FinishRegistration,
    ) -> Result<Registered, Refusal> {
        self.run(client, request).await
    }

    /// Begins to ask a passkey.
    ///
    /// # Errors
    ///
    /// Why not; nothing has changed.
    pub async fn begin_login(
        &self,
        client: &EncryptionContext,
        request: &BeginLogin,
    ) -> Result<Begun, Refusal> {
        self.run(client, request).await
    }

    /// Writes a key, by the passkey that confirmed. Nothing is overwritten.
    ///
    /// # Errors
    ///
    /// Why not; nothing has changed.
    pub async fn write(
        &self,
        client: &EncryptionContext,
        request: &Write,
    ) -> Result<Written, Refusal> {
        self.run(client, request).await
    }

    /// Releases a key to the passkey that confirmed.
    ///
    /// # Errors
    ///
    /// Why not; nothing has changed.
    pub async fn read(
        &self,
        client: &EncryptionContext,
        request: &Read,
    ) -> Result<Released, Refusal> {
        self.run(client, request).await
    }

    /// Does what a passkey was asked to confirm when the ceremony was begun.
    ///
    /// # Errors
    ///
    /// Why not; nothing has changed.
    pub async fn confirm(
        &self,
        client: &EncryptionContext,
        request: &Confirm,
    ) -> Result<(), Refusal> {
        self.run(client, request).await
    }

    /// Decides over what is stored, and commits if that is still so; over again if not.
    async fn run<R: Request>(
        &self,
        client: &EncryptionContext,
        request: &R,
    ) -> Result<R::Answer, Refusal> {
        for _ in 0..MAX_RACES {
            let Loaded { version, record } = self.store.load(client).await?;
            let mut account = Account::decode(&record)?;
            let mut step = Step::new(client, R::ACTION, self.now());
            let answer = match request.decide(self, client, &mut account, &mut step).await {
                Ok(answer) => answer,
                Err(refusal) => return Err(self.refuse(step, refusal).await),
            };
            let (record, Step { change, audit }) = (account.encode(), &step);
            let commit = Commit { client, version, record: &record, change, audit };
            let committed = self.store.commit(&commit).await?;
            match committed {
                Committed::Done => return Ok(answer),
                Committed::Moved => {}
                Committed::Taken => {
                    return Err(self.refuse(step, Refusal::AlreadyRegistered).await);
                }
            }
        }
        Err(self.refuse(Step::new(client, R::ACTION, self.now()), Refusal::Busy).await)
    }

    fn now(&self) -> u64 {
        self.clock.unix_seconds()
    }

    /// Writes down that a request was refused before it could be read.
    pub(super) async fn refuse_unread(
        &self,
        client: &EncryptionContext,
        action: Action,
        refusal: Refusal,
    ) -> Refusal {
        self.refuse(Step::new(client, action, self.now()), refusal).await
    }

    /// Writes it down, and counts it if it was an answer that does not hold.
    async fn refuse(&self, step: Step, refusal: Refusal) -> Refusal {
        let audit = AuditRecord { refused: Some(refusal.as_str()), ..step.audit };
        let noted = match refusal {
            Refusal::NotVerified => self.note_failure(&audit).await,
            _ => self.store.note(&audit).await,
        };
        noted.err().map_or(refusal, Refusal::Failed)
    }

    async fn note_failure(&self, audit: &AuditRecord) -> Result<()> {
        let client = &audit.client;
        for _ in 0..MAX_RACES {
            let Loaded { version, record } = self.store.load(client).await?;
            let mut account = Account::decode(&record)?;
            account.note_failure(audit.at);
            let (record, change) = (account.encode(), &Change::default());
            let commit = Commit { client, version, record: &record, change, audit };
            if self.store.commit(&commit).await? == Committed::Done {
                return Ok(());
            }
        }
        self.store.note(audit).await
    }

    /// Opens `key` for a passkey that has it.
    pub(super) async fn open(
        &self,
        client: &EncryptionContext,
        key: &KeyId,
        passkey: &Known,
    ) -> Result<EncryptionKey, Refusal> {
        let sealed = self.store.sealed(client, key, &passkey.id).await?;
        // Gone since the record was read: the commit finds that out, too.
        let sealed = sealed.ok_or(Refusal::Busy)?;
        Ok(sealed::open(self.provider.as_ref(), client, key, passkey, &sealed).await?)
    }

    /// Seals `key` for a passkey.
    pub(super) async fn seal(
        &self,
        client: &EncryptionContext,
        id: &KeyId,
        passkey: &Known,
        key: &EncryptionKey,
    ) -> Result<super::SealedKey, Refusal> {
        let bytes = sealed::seal(self.provider.as_ref(), client, id, passkey, key).await?;
        let (key, passkey, holder) = (id.clone(), passkey.id.clone(), sealed::holder(passkey));
        Ok(super::SealedKey { key, passkey, holder, bytes })
    }
}

/// What is asked of the enclave.
#[async_trait]
pub(super) trait Request: Sync {
    const ACTION: Action;
    type Answer: Send;

    /// Decides over `account`, and changes it; notes in `step` what else changes, and what is
    /// written down.
    async fn decide(
        &self,
        enclave: &Enclave,
        client: &EncryptionContext,
        account: &mut Account,
        step: &mut Step,
    ) -> Result<Self::Answer, Refusal>;
}

/// What a request changes besides the account, and what is written down of it.
pub(super) struct Step {
    pub(super) change: Change,
    audit: AuditRecord,
}

impl Step {
    fn new(client: &EncryptionContext, action: Action, at: u64) -> Self {
        let (client, passkey, key) = (client.clone(), None, None);
        let audit = AuditRecord { client, at, action, passkey, key, refused: None };
        Self { change: Change::default(), audit }
    }

    /// When the request is looked at.
    pub(super) fn now(&self) -> u64 {
        self.audit.at
    }

    pub(super) fn is_by(&mut self, passkey: &CredentialId) {
        self.audit.passkey = Some(passkey.clone());
    }

    pub(super) fn is_about(&mut self, key: &KeyId) {
        self.audit.key = Some(key.clone());
    }
}

/// How often a request is decided anew because others came first.
const MAX_RACES: usize = 16;
