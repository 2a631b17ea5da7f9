//! What the end-to-end tests and benchmarks of the workspace share.

#![expect(clippy::missing_panics_doc, reason = "test helpers panic when a test's files are wrong")]

pub mod crash;
pub mod cutting_proxy;
pub mod drive;
pub mod fixed_key;
pub mod forged;
pub mod load;
pub mod middle;
pub mod node;
pub mod one_passkey;
pub mod own_process;
pub mod private_key;
pub mod python;
pub mod ratio;
pub mod stopped;
pub mod vector;
pub mod wallets;
