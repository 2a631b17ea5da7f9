//! A service in self-managed mode, its custodian's server, and a user with a wallet.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use backup_testkit::MemoryStore;
use portal_api::{ErrorBody, ErrorId, route, webhook::WebhookView};
use portal_client::{
    ApiKey, BackUpOptions, BackedUp, EjectOptions, Error, Portal, RecoverOptions, custodian,
};
use portal_server::{Options, clock::Clock, maintenance};
use portal_tests::wallets::{Device, TestClient, TestService, memory_id, memory_method, unseen};
use reqwest::{Client, Response};
use serde_json::{Value, json};

use super::keeper::{Keeper, Kept};

pub(crate) const SECRET: &str = "a-secret-that-travels";

/// A clock that goes when it is told.
#[derive(Debug)]
pub(crate) struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) struct Scene {
    pub(crate) service: TestService,
    pub(crate) keeper: Keeper,
    pub(crate) client: TestClient,
    pub(crate) device: Device,
    pub(crate) store: MemoryStore,
    pub(crate) hand: Arc<Hand>,
    pub(crate) http: Client,
}

impl Scene {
    /// With a webhook that is registered, and a wallet that is not backed up.
    pub(crate) async fn begin() -> Self {
        let scene = Self::without_webhook(|options| {
            options.webhooks.plain_http = true;
            options.webhooks.private_addresses = true;
        });
        let scene = scene.await;
        scene.register(&scene.keeper.url(), SECRET).await.unwrap();
        scene.app().create_wallet(&unseen).await.unwrap();
        scene
    }

    pub(crate) async fn without_webhook(change: impl FnOnce(&mut Options)) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let hand = Arc::new(Hand(AtomicU64::new(now)));
        let clock = Arc::clone(&hand);
        let service = TestService::start_with(move |options| {
            options.backup_with_portal = Some(false);
            options.clock = clock;
            change(options);
        });
        let (service, keeper) = (service.await, Keeper::start().await);
        let client = service.client().await;
        let device = client.device();
        let store = MemoryStore::new();
        Self { service, keeper, client, device, store, hand, http: Client::new() }
    }

    pub(crate) fn app(&self) -> Portal {
        self.app_on(&self.device)
    }

    pub(crate) fn app_on(&self, device: &Device) -> Portal {
        device.portal(&self.service.url(), &memory_method(&self.store))
    }

    pub(crate) fn custodian_key(&self) -> ApiKey {
        let key = std::fs::read_to_string(self.service.folder().join("custodian.key")).unwrap();
        ApiKey::new(key.trim()).unwrap()
    }

    /// A backup that the device commits.
    pub(crate) async fn back_up(&self) -> Result<BackedUp, Error> {
        self.app().back_up(&memory_id(), &BackUpOptions::default(), &unseen).await
    }

    /// A backup by a new enrolment, whose success says that the wallet could be opened by it.
    pub(crate) async fn back_up_anew(&self) -> Result<BackedUp, Error> {
        let options = BackUpOptions { enroll_anew: true, ..Default::default() };
        self.app().back_up(&memory_id(), &options, &unseen).await
    }

    /// Two backups, of which the custodian forgets the newer one: the older one, and all that it
    /// kept before.
    pub(crate) async fn forget_newer_backup(&self) -> (BackedUp, Vec<Kept>) {
        let first = self.back_up().await.unwrap();
        let old = self.keeper.keeping().kept.clone();
        self.back_up_anew().await.unwrap();
        let all = mem::replace(&mut self.keeper.keeping().kept, old);
        (first, all)
    }

    /// On a phone that was bought now, with a ciphertext that the app kept, or the service's.
    pub(crate) async fn recover(&self, cipher_text: Option<String>) -> Result<Device, Error> {
        let device = self.client.device();
        let options = RecoverOptions { cipher_text, ..Default::default() };
        self.app_on(&device).recover(&memory_id(), &options, &unseen).await?;
        Ok(device)
    }

    pub(crate) async fn eject(&self) -> Result<String, Error> {
        let (url, client) = (self.service.url(), &self.client.context.client);
        custodian::enable_eject(&url, &self.custodian_key(), client, None, None).await?;
        let options = EjectOptions::default();
        let ejected = self.app().eject(&memory_id(), &options, &unseen).await?;
        Ok(ejected.keys.get(backup_core::Curve::Ed25519).unwrap().expose().to_owned())
    }

    /// Lets so many days pass, and what is over be cleared away.
    pub(crate) async fn wait_days(&self, days: u64) {
        self.hand.0.fetch_add(days * 24 * 60 * 60, Ordering::SeqCst);
        let service = self.service.running().service();
        maintenance::run_once(service, service.now()).await.unwrap();
    }

    pub(crate) async fn register(
        &self,
        webhook: &str,
        secret: &str,
    ) -> Result<WebhookView, ErrorBody> {
        self.ask(route::WEBHOOK, &json!({ "webhook": webhook, "secret": secret })).await
    }

    pub(crate) async fn webhook(&self) -> WebhookView {
        let url = format!("{}{}", self.service.url(), route::WEBHOOK);
        let asked = self.http.get(url).bearer_auth(self.custodian_key().expose());
        asked.send().await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, ErrorBody> {
        let answer = self.post(path, body).await;
        if answer.status().is_success() {
            Ok(answer.json().await.unwrap())
        } else {
            Err(answer.json().await.unwrap())
        }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        let url = format!("{}{path}", self.service.url());
        let asked = self.http.post(url).bearer_auth(self.custodian_key().expose()).json(body);
        asked.send().await.unwrap()
    }
}

pub(crate) fn is_webhook_failed<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Service { id: ErrorId::WebhookFailed, .. }))
}
