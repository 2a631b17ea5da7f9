//! An enclave, clients, and devices whose browsers run the ceremonies.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use backup_core::{
    BackupId, ClientId, CustodianId, EncryptionContext, EncryptionKey, KeyEncryption, Result,
    async_trait,
};
use backup_methods_passkey::{
    CredentialId, RelyingParty,
    enclave::{
        Backups, BeginLogin, BeginRegistration, Begun, Clock, Confirmation, Enclave, EnclaveConfig,
        FinishRegistration, KeyId, KeyInBody, Purpose, Read, Refusal, Registered, Released, Write,
        Written,
    },
};
use backup_testkit::{MemoryKey, passkey::SoftwareAuthenticator};

use crate::store::MemoryStore;

pub(crate) const RP: &str = "example.com";
pub(crate) const ORIGIN: &str = "https://wallet.example.com";

/// A service, and the users of one custodian.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) enclave: Enclave,
    pub(crate) store: MemoryStore,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) backups: Arc<TestBackups>,
    provider: Arc<dyn KeyEncryption>,
}

#[derive(Debug, Default)]
pub(crate) struct TestClock(AtomicU64);

impl TestClock {
    pub(crate) fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn unix_seconds(&self) -> u64 {
        1_800_000_000 + self.0.load(Ordering::SeqCst)
    }
}

#[derive(Debug, Default)]
pub(crate) struct TestBackups {
    pub(crate) pending: Mutex<Option<BackupId>>,
    pub(crate) completed: Mutex<Vec<BackupId>>,
}

#[async_trait]
impl Backups for TestBackups {
    async fn pending(&self, _: &EncryptionContext) -> Result<Option<BackupId>> {
        Ok(self.pending.lock().unwrap().clone())
    }

    async fn completed(&self, _: &EncryptionContext) -> Result<Vec<BackupId>> {
        Ok(self.completed.lock().unwrap().clone())
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::on(MemoryStore::default(), Arc::new(MemoryKey::generate().unwrap()))
    }

    fn on(store: MemoryStore, provider: Arc<dyn KeyEncryption>) -> Self {
        let (clock, backups) = (Arc::<TestClock>::default(), Arc::<TestBackups>::default());
        let config = EnclaveConfig::new(RelyingParty::new(RP, "Acme").unwrap(), &[ORIGIN]).unwrap();
        let enclave = Enclave::new(
            config,
            Arc::new(store.clone()),
            Arc::clone(&provider),
            backups.clone(),
            clock.clone(),
        );
        Self { enclave, store, clock, backups, provider }
    }

    /// Another node of the same service, or this one after a restart.
    pub(crate) fn another_node(&self) -> Self {
        Self::on(self.store.clone(), Arc::clone(&self.provider))
    }

    pub(crate) fn begin(&self, client: &EncryptionContext) -> Begun {
        self.begin_as(client, &BeginLogin::new(RP)).unwrap()
    }

    pub(crate) fn begin_as(
        &self,
        client: &EncryptionContext,
        request: &BeginLogin,
    ) -> Result<Begun, Refusal> {
        block_on(self.enclave.begin_login(client, request))
    }

    pub(crate) fn begin_registration(&self, client: &EncryptionContext) -> Begun {
        let request = BeginRegistration::new(RP);
        block_on(self.enclave.begin_registration(client, &request)).unwrap()
    }

    /// Registers a new passkey of `device`, without a key.
    pub(crate) fn register(
        &self,
        client: &EncryptionContext,
        device: &SoftwareAuthenticator,
    ) -> CredentialId {
        self.register_with(client, device, None).unwrap().passkey
    }

    pub(crate) fn register_with(
        &self,
        client: &EncryptionContext,
        device: &SoftwareAuthenticator,
        key: Option<EncryptionKey>,
    ) -> Result<Registered, Refusal> {
        let begun = self.begin_registration(client);
        let attestation = device.create(ORIGIN, &options(&begun)).unwrap();
        let mut request = FinishRegistration::new(RP, begun.session_id, attestation);
        request.encryption_key = key.map(KeyInBody);
        block_on(self.enclave.finish_registration(client, &request))
    }

    pub(crate) fn write(
        &self,
        client: &EncryptionContext,
        device: &SoftwareAuthenticator,
        (name, key): (&str, u8),
    ) -> Result<Written, Refusal> {
        let begun = self.begin(client);
        let request = Write::new(RP, begun.session_id.clone(), assert(device, &begun), bytes(key));
        block_on(self.enclave.write(client, &request.named(key_id(name))))
    }

    /// Writes a key as Portal's SDKs do: without a name.
    pub(crate) fn write_unnamed(
        &self,
        client: &EncryptionContext,
        device: &SoftwareAuthenticator,
        key: u8,
    ) -> KeyId {
        let begun = self.begin(client);
        let request = Write::new(RP, begun.session_id.clone(), assert(device, &begun), bytes(key));
        block_on(self.enclave.write(client, &request)).unwrap().key
    }

    pub(crate) fn read(
        &self,
        client: &EncryptionContext,
        device: &SoftwareAuthenticator,
        name: &str,
    ) -> Result<Released, Refusal> {
        let begun = self.begin(client);
        let request = Read::new(RP, begun.session_id.clone(), assert(device, &begun));
        block_on(self.enclave.read(client, &request.named(key_id(name))))
    }

    pub(crate) fn read_unnamed(
        &self,
        client: &EncryptionContext,
        device: &SoftwareAuthenticator,
    ) -> Result<Released, Refusal> {
        let begun = self.begin(client);
        self.finish_read(client, &begun, assert(device, &begun))
    }

    pub(crate) fn finish_read(
        &self,
        client: &EncryptionContext,
        begun: &Begun,
        assertion: String,
    ) -> Result<Released, Refusal> {
        let request = Read::new(RP, begun.session_id.clone(), assertion);
        block_on(self.enclave.read(client, &request))
    }

    /// Begins and confirms what is neither reading nor writing. `edit` completes the beginning.
    pub(crate) fn confirm(
        &self,
        client: &EncryptionContext,
        device: &SoftwareAuthenticator,
        purpose: Purpose,
        edit: impl FnOnce(&mut BeginLogin),
    ) -> Result<(), Refusal> {
        let mut request = BeginLogin::new(RP);
        request.purpose = Some(purpose);
        edit(&mut request);
        let begun = self.begin_as(client, &request)?;
        let assertion = device.get(ORIGIN, &options(&begun)).map_err(|_| Refusal::NotAllowed)?;
        let confirm = Confirmation::new(RP, begun.session_id, assertion).of(purpose);
        block_on(self.enclave.confirm(client, &confirm))
    }

    pub(crate) fn grant(
        &self,
        client: &EncryptionContext,
        device: &SoftwareAuthenticator,
        to: &CredentialId,
    ) -> Result<(), Refusal> {
        self.confirm(client, device, Purpose::Grant, |begin| begin.passkey_id = Some(to.clone()))
    }

    pub(crate) fn remove(
        &self,
        client: &EncryptionContext,
        device: &SoftwareAuthenticator,
        passkey: &CredentialId,
    ) -> Result<(), Refusal> {
        self.confirm(client, device, Purpose::Remove, |begin| {
            begin.passkey_id = Some(passkey.clone());
        })
    }
}

/// The options as a page hands them to the browser.
pub(crate) fn options(begun: &Begun) -> String {
    begun.options["publicKey"].to_string()
}

pub(crate) fn assert(device: &SoftwareAuthenticator, begun: &Begun) -> String {
    device.get(ORIGIN, &options(begun)).unwrap()
}

pub(crate) fn alice() -> EncryptionContext {
    client("alice")
}

pub(crate) fn bob() -> EncryptionContext {
    client("bob")
}

fn client(id: &'static str) -> EncryptionContext {
    EncryptionContext::new(CustodianId::new("acme").unwrap(), ClientId::new(id).unwrap())
}

pub(crate) fn device() -> SoftwareAuthenticator {
    SoftwareAuthenticator::new()
}

pub(crate) fn key_id(name: &str) -> KeyId {
    KeyId::parse(name).unwrap()
}

pub(crate) fn bytes(key: u8) -> EncryptionKey {
    EncryptionKey::copied_from(&[key; 32])
}

pub(crate) use futures_executor::block_on;
