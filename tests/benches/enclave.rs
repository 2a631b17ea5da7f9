//! A key that the enclave releases beside what that cannot do without, in one run: the verification
//! of the assertion by webauthn-rs, and one commit.

#[path = "service/answered.rs"]
mod answered;
#[path = "service/bare.rs"]
mod bare;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use backup_core::{BackupMethod, Operation, Purpose, async_trait, secrecy::SecretString};
use backup_methods_passkey::{
    Assertion, Ceremony, CeremonyError, CreateOptions, Created, GetOptions, PasskeyEnclave,
    RelyingParty, Support,
};
use backup_testkit::passkey::{Refusal, SoftwareAuthenticator};
use portal_api::route::Route;
use portal_tests::{
    ratio::median,
    wallets::{PASSKEY_ORIGIN, RELYING_PARTY, TestService, on_runtime},
};
use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use webauthn_rs::prelude::{Passkey, Url, Uuid, Webauthn, WebauthnBuilder};

use self::{
    answered::Answered,
    bare::{bare_database, insert},
};

fn main() {
    let released = Answered::watched("POST", Route::ReadKey.path());
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    on_runtime(async {
        let service = TestService::start_with_enclave().await;
        let client = service.client().await;
        let method = PasskeyEnclave::new(
            Page(SoftwareAuthenticator::new()),
            RelyingParty::new(RELYING_PARTY, "Acme").expect("a domain"),
            &service.url(),
            SecretString::from(client.key.expose()),
        );
        let method = method.expect("an address");
        let enroll = Operation::new(Purpose::Enroll, &client.context);
        let unlock = Operation::new(Purpose::Unlock, &client.context);
        let enrolled = method.enroll(&enroll).await.expect("a key is kept");
        let mut reference = Reference::start(service.folder()).await;
        // By turns, since whoever comes first finds less in the processor's caches.
        for round in 0..ROUNDS {
            if round % 2 == 0 {
                bare.push(reference.run().await);
            }
            method.unlock(&unlock, &enrolled.params).await.expect("the key is released");
            ours.push(released.last());
            if round % 2 == 1 {
                bare.push(reference.run().await);
            }
        }
    });
    let millis = |times| median(times).as_secs_f64() * 1000.0;
    let (ours, bare) = (millis(ours), millis(bare));
    let ratio = ours / bare;
    println!("release a key, in the service, ms: {ours:.2} / {bare:.2} = {ratio:.2} (<= {MOST})");
    assert!(ratio <= MOST, "the bound is exceeded");
}

const ROUNDS: usize = 200;
const MOST: f64 = 1.3;

/// What a service does at least that releases a key to a passkey.
struct Reference {
    webauthn: Webauthn,
    authenticator: SoftwareAuthenticator,
    passkey: Passkey,
    database: SqliteConnection,
    row: String,
}

impl Reference {
    /// Commits as many bytes as the enclave's record of its client has.
    async fn start(folder: &Path) -> Self {
        let origin = Url::parse(PASSKEY_ORIGIN).expect("an origin");
        let webauthn =
            WebauthnBuilder::new(RELYING_PARTY, &origin).and_then(WebauthnBuilder::build);
        let webauthn = webauthn.expect("a relying party");
        let authenticator = SoftwareAuthenticator::new();
        let begun = webauthn.start_passkey_registration(Uuid::nil(), "alice", "Alice", None);
        let (options, state) = begun.expect("a registration");
        let options = serde_json::to_string(&options.public_key).expect("JSON");
        let created = authenticator.create(PASSKEY_ORIGIN, &options).expect("a passkey");
        let created = serde_json::from_str(&created).expect("JSON");
        let passkey = webauthn.finish_passkey_registration(&created, &state);
        let passkey = passkey.expect("it is registered");
        let database = bare_database(folder, "bare.db").await;
        let row = "x".repeat(record_length(folder).await);
        Self { webauthn, authenticator, passkey, database, row }
    }

    async fn run(&mut self) -> Duration {
        let begun = self.webauthn.start_passkey_authentication(std::slice::from_ref(&self.passkey));
        let (options, state) = begun.expect("a ceremony");
        let options = serde_json::to_string(&options.public_key).expect("JSON");
        let answer = self.authenticator.get(PASSKEY_ORIGIN, &options).expect("an assertion");
        let answer = serde_json::from_str(&answer).expect("JSON");
        let began = Instant::now();
        let verified = self.webauthn.finish_passkey_authentication(&answer, &state);
        verified.expect("it holds");
        let verified = began.elapsed();
        verified + insert(&mut self.database, &self.row).await
    }
}

async fn record_length(folder: &Path) -> usize {
    let options = SqliteConnectOptions::new().filename(folder.join("portal.db")).read_only(true);
    let mut database = options.connect().await.expect("the service has a database");
    let length: i64 = sqlx::query_scalar("SELECT length(record) FROM enclave_clients")
        .fetch_one(&mut database)
        .await
        .expect("a length");
    usize::try_from(length).expect("a length")
}

/// A page of the app's, and the authenticator behind it.
#[derive(Debug)]
struct Page(SoftwareAuthenticator);

#[async_trait]
impl Ceremony for Page {
    async fn support(&self) -> Support {
        Support::WithoutPrf
    }

    async fn create(&self, options: &CreateOptions) -> Result<Created, CeremonyError> {
        let answer = self.0.create(PASSKEY_ORIGIN, &options.to_json());
        Created::from_json(&answer.map_err(declined)?)
    }

    async fn get(&self, options: &GetOptions) -> Result<Assertion, CeremonyError> {
        let answer = self.0.get(PASSKEY_ORIGIN, &options.to_json());
        Assertion::from_json(&answer.map_err(declined)?)
    }
}

fn declined(_: Refusal) -> CeremonyError {
    CeremonyError::Cancelled
}
