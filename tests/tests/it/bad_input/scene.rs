//! A wallet and its service, asked directly.

use std::{path::Path, sync::Arc, time::Duration};

use backup_core::{
    BackupId, BackupMethod, Curve, DataKey, EncryptionContext, SharePairId, async_trait,
    secrecy::{ExposeSecret, SecretString},
};
use backup_methods_password::{Cost, Password, PasswordPrompt, PasswordRequest};
use backup_testkit::{LogCapture, MemoryStore};
use portal_api::{DeviceKey, ErrorBody, ErrorId, route};
use portal_client::{ApiKey, BackUpOptions, Curves, Portal, PublicKey, device::DeviceStore};
use portal_tests::{
    middle::{Answer, Asked, Method, Middle, StatusCode},
    wallets::{TestClient, TestService, copied, memory_id, memory_method, unseen},
};
use serde_json::Value;
use sqlx::{ConnectOptions, Connection, Row, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::secrets;

pub(crate) const PASSWORD: &str = "seven teal lanterns drift";

#[derive(Debug)]
struct Typist;

#[async_trait]
impl PasswordPrompt for Typist {
    async fn password(&self, _: &PasswordRequest<'_>) -> backup_core::Result<SecretString> {
        Ok(SecretString::from(PASSWORD))
    }
}

/// A wallet with a completed backup and one that waits for its envelope.
pub(crate) struct Scene {
    pub(crate) service: TestService,
    pub(crate) middle: Middle,
    pub(crate) client: TestClient,
    pub(crate) folder: TempDir,
    pub(crate) store: MemoryStore,
    pub(crate) device: DeviceKey,
    pub(crate) completed: BackupId,
    pub(crate) pending: BackupId,
    pub(crate) pair: SharePairId,
    pub(crate) completed_pair: SharePairId,
    pub(crate) pending_pair: SharePairId,
    pub(crate) public_key: PublicKey,
    before: Vec<String>,
    heard: LogCapture,
}

impl Scene {
    pub(crate) async fn begin() -> Self {
        let heard = LogCapture::start();
        let service = TestService::start_with_enclave().await;
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
        let of = |status| sets.iter().find(|set| set["status"] == status).unwrap();
        let (pending_set, completed_set) = (of("PENDING"), of("COMPLETED"));
        let pending = BackupId::new(pending_set["id"].as_str().unwrap()).unwrap();
        let pair = |set: &Value| {
            SharePairId::new(set["pairs"]["ED25519"]["id"].as_str().unwrap()).unwrap()
        };
        let (pending_pair, completed_pair) = (pair(pending_set), pair(completed_set));
        let pair = pair(&view["signing"]);
        let addresses = app.addresses().await.unwrap().unwrap();
        let public_key = *addresses.public_key(Curve::Ed25519).unwrap();
        let device = device_key(&client, folder.path());
        let completed = made.backup;
        let before = Vec::new();
        let scene = Self {
            service,
            middle,
            client,
            folder,
            store,
            device,
            completed,
            pending,
            pair,
            completed_pair,
            pending_pair,
            public_key,
            before,
            heard,
        };
        let before = scene.dump().await;
        Self { before, ..scene }
    }

    pub(crate) fn context(&self) -> &EncryptionContext {
        &self.client.context
    }

    pub(crate) fn custodian_key(&self) -> ApiKey {
        let key = std::fs::read_to_string(self.service.folder().join("custodian.key")).unwrap();
        ApiKey::new(key.trim()).unwrap()
    }

    /// Asks, and expects a refusal in Portal's shape.
    pub(crate) async fn refused(&self, what: &str, asked: &Asked) -> ErrorId {
        self.refusal(what, asked).await.error.id
    }

    /// The envelope of the completed backup.
    pub(crate) async fn envelope(&self) -> String {
        let asked = self.signed(Asked::get(route::envelope(&self.completed)));
        self.middle.ask(&asked).await.text()
    }

    pub(crate) async fn refusal(&self, what: &str, asked: &Asked) -> ErrorBody {
        let answer = self.middle.ask(asked).await;
        expect_shape(&format!("{what}: {} {}", asked.method, asked.path), &answer)
    }

    /// Nothing in the database is another than when the scene began, and no secret was logged.
    pub(crate) async fn expect_unchanged_and_silent(&self) {
        assert_eq!(self.dump().await, self.before);
        let heard = self.heard.text();
        assert!(heard.contains("portal_server"), "the service logs, and is heard");
        let folders = [self.folder.path()];
        let secrets = secrets::of(self, &self.client, &folders, &self.store).await;
        secrets.assert_absent(&heard, "a log");
    }

    /// All that is in the database, but for what the audit says of refusals.
    pub(crate) async fn dump(&self) -> Vec<String> {
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
        dump.retain(|row| !(row.starts_with("audit: ") && row.contains("'ENCLAVE_REFUSED'")));
        dump
    }
}

pub(crate) fn expect_shape(what: &str, answer: &Answer) -> ErrorBody {
    let (status, text) = (answer.status, answer.text());
    assert!(status.is_client_error(), "{what}: {status} {text}");
    let body: ErrorBody = serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!("{what}: {status} is not in Portal's shape: {error}: {text}")
    });
    assert_eq!(body.error.code, status.as_u16(), "{what}");
    assert_ne!(body.error.id, ErrorId::Unknown, "{what}");
    assert!(!body.error.message.is_empty(), "{what}");
    assert_eq!(answer.headers["content-type"], "application/json", "{what}");
    body
}

struct NoEnvelope;

impl portal_tests::middle::Meddler for NoEnvelope {
    fn instead(&self, asked: &Asked) -> Option<Answer> {
        let is_put = asked.is(&Method::PUT, "/envelope");
        is_put.then(|| Answer::refusal(StatusCode::SERVICE_UNAVAILABLE, ErrorId::Error))
    }
}

pub(crate) fn device_store(client: &TestClient, folder: &Path) -> DeviceStore {
    DeviceStore::new(folder, client.context.clone(), DataKey::copied_from(&DATA_KEY))
}

pub(crate) const DATA_KEY: [u8; 32] = [
    0xa0, 0x42, 0xbe, 0x5c, 0xcc, 0xb1, 0xf2, 0xd8, 0xbe, 0xa7, 0xed, 0x88, 0x08, 0xd8, 0x78, 0xc7,
    0xf2, 0x40, 0xa7, 0x0e, 0xe7, 0x29, 0x1d, 0x60, 0x79, 0xdf, 0x40, 0x62, 0x8c, 0x1b, 0x93, 0x40,
];

pub(crate) fn app(
    url: &str,
    client: &TestClient,
    folder: &Path,
    store: &MemoryStore,
    curves: Curves,
) -> Portal {
    let app = Portal::builder(url, copied(&client.key), device_store(client, folder));
    let password: Arc<dyn BackupMethod> = Arc::new(Password::new(Typist).with_cost(Cost::LEAST));
    let app = app.method(memory_method(store)).method(password).curves(curves);
    app.patience(Duration::from_millis(250)).build().unwrap()
}

pub(crate) fn device_key(client: &TestClient, folder: &Path) -> DeviceKey {
    let store = device_store(client, folder);
    let operation = store.begin().unwrap();
    DeviceKey::from_bytes(operation.state().live().unwrap().device_key().expose_secret())
}
