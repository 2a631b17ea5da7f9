#![doc = include_str!("../README.md")]

mod backup;
mod client;
pub mod compat;
mod custodian;
#[cfg(feature = "openapi")]
pub mod description;
mod device_key;
mod encoding;
mod error;
mod frame;
mod health;
mod per_curve;
mod release;
pub mod route;
#[cfg(feature = "openapi")]
mod schema;
mod session;
pub mod webhook;

pub use crate::{
    backup::{
        BackupPairView, BackupSetView, BackupStatus, Commit, Proof, Revocations, hold_statement,
    },
    client::{ClientView, SigningPairView, SigningSetView, SigningStatus, mpc_context},
    custodian::{ClientSession, CreateClient, CreatedClient},
    device_key::{DeviceKey, DevicePublicKey, DeviceSignature, SignedRequest, content_digest},
    error::{ErrorBody, ErrorDetail, ErrorId},
    frame::{FrameError, MAX_HEAD_LEN, MEDIA_TYPE, PostFrame, ReplyFrame},
    health::Health,
    per_curve::PerCurve,
    release::{NotReleased, ReleaseKey, ReleaseRecipient, ReleasedHalf, release_statement},
    session::{Completion, FirstPost, FirstReply, Nothing, PairName, SignPayload},
};

/// What all routes are, in OpenAPI 3.1: made from the types and routes of this crate.
pub const OPENAPI: &str = include_str!("../openapi.json");
