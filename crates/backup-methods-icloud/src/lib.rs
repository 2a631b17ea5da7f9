#![doc = include_str!("../README.md")]

mod browser;
mod cloud;
mod container;
mod http;
mod problem;
mod record;
mod refusal;
mod session;
mod store;
mod token;
mod user;

pub use backup_cloud::{Browser, MemoryTokens, SystemBrowser, TokenFile, TokenStore};
pub use backup_core;

pub use crate::{
    browser::BrowserSignIn,
    container::{Container, Environment},
    problem::ICloudProblem,
    store::ICloudStore,
    token::{SignIn, WebAuthToken},
};
