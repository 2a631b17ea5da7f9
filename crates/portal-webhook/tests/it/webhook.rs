//! The routers on a real socket, asked by a service, by users, and by others.

use std::{
    fs,
    net::{IpAddr, SocketAddr},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{Router, http::request::Parts};
use backup_core::{CustodianId, KeyEncryption, async_trait};
use backup_testkit::MemoryKey;
use portal_keys::{KeyFile, KeyRing};
use portal_webhook::{
    Kept, Kind, Numbered, Place, Resealed, SqliteStore, Store, StoreError, Users, Webhook,
    WebhookSecret,
};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

const STANDARD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PORTALS: &str = "a-secret-as-portals";

/// Whoever says who they are. An app asks for more.
struct Said;

#[async_trait]
impl Users for Said {
    async fn client(&self, request: &Parts) -> Option<String> {
        Some(request.headers.get("x-user")?.to_str().ok()?.to_owned())
    }
}

/// A custodian's server. Its folder goes with it.
struct Scene {
    secret: &'static str,
    webhook: Webhook,
    url: String,
    http: Client,
    key: Arc<dyn KeyEncryption>,
    folder: TempDir,
}

impl Scene {
    async fn begin(secret: &'static str, change: impl FnOnce(Webhook) -> Webhook) -> Self {
        let key: Arc<dyn KeyEncryption> = Arc::new(MemoryKey::generate().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("db")).await.unwrap();
        let (ring, custodian) =
            (KeyRing::new([key.clone()]).unwrap(), CustodianId::new("acme").unwrap());
        let proof = WebhookSecret::new(secret).unwrap();
        let webhook = change(Webhook::new(custodian, proof, ring, store));
        Self::of(secret, webhook, key, folder).await
    }

    async fn of(
        secret: &'static str,
        webhook: Webhook,
        key: Arc<dyn KeyEncryption>,
        folder: TempDir,
    ) -> Self {
        let router = Router::new()
            .nest("/me", webhook.cipher_texts(Said))
            .nest("/hook", webhook.router())
            .into_make_service_with_connect_info::<SocketAddr>();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { secret, webhook, url, http: Client::new(), key, folder }
    }

    /// As a service signs it: with this id, at this time.
    fn signed(&self, path: &str, body: &Value, id: &str, time: u64) -> RequestBuilder {
        let (body, secret) = (body.to_string(), WebhookSecret::new(self.secret).unwrap());
        let signature = secret.sign(id, time, body.as_bytes());
        self.unsigned(path, body)
            .header("webhook-id", id)
            .header("webhook-timestamp", time)
            .header("webhook-signature", signature)
    }

    /// As Portal's service sends it.
    fn unsigned(&self, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        let asked = self.http.post(format!("{}/hook{path}", self.url)).body(body);
        match WebhookSecret::new(self.secret).unwrap().header() {
            Some(secret) => asked.header("x-webhook-secret", secret),
            None => asked,
        }
    }

    async fn keep(&self, body: &Value, id: &str) -> StatusCode {
        self.signed("/backup", body, id, now()).send().await.unwrap().status()
    }

    async fn fetched(&self, client: &str, id: &str) -> Vec<String> {
        let asked = self.signed("/backup/fetch", &json!({ "clientId": client }), id, now());
        halves(asked.send().await.unwrap()).await
    }

    async fn store(&self, user: &str, body: &Value) -> StatusCode {
        let asked = self.http.post(format!("{}/me/cipher-text", self.url));
        let asked = asked.header("x-user", user).body(body.to_string());
        asked.send().await.unwrap().status()
    }

    async fn cipher_text(&self, user: &str, query: &str) -> Option<String> {
        let asked = self.http.get(format!("{}/me/cipher-text/fetch?{query}", self.url));
        let answer = asked.header("x-user", user).send().await.unwrap();
        let json: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        json["cipherText"].as_str().map(str::to_owned)
    }
}

async fn halves(answer: Response) -> Vec<String> {
    assert!(answer.status().is_success(), "{}", answer.status());
    let json: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let halves = json["backupShares"].as_array().unwrap().iter();
    halves.map(|half| half.as_str().unwrap().to_owned()).collect()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn half(pair: &str, share: &str) -> Value {
    json!({
        "backupMethod": "GDRIVE", "clientId": "c", "share": share, "backupSharePairId": pair,
    })
}

#[tokio::test]
async fn every_half_comes_back_and_none_takes_the_place_of_another() {
    let scene = Scene::begin(STANDARD, |webhook| webhook).await;
    for (number, (pair, share)) in
        [("p1", "one"), ("p2", "two"), ("p1", "other"), ("p1", "one")].into_iter().enumerate()
    {
        assert_eq!(scene.keep(&half(pair, share), &format!("m{number}")).await, 200);
    }
    assert_eq!(scene.fetched("c", "f1").await, ["other", "two", "one"]);
    assert!(scene.fetched("d", "f2").await.is_empty());
    scene.webhook.erase("c", "p1").await.unwrap();
    assert_eq!(scene.fetched("c", "f3").await, ["two"]);
    assert!(scene.webhook.erase("c", "").await.is_err());
}

#[tokio::test]
async fn portals_own_requests_are_taken_with_a_pair_and_without() {
    let scene = Scene::begin(PORTALS, Webhook::accept_unsigned).await;
    let old = json!({ "backupMethod": "ICLOUD", "clientId": "c", "share": "{\"share\":\"1\"}" });
    let newer = json!({ "backupMethod": "ICLOUD", "clientId": "c", "share": "newer" });
    for body in [old, newer, half("p", "with a pair")] {
        let answer = scene.unsigned("/backup", body.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let asked = scene.unsigned("/backup/fetch", r#"{"clientId":"c"}"#);
    let back = halves(asked.send().await.unwrap()).await;
    assert_eq!(back, ["with a pair", "newer", r#"{"share":"1"}"#]);
}

#[tokio::test]
async fn what_is_forged_replayed_or_late_is_refused_and_keeps_nothing() {
    let scene = Scene::begin(STANDARD, |webhook| webhook).await;
    let body = half("p", "share");
    let status = async |asked: RequestBuilder| asked.send().await.unwrap().status().as_u16();
    assert_eq!(status(scene.unsigned("/backup", body.to_string())).await, 401);
    let other = Scene { secret: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", ..scene };
    assert_eq!(status(other.signed("/backup", &body, "m1", now())).await, 401);
    let scene = Scene { secret: STANDARD, ..other };
    let changed = scene.signed("/backup", &body, "m2", now()).body(half("p", "x").to_string());
    assert_eq!(status(changed).await, 401);
    let signature = WebhookSecret::new(STANDARD).unwrap().sign("m3", now(), b"{}");
    let elsewhen = scene.unsigned("/backup", "{}").header("webhook-id", "m3");
    let elsewhen = elsewhen.header("webhook-timestamp", now() + 60);
    let elsewhen = elsewhen.header("webhook-signature", signature);
    assert_eq!(status(elsewhen).await, 401);
    for time in [now() - 301, now() + 310] {
        assert_eq!(status(scene.signed("/backup", &body, "m4", time)).await, 401);
    }
    assert!(scene.fetched("c", "f1").await.is_empty());
    assert_eq!(status(scene.signed("/backup", &body, "m5", now() - 200)).await, 200);
    assert_eq!(status(scene.signed("/backup", &body, "m5", now() - 200)).await, 409);
    let fetch = || scene.signed("/backup/fetch", &json!({ "clientId": "c" }), "f2", now());
    assert_eq!(status(fetch()).await, 200);
    assert_eq!(status(fetch()).await, 409);
}

#[tokio::test]
async fn portals_secret_is_asked_for_whether_or_not_a_request_is_signed() {
    let scene = Scene::begin(PORTALS, |webhook| webhook).await;
    let body = half("p", "share");
    let unsigned = scene.unsigned("/backup", body.to_string()).send().await.unwrap();
    assert_eq!(unsigned.status(), 401, "nobody has said that it may be unsigned");
    let scene = Scene::begin(PORTALS, Webhook::accept_unsigned).await;
    for wrong in ["", "a-secret-as-portalz", "a-secret-as-portals-"] {
        let asked = scene.http.post(format!("{}/hook/backup", scene.url));
        let asked = asked.header("x-webhook-secret", wrong).body(body.to_string());
        assert_eq!(asked.send().await.unwrap().status(), 401, "{wrong}");
    }
    let forged = scene.unsigned("/backup", body.to_string()).header("webhook-signature", "v1,AAAA");
    assert_eq!(forged.send().await.unwrap().status(), 401);
    assert!(scene.fetched("c", "f").await.is_empty());
}

#[tokio::test]
async fn malformed_and_oversized_bodies_are_refused() {
    let scene = Scene::begin(STANDARD, |webhook| webhook).await;
    let bodies = [
        json!({}),
        json!([]),
        json!({ "backupMethod": "G", "clientId": "c", "share": 1 }),
        json!({ "backupMethod": "G", "clientId": "c", "share": "" }),
        json!({ "backupMethod": "", "clientId": "c", "share": "s" }),
        json!({ "backupMethod": "G", "clientId": "a b", "share": "s" }),
        json!({ "backupMethod": "G", "clientId": "", "share": "s" }),
        json!({ "backupMethod": "G", "clientId": "c".repeat(129), "share": "s" }),
        half("a b", "s"),
    ];
    for (number, body) in bodies.iter().enumerate() {
        assert_eq!(scene.keep(body, &format!("m{number}")).await, 400, "{body}");
    }
    assert_eq!(scene.keep(&half("p", &"s".repeat(70_000)), "long").await, 413);
    assert!(scene.fetched("c", "f").await.is_empty());
}

#[tokio::test]
async fn only_addresses_that_are_allowed_are_answered() {
    let local: IpAddr = "127.0.0.1".parse().unwrap();
    let scene = Scene::begin(STANDARD, |webhook| webhook.only_from([local])).await;
    assert_eq!(scene.keep(&half("p", "share"), "m1").await, 200);
    let portals: IpAddr = "35.203.150.117".parse().unwrap();
    let scene = Scene::begin(STANDARD, |webhook| webhook.only_from([portals])).await;
    assert_eq!(scene.keep(&half("p", "share"), "m1").await, 403);
}

#[tokio::test]
async fn a_user_gets_the_newest_ciphertext_that_fits_and_nobody_elses() {
    let scene = Scene::begin(STANDARD, |webhook| webhook).await;
    let text = |pair: Option<&str>, text: &str| {
        let method = "GDRIVE";
        json!({ "backupMethod": method, "backupSharePairId": pair, "cipherText": text })
    };
    assert_eq!(scene.store("alice", &text(Some("p1"), "one")).await, 204);
    assert_eq!(scene.store("alice", &text(Some("p2"), "two")).await, 204);
    assert_eq!(scene.store("bob", &text(None, "bobs")).await, 204);
    let pair = scene.cipher_text("alice", "backupSharePairId=p1").await;
    assert_eq!(pair.as_deref(), Some("one"));
    let newest = scene.cipher_text("alice", "backupMethod=GDRIVE").await;
    assert_eq!(newest.as_deref(), Some("two"));
    assert_eq!(scene.cipher_text("bob", "backupSharePairId=p1").await, None);
    assert_eq!(scene.store("alice", &json!({ "backupMethod": "GDRIVE" })).await, 400);
    let nobody = scene.http.get(format!("{}/me/cipher-text/fetch", scene.url)).send().await;
    assert_eq!(nobody.unwrap().status(), 401);
}

#[tokio::test]
async fn what_is_stored_holds_neither_half_nor_ciphertext() {
    let scene = Scene::begin(STANDARD, |webhook| webhook).await;
    let secret = "a half that is long enough to be found";
    scene.keep(&half("p", secret), "m").await;
    scene.store("alice", &json!({ "backupMethod": "G", "cipherText": secret })).await;
    assert_eq!(scene.fetched("c", "f").await, [secret]);
    for file in fs::read_dir(scene.folder.path()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(20).any(|window| window == &secret.as_bytes()[..20]));
    }
}

/// A store that is full, or whose machine stops, after so many pages were written.
#[derive(Debug)]
struct Stops {
    store: SqliteStore,
    pages: AtomicUsize,
}

#[async_trait]
impl Store for Stops {
    async fn add(&self, kept: &Kept) -> Result<(), StoreError> {
        self.store.add(kept).await
    }

    async fn all(&self, kind: Kind, client: &str) -> Result<Vec<Kept>, StoreError> {
        self.store.all(kind, client).await
    }

    async fn erase(&self, client: &str, pair: &str) -> Result<(), StoreError> {
        self.store.erase(client, pair).await
    }

    async fn after(&self, after: u64, most: u32) -> Result<Vec<Numbered>, StoreError> {
        self.store.after(after, most).await
    }

    async fn reseal(&self, values: &[Resealed]) -> Result<u64, StoreError> {
        if self.pages.fetch_sub(1, Ordering::SeqCst) == 0 {
            return Err(StoreError::new("the machine stops"));
        }
        self.store.reseal(values).await
    }

    async fn is_first(&self, id: &str, until: u64, now: u64) -> Result<bool, StoreError> {
        self.store.is_first(id, until, now).await
    }
}

#[tokio::test]
async fn everything_is_moved_to_other_keys_while_the_server_serves_also_after_it_was_ended() {
    let scene = Scene::begin(STANDARD, |webhook| webhook).await;
    for number in 0..70 {
        let half = half(&format!("p{number}"), &format!("share {number}"));
        assert_eq!(scene.keep(&half, &format!("m{number}")).await, 200);
    }
    scene.store("c", &json!({ "backupMethod": "G", "cipherText": "text" })).await;
    let before = scene.fetched("c", "f1").await;
    let new: Arc<dyn KeyEncryption> = Arc::new(MemoryKey::generate().unwrap());
    let rotating = KeyRing::new([new.clone()]).unwrap().with_retired([scene.key.clone()]).unwrap();
    let with = async |ring: &KeyRing, pages: usize| {
        let store = SqliteStore::open(&scene.folder.path().join("db")).await.unwrap();
        let (custodian, ring) = (CustodianId::new("acme").unwrap(), ring.clone());
        let store = Stops { store, pages: AtomicUsize::new(pages) };
        Webhook::new(custodian, WebhookSecret::new(STANDARD).unwrap(), ring, store)
    };
    with(&rotating, 1).await.rewrap(|_| {}).await.unwrap_err();
    assert_eq!(scene.fetched("c", "f2").await.len(), 38, "some are under the new key, whole");
    let mut told = Vec::new();
    let done = with(&rotating, 9).await.rewrap(|n| told.push(n)).await.unwrap();
    assert_eq!((done.total, done.rewrapped, done.unopened.len()), (71, 39, 0));
    assert_eq!(told, [32, 64, 71]);
    let again = with(&rotating, 0).await.rewrap(|_| {}).await.unwrap();
    assert_eq!((again.total, again.rewrapped), (71, 0));

    let router = with(&KeyRing::new([new]).unwrap(), 0).await.router();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().nest("/hook", router);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let scene = Scene { url, ..scene };
    assert_eq!(scene.fetched("c", "f3").await, before, "without the old key, in their order");
}

#[tokio::test]
async fn what_is_under_a_lost_key_stays_as_it_was_and_is_named() {
    let scene = Scene::begin(STANDARD, |webhook| webhook).await;
    assert_eq!(scene.keep(&half("p", "share"), "m").await, 200);
    let other: Arc<dyn KeyEncryption> = Arc::new(MemoryKey::generate().unwrap());
    let store = SqliteStore::open(&scene.folder.path().join("db")).await.unwrap();
    let (custodian, ring) = (CustodianId::new("acme").unwrap(), KeyRing::new([other]).unwrap());
    let secret = WebhookSecret::new(STANDARD).unwrap();
    let done = Webhook::new(custodian, secret, ring, store).rewrap(|_| {}).await.unwrap();
    assert_eq!((done.total, done.rewrapped), (1, 0));
    assert_eq!(done.unopened[0].place.pair, "p");
    assert_eq!(scene.fetched("c", "f").await, ["share"]);
}

/// `docs/format.md`, section 16.
#[tokio::test]
async fn what_was_ever_sealed_comes_back_from_its_own_place_and_from_no_other() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut seen = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let vector: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let text = |name: &str| vector[name].as_str().unwrap().to_owned();
        let is_half = text("kind") == "half";
        let kinds = [Kind::Half, Kind::CipherText];
        let [kind, other] = if is_half { kinds } else { [kinds[1], kinds[0]] };
        let place =
            Place { kind, client: text("client"), method: text("method"), pair: text("pair") };
        for (place, opens) in [
            (place.clone(), true),
            (Place { kind: other, ..place.clone() }, false),
            (Place { client: "bob".into(), ..place.clone() }, false),
            (Place { method: "ICLOUD".into(), ..place.clone() }, false),
            (Place { pair: "pair-2".into(), ..place }, false),
        ] {
            let (key, custodian, sealed) = (text("key_file"), text("custodian"), text("sealed"));
            let back = of_vector(&key, &custodian, &sealed, place).await;
            assert_eq!(back, opens.then(|| text("value")), "{}", path.display());
        }
        seen += 1;
    }
    assert_eq!(seen, 4);
}

/// What a server that has this in its store gives back.
async fn of_vector(key: &str, custodian: &str, sealed: &str, place: Place) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    fs::write(&file, key).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let key: Arc<dyn KeyEncryption> = Arc::new(KeyFile::open(file).unwrap());
    let digits = sealed.as_bytes().chunks(2).map(|digits| str::from_utf8(digits).unwrap());
    let sealed = digits.map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect();
    let store = SqliteStore::open(&folder.path().join("db")).await.unwrap();
    let (kind, client) = (place.kind, place.client.clone());
    store.add(&Kept { place, sealed }).await.unwrap();
    let (custodian, ring) =
        (CustodianId::new(custodian).unwrap(), KeyRing::new([key.clone()]).unwrap());
    let webhook = Webhook::new(custodian, WebhookSecret::new(STANDARD).unwrap(), ring, store);
    let scene = Scene::of(STANDARD, webhook, key, folder).await;
    match kind {
        Kind::Half => scene.fetched(&client, "f").await.pop(),
        _ => scene.cipher_text(&client, "").await,
    }
}
