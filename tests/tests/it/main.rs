//! The stories of the whole workspace, a module each.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api_keys;
mod audit;
mod bad_input;
mod by_notice;
mod crash;
mod cut_connections;
mod deploy;
mod device_disk;
mod eject;
mod golden_files;
mod google_drive;
mod guide;
mod hostile_service;
mod load;
mod mpc_interop;
mod openapi;
mod passkey;
mod portal_api_class;
mod portal_blobs;
mod published_vectors;
mod questions;
mod second_reader;
mod self_managed;
mod slowed_down;
mod stolen_key;
mod stopped_device;
mod stopped_keychain;
mod superseded_backups;
mod trace_ids;
mod two_of_three;
mod wallet_life;
mod writing_a_method;
