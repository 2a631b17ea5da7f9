#![doc = include_str!("../README.md")]

mod browser;
mod http;
mod loopback;
mod token_file;
mod token_store;
mod waits;

pub use crate::{
    browser::{Browser, SystemBrowser},
    http::{NoAnswer, client, read, retry_after, server},
    loopback::{Brought, By, Closing, Loopback, random_text},
    token_file::TokenFile,
    token_store::{MemoryTokens, TokenStore},
    waits::Waits,
};
