#![doc = include_str!("../README.md")]

mod binding;
mod codec;
mod curve;
mod envelope;
mod error;
mod id;
mod key_encryption;
mod key_store;
mod key_wrap;
mod method;
mod operation;
mod sealer;
mod sealing;
mod secret;
mod share;
mod slot;
mod threshold;

pub use async_trait::async_trait;
pub use secrecy;

pub use crate::{
    curve::Curve,
    envelope::{Envelope, Header, Opened, SealedWallet},
    error::{Error, ErrorKind, Result},
    id::{BackupId, ClientId, CustodianId, MethodId, SharePairId},
    key_encryption::{KeyContext, KeyEncryption},
    key_store::{KeyName, KeyPrefix, KeyStore, StoredKey},
    method::{BackupMethod, Enrollment, Held, MethodParams},
    operation::{EncryptionContext, Journal, Operation, Progress, ProgressSink, Purpose, Stage},
    sealer::Sealer,
    secret::{BackupKey, DataKey, EncryptionKey, WrappingKey},
    share::{ClientBackupShare, Point},
    slot::KeySlot,
    threshold::Threshold,
};
