//! The service's halves at rest: sealed under the operator's keys, bound to client and pair.

use backup_core::{
    ClientId, Curve, CustodianId, EncryptionContext, Error, ErrorKind, KeyContext, Point, Result,
    SharePairId,
    secrecy::{ExposeSecret, SecretSlice},
};
use futures_util::future::join_all;
use portal_api::webhook::WebhookSecret;
use portal_keys::{KeyCheck, KeyRing, SealedShare, ShareContext, ShareRole};
use portal_mpc::{BackupShare, OnCurve, PairId, PublicKey, Server, StoredShare};
use zeroize::Zeroizing;

use crate::{
    stack,
    store::{PairRow, SealedPair},
};

/// Seals and opens the service's halves.
#[derive(Clone, Debug)]
pub struct Custody {
    ring: KeyRing,
    lost: Vec<String>,
}

impl Custody {
    /// With the operator's keys.
    #[must_use]
    pub fn new(ring: KeyRing) -> Self {
        Self { ring, lost: Vec::new() }
    }

    /// The same, with keys that are known to be lost.
    #[must_use]
    pub(crate) fn without(self, lost: Vec<String>) -> Self {
        Self { lost, ..self }
    }

    /// Says of each of the operator's keys whether it is there, is the right one, and works. All
    /// are asked at once.
    pub async fn try_keys<'a>(&self, checks: &'a [KeyCheck]) -> Vec<(&'a str, Result<()>)> {
        join_all(checks.iter().map(|check| async move {
            let is_lost = self.lost.iter().any(|id| id == check.key_id());
            let outcome = if is_lost {
                Err(Error::new(ErrorKind::NotFound, "this key is lost; rewrap what is sealed"))
            } else {
                self.ring.verify(std::slice::from_ref(check)).await
            };
            (check.key_id(), outcome)
        }))
        .await
    }

    #[cfg(feature = "enclave")]
    pub(crate) fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// Seals the service's half of a signing pair, in whatever condition it is.
    ///
    /// # Errors
    ///
    /// Those of [`SealedShare::seal`].
    pub async fn seal_signing(
        &self,
        client: &EncryptionContext,
        id: &SharePairId,
        share: &StoredShare<Server>,
    ) -> Result<SealedPair> {
        let (public_key, bytes) = match share {
            StoredShare::Live(share) => (share.public_key(), share.to_bytes()),
            StoredShare::Frozen(share) => (share.public_key(), share.to_bytes()),
            StoredShare::Unconfirmed(share) => (share.public_key(), share.to_bytes()),
        };
        let pair = PairRow { id: id.clone(), public_key };
        self.seal(client, pair, ShareRole::ServerSigning, bytes).await
    }

    /// Seals the custodian's half of a backup pair.
    ///
    /// # Errors
    ///
    /// Those of [`SealedShare::seal`].
    pub async fn seal_backup(
        &self,
        client: &EncryptionContext,
        id: &SharePairId,
        share: &BackupShare<Server>,
    ) -> Result<SealedPair> {
        let pair = PairRow { id: id.clone(), public_key: share.public_key() };
        self.seal(client, pair, ShareRole::CustodianBackup, share.to_bytes()).await
    }

    /// Opens the service's half of a signing pair.
    ///
    /// # Errors
    ///
    /// Those of [`SealedShare::open`]; [`ErrorKind::Damaged`] if it is not this pair's half.
    pub async fn open_signing(
        &self,
        client: &EncryptionContext,
        SealedPair { pair, sealed }: &SealedPair,
    ) -> Result<StoredShare<Server>> {
        let context = share_context(client, pair, ShareRole::ServerSigning)?;
        let bytes = sealed.open(&context, &self.ring).await?;
        // The half's point is computed, which leaves it deeper on the stack than an answer goes.
        let share = *stack::erased(|| StoredShare::from_bytes(bytes.expose_secret()));
        let share = share.map_err(|_| not_the_half())?;
        let (id, public_key) = match &share {
            StoredShare::Live(share) => (share.pair(), share.public_key()),
            StoredShare::Frozen(share) => (share.pair(), share.public_key()),
            StoredShare::Unconfirmed(share) => (share.pair(), share.public_key()),
        };
        expect(pair, id, public_key).map(|()| share)
    }

    /// Opens the custodian's half of a backup pair.
    ///
    /// # Errors
    ///
    /// Those of [`SealedShare::open`]; [`ErrorKind::Damaged`] if it is not this pair's half.
    pub async fn open_backup(
        &self,
        client: &EncryptionContext,
        SealedPair { pair, sealed }: &SealedPair,
    ) -> Result<BackupShare<Server>> {
        let context = share_context(client, pair, ShareRole::CustodianBackup)?;
        let bytes = sealed.open(&context, &self.ring).await?;
        self.read_backup(pair, bytes.expose_secret())
    }

    /// Reads the custodian's half of a backup pair from its stored form.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Damaged`] if it is not this pair's half.
    pub fn read_backup(&self, pair: &PairRow, bytes: &[u8]) -> Result<BackupShare<Server>> {
        let share = *stack::erased(|| BackupShare::from_bytes(bytes));
        let share = share.map_err(|_| not_the_half())?;
        expect(pair, share.pair(), share.public_key()).map(|()| share)
    }

    /// Opens the custodian's half of a backup pair after every one of its wraps has opened it.
    ///
    /// # Errors
    ///
    /// As for [`open_backup`](Self::open_backup), and that of the first wrap that does not open.
    pub async fn verify_backup(
        &self,
        client: &EncryptionContext,
        sealed: &SealedPair,
    ) -> Result<BackupShare<Server>> {
        let context = share_context(client, &sealed.pair, ShareRole::CustodianBackup)?;
        for report in sealed.sealed.verify(&context, &self.ring).await {
            report.outcome?;
        }
        self.open_backup(client, sealed).await
    }

    /// Seals what the service proves itself by to a custodian's webhook.
    ///
    /// # Errors
    ///
    /// Those of [`SealedShare::seal`].
    pub async fn seal_webhook_secret(
        &self,
        custodian: &CustodianId,
        secret: &WebhookSecret,
    ) -> Result<SealedShare> {
        let bytes = SecretSlice::from(secret.expose().as_bytes().to_vec());
        SealedShare::seal(&bytes, &secret_context(custodian)?, &self.ring).await
    }

    /// Opens it.
    ///
    /// # Errors
    ///
    /// Those of [`SealedShare::open`]; [`ErrorKind::Damaged`] if it is no such secret.
    pub async fn open_webhook_secret(
        &self,
        custodian: &CustodianId,
        sealed: &SealedShare,
    ) -> Result<WebhookSecret> {
        let bytes = sealed.open(&secret_context(custodian)?, &self.ring).await?;
        let text = str::from_utf8(bytes.expose_secret()).ok();
        let secret = text.and_then(|text| WebhookSecret::new(text).ok());
        secret.ok_or_else(|| Error::new(ErrorKind::Damaged, "what is sealed is no secret"))
    }

    async fn seal(
        &self,
        client: &EncryptionContext,
        pair: PairRow,
        role: ShareRole,
        mut bytes: Zeroizing<Vec<u8>>,
    ) -> Result<SealedPair> {
        let share = SecretSlice::from(std::mem::take(&mut *bytes));
        let context = share_context(client, &pair, role)?;
        let sealed = SealedShare::seal(&share, &context, &self.ring).await?;
        Ok(SealedPair { pair, sealed })
    }
}

pub(crate) fn share_context(
    client: &EncryptionContext,
    pair: &PairRow,
    role: ShareRole,
) -> Result<ShareContext> {
    Ok(ShareContext {
        custodian: client.custodian.clone(),
        client: client.client.clone(),
        wallet: Point::new(pair.public_key.curve(), pair.public_key.as_bytes())?,
        pair: pair.id.clone(),
        role,
    })
}

/// No client has such a name, which has a dot, and no wallet such a key.
pub(crate) fn secret_context(custodian: &CustodianId) -> Result<ShareContext> {
    Ok(ShareContext {
        custodian: custodian.clone(),
        client: ClientId::new(WEBHOOK_SECRET)?,
        wallet: Point::new(Curve::Ed25519, &[0; 32])?,
        pair: SharePairId::new(WEBHOOK_SECRET)?,
        role: ShareRole::CustodianBackup,
    })
}

/// What a key of the passkey enclave is bound to, as `docs/format.md` has it. A build without the
/// enclave moves such keys to others, too.
pub(crate) fn enclave_key_context(
    client: &EncryptionContext,
    key: &str,
    holder: &str,
) -> KeyContext {
    KeyContext::new()
        .with("client", client.client.as_str())
        .with("custodian", client.custodian.as_str())
        .with("key", key)
        .with("passkey", holder)
        .with("role", "passkey-enclave")
}

const WEBHOOK_SECRET: &str = "portal.webhook-secret";

fn expect(pair: &PairRow, id: PairId, public_key: PublicKey) -> Result<()> {
    let is_same = id == PairId::from_name(pair.id.as_str()) && public_key == pair.public_key;
    if is_same { Ok(()) } else { Err(not_the_half()) }
}

fn not_the_half() -> Error {
    Error::new(ErrorKind::Damaged, "what is sealed is not the half of this pair")
}
