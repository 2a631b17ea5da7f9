//! Sessions: who talks about what, and the secret that only the two of them have.

mod context;
mod frame;
mod secret;

pub use context::{Context, SessionId};
pub use frame::{Outgoing, Post, Reply};
pub use secret::SessionSecret;

pub(crate) use context::Nonce;
pub(crate) use frame::{Header, Step};
pub(crate) use secret::random;
