//! Randomness of the operating system, and the names made of it.

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

/// The operating system gives no randomness.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the operating system has no randomness to give")]
pub struct NoRandomness;

/// Public random bytes.
///
/// # Errors
///
/// [`NoRandomness`].
pub fn bytes<const LEN: usize>() -> Result<[u8; LEN], NoRandomness> {
    let mut bytes = [0; LEN];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// A fresh public name: 128 random bits in lower-case hex.
///
/// # Errors
///
/// [`NoRandomness`].
pub fn name() -> Result<String, NoRandomness> {
    Ok(base16ct::lower::encode_string(&bytes::<16>()?))
}

/// 32 secret random bytes.
///
/// # Errors
///
/// [`NoRandomness`].
pub fn secret() -> Result<Zeroizing<[u8; 32]>, NoRandomness> {
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(secret.as_mut_slice()).map_err(|_| NoRandomness)?;
    Ok(secret)
}

/// 32 secret random bytes as unpadded base64url.
pub(crate) fn secret_text() -> Result<Zeroizing<String>, NoRandomness> {
    Ok(Zeroizing::new(Base64UrlUnpadded::encode_string(secret()?.as_slice())))
}
