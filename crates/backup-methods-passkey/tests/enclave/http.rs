//! The routes, over sockets.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
};

use backup_methods_passkey::enclave::{cross_origin, router};
use backup_testkit::passkey::SoftwareAuthenticator;
use serde_json::{Value, json};

use crate::{
    service::Service,
    support::{ORIGIN, RP, World, device},
};

/// An answer: status, headers as they came, and the body.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Value,
}

impl Service {
    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let mut socket = TcpStream::connect(self.address).unwrap();
        let len = body.len();
        write!(
            socket,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Length: {len}\r\n{headers}\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_lowercase(),
            body: serde_json::from_str(body).unwrap_or(Value::Null),
        }
    }

    fn get(&self, key: &str, path: &str) -> Answer {
        self.send("GET", path, &format!("Authorization: Bearer {key}\r\n"), "")
    }

    fn post(&self, key: &str, path: &str, body: &Value) -> Answer {
        self.post_text(key, path, &body.to_string())
    }

    fn post_text(&self, key: &str, path: &str, body: &str) -> Answer {
        let headers = format!("Authorization: Bearer {key}\r\nContent-Type: application/json\r\n");
        self.send("POST", path, &headers, body)
    }

    /// Portal's registration, with or without a key.
    fn register(&self, device: &SoftwareAuthenticator, encryption_key: Option<&str>) -> Answer {
        let begun = self
            .post("alice-key", "/passkeys/begin-registration", &json!({ "relyingParty": RP }))
            .body;
        let options = begun["options"]["publicKey"].to_string();
        let mut body = json!({
            "attestation": device.create(ORIGIN, &options).unwrap(),
            "sessionId": begun["sessionId"],
            "relyingParty": RP,
        });
        if let Some(key) = encryption_key {
            body["encryptionKey"] = key.into();
        }
        self.post("alice-key", "/passkeys/finish-registration", &body)
    }

    /// Begins, asks the device, and ends with the members of `more` beside Portal's.
    fn log_in(
        &self,
        device: &SoftwareAuthenticator,
        begin: &Value,
        end: &str,
        more: &Value,
    ) -> Answer {
        let mut body = json!({ "relyingParty": RP });
        merge(&mut body, begin);
        let begun = self.post("alice-key", "/passkeys/begin-login", &body);
        assert_eq!(begun.status, 200, "{begun:?}");
        let options = begun.body["options"]["publicKey"].to_string();
        let mut body = json!({
            "assertion": device.get(ORIGIN, &options).unwrap(),
            "sessionId": begun.body["sessionId"],
            "relyingParty": RP,
        });
        merge(&mut body, more);
        self.post("alice-key", &format!("/passkeys/finish-login/{end}"), &body)
    }

    fn status(&self) -> Value {
        self.get("alice-key", "/passkeys/status").body["status"].clone()
    }
}

fn merge(body: &mut Value, more: &Value) {
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
}

const KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

#[test]
fn portals_sequence_of_a_registration_with_a_key_works() {
    let (service, phone) = (Service::start(), device());
    assert_eq!(service.status(), "not registered");
    assert_eq!(service.register(&phone, Some(KEY)).status, 200);
    assert_eq!(service.status(), "registered with credential");
    let read = service.log_in(&phone, &json!({}), "read", &json!({}));
    assert_eq!((read.status, &read.body["encryptionKey"]), (200, &json!(KEY)));
    assert!(read.head.contains("cache-control: no-store"), "{}", read.head);
}

#[test]
fn portals_sequence_of_a_registration_and_a_later_key_works() {
    let (service, phone) = (Service::start(), device());
    assert_eq!(service.register(&phone, None).status, 200);
    assert_eq!(service.status(), "registered");
    let write = service.log_in(&phone, &json!({}), "write", &json!({ "encryptionKey": KEY }));
    assert_eq!(write.status, 200, "{write:?}");
    assert_eq!(service.status(), "registered with credential");
    let read = service.log_in(&phone, &json!({}), "read", &json!({}));
    assert_eq!(read.body, json!({ "encryptionKey": KEY, "keyId": write.body["keyId"] }));
}

#[test]
fn keys_are_named_listed_and_deleted() {
    let (service, phone) = (Service::start(), device());
    service.register(&phone, None);
    let named = json!({ "keyId": "mine" });
    let mut body = named.clone();
    body["encryptionKey"] = KEY.into();
    service.log_in(&phone, &json!({}), "write", &body);
    let listed = service.get("alice-key", "/passkeys/keys").body;
    assert_eq!(listed["keys"][0]["id"], "mine");
    assert_eq!(service.get("bob-key", "/passkeys/keys").body, json!({ "keys": [] }));
    let read = service.log_in(&phone, &named, "read", &named);
    assert_eq!(read.body["encryptionKey"], KEY);
    let begin = json!({ "purpose": "delete", "keyId": "mine" });
    assert_eq!(service.log_in(&phone, &begin, "delete", &json!({})).status, 204);
    assert_eq!(service.get("alice-key", "/passkeys/keys").body, json!({ "keys": [] }));
}

#[test]
fn passkeys_are_granted_renamed_and_removed() {
    let (service, phone, laptop) = (Service::start(), device(), device());
    let lost = service.register(&phone, Some(KEY)).body["passkeyId"].clone();
    let other = service.register(&laptop, None).body["passkeyId"].clone();
    let confirm = |device, purpose: &str, begin: Value| {
        let mut begin = begin;
        begin["purpose"] = purpose.into();
        service.log_in(device, &begin, purpose, &json!({})).status
    };
    assert_eq!(confirm(&phone, "grant", json!({ "passkeyId": other })), 204);
    let name = json!({ "passkeyId": other, "name": "Laptop" });
    assert_eq!(confirm(&laptop, "rename", name), 204);
    assert_eq!(confirm(&laptop, "remove", json!({ "passkeyId": lost })), 204);
    let passkeys = service.get("alice-key", "/passkeys").body["passkeys"].clone();
    assert_eq!(passkeys.as_array().unwrap().len(), 1);
    assert_eq!((&passkeys[0]["id"], &passkeys[0]["name"]), (&other, &json!("Laptop")));
    let read = service.log_in(&laptop, &json!({}), "read", &json!({}));
    assert_eq!(read.body["encryptionKey"], KEY);
}

#[test]
fn bad_bodies_are_refused_in_portals_shape_with_one_audit_record_and_no_change() {
    let (service, phone) = (Service::start(), device());
    service.register(&phone, Some(KEY));
    let whole = json!({
        "assertion": "{}", "sessionId": "none", "relyingParty": RP, "encryptionKey": KEY,
    });
    let with = |name: &str, value: Value| {
        let mut body = whole.clone();
        body[name] = value;
        body.to_string()
    };
    for (body, status, id) in [
        (String::new(), 400, "BAD_REQUEST"),
        ("[]".to_owned(), 400, "BAD_REQUEST"),
        (format!("[\"{RP}\",\"none\",\"{{}}\",\"{KEY}\"]"), 400, "BAD_REQUEST"),
        (with("assertion", json!({})), 400, "BAD_REQUEST"),
        (with("encryptionKey", json!("00")), 400, "BAD_REQUEST"),
        (with("keyId", json!("../etc")), 400, "BAD_REQUEST"),
        (with("relyingParty", json!("example.org")), 400, "BAD_REQUEST"),
        (whole.to_string(), 400, "BAD_REQUEST"),
        (with("assertion", json!(answer_to_nothing(&phone))), 409, "STATE_INVALID"),
        (with("assertion", json!("x".repeat(65 * 1024))), 413, "BAD_REQUEST"),
    ] {
        let before = (service.world.store.state(), service.world.store.audit().len());
        let answer = service.post_text("alice-key", "/passkeys/finish-login/write", &body);
        let start = &body[..body.len().min(80)];
        assert_eq!((answer.status, &answer.body["error"]["id"]), (status, &json!(id)), "{start}");
        assert_eq!(answer.body["error"]["code"], status);
        assert!(answer.body["error"]["message"].is_string());
        assert!(!answer.body.to_string().contains(&KEY[..8]));
        assert_eq!(service.world.store.state(), before.0, "{start}");
        assert_eq!(service.world.store.audit().len(), before.1 + 1, "{start}");
    }
}

#[test]
fn a_storage_that_does_not_answer_is_503_and_asks_for_a_repetition() {
    let service = Service::start();
    service.world.store.fill();
    let body = json!({ "relyingParty": RP });
    let answer = service.post("alice-key", "/passkeys/begin-registration", &body);
    assert_eq!((answer.status, &answer.body["error"]["id"]), (503, &json!("ERROR")));
    assert!(answer.head.contains("retry-after: 1"), "{}", answer.head);
}

fn answer_to_nothing(device: &SoftwareAuthenticator) -> String {
    let options = json!({ "challenge": "A".repeat(43), "rpId": RP });
    device.get(ORIGIN, &options.to_string()).unwrap()
}

#[test]
fn a_body_that_is_not_said_to_be_json_is_refused() {
    let service = Service::start();
    let headers = "Authorization: Bearer alice-key\r\nContent-Type: text/plain\r\n";
    let body = json!({ "relyingParty": RP }).to_string();
    let answer = service.send("POST", "/passkeys/begin-registration", headers, &body);
    assert_eq!((answer.status, &answer.body["error"]["id"]), (400, &json!("BAD_REQUEST")));
}

#[test]
fn a_request_of_no_client_is_refused() {
    let service = Service::start();
    for path in ["/passkeys", "/passkeys/keys", "/passkeys/status"] {
        let answer = service.get("nobodys-key", path);
        assert_eq!((answer.status, &answer.body["error"]["id"]), (401, &json!("AUTH_FAILED")));
    }
    let body = json!({ "relyingParty": RP });
    assert_eq!(service.post("nobodys-key", "/passkeys/begin-login", &body).status, 401);
    assert!(service.world.store.audit().is_empty());
}

#[test]
fn only_pages_of_the_listed_origins_may_call() {
    let service = Service::start();
    for (origin, allowed) in [("https://app.example.com", true), ("https://evil.example", false)] {
        let headers = format!(
            "Origin: {origin}\r\nAccess-Control-Request-Method: POST\r\n\
             Access-Control-Request-Headers: authorization,content-type\r\n"
        );
        let answer = service.send("OPTIONS", "/passkeys/begin-login", &headers, "");
        assert_eq!(answer.status, 200);
        let header = format!("access-control-allow-origin: {origin}");
        assert_eq!(answer.head.contains(&header), allowed, "{}", answer.head);
    }
    let routes = router(Arc::new(World::new().enclave));
    assert!(cross_origin(routes, &["*"]).is_err());
}
