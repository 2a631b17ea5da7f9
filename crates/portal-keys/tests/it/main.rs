//! The keys over custodian shares, a module for each provider and rule.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(feature = "pkcs11")]
#[allow(dead_code, reason = "what reads golden vectors uses the rest")]
#[path = "../support/vector.rs"]
mod vector;

#[cfg(feature = "aws-kms")]
mod aws_kms;
#[cfg(feature = "file")]
mod key_file;
#[cfg(feature = "pkcs11")]
mod pkcs11;
#[cfg(all(feature = "aws-kms", feature = "file", feature = "pkcs11"))]
mod providers;
#[cfg(feature = "file")]
mod sealed_share;
