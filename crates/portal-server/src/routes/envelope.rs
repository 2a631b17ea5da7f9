//! Envelopes: stored once, and given back as they came.

use axum::{
    extract::{FromRequestParts, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use backup_core::{BackupId, EncryptionContext, Envelope, MethodId};
use sha2::{Digest, Sha256};

use super::path::BackupPath;
use crate::{
    api_key::{ApiKeyHash, Audience},
    auth::{self, AuthenticatedClient},
    error::{ApiError, ApiResult},
    json::expect_media_type,
    lifecycle::Refusal,
    metrics::Reason,
    service::SharedService,
    signed::Signed,
    store::{EnvelopeSlot, KeyAt, SlotPair, StoredEnvelope},
};

/// A client, one of its sets, and the place for the envelope of that, if there is such a set.
///
/// They are remembered of a set that was just made, or else looked up together: whoever stores an
/// envelope waits for it.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The API key, if it is not a session token that came.
    key: Option<ApiKeyHash>,
    client: EncryptionContext,
    backup: BackupId,
    slot: Option<EnvelopeSlot>,
    /// Whether all of this, the key included, still has to be seen in the database.
    is_remembered: bool,
}

impl FromRequestParts<SharedService> for Asked {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &SharedService) -> ApiResult<Self> {
        let Ok(key) = auth::presented(&parts.headers, Audience::Client) else {
            return Self::with_session_token(parts, service).await;
        };
        let BackupPath(backup) = BackupPath::from_request_parts(parts, service).await?;
        match service.store.fresh_place(&backup) {
            Some((client, slot)) => {
                let (key, slot) = (Some(key), Some(slot));
                Ok(Self { key, client, backup, slot, is_remembered: true })
            }
            None => Self::with_key(service, key, backup).await,
        }
    }
}

impl Asked {
    async fn with_key(
        service: &SharedService,
        key: ApiKeyHash,
        backup: BackupId,
    ) -> ApiResult<Self> {
        let found = service.store.client_and_envelope_slot(&key, &backup, service.now()).await?;
        let (client, slot) = found.ok_or_else(auth::no_such_key)?;
        Ok(Self { key: Some(key), client, backup, slot, is_remembered: false })
    }

    async fn with_session_token(parts: &mut Parts, service: &SharedService) -> ApiResult<Self> {
        let AuthenticatedClient(client) =
            AuthenticatedClient::from_request_parts(parts, service).await?;
        let BackupPath(backup) = BackupPath::from_request_parts(parts, service).await?;
        Self::of_client(service, client, backup).await
    }

    async fn of_client(
        service: &SharedService,
        client: EncryptionContext,
        backup: BackupId,
    ) -> ApiResult<Self> {
        let slot = service.store.read().await?.envelope_slot(&client.client, &backup).await?;
        Ok(Self { key: None, client, backup, slot, is_remembered: false })
    }

    async fn again(self, service: &SharedService) -> ApiResult<Self> {
        match self.key {
            Some(key) => Self::with_key(service, key, self.backup).await,
            None => Self::of_client(service, self.client, self.backup).await,
        }
    }

    /// Looks, unless that was done.
    async fn seen(self, service: &SharedService) -> ApiResult<Self> {
        if self.is_remembered { self.again(service).await } else { Ok(self) }
    }

    /// Whether the envelope is stored now; it is not if its place has changed.
    async fn store(
        &self,
        service: &SharedService,
        signed: &Signed,
        envelope: &Envelope,
    ) -> ApiResult<bool> {
        let Some(there) = &self.slot else {
            signed.verify_live(&self.client, &mut service.store.read().await?).await?;
            return Err(Refusal::NoSuchSet.into());
        };
        let live = there.live_key.as_ref().ok_or_else(ApiError::share_mismatch)?;
        signed.verify(&self.client, live)?;
        if is_there(envelope, there)? {
            return Ok(true);
        }
        let fitting = fitting(envelope, &self.client, &self.backup, there)?;
        let key = self.key.map(|key| KeyAt { key, now: service.now() });
        Ok(service.store.store_envelope(&self.client.client, there, &fitting, key).await?)
    }
}

pub(crate) async fn store_envelope(
    State(service): State<SharedService>,
    mut asked: Asked,
    signed: ApiResult<Signed>,
) -> ApiResult<StatusCode> {
    let (signed, envelope) = match signed.and_then(sent) {
        Ok(sent) => sent,
        Err(refusal) => {
            // Whoever has no right key is told that, and not what else is wrong.
            asked.seen(&service).await?;
            return Err(refusal);
        }
    };
    for _ in 0..LOOKS {
        match asked.store(&service, &signed, &envelope).await {
            Ok(true) => return Ok(StatusCode::NO_CONTENT),
            // What is remembered may be out of date, and whoever asks may be somebody else.
            Err(refusal) if !asked.is_remembered => return Err(refusal),
            Ok(false) | Err(_) => asked = asked.again(&service).await?,
        }
    }
    Err(ApiError::busy(Reason::Database))
}

fn sent(signed: Signed) -> ApiResult<(Signed, Envelope)> {
    expect_media_type(signed.headers(), "text/plain")?;
    let envelope = parse(signed.body())?;
    Ok((signed, envelope))
}

/// How often one looks: what has changed between a look and its write is seen by the next look.
const LOOKS: usize = 3;

pub(crate) async fn envelope(
    State(service): State<SharedService>,
    AuthenticatedClient(client): AuthenticatedClient,
    BackupPath(backup): BackupPath,
) -> ApiResult<Response> {
    let text = service.store.read().await?.envelope(&client.client, &backup).await?;
    let text = text.ok_or_else(|| ApiError::not_found("there is no such set with an envelope"))?;
    Ok(([(header::CONTENT_TYPE, "text/plain")], text).into_response())
}

pub(super) fn parse(body: &[u8]) -> ApiResult<Envelope> {
    let text = str::from_utf8(body).map_err(|_| ApiError::bad_request("this is not text"))?;
    Envelope::parse(text).map_err(|error| ApiError::bad_request(error.to_string()))
}

/// Whether the set has this envelope already. It is never given another.
pub(super) fn is_there(envelope: &Envelope, slot: &EnvelopeSlot) -> ApiResult<bool> {
    match slot.sha256 {
        None => Ok(false),
        Some(stored) if stored == sha256(envelope) => Ok(true),
        Some(_) => Err(ApiError::state_invalid("the set has another envelope already")),
    }
}

/// What is stored of an envelope that belongs to a set which has none.
pub(super) fn fitting<'a>(
    envelope: &'a Envelope,
    client: &EncryptionContext,
    backup: &BackupId,
    slot: &EnvelopeSlot,
) -> ApiResult<StoredEnvelope<'a>> {
    expect_claims(envelope, client, backup, slot)?;
    Ok(StoredEnvelope {
        text: envelope.as_str(),
        sha256: sha256(envelope),
        enrollment: envelope.header().enrollment(),
    })
}

fn sha256(envelope: &Envelope) -> [u8; 32] {
    Sha256::digest(envelope.as_str()).into()
}

/// What an envelope says about itself has to be what the service knows of its set.
fn expect_claims(
    envelope: &Envelope,
    client: &EncryptionContext,
    backup: &BackupId,
    slot: &EnvelopeSlot,
) -> ApiResult<()> {
    let header = envelope.header();
    let is_of_set = header.context == *client
        && header.method == slot.method
        && header.backup == *backup
        && has_pairs(envelope, slot);
    if !is_of_set {
        return Err(ApiError::bad_request(
            "the envelope says that it is of another client, method, set or pairs",
        ));
    }
    if header.slot.is_none() && header.method != MethodId::CUSTOM {
        return Err(ApiError::bad_request("only the app's own store has envelopes without a slot"));
    }
    Ok(())
}

fn has_pairs(envelope: &Envelope, slot: &EnvelopeSlot) -> bool {
    let sealed = &envelope.header().wallets;
    let is_sealed = |pair: &SlotPair| {
        sealed.iter().any(|sealed| {
            sealed.pair == pair.id
                && sealed.wallet.curve() == pair.curve
                && sealed.wallet.as_bytes() == pair.public_key
        })
    };
    sealed.len() == slot.pairs.len() && slot.pairs.iter().all(is_sealed)
}
