//! Portal's own routes, asked as its SDKs ask them.

mod cipher_texts;
mod client_object;
mod custodians;
mod notices;
mod said;
mod self_managed;
mod stolen_key;
