//! The sessions of the five operations, with a device at the other end of a real socket.

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
