//! The software authenticator: what it answers is WebAuthn's, and what browsers refuse it refuses.

#![cfg(feature = "passkey")]

use backup_testkit::passkey::{PasskeyFault, SoftwareAuthenticator, prf};
use base64ct::{Base64UrlUnpadded, Encoding};
use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const ORIGIN: &str = "https://wallet.example.com";

fn b64(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

fn unb64(value: &Value) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(value.as_str().unwrap()).unwrap()
}

fn creation() -> Value {
    json!({
        "rp": { "id": "example.com", "name": "Acme" },
        "user": { "id": b64(&[1; 32]), "name": "alice", "displayName": "Alice" },
        "challenge": b64(&[7; 32]),
        "pubKeyCredParams": [{ "type": "public-key", "alg": -7 }],
        "authenticatorSelection": { "userVerification": "required" },
        "extensions": { "prf": {} },
    })
}

fn request(id: &Value) -> Value {
    json!({
        "rpId": "example.com",
        "challenge": b64(&[8; 32]),
        "allowCredentials": [{ "type": "public-key", "id": id }],
        "userVerification": "required",
        "extensions": { "prf": { "eval": { "first": b64(b"input") } } },
    })
}

fn create(device: &SoftwareAuthenticator, options: &Value) -> Value {
    serde_json::from_str(&device.create(ORIGIN, &options.to_string()).unwrap()).unwrap()
}

fn get(device: &SoftwareAuthenticator, options: &Value) -> Value {
    serde_json::from_str(&device.get(ORIGIN, &options.to_string()).unwrap()).unwrap()
}

fn creation_refused(origin: &str, options: &Value) -> &'static str {
    SoftwareAuthenticator::new().create(origin, &options.to_string()).unwrap_err().name
}

/// WebAuthn Level 3, section 16.17.1: `authenticator_cred_random`, `prf_eval_first` and
/// `prf_eval_second`, and what comes of them.
#[test]
fn the_prf_is_that_of_webauthns_vectors() {
    let random = "437e065e723a98b2f08f39d8baf7c53ecb3c363c5e5104bdaaf5d5ca2e028154";
    let random = unhex(random).try_into().unwrap();
    for (last, output) in [
        (2, "3c33e07d202c3b029cc21f1722767021bf27d595933b3d2b6a1b9d5dddc77fae"),
        (3, "a62a8773b19cda90d7ed4ef72a80a804320dbd3997e2f663805ad1fd3293d50b"),
    ] {
        let input = [b"WebAuthn PRF test vectors", &[last][..]].concat();
        assert_eq!(prf(&random, &input).to_vec(), unhex(output));
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

#[test]
fn an_assertion_is_signed_by_the_key_that_was_registered() {
    let device = SoftwareAuthenticator::new();
    let created = create(&device, &creation());
    let registered = unb64(&created["response"]["authenticatorData"]);
    let attestation = unb64(&created["response"]["attestationObject"]);
    assert!(attestation.ends_with(&registered));

    // After 37 bytes: AAGUID, length, id; the key ends in x and y, and then come extensions.
    let key = &registered[37 + 16 + 2 + 32..];
    assert_eq!(key[..10], [0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32]);
    let point = [&[4], &key[10..42], &key[45..77]].concat();
    let key = VerifyingKey::from_sec1_bytes(&point).unwrap();

    let answer = get(&device.clone(), &request(&created["id"]));
    let data = unb64(&answer["response"]["authenticatorData"]);
    let client_data = unb64(&answer["response"]["clientDataJSON"]);
    let signature = Signature::from_der(&unb64(&answer["response"]["signature"])).unwrap();
    let message = [&data[..], &Sha256::digest(&client_data)].concat();
    key.verify(&message, &signature).unwrap();

    assert_eq!(data[..32], Sha256::digest("example.com")[..]);
    assert_eq!((data[32], data.len()), (0b0001_1101, 37));
    let client_data: Value = serde_json::from_slice(&client_data).unwrap();
    assert_eq!(client_data["type"], "webauthn.get");
    assert_eq!(client_data["challenge"], b64(&[8; 32]));
    assert_eq!(client_data["origin"], ORIGIN);
    assert_eq!(unb64(&answer["response"]["userHandle"]), [1; 32]);
}

#[test]
fn the_prf_answers_alike_on_all_devices_and_by_input_and_passkey_otherwise() {
    let device = SoftwareAuthenticator::new();
    let created = create(&device, &creation());
    assert_eq!(created["clientExtensionResults"]["prf"], json!({ "enabled": true }));
    let mut options = request(&created["id"]);
    let first =
        |answer: &Value| answer["clientExtensionResults"]["prf"]["results"]["first"].clone();
    let output = first(&get(&device, &options));
    assert_eq!(unb64(&output).len(), 32);
    assert_eq!(first(&get(&device.clone(), &options)), output);

    let id = created["id"].as_str().unwrap();
    options["extensions"]["prf"]["evalByCredential"][id]["first"] = b64(b"other").into();
    let other = first(&get(&device, &options));
    assert_ne!(other, output);
    options["userVerification"] = "discouraged".into();
    assert_ne!(first(&get(&device, &options)), other);

    let changing = device.with_fault(PasskeyFault::ChangesPrf);
    assert_ne!(first(&get(&changing, &options)), first(&get(&changing, &options)));
    let lacking = device.with_fault(PasskeyFault::LacksPrf);
    assert_eq!(get(&lacking, &options)["clientExtensionResults"], json!({ "prf": {} }));
}

#[test]
fn a_new_passkey_takes_the_place_of_one_with_the_same_user_handle() {
    let device = SoftwareAuthenticator::new();
    let old = create(&device, &creation());
    create(&device, &creation());
    assert_eq!(device.passkeys(), 1);
    let refusal = device.get(ORIGIN, &request(&old["id"]).to_string()).unwrap_err();
    assert_eq!(refusal.name, "NotAllowedError");
    let mut other = creation();
    other["user"]["id"] = b64(&[2; 32]).into();
    create(&device, &other);
    assert_eq!(device.passkeys(), 2);
}

#[test]
fn an_excluded_passkey_is_not_made_twice() {
    let device = SoftwareAuthenticator::new();
    let mut options = creation();
    let id = create(&device, &options)["id"].clone();
    options["excludeCredentials"] = json!([{ "type": "public-key", "id": id }]);
    let refusal = device.create(ORIGIN, &options.to_string()).unwrap_err();
    assert_eq!((refusal.name, device.passkeys()), ("InvalidStateError", 1));
}

#[test]
fn relying_parties_are_parents_of_a_secure_origin() {
    for origin in [
        "http://wallet.example.com",
        "https://example.org",
        "https://badexample.com",
        "https://example.com.evil.test",
        "https://com",
        "example.com",
        "https://",
    ] {
        assert_eq!(creation_refused(origin, &creation()), "SecurityError", "{origin}");
    }
    let mut top = creation();
    top["rp"]["id"] = "com".into();
    assert_eq!(creation_refused(ORIGIN, &top), "SecurityError");
    top["rp"]["id"] = "localhost".into();
    let device = SoftwareAuthenticator::new();
    assert!(device.create("http://localhost:8080", &top.to_string()).is_ok());
}

#[test]
fn malformed_options_are_refused() {
    let changes: [(&str, Value, &str); 9] = [
        ("/challenge", b64(&[7; 15]).into(), "TypeError"),
        ("/challenge", "not+base64url".into(), "EncodingError"),
        ("/challenge", Value::Null, "TypeError"),
        ("/user/id", "".into(), "TypeError"),
        ("/user/id", b64(&[1; 65]).into(), "TypeError"),
        ("/user/name", Value::Null, "TypeError"),
        ("/pubKeyCredParams/0/alg", (-257).into(), "NotSupportedError"),
        ("/pubKeyCredParams", "ES256".into(), "TypeError"),
        ("/extensions/prf", json!({ "evalByCredential": {} }), "NotSupportedError"),
    ];
    for (place, value, name) in changes {
        let mut options = creation();
        *options.pointer_mut(place).unwrap() = value;
        assert_eq!(creation_refused(ORIGIN, &options), name, "{options}");
    }
}

#[test]
fn malformed_prf_inputs_are_refused() {
    let device = SoftwareAuthenticator::new();
    let id = create(&device, &creation())["id"].clone();
    let by_credential = |id: &str| json!({ "evalByCredential": { id: { "first": "AA" } } });
    for (prf, name) in [
        (by_credential("AAAA"), "SyntaxError"),
        (by_credential(""), "SyntaxError"),
        (by_credential("+"), "SyntaxError"),
        (json!({ "eval": {} }), "TypeError"),
        (json!({ "eval": { "first": "+" } }), "EncodingError"),
    ] {
        let mut options = request(&id);
        options["extensions"]["prf"] = prf;
        let refusal = device.get(ORIGIN, &options.to_string()).unwrap_err();
        assert_eq!(refusal.name, name, "{options}");
    }
    let mut options = request(&id);
    options["extensions"]["prf"] = by_credential(id.as_str().unwrap());
    options["allowCredentials"] = json!([]);
    let refusal = device.get(ORIGIN, &options.to_string()).unwrap_err();
    assert_eq!(refusal.name, "NotSupportedError");
}

#[test]
fn each_fault_shows() {
    let device = SoftwareAuthenticator::new();
    let created = create(&device, &creation());
    let options = request(&created["id"]);
    for fault in [PasskeyFault::Declines, PasskeyFault::LacksVerification] {
        let faulty = device.with_fault(fault);
        for refused in [
            faulty.create(ORIGIN, &creation().to_string()),
            faulty.get(ORIGIN, &options.to_string()),
        ] {
            assert_eq!(refused.unwrap_err().name, "NotAllowedError", "{fault:?}");
        }
    }
    let flags = |answer: &Value| unb64(&answer["response"]["authenticatorData"])[32];
    let skipping = get(&device.with_fault(PasskeyFault::SkipsVerification), &options);
    assert_eq!(flags(&skipping), 0b0001_1001);
    let another = get(&device.with_fault(PasskeyFault::AnswersWithAnother), &options);
    assert_ne!(another["id"], created["id"]);
}
