//! What a profile knows of the user's Apple Account: the app's container, and who the user is
//! there.

use std::sync::Arc;

use backup_cloud::{MemoryTokens, TokenFile, TokenStore};
use backup_core::{
    BackupMethod, DataKey, Operation, StoredKey,
    secrecy::{ExposeSecret, SecretString},
};
use backup_methods_icloud::{BrowserSignIn, Container, ICloudStore};
use serde_json::json;

use super::Environment;
use crate::{
    browser::Announced,
    cloud::{Provider, test_server, warn_of_test_server},
    failure::Failure,
    kept::{self, Kept},
    profile::{KeysPlace, Profile},
};

/// Who is signed in, and to what.
#[derive(Debug)]
pub(crate) struct Account {
    pub(super) app: App,
    /// The user's record name: the same on all devices, and no name of a person.
    pub(super) user: String,
}

/// The app, as Apple knows it.
#[derive(Debug)]
pub(super) struct App {
    pub(super) container: String,
    pub(super) environment: Environment,
    /// It is in every copy of an app.
    pub(super) api_token: SecretString,
    /// Where `callback.html` is.
    pub(super) page: String,
}

/// Somebody who signed in, and is not in the profile yet.
pub(super) struct SignedIn {
    account: Account,
    tokens: Arc<MemoryTokens>,
}

const ICLOUD: Provider = Provider {
    name: "iCloud",
    record: Kept {
        file: "icloud.json",
        made_by: "portal icloud sign-in --container ID --api-token-file FILE --page URL",
    },
    token: "icloud-token",
    token_key_info: "portal-cli icloud token 1",
};

const SERVER: &str = "PORTAL_TEST_ICLOUD";

impl App {
    pub(super) fn container(&self) -> Result<Container, Failure> {
        let environment = match self.environment {
            Environment::Development => backup_methods_icloud::Environment::Development,
            Environment::Production => backup_methods_icloud::Environment::Production,
        };
        let api_token = self.api_token.expose_secret();
        let container = Container::new(&self.container, environment, api_token)?;
        let Some(server) = test_server(SERVER)? else { return Ok(container) };
        warn_of_test_server(ICLOUD.name, &server);
        Ok(container.at(&server)?)
    }

    pub(super) fn browser(&self) -> Result<BrowserSignIn, Failure> {
        let otherwise = "use a device that has one, or another method";
        let browser = Announced { to_do: "Sign in to iCloud", otherwise };
        Ok(BrowserSignIn::new(&self.page, Arc::new(browser))?)
    }

    fn store(&self, tokens: Arc<dyn TokenStore>) -> Result<ICloudStore, Failure> {
        Ok(ICloudStore::new(self.container()?, tokens, Arc::new(self.browser()?))?)
    }

    /// Asks the user, whoever may be signed in already.
    pub(super) async fn sign_in(self, op: &Operation<'_>) -> Result<SignedIn, Failure> {
        let tokens = Arc::new(MemoryTokens::default());
        let user = self.store(tokens.clone())?.sign_in(op).await?;
        Ok(SignedIn { account: Account { app: self, user }, tokens })
    }
}

impl SignedIn {
    /// Puts them into the profile, in place of whoever was there. The token goes first: one of
    /// another account or container than the record's is refused, and costs signing in again.
    pub(super) async fn keep(
        self,
        profile: &Profile,
        device_key: &DataKey,
    ) -> Result<Account, Failure> {
        if let Some(token) = self.tokens.load().await? {
            token_file(profile, device_key).save(&token).await?;
        }
        ICLOUD.record.keep(profile, &self.account.to_json())?;
        Ok(self.account)
    }
}

/// Forgets what Apple gave. The rest of the record is no secret, and the next sign-in needs it.
pub(super) async fn forget(profile: &Profile, device_key: &DataKey) -> Result<(), Failure> {
    Ok(token_file(profile, device_key).clear().await?)
}

fn token_file(profile: &Profile, device_key: &DataKey) -> TokenFile {
    TokenFile::icloud(ICLOUD.token_of(profile), ICLOUD.token_key(device_key))
}

impl Account {
    /// What the profile has, if anything.
    pub(crate) fn find(profile: &Profile) -> Result<Option<Self>, Failure> {
        ICLOUD.record.find(profile, Self::from_json)
    }

    /// What the profile has.
    pub(crate) fn of(profile: &Profile) -> Result<Self, Failure> {
        Self::find(profile)?.ok_or_else(|| {
            ICLOUD.nobody("the app's container and API token as Apple's developer site has them")
        })
    }

    /// The backup method by what the profile has, if anything.
    pub(crate) fn method_of(
        profile: &Profile,
        device_key: &DataKey,
    ) -> Result<Option<Arc<dyn BackupMethod>>, Failure> {
        let Some(account) = Self::find(profile)? else { return Ok(None) };
        let store = account.app.store(Arc::new(token_file(profile, device_key)))?;
        Ok(Some(Arc::new(StoredKey::new(store.of_user(account.user)?))))
    }

    /// Whether keys are in the same place.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        let place = |account: &Self| (account.app.container.clone(), account.app.environment);
        place(self) == place(other) && self.user == other.user
    }

    /// Where keys are kept.
    pub(crate) fn place_of_keys(&self) -> KeysPlace {
        let words = format!("your iCloud, in {}", self.app.container);
        KeysPlace { name: "iCloud", words }
    }

    fn to_json(&self) -> Vec<u8> {
        let environment = match self.app.environment {
            Environment::Development => "development",
            Environment::Production => "production",
        };
        let json = json!({
            "version": 1,
            "container": self.app.container,
            "environment": environment,
            "apiToken": self.app.api_token.expose_secret(),
            "page": self.app.page,
            "user": self.user,
        });
        format!("{json:#}\n").into_bytes()
    }

    fn from_json(bytes: &[u8]) -> Result<Self, &'static str> {
        let json = kept::read(bytes)?;
        let text = |name: &str| json[name].as_str().map(str::to_owned).ok_or("a field is missing");
        let environment = match json["environment"].as_str() {
            Some("development") => Environment::Development,
            Some("production") => Environment::Production,
            _ => return Err("it does not say which environment"),
        };
        let api_token = SecretString::from(text("apiToken")?);
        let app =
            App { container: text("container")?, environment, api_token, page: text("page")? };
        Ok(Self { app, user: text("user")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(environment: Environment) -> Account {
        let (container, page) = ("iCloud.com.example".to_owned(), "https://a.example/c".to_owned());
        let app = App { container, environment, api_token: "5f0c".into(), page };
        Account { app, user: "_1".to_owned() }
    }

    #[test]
    fn an_account_is_read_as_it_was_written_and_nothing_else_is() {
        for environment in [Environment::Development, Environment::Production] {
            let json = account(environment).to_json();
            assert_eq!(Account::from_json(&json).unwrap().to_json(), json);
            let text = String::from_utf8(json).unwrap();
            for (from, to) in [
                ("\"version\": 1", "\"version\": 2"),
                ("container", "app"),
                ("environment", "half"),
                ("apiToken", "token"),
                ("page", "address"),
                ("user", "who"),
                ("{", ""),
            ] {
                let changed = text.replacen(from, to, 1);
                assert!(Account::from_json(changed.as_bytes()).is_err(), "{from}");
            }
        }
    }

    #[test]
    fn the_key_of_the_token_is_what_the_format_says() {
        let key = ICLOUD.token_key(&DataKey::copied_from(&[0x11; 32]));
        let expected = "08f318b7ce3e9e8e17557d4b9cd170f95774c3ebbe96d4bb7a203520efb465d7";
        assert_eq!(base16ct::lower::encode_string(key.expose()), expected);
    }

    #[test]
    fn no_secret_is_in_debug() {
        assert!(!format!("{:?}", account(Environment::Production)).contains("5f0c"));
    }
}
