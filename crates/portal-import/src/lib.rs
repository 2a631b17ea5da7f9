#![doc = include_str!("../README.md")]

mod blob;
mod custodian;
mod decimal;
mod ed25519;
mod error;
mod half;
mod json;
mod numbers;
mod secp256k1;
mod share;
mod shares;

pub use portal_mpc::{ByCurve, OnCurve, PrivateKey, PublicKey};

pub use crate::{
    blob::{PortalKey, open_with_key, open_with_password},
    custodian::PortalCustodianShare,
    error::{ImportError, Side},
    share::PortalShare,
    shares::read_shares,
};
