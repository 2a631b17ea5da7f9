//! What a profile keeps of the user's account at a provider, and who stands in for a provider in a
//! test.

use std::{env, io, path::PathBuf};

use backup_cloud::{Browser, SystemBrowser};
use backup_core::{DataKey, ErrorKind, async_trait};
use hkdf::Hkdf;
use sha2::Sha256;

use crate::{
    bounded_file, durable,
    failure::{Failure, Kind},
    profile::Profile,
};

/// How a provider is called here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Provider {
    /// For a person.
    pub(crate) name: &'static str,
    /// The file of a profile that says how the provider is asked.
    pub(crate) record: &'static str,
    /// The file of a profile with what the provider gave for later.
    pub(crate) token: &'static str,
    /// What the key of that file is made from the device's with.
    pub(crate) token_key_info: &'static str,
    /// What makes the record anew.
    pub(crate) sign_in: &'static str,
}

/// Bytes. More is no record of ours, and then no JSON either once it is cut off.
const LONGEST_RECORD: usize = 16 * 1024;

impl Provider {
    /// The record of the profile, if there is one.
    pub(crate) fn find<T>(
        &self,
        profile: &Profile,
        from_json: impl FnOnce(&[u8]) -> Result<T, &'static str>,
    ) -> Result<Option<T>, Failure> {
        let path = self.record_of(profile);
        let bytes = match bounded_file::read_beyond(&path, LONGEST_RECORD) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::of_file("read", &path, &error)),
        };
        from_json(&bytes).map(Some).map_err(|problem| {
            let path = path.display();
            let message = format!("{path}: {problem}; `{}` makes it anew", self.sign_in);
            Failure::new(Kind::Damaged, message)
        })
    }

    /// Puts a record into the profile, in place of what was there.
    pub(crate) fn keep(&self, profile: &Profile, json: &[u8]) -> Result<(), Failure> {
        durable::replace(&self.record_of(profile), json)
    }

    /// That the profile has no record, and `what` is needed for one.
    pub(crate) fn nobody(&self, what: &str) -> Failure {
        let Self { name, sign_in, .. } = self;
        let message = format!(
            "this profile has nobody signed in to {name}; begin with `{sign_in}`, and {what}"
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

    fn record_of(&self, profile: &Profile) -> PathBuf {
        profile.folder().join(self.record)
    }
}

/// The system's browser, and on standard error what there is to do in it: also beside `--json`, as
/// nobody could sign in without it.
#[derive(Debug)]
pub(crate) struct Announced {
    pub(crate) provider: &'static str,
    /// What to do without a browser.
    pub(crate) otherwise: &'static str,
}

#[async_trait]
impl Browser for Announced {
    async fn open(&self, url: &str) -> backup_core::Result<()> {
        let Self { provider, otherwise } = self;
        SystemBrowser.open(url).await.map_err(|_| {
            let message = format!("no browser opens on this device; {otherwise}");
            backup_core::Error::new(ErrorKind::Unsupported, message)
        })?;
        eprintln!(
            "Sign in to {provider} in your browser. If it shows nothing, open this there:\n{url}"
        );
        Ok(())
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
    eprintln!("warning: {address} is asked in place of {provider}, for a test");
}
