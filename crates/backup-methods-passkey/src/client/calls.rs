//! The enclave's routes, as a client calls them.

use backup_core::{EncryptionKey, Result};
use bytes::Bytes;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    answers,
    http::{Http, unreadable},
    options::{Begun, Creation, Login},
};
use crate::{
    Assertion, Created, CredentialId, HeldKey, HeldPasskey, KeyId, RelyingParty, Status, key_text,
};

/// The calls of one client.
#[derive(Debug)]
pub(super) struct Calls {
    pub(super) http: Http,
    pub(super) relying_party: RelyingParty,
}

/// What a passkey is to confirm.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose<'a> {
    /// To write a key under a new name.
    Write,
    /// To read the key of this name, or that of the completed backup.
    Read(Option<&'a KeyId>),
    /// To delete the key of this name.
    Delete(&'a KeyId),
    /// To give this passkey all keys that the confirming one has.
    Grant(&'a CredentialId),
    /// To call this passkey otherwise.
    Rename(&'a CredentialId, &'a str),
    /// To remove this passkey.
    Remove(&'a CredentialId),
}

/// A released key.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Released {
    #[serde(deserialize_with = "key_text::deserialize")]
    pub(super) encryption_key: EncryptionKey,
    /// Not every enclave names its keys: Portal's does not.
    pub(super) key_id: Option<KeyId>,
}

impl Calls {
    pub(super) async fn status(&self) -> Result<Status> {
        #[derive(Deserialize)]
        struct Answer {
            status: Status,
        }
        let Answer { status } = parsed(&self.http.get("/status").await?)?;
        Ok(status)
    }

    pub(super) async fn passkeys(&self) -> Result<Vec<HeldPasskey>> {
        #[derive(Deserialize)]
        struct Answer {
            passkeys: Vec<HeldPasskey>,
        }
        let Answer { passkeys } = parsed(&self.http.get("").await?)?;
        Ok(passkeys)
    }

    pub(super) async fn keys(&self) -> Result<Vec<HeldKey>> {
        #[derive(Deserialize)]
        struct Answer {
            keys: Vec<HeldKey>,
        }
        let Answer { keys } = parsed(&self.http.get("/keys").await?)?;
        Ok(keys)
    }

    pub(super) async fn begin_registration(&self, name: Option<&str>) -> Result<Begun<Creation>> {
        let mut body = json!({ "relyingParty": self.relying_party.id() });
        if let Some(name) = name {
            body["name"] = name.into();
        }
        parsed(&self.http.post("/begin-registration", public(&body)).await?)
    }

    pub(super) async fn finish_registration(&self, session: &str, created: &Created) -> Result<()> {
        let body = json!({
            "relyingParty": self.relying_party.id(),
            "sessionId": session,
            "attestation": answers::attestation(created),
        });
        self.http.post("/finish-registration", public(&body)).await.map(drop)
    }

    pub(super) async fn begin_login(&self, purpose: Purpose<'_>) -> Result<Begun<Login>> {
        let mut body = json!({ "relyingParty": self.relying_party.id() });
        match purpose {
            Purpose::Write | Purpose::Read(None) => {}
            Purpose::Read(Some(key)) => body["keyId"] = json!(key),
            Purpose::Delete(key) => add(&mut body, json!({ "purpose": "delete", "keyId": key })),
            Purpose::Grant(to) => add(&mut body, json!({ "purpose": "grant", "passkeyId": to })),
            Purpose::Rename(id, name) => {
                add(&mut body, json!({ "purpose": "rename", "passkeyId": id, "name": name }));
            }
            Purpose::Remove(id) => add(&mut body, json!({ "purpose": "remove", "passkeyId": id })),
        }
        parsed(&self.http.post("/begin-login", public(&body)).await?)
    }

    /// The key's name: the given one, or one that the enclave chose.
    pub(super) async fn write(
        &self,
        session: &str,
        assertion: &Assertion,
        (name, key): (Option<&KeyId>, &EncryptionKey),
    ) -> Result<Option<KeyId>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            key_id: Option<KeyId>,
        }
        let mut rest = self.finished(session, assertion);
        if let Some(name) = name {
            rest["keyId"] = json!(name);
        }
        let answer = self.http.post("/finish-login/write", with_key(&rest, key)).await?;
        // Portal's enclave says nothing.
        let answer = if answer.is_empty() { Answer { key_id: None } } else { parsed(&answer)? };
        Ok(answer.key_id)
    }

    pub(super) async fn read(
        &self,
        session: &str,
        assertion: &Assertion,
        name: Option<&KeyId>,
    ) -> Result<Released> {
        let mut body = self.finished(session, assertion);
        if let Some(name) = name {
            body["keyId"] = json!(name);
        }
        let released: Released =
            parsed(&self.http.post("/finish-login/read", public(&body)).await?)?;
        if name.is_some() && released.key_id.as_ref() != name {
            Err(unreadable())
        } else {
            Ok(released)
        }
    }

    /// Ends what was begun for this purpose, which is neither reading nor writing.
    pub(super) async fn confirm(
        &self,
        session: &str,
        assertion: &Assertion,
        purpose: Purpose<'_>,
    ) -> Result<()> {
        let path = match purpose {
            Purpose::Write => "/finish-login/write",
            Purpose::Read(_) => "/finish-login/read",
            Purpose::Delete(_) => "/finish-login/delete",
            Purpose::Grant(_) => "/finish-login/grant",
            Purpose::Rename(..) => "/finish-login/rename",
            Purpose::Remove(_) => "/finish-login/remove",
        };
        self.http.post(path, public(&self.finished(session, assertion))).await.map(drop)
    }

    fn finished(&self, session: &str, assertion: &Assertion) -> Value {
        json!({
            "relyingParty": self.relying_party.id(),
            "sessionId": session,
            "assertion": answers::assertion(assertion),
        })
    }
}

fn add(body: &mut Value, more: Value) {
    let (Value::Object(body), Value::Object(more)) = (body, more) else { return };
    body.extend(more);
}

/// A body without a secret.
fn public(body: &Value) -> Bytes {
    Bytes::from(body.to_string())
}

/// A body with a key, which wipes itself. Digits need no escapes.
fn with_key(rest: &Value, key: &EncryptionKey) -> Bytes {
    let rest = rest.to_string();
    let members = rest.trim_start_matches('{');
    let digits = key_text::encode(key);
    let mut body = Zeroizing::new(Vec::with_capacity(members.len() + 128));
    for part in [r#"{"encryptionKey":""#, &digits, r#"","#, members] {
        body.extend_from_slice(part.as_bytes());
    }
    Bytes::from_owner(body)
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|_| unreadable())
}
