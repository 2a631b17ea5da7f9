//! The password method from outside, as an app uses it.

mod conformance;
mod executors;
mod rules;
mod support;
