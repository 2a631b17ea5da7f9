//! Signing in by a browser that behaves like the page `callback.html`, and the page itself.

use std::{collections::BTreeMap, process::Command, sync::Arc, time::Duration};

use backup_core::{ErrorKind, KeyStore, Result, async_trait};
use backup_methods_icloud::{Browser, BrowserSignIn, MemoryTokens, SignIn};
use backup_testkit::{LogCapture, Secrets};
use reqwest::{Client, Url, header::LOCATION, redirect::Policy};

use crate::common::{ALICE, World};

const PAGE: &str = "https://wallet.example/icloud";

type Parameters = BTreeMap<String, String>;

fn parameters(text: &str) -> Parameters {
    let url = Url::parse(&format!("http://h/?{text}")).unwrap();
    url.query_pairs().into_owned().collect()
}

async fn post(kept: &Parameters, form: &[(&str, &str)]) {
    let mut body = Url::parse("http://h/").unwrap();
    body.query_pairs_mut().extend_pairs(form);
    let url = format!("http://127.0.0.1:{}/", kept["port"]);
    let request = Client::new().post(url).body(body.query().unwrap().to_owned());
    // What is not taken is refused, and a port that is closed answers nothing.
    let _ = request.send().await;
}

/// What the page brings to the port after the user signed in on Apple's page.
async fn signs_in(kept: &Parameters) {
    let page = format!("{}&account={ALICE}", kept["page"]);
    let browser = Client::builder().redirect(Policy::none()).build().unwrap();
    let answer = browser.get(page).send().await.unwrap();
    let back = Url::parse(answer.headers()[LOCATION].to_str().unwrap()).unwrap();
    assert!(back.as_str().starts_with(PAGE), "{back}");
    // As the page does, and as `callback.mjs` shows.
    let token = parameters(back.query().unwrap())["ckWebAuthToken"].replace(' ', "+");
    post(kept, &[("state", &kept["state"]), ("ckWebAuthToken", &token)]).await;
}

/// A user who signs in, with another page open that knows the port.
#[derive(Debug)]
struct Haunted {
    /// A token of somebody else's.
    stolen: String,
}

#[async_trait]
impl Browser for Haunted {
    async fn open(&self, url: &str) -> Result<()> {
        let url = Url::parse(url).unwrap();
        assert_eq!(url.as_str().split('#').next(), Some(PAGE));
        let kept = parameters(url.fragment().unwrap());
        let stolen = self.stolen.clone();
        tokio::spawn(async move {
            post(&kept, &[("ckWebAuthToken", &stolen)]).await;
            post(&kept, &[("ckWebAuthToken", &stolen), ("state", "guessed")]).await;
            signs_in(&kept).await;
        });
        Ok(())
    }
}

#[tokio::test]
async fn who_signs_in_by_the_browser_backs_up_into_their_own_icloud() {
    let logs = LogCapture::start();
    let world = World::new();
    world.icloud.set_callback(PAGE);
    let browser = Haunted { stolen: world.icloud.token("mallory") };
    let sign_in = BrowserSignIn::new(PAGE, Arc::new(browser)).unwrap();
    let store = world.store_with(Arc::new(MemoryTokens::default()), Arc::new(sign_in));
    let (name, kept) = world.put(&store).await;
    assert_eq!(store.get(&world.op(), &name).await.unwrap(), kept);
    let records = world.icloud.records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].account, ALICE, "the key is in the iCloud of another page's owner");
    let mut secrets = Secrets::new();
    for token in world.icloud.issued_tokens() {
        secrets = secrets.with_text(&token);
    }
    secrets.assert_absent(logs.text(), "a log");
}

/// A user who looks at the page and does nothing.
#[derive(Debug)]
struct Away;

#[async_trait]
impl Browser for Away {
    async fn open(&self, _: &str) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn nobody_is_waited_for_without_end() {
    let sign_in = BrowserSignIn::new(PAGE, Arc::new(Away)).unwrap();
    let sign_in = sign_in.with_time_limit(Duration::from_millis(100));
    let error = sign_in.sign_in("https://idmsa.apple.com/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[test]
fn the_page_is_reached_by_tls_or_on_this_machine() {
    for page in ["http://wallet.example", "file:///callback.html", "callback.html"] {
        let error = BrowserSignIn::new(page, Arc::new(Away)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{page}");
    }
    BrowserSignIn::new("http://127.0.0.1:8080/callback.html", Arc::new(Away)).unwrap();
}

#[test]
fn the_page_hands_on_the_token_of_its_own_sign_in_and_no_other() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/callback.mjs");
    let output = Command::new("node").arg(script).output().expect("Node runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(output.stdout, b"as it should be\n");
}
