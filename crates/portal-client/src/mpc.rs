//! The two-party protocols, run with the service: each computes on a thread of its own.

mod caller;
mod eject;
mod operations;
mod shares;

pub(crate) use self::{
    operations::{MadeBackup, back_up, confirm, device_key, generate, recover, sign},
    shares::{OpenedShare, frozen_curves, frozen_form},
};
