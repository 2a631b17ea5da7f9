#![doc = include_str!("../README.md")]

mod drive;
mod key_file;
mod oauth;
mod place;
mod portal_files;
mod problem;
mod sign_in;
mod store;
mod token;

pub use backup_cloud::{Browser, MemoryTokens, SystemBrowser, TokenFile, TokenStore};
pub use backup_core;

pub use crate::{
    oauth::{AuthServer, OAuthClient},
    place::{Place, Scope},
    portal_files::PortalKeyFile,
    problem::DriveProblem,
    sign_in::{CodeDisplay, DeviceCode, GoogleSignIn},
    store::DriveStore,
    token::{AccessToken, TokenSource},
};
