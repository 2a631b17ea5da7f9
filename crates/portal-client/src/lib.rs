#![doc = include_str!("../README.md")]

mod addresses;
mod api_key;
pub mod custodian;
pub mod device;
mod effect;
mod error;
mod mpc;
mod notice;
mod portal;
mod records;
mod service;
mod trace_id;

pub use portal_api::ErrorId;
pub use portal_mpc::{ByCurve, Curves, Namespace, Payload, PrivateKey, PublicKey, Signature};

pub use crate::{
    addresses::Addresses,
    api_key::ApiKey,
    effect::{Effect, EffectObserver},
    error::{Error, Result},
    notice::Notice,
    portal::{
        BackUpOptions, BackedUp, Backup, BackupSharePair, ClearOptions, EjectOptions, Ejected,
        Expected, GeneratedBackupShare, Inventory, KeptKey, KeyState, ListedBackup, Portal,
        PortalBuilder, RecoverOptions, Recovered, Removed, SigningSharePair, Status,
    },
    trace_id::TraceId,
};
