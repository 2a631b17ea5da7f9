#![doc = include_str!("../README.md")]

mod aead;
mod check;
mod codec;
mod context;
mod error;
#[cfg(feature = "file")]
mod key_file;
mod ring;
mod sealed;
mod wrap;

#[cfg(feature = "file")]
pub use crate::key_file::{KeyFile, KeyFileError};
pub use crate::{
    check::KeyCheck,
    context::{ShareContext, ShareRole},
    ring::KeyRing,
    sealed::{SealedShare, WrapReport},
};
