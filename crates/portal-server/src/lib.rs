#![doc = include_str!("../README.md")]

pub mod admin;
pub mod api_key;
mod around;
pub mod audit;
pub mod auth;
mod body;
mod bounds;
pub mod clock;
pub mod custody;
mod described;
pub mod effects;
#[cfg(feature = "enclave")]
mod enclave;
pub mod error;
mod halves;
pub mod json;
pub mod lifecycle;
pub mod limits;
pub mod maintenance;
pub mod metrics;
pub mod random;
mod rates;
mod readiness;
mod router;
mod routes;
mod server;
pub mod service;
pub mod session_token;
mod sessions;
pub mod signed;
mod stack;
mod start;
pub mod store;
mod thread;
mod to_the_end;
mod trace_id;
mod webhook;

#[cfg(feature = "enclave")]
pub use crate::enclave::EnclaveOptions;
pub use crate::{
    server::{Options, Running, Server},
    start::{KEY_FILE, StartError},
    webhook::WebhookPolicy,
};
