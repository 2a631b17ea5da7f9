//! The messages from outside: what an attacker on the way, or on the other side, can do to them.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use portal_mpc::SessionSecret;
use sha2::Sha256;

/// Version, operation, step, curves and session id.
pub const HEADER: usize = 36;
pub const TAG: usize = 32;
pub const NONCE: usize = 32;
pub const PAIR: usize = 32;

/// The message with a tag that is right again, as only who has the session's secret can make it.
pub fn reseal(message: &[u8], secret: &SessionSecret) -> Vec<u8> {
    let mut key = [0; 32];
    let hkdf = Hkdf::<Sha256>::new(None, secret.expose());
    hkdf.expand(b"portal-mpc/v1/tag", &mut key).unwrap();
    let content = &message[..message.len() - TAG];
    let tag = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(content).finalize();
    [content, &tag.into_bytes()].concat()
}

/// The message with one bit flipped.
pub fn flip(message: &[u8], position: usize, bit: u8) -> Vec<u8> {
    let mut flipped = message.to_vec();
    flipped[position] ^= 1 << (bit % 8);
    flipped
}

/// Positions that look random and are the same in every run.
pub fn positions(from: usize, to: usize, count: usize) -> impl Iterator<Item = (usize, u8)> {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64 ^ (to as u64);
    (0..count).map(move |_| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let position = from + usize::try_from(seed >> 33).unwrap() % (to - from);
        (position, u8::try_from(seed >> 24 & 7).unwrap())
    })
}
