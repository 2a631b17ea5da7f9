//! Messages of sessions that are changed and have a right tag all the same: what only a side of the
//! session can make, and whoever has heard its secret.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The length of the secret that each post of a session begins with.
const SECRET: usize = 32;

/// The length of the tag that each message ends with.
const TAG: usize = 32;

/// The body of a post with its message changed. `None` if it is no post of a session.
#[must_use]
pub fn post(body: &[u8], change: impl FnOnce(&mut [u8])) -> Option<Vec<u8>> {
    let (secret, frame) = body.split_at_checked(SECRET)?;
    Some([secret, &reply(frame, secret, change)?].concat())
}

/// The body of a reply with its message changed; the secret is that of the post. `None` if it is no
/// reply of a session.
#[must_use]
pub fn reply(body: &[u8], secret: &[u8], change: impl FnOnce(&mut [u8])) -> Option<Vec<u8>> {
    let (len, rest) = body.split_first_chunk()?;
    let head = usize::try_from(u32::from_be_bytes(*len)).ok()?;
    let message = rest.get(head..)?;
    let mut content = message.get(..message.len().checked_sub(TAG)?)?.to_vec();
    change(&mut content);
    let tag = tag(&content, secret);
    Some([&body[..len.len() + head], &content, &tag].concat())
}

/// The secret that a post of a session begins with.
///
/// # Panics
///
/// If it is no post.
#[must_use]
pub fn secret(post: &[u8]) -> &[u8] {
    &post[..SECRET]
}

fn tag(content: &[u8], secret: &[u8]) -> [u8; TAG] {
    let mut key = [0; 32];
    let hkdf = Hkdf::<Sha256>::new(None, secret);
    hkdf.expand(b"portal-mpc/v1/tag", &mut key).expect("it is short");
    let mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key of any length");
    mac.chain_update(content).finalize().into_bytes().into()
}
