//! What a session is about, and the id that says so.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::by_curve::{ByCurve, Curves};
use crate::operation::OperationKind;
use crate::pair::PairId;

/// The client's contribution to a session id.
pub(crate) type Nonce = [u8; 32];

/// Whose wallets a session is about, and which device speaks. Both sides know both, and neither
/// takes them from the other.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Context {
    wallet: Vec<u8>,
    device_key: Vec<u8>,
}

impl Context {
    /// A context of a wallet's unique name (custodian, client, wallet, as the service names them)
    /// and the public key under which the device is registered, or is about to be.
    #[must_use]
    pub fn new(wallet: impl Into<Vec<u8>>, device_key: impl Into<Vec<u8>>) -> Self {
        Self { wallet: wallet.into(), device_key: device_key.into() }
    }

    pub(crate) fn session_id(
        &self,
        operation: OperationKind,
        curves: Curves,
        pairs: &ByCurve<PairId>,
        nonce: &Nonce,
    ) -> SessionId {
        let mut hash = Sha256::new_with_prefix(b"portal-mpc/v1/session");
        hash.update([operation.code(), curves.bits()]);
        for field in [&self.wallet, &self.device_key] {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        for (_, pair) in pairs.iter() {
            hash.update(pair.as_bytes());
        }
        hash.update(nonce);
        SessionId(hash.finalize().into())
    }
}

/// The id of a session: a hash of the version, the operation, the curves, the context, the pairs
/// that it starts from and a nonce of the client.
///
/// A server refuses a session whose id a live one has.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct SessionId([u8; 32]);

impl SessionId {
    /// The bytes, as they stand in every message.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base16ct::lower::encode_string(&self.0))
    }
}
