//! Values sealed under the custodian's keys before they reach a store.

use std::sync::Arc;

use backup_core::{
    ClientId, Curve, CustodianId, Error, ErrorKind, Point, SharePairId,
    secrecy::{ExposeSecret, SecretSlice},
};
use portal_keys::{KeyRing, SealedShare, ShareContext, ShareRole};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    error::Refusal,
    store::{Kept, Kind, Place, Store, StoreError},
};

/// A store, and the keys that what is in it is sealed under.
#[derive(Clone, Debug)]
pub(crate) struct Vault {
    pub(crate) custodian: CustodianId,
    pub(crate) keys: KeyRing,
    pub(crate) store: Arc<dyn Store>,
}

/// Why a pair was not erased.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EraseError {
    /// Only pairs that have a name can be named as dead.
    #[error("a pair has a name: what the service names as dead can be erased, and nothing else")]
    Unnamed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A value that was opened.
pub(crate) struct Opened {
    pub(crate) place: Place,
    pub(crate) value: Zeroizing<String>,
}

impl Vault {
    /// Keeps a value beside all that is kept already. The same value is not kept twice.
    pub(crate) async fn keep(
        &self,
        place: Place,
        value: &Zeroizing<String>,
    ) -> Result<(), Refusal> {
        let context = self.context(&place).map_err(|_| Refusal::NAMES)?;
        let mut kept = self.store.all(place.kind, &place.client).await?;
        kept.retain(|kept| kept.place == place);
        let opened = self.opened(kept).await?;
        if opened.iter().any(|kept| bool::from(kept.value.as_bytes().ct_eq(value.as_bytes()))) {
            return Ok(());
        }
        let bytes = SecretSlice::from(value.as_bytes().to_vec());
        let sealed = SealedShare::seal(&bytes, &context, &self.keys).await?.encode();
        Ok(self.store.add(&Kept { place, sealed }).await?)
    }

    /// All that can be opened of a client, newest first. What cannot is told in the log, and hides
    /// nothing else.
    pub(crate) async fn all(&self, kind: Kind, client: &str) -> Result<Vec<Opened>, Refusal> {
        let kept = self.store.all(kind, client).await?;
        self.opened(kept).await
    }

    async fn opened(&self, kept: Vec<Kept>) -> Result<Vec<Opened>, Refusal> {
        let mut opened = Vec::new();
        for Kept { place, sealed } in kept {
            match self.open(&place, &sealed).await {
                Ok(value) => opened.push(Opened { place, value }),
                // Nothing is said rather than too little.
                Err(error) if error.kind() == ErrorKind::Unavailable => return Err(error.into()),
                Err(error) => {
                    let Place { client, pair, .. } = &place;
                    tracing::error!(client, pair, %error, "a value does not open");
                }
            }
        }
        Ok(opened)
    }

    async fn open(&self, place: &Place, sealed: &[u8]) -> backup_core::Result<Zeroizing<String>> {
        let sealed = SealedShare::decode(sealed)?;
        let bytes = sealed.open(&self.context(place)?, &self.keys).await?;
        let text = str::from_utf8(bytes.expose_secret());
        let text = text.map_err(|_| Error::new(ErrorKind::Damaged, "what is sealed is no text"))?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// A custodian is not told the wallet's key. In its place stands a hash of what else a value is
    /// bound to.
    pub(crate) fn context(&self, place: &Place) -> backup_core::Result<ShareContext> {
        let kind: &[u8] = match place.kind {
            Kind::Half => b"half",
            Kind::CipherText => b"cipher text",
        };
        let mut facts = Sha256::new();
        for fact in [b"portal-webhook/1", kind, place.method.as_bytes(), place.pair.as_bytes()] {
            facts.update((fact.len() as u64).to_be_bytes());
            facts.update(fact);
        }
        let pair = if place.pair.is_empty() { UNNAMED } else { place.pair.as_str() };
        Ok(ShareContext {
            custodian: self.custodian.clone(),
            client: ClientId::new(place.client.as_str())?,
            wallet: Point::new(Curve::Ed25519, &facts.finalize())?,
            pair: SharePairId::new(pair)?,
            role: ShareRole::CustodianBackup,
        })
    }
}

/// The pair of bodies that name none.
const UNNAMED: &str = "portal-webhook.unnamed";
