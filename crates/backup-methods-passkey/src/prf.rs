//! The backup method: the PRF of a passkey.

use backup_core::{
    BackupMethod, Enrollment, Error, ErrorKind, MethodId, MethodParams, Operation, Progress,
    Result, Stage, WrappingKey, async_trait,
};
use subtle::ConstantTimeEq;

use crate::{
    Ceremony, CeremonyError, CreateOptions, CredentialId, GetOptions, PrfOutput, RelyingParty,
    Support,
    ceremony::{random_bytes, verify_assertion, verify_created},
    derive::{self, Derived},
    params::Params,
};

/// A backup method that derives the wrapping key from the PRF of a passkey (WebAuthn Level 3,
/// section 10.1.4).
///
/// The user confirms with a passkey, and no server takes part: the output of the PRF is made on the
/// user's device, and stays there.
///
/// <div class="warning">
///
/// **A backup is lost with its passkey.** It works on a new device where passkeys are synchronized
/// to it, or are on a security key; tell users so, and offer a second method beside it. Whoever
/// deletes the passkey deletes the way to the backup.
///
/// </div>
///
/// An enrolment takes one ceremony, and one more where the passkey is new; the
/// [`unlock`](BackupMethod::unlock) that verifies the backup before it counts takes one. Later
/// backups of the enrolment take none. There is nothing to [`revoke`](BackupMethod::revoke) and
/// nothing [`held`](BackupMethod::held): only the user can delete a passkey.
#[derive(Debug)]
pub struct PasskeyPrf {
    ceremony: Box<dyn Ceremony>,
    relying_party: RelyingParty,
    account: Account,
    passkeys: Vec<CredentialId>,
}

/// What users see of a new passkey, besides the relying party.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Account {
    name: String,
    display_name: String,
}

impl Account {
    /// `name` tells accounts apart, as an e-mail address does; `display_name` is how the user is
    /// called.
    #[must_use]
    pub fn new(name: impl Into<String>, display_name: impl Into<String>) -> Self {
        Self { name: name.into(), display_name: display_name.into() }
    }
}

impl PasskeyPrf {
    /// The id under which backups of this method are kept. Portal's `PASSKEY` is another method.
    pub const ID: &str = "portal.passkey-prf";

    /// A method that makes a passkey of `relying_party` for each enrolment.
    #[must_use]
    pub fn new(
        ceremony: impl Ceremony + 'static,
        relying_party: RelyingParty,
        account: Account,
    ) -> Self {
        Self { ceremony: Box::new(ceremony), relying_party, account, passkeys: Vec::new() }
    }

    /// Enrolls one of these passkeys, which the user has with the relying party, instead of a new
    /// one: those of earlier enrolments, by [`passkey_of`](Self::passkey_of), or for signing in.
    #[must_use]
    pub fn with_passkeys(self, passkeys: impl IntoIterator<Item = CredentialId>) -> Self {
        Self { passkeys: passkeys.into_iter().collect(), ..self }
    }

    /// The passkey that an enrolment needs.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParams`] if they are not parameters of this method.
    pub fn passkey_of(params: &MethodParams) -> Result<CredentialId> {
        Params::decode(params).map(|params| params.passkey)
    }

    async fn create(&self, op: &Operation<'_>) -> Result<CredentialId> {
        let Account { name, display_name } = &self.account;
        let options = CreateOptions::new(&self.relying_party, name, display_name)?;
        let created = op.ask(self.ceremony.create(&options)).await?;
        verify_created(&created, &options)?;
        if created.prf_enabled { Ok(created.id) } else { Err(no_prf()) }
    }

    /// Always by `get` and with the user verified: an output at creation, or without verification,
    /// may be another one.
    async fn evaluate(
        &self,
        op: &Operation<'_>,
        allow: &[CredentialId],
        salt: &[u8; 32],
    ) -> Result<(CredentialId, PrfOutput)> {
        let options = GetOptions::new(&self.relying_party, allow, derive::prf_input(salt))?;
        let assertion = op.ask(self.ceremony.get(&options)).await?;
        verify_assertion(&assertion, &options)?;
        let output = assertion.prf.ok_or_else(no_prf)?;
        Ok((assertion.id, output))
    }

    /// Asks again after a wrong passkey, at most as often as `op` allows.
    async fn evaluate_again(&self, op: &Operation<'_>, params: &Params) -> Result<PrfOutput> {
        let allow = [params.passkey.clone()];
        let mut left = op.attempts();
        loop {
            left -= 1;
            match self.evaluate(op, &allow, &params.salt).await {
                Err(error) if error.kind() == ErrorKind::Unauthorized && left > 0 => {}
                evaluated => return evaluated.map(|(_, output)| output),
            }
        }
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl BackupMethod for PasskeyPrf {
    fn id(&self) -> MethodId {
        MethodId::new(Self::ID).expect("the id is canonical")
    }

    async fn check(&self, _: &Operation<'_>) -> Result<()> {
        match self.ceremony.support().await {
            Support::Prf => Ok(()),
            Support::WithoutPrf => Err(no_prf()),
            Support::Nothing => Err(CeremonyError::Unsupported.into()),
        }
    }

    async fn enroll(&self, op: &Operation<'_>) -> Result<Enrollment> {
        self.check(op).await?;
        let passkeys = if self.passkeys.is_empty() {
            vec![self.create(op).await?]
        } else {
            self.passkeys.clone()
        };
        let salt = random_bytes()?;
        let (passkey, output) = self.evaluate(op, &passkeys, &salt).await?;
        let Derived { wrapping_key, check } = Derived::from(&output, op.context());
        let relying_party = self.relying_party.id().to_owned();
        let params = Params { relying_party, passkey, salt, check }.encode()?;
        Ok(Enrollment { wrapping_key, params })
    }

    async fn unlock(&self, op: &Operation<'_>, params: &MethodParams) -> Result<WrappingKey> {
        let params = Params::decode(params)?;
        self.relying_party.expect(&params.relying_party)?;
        if op.attempt() > 1 {
            return Err(does_not_open());
        }
        let output = self.evaluate_again(op, &params).await?;
        op.report(Progress::Stage(Stage::ReadingShare));
        let Derived { wrapping_key, check } = Derived::from(&output, op.context());
        if bool::from(check.ct_eq(&params.check)) { Ok(wrapping_key) } else { Err(changed()) }
    }

    async fn revoke(&self, _: &Operation<'_>, params: &MethodParams) -> Result<()> {
        Params::decode(params).map(drop)
    }
}

fn no_prf() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "this passkey cannot keep a key for a backup (it has no PRF); use another device or \
         security key, or choose another backup method",
    )
}

/// What the check value tells: not a wrong passkey, so the user is not asked again.
fn changed() -> Error {
    Error::new(
        ErrorKind::Unauthorized,
        "the passkey does not answer as it did when this backup was made, or the backup is \
         another user's; use another backup method",
    )
}

/// The check value was right and the slot did not open: another ceremony would change nothing.
fn does_not_open() -> Error {
    Error::new(
        ErrorKind::Unauthorized,
        "the passkey is the right one, and the backup does not open with it; use another copy",
    )
}
