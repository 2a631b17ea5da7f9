//! The backup method: an enclave that releases a key to a passkey.

use std::time::Duration;

use backup_core::{
    BackupMethod, EncryptionKey, Enrollment, Error, ErrorKind, Held, KeyName, KeyPrefix, MethodId,
    MethodParams, Operation, Progress, Result, Stage, WrappingKey, async_trait,
    secrecy::SecretString,
};

use super::{
    calls::{Calls, Purpose},
    http::Http,
    options::{Begun, Login},
    params,
};
use crate::{
    Assertion, Ceremony, CeremonyError, CredentialId, KeyId, RelyingParty, Status, Support,
    ceremony::{verify_assertion, verify_created},
};

/// A backup method whose keys a passkey service keeps, an enclave, and releases to the passkeys
/// that have them: Portal's `PASSKEY`.
///
/// <div class="warning">
///
/// **The service is trusted.** Whoever controls it has the keys, and with a stored backup what they
/// open. [`PasskeyPrf`](crate::PasskeyPrf) trusts no server.
///
/// </div>
///
/// An enrolment takes one ceremony, and one more if the user has no passkey there. The backup is
/// proven by its first recovery, or by a drill: an [`unlock`](BackupMethod::unlock) takes one
/// ceremony, and so does a [`revoke`](BackupMethod::revoke), since an API key alone destroys
/// nothing. Later backups of an enrolment take none.
///
/// It needs a runtime of `tokio`.
#[derive(Debug)]
pub struct PasskeyEnclave {
    pub(super) calls: Calls,
    ceremony: Box<dyn Ceremony>,
    passkey_name: Option<String>,
    with_new_passkey: bool,
}

impl PasskeyEnclave {
    /// A method that keeps its keys with the enclave at `address`, `https://…`, as the client of
    /// `key`: an API key or a session token. `relying_party` is the one that the enclave is set up
    /// for, and `ceremony` runs on an origin of it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if `address` is neither one of HTTPS nor of this machine,
    /// [`ErrorKind::Unsupported`] if the device cannot speak HTTPS.
    pub fn new(
        ceremony: impl Ceremony + 'static,
        relying_party: RelyingParty,
        address: &str,
        key: SecretString,
    ) -> Result<Self> {
        Ok(Self {
            calls: Calls { http: Http::new(address, key)?, relying_party },
            ceremony: Box::new(ceremony),
            passkey_name: None,
            with_new_passkey: false,
        })
    }

    /// How a passkey that is made is called: what tells it from the user's others, as "Alice's
    /// phone" does. The service takes the client's id if nobody says.
    #[must_use]
    pub fn with_passkey_name(self, name: impl Into<String>) -> Self {
        Self { passkey_name: Some(name.into()), ..self }
    }

    /// Makes a passkey for each enrolment, also where the user has one: if those are lost.
    #[must_use]
    pub fn with_new_passkey(self) -> Self {
        Self { with_new_passkey: true, ..self }
    }

    /// For how long a call is repeated while the service does not answer, or asks to wait: 30
    /// seconds, unless an app says otherwise.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        let Calls { http, relying_party } = self.calls;
        Self { calls: Calls { http: http.with_patience(patience), relying_party }, ..self }
    }

    /// Has the user make a passkey, and registers it. It has no key yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Cancelled`] if the user declines, [`ErrorKind::Unsupported`] if the device has
    /// no passkeys or is of another relying party, [`ErrorKind::Unavailable`] if the service does
    /// not answer. An [`EnclaveProblem`](crate::EnclaveProblem) says more.
    pub async fn register_passkey(&self, op: &Operation<'_>) -> Result<CredentialId> {
        self.expect_passkeys().await?;
        let begun = self.calls.begin_registration(self.passkey_name.as_deref()).await?;
        let options = begun.options(&self.calls.relying_party)?;
        let created = op.ask(self.ceremony.create(&options)).await?;
        verify_created(&created, &options)?;
        self.calls.finish_registration(&begun.session_id, &created).await?;
        Ok(created.id)
    }

    /// Has the user confirm with a passkey, and stores `key` for that one. When this returns it is
    /// durable. The service chooses the name of the key, as Portal's does.
    ///
    /// # Errors
    ///
    /// As for [`register_passkey`](Self::register_passkey); and
    /// [`EnclaveProblem::NoPasskey`](crate::EnclaveProblem::NoPasskey) if there is none yet.
    pub async fn authenticate_passkey_and_write_key(
        &self,
        op: &Operation<'_>,
        key: &EncryptionKey,
    ) -> Result<Option<KeyId>> {
        self.write(op, None, (None, key)).await
    }

    /// Has the user confirm with a passkey, and reads the key of the completed backup.
    ///
    /// # Errors
    ///
    /// As for [`register_passkey`](Self::register_passkey); [`ErrorKind::NotFound`] if the passkey
    /// has no key, [`ErrorKind::Unauthorized`] if it has not this one.
    pub async fn authenticate_passkey_and_read_key(
        &self,
        op: &Operation<'_>,
    ) -> Result<EncryptionKey> {
        self.read(op, None).await
    }

    async fn write(
        &self,
        op: &Operation<'_>,
        only: Option<&CredentialId>,
        named: (Option<&KeyId>, &EncryptionKey),
    ) -> Result<Option<KeyId>> {
        let begun = self.calls.begin_login(Purpose::Write).await?;
        let assertion = self.ask(op, &begun, only).await?;
        op.report(Progress::Stage(Stage::StoringShare));
        self.calls.write(&begun.session_id, &assertion, named).await
    }

    async fn read(&self, op: &Operation<'_>, name: Option<&KeyId>) -> Result<EncryptionKey> {
        let begun = self.calls.begin_login(Purpose::Read(name)).await?;
        let assertion = self.ask(op, &begun, None).await?;
        op.report(Progress::Stage(Stage::ReadingShare));
        Ok(self.calls.read(&begun.session_id, &assertion, name).await?.encryption_key)
    }

    /// Has the user confirm what is neither reading nor writing.
    pub(super) async fn confirm(&self, op: &Operation<'_>, purpose: Purpose<'_>) -> Result<()> {
        let begun = self.calls.begin_login(purpose).await?;
        let assertion = self.ask(op, &begun, None).await?;
        self.calls.confirm(&begun.session_id, &assertion, purpose).await
    }

    /// Asks again after a wrong passkey, at most as often as `op` allows.
    async fn ask(
        &self,
        op: &Operation<'_>,
        begun: &Begun<Login>,
        only: Option<&CredentialId>,
    ) -> Result<Assertion> {
        self.expect_passkeys().await?;
        let mut options = begun.options(&self.calls.relying_party)?;
        if let Some(only) = only {
            options.allow = vec![only.clone()];
        }
        let mut left = op.attempts();
        loop {
            left -= 1;
            let asked = op.ask(self.ceremony.get(&options)).await.map_err(Error::from);
            let verified = asked.and_then(|assertion| {
                verify_assertion(&assertion, &options)?;
                Ok(assertion)
            });
            match verified {
                Err(error) if error.kind() == ErrorKind::Unauthorized && left > 0 => {}
                verified => return verified,
            }
        }
    }

    async fn expect_passkeys(&self) -> Result<()> {
        match self.ceremony.support().await {
            Support::Prf | Support::WithoutPrf => Ok(()),
            Support::Nothing => Err(CeremonyError::Unsupported.into()),
        }
    }
}

#[async_trait]
impl BackupMethod for PasskeyEnclave {
    fn id(&self) -> MethodId {
        MethodId::PASSKEY
    }

    async fn check(&self, _: &Operation<'_>) -> Result<()> {
        self.expect_passkeys().await?;
        self.calls.status().await.map(drop)
    }

    async fn enroll(&self, op: &Operation<'_>) -> Result<Enrollment> {
        self.expect_passkeys().await?;
        let name = KeyName::generate(&KeyPrefix::of(op.context()))?;
        let params = params::encode(&self.calls.relying_party, &name)?;
        let key = EncryptionKey::generate()?;
        let status = self.calls.status().await?;
        op.will_leave(&self.id(), &params)?;
        let new = if self.with_new_passkey || status == Status::NotRegistered {
            Some(self.register_passkey(op).await?)
        } else {
            None
        };
        self.write(op, new.as_ref(), (Some(&key_id(&name)), &key)).await?;
        Ok(Enrollment { wrapping_key: key.into(), params })
    }

    async fn unlock(&self, op: &Operation<'_>, params: &MethodParams) -> Result<WrappingKey> {
        let (relying_party, name) = params::decode(op, params)?;
        self.calls.relying_party.expect(&relying_party)?;
        if op.attempt() > 1 {
            return Err(does_not_open());
        }
        self.read(op, Some(&key_id(&name))).await.map(WrappingKey::from)
    }

    async fn revoke(&self, op: &Operation<'_>, params: &MethodParams) -> Result<()> {
        let (relying_party, name) = params::decode(op, params)?;
        self.calls.relying_party.expect(&relying_party)?;
        match self.confirm(op, Purpose::Delete(&key_id(&name))).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            revoked => revoked,
        }
    }

    async fn held(&self, op: &Operation<'_>) -> Result<Vec<Held>> {
        let prefix = KeyPrefix::of(op.context());
        let keys = self.calls.keys().await?;
        let names = keys.iter().filter_map(|key| KeyName::parse(&prefix, key.id.as_str()));
        let held =
            |name| Ok(Held::new(self.id(), params::encode(&self.calls.relying_party, &name)?));
        names.map(held).collect()
    }
}

fn key_id(name: &KeyName) -> KeyId {
    KeyId::parse(name.as_str()).expect("the name of a key is 56 letters, digits and hyphens")
}

/// The service released the key that was asked for, and the slot did not open.
fn does_not_open() -> Error {
    Error::new(
        ErrorKind::Unauthorized,
        "the passkey is the right one, and the backup does not open with its key; use another copy",
    )
}
