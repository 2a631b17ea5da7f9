//! Portal's own routes, asked as its SDKs ask them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, unreachable_pub, reason = "some modules are those of other tests")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../sessions/wallet.rs"]
mod wallet;
#[path = "../sessions/wire.rs"]
mod wire;

mod cipher_texts;
mod client_object;
mod custodians;
mod notices;
mod said;
mod self_managed;
mod stolen_key;
