#![doc = include_str!("../README.md")]

mod entries;
mod error;
mod keychain;
mod problem;
mod system;
mod value;

pub use keyring_core;

pub use crate::{keychain::Keychain, problem::KeychainProblem};
