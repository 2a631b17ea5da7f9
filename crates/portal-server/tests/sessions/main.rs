//! The sessions of the five operations, with a device at the other end of a real socket.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "modules of a test are reached by nobody else")]

#[path = "../common/mod.rs"]
mod common;

mod confirming;
mod cycle;
mod first_posts;
mod frozen;
mod generating;
mod interrupted;
mod marks;
mod recovering;
mod second_posts;
mod signing;
mod wallet;
mod wire;
