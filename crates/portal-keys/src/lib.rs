#![doc = include_str!("../README.md")]

mod aead;
#[cfg(feature = "aws-kms")]
mod aws_kms;
mod check;
mod codec;
mod context;
mod error;
#[cfg(feature = "file")]
mod key_file;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod ring;
mod sealed;
mod wrap;

#[cfg(feature = "aws-kms")]
pub use crate::aws_kms::AwsKmsKey;
#[cfg(feature = "file")]
pub use crate::key_file::{KeyFile, KeyFileError};
#[cfg(feature = "pkcs11")]
pub use crate::pkcs11::{Pkcs11Key, Pkcs11Options};
pub use crate::{
    check::KeyCheck,
    context::{ShareContext, ShareRole},
    ring::KeyRing,
    sealed::{SealedShare, WrapReport},
};
