#![doc = include_str!("../README.md")]

mod address;
mod by_curve;
mod bytes;
pub mod client;
mod coordinates;
mod ed25519;
mod eject;
mod error;
mod operation;
mod pair;
mod parts;
mod protocol;
mod public_key;
mod role;
mod secp256k1;
pub mod server;
mod session;
mod share;
mod signature;

pub use crate::address::Namespace;
pub use crate::by_curve::{ByCurve, Curves, OnCurve};
pub use crate::eject::{EjectError, PrivateKey, eject};
pub use crate::error::{Error, FormatError, Frozen, Remedy, SignError};
pub use crate::operation::{
    Backup, Confirm, Generate, Operation, OperationKind, Payload, Recover, Sign, SignRequest,
};
pub use crate::pair::PairId;
pub use crate::public_key::PublicKey;
pub use crate::role::{Client, Party, Role, Server};
pub use crate::session::{Context, Outgoing, Post, Reply, SessionId, SessionSecret};
pub use crate::share::{
    BackupShare, BackupSource, Commitments, FrozenShare, Held, HoldProof, SigningShare,
    StoredShare, TestSignature, TestSource, UnconfirmedShare,
};
pub use crate::signature::{EcdsaSignature, Signature};
