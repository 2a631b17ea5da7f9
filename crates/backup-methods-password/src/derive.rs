//! From a password to a wrapping key, off the async threads.

use std::sync::{Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Block, Version};
use backup_core::{Error, ErrorKind, Result, WrappingKey};
use zeroize::Zeroizing;

use crate::{Cost, opaque_string::OpaqueString, params::Params};

/// Derives the wrapping key.
///
/// If this future is dropped, a derivation that has begun runs to its end on its own thread, and
/// its result is wiped.
pub(crate) async fn wrapping_key(password: OpaqueString, params: Params) -> Result<WrappingKey> {
    off_thread(move || {
        // One at a time: whoever cancels and tries again does not pay for the memory twice.
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        WrappingKey::try_init_with(|key| argon2id(&password, &params, key))
    })
    .await
}

static TURN: Mutex<()> = Mutex::new(());

#[cfg(not(target_family = "wasm"))]
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    blocking::unblock(work).await
}

/// There are no threads to be had.
#[cfg(target_family = "wasm")]
#[expect(clippy::unused_async, reason = "the same signature everywhere")]
async fn off_thread<T>(work: impl FnOnce() -> T) -> T {
    work()
}

fn argon2id(password: &OpaqueString, params: &Params, key: &mut [u8; 32]) -> Result<()> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, argon2_params(params.cost)?);
    hash(&argon2, password.as_bytes(), &params.salt, key)
}

fn hash(argon2: &Argon2<'_>, password: &[u8], salt: &[u8], key: &mut [u8; 32]) -> Result<()> {
    let mut memory = wiped_memory(argon2.params().block_count())?;
    argon2.hash_password_into_with_memory(password, salt, key, &mut **memory).map_err(no_argon2)
}

fn argon2_params(cost: Cost) -> Result<argon2::Params> {
    argon2::Params::new(cost.memory_kib(), cost.passes(), cost.lanes(), Some(32)).map_err(no_argon2)
}

/// The parameters were checked when they were read, and salt and password are of bounded length.
fn no_argon2(error: argon2::Error) -> Error {
    Error::new(ErrorKind::InvalidParams, "Argon2 does not take these parameters").with_source(error)
}

/// Memory of `blocks` KiB that is wiped when it is dropped.
fn wiped_memory(blocks: usize) -> Result<Zeroizing<Box<[Block]>>> {
    let mut memory = Vec::new();
    memory.try_reserve_exact(blocks).map_err(|error| {
        Error::new(
            ErrorKind::Unavailable,
            "there is too little memory to check the password; close other apps and try again",
        )
        .with_source(error)
    })?;
    memory.resize(blocks, Block::new());
    Ok(Zeroizing::new(memory.into_boxed_slice()))
}

#[cfg(test)]
mod tests {
    use argon2::{AssociatedData, ParamsBuilder};

    use super::*;

    /// RFC 9106, section 5.3.
    #[test]
    fn the_rfcs_test_vector_comes_out() {
        let mut params = ParamsBuilder::new();
        params.m_cost(32).t_cost(3).p_cost(4).output_len(32);
        params.data(AssociatedData::new(&[4; 12]).unwrap());
        let argon2 = Argon2::new_with_secret(
            &[3; 8],
            Algorithm::Argon2id,
            Version::V0x13,
            params.build().unwrap(),
        )
        .unwrap();
        let mut tag = [0; 32];
        hash(&argon2, &[1; 32], &[2; 16], &mut tag).unwrap();
        assert_eq!(tag, RFC_9106_TAG);
    }

    const RFC_9106_TAG: [u8; 32] = [
        0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53,
        0xc9, 0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01,
        0xe6, 0x59,
    ];

    /// The key was computed by OpenSSL's Argon2id from the UTF-8 of "päss wörd".
    #[test]
    fn a_key_is_what_another_implementation_makes_of_the_normalized_password() {
        let params = Params { cost: Cost::read(64, 2, 2).unwrap(), salt: (0..16).collect() };
        let password = OpaqueString::enforce("pa\u{308}ss\u{3000}wo\u{308}rd").unwrap();
        let mut key = [0; 32];
        argon2id(&password, &params, &mut key).unwrap();
        assert_eq!(key, GOLDEN_KEY);
    }

    const GOLDEN_KEY: [u8; 32] = [
        0x66, 0xfd, 0x8e, 0xf9, 0x48, 0x5f, 0x74, 0x13, 0x45, 0x52, 0x8e, 0x4d, 0x40, 0xb7, 0x14,
        0xea, 0xba, 0xb6, 0x94, 0x15, 0xfc, 0xc3, 0xbc, 0xac, 0x11, 0xfd, 0x44, 0x64, 0x80, 0xc6,
        0xb7, 0x00,
    ];

    #[test]
    fn memory_that_cannot_be_had_is_an_error() {
        let error = wiped_memory(usize::MAX / Block::SIZE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
}
