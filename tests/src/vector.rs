//! Golden vectors: files that say what opens an envelope, and what comes out or is refused.

use std::{collections::BTreeMap, sync::Arc};

use backup_core::{
    BackupKey, BackupMethod, ClientBackupShare, ClientId, Curve, CustodianId, EncryptionContext,
    Envelope, Error, MethodId, MethodParams, Opened, Operation, Point, Purpose, SharePairId,
    Threshold, WrappingKey,
    secrecy::{ExposeSecret, SecretSlice},
};
use backup_methods_passkey::{Account, PasskeyPrf, RelyingParty};
use backup_methods_password::{GivenPassword, Password};
use futures_executor::block_on;
use serde::{Deserialize, Serialize};

use crate::{fixed_key::FixedKey, one_passkey::OnePasskey};

/// One vector, as `docs/format.md` section 6 describes it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the members are described in docs/format.md")]
pub struct Vector {
    pub comment: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    pub envelope: String,
    pub custodian: String,
    pub client: String,
    pub wallets: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    pub key: Key,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<Share>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What opens an envelope.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the members are described in docs/format.md")]
pub enum Key {
    BackupKey(String),
    Members(BTreeMap<String, Member>),
    Password(String),
    PrfRandom(String),
    WrappingKey(String),
}

/// A member of a threshold.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(missing_docs, reason = "the members are described in docs/format.md")]
pub struct Member {
    pub method: String,
    pub key: Key,
}

/// A share in the clear.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the members are described in docs/format.md")]
pub struct Share {
    pub curve: String,
    pub pair: String,
    pub client_commitment: String,
    pub custodian_commitment: String,
    pub secret: String,
}

impl Vector {
    /// The reader's context.
    #[must_use]
    pub fn context(&self) -> EncryptionContext {
        EncryptionContext::new(
            CustodianId::new(self.custodian.clone()).expect("a vector's custodian id"),
            ClientId::new(self.client.clone()).expect("a vector's client id"),
        )
    }

    /// The reader's wallets.
    #[must_use]
    pub fn wallets(&self) -> Vec<Point> {
        let point = |(curve, key): (&String, &String)| {
            Point::new(curve_named(curve), &unhex(key)).expect("a vector's wallet")
        };
        self.wallets.iter().map(point).collect()
    }

    /// Opens the envelope as the vector says.
    ///
    /// # Errors
    ///
    /// Those of [`Envelope::parse`] and of opening it.
    pub fn open(&self) -> Result<Opened, Error> {
        let envelope = Envelope::parse(&self.envelope)?;
        let context = self.context();
        if let Key::BackupKey(key) = &self.key {
            let key = BackupKey::copied_from(&unhex_32(key));
            return envelope.open_with_key(&key, &context, &self.wallets());
        }
        let method = method(self.method.as_deref().expect("a slot has a method"), &self.key);
        let op = Operation::new(Purpose::Unlock, &context);
        block_on(envelope.open(&*method, &op, &self.wallets()))
    }
}

impl Share {
    /// The share in the clear, of a wallet that stands elsewhere.
    #[must_use]
    pub fn of(share: &ClientBackupShare) -> Self {
        Self {
            curve: share.wallet().curve().to_string(),
            pair: share.pair().to_string(),
            client_commitment: hex(share.client_commitment().as_bytes()),
            custodian_commitment: hex(share.custodian_commitment().as_bytes()),
            secret: hex(share.secret().expose_secret()),
        }
    }

    /// A share of `wallet`.
    #[must_use]
    pub fn with_wallet(&self, wallet: Point) -> ClientBackupShare {
        let point = |hex: &str| Point::new(wallet.curve(), &unhex(hex)).expect("a vector's point");
        ClientBackupShare::new(
            SharePairId::new(self.pair.clone()).expect("a vector's pair id"),
            wallet,
            point(&self.client_commitment),
            point(&self.custodian_commitment),
            SecretSlice::from(unhex(&self.secret)),
        )
        .expect("a vector's share")
    }
}

/// The method that a vector's key stands for.
#[must_use]
pub fn method(id: &str, key: &Key) -> Arc<dyn BackupMethod> {
    let id = MethodId::new(id.to_owned()).expect("a vector's method id");
    match key {
        Key::WrappingKey(key) => {
            let params = MethodParams::from_bytes([]).expect("nothing is not too long");
            Arc::new(FixedKey::new(id, WrappingKey::copied_from(&unhex_32(key)), params))
        }
        Key::Members(members) => {
            let members = members
                .iter()
                .map(|(label, member)| (label.clone(), method(&member.method, &member.key)));
            Arc::new(Threshold::new(1, members).expect("a vector's threshold"))
        }
        Key::Password(password) => {
            Arc::new(Password::new(GivenPassword::new(password.as_str().into())))
        }
        Key::PrfRandom(random) => {
            let passkey = OnePasskey { random: unhex_32(random) };
            let party = RelyingParty::new("example.com", "Example").expect("it is a domain");
            Arc::new(PasskeyPrf::new(passkey, party, Account::new("alice", "Alice")))
        }
        Key::BackupKey(_) => panic!("a backup key belongs to no method"),
    }
}

/// The curve of this name on the wire.
#[must_use]
pub fn curve_named(name: &str) -> Curve {
    Curve::ALL.into_iter().find(|curve| curve.as_str() == name).expect("a vector's curve")
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(bytes)
}

/// What [`hex`] made.
#[must_use]
pub fn unhex(text: &str) -> Vec<u8> {
    base16ct::lower::decode_vec(text).expect("a vector's bytes are lower-case hexadecimal")
}

fn unhex_32(text: &str) -> [u8; 32] {
    unhex(text).try_into().expect("a vector's key has 32 bytes")
}
