//! The whole life of a wallet with the custodian's side as it is published: `portal-webhook`.

use std::sync::Arc;

use axum::{Router, http::request::Parts};
use backup_core::{CustodianId, KeyEncryption, async_trait};
use backup_testkit::Postgres;
use portal_client::BackUpOptions;
use portal_keys::{KeyFile, KeyRing};
use portal_tests::wallets::{memory_id, on_runtime, unseen};
use portal_webhook::{PostgresStore, SqliteStore, Users, Webhook, WebhookSecret};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::scene::{Scene, is_webhook_failed};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Sessions of the app, of which each has the name of its client.
struct Sessions;

#[async_trait]
impl Users for Sessions {
    async fn client(&self, request: &Parts) -> Option<String> {
        let session = request.headers.get("authorization")?.to_str().ok()?;
        Some(session.strip_prefix("Session ")?.to_owned())
    }
}

/// What a custodian has: a folder with its key, and a database there or elsewhere.
struct Custody {
    folder: TempDir,
    postgres: Option<Postgres>,
}

impl Custody {
    fn in_a_file() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), postgres: None }
    }

    fn in_postgres() -> Self {
        Self { postgres: Some(Postgres::start()), ..Self::in_a_file() }
    }

    async fn webhook(&self, custodian: &CustodianId) -> Webhook {
        let file = self.folder.path().join("custody.key");
        let key = KeyFile::open(&file).or_else(|_| KeyFile::create(&file)).unwrap();
        let ring = KeyRing::new([Arc::new(key) as Arc<dyn KeyEncryption>]).unwrap();
        let (custodian, secret) = (custodian.clone(), WebhookSecret::new(SECRET).unwrap());
        if let Some(postgres) = &self.postgres {
            let store = PostgresStore::open(&postgres.url()).await.unwrap();
            return Webhook::new(custodian, secret, ring, store);
        }
        let store = SqliteStore::open(&self.folder.path().join("shares.db")).await.unwrap();
        Webhook::new(custodian, secret, ring, store)
    }

    /// Starts a server; its webhook, and where it is.
    async fn serve(&self, scene: &Scene) -> (Webhook, String) {
        let webhook = self.webhook(&scene.client.context.custodian).await;
        let router = Router::new()
            .nest("/users", webhook.cipher_texts(Sessions))
            .nest("/hook", webhook.router());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (webhook, url)
    }
}

async fn scene(custody: &Custody) -> (Scene, Webhook, String) {
    let scene = Scene::without_webhook(|options| {
        options.webhooks.plain_http = true;
        options.webhooks.private_addresses = true;
    });
    let scene = scene.await;
    let (webhook, url) = custody.serve(&scene).await;
    scene.register(&format!("{url}/hook"), SECRET).await.unwrap();
    scene.app().create_wallet(&unseen).await.unwrap();
    (scene, webhook, url)
}

#[test]
fn a_wallet_lives_with_both_sides_as_they_are_published() {
    a_wallet_lives(&Custody::in_a_file());
}

#[test]
fn a_wallet_lives_with_a_custodian_on_postgresql() {
    a_wallet_lives(&Custody::in_postgres());
}

fn a_wallet_lives(custody: &Custody) {
    on_runtime(async {
        let (scene, _, url) = scene(custody).await;
        let options = BackUpOptions { by_notice: true, ..Default::default() };
        let made = scene.app().back_up(&memory_id(), &options, &unseen).await.unwrap();
        let http = reqwest::Client::new();
        let session = format!("Session {}", scene.client.context.client);
        let body = json!({ "backupMethod": "CUSTOM", "cipherText": made.cipher_text });
        let stored = http.post(format!("{url}/users/cipher-text"));
        let stored = stored.header("authorization", &session).json(&body).send().await.unwrap();
        assert!(stored.status().is_success());
        scene.app().stored_client_backup_share(&memory_id(), true).await.unwrap();

        // Another process of the custodian's, with what the first had, at another address.
        let (_, url) = custody.serve(&scene).await;
        scene.register(&format!("{url}/hook"), SECRET).await.unwrap();
        let fetched = http.get(format!("{url}/users/cipher-text/fetch?backupMethod=CUSTOM"));
        let fetched = fetched.header("authorization", &session).send().await.unwrap();
        let fetched: Value = fetched.json().await.unwrap();
        let cipher_text = fetched["cipherText"].as_str().unwrap().to_owned();
        let device = scene.recover(Some(cipher_text)).await.unwrap();
        let addresses = scene.app().addresses().await.unwrap();
        assert_eq!(scene.app_on(&device).addresses().await.unwrap(), addresses);
        assert!(scene.keeper.keeping().came.is_empty(), "it is the published one that was asked");
    });
}

#[test]
fn a_backup_while_the_custodians_database_is_down_fails_and_the_one_before_recovers() {
    on_runtime(async {
        let custody = Custody::in_postgres();
        let (scene, ..) = scene(&custody).await;
        scene.back_up_anew().await.unwrap();
        let postgres = custody.postgres.as_ref().unwrap();
        postgres.crash();
        assert!(is_webhook_failed(&scene.back_up_anew().await));
        postgres.restart();
        let device = scene.recover(None).await.unwrap();
        let scene = Scene { device, ..scene };
        scene.back_up_anew().await.unwrap();
        scene.recover(None).await.unwrap();
    });
}

#[test]
fn a_dead_pair_is_erased_and_the_living_one_recovers_and_is_ejected() {
    on_runtime(async {
        let (scene, webhook, _) = scene(&Custody::in_a_file()).await;
        for _ in 0..2 {
            scene.back_up_anew().await.unwrap();
        }
        scene.wait_days(40).await;
        let dead = scene.webhook().await.dead_pairs;
        assert_eq!(dead.len(), 1);
        let (client, pair) = (dead[0].client_id.as_str(), dead[0].backup_share_pair_id.as_str());
        webhook.erase(client, pair).await.unwrap();
        let erased = json!({ "backupSharePairIds": [pair] });
        let told = scene.post(portal_api::route::ERASED_PAIRS, &erased).await;
        assert!(told.status().is_success());
        let device = scene.recover(None).await.unwrap();
        let scene = Scene { device, ..scene };
        scene.eject().await.unwrap();
    });
}
