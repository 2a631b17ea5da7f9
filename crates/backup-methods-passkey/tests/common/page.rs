//! A page that runs ceremonies with software authenticators.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use backup_core::async_trait;
use backup_methods_passkey::{
    Assertion, Ceremony, CeremonyError, CreateOptions, Created, GetOptions, Support,
};
use backup_testkit::{
    PromptCounter,
    passkey::{Refusal, SoftwareAuthenticator},
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
