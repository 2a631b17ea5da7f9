//! From a password to a wrapping key, off the async threads.

use std::sync::{Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Block, Version};
use backup_core::{Error, ErrorKind, Result, WrappingKey};
use zeroize::Zeroizing;

use crate::{Cost, opaque_string::OpaqueString, params::Params};

/// Derives the wrapping key.
///
/// If this future is dropped, a derivation that has begun runs to its end on its own thread, and its
/// result is wiped.
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
    let mut memory = wiped_memory(argon2.params().block_count())?;
    argon2
        .hash_password_into_with_memory(password.as_bytes(), &params.salt, key, &mut **memory)
        .map_err(no_argon2)
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
