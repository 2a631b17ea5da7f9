//! Any bytes for a method's parameters: every method refuses them or understands them, at no cost.
#![no_main]

use std::sync::Arc;

use backup_core::{
    BackupMethod, EncryptionKey, Error, ErrorKind, KeyName, KeyPrefix, KeyStore, MethodId,
    MethodParams, Operation, Purpose, Result, StoredKey, Threshold, async_trait,
};
use backup_methods_passkey::{
    Account, Assertion, Ceremony, CeremonyError, CreateOptions, Created, GetOptions, PasskeyPrf,
    RelyingParty, Support,
};
use backup_methods_password::{GivenPassword, Password};
use futures_executor::block_on;
use libfuzzer_sys::fuzz_target;
use portal_fuzz::{FixedKey, context};

/// A store of nothing, which is given names of this client only.
#[derive(Debug)]
struct Empty;

#[async_trait]
impl KeyStore for Empty {
    fn id(&self) -> MethodId {
        MethodId::GDRIVE
    }

    async fn check(&self, _: &Operation<'_>) -> Result<()> {
        Ok(())
    }

    async fn put(&self, _: &Operation<'_>, _: &KeyName, _: &EncryptionKey) -> Result<()> {
        Ok(())
    }

    async fn get(&self, _: &Operation<'_>, _: &KeyName) -> Result<EncryptionKey> {
        Err(Error::new(ErrorKind::NotFound, "there is nothing here"))
    }

    async fn delete(&self, op: &Operation<'_>, name: &KeyName) -> Result<()> {
        assert!(name.as_str().starts_with(KeyPrefix::of(op.context()).as_str()));
        Ok(())
    }

    async fn list(&self, _: &Operation<'_>, _: &KeyPrefix) -> Result<Vec<KeyName>> {
        Ok(Vec::new())
    }
}

/// A user without passkeys.
#[derive(Debug)]
struct Nobody;

#[async_trait]
impl Ceremony for Nobody {
    async fn support(&self) -> Support {
        Support::Nothing
    }

    async fn create(&self, _: &CreateOptions) -> Result<Created, CeremonyError> {
        Err(CeremonyError::Unsupported)
    }

    async fn get(&self, _: &GetOptions) -> Result<Assertion, CeremonyError> {
        Err(CeremonyError::WrongPasskey)
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(params) = MethodParams::from_bytes(bytes) else { return };
    let context = context();
    let op = Operation::new(Purpose::Revoke, &context);
    let member: Arc<dyn BackupMethod> = Arc::new(FixedKey);
    let threshold = Threshold::new(1, [("drive", member)]).expect("a threshold");
    let password = Password::new(GivenPassword::new("correct horse".into()));
    let stored = StoredKey::new(Empty);
    let party = RelyingParty::new("example.com", "Example").expect("a domain");
    let passkey = PasskeyPrf::new(Nobody, party, Account::new("alice", "Alice"));
    let methods: [&dyn BackupMethod; 4] = [&threshold, &password, &stored, &passkey];
    for method in methods {
        let _ = block_on(method.revoke(&op, &params));
    }
    // The members' keys are wrong: a policy that is understood still does not open.
    let unlock = Operation::new(Purpose::Unlock, &context);
    assert!(block_on(threshold.unlock(&unlock, &params)).is_err(), "a forged policy opened");
});
