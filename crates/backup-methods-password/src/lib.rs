#![doc = include_str!("../README.md")]

mod cost;
mod derive;
mod method;
mod opaque_string;
mod params;
mod policy;
mod prompt;
mod refusal;

#[cfg(feature = "strength")]
pub use crate::policy::Strength;
pub use crate::{
    cost::{Cost, CostLimit},
    method::Password,
    policy::{Policy, Rule},
    prompt::{GivenPassword, PasswordPrompt, PasswordRequest, Problem, Why},
    refusal::Refusal,
};
