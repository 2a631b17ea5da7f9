//! Signing in at a real authorization server, oidc-provider, by a user who clicks through its
//! pages.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use backup_core::{
    DataKey, Error, ErrorKind, KeyStore, Result, async_trait,
    secrecy::{ExposeSecret, SecretString},
};
use backup_methods_gdrive::{
    AuthServer, Browser, CodeDisplay, DeviceCode, DriveProblem, DriveStore, GoogleSignIn,
    OAuthClient, Place, Scope, TokenFile, TokenSource, TokenStore,
};
use backup_testkit::{LogCapture, Secrets, drive::APP_DATA};
use tempfile::TempDir;

use crate::{
    common::{ALICE, APP, World},
    node::node,
};

/// The server, for as long as this lives.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start() -> Self {
        let mut command = node("oauth_server.cjs");
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Node runs");
        let mut port = String::new();
        let output = process.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut port).unwrap();
        Self { process, url: format!("http://127.0.0.1:{}", port.trim()) }
    }

    fn client(&self, id: &str) -> OAuthClient {
        let [authorize, device, token] =
            ["authorize", "device/code", "token"].map(|path| format!("{}/{path}", self.url));
        let server = AuthServer::new(&authorize, &device, &token).unwrap();
        OAuthClient::new(id).at(server)
    }

    fn desktop(&self, kept: &Arc<Kept>, browser: impl Browser + 'static) -> GoogleSignIn {
        let client = self.client("desktop").with_secret("not-a-secret".to_owned());
        GoogleSignIn::with_browser(client, kept.clone(), Arc::new(browser)).unwrap()
    }

    fn tv(&self, kept: &Arc<Kept>, display: impl CodeDisplay + 'static) -> GoogleSignIn {
        GoogleSignIn::with_code(self.client("tv"), kept.clone(), Arc::new(display)).unwrap()
    }

    /// The user takes back what they agreed to.
    async fn withdraw(&self, token: &SecretString) {
        let form =
            format!("client_id=desktop&client_secret=not-a-secret&token={}", token.expose_secret());
        let request = reqwest::Client::new().post(format!("{}/revoke", self.url)).body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        assert!(request.send().await.unwrap().status().is_success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A token file.
#[derive(Debug)]
struct Kept {
    file: TokenFile,
    _folder: TempDir,
}

impl Kept {
    fn new() -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        let file = TokenFile::google(folder.path().join("google"), DataKey::generate().unwrap());
        Arc::new(Self { file, _folder: folder })
    }
}

#[async_trait]
impl TokenStore for Kept {
    async fn load(&self) -> Result<Option<SecretString>> {
        self.file.load().await
    }

    async fn save(&self, token: &SecretString) -> Result<()> {
        self.file.save(token).await
    }

    async fn clear(&self) -> Result<()> {
        self.file.clear().await
    }
}

/// A user who does this with the pages that are shown to them.
#[derive(Debug)]
struct User {
    answer: &'static str,
    saw: Arc<Mutex<Vec<String>>>,
}

impl User {
    fn who(answer: &'static str) -> Self {
        Self { answer, saw: Arc::default() }
    }

    fn visits(&self, address: &str, code: Option<&str>) {
        self.saw.lock().unwrap().push(address.to_owned());
        let mut user = node("oauth_user.cjs");
        user.arg(self.answer).arg(address).args(code).stdin(Stdio::null()).stdout(Stdio::null());
        let mut user = user.spawn().expect("Node runs");
        std::thread::spawn(move || user.wait());
    }
}

#[async_trait]
impl Browser for User {
    async fn open(&self, url: &str) -> Result<()> {
        self.visits(url, None);
        Ok(())
    }
}

#[async_trait]
impl CodeDisplay for User {
    async fn show(&self, code: &DeviceCode) -> Result<()> {
        self.visits(&code.verification_uri, Some(&code.user_code));
        Ok(())
    }
}

/// A user who is not to be asked.
#[derive(Debug)]
struct Nobody;

#[async_trait]
impl Browser for Nobody {
    async fn open(&self, _: &str) -> Result<()> {
        Err(Error::new(ErrorKind::Cancelled, "nobody is to be asked"))
    }
}

#[async_trait]
impl CodeDisplay for Nobody {
    async fn show(&self, _: &DeviceCode) -> Result<()> {
        Err(Error::new(ErrorKind::Cancelled, "nobody is to be asked"))
    }
}

fn signs_in_again(error: &Error) -> bool {
    DriveProblem::of(error) == Some(&DriveProblem::SignInNeeded)
}

#[tokio::test]
async fn who_agrees_in_the_browser_is_signed_in_until_they_withdraw() {
    let logs = LogCapture::start();
    let (server, kept, user) = (Server::start(), Kept::new(), User::who("agree"));
    let saw = user.saw.clone();
    let source = server.desktop(&kept, user);
    assert!(signs_in_again(&source.token(Scope::AppData).await.unwrap_err()));
    let first = source.sign_in(Scope::AppData).await.unwrap();
    let url = saw.lock().unwrap()[0].clone();
    assert!(url.contains("code_challenge_method=S256") && url.contains("&state="), "{url}");

    // Another start of the app, without the user. The token is good for less than a minute, so
    // that each is a new one.
    let source = Arc::new(server.desktop(&kept, Nobody));
    let second = source.token(Scope::AppData).await.unwrap();
    assert_ne!(first.expose(), second.expose());
    let third = source.token(Scope::AppData).await.unwrap();
    let refresh = kept.load().await.unwrap().unwrap();
    let debug = format!("{source:?} {first:?} {refresh:?}");

    server.withdraw(&refresh).await;
    let error = source.token(Scope::AppData).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(signs_in_again(&error), "{error:?}");
    assert!(kept.load().await.unwrap().is_none(), "a token that is dead is kept");

    let mut secrets = Secrets::new().with_text(refresh.expose_secret());
    for token in [&first, &second, &third] {
        secrets = secrets.with_text(token.expose());
    }
    secrets.assert_absent(logs.text(), "a log");
    secrets.assert_absent(debug, "`Debug`");
}

#[tokio::test]
async fn a_store_signs_its_user_in_when_it_has_to() {
    let (server, kept) = (Server::start(), Kept::new());
    let world = World::new(Place::Hidden);
    let source = Arc::new(server.tv(&kept, User::who("agree")));
    let token = source.sign_in(Scope::AppData).await.unwrap();
    world.drive.accept(token.expose(), ALICE, APP, &[APP_DATA]);
    let store = DriveStore::at(world.drive.url(), source.clone(), Place::Hidden).unwrap();
    let (name, key) = world.put(&store).await;
    assert_eq!(store.get(&world.op(), &name).await.unwrap(), key);

    // Drive takes the token no more: a new one is fetched, by a refresh token that is used once.
    let used = kept.load().await.unwrap().unwrap();
    world.drive.expire(token.expose());
    let error = store.list(&world.op(), &world.prefix()).await.unwrap_err();
    assert!(signs_in_again(&error), "the double does not know the new token: {error:?}");
    let new = kept.load().await.unwrap().unwrap();
    assert_ne!(new.expose_secret(), used.expose_secret(), "a new refresh token is not kept");
    let again = server.tv(&kept, Nobody).token(Scope::AppData).await.unwrap();
    world.drive.accept(again.expose(), ALICE, APP, &[APP_DATA]);
}

#[tokio::test]
async fn who_declines_in_the_browser_or_on_the_page_for_codes_is_heard() {
    let (server, kept) = (Server::start(), Kept::new());
    let browser = server.desktop(&kept, User::who("decline"));
    let code = server.tv(&kept, User::who("decline"));
    let (browser, code) =
        tokio::join!(browser.sign_in(Scope::AppData), code.sign_in(Scope::AppData));
    assert_eq!(browser.unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(code.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(kept.load().await.unwrap().is_none());
}

/// A user whose browser has another page open, which knows the port.
#[derive(Debug)]
struct Haunted(User);

#[async_trait]
impl Browser for Haunted {
    async fn open(&self, url: &str) -> Result<()> {
        let url = reqwest::Url::parse(url).unwrap();
        let redirect = url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1;
        for query in ["code=stolen", "code=stolen&state=guessed", "error=access_denied&state=x"] {
            drop(tokio::spawn(reqwest::get(format!("{redirect}/?{query}"))));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.0.visits(url.as_str(), None);
        Ok(())
    }
}

#[tokio::test]
async fn a_page_that_knows_the_port_cannot_sign_the_user_in_elsewhere() {
    let (server, kept) = (Server::start(), Kept::new());
    let source = server.desktop(&kept, Haunted(User::who("agree")));
    source.sign_in(Scope::AppData).await.unwrap();
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
    let (server, kept) = (Server::start(), Kept::new());
    let source = server.desktop(&kept, Away).with_time_limit(Duration::from_millis(100));
    let error = source.sign_in(Scope::AppData).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[tokio::test]
async fn a_client_that_the_server_does_not_know_is_the_developers_to_mend() {
    let (server, kept) = (Server::start(), Kept::new());
    kept.save(&"token".into()).await.unwrap();
    let client = server.client("nobody");
    let source = GoogleSignIn::with_browser(client, kept.clone(), Arc::new(Nobody)).unwrap();
    let error = source.token(Scope::AppData).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(kept.load().await.unwrap().is_some(), "a mistake of the app's signs the user out");
}

#[tokio::test]
async fn an_outage_signs_nobody_out() {
    let kept = Kept::new();
    kept.save(&"token".into()).await.unwrap();
    let nowhere = "http://127.0.0.1:9/";
    let client =
        OAuthClient::new("desktop").at(AuthServer::new(nowhere, nowhere, nowhere).unwrap());
    let source = GoogleSignIn::with_browser(client, kept.clone(), Arc::new(Nobody)).unwrap();
    let error = source.token(Scope::AppData).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(kept.load().await.unwrap().is_some());
}
