//! Requests that are malformed, too long, of nobody, or out of order: refused in Portal's shape,
//! with nothing changed and nothing secret in any log.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use backup_core::{
    BackupId, BackupMethod, DataKey, EncryptionContext, Envelope, ErrorKind, KeyPrefix, KeyStore,
    Operation, Purpose, SharePairId, StoredKey, async_trait,
    secrecy::{ExposeSecret, SecretString},
};
use backup_methods_password::{Cost, Password, PasswordPrompt, PasswordRequest};
use backup_testkit::{LogCapture, MemoryStore, Secrets};
use portal_api::{
    Commit, DeviceKey, ErrorBody, ErrorId, FirstPost, Nothing, PairName, PerCurve, PostFrame,
    Revocations, SignPayload, mpc_context, route,
};
use portal_client::{
    ApiKey, BackUpOptions, Curves, Payload, Portal, RecoverOptions, device::DeviceStore,
};
use portal_mpc::Generate;
use portal_tests::{
    middle::{Answer, Asked, Method, Middle, StatusCode},
    wallets::{TestClient, TestService, copied, memory_id, memory_method, on_runtime, unseen},
};
use sqlx::{ConnectOptions, Connection, Row, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

const PASSWORD: &str = "seven teal lanterns drift";

#[derive(Debug)]
struct Typist;

#[async_trait]
impl PasswordPrompt for Typist {
    async fn password(&self, _: &PasswordRequest<'_>) -> backup_core::Result<SecretString> {
        Ok(SecretString::from(PASSWORD))
    }
}

/// A wallet with a completed backup and one that waits for its envelope.
struct Scene {
    service: TestService,
    middle: Middle,
    client: TestClient,
    folder: TempDir,
    store: MemoryStore,
    device: DeviceKey,
    completed: BackupId,
    pending: BackupId,
    pair: SharePairId,
}

impl Scene {
    async fn begin() -> Self {
        let service = TestService::start().await;
        let middle = Middle::before(service.address()).await;
        let (client, folder) = (service.client().await, TempDir::new().unwrap());
        let store = MemoryStore::new();
        let app = app(&middle.url(), &client, folder.path(), &store, Curves::ED25519);
        app.create_wallet(&unseen).await.unwrap();
        let made = app.back_up(&memory_id(), &BackUpOptions::default(), &unseen).await.unwrap();
        middle.meddle(NoEnvelope);
        app.back_up(&memory_id(), &BackUpOptions::default(), &unseen).await.unwrap_err();
        middle.be_honest();
        let view = middle.ask(&Asked::get(route::CLIENT).with_key(&client.key)).await.value();
        let sets = view["backups"].as_array().unwrap();
        let pending = sets.iter().find(|set| set["status"] == "PENDING").unwrap();
        let pending = BackupId::new(pending["id"].as_str().unwrap()).unwrap();
        let pair = view["signing"]["pairs"]["ED25519"]["id"].as_str().unwrap();
        let pair = SharePairId::new(pair).unwrap();
        let device = device_key(&client, folder.path());
        let completed = made.backup;
        Self { service, middle, client, folder, store, device, completed, pending, pair }
    }

    fn context(&self) -> &EncryptionContext {
        &self.client.context
    }

    fn custodian_key(&self) -> ApiKey {
        let key = std::fs::read_to_string(self.service.folder().join("custodian.key")).unwrap();
        ApiKey::new(key.trim()).unwrap()
    }

    fn signed(&self, asked: Asked) -> Asked {
        asked.signed_by(self.context(), &self.device, None).with_key(&self.client.key)
    }

    /// Each route, asked for as it should be but for what is in the body, and whether a device
    /// signs it.
    fn routes(&self) -> Vec<(Asked, bool)> {
        let nothing = |path: String| Asked::json(path, &Nothing {});
        let envelope = route::envelope(&self.pending);
        let put = Asked::with_body(Method::PUT, envelope, "text/plain", "no envelope");
        let post =
            |path: &str| Asked::with_body(Method::POST, path, portal_api::MEDIA_TYPE, vec![0; 100]);
        let second = format!("{}/{}", route::SESSIONS, "ab".repeat(32));
        vec![
            (Asked::get(route::CLIENT), false),
            (Asked::get(route::envelope(&self.completed)), false),
            (post(route::SESSIONS), true),
            (post(&second), true),
            (put, true),
            (nothing(route::commit(&self.pending)), true),
            (nothing(route::drop_pending(&self.completed)), true),
            (nothing(route::REVOCATIONS.to_owned()), true),
        ]
    }

    /// Asks, and expects a refusal in Portal's shape.
    async fn refused(&self, what: &str, asked: &Asked) -> ErrorId {
        let answer = self.middle.ask(asked).await;
        let what = format!("{what}: {} {}", asked.method, asked.path);
        expect_shape(&what, &answer)
    }

    /// All that is in the database.
    async fn dump(&self) -> Vec<String> {
        let options = SqliteConnectOptions::new().filename(self.service.folder().join("portal.db"));
        let mut database = options.read_only(true).connect().await.unwrap();
        let tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
        let tables = sqlx::query(tables).fetch_all(&mut database).await.unwrap();
        let mut dump = Vec::new();
        for table in tables {
            let table: String = table.get(0);
            let columns = "SELECT group_concat('quote(\"' || name || '\")', ' || '','' || ') \
                           FROM pragma_table_info($1)";
            let columns = sqlx::query(columns).bind(&table).fetch_one(&mut database).await;
            let columns: String = columns.unwrap().get(0);
            let rows = format!("SELECT {columns} FROM \"{table}\" ORDER BY 1");
            let rows = sqlx::query(sqlx::AssertSqlSafe(rows)).fetch_all(&mut database).await;
            let rows = rows.unwrap().into_iter();
            dump.extend(rows.map(|row| format!("{table}: {}", row.get::<String, _>(0))));
        }
        database.close().await.unwrap();
        dump
    }
}

fn expect_shape(what: &str, answer: &Answer) -> ErrorId {
    let (status, text) = (answer.status, answer.text());
    assert!(status.is_client_error(), "{what}: {status} {text}");
    let body: ErrorBody = serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!("{what}: {status} is not in Portal's shape: {error}: {text}")
    });
    assert_eq!(body.error.code, status.as_u16(), "{what}");
    assert_ne!(body.error.id, ErrorId::Unknown, "{what}");
    assert!(!body.error.message.is_empty(), "{what}");
    assert_eq!(answer.headers["content-type"], "application/json", "{what}");
    body.error.id
}

struct NoEnvelope;

impl portal_tests::middle::Meddler for NoEnvelope {
    fn instead(&self, asked: &Asked) -> Option<Answer> {
        let is_put = asked.is(&Method::PUT, "/envelope");
        is_put.then(|| Answer::refusal(StatusCode::SERVICE_UNAVAILABLE, ErrorId::Error))
    }
}

fn device_store(client: &TestClient, folder: &std::path::Path) -> DeviceStore {
    DeviceStore::new(folder, client.context.clone(), DataKey::copied_from(&DATA_KEY))
}

const DATA_KEY: [u8; 32] = [
    0xa0, 0x42, 0xbe, 0x5c, 0xcc, 0xb1, 0xf2, 0xd8, 0xbe, 0xa7, 0xed, 0x88, 0x08, 0xd8, 0x78, 0xc7,
    0xf2, 0x40, 0xa7, 0x0e, 0xe7, 0x29, 0x1d, 0x60, 0x79, 0xdf, 0x40, 0x62, 0x8c, 0x1b, 0x93, 0x40,
];

fn app(
    url: &str,
    client: &TestClient,
    folder: &std::path::Path,
    store: &MemoryStore,
    curves: Curves,
) -> Portal {
    let app = Portal::builder(url, copied(&client.key), device_store(client, folder));
    let password: Arc<dyn BackupMethod> = Arc::new(Password::new(Typist).with_cost(Cost::LEAST));
    let app = app.method(memory_method(store)).method(password).curves(curves);
    app.patience(std::time::Duration::from_millis(250)).build().unwrap()
}

fn device_key(client: &TestClient, folder: &std::path::Path) -> DeviceKey {
    let store = device_store(client, folder);
    let operation = store.begin().unwrap();
    DeviceKey::from_bytes(operation.state().live().unwrap().device_key().expose_secret())
}

#[test]
fn whoever_has_no_right_key_is_refused_on_every_route_and_changes_nothing() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let before = scene.dump().await;
        let custodian = scene.custodian_key();
        let stranger = "ck_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let mut routes = scene.routes();
        routes.push((Asked::json(route::CUSTODIAN_CLIENTS, &Nothing {}), false));
        for (asked, _) in &routes {
            let is_custodians = asked.path == route::CUSTODIAN_CLIENTS;
            let other = if is_custodians { &scene.client.key } else { &custodian };
            let asked = asked.clone().signed_by(scene.context(), &scene.device, None);
            let headers = [
                "",
                "Bearer",
                "Bearer ",
                "Basic Og==",
                "Bearer x",
                "Bearer ck_",
                "Bearer ck_short",
                &format!("Bearer {stranger}"),
                &format!("Bearer {}", stranger.replace("ck_", "pk_")),
                &format!("Bearer {}", other.expose()),
                &format!("Bearer {}A", scene.client.key.expose()),
                &format!("Bearer {0} {0}", scene.client.key.expose()),
                &format!("Token {}", scene.client.key.expose()),
            ];
            assert_eq!(scene.refused("without a key", &asked).await, ErrorId::AuthFailed);
            for header in headers {
                let asked = asked.clone().with_header("authorization", header);
                assert_eq!(scene.refused(header, &asked).await, ErrorId::AuthFailed);
            }
        }
        assert_eq!(scene.dump().await, before);
    });
}

#[test]
fn what_no_device_of_the_wallet_has_signed_is_refused_on_every_route_and_changes_nothing() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let before = scene.dump().await;
        let other = DeviceKey::generate().unwrap();
        let mut someone = scene.context().clone();
        someone.client = backup_core::ClientId::new("someone").unwrap();
        for (asked, _) in scene.routes().into_iter().filter(|(_, signed)| *signed) {
            let key = &scene.client.key;
            let signed = scene.signed(asked.clone());
            let unsigned = asked.clone().with_digest().with_key(key);
            let cases = [
                ("unsigned", unsigned.clone()),
                ("without a digest", signed.clone().without_header("content-digest")),
                ("no digest", signed.clone().with_header("content-digest", "sha-256=AAAA")),
                ("a digest of another kind", {
                    signed.clone().with_header("content-digest", "sha-512=:AAAA:")
                }),
                ("no signature", unsigned.clone().with_header(DeviceKey::HEADER, "")),
                ("a short signature", unsigned.clone().with_header(DeviceKey::HEADER, "AAAA")),
                ("zeros for a signature", {
                    unsigned.with_header(DeviceKey::HEADER, &"A".repeat(86))
                }),
                ("another device's", {
                    asked.clone().signed_by(scene.context(), &other, None).with_key(key)
                }),
                ("for another client", {
                    asked.clone().signed_by(&someone, &scene.device, None).with_key(key)
                }),
                ("as after a reply", {
                    asked
                        .clone()
                        .signed_by(scene.context(), &scene.device, Some([0; 32]))
                        .with_key(key)
                }),
            ];
            for (what, asked) in cases {
                scene.refused(what, &asked).await;
            }
            let damaged = Asked { body: "damaged".into(), ..signed };
            let id = scene.refused("damaged on the way", &damaged).await;
            assert_eq!(id, ErrorId::MessageMalformed);
        }
        assert_eq!(scene.dump().await, before);
    });
}

#[test]
fn malformed_and_oversized_requests_are_refused_on_every_route_and_change_nothing() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let before = scene.dump().await;
        let bodies: Vec<(&str, Vec<u8>)> = vec![
            ("nothing", Vec::new()),
            ("zeros", vec![0; 1000]),
            ("ones", vec![0xff; 1000]),
            ("no JSON", b"{".to_vec()),
            ("another JSON", b"[]".to_vec()),
            ("null", b"null".to_vec()),
            ("a field too many", br#"{"more":1}"#.to_vec()),
            ("a deep one", "[".repeat(20_000).into_bytes()),
            ("a frame with a long head", [&[7; 32][..], &[0xff; 4], b"{}"].concat()),
            ("a frame with no message", [&[7; 32][..], &[0, 0, 0, 2], b"{}"].concat()),
        ];
        for (asked, _) in scene.routes().into_iter().filter(|(_, signed)| *signed) {
            for (what, body) in &bodies {
                let asked = Asked { body: body.clone().into(), ..asked.clone() };
                scene.refused(what, &scene.signed(asked)).await;
            }
            let long = Asked { body: vec![b' '; longest(&asked) + 1].into(), ..asked.clone() };
            scene.refused("too long", &scene.signed(long)).await;
            let wrong_type = asked.clone().with_header("content-type", "application/xml");
            let id = scene.refused("a wrong type", &scene.signed(wrong_type)).await;
            assert_eq!(id, ErrorId::BadRequest);
            let untyped = asked.clone().without_header("content-type");
            scene.refused("no type", &scene.signed(untyped)).await;
        }
        for (asked, _) in scene.routes() {
            for method in [Method::DELETE, Method::PATCH, Method::OPTIONS, Method::TRACE] {
                let asked = Asked { method, ..asked.clone() };
                scene.refused("a wrong method", &scene.signed(asked)).await;
            }
        }
        let custodian = scene.custodian_key();
        for (what, body) in bodies.iter().filter(|(_, body)| !body.is_empty()) {
            let path = route::CUSTODIAN_CLIENTS;
            let asked = Asked::with_body(Method::POST, path, "application/json", body.clone());
            scene.refused(what, &asked.with_key(&custodian)).await;
        }
        assert_eq!(scene.dump().await, before);
    });
}

/// The longest body that the route of a request takes.
fn longest(asked: &Asked) -> usize {
    match asked.path.as_str() {
        path if path.starts_with(route::SESSIONS) => PostFrame::MAX_LEN,
        path if path.ends_with("/envelope") => Envelope::MAX_LEN,
        _ => 64 * 1024,
    }
}

#[test]
fn paths_of_nothing_are_refused_and_change_nothing() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let before = scene.dump().await;
        let long = "a".repeat(5000);
        let ids =
            ["%", "%00", "%ff", "a%20b", "%2e%2e", "..%2f..", &long, "'; DROP TABLE clients;--"];
        let ids = ids.map(|id| id.replace(' ', "%20"));
        for id in &ids {
            let paths = [
                format!("/v1/backups/{id}/envelope"),
                format!("/v1/backups/{id}/commit"),
                format!("/v1/backups/{id}/drop"),
                format!("/v1/sessions/{id}"),
                format!("/{id}"),
                format!("/v1/client/{id}"),
            ];
            for path in paths {
                let get = Asked::get(path.as_str()).with_key(&scene.client.key);
                scene.refused("read", &get).await;
                let post = scene.signed(Asked::json(
                    path.as_str(),
                    &Commit {
                        replaces: None,
                        envelope_sha256: [0; 32],
                        opened_after_enrollment: true,
                        proofs: PerCurve { secp256k1: None, ed25519: None },
                    },
                ));
                scene.refused("post", &post).await;
            }
        }
        assert_eq!(scene.dump().await, before);
    });
}

#[test]
fn requests_out_of_order_are_refused_and_change_nothing() {
    on_runtime(async {
        let scene = Scene::begin().await;
        let before = scene.dump().await;
        for (what, asked) in out_of_order(&scene) {
            let id = scene.refused(what, &scene.signed(asked)).await;
            println!("{what}: {id}");
        }
        assert_eq!(scene.dump().await, before);
    });
}

fn out_of_order(scene: &Scene) -> Vec<(&'static str, Asked)> {
    let nobodys = BackupId::new("of-nobody").unwrap();
    let commit = |replaces: Option<&BackupId>| Commit {
        replaces: replaces.cloned(),
        envelope_sha256: [0; 32],
        opened_after_enrollment: true,
        proofs: PerCurve { secp256k1: None, ed25519: None },
    };
    let revoke = |backups: &[&BackupId]| {
        let backups = backups.iter().copied().cloned().collect();
        Asked::json(route::REVOCATIONS, &Revocations { backups })
    };
    let mut asked = vec![
        ("a commit without an envelope", {
            Asked::json(route::commit(&scene.pending), &commit(Some(&scene.completed)))
        }),
        ("a commit of nothing", Asked::json(route::commit(&nobodys), &commit(None))),
        ("a commit of a completed set, with another envelope", {
            Asked::json(route::commit(&scene.completed), &commit(None))
        }),
        ("a drop of a completed set", {
            Asked::json(route::drop_pending(&scene.completed), &Nothing {})
        }),
        ("a revocation of the last one", revoke(&[&scene.completed])),
        ("a revocation of a pending one", revoke(&[&scene.pending])),
        ("a revocation of both", revoke(&[&scene.completed, &scene.pending])),
    ];
    asked.extend(messages(scene));
    asked
}

/// Messages that are good, and do not belong where they are sent.
fn messages(scene: &Scene) -> Vec<(&'static str, Asked)> {
    let device_key = scene.device.public();
    let context = mpc_context(scene.context(), &device_key);
    let (started, post) = Generate::start(&context, Curves::ED25519).unwrap();
    let first = |head: &FirstPost| {
        let body = PostFrame::encode(started.secret(), head, post.as_bytes()).to_vec();
        Asked::with_body(Method::POST, route::SESSIONS, portal_api::MEDIA_TYPE, body)
    };
    let on_ed25519 = PerCurve { secp256k1: None, ed25519: Some(Nothing {}) };
    let generate = FirstPost::Generate { curves: on_ed25519, device_key };
    let payload = Some(SignPayload::Message(b"m".to_vec()));
    let name = Some(PairName(scene.pair.clone()));
    let path = route::session(&started.session_id());
    let second = PostFrame::encode(started.secret(), &Nothing {}, post.as_bytes()).to_vec();
    vec![
        ("a second wallet", first(&generate)),
        ("a message of another operation", {
            first(&FirstPost::Sign { payloads: PerCurve { secp256k1: None, ed25519: payload } })
        }),
        ("a recovery from signing pairs", {
            let pairs = PerCurve { secp256k1: None, ed25519: name };
            first(&FirstPost::Recover { pairs, device_key })
        }),
        ("a confirmation with another message", first(&FirstPost::Confirm { device_key })),
        ("a second post that is a first", {
            Asked::with_body(Method::POST, path.as_str(), portal_api::MEDIA_TYPE, second)
        }),
        ("a first post to a session", Asked { path, ..first(&generate) }),
    ]
}

/// Everything secret of a wallet that a test can come by, and names for nothing in it.
async fn secrets_of(
    scene: &Scene,
    client: &TestClient,
    folders: &[&std::path::Path],
    store: &MemoryStore,
) -> Secrets {
    let custodian = scene.custodian_key();
    let mut secrets = Secrets::new()
        .with_text(PASSWORD)
        .with_text(client.key.expose())
        .with_text(&client.key.expose()[3..])
        .with_text(&custodian.expose()[3..])
        .with_key(&DATA_KEY);
    for folder in folders {
        let store = device_store(client, folder);
        let operation = store.begin().unwrap();
        let Some(live) = operation.state().live() else { continue };
        secrets = secrets.with_key(live.device_key().expose_secret());
        for pair in live.pairs() {
            secrets = with_all(secrets, pair.share.expose_secret());
        }
    }
    let op = Operation::new(Purpose::Unlock, &client.context);
    let prefix = KeyPrefix::of(&client.context);
    for name in store.list(&op, &prefix).await.unwrap() {
        secrets = secrets.with_key(store.get(&op, &name).await.unwrap().expose());
    }
    secrets = with_shares(secrets, scene, client, store).await;
    for (asked, _) in scene.middle.heard() {
        if asked.is_first_post() || asked.is_second_post() {
            let (secret, _) = asked.body.split_first_chunk::<32>().unwrap();
            secrets = secrets.with_key(secret);
        }
    }
    secrets
}

/// Of a stored signing share, the scalar, which stands after head, pair, condition and challenge;
/// and a part of what more the share of one curve has.
fn with_all(secrets: Secrets, share: &[u8]) -> Secrets {
    let more = share.get(share.len() / 2..).filter(|rest| share.len() > 400 && rest[0] != rest[1]);
    let secrets = secrets.with_key(share[69..101].try_into().unwrap());
    more.into_iter().fold(secrets, |secrets, rest| secrets.with_key(rest[..32].try_into().unwrap()))
}

/// The halves of all backups, of the client and of the custodian.
async fn with_shares(
    mut secrets: Secrets,
    scene: &Scene,
    client: &TestClient,
    store: &MemoryStore,
) -> Secrets {
    let service = scene.service.running().service();
    let mut read = service.store.read().await.unwrap();
    let op = Operation::new(Purpose::Unlock, &client.context);
    let method = StoredKey::new(store.clone());
    for row in read.backups(&client.context.client).await.unwrap() {
        let halves = read.custodian_halves(&client.context.client, &row.set.id).await.unwrap();
        for (_, half) in halves.unwrap().iter() {
            let half = service.custody.verify_backup(&client.context, half).await.unwrap();
            secrets = with_scalar(secrets, &half.to_bytes());
        }
        let text = read.envelope(&client.context.client, &row.set.id).await.unwrap();
        let Some(envelope) = text.map(|text| Envelope::parse(&text).unwrap()) else { continue };
        if envelope.header().method != memory_id() {
            continue;
        }
        let wallets: Vec<_> =
            envelope.header().wallets.iter().map(|sealed| sealed.wallet).collect();
        let opened = envelope.open(&method, &op, &wallets).await.unwrap();
        for share in &opened.shares {
            secrets = with_scalar(secrets, share.secret().expose_secret());
        }
    }
    secrets
}

/// Of a stored backup share, the scalar: it stands after head and pair.
fn with_scalar(secrets: Secrets, share: &[u8]) -> Secrets {
    secrets.with_key(share[36..68].try_into().unwrap())
}

#[test]
fn neither_service_nor_client_logs_a_secret_whatever_happens() {
    on_runtime(async {
        let capture = LogCapture::start();
        let scene = Scene::begin().await;
        live(&scene).await;
        for (what, asked) in out_of_order(&scene) {
            scene.refused(what, &scene.signed(asked)).await;
        }
        for (asked, _) in scene.routes() {
            let _ = scene.middle.ask(&asked.clone().with_key(&scene.client.key)).await;
            let _ = scene.middle.ask(&scene.signed(asked)).await;
        }
        for (asked, _) in scene.middle.heard() {
            let body = [&asked.body[..], b"?"].concat();
            let _ = scene.middle.ask(&asked.clone()).await;
            let _ = scene.middle.ask(&scene.signed(asked.with_other_body(body))).await;
        }
        let heard = capture.text();
        assert!(heard.contains("portal_server"), "the service logs, and is heard");
        let folders = [scene.folder.path()];
        let secrets = secrets_of(&scene, &scene.client, &folders, &scene.store).await;
        secrets.assert_absent(&heard, "a log");
    });
}

/// Both curves, both methods, a wrong key, a lost device: all with errors on the way.
async fn live(scene: &Scene) {
    let client = scene.service.client().await;
    let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let capture = LogCapture::start();
    let store = MemoryStore::new();
    let url = scene.middle.url();
    let old = app(&url, &client, first.path(), &store, Curves::BOTH);
    old.sign(Payload::Message(b"m")).await.unwrap_err();
    old.create_wallet(&unseen).await.unwrap();
    old.create_wallet(&unseen).await.unwrap_err();
    old.sign(Payload::Digest(&[7; 32])).await.unwrap();
    for method in [memory_id(), backup_core::MethodId::PASSWORD] {
        old.back_up(&method, &BackUpOptions::default(), &unseen).await.unwrap();
    }
    scene.middle.change(|asked, answer| {
        let is_reply = asked.is_first_post() || asked.is_second_post();
        if is_reply { answer.with_body("damaged") } else { answer }
    });
    old.sign(Payload::Digest(&[8; 32])).await.unwrap_err();
    scene.middle.be_honest();
    let new = app(&url, &client, second.path(), &store, Curves::BOTH);
    let options = RecoverOptions::default();
    let empty = app(&url, &client, second.path(), &MemoryStore::new(), Curves::BOTH);
    let error = empty.recover(&memory_id(), &options, &unseen).await.unwrap_err();
    assert_eq!(error.backup_kind(), Some(ErrorKind::NotFound));
    new.recover(&memory_id(), &options, &unseen).await.unwrap();
    old.sign(Payload::Digest(&[9; 32])).await.unwrap_err();
    new.sign(Payload::Digest(&[9; 32])).await.unwrap();
    let folders = [first.path(), second.path()];
    let secrets = secrets_of(scene, &client, &folders, &store).await;
    new.revoke(&memory_id(), &unseen).await.unwrap();
    let heard = [capture.text(), format!("{old:?} {new:?} {error} {error:?}")].concat();
    println!("{} bytes were logged", heard.len());
    secrets.assert_absent(&heard, "a log");
}
