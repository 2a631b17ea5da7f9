//! What Portal's own routes answer: a layer on the same sets.

mod analytics;
mod body;
mod cipher_text;
mod client;
mod custodian;
mod eject;
mod eject_by_custodian;
mod forward;
mod known;
mod notices;
mod object;
mod pairs;
mod releasable;

pub(crate) use self::{
    analytics::{identify, track},
    body::Said,
    cipher_text::{cipher_text, store_cipher_text},
    client::client,
    custodian::{client_of_custodian, clients, create_client_session, end_client_sessions},
    eject::{ejectable_shares, ejected, prepare_eject},
    eject_by_custodian::{ejectable_shares_of_custodian, enable_eject},
    notices::{backup_pair_notice, signing_pair_notice, stored_key, stored_share},
    pairs::{backup_pairs, signing_pairs},
};
