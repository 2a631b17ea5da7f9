//! What a browser checks and adds before it asks an authenticator.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};

use super::Refusal;

/// Checked options of `navigator.credentials.create`.
pub(super) struct Creation {
    pub(super) relying_party: String,
    pub(super) user_handle: Vec<u8>,
    pub(super) challenge: String,
    pub(super) exclude: Vec<Vec<u8>>,
    pub(super) verification: Verification,
    pub(super) wants_prf: bool,
}

/// Checked options of `navigator.credentials.get`.
pub(super) struct Request {
    pub(super) relying_party: String,
    pub(super) challenge: String,
    pub(super) allow: Vec<Vec<u8>>,
    pub(super) verification: Verification,
    /// `eval` and `evalByCredential` of the PRF extension.
    prf: Option<Value>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verification {
    Discouraged,
    Preferred,
    Required,
}

/// Inputs of the PRF: `first`, and perhaps `second`.
pub(super) type Inputs = (Vec<u8>, Option<Vec<u8>>);

impl Creation {
    pub(super) fn read(origin: &str, json: &str) -> Result<Self, Refusal> {
        let options = object(json)?;
        let selection = &options["authenticatorSelection"];
        let user_handle = bytes(&options["user"]["id"])?;
        if !(1..=64).contains(&user_handle.len()) {
            return Err(Refusal::type_error("user.id has 1 to 64 bytes"));
        }
        for member in
            [&options["rp"]["name"], &options["user"]["name"], &options["user"]["displayName"]]
        {
            member.as_str().ok_or(Refusal::type_error("a name is missing"))?;
        }
        let algorithms = list(&options["pubKeyCredParams"])?;
        let es256 = |param: &Value| param["type"] == "public-key" && param["alg"] == -7;
        if !algorithms.is_empty() && !algorithms.iter().any(es256) {
            return Err(Refusal::not_supported("the authenticator signs by ES256 only"));
        }
        let prf = &options["extensions"]["prf"];
        if !prf["evalByCredential"].is_null() {
            return Err(Refusal::not_supported("a new passkey is in no evalByCredential"));
        }
        Ok(Self {
            relying_party: relying_party(origin, &options["rp"]["id"])?,
            user_handle,
            challenge: challenge(&options["challenge"])?,
            exclude: ids(&options["excludeCredentials"])?,
            verification: Verification::read(&selection["userVerification"]),
            wants_prf: prf.is_object(),
        })
    }
}

impl Request {
    pub(super) fn read(origin: &str, json: &str) -> Result<Self, Refusal> {
        let options = object(json)?;
        let request = Self {
            relying_party: relying_party(origin, &options["rpId"])?,
            challenge: challenge(&options["challenge"])?,
            allow: ids(&options["allowCredentials"])?,
            verification: Verification::read(&options["userVerification"]),
            prf: Some(options["extensions"]["prf"].clone()).filter(Value::is_object),
        };
        request.check_prf()?;
        Ok(request)
    }

    /// WebAuthn Level 3, section 10.1.4, client extension processing of an assertion.
    fn check_prf(&self) -> Result<(), Refusal> {
        let Some(prf) = &self.prf else { return Ok(()) };
        if let Some(by_credential) = prf["evalByCredential"].as_object() {
            if self.allow.is_empty() {
                return Err(Refusal::not_supported("evalByCredential needs allowCredentials"));
            }
            for (id, values) in by_credential {
                let id = bytes(&json!(id)).map_err(|_| NO_SUCH_CREDENTIAL)?;
                if !self.allow.contains(&id) {
                    return Err(NO_SUCH_CREDENTIAL);
                }
                inputs(values)?;
            }
        }
        if !prf["eval"].is_null() {
            inputs(&prf["eval"])?;
        }
        Ok(())
    }

    /// What the PRF of the credential with this id is asked.
    pub(super) fn prf_inputs(&self, id: &[u8]) -> Option<Inputs> {
        let prf = self.prf.as_ref()?;
        let own = &prf["evalByCredential"][Base64UrlUnpadded::encode_string(id)];
        let values = if own.is_null() { &prf["eval"] } else { own };
        inputs(values).ok()
    }
}

impl Verification {
    /// Values that a client does not know count as absent, which is `preferred`.
    fn read(value: &Value) -> Self {
        match value.as_str() {
            Some("discouraged") => Self::Discouraged,
            Some("required") => Self::Required,
            _ => Self::Preferred,
        }
    }
}

/// `CollectedClientData`, serialized as WebAuthn Level 3, section 5.8.1.1 says.
pub(super) fn client_data(ceremony: &str, challenge: &str, origin: &str) -> Vec<u8> {
    let (ceremony, challenge, origin) = (json!(ceremony), json!(challenge), json!(origin));
    format!(
        r#"{{"type":{ceremony},"challenge":{challenge},"origin":{origin},"crossOrigin":false}}"#
    )
    .into_bytes()
}

pub(super) fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

fn object(json: &str) -> Result<Value, Refusal> {
    let value: Value =
        serde_json::from_str(json).map_err(|_| Refusal::type_error("the options are no JSON"))?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(Refusal::type_error("the options are no object"))
    }
}

fn bytes(value: &Value) -> Result<Vec<u8>, Refusal> {
    let text = value.as_str().ok_or(Refusal::type_error("bytes are missing"))?;
    Base64UrlUnpadded::decode_vec(text)
        .map_err(|_| Refusal { name: "EncodingError", message: "bytes are not in base64url" })
}

fn list(value: &Value) -> Result<&[Value], Refusal> {
    match value {
        Value::Null => Ok(&[]),
        Value::Array(values) => Ok(values),
        _ => Err(Refusal::type_error("a list is none")),
    }
}

/// Descriptors of a type that a client does not know are skipped.
fn ids(value: &Value) -> Result<Vec<Vec<u8>>, Refusal> {
    let known = list(value)?.iter().filter(|descriptor| descriptor["type"] == "public-key");
    known.map(|descriptor| bytes(&descriptor["id"])).collect()
}

/// Base64url of the challenge, as it goes into the client data. WebAuthn, section 13.4.3, asks for
/// 16 bytes; browsers leave that to servers, this does not.
fn challenge(value: &Value) -> Result<String, Refusal> {
    let challenge = bytes(value)?;
    if challenge.len() < 16 {
        return Err(Refusal::type_error("the challenge is under 16 bytes"));
    }
    Ok(encode(&challenge))
}

fn inputs(values: &Value) -> Result<Inputs, Refusal> {
    let second = Some(&values["second"]).filter(|second| !second.is_null());
    Ok((bytes(&values["first"])?, second.map(bytes).transpose()?))
}

/// The relying party's id, if this origin may use it: its own host or a parent domain of it.
fn relying_party(origin: &str, id: &Value) -> Result<String, Refusal> {
    let host = secure_host(origin).ok_or(Refusal::security("the origin is not a secure one"))?;
    let id = id.as_str().unwrap_or(host);
    let is_parent =
        id.contains('.') && host.strip_suffix(id).is_some_and(|rest| rest.ends_with('.'));
    if id == host || is_parent {
        Ok(id.to_owned())
    } else {
        Err(Refusal::security("the relying party is not of this origin"))
    }
}

/// The host of an origin that browsers take for secure: of HTTPS, or `localhost`.
fn secure_host(origin: &str) -> Option<&str> {
    let (scheme, rest) = origin.split_once("://")?;
    let host = rest.split_once(':').map_or(rest, |(host, _port)| host);
    let secure = scheme == "https" || scheme == "http" && host == "localhost";
    (secure && !host.is_empty() && !host.contains('/')).then_some(host)
}

const NO_SUCH_CREDENTIAL: Refusal =
    Refusal::syntax("evalByCredential names what allowCredentials does not");
