//! What a profile knows of the user's passkeys: for which domain they are, and who asks for them.

use std::sync::Arc;

use backup_core::{BackupMethod, secrecy::SecretString};
use backup_methods_passkey::{Account, BrowserCeremony, PasskeyEnclave, PasskeyPrf, RelyingParty};
use portal_client::ApiKey;
use serde_json::json;

use crate::{
    browser::Announced,
    failure::{Failure, Kind},
    kept::{self, Kept},
    profile::{KeysPlace, Profile},
};

/// How this device asks for passkeys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SetUp {
    /// The address of the service that keeps keys.
    pub(super) enclave: String,
    /// The address of the service whose page asks for the passkey, in the user's browser.
    pub(super) page: String,
    pub(super) relying_party: RelyingParty,
    /// How a new passkey is called.
    pub(super) account: String,
}

const PASSKEYS: Kept = Kept { file: "passkeys.json", made_by: "portal passkey set-up" };

impl SetUp {
    /// What the profile has, if anything.
    pub(crate) fn find(profile: &Profile) -> Result<Option<Self>, Failure> {
        PASSKEYS.find(profile, Self::from_json)
    }

    /// What the profile has.
    pub(crate) fn of(profile: &Profile) -> Result<Self, Failure> {
        Self::find(profile)?.ok_or_else(|| {
            let message = format!(
                "this profile does not know where passkeys are asked for; begin with `{}`",
                PASSKEYS.made_by
            );
            Failure::new(Kind::State, message)
        })
    }

    /// Puts it into the profile, in place of what was there.
    pub(super) fn keep(&self, profile: &Profile) -> Result<(), Failure> {
        PASSKEYS.keep(profile, &self.to_json())
    }

    /// The backup methods by what the profile has, if anything.
    pub(crate) fn methods_of(
        profile: &Profile,
        key: &ApiKey,
    ) -> Result<Vec<Arc<dyn BackupMethod>>, Failure> {
        let Some(set_up) = Self::find(profile)? else { return Ok(Vec::new()) };
        Ok(vec![Arc::new(set_up.enclave(key)?), Arc::new(set_up.prf()?)])
    }

    /// The method whose keys the service keeps.
    pub(super) fn enclave(&self, key: &ApiKey) -> Result<PasskeyEnclave, Failure> {
        let key = SecretString::from(key.expose());
        let relying_party = self.relying_party.clone();
        let method = PasskeyEnclave::new(self.ceremony()?, relying_party, &self.enclave, key)?;
        Ok(method.with_passkey_name(&self.account))
    }

    /// The method without a server.
    fn prf(&self) -> Result<PasskeyPrf, Failure> {
        let account = Account::new(&self.account, &self.account);
        Ok(PasskeyPrf::new(self.ceremony()?, self.relying_party.clone(), account))
    }

    fn ceremony(&self) -> Result<BrowserCeremony, Failure> {
        let browser = Announced {
            to_do: "Confirm with a passkey",
            otherwise: "use a device that has one, or another method",
        };
        Ok(BrowserCeremony::new(&self.page, Arc::new(browser))?)
    }

    /// Where keys are kept.
    pub(crate) fn place_of_keys(&self) -> KeysPlace {
        KeysPlace { name: "passkeyService", words: format!("the passkey service {}", self.enclave) }
    }

    fn to_json(&self) -> Vec<u8> {
        let json = json!({
            "version": 1,
            "enclave": self.enclave,
            "page": self.page,
            "domain": self.relying_party.id(),
            "name": self.relying_party.name(),
            "account": self.account,
        });
        format!("{json:#}\n").into_bytes()
    }

    fn from_json(bytes: &[u8]) -> Result<Self, &'static str> {
        let json = kept::read(bytes)?;
        let text = |name: &str| json[name].as_str().map(str::to_owned).ok_or("a field is missing");
        let relying_party = RelyingParty::new(text("domain")?, text("name")?)
            .map_err(|_| "what passkeys belong to is no domain")?;
        let (enclave, page) = (text("enclave")?, text("page")?);
        Ok(Self { enclave, page, relying_party, account: text("account")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_up_is_read_as_it_was_written_and_nothing_else_is() {
        let set_up = SetUp {
            enclave: "https://passkeys.example.com".to_owned(),
            page: "https://wallet.example.com".to_owned(),
            relying_party: RelyingParty::new("example.com", "Acme").unwrap(),
            account: "Alice's phone".to_owned(),
        };
        let json = set_up.to_json();
        assert_eq!(SetUp::from_json(&json).unwrap(), set_up);
        let text = String::from_utf8(json).unwrap();
        for (from, to) in [
            ("\"version\": 1", "\"version\": 2"),
            ("\"example.com\"", "\"https://example.com\""),
            ("enclave\":", "service\":"),
            ("page", "at"),
            ("domain", "host"),
            ("name", "called"),
            ("account", "user"),
            ("{", ""),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            assert!(SetUp::from_json(changed.as_bytes()).is_err(), "{from}");
        }
    }
}
