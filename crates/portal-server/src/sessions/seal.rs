//! The encryption of what is kept between the posts of a session: states and replies.
//!
//! The key is made of the server's, which lives in memory only, and of the session's secret, which
//! comes with each post and is not kept. So no copy of the database opens what was said.

use aes_gcm::{Aes256Gcm, KeyInit, Nonce, aead::AeadInOut};
use hkdf::Hkdf;
use portal_mpc::{SessionId, SessionSecret};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What seals and opens that of one session.
pub(super) struct Seal {
    keys: Zeroizing<[u8; 64]>,
    facts: Vec<u8>,
}

/// What a ciphertext holds: one never passes for another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Content {
    /// The state that the second post needs.
    State,
    /// The answer to the first post.
    FirstReply,
    /// The answer to the second post.
    SecondReply,
}

/// The operating system gives no randomness.
#[derive(Debug)]
pub(super) struct NoRandomness;

/// The secret or a fact is another one, or the bytes were changed.
#[derive(Debug)]
pub(super) struct Closed;

impl Seal {
    /// For the session of this id and operation; `subject` says which curves and pairs it is about.
    pub(super) fn new(
        server: &[u8; 32],
        secret: &SessionSecret,
        session: &SessionId,
        operation: &str,
        subject: &str,
    ) -> Self {
        let mut keys = Zeroizing::new([0; 64]);
        keys[..32].copy_from_slice(server);
        keys[32..].copy_from_slice(secret.expose());
        let mut facts = Vec::new();
        for fact in [LABEL, session.as_bytes(), operation.as_bytes(), subject.as_bytes()] {
            push(&mut facts, fact);
        }
        Self { keys, facts }
    }

    pub(super) fn seal(&self, content: Content, plaintext: &[u8]) -> Result<Vec<u8>, NoRandomness> {
        let mut salt = [0; SALT_LEN];
        getrandom::fill(&mut salt).map_err(|_| NoRandomness)?;
        let mut ciphertext = Zeroizing::new(plaintext.to_vec());
        let tag = self
            .cipher(content, &salt)
            .encrypt_inout_detached(&Nonce::from(NONCE), &[], ciphertext.as_mut_slice().into())
            .expect("states and replies are far below AES-GCM's limit");
        Ok([&salt, ciphertext.as_slice(), &tag].concat())
    }

    pub(super) fn open(
        &self,
        content: Content,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Closed> {
        let (salt, rest) = sealed.split_first_chunk::<SALT_LEN>().ok_or(Closed)?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or(Closed)?;
        let mut plaintext = Zeroizing::new(ciphertext.to_vec());
        self.cipher(content, salt)
            .decrypt_inout_detached(
                &Nonce::from(NONCE),
                &[],
                plaintext.as_mut_slice().into(),
                &(*tag).into(),
            )
            .map_err(|_| Closed)?;
        Ok(plaintext)
    }

    fn cipher(&self, content: Content, salt: &[u8; SALT_LEN]) -> Aes256Gcm {
        let mut info = self.facts.clone();
        push(&mut info, content.label());
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(salt), self.keys.as_slice())
            .expand(&info, key.as_mut_slice())
            .expect("32 bytes are within what HKDF-SHA256 yields");
        Aes256Gcm::new((&*key).into())
    }
}

impl Content {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::State => b"state",
            Self::FirstReply => b"first reply",
            Self::SecondReply => b"second reply",
        }
    }
}

fn push(facts: &mut Vec<u8>, fact: &[u8]) {
    facts.extend_from_slice(&(fact.len() as u64).to_be_bytes());
    facts.extend_from_slice(fact);
}

const LABEL: &[u8] = b"portal-server/1 session";

const SALT_LEN: usize = 32;

const TAG_LEN: usize = 16;

/// Each salt makes a key that encrypts once, so the nonce need not differ.
const NONCE: [u8; 12] = [0; 12];

#[cfg(test)]
mod tests {
    use portal_mpc::{Context, Curves, Generate};

    use super::*;

    /// Two sessions of one context, which differ by their nonces.
    fn ids() -> [SessionId; 2] {
        let context = Context::new("wallet", [7; 32]);
        [(); 2].map(|()| Generate::start(&context, Curves::ED25519).unwrap().0.session_id())
    }

    fn secret(byte: u8) -> SessionSecret {
        SessionSecret::from_bytes(&[byte; 32])
    }

    #[test]
    fn what_is_sealed_opens_under_both_keys_and_every_bound_fact_only() {
        let [id, other] = ids();
        let seal = |server: u8, session: u8, id, operation, subject| {
            Seal::new(&[server; 32], &secret(session), id, operation, subject)
        };
        let sealed = seal(1, 2, &id, "sign", "pairs").seal(Content::State, b"state").unwrap();
        let right = seal(1, 2, &id, "sign", "pairs");
        assert_eq!(&**right.open(Content::State, &sealed).unwrap(), b"state");
        assert!(right.open(Content::FirstReply, &sealed).is_err());
        assert!(right.open(Content::SecondReply, &sealed).is_err());
        let wrong = [
            ("server's key", seal(2, 2, &id, "sign", "pairs")),
            ("session's secret", seal(1, 1, &id, "sign", "pairs")),
            ("keys in each other's place", seal(2, 1, &id, "sign", "pairs")),
            ("session", seal(1, 2, &other, "sign", "pairs")),
            ("operation", seal(1, 2, &id, "confirm", "pairs")),
            ("pairs", seal(1, 2, &id, "sign", "pairz")),
            ("fields that run together", seal(1, 2, &id, "signp", "airs")),
        ];
        for (fact, wrong) in wrong {
            assert!(wrong.open(Content::State, &sealed).is_err(), "{fact}");
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let seal = Seal::new(&[1; 32], &secret(2), &ids()[0], "sign", "pairs");
        let sealed = seal.seal(Content::State, b"state").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(seal.open(Content::State, &flipped).is_err(), "bit {bit}");
        }
        for len in 0..sealed.len() {
            assert!(seal.open(Content::State, &sealed[..len]).is_err(), "{len} bytes");
        }
    }

    #[test]
    fn the_same_content_is_never_encrypted_the_same_way_twice() {
        let seal = Seal::new(&[1; 32], &secret(2), &ids()[0], "sign", "pairs");
        let [one, other] = [(); 2].map(|()| seal.seal(Content::State, b"state").unwrap());
        assert_ne!(one, other);
        assert_ne!(one[SALT_LEN..], other[SALT_LEN..]);
    }
}
