//! A page that runs ceremonies, and a client who backs up with them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use backup_core::{ErrorKind, async_trait};
use backup_methods_passkey::{
    Account, Assertion, Ceremony, CeremonyError, CreateOptions, Created, GetOptions, PasskeyPrf,
    RelyingParty, Support,
};
use backup_testkit::{
    Client, PromptCounter,
    passkey::{PasskeyFault, Refusal, SoftwareAuthenticator},
    yield_now,
};

pub(crate) const ORIGIN: &str = "https://wallet.example.com";

/// A page of the app's: it hands JSON to the browser, and back.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// Which authenticator answers, one after another; the last one again and again.
    devices: Arc<Mutex<VecDeque<SoftwareAuthenticator>>>,
    support: Support,
    pub(crate) ceremonies: PromptCounter,
}

impl Page {
    pub(crate) fn with(devices: impl IntoIterator<Item = SoftwareAuthenticator>) -> Self {
        Self {
            devices: Arc::new(Mutex::new(devices.into_iter().collect())),
            support: Support::Prf,
            ceremonies: PromptCounter::new(),
        }
    }

    pub(crate) fn supporting(self, support: Support) -> Self {
        Self { support, ..self }
    }

    pub(crate) fn counted_by(self, ceremonies: &PromptCounter) -> Self {
        Self { ceremonies: ceremonies.clone(), ..self }
    }

    /// The method on this page.
    pub(crate) fn method(&self) -> PasskeyPrf {
        PasskeyPrf::new(self.clone(), acme(), alice())
    }

    fn next_device(&self) -> SoftwareAuthenticator {
        let mut devices = self.devices.lock().unwrap();
        if devices.len() > 1 { devices.pop_front() } else { devices.front().cloned() }.unwrap()
    }
}

#[async_trait]
impl Ceremony for Page {
    async fn support(&self) -> Support {
        self.support
    }

    async fn create(&self, options: &CreateOptions) -> Result<Created, CeremonyError> {
        self.ceremonies.add();
        yield_now().await;
        let answer = self.next_device().create(ORIGIN, &options.to_json());
        Created::from_json(&answer.map_err(refused)?)
    }

    async fn get(&self, options: &GetOptions) -> Result<Assertion, CeremonyError> {
        self.ceremonies.add();
        yield_now().await;
        let answer = self.next_device().get(ORIGIN, &options.to_json());
        Assertion::from_json(&answer.map_err(refused)?)
    }
}

/// As the README maps a browser's exceptions.
#[expect(clippy::needless_pass_by_value, reason = "the signature of `map_err`")]
fn refused(refusal: Refusal) -> CeremonyError {
    match refusal.name {
        "NotAllowedError" => CeremonyError::Cancelled,
        "NotSupportedError" => CeremonyError::Unsupported,
        name => CeremonyError::Failed(name.into()),
    }
}

pub(crate) fn acme() -> RelyingParty {
    RelyingParty::new("example.com", "Acme").unwrap()
}

pub(crate) fn alice() -> Account {
    Account::new("alice@example.com", "Alice")
}

/// A device, and the page on it.
pub(crate) fn device() -> (SoftwareAuthenticator, Page) {
    let device = SoftwareAuthenticator::new();
    (device.clone(), Page::with([device]))
}

/// The page on a device of the same passkeys that has something wrong with it.
pub(crate) fn faulty(device: &SoftwareAuthenticator, fault: PasskeyFault) -> Page {
    Page::with([device.with_fault(fault)])
}

/// The kind and the text of the error with which `page` does not enroll.
pub(crate) fn enroll_error(page: &Page) -> (ErrorKind, String) {
    let client = Client::new();
    let error = block_on(client.back_up(&page.method())).unwrap_err();
    (error.kind(), error.to_string())
}

pub(crate) use futures_executor::block_on;
