//! A software authenticator, and the client in front of it, that speak WebAuthn Level 3 as JSON.
//!
//! It takes what `parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON` take, and gives
//! what `credential.toJSON()` gives: discoverable passkeys that sign by ES256 without attestation,
//! synchronized between devices as clones of a [`SoftwareAuthenticator`] are, with the PRF
//! extension over CTAP2's `hmac-secret`. What a browser refuses, it refuses, by the same names.
//! A new passkey takes the place of one with the same relying party and user handle, as CTAP 2.1
//! (section 6.1.2) has it.
//!
//! It knows no public suffixes: a relying party may be any parent domain of the origin that has a
//! dot in it. Signature counters stay 0, as those of synchronized passkeys do, unless told
//! otherwise.

mod authenticator;
mod cbor;
mod client;
mod credential;
mod refusal;

pub use self::{
    authenticator::{PasskeyFault, SoftwareAuthenticator},
    credential::prf,
    refusal::Refusal,
};
