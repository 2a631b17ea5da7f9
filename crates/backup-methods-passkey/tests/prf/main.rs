//! The PRF method, by ceremonies with a software authenticator.

mod answers;
mod ceremonies;
mod conformance;
mod refusals;
mod support;
