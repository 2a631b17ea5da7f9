//! Key files that Portal's SDKs wrote, for an import.

use std::fmt;

use backup_core::{
    EncryptionContext, Error, ErrorKind, Operation, Result,
    secrecy::{ExposeSecret, SecretString},
};
use sha2::{Digest, Sha256};

use crate::{
    DriveStore,
    drive::{Asking, File},
    store::is_named,
};

/// A key that one of Portal's SDKs kept in a user's Drive.
pub struct PortalKeyFile {
    /// The name of its file.
    pub name: String,
    /// 64 lower-case hexadecimal digits, as an import of Portal's backups takes them.
    pub key: SecretString,
}

impl fmt::Debug for PortalKeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortalKeyFile").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Copies that are read: every backup by Portal's SDKs may have left one.
const MAX_FILES: usize = 64;
const HEX_LEN: usize = 64;

impl DriveStore {
    /// The keys that Portal's SDKs kept for the client of `op`, newest first.
    ///
    /// They are looked for by every name that an SDK ever gave them, in all of the hidden folder or
    /// in all that the app may see, as this store's [`Place`](crate::Place) is: React Native and
    /// the web kept them in a visible folder, iOS in either, so ask a store of each. The app has to
    /// be of the Google Cloud project that the earlier one was of.
    ///
    /// Which of several keys opens a backup, only the backup tells.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Damaged`] if there are such files and none holds a key; otherwise as for
    /// [`KeyStore::get`](backup_core::KeyStore::get). No file is no error.
    pub async fn portal_keys(&self, op: &Operation<'_>) -> Result<Vec<PortalKeyFile>> {
        let asking = Asking::With(op);
        let names = portal_names(op.context());
        let named: Vec<_> = names.iter().map(|name| is_named(name)).collect();
        let mut files = self.drive().find(asking, &format!("({})", named.join(" or "))).await?;
        files.reverse();
        let mut keys: Vec<PortalKeyFile> = Vec::new();
        for file in files.iter().take(MAX_FILES) {
            let Some(found) = self.portal_key(asking, file).await? else { continue };
            let is_same =
                |known: &PortalKeyFile| known.key.expose_secret() == found.key.expose_secret();
            if !keys.iter().any(is_same) {
                keys.push(found);
            }
        }
        if keys.is_empty() && !files.is_empty() {
            let message = "the files that Portal's SDKs left in Google Drive do not hold a key";
            return Err(Error::new(ErrorKind::Damaged, message));
        }
        Ok(keys)
    }

    /// The key in a file; `None` if it holds something else, or is gone.
    async fn portal_key(&self, asking: Asking<'_>, file: &File) -> Result<Option<PortalKeyFile>> {
        let content = match self.drive().download(asking, &file.id, HEX_LEN + 2).await {
            Err(error) if error.kind() == ErrorKind::Damaged => return Ok(None),
            content => content?,
        };
        let key = content.as_ref().map(|content| content.trim_ascii_end());
        let is_key = |key: &&[u8]| key.len() == HEX_LEN && key.iter().all(u8::is_ascii_hexdigit);
        let key = key.filter(is_key).and_then(|key| std::str::from_utf8(key).ok());
        let name = file.name.clone();
        let key = key.map(|key| SecretString::from(key.to_ascii_lowercase()));
        Ok(key.map(|key| PortalKeyFile { name, key }))
    }
}

/// The names of a client's key files: of iOS, and of all others.
fn portal_names(context: &EncryptionContext) -> [String; 2] {
    let both = format!("{}{}", context.custodian.as_str(), context.client.as_str());
    let digest: String = Sha256::digest(&both).iter().map(|byte| format!("{byte:02x}")).collect();
    // The hash of a text in Java, without its sign.
    let hash =
        both.chars().fold(0_u32, |hash, char| hash.wrapping_mul(31).wrapping_add(u32::from(char)));
    let hash = hash.cast_signed().unsigned_abs();
    [format!("{digest}.txt"), format!("{hash}.txt")]
}

#[cfg(test)]
mod tests {
    use backup_core::{ClientId, CustodianId};

    use super::*;

    fn names(custodian: &str, client: &str) -> [String; 2] {
        let custodian = CustodianId::new(custodian.to_owned()).unwrap();
        let client = ClientId::new(client.to_owned()).unwrap();
        portal_names(&EncryptionContext::new(custodian, client))
    }

    #[test]
    fn names_are_those_of_the_sdks() {
        // `"custodianclient".hashCode()` in Java, and `printf custodianclient | sha256sum`.
        let [digest, hash] = names("custodian", "client");
        assert_eq!(hash, HASH_OF_CUSTODIANCLIENT);
        assert_eq!(digest, DIGEST_OF_CUSTODIANCLIENT);
        // A hash below zero, and the least of all: texts that are known for them.
        assert_eq!(names("polygenelub", "ricants")[1], "2147483648.txt");
    }

    const HASH_OF_CUSTODIANCLIENT: &str = "768588601.txt";
    const DIGEST_OF_CUSTODIANCLIENT: &str =
        "3c6a15d51c09c6316a93992670f05e17cae88775b3071386485f20aa13ce9fcc.txt";
}
