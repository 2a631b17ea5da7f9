//! What Portal's own routes answer: a layer on the same sets.

mod client;
mod known;
mod object;
mod pairs;

pub(crate) use self::{
    client::client,
    pairs::{backup_pairs, signing_pairs},
};
