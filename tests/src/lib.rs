//! What the end-to-end tests and benchmarks of the workspace share.

pub mod fixed_key;
pub mod vector;
