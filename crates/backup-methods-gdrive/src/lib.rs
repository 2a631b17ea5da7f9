#![doc = include_str!("../README.md")]

mod drive;
mod http_client;
mod key_file;
mod oauth;
mod place;
mod portal_files;
mod problem;
mod sign_in;
mod store;
mod token;
mod token_file;

pub use backup_core;

pub use crate::{
    oauth::{AuthServer, OAuthClient},
    place::{Place, Scope},
    portal_files::PortalKeyFile,
    problem::DriveProblem,
    sign_in::{Browser, CodeDisplay, DeviceCode, GoogleSignIn, SystemBrowser},
    store::DriveStore,
    token::{AccessToken, RefreshToken, TokenSource, TokenStore},
    token_file::TokenFile,
};
