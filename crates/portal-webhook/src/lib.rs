#![doc = include_str!("../README.md")]

mod caller;
mod cipher_texts;
mod error;
mod halves;
mod rewrap;
mod sqlite;
mod store;
mod vault;
mod webhook;

pub use portal_api::webhook::{SecretError, WebhookSecret};

pub use crate::{
    cipher_texts::Users,
    rewrap::{Rewrapped, Unopened},
    sqlite::SqliteStore,
    store::{Kept, Kind, Numbered, Place, Resealed, Store, StoreError},
    vault::EraseError,
    webhook::Webhook,
};
