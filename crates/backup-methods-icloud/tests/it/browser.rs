//! The page `callback.html` in a real browser, Chromium, with a user who signs in and others who
//! would like to sign them in elsewhere.
#![cfg(target_os = "linux")]

use std::{
    process::{Child, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use backup_core::{KeyStore, Result, async_trait};
use backup_methods_icloud::{Browser, BrowserSignIn, MemoryTokens, SignIn, WebAuthToken};
use tokio::time::timeout;

use crate::{
    common::{ALICE, World},
    node::node,
};

const PAGE: &str = "https://wallet.example/icloud";
/// Where the double's page for signing in stands, as far as the browser knows.
const APPLE: &str = "https://idmsa.apple.com";

/// A user with Chromium; `icloud_browser.cjs` says what they do, and what others try meanwhile.
#[derive(Clone, Debug)]
struct Chromium {
    icloud: String,
    process: Arc<Mutex<Option<Child>>>,
}

#[async_trait]
impl Browser for Chromium {
    async fn open(&self, url: &str) -> Result<()> {
        let mut command = node("icloud_browser.cjs");
        let browser = command.args([ALICE, url, &self.icloud]).stderr(Stdio::piped()).spawn();
        *self.process.lock().unwrap() = Some(browser.unwrap());
        Ok(())
    }
}

/// Signs in at Apple's address instead of the double's.
#[derive(Debug)]
struct AtApple {
    icloud: String,
    sign_in: BrowserSignIn,
}

#[async_trait]
impl SignIn for AtApple {
    async fn sign_in(&self, page: &str) -> Result<WebAuthToken> {
        self.sign_in.sign_in(&page.replace(&self.icloud, APPLE)).await
    }
}

#[tokio::test]
async fn chromium_hands_on_the_token_of_its_own_sign_in_and_no_other() {
    let world = World::new();
    world.icloud.set_callback(PAGE);
    let icloud = world.icloud.url().to_owned();
    let chromium = Chromium { icloud: icloud.clone(), process: Arc::default() };
    let sign_in = BrowserSignIn::new(PAGE, Arc::new(chromium.clone())).unwrap();
    let at_apple = Arc::new(AtApple { icloud, sign_in });
    let store = world.store_with(Arc::new(MemoryTokens::default()), at_apple);
    let put = timeout(Duration::from_secs(60), world.put(&store)).await;
    let browser = chromium.process.lock().unwrap().take().unwrap();
    let browser = browser.wait_with_output().unwrap();
    assert!(browser.status.success(), "{}", String::from_utf8_lossy(&browser.stderr));
    let (name, kept) = put.unwrap();
    assert_eq!(store.get(&world.op(), &name).await.unwrap(), kept);
    assert_eq!(world.icloud.records()[0].account, ALICE);
}
