//! The client's half of `PASSKEY`: a backup whose key an enclave keeps, and releases to a passkey.

mod answers;
mod calls;
mod http;
mod method;
mod options;
mod params;
mod passkeys;
mod problem;

pub use self::{method::PasskeyEnclave, problem::EnclaveProblem};
