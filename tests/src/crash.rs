//! "No crash loses a wallet": real processes, killed between any two of their effects.
//!
//! `docs/crash.md` says what is killed where, and what is checked afterwards.

pub mod campaign;
pub mod check;
pub mod custodian;
pub mod device;
pub mod folder_store;
pub mod kept_drive;
pub mod kept_icloud;
pub mod kept_keychain;
pub mod kept_store;
pub mod ledger;
pub mod power;
pub mod process;
pub mod provider;
pub mod recorder;
pub mod safeguard;
pub mod scenario;
pub mod service;
pub mod site;
mod storing;
pub mod strace;
pub mod sweep;
pub mod told;
pub mod typed_secret;
pub mod world;
