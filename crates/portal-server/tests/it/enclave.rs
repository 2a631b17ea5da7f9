//! The passkey enclave in the service: what the library's own tests do not see.

mod around;
mod audit;
mod backups;
mod custody;
mod keys;
mod refusals;
mod user;
