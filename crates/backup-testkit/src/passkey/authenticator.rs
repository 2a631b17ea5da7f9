//! The authenticator: what passkeys there are, and what it does with them.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use super::{
    Refusal, cbor,
    client::{Creation, Inputs, Request, Verification, client_data, encode},
    credential::{Credential, random_32},
};
use crate::record::lock;

/// Passkeys, and a browser that asks for them. Clones are devices with the same passkeys.
#[derive(Clone, Default)]
pub struct SoftwareAuthenticator {
    credentials: Arc<Mutex<Vec<Arc<Credential>>>>,
    fault: Option<PasskeyFault>,
    counter: u32,
}

/// What is wrong with an authenticator, or with whoever uses it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PasskeyFault {
    /// It answers with a passkey that was not asked for.
    AnswersWithAnother,
    /// Its PRF answers differently each time.
    ChangesPrf,
    /// The user declines, or closes the window.
    Declines,
    /// It has no PRF.
    LacksPrf,
    /// It cannot verify its user, and says so.
    LacksVerification,
    /// Its passkeys, which could be synchronized when they were made, cannot be any more.
    LosesBackupEligibility,
    /// It does not verify its user although this is required, and uses the other PRF.
    SkipsVerification,
}

impl SoftwareAuthenticator {
    /// An authenticator without passkeys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A device with the same passkeys, and something wrong with it.
    #[must_use]
    pub fn with_fault(&self, fault: PasskeyFault) -> Self {
        Self { fault: Some(fault), ..self.clone() }
    }

    /// A device with the same passkeys, whose assertions carry this signature counter.
    #[must_use]
    pub fn with_counter(&self, counter: u32) -> Self {
        Self { counter, ..self.clone() }
    }

    /// How many passkeys there are.
    #[must_use]
    pub fn passkeys(&self) -> usize {
        lock(&self.credentials).len()
    }

    /// `navigator.credentials.create` on a page of `origin`: takes
    /// `PublicKeyCredentialCreationOptionsJSON` and gives `RegistrationResponseJSON`.
    ///
    /// # Errors
    ///
    /// What a browser refuses.
    pub fn create(&self, origin: &str, options: &str) -> Result<String, Refusal> {
        let options = Creation::read(origin, options)?;
        self.user_agrees()?;
        let verified = self.verifies(options.verification)?;
        let mut credentials = lock(&self.credentials);
        let is_excluded = |credential: &Arc<Credential>| {
            credential.relying_party == options.relying_party
                && options.exclude.contains(&credential.id)
        };
        if credentials.iter().any(is_excluded) {
            return Err(Refusal::invalid_state("the authenticator has an excluded passkey"));
        }
        let has_prf = options.wants_prf && !self.has(PasskeyFault::LacksPrf);
        let created =
            Credential::generate(&options.relying_party, options.user_handle.clone(), has_prf);
        let client_data = client_data("webauthn.create", &options.challenge, origin);
        let response = registration(&created, &client_data, verified, options.wants_prf);
        credentials.retain(|old| {
            (&old.relying_party, &old.user_handle) != (&created.relying_party, &created.user_handle)
        });
        credentials.push(Arc::new(created));
        Ok(response)
    }

    /// `navigator.credentials.get` on a page of `origin`: takes
    /// `PublicKeyCredentialRequestOptionsJSON` and gives `AuthenticationResponseJSON`.
    ///
    /// # Errors
    ///
    /// What a browser refuses.
    pub fn get(&self, origin: &str, options: &str) -> Result<String, Refusal> {
        let options = Request::read(origin, options)?;
        self.user_agrees()?;
        let verified = self.verifies(options.verification)?;
        let credential = self.chosen(&options)?;
        let eligible = !self.has(PasskeyFault::LosesBackupEligibility);
        let data = credential.asserted_data(verified, eligible, self.counter);
        let client_data = client_data("webauthn.get", &options.challenge, origin);
        let results = options
            .prf_inputs(&credential.id)
            .map_or(Value::Null, |inputs| self.results(&credential, &inputs, verified));
        let mut response = json!({
            "id": encode(&credential.id),
            "rawId": encode(&credential.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": encode(&client_data),
                "authenticatorData": encode(&data),
                "signature": encode(&credential.sign(&data, &client_data)),
                "userHandle": encode(&credential.user_handle),
            },
            "clientExtensionResults": {},
        });
        if !results.is_null() {
            response["clientExtensionResults"]["prf"] = results;
        }
        Ok(response.to_string())
    }

    /// The newest passkey that was asked for.
    fn chosen(&self, options: &Request) -> Result<Arc<Credential>, Refusal> {
        let is_asked_for = |credential: &Credential| {
            options.allow.is_empty() || options.allow.contains(&credential.id)
        };
        if self.has(PasskeyFault::AnswersWithAnother) {
            let (party, user) = (&options.relying_party, random_32().to_vec());
            return Ok(Arc::new(Credential::generate(party, user, true)));
        }
        let credentials = lock(&self.credentials);
        let mut fitting = credentials.iter().rev().filter(|credential| {
            credential.relying_party == options.relying_party && is_asked_for(credential)
        });
        fitting.next().cloned().ok_or(Refusal::not_allowed("there is no such passkey"))
    }

    fn results(&self, credential: &Credential, inputs: &Inputs, verified: bool) -> Value {
        let has_prf = credential.has_prf && !self.has(PasskeyFault::LacksPrf);
        if !has_prf {
            return json!({});
        }
        let output = |input: &Vec<u8>| {
            let changed = self.has(PasskeyFault::ChangesPrf);
            encode(&if changed { random_32() } else { credential.evaluate(input, verified) })
        };
        let (first, second) = inputs;
        let mut results = json!({ "first": output(first) });
        if let Some(second) = second {
            results["second"] = output(second).into();
        }
        json!({ "results": results })
    }

    fn user_agrees(&self) -> Result<(), Refusal> {
        let declines = self.has(PasskeyFault::Declines);
        if declines { Err(Refusal::not_allowed("the user declined")) } else { Ok(()) }
    }

    /// Whether the user was verified.
    fn verifies(&self, verification: Verification) -> Result<bool, Refusal> {
        match self.fault {
            Some(PasskeyFault::SkipsVerification) => Ok(false),
            Some(PasskeyFault::LacksVerification) if verification == Verification::Required => {
                Err(Refusal::not_allowed("the authenticator cannot verify its user"))
            }
            Some(PasskeyFault::LacksVerification) => Ok(false),
            _ => Ok(verification != Verification::Discouraged),
        }
    }

    fn has(&self, fault: PasskeyFault) -> bool {
        self.fault == Some(fault)
    }
}

impl fmt::Debug for SoftwareAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftwareAuthenticator").field("fault", &self.fault).finish_non_exhaustive()
    }
}

/// `RegistrationResponseJSON`, with attestation `none`: WebAuthn, sections 6.5 and 8.7.
fn registration(created: &Credential, client_data: &[u8], verified: bool, prf: bool) -> String {
    let data = created.created_data(verified);
    let attestation_object = [
        [cbor::map(3), cbor::text("fmt"), cbor::text("none"), cbor::text("attStmt")].concat(),
        [cbor::map(0), cbor::text("authData"), cbor::bytes(&data)].concat(),
    ]
    .concat();
    let extensions = if prf { json!({ "prf": { "enabled": created.has_prf } }) } else { json!({}) };
    json!({
        "id": encode(&created.id),
        "rawId": encode(&created.id),
        "type": "public-key",
        "authenticatorAttachment": "platform",
        "response": {
            "clientDataJSON": encode(client_data),
            "attestationObject": encode(&attestation_object),
            "authenticatorData": encode(&data),
            "publicKeyAlgorithm": -7,
            "transports": ["internal", "hybrid"],
        },
        "clientExtensionResults": extensions,
    })
    .to_string()
}
