//! API keys and session tokens over a wallet's life: what they are good for, and where they are
//! not.

use std::fs;

use backup_testkit::MemoryStore;
use portal_api::{ClientSession, ErrorId, route::Route};
use portal_client::{ApiKey, BackUpOptions, Error, Payload, Portal, RecoverOptions};
use portal_tests::wallets::{
    Device, TestClient, TestService, copied, memory_id, memory_method, on_runtime, unseen,
};
use reqwest::Method;

/// A service, a client, and where its method keeps keys.
struct Scene {
    service: TestService,
    client: TestClient,
    store: MemoryStore,
}

impl Scene {
    async fn new() -> Self {
        let service = TestService::start().await;
        let client = service.client().await;
        Self { service, client, store: MemoryStore::new() }
    }

    fn custodians_key(&self) -> String {
        let key = fs::read_to_string(self.service.folder().join("custodian.key")).unwrap();
        key.trim().to_owned()
    }

    /// What the custodian asks for about the client.
    async fn ask(&self, method: Method, route: Route) -> reqwest::Response {
        let path = route.path().replace("{client}", self.client.context.client.as_str());
        let request = reqwest::Client::new().request(method, self.service.url() + &path);
        request.bearer_auth(self.custodians_key()).send().await.unwrap()
    }

    async fn token(&self) -> ApiKey {
        let answer = self.ask(Method::POST, Route::CreateClientSession).await;
        let session: ClientSession = answer.json().await.unwrap();
        assert!(session.client_session_token.starts_with("cs_"));
        ApiKey::new(session.client_session_token.as_str()).unwrap()
    }

    /// The client, whose app was given this key.
    fn client_by(&self, key: &ApiKey) -> TestClient {
        TestClient { context: self.client.context.clone(), key: copied(key) }
    }

    /// A wallet is made and backed up by this key.
    async fn create_by(&self, key: &ApiKey) {
        let device = self.client_by(key).device();
        let app = device.portal(&self.service.url(), &memory_method(&self.store));
        app.create_wallet(&unseen).await.unwrap();
        app.sign(Payload::Message(b"m")).await.unwrap();
        app.back_up(&memory_id(), &BackUpOptions::default(), &unseen).await.unwrap();
    }

    /// It is recovered by this key: the device, and its app.
    async fn recover_by(&self, key: &ApiKey) -> (Device, Portal) {
        let device = self.client_by(key).device();
        let app = device.portal(&self.service.url(), &memory_method(&self.store));
        app.recover(&memory_id(), &RecoverOptions::default(), &unseen).await.unwrap();
        app.sign(Payload::Message(b"m")).await.unwrap();
        (device, app)
    }

    /// The files of the service that have this text.
    fn files_with(&self, text: &str) -> Vec<String> {
        let files = fs::read_dir(self.service.folder()).unwrap().map(|file| file.unwrap());
        let has = |bytes: Vec<u8>| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        let with = files.filter(|file| has(fs::read(file.path()).unwrap()));
        with.map(|file| file.file_name().into_string().unwrap()).collect()
    }
}

#[test]
fn a_wallet_lives_by_a_session_token_until_the_custodian_ends_it() {
    on_runtime(async {
        let scene = Scene::new().await;
        let token = scene.token().await;
        scene.create_by(&token).await;
        let (_device, app) = scene.recover_by(&token).await;

        let ended = scene.ask(Method::DELETE, Route::EndClientSessions).await;
        assert!(ended.status().is_success(), "{}", ended.status());
        let refused = app.sign(Payload::Message(b"m")).await;
        let is_refused =
            matches!(&refused, Err(Error::Service { status: 401, id: ErrorId::AuthFailed, .. }));
        assert!(is_refused, "{:?}", refused.err());
        // The backup is as good as before, with another token.
        scene.recover_by(&scene.token().await).await;
    });
}

#[test]
fn of_no_key_or_token_a_file_of_the_service_shows_anything_but_the_custodians_own() {
    on_runtime(async {
        let scene = Scene::new().await;
        let token = scene.token().await;
        scene.create_by(&token).await;
        scene.recover_by(&scene.client.key).await;
        let custodians = scene.custodians_key();
        assert!(custodians.starts_with("pk_") && scene.client.key.expose().starts_with("ck_"));
        assert!(!scene.files_with(scene.client.context.client.as_str()).is_empty());
        for key in [scene.client.key.expose(), token.expose()] {
            assert_eq!(scene.files_with(key), [""; 0]);
        }
        assert_eq!(scene.files_with(&custodians), ["custodian.key"]);
    });
}
