//! The enclave's rules and its client, by ceremonies with a software authenticator.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod attacks;
mod backups;
mod browser;
mod ceremonies;
mod client;
mod conformance;
mod grants;
mod http;
mod keys;
#[path = "../../../../tests/src/node.rs"]
#[allow(unreachable_pub, reason = "it is public in the workspace's tests")]
mod node;
#[path = "../common/page.rs"]
mod page;
mod service;
mod store;
mod support;
