//! The joint that every backup method implements.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, ErrorKind, MethodId, Operation, Result, WrappingKey};

/// A way for a user to obtain the same wrapping key again on a new device.
///
/// It is an interactive key-encapsulation mechanism: [`enroll`](Self::enroll) yields a fresh
/// wrapping key and public parameters, [`unlock`](Self::unlock) obtains the same key from those
/// parameters and the user. All encryption happens once, in this crate, so an author writes no
/// cryptography and cannot get the binding to client, custodian and parameters wrong. Methods that
/// derive a key (password, passkey PRF), store one (Drive, iCloud, keychain, enclave) and delegate
/// (a KMS) all fit. A storing method is best written as a [`KeyStore`](crate::KeyStore).
///
/// The conformance suite of `backup-testkit` holds every rule below to an implementation.
///
/// # Cancel safety
///
/// A caller may drop any of these futures at any point. What was enrolled before still unlocks, and
/// what a dropped enrolment left behind is found by [`held`](Self::held) or in the
/// [`Journal`](crate::Journal). What a dropped future began may still happen a little later.
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
pub trait BackupMethod: fmt::Debug + Send + Sync {
    /// The id under which backups of this method are kept.
    fn id(&self) -> MethodId;

    /// Whether `op.purpose()` would succeed now, as far as can be told without asking the user and
    /// without leaving a trace.
    ///
    /// # Errors
    ///
    /// What the operation itself would fail with.
    async fn check(&self, op: &Operation<'_>) -> Result<()>;

    /// Makes a fresh wrapping key and the parameters from which it can be obtained again.
    ///
    /// Nothing that exists is overwritten. Whatever this leaves behind is announced first, by
    /// [`Operation::will_leave`], and durable when it returns.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Cancelled`] if the user declines, [`ErrorKind::Unavailable`] if a service does
    /// not answer, [`ErrorKind::Unsupported`] if the method cannot work here. Earlier enrolments
    /// are not touched.
    async fn enroll(&self, op: &Operation<'_>) -> Result<Enrollment>;

    /// Obtains the wrapping key of an earlier enrolment again.
    ///
    /// A method that derives its key cannot know that a secret was wrong: it returns a wrong key,
    /// the slot does not open, and it is called again with [`Operation::attempt`] raised. The first
    /// line of an implementation decodes `params`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParams`] before the user is asked anything; then as for
    /// [`enroll`](Self::enroll), and [`ErrorKind::NotFound`] or [`ErrorKind::Unauthorized`].
    async fn unlock(&self, op: &Operation<'_>, params: &MethodParams) -> Result<WrappingKey>;

    /// Destroys what an enrolment left behind. Whatever is absent already is fine.
    ///
    /// Call it only with parameters from the device's own records or from a slot that was just
    /// opened: a server that lies about parameters could have the wrong key destroyed.
    ///
    /// # Errors
    ///
    /// As for [`unlock`](Self::unlock), but never [`ErrorKind::NotFound`]. After an error it may be
    /// gone or not: call it again.
    async fn revoke(&self, op: &Operation<'_>, params: &MethodParams) -> Result<()>;

    /// What the method keeps for this client, whether a backup still needs it or not.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if the place where it keeps things does not answer.
    async fn held(&self, op: &Operation<'_>) -> Result<Vec<Held>> {
        let _ = op;
        Ok(Vec::new())
    }
}

/// What [`BackupMethod::enroll`] yields.
#[derive(Debug)]
pub struct Enrollment {
    /// Opens the slot. Never leaves the device.
    pub wrapping_key: WrappingKey,
    /// From which the method obtains the same key again. Public.
    pub params: MethodParams,
}

/// Something that a method keeps for a client.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Held {
    /// The method that keeps it, and that revokes it: of a method made of others, the member.
    pub method: MethodId,
    /// The parameters under which it was enrolled.
    pub params: MethodParams,
}

impl Held {
    /// What `method` keeps under `params`.
    #[must_use]
    pub fn new(method: MethodId, params: MethodParams) -> Self {
        Self { method, params }
    }
}

/// The public parameters of one enrolment, as bytes that only their method understands.
///
/// They are authenticated with the slot exactly as they were read, never re-encoded.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct MethodParams(Vec<u8>);

impl MethodParams {
    /// The most that a slot carries, in bytes.
    pub const MAX_LEN: usize = 16 * 1024;

    /// Takes bytes as they were read.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParams`] if they are longer than [`MAX_LEN`](Self::MAX_LEN).
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Self> {
        let bytes = bytes.into();
        if bytes.len() > Self::MAX_LEN {
            return Err(Error::new(ErrorKind::InvalidParams, "parameters are over 16 KiB"));
        }
        Ok(Self(bytes))
    }

    /// Encodes a method's own type as JSON: readable by anyone, for as long as there are backups.
    ///
    /// Derive `Serialize` and `Deserialize` with `deny_unknown_fields`, and begin the type with a
    /// version.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParams`] if the result is too long or the type has no JSON form.
    pub fn encode<T: Serialize>(params: &T) -> Result<Self> {
        let json = serde_json::to_vec(params).map_err(|_| {
            Error::new(ErrorKind::InvalidParams, "these parameters have no JSON form")
        })?;
        Self::from_bytes(json)
    }

    /// Decodes what [`encode`](Self::encode) made.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParams`] for anything else.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.0).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let place = format!("parameters are malformed at line {line}, column {column}");
            Error::new(ErrorKind::InvalidParams, place)
        })
    }

    /// The bytes as they were read.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for MethodParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MethodParams({})", self.0.escape_ascii())
    }
}

/// Forwards every call; a method added to the trait and forgotten here is a lint error.
macro_rules! forward {
    ($($pointer:ty),+) => {$(
        #[cfg_attr(target_family = "wasm", async_trait(?Send))]
        #[cfg_attr(not(target_family = "wasm"), async_trait)]
        #[deny(clippy::missing_trait_methods)]
        impl<T: BackupMethod + ?Sized> BackupMethod for $pointer {
            fn id(&self) -> MethodId {
                (**self).id()
            }

            async fn check(&self, op: &Operation<'_>) -> Result<()> {
                (**self).check(op).await
            }

            async fn enroll(&self, op: &Operation<'_>) -> Result<Enrollment> {
                (**self).enroll(op).await
            }

            async fn unlock(
                &self,
                op: &Operation<'_>,
                params: &MethodParams,
            ) -> Result<WrappingKey> {
                (**self).unlock(op, params).await
            }

            async fn revoke(&self, op: &Operation<'_>, params: &MethodParams) -> Result<()> {
                (**self).revoke(op, params).await
            }

            async fn held(&self, op: &Operation<'_>) -> Result<Vec<Held>> {
                (**self).held(op).await
            }
        }
    )+};
}

forward!(&T, Arc<T>, Box<T>);
