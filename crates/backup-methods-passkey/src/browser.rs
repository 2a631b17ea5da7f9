//! Ceremonies in the system's browser, for programs that are none: command lines and desktop apps.

use std::{fmt, sync::Arc, time::Duration};

use backup_cloud::{Brought, Browser, By, Closing, Loopback, server};
use backup_core::{
    Error, Result, async_trait,
    secrecy::{ExposeSecret, SecretSlice},
};
use reqwest::Url;

use crate::{
    Assertion, Ceremony, CeremonyError, CreateOptions, Created, GetOptions, Support, base64url,
    handed_over::HandOverKey,
};

/// Runs ceremonies on a page that the system's browser opens.
///
/// The page is that of an enclave (`enclave::page`), on an origin of the relying party. What is
/// asked goes there in the fragment of the address, which no server sees. The answer comes back in
/// a form that the page posts to a port of this computer, encrypted to a key that is made for this
/// one ceremony (HPKE, RFC 9180): it stands in no address and in no history, and what else listens
/// on this computer cannot read it.
///
/// The page is trusted with the answer, and of [`PasskeyPrf`](crate::PasskeyPrf) that holds the
/// output of the PRF.
pub struct BrowserCeremony {
    page: Url,
    browser: Arc<dyn Browser>,
    time_limit: Duration,
}

impl BrowserCeremony {
    /// On the page of the enclave at `address`, `https://…`, opened by `browser`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](backup_core::ErrorKind::InvalidInput) if `address` is neither
    /// one of HTTPS nor of this machine.
    pub fn new(address: &str, browser: Arc<dyn Browser>) -> Result<Self> {
        let mut page = server(address)?;
        page.set_path(&format!("{}/passkeys/ceremony", page.path().trim_end_matches('/')));
        Ok(Self { page, browser, time_limit: Duration::from_secs(5 * 60) })
    }

    /// Lets the user take this long, instead of five minutes.
    #[must_use]
    pub fn with_time_limit(self, time_limit: Duration) -> Self {
        Self { time_limit, ..self }
    }

    async fn run(&self, kind: &str, options: &str) -> Result<SecretSlice<u8>, CeremonyError> {
        let loopback = Loopback::bind(By::Form, CLOSING).await.map_err(failed)?;
        let key = HandOverKey::generate().map_err(failed)?;
        let fragment = form_urlencoded::Serializer::new(String::new())
            .append_pair("kind", kind)
            .append_pair("port", &loopback.port().to_string())
            .append_pair("state", loopback.state())
            .append_pair("recipient", &base64url::encode(&key.recipient()))
            .append_pair("options", options)
            .finish();
        let mut url = self.page.clone();
        url.set_fragment(Some(&fragment));
        let state = loopback.state().to_owned();
        self.browser.open(url.as_str()).await.map_err(failed)?;
        let find = |brought: &Brought| brought.only("answer").map(Ok);
        let answer = loopback.wait(find, self.time_limit).await;
        let answer = answer.map_err(|_| CeremonyError::TimedOut)?;
        match answer.split_once('.') {
            Some(("sealed", sealed)) => key.open(kind, &state, sealed).ok_or_else(unreadable),
            Some(("error", name)) => Err(refused(name)),
            _ => Err(unreadable()),
        }
    }
}

#[async_trait]
impl Ceremony for BrowserCeremony {
    /// Which browser it will be, and what it can do, is not known before it is there.
    async fn support(&self) -> Support {
        Support::Prf
    }

    async fn create(&self, options: &CreateOptions) -> Result<Created, CeremonyError> {
        Created::from_json(text(&self.run("create", &options.to_json()).await?)?)
    }

    async fn get(&self, options: &GetOptions) -> Result<Assertion, CeremonyError> {
        Assertion::from_json(text(&self.run("get", &options.to_json()).await?)?)
    }
}

impl fmt::Debug for BrowserCeremony {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrowserCeremony").field("page", &self.page.as_str()).finish_non_exhaustive()
    }
}

/// A `DOMException` by its name.
fn refused(name: &str) -> CeremonyError {
    match name {
        "NotAllowedError" => CeremonyError::Cancelled,
        "NotSupportedError" => CeremonyError::Unsupported,
        "SecurityError" => CeremonyError::Failed(
            "the page for the passkey is not of the domain that passkeys are for; the app or the \
             service is set up wrongly"
                .into(),
        ),
        _ => CeremonyError::Failed("the browser could not ask for the passkey; try again".into()),
    }
}

fn text(answer: &SecretSlice<u8>) -> Result<&str, CeremonyError> {
    str::from_utf8(answer.expose_secret()).map_err(|_| unreadable())
}

fn unreadable() -> CeremonyError {
    CeremonyError::Failed("what came back is not from the page of this ceremony; try again".into())
}

/// What the system did not give: a port, randomness, a browser.
#[expect(clippy::needless_pass_by_value, reason = "the signature of `map_err`")]
fn failed(error: Error) -> CeremonyError {
    CeremonyError::Failed(error.to_string().into())
}

/// What the browser shows when the answer is here.
const CLOSING: Closing = Closing {
    done: "Thank you. Close this page and go back to the app.",
    failed: "Nothing was done. Close this page and go back to the app.",
};
