//! The password method from outside, as an app uses it.

mod executors;
mod rules;
mod support;
