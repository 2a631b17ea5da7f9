#![doc = include_str!("../README.md")]

mod caller;
mod cipher_texts;
mod error;
mod halves;
#[cfg(feature = "postgres")]
mod postgres;
mod rewrap;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod vault;
mod webhook;

pub use portal_api::webhook::{SecretError, WebhookSecret};

#[cfg(feature = "postgres")]
pub use crate::postgres::PostgresStore;
#[cfg(feature = "sqlite")]
pub use crate::sqlite::SqliteStore;
pub use crate::{
    cipher_texts::Users,
    rewrap::{Rewrapped, Unopened},
    store::{Kept, Kind, Numbered, Place, Resealed, Store, StoreError},
    vault::EraseError,
    webhook::Webhook,
};
