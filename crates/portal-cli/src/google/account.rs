//! What a profile knows of the user's Google account: the app's OAuth client, and where keys are.

use std::sync::Arc;

use backup_core::{
    BackupMethod, DataKey, StoredKey,
    secrecy::{ExposeSecret, SecretString},
};
use backup_methods_gdrive::{DriveStore, GoogleSignIn, OAuthClient, Place, TokenFile};
use serde_json::{Value, json};

use super::{client_file::Client, code::ShownCode, place_in_words, servers::Servers};
use crate::{
    browser::Announced,
    cloud::Provider,
    failure::Failure,
    kept::{self, Kept},
    profile::{KeysPlace, Profile},
};

/// How this device asks Google for the user's Drive.
#[derive(Debug)]
pub(crate) struct Account {
    pub(super) client: Client,
    pub(super) way: Way,
    pub(crate) place: Place,
}

/// How the user signs in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Way {
    Browser,
    Code,
}

const GOOGLE: Provider = Provider {
    name: "Google",
    record: Kept { file: "google.json", made_by: "portal google sign-in --client-file FILE" },
    token: "google-token",
    token_key_info: "portal-cli google token 1",
};

impl Account {
    /// What the profile has, if anything.
    pub(crate) fn find(profile: &Profile) -> Result<Option<Self>, Failure> {
        GOOGLE.record.find(profile, Self::from_json)
    }

    /// What the profile has.
    pub(crate) fn of(profile: &Profile) -> Result<Self, Failure> {
        Self::find(profile)?.ok_or_else(|| {
            GOOGLE.nobody("FILE as Google's console gives it: the OAuth client of the app")
        })
    }

    /// Puts it into the profile, in place of what was there.
    pub(super) fn keep(&self, profile: &Profile) -> Result<(), Failure> {
        GOOGLE.record.keep(profile, &self.to_json())
    }

    /// Whoever signs the user in. What Google gives for later is in a file of the profile, under a
    /// key that is made from the device's.
    pub(super) fn sign_in(
        &self,
        profile: &Profile,
        device_key: &DataKey,
    ) -> Result<Arc<GoogleSignIn>, Failure> {
        let tokens = TokenFile::google(GOOGLE.token_of(profile), GOOGLE.token_key(device_key));
        let client = OAuthClient::new(&self.client.id);
        let client = match &self.client.secret {
            Some(secret) => client.with_secret(secret.expose_secret()),
            None => client,
        };
        let client = match Servers::for_tests()? {
            Some(servers) => client.at(servers.accounts()?),
            None => client,
        };
        let tokens = Arc::new(tokens);
        let google = match self.way {
            Way::Browser => {
                let otherwise = "sign in by a code, with --by-code";
                let browser = Announced { to_do: "Sign in to Google", otherwise };
                GoogleSignIn::with_browser(client, tokens, Arc::new(browser))
            }
            Way::Code => GoogleSignIn::with_code(client, tokens, Arc::new(ShownCode)),
        };
        Ok(Arc::new(google?))
    }

    /// The backup method of the user whom `google` signs in.
    pub(super) fn method(
        &self,
        google: Arc<GoogleSignIn>,
    ) -> Result<Arc<dyn BackupMethod>, Failure> {
        let place = self.place.clone();
        let store = match Servers::for_tests()? {
            Some(servers) => DriveStore::at(servers.drive(), google, place)?,
            None => DriveStore::new(google, place)?,
        };
        Ok(Arc::new(StoredKey::new(store)))
    }

    /// The backup method by what the profile has, if anything.
    pub(crate) fn method_of(
        profile: &Profile,
        device_key: &DataKey,
    ) -> Result<Option<Arc<dyn BackupMethod>>, Failure> {
        let Some(account) = Self::find(profile)? else { return Ok(None) };
        account.method(account.sign_in(profile, device_key)?).map(Some)
    }

    /// Where keys are kept.
    pub(crate) fn place_of_keys(&self) -> KeysPlace {
        let name = match self.place {
            Place::Folder(_) => "googleDrive",
            _ => "googleDriveHidden",
        };
        KeysPlace { name, words: place_in_words(&self.place) }
    }

    fn to_json(&self) -> Vec<u8> {
        let by = match self.way {
            Way::Browser => "browser",
            Way::Code => "code",
        };
        let folder = match &self.place {
            Place::Folder(name) => Some(name),
            _ => None,
        };
        let json = json!({
            "version": 1,
            "clientId": self.client.id,
            "clientSecret": self.client.secret.as_ref().map(SecretString::expose_secret),
            "signIn": by,
            "folder": folder,
        });
        format!("{json:#}\n").into_bytes()
    }

    fn from_json(bytes: &[u8]) -> Result<Self, &'static str> {
        let json = kept::read(bytes)?;
        let id = json["clientId"].as_str().ok_or("it names no client")?.to_owned();
        let secret = match &json["clientSecret"] {
            Value::Null => None,
            secret => Some(secret.as_str().ok_or("the client's secret is no text")?.into()),
        };
        let way = match json["signIn"].as_str() {
            Some("browser") => Way::Browser,
            Some("code") => Way::Code,
            _ => return Err("it does not say how to sign in"),
        };
        let place = match json.get("folder") {
            Some(Value::Null) => Place::Hidden,
            Some(Value::String(name)) => Place::Folder(folder_name(name)?),
            _ => return Err("it does not say where keys are"),
        };
        Ok(Self { client: Client { id, secret }, way, place })
    }
}

/// A name that a user can tell from others in a list.
pub(super) fn folder_name(name: &str) -> Result<String, &'static str> {
    let is_trimmed = name.trim() == name && !name.is_empty();
    if !is_trimmed || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(
            "a folder's name is 1 to 100 characters, without line ends or spaces around it",
        );
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(secret: Option<&str>, way: Way, place: Place) -> Account {
        let client = Client { id: "1234.apps".to_owned(), secret: secret.map(Into::into) };
        Account { client, way, place }
    }

    #[test]
    fn an_account_is_read_as_it_was_written_and_nothing_else_is() {
        let folder = || Place::Folder("Wallet's backup".to_owned());
        for account in [
            account(None, Way::Code, Place::Hidden),
            account(Some("GOCSPX"), Way::Browser, folder()),
        ] {
            let json = account.to_json();
            let read = Account::from_json(&json).unwrap();
            assert_eq!(read.to_json(), json);
            let text = String::from_utf8(json).unwrap();
            for (from, to) in [
                ("\"version\": 1", "\"version\": 2"),
                ("clientId", "id"),
                ("signIn", "by"),
                ("folder", "place"),
                ("{", ""),
            ] {
                let changed = text.replacen(from, to, 1);
                assert!(Account::from_json(changed.as_bytes()).is_err(), "{from}");
            }
        }
    }

    #[test]
    fn the_key_of_the_token_is_what_the_format_says() {
        let key = GOOGLE.token_key(&DataKey::copied_from(&[0x11; 32]));
        let expected = "3c646a9caec6d6fc3307e3feea996bbc05ec4f7c2541f30675a87474ed94523b";
        assert_eq!(base16ct::lower::encode_string(key.expose()), expected);
    }

    #[test]
    fn no_secret_is_in_debug() {
        let account = account(Some("GOCSPX"), Way::Browser, Place::Hidden);
        assert!(!format!("{account:?}").contains("GOCSPX"));
    }
}
