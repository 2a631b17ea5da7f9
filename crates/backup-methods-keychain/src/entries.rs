//! The entries of one client in a keychain: what is read, created and removed, and in which order.
//!
//! A keychain sets values; it has no call that creates an entry only if there is none. So whoever
//! creates one first makes a claim, an entry of a name that nobody else has, and then looks at all
//! entries of the name. Of two who do so at once at least one sees the other, and withdraws: none
//! ever sets an entry that holds other bytes. A claim holds the key, so that repeating what a crash
//! interrupted is not taken for a contest.

use std::collections::HashMap;

use backup_core::{EncryptionKey, Error, ErrorKind, KeyName, KeyPrefix, Purpose, Result};
use keyring_core::{CredentialStore, Entry, Error as KeyringError};
use zeroize::Zeroizing;

use crate::{error::translate, problem::KeychainProblem, value};

/// The entries of one client.
pub(crate) struct Entries<'a> {
    store: &'a CredentialStore,
    lock: &'a dyn Lock,
    service: String,
    prefix: KeyPrefix,
}

/// How it is found out whether a keychain is locked, and how the user is asked to unlock it.
pub(crate) trait Lock: Send + Sync {
    fn is_locked(&self) -> Result<bool>;
    fn unlock(&self) -> Result<()>;
}

/// Of what the app brings, and of most systems: they ask by themselves when they are called.
pub(crate) struct UnlocksItself;

impl Lock for UnlocksItself {
    fn is_locked(&self) -> Result<bool> {
        Ok(false)
    }

    fn unlock(&self) -> Result<()> {
        Ok(())
    }
}

/// An entry that was found: a key, or a claim to its name.
struct Found {
    name: KeyName,
    user: String,
    entry: Entry,
}

impl<'a> Entries<'a> {
    /// The client's entries in `store`.
    pub(crate) fn new(
        store: &'a CredentialStore,
        lock: &'a dyn Lock,
        label: &str,
        prefix: &KeyPrefix,
    ) -> Self {
        let service = format!("{label} {}", prefix.as_str().trim_end_matches('-'));
        Self { store, lock, service, prefix: prefix.clone() }
    }

    /// Searches for what nobody has: no entry is found that would have to be unlocked. Whoever
    /// enrolls or unlocks can be asked to unlock the keychain, too; what is revoked may be what an
    /// earlier run left, when nobody waits for a question.
    pub(crate) fn check(&self, purpose: Purpose) -> Result<()> {
        self.search("nothing is called so")?;
        if purpose == Purpose::Revoke && self.lock.is_locked()? {
            let message = "the keychain is locked; unlock it and try again";
            let locked = KeychainProblem::Locked;
            return Err(locked.into_error(ErrorKind::Unavailable, message, None));
        }
        Ok(())
    }

    pub(crate) fn get(&self, name: &KeyName) -> Result<EncryptionKey> {
        self.present(|| self.read(name))?.ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                "the key is not in this keychain; try the device or the account that has it, or \
                 another backup",
            )
        })
    }

    pub(crate) fn put(&self, name: &KeyName, key: &EncryptionKey) -> Result<()> {
        if let Some(stored) = self.read(name)? {
            return if stored == *key { Ok(()) } else { Err(taken()) };
        }
        // This unlocks the keychain, and what is seen then counts.
        let text = value::encode(key);
        let claim = self.claim(name)?;
        claim.set_secret(text.as_bytes()).map_err(translate)?;
        let created = settled(|| self.is_undisputed(name, key)).and_then(|()| {
            self.entry(name.as_str())?.set_secret(text.as_bytes()).map_err(translate)
        });
        // A claim that stays is listed with its name, and deleted with it.
        let withdrawn = claim.delete_credential().map_err(translate);
        created.and(withdrawn)
    }

    pub(crate) fn delete(&self, name: &KeyName) -> Result<()> {
        settled(|| self.delete_found(name))
    }

    /// The names of keys, and those that a crash left claimed.
    pub(crate) fn list(&self, prefix: &KeyPrefix) -> Result<Vec<KeyName>> {
        if *prefix != self.prefix {
            return Ok(Vec::new());
        }
        let found = settled(|| self.found_by(|_| true))?;
        let mut names: Vec<_> = found.into_iter().map(|found| found.name).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn delete_found(&self, name: &KeyName) -> Result<()> {
        for found in self.found_by(|found| found.name == *name)? {
            match found.entry.delete_credential() {
                Ok(()) | Err(KeyringError::NoEntry) => {}
                Err(error) => return Err(translate(error)),
            }
        }
        Ok(())
    }

    /// The entries that are `wanted`, of a keychain that is not locked.
    fn found_by(&self, wanted: impl Fn(&Found) -> bool) -> Result<Vec<Found>> {
        let look = || {
            let found: Vec<_> = self.found()?.into_iter().filter(&wanted).collect();
            Ok((!found.is_empty()).then_some(found))
        };
        Ok(self.present(look)?.unwrap_or_default())
    }

    /// Looks again if there was nothing, and the keychain was locked: some show nothing then.
    fn present<T>(&self, look: impl Fn() -> Result<Option<T>>) -> Result<Option<T>> {
        let found = look()?;
        if found.is_some() || !self.lock.is_locked()? {
            return Ok(found);
        }
        self.lock.unlock()?;
        look()
    }

    fn read(&self, name: &KeyName) -> Result<Option<EncryptionKey>> {
        match self.entry(name.as_str())?.get_secret() {
            Ok(text) => decoded(text).map(Some),
            Err(KeyringError::NoEntry) => Ok(None),
            Err(KeyringError::Ambiguous(entries)) => the_same_in_all(&entries).map(Some),
            Err(error) => Err(translate(error)),
        }
    }

    /// Whether every other entry of the name, key or claim, holds this key.
    fn is_undisputed(&self, name: &KeyName, key: &EncryptionKey) -> Result<()> {
        for found in self.found()?.iter().filter(|found| found.name == *name) {
            match found.entry.get_secret() {
                Ok(text) => {
                    if decoded(text)? != *key {
                        return Err(taken());
                    }
                }
                // Its owner has withdrawn it meanwhile.
                Err(KeyringError::NoEntry) if found.user != name.as_str() => {}
                Err(error) => return Err(translate(error)),
            }
        }
        Ok(())
    }

    fn claim(&self, name: &KeyName) -> Result<Entry> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| {
            Error::new(ErrorKind::Unavailable, "the operating system has no randomness to give")
                .with_source(error)
        })?;
        let random = base16ct::lower::encode_string(&random);
        self.entry(&format!("{}{CLAIM}{random}", name.as_str()))
    }

    fn entry(&self, user: &str) -> Result<Entry> {
        self.store.build(&self.service, user, None).map_err(translate)
    }

    /// Every entry of the client.
    fn found(&self) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for entry in self.search(&self.service)? {
            let (service, user) = entry.get_specifiers().ok_or_else(unreadable)?;
            let name = user.split(CLAIM).next().unwrap_or_default();
            let name = KeyName::parse(&self.prefix, name).filter(|_| service == self.service);
            found.extend(name.map(|name| Found { name, user, entry }));
        }
        Ok(found)
    }

    /// Stores differ in how they are asked: most by the service, Windows by a pattern of both.
    fn search(&self, service: &str) -> Result<Vec<Entry>> {
        let by = |what| self.store.search(&HashMap::from([(what, service)]));
        match by("service") {
            Err(KeyringError::Invalid(..)) => by("pattern"),
            answer => answer,
        }
        .map_err(translate)
    }
}

const CLAIM: &str = "-claim-";

/// Looks again when that failed: an entry goes while it is looked at if another process withdraws
/// its claim.
fn settled<T>(look: impl Fn() -> Result<T>) -> Result<T> {
    for _ in 1..LOOKS {
        match look() {
            Err(error) if error.kind() == ErrorKind::Unavailable => {}
            answer => return answer,
        }
    }
    look()
}

const LOOKS: usize = 5;

/// A keychain that was merged with a copy of itself has entries twice.
fn the_same_in_all(entries: &[Entry]) -> Result<EncryptionKey> {
    let mut keys = entries.iter().map(|entry| decoded(entry.get_secret().map_err(translate)?));
    let first = keys.next().ok_or_else(unreadable)??;
    for other in keys {
        if other? != first {
            return Err(Error::new(
                ErrorKind::Damaged,
                "the keychain has two different keys under one name; remove the wrong one, or use \
                 another backup",
            ));
        }
    }
    Ok(first)
}

/// Wipes what the keychain has handed out.
fn decoded(text: Vec<u8>) -> Result<EncryptionKey> {
    value::decode(&Zeroizing::new(text))
}

fn taken() -> Error {
    Error::new(ErrorKind::Conflict, "the keychain has another key under this name; nothing changed")
}

fn unreadable() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "the keychain does not show its entries now; unlock it and try again",
    )
}

#[cfg(test)]
mod tests {
    use backup_core::{ClientId, CustodianId, EncryptionContext};

    use super::*;
    use crate::keychain::Keychain;

    /// Of docs/format.md: whoever changes it finds no earlier key.
    #[test]
    fn the_service_of_a_client_is_what_it_always_was() {
        let (custodian, client) = (CustodianId::new("acme"), ClientId::new("alice"));
        let prefix = KeyPrefix::of(&EncryptionContext::new(custodian.unwrap(), client.unwrap()));
        let store = keyring_core::mock::Store::new().unwrap();
        let entries = Entries::new(&*store, &UnlocksItself, Keychain::DEFAULT_LABEL, &prefix);
        assert_eq!(entries.service, "Wallet backup portal-dd9249b98de6e1c2");
    }
}
