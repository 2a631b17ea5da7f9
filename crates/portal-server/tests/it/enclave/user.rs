//! A client whose devices run ceremonies, and the requests that Portal's SDKs make for it.

use backup_testkit::passkey::SoftwareAuthenticator;
use portal_api::route::Route;
use portal_server::{EnclaveOptions, Options};
use serde_json::{Value, json};

use crate::common::{
    Service,
    http::{Answer, Request},
};

pub(crate) const RP: &str = "example.com";
pub(crate) const ORIGIN: &str = "https://wallet.example.com";
pub(crate) const KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
pub(crate) const OTHER_KEY: &str =
    "f00f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1";

/// A client, by its API key or a session token.
#[derive(Clone, Debug)]
pub(crate) struct User(pub(crate) String);

/// A ceremony that was begun.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) session: String,
    pub(crate) options: String,
}

pub(crate) fn with_enclave(options: &mut Options) {
    options.enclave = Some(EnclaveOptions::new(RP, &[ORIGIN]));
}

pub(crate) async fn start() -> Service {
    Service::start_with(with_enclave).await
}

impl User {
    pub(crate) async fn of(service: &Service) -> Self {
        Self(service.create_client().await.client_api_key.to_string())
    }

    pub(crate) async fn get(&self, service: &Service, route: Route) -> Answer {
        service.send(Request::get(route.path()).by(&self.0)).await
    }

    pub(crate) async fn post(&self, service: &Service, route: Route, body: &Value) -> Answer {
        self.post_text(service, route, &body.to_string()).await
    }

    pub(crate) async fn post_text(&self, service: &Service, route: Route, body: &str) -> Answer {
        service.send(Request::post(route.path()).by(&self.0).json(body)).await
    }

    pub(crate) async fn status(&self, service: &Service) -> String {
        let status: Value = self.get(service, Route::PasskeyStatus).await.json();
        status["status"].as_str().unwrap().to_owned()
    }

    /// Registers a passkey, perhaps with a key; its id.
    pub(crate) async fn register(
        &self,
        service: &Service,
        device: &SoftwareAuthenticator,
        key: Option<&str>,
    ) -> String {
        let begin = json!({ "relyingParty": RP });
        let begun = Begun::of(&self.post(service, Route::BeginRegistration, &begin).await);
        let body = json!({
            "attestation": device.create(ORIGIN, &begun.options).unwrap(),
            "sessionId": begun.session,
            "relyingParty": RP,
            "encryptionKey": key,
        });
        let done: Value = self.post(service, Route::FinishRegistration, &body).await.json();
        done["passkeyId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn begin(&self, service: &Service) -> Begun {
        self.begin_with(service, json!({})).await
    }

    /// The members of `more` stand beside Portal's.
    pub(crate) async fn begin_with(&self, service: &Service, mut more: Value) -> Begun {
        more["relyingParty"] = RP.into();
        Begun::of(&self.post(service, Route::BeginLogin, &more).await)
    }

    /// Ends a ceremony with an assertion, and the members of `more`.
    pub(crate) async fn end(
        &self,
        service: &Service,
        route: Route,
        (begun, assertion): (&Begun, String),
        mut more: Value,
    ) -> Answer {
        more["relyingParty"] = RP.into();
        more["sessionId"] = begun.session.as_str().into();
        more["assertion"] = assertion.into();
        self.post(service, route, &more).await
    }

    pub(crate) async fn write(
        &self,
        service: &Service,
        device: &SoftwareAuthenticator,
        key: &str,
    ) -> Answer {
        let begun = self.begin(service).await;
        let more = json!({ "encryptionKey": key });
        self.end(service, Route::WriteKey, (&begun, begun.assert(device)), more).await
    }

    pub(crate) async fn read(&self, service: &Service, device: &SoftwareAuthenticator) -> Answer {
        let begun = self.begin(service).await;
        self.end(service, Route::ReadKey, (&begun, begun.assert(device)), json!({})).await
    }

    /// The key that is read without a name.
    pub(crate) async fn key(&self, service: &Service, device: &SoftwareAuthenticator) -> String {
        let read: Value = self.read(service, device).await.json();
        read["encryptionKey"].as_str().unwrap().to_owned()
    }
}

impl Begun {
    fn of(answer: &Answer) -> Self {
        let begun: Value = answer.json();
        Self {
            session: begun["sessionId"].as_str().unwrap().to_owned(),
            options: begun["options"]["publicKey"].to_string(),
        }
    }

    pub(crate) fn assert(&self, device: &SoftwareAuthenticator) -> String {
        device.get(ORIGIN, &self.options).unwrap()
    }
}
