//! The other half of `PASSKEY`: a service that keeps keys, and releases them on an assertion.
//!
//! Nothing here is I/O of its own. The mounter says who asks, and brings the [`EnclaveStore`], the
//! provider that keys are sealed under, and which backups of a client are completed.

mod account;
mod answer;
mod asserted;
mod audit;
mod backups;
mod begin;
mod clock;
mod config;
mod confirm;
mod http;
mod page;
mod read;
mod refusal;
mod register;
mod run;
mod sealed;
mod status;
mod store;
mod write;

use crate::key_text;

pub use self::{
    audit::{Action, AuditRecord},
    backups::{Backups, NoBackups},
    begin::{BeginLogin, BeginRegistration, Begun, Purpose},
    clock::{Clock, SystemClock},
    config::EnclaveConfig,
    confirm::{Confirm, Confirmation},
    http::{cross_origin, router},
    page::page,
    read::{Read, Released},
    refusal::Refusal,
    register::{FinishRegistration, KeyInBody, Registered},
    run::Enclave,
    store::{Change, Commit, Committed, EnclaveStore, Loaded, SealedKey},
    write::{Write, Written},
};
pub use crate::{HeldKey, HeldPasskey, KeyId, Status};
