//! A token in an encrypted file: `docs/format.md` has every byte.

use std::{
    fmt, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use aes_gcm::{Aes256Gcm, KeyInit, Nonce, aead::AeadInOut};
use backup_core::{
    DataKey, Error, ErrorKind, Result, async_trait,
    secrecy::{ExposeSecret, SecretString},
};
use zeroize::Zeroizing;

use crate::TokenStore;

/// Keeps a token in a file, encrypted under a key of the app's.
///
/// For where there is no keychain to keep the token itself in. The key belongs where the app keeps
/// the one of its device store.
pub struct TokenFile {
    path: PathBuf,
    key: DataKey,
    /// What the file begins with. No file is taken for one of another provider.
    opening: String,
}

const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;
/// Bytes. Tokens have up to a quarter of it.
const MAX_LEN: u64 = 16 * 1024;

impl TokenFile {
    /// The file at `path`, which need not exist, for Google's token; its folder does exist.
    #[must_use]
    pub fn google(path: impl Into<PathBuf>, key: DataKey) -> Self {
        Self::new("google", path, key)
    }

    /// The file at `path`, which need not exist, for iCloud's token; its folder does exist.
    #[must_use]
    pub fn icloud(path: impl Into<PathBuf>, key: DataKey) -> Self {
        Self::new("icloud", path, key)
    }

    /// The file at `path` for the token of another provider, which has a word for a name.
    #[must_use]
    pub fn new(provider: &str, path: impl Into<PathBuf>, key: DataKey) -> Self {
        let opening = format!("portal-backup {provider} token 1");
        Self { path: path.into(), key, opening }
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(self.key.expose().into())
    }

    fn seal(&self, token: &str, nonce: [u8; NONCE_LEN]) -> Result<Vec<u8>> {
        let opening = self.opening.as_bytes();
        let mut body = Zeroizing::new(Vec::with_capacity(token.len() + TAG_LEN));
        body.extend_from_slice(token.as_bytes());
        let sealed = self.cipher().encrypt_in_place(&Nonce::from(nonce), opening, &mut *body);
        sealed.map_err(|_| Error::new(ErrorKind::InvalidInput, "the token is too long"))?;
        Ok([opening, &nonce, &body].concat())
    }

    fn open(&self, file: &[u8]) -> Result<SecretString> {
        let opening = self.opening.as_bytes();
        let rest = file.strip_prefix(opening).ok_or_else(damaged)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(damaged)?;
        let mut body = Zeroizing::new(body.to_vec());
        self.cipher()
            .decrypt_in_place(&Nonce::from(*nonce), opening, &mut *body)
            .map_err(|_| damaged())?;
        let token = std::str::from_utf8(&body).map_err(|_| damaged())?;
        Ok(token.into())
    }
}

impl fmt::Debug for TokenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenFile").field("path", &self.path).finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenStore for TokenFile {
    async fn load(&self) -> Result<Option<SecretString>> {
        let path = self.path.clone();
        let file = blocking::unblock(move || read(&path)).await.map_err(not_done)?;
        file.map(|file| self.open(&file)).transpose()
    }

    async fn save(&self, token: &SecretString) -> Result<()> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| {
            Error::new(ErrorKind::Unavailable, "the operating system has no randomness to give")
        })?;
        let (path, file) = (self.path.clone(), self.seal(token.expose_secret(), nonce)?);
        blocking::unblock(move || replace(&path, &file)).await.map_err(not_done)
    }

    async fn clear(&self) -> Result<()> {
        let path = self.path.clone();
        blocking::unblock(move || remove(&path)).await.map_err(not_done)
    }
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Ok(about) if about.len() > MAX_LEN => Err(io::ErrorKind::FileTooLarge.into()),
        Ok(_) => fs::read(path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The old file or the new one is there, whole, whenever the power fails.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync(folder)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync(folder_of(path)),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Windows opens no folders, and keeps names by itself.
fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

fn not_done(error: io::Error) -> Error {
    let message = "the file of the token could not be read or written";
    Error::new(ErrorKind::Unavailable, message).with_source(error)
}

fn damaged() -> Error {
    let message = "the file of the token does not open with this key; sign in again";
    Error::new(ErrorKind::Damaged, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &tempfile::TempDir) -> TokenFile {
        TokenFile::google(folder.path().join("google"), DataKey::copied_from(&[7; 32]))
    }

    #[test]
    fn a_token_file_is_what_the_format_says() {
        let key = || DataKey::copied_from(&[0x11; 32]);
        let nonce = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let google = include_bytes!("../tests/vectors/token-file");
        let icloud = include_bytes!("../tests/vectors/icloud-token-file");
        for (store, golden, token) in [
            (TokenFile::google("unused", key()), &google[..], "1//a-refresh-token"),
            (TokenFile::icloud("unused", key()), &icloud[..], "54__a+web/auth=token"),
        ] {
            assert_eq!(store.seal(token, nonce).unwrap(), golden);
            assert_eq!(store.open(golden).unwrap().expose_secret(), token);
        }
    }

    #[tokio::test]
    async fn a_token_comes_back_until_it_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let store = file(&folder);
        assert!(store.load().await.unwrap().is_none());
        for token in ["1//first", "1//second"] {
            store.save(&token.into()).await.unwrap();
            assert_eq!(file(&folder).load().await.unwrap().unwrap().expose_secret(), token);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        store.clear().await.unwrap();
        store.clear().await.unwrap();
        assert!(store.load().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_file_of_another_key_or_with_other_bytes_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let store = file(&folder);
        store.save(&"1//token".into()).await.unwrap();
        let other = TokenFile::google(&store.path, DataKey::copied_from(&[8; 32]));
        assert_eq!(other.load().await.unwrap_err().kind(), ErrorKind::Damaged);
        let whole = fs::read(&store.path).unwrap();
        let elsewhere = TokenFile::icloud(&store.path, DataKey::copied_from(&[7; 32]));
        assert_eq!(elsewhere.load().await.unwrap_err().kind(), ErrorKind::Damaged);
        assert!(!whole.windows(8).any(|part| part == b"1//token"));
        for at in 0..whole.len() {
            let mut other = whole.clone();
            other[at] ^= 1;
            fs::write(&store.path, other).unwrap();
            assert_eq!(store.load().await.unwrap_err().kind(), ErrorKind::Damaged, "{at}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn nobody_else_reads_the_file() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let store = file(&folder);
        store.save(&"1//token".into()).await.unwrap();
        let mode = fs::metadata(&store.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
}
