//! The release of a custodian's half to whoever ejects a wallet: asked for by who holds the other
//! half, and readable by the program alone that asked.

use std::fmt;

use backup_core::{EncryptionContext, SharePairId};
use hpke::{
    Deserializable, Kem as _, OpModeR, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256,
    kem::X25519HkdfSha256, single_shot_open, single_shot_seal,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{device_key::push_field, encoding};

type Kem = X25519HkdfSha256;

/// What a half is released to: a key that is made for one request and never leaves memory.
pub struct ReleaseKey {
    private: <Kem as hpke::Kem>::PrivateKey,
    recipient: ReleaseRecipient,
}

/// The public side of a [`ReleaseKey`]: X25519.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct ReleaseRecipient(
    #[serde(with = "encoding::base64url")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::schema::Key"))]
    [u8; 32],
);

/// A half that was released. Only the [`ReleaseKey`] opens it: whoever has heard the request and
/// repeats it gets nothing that is of use.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleasedHalf {
    /// The pair.
    #[serde(with = "encoding::text")]
    pub backup_share_pair_id: SharePairId,
    /// The encapsulated key of HPKE (RFC 9180).
    #[serde(with = "encoding::base64url")]
    pub encapsulated_key: [u8; 32],
    /// The half in its stored form, encrypted.
    #[serde(with = "encoding::base64url")]
    pub sealed_share: Vec<u8>,
}

/// No half is released to this key, or with it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("what was released is not for this key")]
pub struct NotReleased;

impl ReleaseKey {
    /// A fresh key.
    ///
    /// # Errors
    ///
    /// [`getrandom::Error`] if the operating system has no randomness.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed)?;
        let (private, public) = Kem::derive_keypair(&*seed);
        Ok(Self { private, recipient: ReleaseRecipient(public.to_bytes().into()) })
    }

    /// Its public side, for the request.
    #[must_use]
    pub const fn recipient(&self) -> ReleaseRecipient {
        self.recipient
    }

    /// Opens a half that was released to this key, for this client and pair.
    ///
    /// # Errors
    ///
    /// [`NotReleased`].
    pub fn open(
        &self,
        client: &EncryptionContext,
        pair: &SharePairId,
        released: &ReleasedHalf,
    ) -> Result<Zeroizing<Vec<u8>>, NotReleased> {
        let facts = release_statement(client, pair, &self.recipient);
        let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(&released.encapsulated_key)
            .map_err(|_| NotReleased)?;
        single_shot_open::<AesGcm256, HkdfSha256, Kem>(
            &OpModeR::Base,
            &self.private,
            &encapsulated,
            &facts,
            &released.sealed_share,
            &[],
        )
        .map(Zeroizing::new)
        .map_err(|_| NotReleased)
    }
}

impl fmt::Debug for ReleaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReleaseKey").field("recipient", &self.recipient).finish_non_exhaustive()
    }
}

impl ReleasedHalf {
    /// Encrypts a half to whom it is released.
    ///
    /// # Errors
    ///
    /// [`NotReleased`] if the recipient is no key.
    pub fn seal(
        client: &EncryptionContext,
        pair: &SharePairId,
        recipient: &ReleaseRecipient,
        half: &[u8],
    ) -> Result<Self, NotReleased> {
        let facts = release_statement(client, pair, recipient);
        let public = <Kem as hpke::Kem>::PublicKey::from_bytes(&recipient.0);
        let (encapsulated, sealed_share) = single_shot_seal::<AesGcm256, HkdfSha256, Kem>(
            &OpModeS::Base,
            &public.map_err(|_| NotReleased)?,
            &facts,
            half,
            &[],
        )
        .map_err(|_| NotReleased)?;
        let encapsulated_key = encapsulated.to_bytes().into();
        Ok(Self { backup_share_pair_id: pair.clone(), encapsulated_key, sealed_share })
    }
}

/// What the proof of who asks for a half is about, and what the answer is bound to: this pair of
/// this client, for this recipient.
#[must_use]
pub fn release_statement(
    client: &EncryptionContext,
    pair: &SharePairId,
    recipient: &ReleaseRecipient,
) -> Vec<u8> {
    let mut statement = b"portal-api/1 release\n".to_vec();
    for field in [
        client.custodian.as_str().as_bytes(),
        client.client.as_str().as_bytes(),
        pair.as_str().as_bytes(),
        &recipient.0,
    ] {
        push_field(&mut statement, field);
    }
    statement
}

#[cfg(test)]
mod tests {
    use backup_core::{ClientId, CustodianId};

    use super::*;

    fn client(name: &str) -> EncryptionContext {
        EncryptionContext::new(CustodianId::new("acme").unwrap(), ClientId::new(name).unwrap())
    }

    #[test]
    fn a_released_half_opens_with_its_key_for_its_client_and_pair_alone() {
        let (key, other) = (ReleaseKey::generate().unwrap(), ReleaseKey::generate().unwrap());
        let (alice, pair) = (client("alice"), SharePairId::new("p1").unwrap());
        let released = ReleasedHalf::seal(&alice, &pair, &key.recipient(), b"half").unwrap();
        assert_eq!(**key.open(&alice, &pair, &released).unwrap(), *b"half");
        let another = SharePairId::new("p2").unwrap();
        assert_eq!(other.open(&alice, &pair, &released), Err(NotReleased));
        assert_eq!(key.open(&client("bob"), &pair, &released), Err(NotReleased));
        assert_eq!(key.open(&alice, &another, &released), Err(NotReleased));
        for bit in 0..released.sealed_share.len() * 8 {
            let mut damaged = released.clone();
            damaged.sealed_share[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.open(&alice, &pair, &damaged), Err(NotReleased));
        }
    }

    #[test]
    fn nothing_is_released_to_a_key_of_small_order() {
        let pair = SharePairId::new("p1").unwrap();
        let recipient = ReleaseRecipient([0; 32]);
        let refused = ReleasedHalf::seal(&client("alice"), &pair, &recipient, b"half");
        assert_eq!(refused, Err(NotReleased));
    }

    /// Both sides compute it, and old apps go on asking: it stays as it is.
    #[test]
    fn a_statement_has_its_fields_behind_their_lengths() {
        let pair = SharePairId::new("p1").unwrap();
        let statement = release_statement(&client("alice"), &pair, &ReleaseRecipient([7; 32]));
        let expected = [
            &b"portal-api/1 release\n"[..],
            b"\x00\x00\x00\x04acme\x00\x00\x00\x05alice\x00\x00\x00\x02p1\x00\x00\x00\x20",
            &[7; 32],
        ];
        assert_eq!(statement, expected.concat());
    }

    #[test]
    fn a_key_does_not_print_itself() {
        let key = ReleaseKey::generate().unwrap();
        let shown = format!("{key:?}");
        assert!(shown.starts_with("ReleaseKey") && !shown.contains("private"), "{shown}");
    }
}
