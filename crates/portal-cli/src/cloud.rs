//! What a profile keeps of the user's account at a provider, and who stands in for a provider in a
//! test.

use std::{env, path::PathBuf};

use backup_core::DataKey;
use hkdf::Hkdf;
use sha2::Sha256;

use crate::{
    failure::{Failure, Kind},
    kept::Kept,
    output::say,
    profile::Profile,
};

/// How a provider is called here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Provider {
    /// For a person.
    pub(crate) name: &'static str,
    /// The file of a profile that says how the provider is asked.
    pub(crate) record: Kept,
    /// The file of a profile with what the provider gave for later.
    pub(crate) token: &'static str,
    /// What the key of that file is made from the device's with.
    pub(crate) token_key_info: &'static str,
}

impl Provider {
    /// That the profile has no record, and `what` is needed for one.
    pub(crate) fn nobody(&self, what: &str) -> Failure {
        let Self { name, record, .. } = self;
        let message = format!(
            "this profile has nobody signed in to {name}; begin with `{}`, and {what}",
            record.made_by
        );
        Failure::new(Kind::State, message)
    }

    /// Where what the provider gives for later is kept.
    pub(crate) fn token_of(&self, profile: &Profile) -> PathBuf {
        profile.folder().join(self.token)
    }

    /// The key of that. HKDF (RFC 5869) with SHA-256: whoever has the device's key has this one,
    /// and no other way round.
    pub(crate) fn token_key(&self, device_key: &DataKey) -> DataKey {
        let hkdf = Hkdf::<Sha256>::new(None, device_key.expose());
        DataKey::try_init_with(|key| hkdf.expand(self.token_key_info.as_bytes(), key))
            .expect("32 bytes are within HKDF's limit")
    }
}

/// The server of this machine that the variable `name` puts in a provider's place, for a test.
pub(crate) fn test_server(name: &str) -> Result<Option<String>, Failure> {
    let Some(value) = env::var_os(name) else { return Ok(None) };
    let address = value.into_string().ok();
    let address = address.filter(|address| {
        let port = address.strip_prefix("http://127.0.0.1:");
        port.is_some_and(|port| port.parse().is_ok_and(|number: u16| number.to_string() == port))
    });
    let refused = || not_for_users(name, "is for tests, and takes http://127.0.0.1:PORT only");
    address.map(Some).ok_or_else(refused)
}

/// That a variable is set which only tests set, and rightly.
pub(crate) fn not_for_users(name: &str, why: &str) -> Failure {
    Failure::new(Kind::Usage, format!("the variable {name} {why}; unset it"))
}

/// For somebody whose environment was set by another.
pub(crate) fn warn_of_test_server(provider: &str, address: &str) {
    say(&format!("warning: {address} is asked in place of {provider}, for a test"));
}
