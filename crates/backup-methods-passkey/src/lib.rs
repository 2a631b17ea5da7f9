#![doc = include_str!("../README.md")]

mod base64url;
mod ceremony;
mod credential_id;
mod derive;
#[cfg(feature = "enclave")]
pub mod enclave;
mod params;
mod prf;
mod relying_party;

pub use crate::{
    ceremony::{
        Assertion, Ceremony, CeremonyError, CreateOptions, Created, GetOptions, PrfOutput, Support,
        User,
    },
    credential_id::CredentialId,
    prf::{Account, PasskeyPrf},
    relying_party::RelyingParty,
};
