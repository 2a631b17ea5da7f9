#![doc = include_str!("../README.md")]

mod base64url;
#[cfg(feature = "browser")]
mod browser;
mod ceremony;
#[cfg(feature = "client")]
mod client;
mod credential_id;
mod derive;
#[cfg(feature = "enclave")]
pub mod enclave;
#[cfg(feature = "browser")]
mod handed_over;
#[cfg(any(feature = "client", feature = "enclave"))]
mod held;
#[cfg(any(feature = "client", feature = "enclave"))]
mod key_id;
#[cfg(any(feature = "client", feature = "enclave"))]
mod key_text;
mod params;
mod prf;
mod relying_party;

#[cfg(feature = "browser")]
pub use crate::browser::BrowserCeremony;
#[cfg(feature = "client")]
pub use crate::client::{EnclaveProblem, PasskeyEnclave};
pub use crate::{
    ceremony::{
        Assertion, Ceremony, CeremonyError, CreateOptions, Created, GetOptions, PrfOutput, Support,
        User,
    },
    credential_id::CredentialId,
    prf::{Account, PasskeyPrf},
    relying_party::RelyingParty,
};
#[cfg(any(feature = "client", feature = "enclave"))]
pub use crate::{
    held::{HeldKey, HeldPasskey, Status},
    key_id::KeyId,
};
